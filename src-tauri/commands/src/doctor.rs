//! `tidings doctor`: prints what an examination finds.

use std::process::ExitCode;

use serde::Serialize;
use tidings_api::client::{Client, ClientError};
use tidings_api::{ErrorCode, Examine, Reply, Request, Step};
use tidings_channel::{ChannelUrl, Config, ProxyUrl};
use tidings_examination::{Examination, Reach, STEPS, examine, line};
use tidings_ground::exit;
use tidings_ground::paths::Paths;
use tidings_ground::terminal::{print, tell, usage};
use tidings_settings::reason;
use tidings_words::Words;
use tokio::sync::mpsc;

use crate::cli;
use crate::listen::choose;

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
    let idle_ms = args.idle.then(|| args.max.as_millis().try_into().unwrap_or(u64::MAX));
    let what = Examine { channel, upgrade: args.upgrade || args.idle, idle_ms };
    let mut reply = match client.ask_in_time(&Request::Examine(what)).await {
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
    if let Some(typed) = &args.url {
        let url = ChannelUrl::parse(typed, false).map_err(|error| reason::of_address(&error).said(words))?;
        let proxy = ProxyUrl::from_env(&url, |name| std::env::var(name).ok());
        let proxy = proxy.map_err(|error| reason::of_proxy(&error).said(words))?;
        // As the running Tidings reads it: with the values of its query, of which a broker's address has none.
        let name = if url.is_mqtt() { url.to_string() } else { url.as_url().to_string() };
        // A broker's isn't heard by any of these.
        let config = Config { proxy, ..Config::new(url) };
        let config = if config.mqtt.is_none() && !config.url.is_mqtt() { config.by(typed) } else { config };
        let examination =
            Examination { config, credentials: None, headers: Vec::new(), reach, signs_in: false, words };
        return Ok((name, examination));
    }
    let settings = tidings_settings::load(&paths.settings).map_err(|error| error.told(words))?;
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
            tell(&line(&step, self.words))?;
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
