//! A channel's tokens of an OAuth provider: shared by dials, renewals and the sign-in, kept in the keyring, renewed before they end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tidings_api::SessionKept;
use tidings_channel::Config;
use tidings_oauth::{Endpoints, Failure, Provider, Tokens, refresh};
use tokio::sync::Mutex;

use super::credential::usable;
use super::keyring::{self, Entry, KeyringError};
use super::source::CredentialError;

/// A token that ends sooner than this is renewed before it is shown. Too low: it ends on its way; too high: one that lives for a
/// moment is renewed at each dial.
const NEARLY_OVER: Duration = Duration::from_secs(5);

/// See the module. Clones are the same sign-in.
#[derive(Clone)]
pub struct SignIn {
    shared: Arc<Shared>,
    /// The way to the provider.
    config: Arc<Config>,
}

struct Shared {
    /// The channel's id: the name of its entry in the keyring.
    channel: String,
    provider: Provider,
    /// Held while the provider or the keyring is asked: a refresh token is good for one use.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    endpoints: Option<Endpoints>,
    tokens: Option<Tokens>,
    kept: Option<SessionKept>,
    /// What a sign-in came to that was the provider's fault, until that is told.
    failed: Option<Failure>,
    /// The last time that a token was wanted, no sign-in would have helped.
    in_vain: bool,
}

impl SignIn {
    /// Nobody has signed in yet, as far as is known.
    pub fn new(channel: &str, provider: Provider, config: Config) -> Self {
        let shared = Arc::new(Shared { channel: channel.to_owned(), provider, held: Mutex::default() });
        Self { shared, config: Arc::new(config) }
    }

    /// By this way, with the tokens that were known before where they are of the same provider.
    #[must_use]
    pub fn going_on(self, before: &Self) -> Self {
        let same = self.provider() == before.provider() && self.shared.channel == before.shared.channel;
        if same { Self { shared: before.shared.clone(), ..self } } else { self }
    }

    /// Who signs people in.
    pub fn provider(&self) -> &Provider {
        &self.shared.provider
    }

    /// The way to it.
    pub fn way(&self) -> &Config {
        &self.config
    }

    /// An access token that is good, as far as is known, and when it ends. `refused`: whether it is the one that the server took no
    /// more.
    ///
    /// # Errors
    /// Only the person can get one, the provider can't be asked, or the keyring is locked.
    pub async fn token(
        &self,
        refused: impl FnOnce(&str) -> bool + Send + 'static,
    ) -> Result<(String, Option<SystemTime>), CredentialError> {
        // In a task of its own: a dial may be given up when the provider has taken the old token and its answer isn't kept yet.
        let Self { shared, config } = self.clone();
        let fetching = tokio::spawn(async move { shared.token(refused, &config).await });
        let fetched = fetching.await.unwrap_or_else(|_| Err(self.shared.signed_out()));
        let in_vain = matches!(&fetched, Err(CredentialError::Provider(why)) if why.is_the_providers());
        self.shared.held.lock().await.in_vain = in_vain;
        let tokens = fetched?;
        let ends = tokens.ends_at();
        Ok((tokens.access_token, ends))
    }

    /// A person has signed in. In the keyring, or in memory where there is none, or it is locked; then the reason is told.
    pub async fn begin(&self, tokens: Tokens) -> (SessionKept, Option<KeyringError>) {
        let mut held = self.shared.held.lock().await;
        let (kept, why) = write(&self.shared.channel, &tokens).await;
        held.tokens = Some(tokens);
        held.kept = Some(kept);
        (kept, why)
    }

    /// A sign-in came to nothing, by the provider's fault: told where the next token is wanted.
    pub async fn failed(&self, failure: Failure) {
        self.shared.held.lock().await.failed = Some(failure);
    }

    /// Whether a sign-in would have been of no use, when a token was wanted last.
    pub async fn is_in_vain(&self) -> bool {
        self.shared.held.lock().await.in_vain
    }

    /// Who keeps them; `None`: there are none, as far as is known.
    pub async fn kept(&self) -> Option<SessionKept> {
        self.shared.held.lock().await.kept
    }

    /// The end of it: forgotten, here and in the keyring.
    ///
    /// # Errors
    /// The keyring keeps it.
    pub async fn end(&self) -> Result<(), KeyringError> {
        *self.shared.held.lock().await = Held::default();
        keyring::forget(&self.shared.channel).await
    }

    /// What is in memory is forgotten where the keyring may have another.
    pub(super) async fn forget(&self) {
        let mut held = self.shared.held.lock().await;
        if held.kept != Some(SessionKept::Memory) {
            held.tokens = None;
        }
    }
}

impl Shared {
    fn signed_out(&self) -> CredentialError {
        CredentialError::Provider(Failure::SignIn { host: self.provider.host().to_owned() })
    }

    async fn token(
        &self,
        refused: impl FnOnce(&str) -> bool,
        config: &Config,
    ) -> Result<Tokens, CredentialError> {
        let Self { channel, provider, held } = self;
        let mut held = held.lock().await;
        let failed = held.failed.take();
        let Held { endpoints, tokens: known, kept, .. } = &mut *held;
        if known.is_none() {
            *known = read(channel).await?;
            *kept = known.is_some().then_some(SessionKept::Keyring);
        }
        let none = || failed.map_or_else(|| self.signed_out(), CredentialError::Provider);
        let old = known.clone().ok_or_else(none)?;
        let left = old.ends_at().map(|ends| ends.duration_since(SystemTime::now()).unwrap_or_default());
        if left.is_none_or(|left| left > NEARLY_OVER) && !refused(&old.access_token) {
            return Ok(old);
        }
        match refresh(provider, config, endpoints, &old).await {
            Ok(new) => {
                // Before it is used: the old one may be good for nothing now.
                let (by, why) = write(channel, &new).await;
                *kept = Some(by);
                if let Some(error) = why {
                    tracing::warn!(channel, %error, "a renewed sign-in is in memory alone");
                }
                *known = Some(new.clone());
                Ok(new)
            }
            Err(failure @ Failure::SignIn { .. }) => {
                // Somebody may have signed in meanwhile, by another process.
                *known = read(channel).await.ok().flatten().filter(|other| *other != old);
                known.clone().ok_or(CredentialError::Provider(failure))
            }
            Err(failure) => Err(CredentialError::Provider(failure)),
        }
    }
}

/// Keeps tokens in the keyring; in memory alone where that can't be, and why.
async fn write(channel: &str, tokens: &Tokens) -> (SessionKept, Option<KeyringError>) {
    match keyring::write(channel, &in_json(tokens), false).await {
        Ok(()) => (SessionKept::Keyring, None),
        Err(error) => (SessionKept::Memory, Some(error)),
    }
}

/// What the keyring has. What is no sign-in of a provider counts as none.
async fn read(channel: &str) -> Result<Option<Tokens>, CredentialError> {
    match keyring::read(channel).await {
        Ok(Entry::Secret(secret)) => {
            Ok(usable("keyring", &secret).ok().and_then(|text| serde_json::from_str(&text).ok()))
        }
        Ok(Entry::None) => Ok(None),
        Ok(Entry::Locked) => Err(KeyringError::Locked.into()),
        Err(error) => {
            tracing::debug!(channel, %error, "no keyring to read a sign-in from");
            Ok(None)
        }
    }
}

fn in_json(tokens: &Tokens) -> String {
    // Text and numbers alone: it can't fail.
    serde_json::to_string(tokens).unwrap_or_default()
}

/// Without what is secret.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("channel", &self.shared.channel).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;

    use super::*;

    async fn asked(listener: &TcpListener, path: &str) -> TcpStream {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 4096];
        let n = stream.read(&mut request).await.expect("a request");
        let request = String::from_utf8_lossy(&request[..n]).into_owned();
        assert!(request.split(' ').nth(1) == Some(path), "{request}");
        stream
    }

    async fn answer(mut stream: TcpStream, json: &str) {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            json.len()
        );
        stream.write_all(format!("{head}{json}").as_bytes()).await.expect("answered");
    }

    /// The old refresh token is good for nothing once the provider has seen it.
    #[tokio::test]
    async fn a_dial_that_is_given_up_costs_no_renewed_token() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let provider = Provider {
            issuer: format!("http://{at}").parse().expect("a URL"),
            client_id: "tidings".to_owned(),
            scopes: Vec::new(),
            audience: None,
            redirect_port: None,
            allow_plaintext: false,
        };
        let config = Config::new(format!("ws://{at}/").parse().expect("a URL"));
        let sign_in = SignIn::new("no-such-channel", provider, config);
        let old = r#"{"access_token":"old","refresh_token":"once","expires_at":1}"#;
        sign_in.begin(serde_json::from_str(old).expect("tokens")).await;

        let (given_up, gives_up) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let description = format!(r#"{{"issuer":"http://{at}","token_endpoint":"http://{at}/token"}}"#);
            answer(asked(&listener, "/.well-known/openid-configuration").await, &description).await;
            let stream = asked(&listener, "/token").await;
            given_up.send(()).expect("awaited");
            answer(stream, r#"{"access_token":"new","token_type":"bearer","refresh_token":"next"}"#).await;
        });
        tokio::select! {
            token = sign_in.token(|_| false) => panic!("before it was given: {token:?}"),
            asked = gives_up => asked.expect("the provider was asked"),
        }
        serving.await.expect("served");
        assert_eq!(sign_in.token(|_| false).await.expect("a token").0, "new");
    }
}
