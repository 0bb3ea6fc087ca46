//! A second start: what it hands over to the agent that runs.

use std::process::ExitCode;
use std::time::Duration;

use tidings_api::Request;
use tidings_api::client::{ANSWER, Client, ClientError};
use tidings_ground::paths::Paths;
use tidings_ground::terminal::say;
use tidings_state::session;
use tidings_words::Words;
use tokio::time::{Instant, sleep};

/// Between two looks for the socket of one that is about to serve it.
const LOOK: Duration = Duration::from_millis(20);

/// A second start by hand: shows the first one's window, perhaps at the page that adds a channel, in the session that this one is in.
pub(crate) async fn raise(paths: &Paths, add: Option<String>, words: Words) -> anyhow::Result<ExitCode> {
    let mut agent = first(paths).await?;
    join(&mut agent, paths).await?;
    let activation_token = std::env::var("XDG_ACTIVATION_TOKEN").ok();
    agent.ask_in_time(&Request::Raise { activation_token, add }).await?;
    say(&words.cli_raised());
    Ok(ExitCode::SUCCESS)
}

/// A second start at login: the first one may have begun before there was a desktop, and learns of it.
pub(crate) async fn hand_over(paths: &Paths, words: Words) -> anyhow::Result<ExitCode> {
    let handed = async { join(&mut first(paths).await?, paths).await };
    if let Err(error) = handed.await {
        tracing::warn!(%error, "the running Tidings was not told of this session");
    }
    say(&words.cli_runs_already());
    Ok(ExitCode::SUCCESS)
}

/// The one that runs; it may be starting, too.
async fn first(paths: &Paths) -> Result<Client, ClientError> {
    let patience = Instant::now() + ANSWER;
    loop {
        match Client::connect(&paths.socket()).await {
            Err(ClientError::NotRunning) if Instant::now() < patience => sleep(LOOK).await,
            connected => return connected,
        }
    }
}

async fn join(agent: &mut Client, paths: &Paths) -> Result<(), ClientError> {
    match agent.ask_in_time(&Request::Join { environment: session::own(paths) }).await {
        // An older one doesn't know how.
        Ok(_) | Err(ClientError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
