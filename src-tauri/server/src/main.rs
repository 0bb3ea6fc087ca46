//! The server's command line.

use std::io::Write as _;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use axum::http::HeaderName;
use clap::Parser;
use tidings_server::{Jwt, KeyFile, Network, Options, Rate, Server, UserHeader};
use tracing_subscriber::filter::LevelFilter;

/// A small user-channel server: one WebSocket per user, newest connection wins.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Address and port to listen on. Beyond loopback, --token-file and --push-token are needed; put a proxy
    /// with TLS in front.
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

    /// Messages kept per user for ?since=ID; 4 MiB of them at most.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    backlog: usize,

    /// Close code that every link gets on SIGTERM or SIGINT: 1001 going away, 1012 service restart.
    #[arg(long, value_name = "CODE", default_value_t = tidings_server::GOING_AWAY,
          value_parser = clap::value_parser!(u16).range(1000..5000))]
    stop_code: u16,

    /// For a program that starts it: prints its address on a line of stdout, and stops when its stdin ends.
    #[arg(long)]
    child: bool,

    /// How much to log to stderr: off, error, warn, info, debug, trace. Message texts are in debug only.
    #[arg(long, value_name = "LEVEL", env = "TIDINGS_LOG", default_value = "info")]
    log: LevelFilter,
}

const EXAMPLES: &str = "\
Examples:
  tidings-server
  curl -d 'Tea is ready' http://127.0.0.1:8080/push/ann
  curl --json '{\"title\": \"Order 7\", \"body\": \"is paid\"}' http://127.0.0.1:8080/push/ann

A push is answered with {\"id\": \"…\", \"links\": N}: the message's id and the number of links reached.
The channel is at ws://127.0.0.1:8080/ws/user-channel?user=ann; add &since=ID for what was missed.

Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong arguments.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(args.log).init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    // Before the start, so that an early signal is not missed.
    let stop = signal()?;
    let server = Server::start(Options {
        listen: args.listen,
        idle_timeout: Some(args.idle_timeout).filter(|time| !time.is_zero()),
        backlog: args.backlog,
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
        events: 0,
        ..Options::default()
    })
    .await?;
    tracing::info!("listening on {}", server.addr());
    if args.child {
        writeln!(std::io::stdout(), "{}", server.addr())?;
        let (mut stdin, mut nowhere) = (tokio::io::stdin(), tokio::io::sink());
        let ended = tokio::io::copy(&mut stdin, &mut nowhere);
        tokio::select! {
            () = stop => {}
            _ = ended => {}
        }
    } else {
        stop.await;
    }
    tracing::info!("stopping with close code {}", args.stop_code);
    server.stop(args.stop_code).await;
    Ok(())
}

#[cfg(unix)]
fn signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler for it there is nothing to wait for but the end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
