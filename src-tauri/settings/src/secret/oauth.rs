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
pub struct SignIn(Arc<Shared>);

struct Shared {
    /// The channel's id: the name of its entry in the keyring.
    channel: String,
    provider: Provider,
    /// The way to it.
    config: Config,
    /// Held while the provider or the keyring is asked: a refresh token is good for one use.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    endpoints: Option<Endpoints>,
    tokens: Option<Tokens>,
    kept: Option<SessionKept>,
}

impl SignIn {
    /// Nobody has signed in yet, as far as is known.
    pub fn new(channel: &str, provider: Provider, config: Config) -> Self {
        Self(Arc::new(Shared { channel: channel.to_owned(), provider, config, held: Mutex::default() }))
    }

    /// Who signs people in.
    pub fn provider(&self) -> &Provider {
        &self.0.provider
    }

    /// The way to it.
    pub fn way(&self) -> &Config {
        &self.0.config
    }

    /// An access token that is good, as far as is known, and when it ends. `refused`: the server took the last one no more.
    ///
    /// # Errors
    /// Only the person can get one, the provider can't be asked, or the keyring is locked.
    pub async fn token(&self, refused: bool) -> Result<(String, Option<SystemTime>), CredentialError> {
        let Shared { channel, provider, config, held } = &*self.0;
        let mut held = held.lock().await;
        let Held { endpoints, tokens: known, kept } = &mut *held;
        if known.is_none() {
            *known = read(channel).await?;
            *kept = known.is_some().then_some(SessionKept::Keyring);
        }
        let sign_in = || CredentialError::Provider(Failure::SignIn { host: provider.host().to_owned() });
        let old = known.clone().ok_or_else(sign_in)?;
        let left = old.ends_at().map(|ends| ends.duration_since(SystemTime::now()).unwrap_or_default());
        if !refused && left.is_none_or(|left| left > NEARLY_OVER) {
            return Ok((old.access_token.clone(), old.ends_at()));
        }
        // Boxed, for every dial of every channel would have room for it.
        match Box::pin(refresh(provider, config, endpoints, &old)).await {
            Ok(new) => {
                // Before it is used: the old one may be good for nothing now.
                let written = keyring::write(channel, &in_json(&new), false).await;
                *kept = Some(if written.is_ok() { SessionKept::Keyring } else { SessionKept::Memory });
                if let Err(error) = written {
                    tracing::warn!(channel, %error, "a renewed sign-in is in memory alone");
                }
                *known = Some(new.clone());
                Ok((new.access_token.clone(), new.ends_at()))
            }
            Err(failure @ Failure::SignIn { .. }) => {
                // Somebody may have signed in meanwhile, by another process.
                let other = read(channel).await.ok().flatten().filter(|other| *other != old);
                *known = other.clone();
                match other {
                    Some(other) => Ok((other.access_token.clone(), other.ends_at())),
                    None => Err(CredentialError::Provider(failure)),
                }
            }
            Err(failure) => Err(CredentialError::Provider(failure)),
        }
    }

    /// A person has signed in. In the keyring, or in memory where there is none, or it is locked; then the reason is told.
    pub async fn begin(&self, tokens: Tokens) -> (SessionKept, Option<KeyringError>) {
        let mut held = self.0.held.lock().await;
        let written = keyring::write(&self.0.channel, &in_json(&tokens), false).await;
        let kept = if written.is_ok() { SessionKept::Keyring } else { SessionKept::Memory };
        held.tokens = Some(tokens);
        held.kept = Some(kept);
        (kept, written.err())
    }

    /// Who keeps them; `None`: there are none, as far as is known.
    pub async fn kept(&self) -> Option<SessionKept> {
        self.0.held.lock().await.kept
    }

    /// The end of it: forgotten, here and in the keyring.
    ///
    /// # Errors
    /// The keyring keeps it.
    pub async fn end(&self) -> Result<(), KeyringError> {
        *self.0.held.lock().await = Held::default();
        match keyring::remove(&self.0.channel, false).await {
            // Without a keyring there is nothing in it.
            Ok(_) | Err(KeyringError::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What is in memory is forgotten where the keyring may have another.
    pub(super) async fn forget(&self) {
        let mut held = self.0.held.lock().await;
        if held.kept != Some(SessionKept::Memory) {
            held.tokens = None;
        }
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
        f.debug_struct("SignIn").field("channel", &self.0.channel).finish_non_exhaustive()
    }
}
