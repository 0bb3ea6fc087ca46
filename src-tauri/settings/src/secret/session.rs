//! A channel's session: its jar, shared by dials, the keep-alive and the sign-in, and who keeps it between runs.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tidings_api::SessionKept;
use tidings_channel::{ChannelUrl, Credential};
use tokio::sync::{Mutex, MutexGuard};

use super::jar::{Jar, NoJar};
use super::keyring::{self, KeyringError};

/// See the module. Clones are the same session.
#[derive(Clone)]
pub struct SessionJar {
    /// Where the link goes.
    url: ChannelUrl,
    /// That, and what else is asked for by the session: which cookies are kept.
    addresses: Vec<ChannelUrl>,
    /// The host that the user signs in at.
    site: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// The channel's id: the name of its entry in the keyring.
    channel: String,
    /// Held while a server or the keyring is asked: what a server sets is stored before anything else is sent.
    held: Mutex<Held>,
}

/// The cookies as they are now.
#[derive(Debug, Clone, Default)]
pub struct Held {
    jar: Jar,
    kept: Option<SessionKept>,
    /// What was read last where the settings or the keyring keep it; a name of that, so that it isn't in memory twice.
    read: Option<u64>,
}

impl SessionJar {
    /// Nobody has signed in yet, as far as is known. `also`: what is asked for by it beside the link's address.
    pub fn new(
        channel: &str,
        url: ChannelUrl,
        also: impl IntoIterator<Item = ChannelUrl>,
        site: &str,
    ) -> Self {
        let addresses = std::iter::once(url.clone()).chain(also).collect();
        let shared = Arc::new(Shared { channel: channel.to_owned(), held: Mutex::default() });
        Self { url, addresses, site: site.to_owned(), shared }
    }

    /// With these addresses, and the cookies of the session that was known before where it is one at the same site.
    #[must_use]
    pub fn going_on(self, before: &Self) -> Self {
        let same = self.shared.channel == before.shared.channel
            && self.url.as_url().origin() == before.url.as_url().origin()
            && self.site == before.site;
        if same { Self { shared: before.shared.clone(), ..self } } else { self }
    }

    /// Where the link goes.
    pub fn url(&self) -> &ChannelUrl {
        &self.url
    }

    /// What is asked for by the session, the link's address first.
    pub fn addresses(&self) -> &[ChannelUrl] {
        &self.addresses
    }

    /// The host that the user signs in at.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The cookies, for as long as nobody else may use them.
    pub async fn hold(&self) -> MutexGuard<'_, Held> {
        self.shared.held.lock().await
    }

    /// A sign-in: these cookies in place of all that there were. In the keyring, or in memory where there is none, or it is
    /// locked; then the reason is told.
    pub async fn begin(&self, jar: Jar) -> (SessionKept, Option<KeyringError>) {
        let mut held = self.hold().await;
        let written = keyring::write(&self.shared.channel, &jar.to_json(), false).await;
        let kept = if written.is_ok() { SessionKept::Keyring } else { SessionKept::Memory };
        // What the keyring has, where it doesn't take the new one, is older than that.
        let read = if written.is_ok() { Some(revision(&jar.to_json())) } else { held.read };
        *held = Held { read, jar, kept: Some(kept) };
        (kept, written.err())
    }

    /// Takes what a good answer from this address sets or deletes, before anything else is sent. The keyring has it too then, if
    /// that keeps the session.
    pub async fn take(&self, held: &mut Held, url: &ChannelUrl, set_cookies: &[String]) {
        if !held.jar.take(url, set_cookies) || held.kept != Some(SessionKept::Keyring) {
            return;
        }
        let text = held.jar.to_json();
        match keyring::write(&self.shared.channel, &text, false).await {
            Ok(()) => held.read = Some(revision(&text)),
            Err(error) => {
                tracing::warn!(channel = self.shared.channel, %error, "a renewed session is in memory alone");
                held.kept = Some(SessionKept::Memory);
            }
        }
    }

    /// What a dial carries; `None`: there are no cookies for it.
    pub async fn credential(&self) -> Option<Credential> {
        self.hold().await.credential(self.url())
    }

    /// The link has opened with these `Set-Cookie` headers.
    pub async fn opened(&self, set_cookies: &[String]) {
        let mut held = self.hold().await;
        self.take(&mut held, self.url(), set_cookies).await;
    }

    /// The end of it: forgotten, here and in the keyring.
    ///
    /// # Errors
    /// The keyring keeps it.
    pub async fn end(&self) -> Result<(), KeyringError> {
        let mut held = self.hold().await;
        *held = Held::default();
        keyring::forget(&self.shared.channel).await
    }
}

impl Held {
    /// As it was read from where it is kept. What was read before is no news: the server may have set newer ones since.
    pub(super) fn read(
        &mut self,
        text: &str,
        addresses: &[ChannelUrl],
        kept: SessionKept,
    ) -> Result<(), NoJar> {
        let read = Some(revision(text));
        if self.read != read || self.kept().is_none() {
            *self = Self { jar: Jar::parse(text, addresses)?, kept: Some(kept), read };
        }
        Ok(())
    }

    /// What a dial carries.
    pub(super) fn credential(&self, url: &ChannelUrl) -> Option<Credential> {
        self.header(url).map(|value| Credential::Header { name: "Cookie".to_owned(), value })
    }

    /// There is none any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What nobody keeps between runs is gone.
    pub(super) fn drop_memory(&mut self) {
        if self.kept == Some(SessionKept::Memory) {
            self.clear();
        }
    }

    /// The value of the `Cookie` header for an address.
    pub fn header(&self, url: &ChannelUrl) -> Option<String> {
        self.jar.header(url)
    }

    /// Whether an answer of this address gives a cookie of the session, one that ends with it, another value.
    pub fn renames(&self, url: &ChannelUrl, set_cookies: &[String]) -> bool {
        self.jar.renames(url, set_cookies)
    }

    /// With what an answer of this address sets, stored nowhere.
    pub fn set(&mut self, url: &ChannelUrl, set_cookies: &[String]) {
        self.jar.take(url, set_cookies);
    }

    /// Who keeps them; `None`: there are none.
    pub fn kept(&self) -> Option<SessionKept> {
        self.kept.filter(|_| !self.jar.is_empty())
    }
}

/// A text's name.
pub(super) fn revision(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl fmt::Debug for SessionJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionJar").field("channel", &self.shared.channel).finish_non_exhaustive()
    }
}
