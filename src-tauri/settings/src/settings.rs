//! What the settings say, once they are read: types that hold no nonsense.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidings_api::ChannelKind;
use tidings_channel::{
    Backoff, Carrier, ChannelUrl, Config, Heartbeat, Liveness, Mqtt, ProxyUrl, Site, TakeBack,
};
use tidings_dialect::{Dialect, Dialogue};
use tidings_ground::paths::short;
use tidings_inbox::{ChannelProfile, Condition, Format, Mapping, Policy, QuietHours, Reads, Rule, Show};
use tidings_words::{Text, Words};
use url::Url;

use crate::content::{Unreadable, bytes};
use crate::reason;
use crate::secret::credential::Credentials;
use crate::secret::oauth::SignIn;
use crate::secret::session::SessionJar;
use crate::secret::signed_in_by::SignedInBy;
use crate::secret::source::{Auth, CredentialSource};
use crate::secret::text::in_utf8;

/// Everything that the settings file says, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `language`: of the tray, popups and window.
    pub language: Language,
    /// `theme`: of the window.
    pub theme: Theme,
    /// `start_at_login`, default false.
    pub start_at_login: bool,
    /// `[notifications]`.
    pub notifications: NotificationSettings,
    /// `[inbox]`.
    pub inbox: InboxSettings,
    /// Each `[[channel]]`, in the file's order.
    pub channels: Vec<ChannelSettings>,
}

/// `language`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
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
    pub fn words(self) -> Words {
        Words::of(match self {
            Self::Auto => tidings_words::Language::of_system(),
            Self::English => tidings_words::Language::English,
            Self::SimplifiedChinese => tidings_words::Language::SimplifiedChinese,
        })
    }
}

/// `theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
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
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// `[notifications]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationSettings {
    /// `burst`: popups at once, default 5.
    pub burst: u32,
    /// `refill`: one more popup allowed every so often, default 2 s.
    pub refill: Duration,
    /// `down_after`: tell once when a channel has been down this long, default 10 min.
    pub down_after: Duration,
    /// `quiet_hours`: no popups then; default none.
    pub quiet_hours: Vec<QuietHours>,
    /// `critical_breaks_quiet`: critical messages pop up all the same, default true.
    pub critical_breaks_quiet: bool,
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
pub struct InboxSettings {
    /// `keep_days`, default 90.
    pub keep_days: u32,
    /// `keep_messages`, default 100,000.
    pub keep_messages: u32,
}

impl Default for InboxSettings {
    fn default() -> Self {
        Self { keep_days: 90, keep_messages: 100_000 }
    }
}

/// One `[[channel]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSettings {
    /// `id`, unique: letters, digits, `-`, `_` and `.`. Default: from the name, lower case, with a `-` for each run of
    /// other characters ("My Orders!" is `my-orders`).
    pub id: String,
    /// `name`. Default: the URL's host.
    pub name: String,
    /// `kind`: what is spoken with the server, default recipe.
    pub kind: Kind,
    /// `url`: the server's base for ntfy and Gotify, else where the link goes. Holds no secret.
    pub url: ChannelUrl,
    /// `carrier`: what may carry the link's words, in the order in which it is tried; at least one.
    pub carriers: Vec<Carrier>,
    /// `enabled`: connect at start, default true.
    pub enabled: bool,
    /// Where the secret is: `token_command`, `token_file` or `token_env`; else the keyring.
    pub credential: CredentialSource,
    /// `auth`: where the secret goes in the upgrade request, default bearer.
    pub auth: Auth,
    /// What belongs to `auth = "session"`.
    pub session: Option<Box<Session>>,
    /// `show`: how much of a message a popup tells, default all.
    pub show: Show,
    /// `format`: how bodies are written that don't say it themselves, default plain.
    pub format: Format,
    /// `images`: which of the pictures that messages name are fetched, default none.
    pub images: Images,
    /// `app_icons`: the names and icons of a Gotify server's applications are asked for, default true.
    pub app_icons: bool,
    /// `headers`: further headers of the upgrade request.
    pub headers: Vec<(String, String)>,
    /// `proxy`: `http`, `socks5` or `socks5h`, without a password.
    pub proxy: Option<Url>,
    /// `ca_file`: further certificate authorities, PEM.
    pub ca_file: Option<PathBuf>,
    /// `client_cert` and `client_key`.
    pub client_cert: Option<ClientCert>,
    /// How it sends.
    pub send: Send,
    /// `resume`: query parameter that carries the last message id; default none.
    pub resume: Option<String>,
    /// `quiet_close_codes`: close codes that mean *replaced*, default 4500.
    pub quiet_close_codes: BTreeSet<u16>,
    /// `take_back_after`: take over again by itself (R1); `None`: never, the default.
    pub take_back_after: Option<TakeBack>,
    /// `ignore`: exact texts that are protocol noise, default `HeartBeat`, `ping`, `pong` and the empty one.
    pub ignore: Vec<String>,
    /// `ignore_when`: what this is true of is noise as well; default none.
    pub ignore_when: Option<Condition>,
    /// `[channel.heartbeat]`.
    pub heartbeat: Heartbeat,
    /// `[channel.liveness]`.
    pub liveness: Liveness,
    /// `[channel.backoff]`. A default gives way to what is set: `cap = "500ms"` alone lowers `first` to that as well.
    pub backoff: Backoff,
    /// `[channel.mapping]`: fields not named are read by the default mapping.
    pub mapping: Mapping,
    /// Each `[[channel.rule]]`, first match wins.
    pub rules: Vec<Rule>,
}

/// A session that a sign-in on a web page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `sign_in`: the page that the sign-in begins on, `http` or `https`. Default: the root of the channel's site.
    pub sign_in: Url,
    /// `keep_session`: how often a page is asked for, so that the session lives on; `None`: never, the default.
    pub keep: Option<Duration>,
    /// `keep_session_url`: which. Default: `sign_in`, or the site's root where that is another site's.
    pub keep_url: ChannelUrl,
    /// `sign_out`: what is asked for to end the session.
    pub sign_out: Option<ChannelUrl>,
}

impl Session {
    /// The host that the user signs in at.
    pub fn site(&self) -> &str {
        self.sign_in.host_str().unwrap_or_default()
    }
}

/// `images`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Images {
    /// `never`.
    #[default]
    Never,
    /// `own-server`: those that the channel's own server has.
    OwnServer,
}

/// What sending needs beside the channel itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Send {
    /// `send_url`: where messages go that are neither ntfy's nor Gotify's.
    pub url: Option<ChannelUrl>,
    /// `send_token_command`, `send_token_file` or `send_token_env`: a secret for sending alone.
    pub credential: Option<CredentialSource>,
    /// `send_app`: as which of Gotify's applications a client sends.
    pub app: Option<u32>,
}

/// `kind`, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `recipe`: each frame is a message.
    Recipe,
    /// `ntfy`.
    Ntfy {
        /// `topics`, at least one.
        topics: Vec<String>,
    },
    /// `gotify`.
    Gotify,
    /// `dialogue`: `preset`, `[channel.dialogue]`.
    Dialogue(Arc<Dialogue>),
    /// `sse`: each event is a message.
    Sse,
    /// `mqtt`: `topics`, `client_id`, `session_expiry`.
    Mqtt(Box<Mqtt>),
}

impl Kind {
    /// Its word in contracts.
    pub fn name(&self) -> ChannelKind {
        match self {
            Self::Recipe => ChannelKind::Recipe,
            Self::Ntfy { .. } => ChannelKind::Ntfy,
            Self::Gotify => ChannelKind::Gotify,
            Self::Dialogue(_) => ChannelKind::Dialogue,
            Self::Sse => ChannelKind::Sse,
            Self::Mqtt(_) => ChannelKind::Mqtt,
        }
    }

    /// ntfy's.
    pub fn topics(&self) -> &[String] {
        match self {
            Self::Ntfy { topics } => topics,
            Self::Recipe | Self::Gotify | Self::Dialogue(_) | Self::Sse | Self::Mqtt(_) => &[],
        }
    }

    /// Whether another connection of the same user may take the place of a first one. ntfy, Gotify and streams of events send to
    /// all who listen; a broker knows its clients by their ids, of which each connection draws its own where none is set.
    pub fn may_be_taken_over(&self) -> bool {
        match self {
            Self::Recipe | Self::Dialogue(_) => true,
            Self::Ntfy { .. } | Self::Gotify | Self::Sse => false,
            Self::Mqtt(mqtt) => mqtt.client_id.is_some(),
        }
    }

    /// Where the secret goes, unless `auth` says otherwise.
    pub(crate) fn usual_auth(&self) -> Auth {
        match self {
            Self::Dialogue(dialogue) if dialogue.says("secret") => Auth::Said,
            Self::Recipe
            | Self::Ntfy { .. }
            | Self::Gotify
            | Self::Dialogue(_)
            | Self::Sse
            | Self::Mqtt(_) => Auth::Bearer,
        }
    }
}

/// `client_cert` and `client_key`, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCert {
    /// The certificate chain.
    pub chain: PathBuf,
    /// The private key; by default in the same file.
    pub key: PathBuf,
}

impl Settings {
    /// Every file that is named, for a secret or a certificate.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.channels
            .iter()
            .flat_map(|channel| channel.token_file().into_iter().chain(channel.certificates()))
    }

    /// What the inbox keeps to.
    pub fn policy(&self) -> Policy {
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
    /// Whether the settings hold all that sending needs.
    pub fn sends(&self) -> bool {
        match &self.kind {
            Kind::Ntfy { .. } => true,
            Kind::Gotify => self.send.credential.is_some() || self.send.app.is_some(),
            Kind::Recipe | Kind::Dialogue(_) | Kind::Sse => self.send.url.is_some(),
            Kind::Mqtt(_) => false,
        }
    }

    /// The file that holds its secret.
    pub fn token_file(&self) -> Option<&Path> {
        match &self.credential {
            CredentialSource::File(file) => Some(file),
            CredentialSource::None
            | CredentialSource::Env(_)
            | CredentialSource::Command(_)
            | CredentialSource::Provider(_)
            | CredentialSource::Keyring => None,
        }
    }

    /// Whether a person signs in, and nothing that the settings name gives the secret.
    pub fn is_signed_in_by_hand(&self) -> bool {
        match self.credential {
            CredentialSource::Provider(_) => true,
            CredentialSource::Keyring => self.jar().is_some(),
            CredentialSource::None
            | CredentialSource::Env(_)
            | CredentialSource::File(_)
            | CredentialSource::Command(_) => false,
        }
    }

    /// How its user signs in, where that is done by hand; nobody has yet, as far as is known. `config`: the way to a provider.
    pub fn signed_in_by(&self, config: &Config) -> Option<SignedInBy> {
        match &self.credential {
            CredentialSource::Provider(provider) => {
                Some(SignedInBy::Provider(SignIn::new(&self.id, (**provider).clone(), config.clone())))
            }
            CredentialSource::None
            | CredentialSource::Env(_)
            | CredentialSource::File(_)
            | CredentialSource::Command(_)
            | CredentialSource::Keyring => self.jar().map(SignedInBy::Session),
        }
    }

    /// The files of its certificates and their key.
    pub fn certificates(&self) -> impl Iterator<Item = &Path> {
        let own = self.client_cert.iter().flat_map(|cert| [cert.chain.as_path(), &cert.key]);
        self.ca_file.as_deref().into_iter().chain(own)
    }

    /// Fetches its secret, and keeps it. `config`: the way to a provider that it signs in at.
    pub fn credentials(&self, config: &Config) -> Credentials {
        let credentials = Credentials::new(&self.id, self.credential.clone(), self.auth.clone());
        credentials.signed_in_by(self.signed_in_by(config))
    }

    /// The session's jar, empty yet, where it signs in as a web app does.
    pub fn jar(&self) -> Option<SessionJar> {
        let session = self.session.as_ref()?;
        let also = std::iter::once(&session.keep_url).chain(&session.sign_out).cloned();
        Some(SessionJar::new(&self.id, self.link_url(), also, session.site()))
    }

    /// The address of the link.
    pub fn link_url(&self) -> ChannelUrl {
        let path = match &self.kind {
            Kind::Recipe | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_) => return self.url.clone(),
            Kind::Ntfy { topics } => ntfy_path(topics, Carrier::WebSocket),
            Kind::Gotify => format!("{}/stream", self.base()),
        };
        self.url.at(&path)
    }

    /// The path of its server's base, which may be a folder; without a slash at its end.
    pub fn base(&self) -> &str {
        let path = self.url.as_url().path().trim_end_matches('/');
        match &self.kind {
            // Who pastes the link's own address means its server.
            Kind::Gotify => path.strip_suffix("/stream").unwrap_or(path),
            Kind::Recipe | Kind::Ntfy { .. } | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_) => path,
        }
    }

    /// The address for people: a web server's where the link's own follows from it.
    pub fn shown_url(&self) -> String {
        match &self.kind {
            Kind::Recipe | Kind::Dialogue(_)
                if self.carriers.first().is_some_and(|first| first.is_sockjs()) =>
            {
                self.url.to_string().replacen("ws", "http", 1)
            }
            Kind::Recipe | Kind::Dialogue(_) | Kind::Mqtt(_) => self.url.to_string(),
            // Its query is hidden there.
            Kind::Ntfy { .. } | Kind::Gotify | Kind::Sse => self.url.to_string().replacen("ws", "http", 1),
        }
    }

    /// What the connection needs. Reads `ca_file`, `client_cert` and `client_key`, and the environment's proxy
    /// where none is set.
    ///
    /// # Errors
    /// One of the files can't be read or used, or the environment names no usable proxy.
    pub fn config(&self) -> Result<Config, CaFileError> {
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
        let mut config = Config::new(self.link_url());
        config.dialect = match &self.kind {
            Kind::Recipe | Kind::Gotify | Kind::Sse | Kind::Mqtt(_) => Dialect::Plain,
            Kind::Ntfy { .. } => Dialect::Ntfy,
            Kind::Dialogue(dialogue) => Dialect::Dialogue(dialogue.clone()),
        };
        if let Some((carrier, fallbacks)) = self.carriers.split_first() {
            (config.carrier, config.fallbacks) = (*carrier, fallbacks.to_vec());
        }
        if let Kind::Mqtt(asked) = &self.kind {
            config.mqtt = Some(asked.clone());
        }
        config.heartbeat = self.heartbeat.clone();
        config.liveness = self.liveness;
        config.backoff = self.backoff;
        config.quiet_close_codes = self.quiet_close_codes.clone();
        config.take_back_after = self.take_back_after;
        config.ca_pem = ca_pem;
        config.client_cert = client_cert;
        config.session = self.session.as_ref().map(|session| {
            let origin = session.sign_in.origin().ascii_serialization();
            Box::new(Site { host: session.site().to_owned(), origin })
        });
        config.proxy = proxy.map_err(|why| CaFileError { key: "proxy", message: reason::of_proxy(&why) })?;
        Ok(config)
    }

    /// What the inbox needs.
    pub fn profile(&self) -> ChannelProfile {
        ChannelProfile {
            id: self.id.clone(),
            name: self.name.clone(),
            ignore: self.ignore.clone(),
            ignore_when: self.ignore_when.clone(),
            show: self.show,
            format: self.format,
            reads: match self.kind {
                Kind::Recipe | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_) => Reads::Usual,
                Kind::Ntfy { .. } => Reads::Ntfy,
                Kind::Gotify => Reads::Gotify,
            },
            several_topics: matches!(&self.kind, Kind::Ntfy { topics } if topics.len() > 1),
            mapping: self.mapping.clone(),
            rules: self.rules.clone(),
        }
    }

    /// Whether going from `self` to `other` needs a new link: where it goes, who it is there or the connection's
    /// numbers changed. Everything else is taken up while the link stays.
    pub fn link_differs(&self, other: &Self) -> bool {
        // Taken apart, so that a new setting has to be sorted into one of the two kinds.
        let Self {
            id,
            kind,
            url,
            carriers,
            credential,
            auth,
            session,
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
            format: _,
            images: _,
            app_icons: _,
            send: _,
            ignore: _,
            ignore_when: _,
            mapping: _,
            rules: _,
        } = self;
        *id != other.id
            || *kind != other.kind
            || *url != other.url
            || *carriers != other.carriers
            || *credential != other.credential
            || *auth != other.auth
            || *session != other.session
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

/// Where ntfy sends what comes to these topics.
pub fn ntfy_path(topics: &[String], carrier: Carrier) -> String {
    let how = match carrier {
        Carrier::EventStream => "sse",
        Carrier::Lines => "json",
        // It has no others.
        Carrier::WebSocket
        | Carrier::Mqtt
        | Carrier::SockJs
        | Carrier::SockJsStreaming
        | Carrier::SockJsPolling => "ws",
    };
    format!("/{}/{how}", topics.join(","))
}

/// What a channel's connection needs can't be read or used: `ca_file`, `client_cert`, a proxy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct CaFileError {
    /// The channel's key that it is about.
    pub key: &'static str,
    message: Text,
}

impl CaFileError {
    /// What, and how to mend it.
    pub fn text(&self) -> &Text {
        &self.message
    }

    /// The same, in these words.
    pub fn told(&self, words: Words) -> String {
        self.message.said(words)
    }
}
