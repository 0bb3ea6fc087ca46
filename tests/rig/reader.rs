//! A real agent as the reader of many messages: dials whenever it waits, as a user does who clicks **Reconnect now**, so that
//! each end of a link cuts it off in the middle of something.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tidings_api::client::Client;
use tidings_api::{Action, Reply, Request, StateName};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::app::App;

/// How often its state is looked at. Too low: work beside what is tried; too high: it is away when the next thing happens.
const NUDGE: Duration = Duration::from_millis(200);
/// How often its inbox is looked into.
const GLANCE: Duration = Duration::from_millis(500);

/// A channel to be read.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// A file with its secret.
    pub token: Option<PathBuf>,
}

/// An agent, and who makes it dial.
#[derive(Debug)]
pub struct Reader {
    nudging: JoinHandle<()>,
    /// A state that it came into though nothing that is tried leads there.
    stuck: Arc<Mutex<Option<String>>>,
    app: App,
}

impl Reader {
    /// Starts one with these channels, which keeps all that comes. `unheard`: its log is of no interest.
    pub async fn start(channels: &[Channel], unheard: bool) -> anyhow::Result<Self> {
        let mut settings = "[inbox]\nkeep_messages = 10000000\n".to_owned();
        for Channel { name, url, token } in channels {
            writeln!(settings, "[[channel]]\nname = {name:?}\nurl = {url:?}\nresume = \"since\"")?;
            settings.push_str("backoff = { first = \"100ms\", cap = \"500ms\" }\n");
            if let Some(token) = token {
                writeln!(settings, "token_file = {:?}", token.display().to_string())?;
            }
        }
        let app = App::with_settings(settings).calm().background();
        let app = if unheard { app.unheard() } else { app }.start().await?;
        let stuck = Arc::new(Mutex::default());
        let nudging = tokio::spawn(nudge(app.socket(), Arc::clone(&stuck)));
        Ok(Self { nudging, stuck, app })
    }

    /// Waits until each channel is connected.
    pub async fn connected(&self) -> anyhow::Result<()> {
        let up = |state| state == StateName::Connected;
        self.app
            .wait_for_status("connected", |status| status.channels.iter().all(|channel| up(channel.state)))
            .await
            .map(drop)
    }

    /// Waits until a message of this title has come over each of so many channels, then tells how often each title is in the inbox.
    pub async fn titles(
        self,
        last: &str,
        channels: usize,
        within: Duration,
    ) -> anyhow::Result<BTreeMap<String, usize>> {
        let deadline = Instant::now() + within;
        loop {
            let came = self.app.count(last)?;
            if came == channels {
                break;
            }
            if let Some(stuck) = &*self.stuck.lock().unwrap_or_else(PoisonError::into_inner) {
                bail!("a channel is {stuck}, and nothing that was done leads there");
            }
            ensure!(
                Instant::now() < deadline,
                "of {channels} last messages {came} came: {:#?}",
                self.app.status().await?
            );
            sleep(GLANCE).await;
        }
        self.app.titles()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.nudging.abort();
    }
}

/// Makes each channel that waits dial at once.
async fn nudge(socket: PathBuf, stuck: Arc<Mutex<Option<String>>>) {
    let mut agent = None;
    loop {
        sleep(NUDGE).await;
        match nudge_once(&mut agent, &socket).await {
            Ok(None) => {}
            Ok(state) => *stuck.lock().unwrap_or_else(PoisonError::into_inner) = state,
            // One that is gone is told of by who waits for its messages.
            Err(_) => agent = None,
        }
    }
}

/// Answers with what state a channel is in that needs more than that.
async fn nudge_once(agent: &mut Option<Client>, socket: &Path) -> anyhow::Result<Option<String>> {
    let agent = match agent {
        Some(agent) => agent,
        None => agent.insert(Client::connect(socket).await?),
    };
    let Reply::Status(status) = agent.ask(&Request::Status).await? else { bail!("no status") };
    for channel in status.channels {
        match channel.state {
            StateName::Waiting => {
                let act = Request::Act { action: Action::ReconnectNow, channel: Some(channel.name) };
                // It may have dialled by itself meanwhile.
                let _ = agent.ask(&act).await.context("no answer")?;
            }
            StateName::Connecting | StateName::Connected => {}
            state @ (StateName::Disconnected | StateName::Replaced | StateName::NeedsUser) => {
                return Ok(Some(format!("{} ({})", state.as_str(), channel.name)));
            }
        }
    }
    Ok(None)
}
