//! Why a channel doesn't connect, step by step, with a mend for each failure.
//!
//! [`examine`] looks: for `tidings doctor`, which prints the steps, and for the agent, which examines a channel that it
//! holds and tells them on the local socket ([`Request::Examine`]). It sends each step
//! as it ends, and returns after the last; dropping it, or the receiver of the steps, breaks it off.
//!
//! The way up to the TLS handshake is looked at by [`tidings_channel::examine`] and disturbs nobody. An upgrade takes
//! the place of every other instance of the user, so it is made only when told ([`Reach::Link`]), and a channel that
//! the agent holds is let go of meanwhile by its [`Lender`] (R3).

mod link;
mod step;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tidings_api::client::{Client, ClientError};
use tidings_api::{ErrorCode, Examine, Reply, Request, Step};
use tidings_channel::{ChannelUrl, Config, DialParams, ProxyUrl, Status};
use tidings_words::Words;
use tokio::sync::{mpsc, watch};

use crate::cli::{self, exit};
use crate::credential::Credentials;
use crate::lending::Lender;
use crate::listen::choose;
use crate::paths::Paths;
use crate::reason;
use crate::remote;
use crate::settings::{self, CaFileError, ChannelSettings};
use crate::terminal::{print, tell, usage};

/// Steps that may wait to be told.
pub(crate) const STEPS: usize = 16;

/// What to examine, and how far.
pub(crate) struct Examination {
    pub(crate) config: Config,
    /// Where the secret comes from; `None`: an address with no settings.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) reach: Reach,
    pub(crate) words: Words,
}

impl Examination {
    /// Of a channel as its settings say.
    ///
    /// # Errors
    /// When a file that they name can't be read.
    pub(crate) fn of(channel: &ChannelSettings, reach: Reach, words: Words) -> Result<Self, CaFileError> {
        Ok(Self {
            config: channel.config()?,
            credentials: Some(Credentials::new(
                &channel.id,
                channel.credential.clone(),
                channel.auth.clone(),
            )),
            headers: channel.headers.clone(),
            reach,
            words,
        })
    }
}

/// How far an examination goes.
#[derive(Debug)]
pub(crate) enum Reach {
    /// Up to the TLS handshake: nobody is disturbed.
    Handshake,
    /// On to the upgrade and the first ping: another instance of the same user is replaced.
    Link {
        /// Then, how long a link survives in silence, at most so long.
        idle: Option<Duration>,
        /// Lets go of the agent's own link meanwhile; `None`: the agent has none.
        lender: Option<Lender>,
    },
    /// On to the link that the agent holds, of which this is the status: it is told of, and not disturbed.
    Held(watch::Receiver<Status>),
}

/// Examines, and sends each step as it ends. Nobody has to listen to the end: once the receiver is dropped it breaks
/// off, and what was lent is given back.
pub(crate) async fn examine(examination: Examination, steps: mpsc::Sender<Step>) {
    let gone = steps.clone();
    tokio::select! {
        () = gone.closed() => {}
        () = all(examination, steps) => {}
    }
}

/// Where the steps go, in which language, and whether one failed.
struct Told {
    steps: mpsc::Sender<Step>,
    words: Words,
    failed: bool,
    /// The server's clock is another one.
    clock_is_off: bool,
}

impl Told {
    async fn tell(&mut self, step: Step) {
        self.failed |= step.ok == Some(false);
        self.clock_is_off |= step.step == "clock";
        // `examine` notices that nobody listens.
        let _ = self.steps.send(step).await;
    }
}

async fn all(examination: Examination, steps: mpsc::Sender<Step>) {
    let Examination { config, credentials, headers, reach, words } = examination;
    let mut told = Told { steps, words, failed: false, clock_is_off: false };
    let addresses = way(&config, &mut told).await;
    if told.failed {
        return;
    }
    let (idle, lender) = match reach {
        Reach::Handshake => return told.tell(step::stopped(words)).await,
        Reach::Held(status) => return link::held(status, &config, &mut told).await,
        Reach::Link { idle, lender } => (idle, lender),
    };
    let mut params = DialParams { headers, ..DialParams::default() };
    if let Some(source) = credentials {
        let (step, credential) = step::secret(source, words).await;
        told.tell(step).await;
        params.credential = credential;
    }
    if told.failed {
        return;
    }
    // Kept to the end.
    let _loan = match lender {
        None => None,
        Some(lender) => match lender.lend().await {
            Some(loan) => Some(loan),
            None => return told.tell(step::not_lent(words)).await,
        },
    };
    link::upgrade(config.clone(), params.clone(), addresses, &mut told).await;
    if let Some(max) = idle
        && !told.failed
    {
        link::idle(config, params, max, &mut told).await;
    }
}

/// The way to the server, up to the upgrade; how many addresses answer.
async fn way(config: &Config, told: &mut Told) -> usize {
    let (steps, mut examined) = mpsc::unbounded_channel();
    let looking = tidings_channel::examine(config, move |examined| {
        // The other end waits below.
        let _ = steps.send(examined);
    });
    let telling = async {
        let (mut tried, mut answered) = (0, 0);
        while let Some(examined) = examined.recv().await {
            let Some((step, worked)) = step::examined(examined, config, jiff::Timestamp::now(), told.words)
            else {
                continue;
            };
            tried += usize::from(worked.is_some());
            answered += usize::from(worked == Some(true));
            told.tell(step).await;
        }
        if tried > 0 && answered == 0 {
            told.tell(step::unreachable(told.words)).await;
        }
        answered
    };
    tokio::join!(looking, telling).1
}

/// `tidings doctor`: has the running Tidings examine a channel that it holds, and examines anything else itself.
pub(crate) async fn run(paths: &Paths, args: &cli::Doctor, words: Words) -> anyhow::Result<ExitCode> {
    let (name, examination) = match patient(paths, args, words) {
        Ok(patient) => patient,
        Err(message) => return Ok(usage(&message)),
    };
    let url = examination.config.url.to_string();
    let mut printed = Printed { url, json: args.json, steps: Vec::new(), words };
    if !by_the_agent(paths, name, args, &mut printed).await? {
        let (steps, mut told) = mpsc::channel(STEPS);
        let printing = async {
            while let Some(step) = told.recv().await {
                printed.print(step)?;
            }
            anyhow::Ok(())
        };
        tokio::join!(examine(examination, steps), printing).1?;
    }
    printed.end()
}

/// Whether the running Tidings holds the channel, and so has examined it.
async fn by_the_agent(
    paths: &Paths,
    channel: String,
    args: &cli::Doctor,
    printed: &mut Printed,
) -> anyhow::Result<bool> {
    let mut client = match Client::connect(&paths.socket()).await {
        Ok(client) => client,
        Err(ClientError::NotRunning) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // A step takes as long as it takes: whether anybody answers at all is known sooner.
    remote::in_time(&mut client, &Request::Status).await?;
    let idle_ms = args.idle.then(|| args.max.as_millis().try_into().unwrap_or(u64::MAX));
    let what = Examine { channel, upgrade: args.upgrade || args.idle, idle_ms };
    let mut reply = match client.ask(&Request::Examine(what)).await {
        Err(ClientError::Refused(refusal)) if refusal.code == ErrorCode::UnknownChannel => return Ok(false),
        reply => reply?,
    };
    while let Reply::Step(step) = reply {
        printed.print(step)?;
        reply = client.step().await?;
    }
    Ok(true)
}

/// Who is examined, as the running Tidings may know it, and how without its help.
fn patient(paths: &Paths, args: &cli::Doctor, words: Words) -> Result<(String, Examination), String> {
    let reach = match args.upgrade || args.idle {
        true => Reach::Link { idle: args.idle.then_some(args.max), lender: None },
        false => Reach::Handshake,
    };
    if let Some(url) = &args.url {
        let url = ChannelUrl::parse(url, false).map_err(|error| reason::of_address(&error).said(words))?;
        let proxy = ProxyUrl::from_env(&url, |name| std::env::var(name).ok());
        let proxy = proxy.map_err(|error| reason::of_proxy(&error).said(words))?;
        let name = url.as_url().to_string();
        let config = Config { proxy, ..Config::new(url) };
        return Ok((name, Examination { config, credentials: None, headers: Vec::new(), reach, words }));
    }
    let settings = settings::load(&paths.settings).map_err(|error| error.told(words))?;
    let channel = choose(&settings.channels, args.channel.as_deref(), &paths.settings)
        .map_err(|message| message.said(words))?;
    let examination = Examination::of(channel, reach, words).map_err(|error| error.told(words))?;
    Ok((channel.id.clone(), examination))
}

/// What has been printed. With `json` it is one object, printed in the end.
struct Printed {
    url: String,
    json: bool,
    steps: Vec<Step>,
    words: Words,
}

#[derive(Serialize)]
struct Report<'a> {
    url: &'a str,
    ok: bool,
    steps: &'a [Step],
}

impl Printed {
    fn print(&mut self, step: Step) -> anyhow::Result<()> {
        if !self.json {
            tell(&step::line(&step, self.words))?;
        }
        self.steps.push(step);
        Ok(())
    }

    fn end(&self) -> anyhow::Result<ExitCode> {
        let ok = !self.steps.iter().any(|step| step.ok == Some(false));
        if self.json {
            let report = Report { url: &self.url, ok, steps: &self.steps };
            print(&serde_json::to_string(&report)?)?;
        }
        Ok(ExitCode::from(if ok { 0 } else { exit::FAILED }))
    }
}
