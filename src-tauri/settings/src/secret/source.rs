//! Where a channel's secret is, what it is for, and why it can't be had.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use tidings_channel::{Cause, Credential};
use tidings_ground::paths::short;
use tidings_ground::reason::SystemError;
use tidings_oauth::{Failure, Provider};
use tidings_words::{Text, Words};

use super::keyring::KeyringError;

/// Where a channel's secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// Nowhere: the channel needs none.
    None,
    /// `token_env`: this environment variable.
    Env(String),
    /// `token_file`: this file, trimmed.
    File(PathBuf),
    /// `token_command`: the first line that this shell command writes, trimmed.
    Command(String),
    /// The keyring, if it has one for this channel.
    Keyring,
    /// `[channel.oauth]`: a provider at which the user signs in.
    Provider(Box<Provider>),
}

impl CredentialSource {
    /// What names it.
    pub fn key(&self) -> &'static str {
        match self {
            Self::None => "auth = \"none\"",
            Self::Env(_) => "token_env",
            Self::File(_) => "token_file",
            Self::Command(_) => "token_command",
            Self::Keyring => "keyring",
            Self::Provider(_) => "oauth",
        }
    }
}

/// `auth`: where the secret goes in the upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nowhere.
    None,
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`, the secret being the password.
    Basic {
        /// User name; no colon, no control character.
        username: String,
    },
    /// A header of this name.
    Header {
        /// Header name.
        name: String,
    },
    /// A query parameter of this name.
    Query {
        /// Parameter name.
        name: String,
    },
    /// A cookie of this name.
    Cookie {
        /// Cookie name.
        name: String,
    },
    /// All cookies of a session that a web page's sign-in began.
    Session,
    /// Nowhere in the request: the dialogue says it.
    Said,
}

impl Auth {
    pub(super) fn with(&self, secret: String) -> Option<Credential> {
        Some(match self.clone() {
            // A session's jar is read by itself.
            Self::None | Self::Session => return None,
            Self::Bearer => Credential::Bearer(secret),
            Self::Basic { username } => Credential::Basic { username, password: secret },
            Self::Header { name } => Credential::Header { name, value: secret },
            Self::Query { name } => Credential::Query { name, value: secret },
            Self::Cookie { name } => Credential::Cookie { name, value: secret },
            Self::Said => Credential::Said(secret),
        })
    }
}

/// Why a secret could not be fetched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CredentialError {
    /// The variable is not set, or empty.
    Env(String),
    /// The file can't be read.
    File {
        /// The file.
        file: PathBuf,
        /// What the system says; `None`: it is not a file.
        why: Option<SystemError>,
    },
    /// The command could not be started or waited for.
    Start(SystemError),
    /// The command took too long and was killed.
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// The command said that it failed.
    Failed {
        /// Its exit code or signal.
        status: ExitStatus,
        /// The start of what it wrote to its standard error.
        complaint: String,
    },
    /// The keyring can't give it just now.
    Keyring(#[from] KeyringError),
    /// The provider gives no token.
    Provider(Failure),
    /// There is a source, but no secret in it.
    Empty(&'static str),
    /// There is too much in the source.
    TooLarge(&'static str),
    /// Not text, or with control characters, which no request can carry, or with marks that nobody sees.
    Unusable(&'static str),
    /// Neither a jar of cookies nor a `Cookie` header.
    NoCookies(&'static str),
    /// Nobody has signed in yet, at this host.
    NotSignedIn(String),
}

impl CredentialError {
    /// What stands in the way, where nobody has to mend anything.
    pub(super) fn cause(&self) -> Option<Cause> {
        let Self::Provider(Failure::Away { host, why }) = self else { return None };
        Some(Cause::ProviderAway { host: host.clone(), why: why.clone() })
    }

    /// What is wrong with the source, and how to mend it.
    pub fn told(&self, words: Words) -> String {
        match self {
            Self::Env(name) => words.credential_env(name),
            Self::File { file, why } => {
                let why = match why {
                    Some(why) => why.text(),
                    None => Text::credential_not_a_file(),
                };
                words.credential_file(&short(file).display(), &why)
            }
            Self::Start(why) => words.credential_start(&why.text()),
            Self::TimedOut { limit } => words.credential_timed_out(&format_args!("{limit:?}")),
            Self::Failed { status, complaint } if complaint.is_empty() => {
                words.credential_failed(&told_status(*status, words))
            }
            Self::Failed { status, complaint } => {
                words.credential_failed_saying(complaint, &told_status(*status, words))
            }
            Self::Keyring(error) => error.told(words),
            // The log's words.
            Self::Provider(failure) => failure.told(words, ToString::to_string),
            Self::Empty(source) => words.credential_empty(source),
            Self::TooLarge(source) => words.credential_too_large(source),
            Self::Unusable(source) => words.credential_unusable(source),
            Self::NoCookies(source) => words.credential_no_cookies(source),
            Self::NotSignedIn(site) => words.credential_not_signed_in(site),
        }
    }
}

/// How a command ended.
fn told_status(status: ExitStatus, words: Words) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return words.credential_signal(&signal);
    }
    words.credential_exit_code(&status.code().unwrap_or_default())
}

/// For the log.
impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Words::default()))
    }
}
