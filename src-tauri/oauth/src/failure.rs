//! Why there is no token.

use oauth2::{ErrorResponse, RequestTokenError};
use tidings_channel::{Cause, plain};
use tidings_words::Words;

use crate::way::Unanswered;

/// Why there is no token. What is quoted of the provider is plain text of one line.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The provider can't be asked just now: it passes.
    Away {
        /// Its host.
        host: String,
        /// Why.
        why: Box<Cause>,
    },
    /// What answers is no provider, or describes itself as another one.
    NoProvider {
        /// The host that was asked.
        host: String,
    },
    /// It names no place for this way to sign in.
    NotOffered {
        /// Its host.
        host: String,
    },
    /// It doesn't want us, or not so.
    Refused {
        /// Its host.
        host: String,
        /// What it says of it.
        said: String,
    },
    /// Nobody has signed in yet, or the sign-in is over.
    SignIn {
        /// The provider's host.
        host: String,
    },
    /// No port of this machine is free for the browser to come back to.
    NoPort,
    /// The person said no.
    Declined,
    /// The person took too long.
    TooLate,
}

impl Failure {
    /// Whether it is the provider's, or that of how it is set up: no sign-in mends it.
    pub fn is_the_providers(&self) -> bool {
        match self {
            Self::NoProvider { .. } | Self::NotOffered { .. } | Self::Refused { .. } => true,
            Self::Away { .. } | Self::SignIn { .. } | Self::NoPort | Self::Declined | Self::TooLate => false,
        }
    }

    /// What is wrong, and how to mend it. `why` tells a cause in these words.
    pub fn told(&self, words: Words, why: impl Fn(&Cause) -> String) -> String {
        match self {
            Self::Away { host, why: cause } => words.oauth_away(&why(cause), host),
            Self::NoProvider { host } => words.oauth_no_provider(host),
            Self::NotOffered { host } => words.oauth_not_offered(host),
            Self::Refused { host, said } => words.oauth_refused(host, said),
            Self::SignIn { host } => words.oauth_sign_in(host),
            Self::NoPort => words.oauth_no_port(),
            Self::Declined => words.oauth_declined(),
            Self::TooLate => words.oauth_too_late(),
        }
    }
}

/// What an answer of the provider that gives no token means.
pub(crate) fn of<T: ErrorResponse + 'static>(
    host: &str,
    error: RequestTokenError<Unanswered, T>,
    refused: impl Fn(T) -> Option<Failure>,
) -> Failure {
    let host = host.to_owned();
    match error {
        RequestTokenError::Request(Unanswered(why)) => Failure::Away { host, why: Box::new(why) },
        RequestTokenError::ServerResponse(response) => {
            let said = plain(&response.to_string());
            refused(response).unwrap_or(Failure::Refused { host, said })
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Failure::NoProvider { host },
    }
}
