//! The server's command line.

mod journal;

use std::io::Write as _;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use axum::http::HeaderName;
use clap::{Parser, ValueEnum};
use sd_notify::NotifyState;
use tidings_server::{
    Devices, GOING_AWAY, Jwt, KeyFile, Nats, Network, Options, Rate, SERVICE_RESTART, Server, UserHeader,
};
use tracing_subscriber::filter::LevelFilter;

use crate::journal::Log;

/// A small user-channel server: one WebSocket per user, newest connection wins.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Address and port to listen on. Beyond loopback, users need credentials (--token-file, --jwt-key, --jwt-keys or
    /// --user-header) and pushes a token; put a proxy with TLS in front. A socket of systemd's comes before this.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// File with a user and a token per line, divided by a space; `#` starts a comment line. Clients send the
    /// token as bearer token. Without this, --jwt-key, --jwt-keys and --user-header, and on loopback only, ?user=NAME
    /// is taken. This and the files below are read again when they change.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Take JSON Web Tokens as bearer tokens, signed by this key: a PEM file with the public key (RS256, ES256), or
    /// a secret of 32 bytes or more (HS256). `sub` is the user; at `exp`, which is needed, the link ends with 3000.
    #[arg(long, value_name = "FILE", conflicts_with = "jwt_keys")]
    jwt_key: Option<PathBuf>,

    /// The same by a JWKS: a set of keys of these kinds.
    #[arg(long, value_name = "FILE")]
    jwt_keys: Option<PathBuf>,

    /// What has to be in the `aud` of these tokens. Without it, those with an `aud` are refused.
    #[arg(long, value_name = "NAME")]
    jwt_audience: Option<String>,

    /// What the `iss` of these tokens has to be.
    #[arg(long, value_name = "NAME")]
    jwt_issuer: Option<String>,

    /// Header in which a proxy names the user. The proxy has to overwrite what its clients send under this name.
    #[arg(long, value_name = "NAME", requires = "trusted_proxy")]
    user_header: Option<HeaderName>,

    /// Address or network of such a proxy. Who else sends that header is refused. May be given more than once.
    #[arg(long, value_name = "ADDR[/BITS]", requires = "user_header")]
    trusted_proxy: Vec<Network>,

    /// Bearer token that a push needs. Better given by the environment: arguments are seen by all users of
    /// this machine.
    #[arg(long, value_name = "TOKEN", env = "TIDINGS_PUSH_TOKEN", hide_env_values = true)]
    push_token: Option<String>,

    /// File with such tokens, one per line, with a name of who pushes before it or not. With --push-token, either
    /// will do.
    #[arg(long, value_name = "FILE")]
    push_token_file: Option<PathBuf>,

    /// How many messages each push token may send in the long run, or each address where no push token is needed:
    /// 100/s, 600/m, or 100/s:500 for 500 at once. Beyond that a push is answered with 429.
    #[arg(long, value_name = "RATE")]
    push_rate: Option<Rate>,

    /// End a link that sent nothing for this long, as a proxy would. 0s: never.
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = humantime::parse_duration)]
    idle_timeout: Duration,

    /// Folder in which messages are kept, so that they outlive the server; `none`: in memory. Default: the
    /// StateDirectory= of systemd, else $XDG_STATE_HOME/tidings-server, ~/.local/state/tidings-server; with --child,
    /// none.
    #[arg(long, value_name = "DIR", conflicts_with = "nats")]
    data: Option<PathBuf>,

    /// When a push is answered: once its message is on the disk, or once it is with the system, so that it outlives
    /// this process but perhaps not a loss of power.
    #[arg(long, value_name = "WHAT", default_value = "fsync")]
    durability: Durability,

    /// How many links a user may have: one, where the newest stays, or many (at most 32), where each gets every message
    /// and only the same device's (of tidings.v1) is replaced.
    #[arg(long, value_name = "HOW-MANY", default_value = "one")]
    devices: HowMany,

    /// NATS with JetStream: servers with the same are one. Several addresses of its cluster with commas between them.
    #[arg(long, value_name = "URL")]
    nats: Option<String>,

    /// File with what lets us into NATS: a .creds file, a user and a password with a space between them, or a token.
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_credentials: Option<PathBuf>,

    /// File with the certificate of the authority of NATS (PEM). TLS is a must then; else it is with tls://.
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_ca: Option<PathBuf>,

    /// On how many servers of NATS each message is. Default: 3, or 1 where there is only one.
    #[arg(long, value_name = "COUNT", requires = "nats", value_parser = clap::value_parser!(u8).range(1..=5))]
    nats_replicas: Option<u8>,

    /// How many bytes all messages may take in NATS; then the oldest go. Default: as many as there is room for.
    #[arg(long, value_name = "BYTES", requires = "nats")]
    nats_max_bytes: Option<u64>,

    /// Messages kept per user for ?since=ID.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    backlog: usize,

    /// … of these so many bytes at most; 4194304 by default. NATS has no such limit: there --nats-max-bytes is for all …
    #[arg(long, value_name = "BYTES", conflicts_with = "nats")]
    keep_bytes: Option<usize>,

    /// … and for so long. 0s: for ever.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration)]
    keep_age: Duration,

    /// The longest message that is taken, in bytes. Clients pass over what is longer than 1 MiB.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    max_message: usize,

    /// How many links there may be at once. Others are answered with 503.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    max_links: usize,

    /// Address for Prometheus: /metrics, and /healthz and /readyz once more. Nothing is asked for there, so keep it on
    /// loopback or in a network of your own.
    #[arg(long, value_name = "ADDR:PORT")]
    metrics: Option<SocketAddr>,

    /// On SIGTERM or SIGINT, close the links evenly spread over this time, so that clients don't come back all at
    /// once. A second signal ends it. 0s: all at once.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration)]
    drain: Duration,

    /// Close code that every link gets on SIGTERM or SIGINT: 1001 going away, 1012 service restart. Default: 1012 with
    /// --drain, else 1001.
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u16).range(1000..5000))]
    stop_code: Option<u16>,

    /// For a program that starts it: prints its address on a line of stdout, and stops when its stdin ends.
    #[arg(long)]
    child: bool,

    /// How much to log to stderr: off, error, warn, info, debug, trace. Message texts are in debug only.
    #[arg(long, value_name = "LEVEL", env = "TIDINGS_LOG", default_value = "info")]
    log: LevelFilter,

    /// How: text, or a JSON object per line.
    #[arg(long, value_name = "FORMAT", env = "TIDINGS_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// How many bytes of messages are kept per user, where nothing else is asked for.
const KEEP_BYTES: usize = 4 << 20;
/// How long to wait for a NATS that starts, too. Too low: machines that come up together fail; too high: a wrong address is
/// told late.
const NATS_WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, ValueEnum)]
enum Durability {
    Fsync,
    Process,
}

#[derive(Clone, Copy, ValueEnum)]
enum HowMany {
    One,
    Many,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

const EXAMPLES: &str = "\
Examples:
  tidings-server
  curl -d 'Tea is ready' http://127.0.0.1:8080/push/ann
  curl --json '{\"title\": \"Order 7\", \"body\": \"is paid\"}' http://127.0.0.1:8080/push/ann

  curl --json '{\"users\": [\"ann\", \"bob\"], \"body\": \"Tea\"}' http://127.0.0.1:8080/push
  curl http://127.0.0.1:8080/users/ann
  tidings-server --token-file tokens --push-token-file push-tokens --metrics 127.0.0.1:9464 --drain 10s

A push is answered with {\"id\": \"…\", \"links\": N}: the message's id and the number of links reached.
The channel is at ws://127.0.0.1:8080/ws/user-channel?user=ann; add &since=ID for what was missed.

SIGHUP: read tokens and keys again. SIGTERM, SIGINT: stop; a second one: at once.
Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong arguments.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let place = Log::of_this();
    let log = tracing_subscriber::fmt().with_writer(place).with_max_level(args.log);
    match (args.log_format, place) {
        (LogFormat::Text, Log::Stderr) => log.init(),
        // It knows the time.
        (LogFormat::Text, Log::Journal) => log.without_time().init(),
        (LogFormat::Json, _) => log.json().flatten_event(true).init(),
    }
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Each says its reason itself.
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    allow_many_links();
    // Before the start, so that an early signal is not missed.
    let mut signals = Signals::new()?;
    let stop_code = args.stop_code.unwrap_or(if args.drain.is_zero() { GOING_AWAY } else { SERVICE_RESTART });
    let options = Options {
        listen: args.listen,
        idle_timeout: Some(args.idle_timeout).filter(|time| !time.is_zero()),
        data: if args.nats.is_some() { None } else { data(args.data, args.child)? },
        durability: match args.durability {
            Durability::Fsync => tidings_server::Durability::Fsync,
            Durability::Process => tidings_server::Durability::Process,
        },
        nats: args.nats.map(|url| Nats {
            url,
            credentials: args.nats_credentials,
            ca: args.nats_ca,
            replicas: args.nats_replicas.map(usize::from),
            max_bytes: args.nats_max_bytes,
            wait: NATS_WAIT,
        }),
        backlog: args.backlog,
        backlog_bytes: args.keep_bytes.unwrap_or(KEEP_BYTES),
        backlog_age: Some(args.keep_age).filter(|age| !age.is_zero()),
        token_file: args.token_file,
        jwt: match (args.jwt_key, args.jwt_keys) {
            (Some(file), _) => Some(KeyFile::One(file)),
            (None, keys) => keys.map(KeyFile::Set),
        }
        .map(|keys| Jwt { keys, audience: args.jwt_audience, issuer: args.jwt_issuer }),
        user_header: args.user_header.map(|name| UserHeader { name, proxies: args.trusted_proxy }),
        push_token: args.push_token,
        push_token_file: args.push_token_file,
        push_rate: args.push_rate,
        max_message: args.max_message,
        max_links: args.max_links,
        metrics: args.metrics,
        devices: match args.devices {
            HowMany::One => Devices::One,
            HowMany::Many => Devices::Many,
        },
        announce_v1: true,
        events: 0,
        ..Options::default()
    };
    // From systemd, by socket activation, instead of --listen.
    let listener = listenfd::ListenFd::from_env().take_tcp_listener(0)?;
    let starting = Box::pin(async {
        match listener {
            Some(listener) => Server::start_on(listener, options).await,
            None => Server::start(options).await,
        }
    });
    let server = tokio::select! {
        server = starting => server?,
        // It may wait for NATS.
        () = signals.stop() => return Ok(()),
    };
    tracing::info!("listening on {}", server.addr());
    if let Some(addr) = server.metrics_addr() {
        tracing::info!("metrics are at http://{addr}/metrics");
    }
    tell_systemd(&[NotifyState::Ready]);
    if args.child {
        writeln!(std::io::stdout(), "{}", server.addr())?;
        let (mut stdin, mut nowhere) = (tokio::io::stdin(), tokio::io::sink());
        let ended = tokio::io::copy(&mut stdin, &mut nowhere);
        tokio::select! {
            () = serve(&server, &mut signals) => {}
            _ = ended => {}
        }
    } else {
        serve(&server, &mut signals).await;
    }
    tracing::info!("stopping with close code {stop_code}");
    tell_systemd(&[NotifyState::Stopping]);
    if !args.drain.is_zero() {
        tokio::select! {
            () = server.drain(stop_code, args.drain) => {}
            () = signals.stop() => {
                tracing::warn!("stopping at once");
                return Ok(());
            }
        }
    }
    tokio::select! {
        () = server.stop(stop_code) => {}
        () = signals.stop() => {}
    }
    Ok(())
}

/// A link is a descriptor, and the limit that most programs start with (1,024) is for those that wait by `select`. The other
/// one, which it may be raised to, is the limit that was meant.
#[cfg(unix)]
fn allow_many_links() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "the limit of descriptors stays as it is");
    }
}

#[cfg(not(unix))]
fn allow_many_links() {}

/// The folder of data.
fn data(asked: Option<PathBuf>, child: bool) -> anyhow::Result<Option<PathBuf>> {
    const OURS: &str = "tidings-server";
    // An empty variable is none, and a relative folder is not to be used (XDG Base Directory Specification).
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    match asked {
        Some(none) if none.as_os_str() == "none" => Ok(None),
        None if child => Ok(None),
        Some(folder) => Ok(Some(folder)),
        // systemd may name several, with colons between; ours names one.
        None => folder("STATE_DIRECTORY")
            .or_else(|| folder("XDG_STATE_HOME").map(|state| state.join(OURS)))
            .or_else(|| folder("HOME").map(|home| home.join(".local/state").join(OURS)))
            .map(Some)
            .context("no folder to keep messages in: name one (--data DIR), or none (--data none)"),
    }
}

/// Until it is to stop.
async fn serve(server: &Server, signals: &mut Signals) {
    while signals.next().await == Signal::Reload {
        tell_systemd(
            &NotifyState::monotonic_usec_now()
                .map_or_else(|_| vec![NotifyState::Reloading], |now| vec![NotifyState::Reloading, now]),
        );
        // The log has told of what is wrong.
        let _ = server.reload().await;
        tell_systemd(&[NotifyState::Ready]);
    }
}

/// Where systemd started it and asked to be told; else nothing.
fn tell_systemd(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

#[derive(PartialEq, Eq)]
enum Signal {
    Stop,
    Reload,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        // Without a handler for it there is nothing to wait for but the end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}

impl Signals {
    async fn stop(&mut self) {
        while self.next().await != Signal::Stop {}
    }
}
