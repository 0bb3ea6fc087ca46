//! How a channel's user signs in, where more is held of that than a secret.

use tidings_api::SessionKept;

use super::keyring::KeyringError;
use super::oauth::SignIn;
use super::session::SessionJar;

/// See the module. Clones are the same sign-in.
#[derive(Debug, Clone)]
pub enum SignedInBy {
    /// On a page of the web app, whose session it is.
    Session(SessionJar),
    /// At an OAuth provider.
    Provider(SignIn),
}

impl SignedInBy {
    /// As this says, by what was known before where it is the same sign-in: it may be in memory alone, or good for one use.
    #[must_use]
    pub fn going_on(self, before: Option<&Self>) -> Self {
        match (self, before) {
            (Self::Session(new), Some(Self::Session(before))) => Self::Session(new.going_on(before)),
            (Self::Provider(new), Some(Self::Provider(before))) => Self::Provider(new.going_on(before)),
            (new, _) => new,
        }
    }

    /// Its session, if it is one.
    pub fn session(&self) -> Option<&SessionJar> {
        match self {
            Self::Session(session) => Some(session),
            Self::Provider(_) => None,
        }
    }

    /// Who keeps it; `None`: nobody is signed in, as far as is known.
    pub async fn kept(&self) -> Option<SessionKept> {
        match self {
            Self::Session(session) => session.hold().await.kept(),
            Self::Provider(sign_in) => sign_in.kept().await,
        }
    }

    /// Whether whoever signs in gets nothing by that, as far as is known.
    pub async fn is_in_vain(&self) -> bool {
        match self {
            Self::Session(_) => false,
            Self::Provider(sign_in) => sign_in.is_in_vain().await,
        }
    }

    /// The end of it: forgotten, here and in the keyring.
    ///
    /// # Errors
    /// The keyring keeps it.
    pub async fn end(&self) -> Result<(), KeyringError> {
        match self {
            Self::Session(session) => session.end().await,
            Self::Provider(sign_in) => sign_in.end().await,
        }
    }
}
