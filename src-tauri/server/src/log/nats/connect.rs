//! The way into NATS, and what it has to be like: told in words at the start, not by pushes that fail later.

use std::{
    error::Error as _,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr,
    jetstream::{
        self, Context, ErrorCode,
        context::{CreateStreamErrorKind, GetStreamErrorKind},
        stream::{Config, DiscardPolicy, Republish, StorageType, Stream},
    },
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::{
    entry::{REPUBLISHED, STREAM, SUBJECTS},
    health::ANSWER,
};
use crate::log::item::Keep;

/// The oldest NATS that has all that is needed, and is tried with.
const OLDEST: (u64, u64) = (2, 9);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// For how long the same push once more is known. Too low: one that is tried again comes twice; too high: memory of NATS.
const WINDOW: Duration = Duration::from_secs(120);
/// On how many servers of a cluster each message is. With three, one may be lost.
const REPLICAS: usize = 3;
/// The longest pause before a server is tried again.
const RECONNECT: Duration = Duration::from_secs(2);

/// Where NATS is, and what it keeps for us.
#[derive(Debug, Clone, Default)]
pub struct Nats {
    /// Its address, or several with commas between them: `nats://a:4222,nats://b:4222`.
    pub url: String,
    /// A file with what lets us in: a `.creds` file, a user and a password, or a token.
    pub credentials: Option<PathBuf>,
    /// A file with the certificates of the authority that signed its own, as PEM. With it, TLS is a must.
    pub ca: Option<PathBuf>,
    /// On how many of its servers each message is; `None`: on three, or on the only one.
    pub replicas: Option<usize>,
    /// How long to wait at the start for a NATS that starts, too.
    pub wait: Duration,
    /// How many bytes all messages may take; then the oldest go. `None`: as many as there is room for.
    pub max_bytes: Option<u64>,
}

/// Why a server can't work with this NATS.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// No address, or a wrong one.
    #[error(
        "{0:?} is no address of NATS: nats://HOST:4222, tls://HOST:4222, or several with commas between them"
    )]
    Address(String),
    /// A file can't be read.
    #[error("cannot read {}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The file of credentials holds none.
    #[error(
        "{} holds no credentials for NATS: it may be a .creds file, a line with a user, a space and a password, or a \
         line with a token",
        .0.display()
    )]
    Credentials(PathBuf),
    /// Nobody answers.
    #[error("NATS at {url} can't be reached: {why}")]
    Unreachable {
        /// The address asked for.
        url: String,
        /// What was seen.
        why: String,
    },
    /// It isn't to be trusted.
    #[error(
        "NATS at {0} has a certificate that is not to be trusted: name the authority that signed it (--nats-ca)"
    )]
    Untrusted(String),
    /// It is not encrypted.
    #[error(
        "NATS at {0} speaks no TLS, which --nats-ca and tls:// want: set up its certificate, or do without them"
    )]
    NoTls(String),
    /// It doesn't let us in.
    #[error("NATS at {url} refuses us: {}", if *.given { "the credentials are wrong (--nats-credentials)" } else { "it wants credentials (--nats-credentials)" })]
    Refused {
        /// The address.
        url: String,
        /// Credentials were sent.
        given: bool,
    },
    /// It can't do what is needed.
    #[error("NATS at {url} is {version}: {}.{} or newer is needed", OLDEST.0, OLDEST.1)]
    TooOld {
        /// The address.
        url: String,
        /// Its version.
        version: String,
    },
    /// It keeps nothing.
    #[error("NATS at {url} has no JetStream{}", if *.account { " for this account: enable it there" } else { ": start it with -js, or with a jetstream block in its settings" })]
    NoJetStream {
        /// The address.
        url: String,
        /// It has it for others.
        account: bool,
    },
    /// A cluster without enough of its servers.
    #[error("NATS at {url} keeps nothing at the moment, since too few of its servers are there: {why}")]
    NoQuorum {
        /// The address.
        url: String,
        /// What it said.
        why: String,
    },
    /// Another's stream.
    #[error("the stream {STREAM} at NATS was not made by tidings-server: it {0}")]
    Foreign(&'static str),
    /// The connection broke right away.
    #[error("the connection to NATS was lost")]
    Lost,
}

/// A NATS that will do.
pub(super) struct Joined {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) stream: Stream,
    /// The number of the last entry.
    pub(super) last: u64,
    /// When the stream was made.
    pub(super) created: SystemTime,
    pub(super) events: mpsc::UnboundedReceiver<Event>,
}

/// Connects, and makes the stream where it isn't there.
pub(super) async fn join(options: &Nats, keep: Keep) -> Result<Joined, NatsError> {
    let url = shown(&options.url);
    let deadline = Instant::now() + options.wait;
    let (client, events) = loop {
        match connect(options, &url).await {
            Err(error @ NatsError::Unreachable { .. }) if Instant::now() < deadline => {
                tracing::warn!("{error}; trying again");
                sleep(PAUSE * 4).await;
            }
            connected => break connected?,
        }
    };
    let version = client.server_info().version;
    if !is_new_enough(&version) {
        return Err(NatsError::TooOld { url, version });
    }
    let context = jetstream::ContextBuilder::new().timeout(ANSWER).ack_timeout(ANSWER).build(client.clone());
    let stream = loop {
        match stream(&context, options, keep, &url).await {
            Err(error @ (NatsError::NoQuorum { .. } | NatsError::NoJetStream { account: false, .. }))
                if Instant::now() < deadline && !matches!(error, NatsError::NoJetStream { .. }) =>
            {
                tracing::warn!("{error}; trying again");
                sleep(PAUSE * 4).await;
            }
            made => break made?,
        }
    };
    let (last, created) = loop {
        match stream.get_info().await {
            Ok(info) => break (info.state.last_sequence, info.created.into()),
            Err(error) if Instant::now() > deadline => {
                return Err(NatsError::NoQuorum { url, why: error.to_string() });
            }
            Err(_) => sleep(PAUSE).await,
        }
    };
    tracing::info!(version, stream = STREAM, "joined NATS at {url}");
    Ok(Joined { client, context, stream, last, created, events })
}

async fn connect(options: &Nats, url: &str) -> Result<(Client, mpsc::UnboundedReceiver<Event>), NatsError> {
    let addresses: Vec<ServerAddr> = options
        .url
        .split(',')
        .map(|one| one.trim().parse().map_err(|_| NatsError::Address(shown(one))))
        .collect::<Result<_, _>>()?;
    let (tell, events) = mpsc::unbounded_channel();
    let mut connecting = ConnectOptions::new()
        .name("tidings-server")
        .connection_timeout(ANSWER)
        // A cut line is to be noticed as fast as by links.
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(|tries| {
            let tries = u32::try_from(tries).unwrap_or(u32::MAX);
            (PAUSE * tries.saturating_sub(1).min(8)).min(RECONNECT)
        })
        .event_callback(move |event| {
            let _ = tell.send(event);
            async {}
        });
    if let Some(ca) = &options.ca {
        readable(ca)?;
        connecting = connecting.add_root_certificates(ca.clone()).require_tls(true);
    }
    if let Some(path) = &options.credentials {
        connecting = with_credentials(connecting, path)?;
    }
    let given = options.credentials.is_some();
    match timeout(ANSWER * 3, connecting.connect(addresses)).await {
        Ok(Ok(client)) => Ok((client, events)),
        // What TLS finds wrong comes as what was read and makes no sense.
        Ok(Err(error))
            if error
                .source()
                .and_then(|source| source.downcast_ref::<io::Error>())
                .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) =>
        {
            let is_about_it = error.source().is_some_and(|source| source.to_string().contains("certificate"));
            Err(if is_about_it {
                NatsError::Untrusted(url.to_owned())
            } else {
                NatsError::NoTls(url.to_owned())
            })
        }
        Ok(Err(error)) => Err(match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                NatsError::Refused { url: url.to_owned(), given }
            }
            ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Tls
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {
                NatsError::Unreachable { url: url.to_owned(), why: error.to_string() }
            }
        }),
        Err(_) => Err(NatsError::Unreachable { url: url.to_owned(), why: "no answer".to_owned() }),
    }
}

fn readable(path: &Path) -> Result<String, NatsError> {
    fs::read_to_string(path).map_err(|why| NatsError::File { path: path.to_owned(), why })
}

/// By the kind that the file holds.
fn with_credentials(connecting: ConnectOptions, path: &Path) -> Result<ConnectOptions, NatsError> {
    let text = readable(path)?;
    let none = || NatsError::Credentials(path.to_owned());
    if text.contains("-----BEGIN NATS USER JWT-----") {
        return connecting.credentials(&text).map_err(|_| none());
    }
    match &text.split_whitespace().collect::<Vec<_>>()[..] {
        [token] => Ok(connecting.token((*token).to_owned())),
        [user, password] => Ok(connecting.user_and_password((*user).to_owned(), (*password).to_owned())),
        _ => Err(none()),
    }
}

/// An address without what is secret in it.
fn shown(url: &str) -> String {
    let bare = |one: &str| match (one.split_once("://"), one.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => one.to_owned(),
    };
    url.split(',').map(|one| bare(one.trim())).collect::<Vec<_>>().join(",")
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split(['.', '-']).map_while(|part| part.parse::<u64>().ok());
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= OLDEST
}

/// The stream, made if need be.
async fn stream(context: &Context, options: &Nats, keep: Keep, url: &str) -> Result<Stream, NatsError> {
    let failed = |code: Option<ErrorCode>, why: String| match code {
        Some(ErrorCode::JETSTREAM_NOT_ENABLED) => {
            NatsError::NoJetStream { url: url.to_owned(), account: false }
        }
        Some(ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT) => {
            NatsError::NoJetStream { url: url.to_owned(), account: true }
        }
        _ if !context.client().server_info().jetstream && !is_clustered(context) => {
            NatsError::NoJetStream { url: url.to_owned(), account: false }
        }
        _ => NatsError::NoQuorum { url: url.to_owned(), why },
    };
    let mut wanted = config(options, keep);
    let there = match context.get_stream(STREAM).await {
        Ok(stream) => Some(stream),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => None,
            GetStreamErrorKind::JetStream(error) => {
                return Err(failed(Some(error.error_code()), error.to_string()));
            }
            GetStreamErrorKind::EmptyName
            | GetStreamErrorKind::Request
            | GetStreamErrorKind::InvalidStreamName => {
                return Err(failed(None, error.to_string()));
            }
        },
    };
    if let Some(stream) = there {
        let found = &stream.cached_info().config;
        fits(found)?;
        wanted.num_replicas = options.replicas.unwrap_or(found.num_replicas);
        let same =
            |with: &Config| (with.max_messages_per_subject, with.max_age, with.max_bytes, with.num_replicas);
        if same(found) != same(&wanted) {
            let changed =
                Config { num_replicas: wanted.num_replicas, max_age: wanted.max_age, ..found.clone() };
            let changed = Config {
                max_messages_per_subject: wanted.max_messages_per_subject,
                max_bytes: wanted.max_bytes,
                ..changed
            };
            if let Err(error) = context.update_stream(changed).await {
                tracing::warn!("the stream {STREAM} keeps the limits that it has: {error}");
            }
        }
        return Ok(stream);
    }
    loop {
        let error = match context.create_stream(wanted.clone()).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        match error.kind() {
            CreateStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED
                    && options.replicas.is_none()
                    && wanted.num_replicas > 1 =>
            {
                tracing::warn!("NATS at {url} is a single server: what it loses is lost");
                wanted.num_replicas = 1;
            }
            CreateStreamErrorKind::JetStream(error) => {
                return Err(failed(Some(error.error_code()), error.to_string()));
            }
            CreateStreamErrorKind::EmptyStreamName
            | CreateStreamErrorKind::InvalidStreamName
            | CreateStreamErrorKind::DomainAndExternalSet
            | CreateStreamErrorKind::JetStreamUnavailable
            | CreateStreamErrorKind::TimedOut
            | CreateStreamErrorKind::Response
            | CreateStreamErrorKind::NotFound
            | CreateStreamErrorKind::ResponseParse => return Err(failed(None, error.to_string())),
        }
    }
}

fn is_clustered(context: &Context) -> bool {
    context.client().server_info().cluster.is_some()
}

fn config(options: &Nats, keep: Keep) -> Config {
    Config {
        name: STREAM.to_owned(),
        description: Some("The messages of tidings-server, one subject a user".to_owned()),
        subjects: SUBJECTS.map(str::to_owned).to_vec(),
        // 0 would be all.
        max_messages_per_subject: i64::try_from(keep.messages.max(1)).unwrap_or(i64::MAX),
        max_age: keep.age.unwrap_or_default(),
        max_bytes: options.max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        num_replicas: options.replicas.unwrap_or(REPLICAS),
        duplicate_window: WINDOW,
        allow_rollup: true,
        republish: Some(Republish {
            source: ">".to_owned(),
            destination: REPUBLISHED.to_owned(),
            headers_only: false,
        }),
        ..Config::default()
    }
}

/// Whether a stream that is there already is one of ours.
fn fits(found: &Config) -> Result<(), NatsError> {
    let republishes = |republish: &Republish| {
        republish.source == ">" && republish.destination == REPUBLISHED && !republish.headers_only
    };
    if SUBJECTS.iter().any(|subject| !found.subjects.iter().any(|found| found == subject)) {
        return Err(NatsError::Foreign("holds other subjects"));
    }
    if !found.republish.as_ref().is_some_and(republishes) {
        return Err(NatsError::Foreign("does not republish what it stores"));
    }
    if !found.allow_rollup || found.discard != DiscardPolicy::Old {
        return Err(NatsError::Foreign("does not let go of what is old"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_nats_is_told_from_a_new_one() {
        for (version, new) in [
            ("2.9.10", true),
            ("2.15.1", true),
            ("3.0.0-dev", true),
            ("2.8.4", false),
            ("2.10.0-RC.1", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), new, "{version}");
        }
    }

    #[test]
    fn no_address_is_shown_with_its_secret() {
        for (url, safe) in [
            ("nats://ann:secret@a:4222, nats://b", "nats://a:4222,nats://b"),
            ("token@a", "a"),
            ("tls://t:p@ss@a:4222", "tls://a:4222"),
        ] {
            assert_eq!(shown(url), safe);
        }
    }
}
