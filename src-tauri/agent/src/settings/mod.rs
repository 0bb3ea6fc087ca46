//! The settings file: one TOML file that the user and the window write and the agent reads.
//!
//! [`load`] reads it at the start, [`watch()`] again after every edit. What comes out is typed and checked:
//! whoever holds [`Settings`] needs no further look at the file. A wrong file gives a [`SettingsError`]
//! with file, line, column and the mend; the caller then keeps the last good settings. No secret ever stands
//! in the file, only where to find one ([`CredentialSource`]).

mod channel;
mod edit;
#[cfg(test)]
mod edit_tests;
mod error;
mod file;
mod parse;
mod place;
mod table;
#[cfg(test)]
mod tests;
mod watch;
mod write;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_channel::{Backoff, ChannelUrl, Config, Heartbeat, Liveness, ProxyUrl, TakeBack};
use tidings_inbox::{ChannelProfile, Condition, Mapping, Policy, QuietHours, Rule, Show};
use tidings_words::{Text, Words};
use url::Url;

pub(crate) use error::{SettingsError, short};
pub(crate) use file::{SettingsFile, keep, usable};
pub(crate) use parse::parse;
pub(crate) use table::{is_credential, looks_secret};
pub(crate) use watch::{Edited, Look, watch};
pub(crate) use write::{WriteError, write};

use crate::credential::{Auth, CredentialSource, in_utf8};
use crate::reason::{self, SystemError};

/// Largest settings file taken, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Everything that the settings file says, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// `language`: of the tray, popups and window.
    pub(crate) language: Language,
    /// `theme`: of the window.
    pub(crate) theme: Theme,
    /// `start_at_login`, default false.
    pub(crate) start_at_login: bool,
    /// `[notifications]`.
    pub(crate) notifications: NotificationSettings,
    /// `[inbox]`.
    pub(crate) inbox: InboxSettings,
    /// Each `[[channel]]`, in the file's order.
    pub(crate) channels: Vec<ChannelSettings>,
}

/// `language`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// `auto`: the system's.
    #[default]
    Auto,
    /// `en`.
    English,
    /// `zh-CN`.
    SimplifiedChinese,
}

impl Language {
    /// Those of the language in force.
    pub(crate) fn words(self) -> Words {
        Words::of(match self {
            Self::Auto => tidings_words::Language::of_system(),
            Self::English => tidings_words::Language::English,
            Self::SimplifiedChinese => tidings_words::Language::SimplifiedChinese,
        })
    }
}

/// `theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// `auto`: the system's.
    #[default]
    Auto,
    /// `light`.
    Light,
    /// `dark`.
    Dark,
}

impl Theme {
    /// Its word in the file, and in the contract with the window.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// `[notifications]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotificationSettings {
    /// `burst`: popups at once, default 5.
    pub(crate) burst: u32,
    /// `refill`: one more popup allowed every so often, default 2 s.
    pub(crate) refill: Duration,
    /// `down_after`: tell once when a channel has been down this long, default 10 min.
    pub(crate) down_after: Duration,
    /// `quiet_hours`: no popups then; default none.
    pub(crate) quiet_hours: Vec<QuietHours>,
    /// `critical_breaks_quiet`: critical messages pop up all the same, default true.
    pub(crate) critical_breaks_quiet: bool,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            burst: 5,
            refill: Duration::from_secs(2),
            down_after: Duration::from_secs(600),
            quiet_hours: Vec::new(),
            critical_breaks_quiet: true,
        }
    }
}

/// `[inbox]`: what is kept; the stricter limit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InboxSettings {
    /// `keep_days`, default 90.
    pub(crate) keep_days: u32,
    /// `keep_messages`, default 100,000.
    pub(crate) keep_messages: u32,
}

impl Default for InboxSettings {
    fn default() -> Self {
        Self { keep_days: 90, keep_messages: 100_000 }
    }
}

/// One `[[channel]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelSettings {
    /// `id`, unique: letters, digits, `-`, `_` and `.`. Default: from the name, lower case, with a `-` for each run of
    /// other characters ("My Orders!" is `my-orders`).
    pub(crate) id: String,
    /// `name`. Default: the URL's host.
    pub(crate) name: String,
    /// `url`; holds no secret.
    pub(crate) url: ChannelUrl,
    /// `enabled`: connect at start, default true.
    pub(crate) enabled: bool,
    /// Where the secret is: `token_command`, `token_file` or `token_env`; else the keyring.
    pub(crate) credential: CredentialSource,
    /// `auth`: where the secret goes in the upgrade request, default bearer.
    pub(crate) auth: Auth,
    /// `show`: how much of a message a popup tells, default all.
    pub(crate) show: Show,
    /// `headers`: further headers of the upgrade request.
    pub(crate) headers: Vec<(String, String)>,
    /// `proxy`: `http`, `socks5` or `socks5h`, without a password.
    pub(crate) proxy: Option<Url>,
    /// `ca_file`: further certificate authorities, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// `client_cert` and `client_key`.
    pub(crate) client_cert: Option<ClientCert>,
    /// `resume`: query parameter that carries the last message id; default none.
    pub(crate) resume: Option<String>,
    /// `quiet_close_codes`: close codes that mean *replaced*, default 4500.
    pub(crate) quiet_close_codes: BTreeSet<u16>,
    /// `take_back_after`: take over again by itself (R1); `None`: never, the default.
    pub(crate) take_back_after: Option<TakeBack>,
    /// `ignore`: exact texts that are protocol noise, default `HeartBeat`, `ping`, `pong` and the empty one.
    pub(crate) ignore: Vec<String>,
    /// `ignore_when`: what this is true of is noise as well; default none.
    pub(crate) ignore_when: Option<Condition>,
    /// `[channel.heartbeat]`.
    pub(crate) heartbeat: Heartbeat,
    /// `[channel.liveness]`.
    pub(crate) liveness: Liveness,
    /// `[channel.backoff]`. A default gives way to what is set: `cap = "500ms"` alone lowers `first` to that as well.
    pub(crate) backoff: Backoff,
    /// `[channel.mapping]`: fields not named are read by the default mapping.
    pub(crate) mapping: Mapping,
    /// Each `[[channel.rule]]`, first match wins.
    pub(crate) rules: Vec<Rule>,
}

/// `client_cert` and `client_key`, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCert {
    /// The certificate chain.
    pub(crate) chain: PathBuf,
    /// The private key; by default in the same file.
    pub(crate) key: PathBuf,
}

impl Settings {
    /// Every file that is named, for a secret or a certificate.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.channels
            .iter()
            .flat_map(|channel| channel.token_file().into_iter().chain(channel.certificates()))
    }

    /// What the inbox keeps to.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            burst: self.notifications.burst,
            refill: self.notifications.refill,
            quiet_hours: self.notifications.quiet_hours.clone(),
            critical_breaks_quiet: self.notifications.critical_breaks_quiet,
            keep_days: self.inbox.keep_days,
            keep_messages: self.inbox.keep_messages,
        }
    }
}

impl ChannelSettings {
    /// The file that holds its secret.
    pub(crate) fn token_file(&self) -> Option<&Path> {
        match &self.credential {
            CredentialSource::File(file) => Some(file),
            CredentialSource::None
            | CredentialSource::Env(_)
            | CredentialSource::Command(_)
            | CredentialSource::Keyring => None,
        }
    }

    /// The files of its certificates and their key.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = &Path> {
        let own = self.client_cert.iter().flat_map(|cert| [cert.chain.as_path(), &cert.key]);
        self.ca_file.as_deref().into_iter().chain(own)
    }

    /// What the connection needs. Reads `ca_file`, `client_cert` and `client_key`, and the environment's proxy
    /// where none is set.
    ///
    /// # Errors
    /// One of the files can't be read or used, or the environment names no usable proxy.
    pub(crate) fn config(&self) -> Result<Config, CaFileError> {
        let read = |key: &'static str, file: &Path| {
            let told = |why: Unreadable| {
                let file = short(file);
                let message = Text::settings_file_unreadable(&file.display(), &key, &why.text());
                CaFileError { key, message }
            };
            // The mark of a text file would hide the first certificate.
            bytes(file).map(|bytes| in_utf8(&bytes).into_owned()).map_err(told)
        };
        let ca_pem = self.ca_file.as_deref().map(|file| read("ca_file", file)).transpose()?;
        let client_cert = match &self.client_cert {
            Some(ClientCert { chain, key }) => {
                let pair = (read("client_cert", chain)?, read("client_key", key)?);
                let cert = tidings_channel::ClientCert::from_pem(&pair.0, &pair.1);
                Some(cert.map_err(|why| {
                    let message =
                        Text::settings_cert_unusable(&short(chain).display(), &reason::of_cert(&why));
                    CaFileError { key: "client_cert", message }
                })?)
            }
            None => None,
        };
        let proxy = match &self.proxy {
            Some(url) => ProxyUrl::parse(url.as_str()).map(Some),
            None => ProxyUrl::from_env(&self.url, |name| std::env::var(name).ok()),
        };
        let mut config = Config::new(self.url.clone());
        config.heartbeat = self.heartbeat.clone();
        config.liveness = self.liveness;
        config.backoff = self.backoff;
        config.quiet_close_codes = self.quiet_close_codes.clone();
        config.take_back_after = self.take_back_after;
        config.ca_pem = ca_pem;
        config.client_cert = client_cert;
        config.proxy = proxy.map_err(|why| CaFileError { key: "proxy", message: reason::of_proxy(&why) })?;
        Ok(config)
    }

    /// What the inbox needs.
    pub(crate) fn profile(&self) -> ChannelProfile {
        ChannelProfile {
            id: self.id.clone(),
            name: self.name.clone(),
            ignore: self.ignore.clone(),
            ignore_when: self.ignore_when.clone(),
            show: self.show,
            mapping: self.mapping.clone(),
            rules: self.rules.clone(),
        }
    }

    /// Whether going from `self` to `other` needs a new link: where it goes, who it is there or the connection's
    /// numbers changed. Everything else is taken up while the link stays.
    pub(crate) fn link_differs(&self, other: &Self) -> bool {
        // Taken apart, so that a new setting has to be sorted into one of the two kinds.
        let Self {
            id,
            url,
            credential,
            auth,
            headers,
            proxy,
            ca_file,
            client_cert,
            resume,
            quiet_close_codes,
            take_back_after,
            heartbeat,
            liveness,
            backoff,
            name: _,
            enabled: _,
            show: _,
            ignore: _,
            ignore_when: _,
            mapping: _,
            rules: _,
        } = self;
        *id != other.id
            || *url != other.url
            || *credential != other.credential
            || *auth != other.auth
            || *headers != other.headers
            || *proxy != other.proxy
            || *ca_file != other.ca_file
            || *client_cert != other.client_cert
            || *resume != other.resume
            || *quiet_close_codes != other.quiet_close_codes
            || *take_back_after != other.take_back_after
            || *heartbeat != other.heartbeat
            || *liveness != other.liveness
            || *backoff != other.backoff
    }
}

/// What a channel's connection needs can't be read or used: `ca_file`, `client_cert`, a proxy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CaFileError {
    /// The channel's key that it is about.
    pub(crate) key: &'static str,
    message: Text,
}

impl CaFileError {
    /// What, and how to mend it.
    pub(crate) fn text(&self) -> &Text {
        &self.message
    }

    /// The same, in these words.
    pub(crate) fn told(&self, words: Words) -> String {
        self.message.said(words)
    }
}

/// Reads the settings file. One that does not exist is the defaults: no channels.
pub(crate) fn load(file: &Path) -> Result<Settings, SettingsError> {
    read(file, &content(file))
}

/// The words of the language that the settings file asks for; the system's, where it can't be read.
pub(crate) fn words(file: &Path) -> Words {
    load(file).map_or(Language::Auto, |settings| settings.language).words()
}

/// What a settings file holds; `None` when it does not exist. Comparable, to tell an edit from a touch.
pub(crate) type Content = Result<Option<Vec<u8>>, Unreadable>;

/// Why a file can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    NotAFile,
    TooLarge,
    System(SystemError),
}

impl Unreadable {
    fn text(self) -> Text {
        match self {
            Self::NotAFile => Text::settings_not_a_file(),
            Self::TooLarge => Text::settings_too_large(),
            Self::System(error) => error.text(),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::System((&error).into())
    }
}

fn content(file: &Path) -> Content {
    match bytes(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Unreadable::System(error)) if error.kind == io::ErrorKind::NotFound => Ok(None),
        Err(unreadable) => Err(unreadable),
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, Unreadable> {
    // Looked at before the open: opening a pipe would wait for its writer.
    if !std::fs::metadata(file)?.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let mut bytes = Vec::new();
    let mut limited = io::Read::take(std::fs::File::open(file)?, LARGEST_FILE + 1);
    io::Read::read_to_end(&mut limited, &mut bytes)?;
    match bytes.len() as u64 > LARGEST_FILE {
        true => Err(Unreadable::TooLarge),
        false => Ok(bytes),
    }
}

fn read(file: &Path, content: &Content) -> Result<Settings, SettingsError> {
    let (message, mend) = match content {
        Ok(Some(bytes)) => return parse(bytes, file),
        Ok(None) => return Ok(Settings::default()),
        Err(why @ Unreadable::NotAFile) => (why.text(), Text::settings_mend_not_a_file()),
        Err(why @ Unreadable::TooLarge) => (why.text(), Text::settings_mend_too_large()),
        Err(Unreadable::System(error)) if error.kind == io::ErrorKind::PermissionDenied => {
            (Text::settings_no_permission(), Text::settings_mend_permission())
        }
        Err(why @ Unreadable::System(_)) => {
            (Text::settings_unreadable(&why.text()), Text::settings_mend_disk())
        }
    };
    Err(SettingsError { file: file.to_owned(), position: None, key: None, message, mend })
}
