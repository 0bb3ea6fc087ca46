//! `tidings doctor`: why a channel doesn't connect, step by step, with a mend for each failure.
//!
//! The way up to the TLS handshake is looked at by [`tidings_channel::examine`] and disturbs nobody. An upgrade takes
//! the place of every other instance, so it is made only when told (R3); a channel that the running Tidings holds is
//! let go by it meanwhile, and given back.

mod link;
mod step;

use std::process::ExitCode;

use tidings_api::client::Client;
use tidings_api::{Action, ChannelReport, Reply, Request, StateName};
use tidings_channel::{ChannelUrl, Config, DialParams, ProxyUrl};
use tokio::sync::mpsc;

use crate::cli::{self, exit};
use crate::credential::Credentials;
use crate::listen::{choose, usage};
use crate::paths::Paths;
use crate::settings::{self, ChannelSettings};
use step::Said;

/// Who is examined.
struct Patient {
    config: Config,
    /// `None`: an address with no settings.
    channel: Option<ChannelSettings>,
}

pub(crate) async fn run(paths: &Paths, args: &cli::Doctor) -> anyhow::Result<ExitCode> {
    let patient = match patient(paths, args) {
        Ok(patient) => patient,
        Err(message) => return Ok(usage(&message)),
    };
    let held = held(paths, &patient).await;
    let mut said = Said::new(&patient.config.url, args.json);
    examine(&patient.config, &mut said).await?;
    if !args.upgrade {
        said.say(step::stopped(held.as_ref().map(|held| held.name.as_str())))?;
    } else if !said.failed() {
        let borrowed = borrow(paths, held.as_ref()).await?;
        let upgraded = tokio::select! {
            upgraded = upgrade(&patient, args, &mut said) => upgraded,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(Into::into).and(Err(anyhow::anyhow!("interrupted")))
            }
        };
        give_back(paths, borrowed).await;
        upgraded?;
    }
    let code = if said.failed() { exit::FAILED } else { 0 };
    said.end()?;
    Ok(ExitCode::from(code))
}

fn patient(paths: &Paths, args: &cli::Doctor) -> Result<Patient, String> {
    if let Some(url) = &args.url {
        let url = ChannelUrl::parse(url, false).map_err(|error| error.to_string())?;
        let proxy = ProxyUrl::from_env(&url, |name| std::env::var(name).ok());
        let proxy = proxy.map_err(|error| error.to_string())?;
        return Ok(Patient { config: Config { proxy, ..Config::new(url) }, channel: None });
    }
    let settings = settings::load(&paths.settings).map_err(|error| error.to_string())?;
    let channel = choose(&settings.channels, args.channel.as_deref(), &paths.settings)?;
    let config = channel.config().map_err(|error| error.to_string())?;
    Ok(Patient { config, channel: Some(channel.clone()) })
}

/// What the running Tidings says of the channel, if it holds it.
async fn held(paths: &Paths, patient: &Patient) -> Option<ChannelReport> {
    let mut client = Client::connect(&paths.socket()).await.ok()?;
    let Ok(Reply::Status(status)) = client.ask(&Request::Status).await else { return None };
    let url = patient.config.url.to_string();
    status.channels.into_iter().find(|held| match &patient.channel {
        Some(channel) => held.id == channel.id,
        None => held.url == url,
    })
}

async fn examine(config: &Config, said: &mut Said) -> std::io::Result<()> {
    let (steps, mut examined) = mpsc::unbounded_channel();
    let looking = tidings_channel::examine(config, move |examined| {
        // The other end waits below.
        let _ = steps.send(examined);
    });
    let telling = async {
        let mut address_works = None;
        while let Some(examined) = examined.recv().await {
            let (step, worked) = step::examined(examined, config, jiff::Timestamp::now());
            if let Some(worked) = worked {
                address_works = Some(address_works.unwrap_or(false) || worked);
            }
            said.say(step)?;
        }
        if address_works == Some(false) {
            said.say(step::unreachable(config))?;
        }
        Ok(())
    };
    tokio::join!(looking, telling).1
}

async fn upgrade(patient: &Patient, args: &cli::Doctor, said: &mut Said) -> anyhow::Result<()> {
    let mut params = DialParams::default();
    if let Some(channel) = &patient.channel {
        let source = Credentials::new(&channel.id, channel.credential.clone(), channel.auth.clone());
        match step::credential(source).await {
            Ok((step, credential)) => {
                said.say(step)?;
                params = DialParams { credential, headers: channel.headers.clone(), query: Vec::new() };
            }
            Err(step) => return Ok(said.say(step)?),
        }
    }
    link::upgrade(patient.config.clone(), params.clone(), said).await?;
    if args.idle && !said.failed() {
        link::idle(patient.config.clone(), params, args.max, said).await?;
    }
    Ok(())
}

/// Makes the running Tidings let go of the channel; answers with its id where it has to be given back.
async fn borrow(paths: &Paths, held: Option<&ChannelReport>) -> anyhow::Result<Option<String>> {
    let Some(held) = held else { return Ok(None) };
    match held.state {
        StateName::Disconnected | StateName::Replaced => return Ok(None),
        StateName::Connecting | StateName::Connected | StateName::Waiting | StateName::NeedsUser => {}
    }
    ask(paths, Action::Disconnect, &held.id).await?;
    Ok(Some(held.id.clone()))
}

async fn give_back(paths: &Paths, borrowed: Option<String>) {
    if let Some(id) = borrowed
        && let Err(error) = ask(paths, Action::Connect, &id).await
    {
        tracing::warn!(%error, channel = id, "not given back; `tidings connect` does it");
    }
}

async fn ask(paths: &Paths, action: Action, id: &str) -> anyhow::Result<()> {
    let mut client = Client::connect(&paths.socket()).await?;
    client.ask(&Request::Act { action, channel: Some(id.to_owned()) }).await?;
    Ok(())
}
