//! The server's command line.

use std::io::Write as _;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use tidings_server::{Options, Server, parse_tokens};
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
    /// token as bearer token. Without this, and on loopback only, ?user=NAME is taken.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Bearer token that a push needs. Better given by the environment: arguments are seen by all users of
    /// this machine.
    #[arg(long, value_name = "TOKEN", env = "TIDINGS_PUSH_TOKEN", hide_env_values = true)]
    push_token: Option<String>,

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
    let tokens = match &args.token_file {
        None => Default::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            parse_tokens(&text).with_context(|| path.display().to_string())?
        }
    };
    // Before the start, so that an early signal is not missed.
    let stop = signal()?;
    let server = Server::start(Options {
        listen: args.listen,
        idle_timeout: Some(args.idle_timeout).filter(|time| !time.is_zero()),
        backlog: args.backlog,
        tokens,
        push_token: args.push_token,
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
