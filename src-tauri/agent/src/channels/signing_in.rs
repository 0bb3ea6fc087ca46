//! How the users of channels sign in and out: on a page of the web app, or at a provider (S1 …, N1).

use tidings_api::{Cookie, ErrorCode, Refusal, SessionKept, SignInPage};
use tidings_channel::{Cause, ChannelUrl, Command, Config, DialParams, Fetch, ProxyUrl, State, fetch};
use tidings_ground::text::quoted;
use tidings_oauth::Failure;
use tidings_settings::{ChannelSettings, Jar, Session, SessionJar, SignIn, SignedInBy};
use tidings_state::cause;
use tidings_state::wish::Wish;
use tidings_words::Words;
use tokio::sync::oneshot;

use super::Channels;
use super::held::Held;
use super::signing::Signing;

/// What a channel's user begins.
#[derive(Debug)]
pub(crate) struct SigningIn {
    /// The channel's id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// At this provider, in the user's browser; `None`: in a view of the window.
    pub(crate) provider: Option<SignIn>,
}

impl Channels {
    /// The one of this name, whose user signs in.
    fn signing(&self, name: &str) -> Result<(&Held, &Signing), Refusal> {
        let called = |held: &&Held| held.view.is_called(name);
        let held = self.held.iter().find(called).ok_or_else(|| self.unknown(Some(name)))?;
        let signing = held.signing.as_ref().ok_or_else(|| self.no_session(held))?;
        Ok((held, signing))
    }

    /// … by hand.
    fn signing_by_hand(&self, name: &str) -> Result<(&Held, &Signing), Refusal> {
        let (held, signing) = self.signing(name)?;
        if held.settings.is_signed_in_by_hand() {
            return Ok((held, signing));
        }
        let key = held.settings.credential.key();
        let message = self.words().refused_session_elsewhere(&quoted(&held.settings.name), &key);
        Err(Refusal::new(ErrorCode::NoSession, message))
    }

    /// … on a page of its web app.
    fn signing_by_page(&self, name: &str) -> Result<(&Held, &SessionJar, &Session), Refusal> {
        let (held, signing) = self.signing_by_hand(name)?;
        match (&signing.by, &held.settings.session) {
            (SignedInBy::Session(jar), Some(session)) => Ok((held, jar, session)),
            (SignedInBy::Session(_) | SignedInBy::Provider(_), _) => Err(self.no_session(held)),
        }
    }

    fn no_session(&self, held: &Held) -> Refusal {
        let message = self.words().refused_no_session(&quoted(&held.settings.name));
        Refusal::new(ErrorCode::NoSession, message)
    }

    /// How the user signs in to a channel.
    pub(crate) fn sign_in(&self, name: &str) -> Result<SigningIn, Refusal> {
        let (held, signing) = self.signing_by_hand(name)?;
        let provider = match &signing.by {
            SignedInBy::Provider(provider) => Some(provider.clone()),
            SignedInBy::Session(_) => None,
        };
        let ChannelSettings { id, name, .. } = &held.settings;
        Ok(SigningIn { id: id.clone(), name: name.clone(), provider })
    }

    /// Where and how that is done.
    pub(crate) fn sign_in_page(&self, name: &str) -> Result<SignInPage, Refusal> {
        let (held, jar, session) = self.signing_by_page(name)?;
        Ok(held.page(jar, session, self.words()))
    }

    /// The user signed in: the channel's cookies among these are its session from now on, and it is dialled by them.
    pub(crate) fn signed_in(
        &self,
        name: &str,
        cookies: Vec<Cookie>,
        answer: oneshot::Sender<Result<SessionKept, Refusal>>,
    ) {
        let (held, jar, _) = match self.signing_by_page(name) {
            Ok(found) => found,
            Err(refusal) => return drop(answer.send(Err(refusal))),
        };
        let cookies = Jar::of(jar.addresses(), cookies);
        if cookies.header(jar.url()).is_none() {
            let message = self.words().refused_no_cookies(&jar.url().host());
            return drop(answer.send(Err(Refusal::new(ErrorCode::NoSession, message))));
        }
        let (jar, id, wishes) = (jar.clone(), held.settings.id.clone(), self.wishes.clone());
        let signing = held.signing.clone();
        tokio::spawn(async move {
            let (kept, why) = jar.begin(cookies).await;
            tracing::info!(channel = id, ?kept, why = why.map(|why| why.to_string()), "signed in");
            if let Some(signing) = signing {
                signing.report().await;
            }
            wishes.make(Wish::TakeUp { channel: id });
            // Who asked may be gone.
            let _ = answer.send(Ok(kept));
        });
    }

    /// A sign-in came to nothing, by the provider's fault: the channel says so, and offers none.
    pub(crate) fn sign_in_failed(&self, id: &str, failure: Failure) {
        let Some(held) = self.held.iter().find(|held| held.settings.id == id) else { return };
        let Some(SignedInBy::Provider(provider)) = held.signed_in_by().cloned() else { return };
        let (wishes, channel) = (self.wishes.clone(), id.to_owned());
        tokio::spawn(async move {
            provider.failed(failure).await;
            wishes.make(Wish::SecretReadable { channel });
        });
    }

    /// Ends a sign-in: a session's site is told where the settings say how, all is forgotten, and the link is closed (1000).
    pub(crate) fn sign_out(&mut self, name: &str, answer: oneshot::Sender<Result<String, Refusal>>) {
        let words = self.words();
        let (id, signing) = match self.signing(name) {
            Ok((held, signing)) => (held.settings.id.clone(), signing.clone()),
            Err(refusal) => return drop(answer.send(Err(refusal))),
        };
        if let Some(held) = self.held.iter_mut().find(|held| held.settings.id == id) {
            held.sign_out(signing, words, answer);
        }
    }
}

impl Held {
    /// How its user signs in, where that is done by hand.
    pub(super) fn signed_in_by(&self) -> Option<&SignedInBy> {
        self.signing.as_ref().map(|signing| &signing.by)
    }

    /// Where and how its user signs in to its web app.
    fn page(&self, jar: &SessionJar, session: &Session, words: Words) -> SignInPage {
        let ChannelSettings { id, name, ca_file, proxy, .. } = &self.settings;
        let without_query = |url: &ChannelUrl| {
            let mut url = url.as_url().clone();
            url.set_query(None);
            String::from(url)
        };
        let refused = match self.view.status().state {
            State::NeedsUser { cause: cause @ Cause::RoleMissing { .. }, .. } => {
                Some(cause::told(&cause, words))
            }
            State::Disconnected { .. }
            | State::Connecting { .. }
            | State::Connected { .. }
            | State::Waiting { .. }
            | State::Replaced { .. }
            | State::NeedsUser { .. } => None,
        };
        let by_environment = || ProxyUrl::for_view(&self.config.url, |name| std::env::var(name).ok());
        let (proxy, direct) = match (proxy, &self.config.proxy) {
            // The settings' own is for all that the channel asks for.
            (Some(_), Some(own)) => Some((own.clone(), Vec::new())),
            (Some(_), None) | (None, _) => by_environment(),
        }
        .map_or_else(Default::default, |(proxy, direct)| (Some(proxy.to_string()), direct));
        SignInPage {
            channel: id.clone(),
            name: name.clone(),
            url: without_query(jar.url()),
            also: jar.addresses().iter().skip(1).map(without_query).collect(),
            sign_in: session.sign_in.to_string(),
            ca_file: ca_file.as_ref().map(|file| file.display().to_string()),
            proxy,
            direct,
            refused,
        }
    }

    fn sign_out(&mut self, signing: Signing, words: Words, answer: oneshot::Sender<Result<String, Refusal>>) {
        self.command(Command::Disconnect);
        let ChannelSettings { id, name, session, .. } = &self.settings;
        let (id, name) = (id.clone(), name.clone());
        let page = session.as_ref().and_then(|session| session.sign_out.clone());
        let (config, forget, credentials) =
            (self.config.clone(), self.forget.clone(), self.credentials.clone());
        tokio::spawn(async move {
            if let (Some(page), Some(jar)) = (page, signing.by.session()) {
                if signing.by.kept().await.is_none()
                    // No dial has needed it yet.
                    && let Err(error) = credentials.lock().await.fetch(false).await
                {
                    tracing::debug!(channel = id, %error, "no session to end at the site");
                }
                tell_site(&id, &config, page, jar).await;
            }
            let ended = signing.by.end().await;
            forget.now();
            signing.report().await;
            // Who asked may be gone.
            let _ = answer.send(match ended {
                Ok(()) => Ok(name),
                Err(error) => Err(Refusal::new(ErrorCode::Keyring, error.told(words))),
            });
        });
    }
}

/// Asks for what ends a session at its site.
async fn tell_site(id: &str, config: &Config, page: ChannelUrl, jar: &SessionJar) {
    let Some(cookies) = jar.hold().await.header(&page) else { return };
    let headers = vec![("Cookie".to_owned(), cookies)];
    let params = DialParams { headers, ..DialParams::default() };
    match fetch(config, &params, Fetch::get(page)).await {
        Ok(answer) => tracing::info!(channel = id, status = answer.status, "signed out"),
        Err(cause) => tracing::warn!(channel = id, %cause, "the site is not told of the sign-out"),
    }
}
