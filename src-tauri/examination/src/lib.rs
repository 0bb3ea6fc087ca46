//! Why a channel doesn't connect, step by step, with a mend for each failure.
//!
//! [`examine`] looks: for `tidings doctor`, which prints the steps, and for the agent, which examines a channel that it
//! holds and tells them on the local socket ([`Request::Examine`](tidings_api::Request::Examine)). It sends each step
//! as it ends, and returns after the last; dropping it, or the receiver of the steps, breaks it off.
//!
//! [`discover`] finds out what is at an address at all.
//!
//! The way up to the TLS handshake is looked at by [`tidings_channel::examine`] and disturbs nobody. An upgrade takes
//! the place of every other instance of the user, so it is made only when told ([`Reach::Link`]), and a channel that
//! the agent holds is let go of meanwhile by its [`Lender`] (R3). An MQTT broker knows its clients by their ids: under one that is
//! drawn for the occasion it is signed in to, and nobody's place is taken. Nor is it at ntfy, Gotify and a stream of events, which
//! send to all who listen.

mod broker;
pub mod discover;
pub mod greeting;
pub mod lender;
mod link;
mod step;
mod told;

use std::time::Duration;

use tidings_api::Step;
use tidings_channel::{Config, DialParams, Status};
use tidings_settings::credential::Credentials;
use tidings_settings::{CaFileError, ChannelSettings};
use tidings_words::Words;
use tokio::sync::{mpsc, watch};

pub use step::line;

use crate::lender::Lender;
use crate::told::Told;

/// Steps that may wait to be told.
pub const STEPS: usize = 16;

/// What to examine, and how far.
pub struct Examination {
    /// How it is dialled.
    pub config: Config,
    /// Where the secret comes from; `None`: an address with no settings.
    pub credentials: Option<Credentials>,
    /// Further request headers.
    pub headers: Vec<(String, String)>,
    /// How far.
    pub reach: Reach,
    /// Whether a person signs in, in Tidings, and no secret is to be renewed.
    pub signs_in: bool,
    /// The language of the steps.
    pub words: Words,
}

impl Examination {
    /// Of a channel as its settings say.
    ///
    /// # Errors
    /// When a file that they name can't be read.
    pub fn of(channel: &ChannelSettings, reach: Reach, words: Words) -> Result<Self, CaFileError> {
        let config = channel.config()?;
        let reach = match reach {
            Reach::Handshake if !channel.kind.may_be_taken_over() => Reach::Link { idle: None, lender: None },
            reach @ (Reach::Handshake | Reach::Link { .. } | Reach::Held(_)) => reach,
        };
        Ok(Self {
            credentials: Some(channel.credentials(&config)),
            config,
            headers: channel.headers.clone(),
            reach,
            signs_in: channel.is_signed_in_by_hand(),
            words,
        })
    }
}

/// How far an examination goes.
#[derive(Debug)]
pub enum Reach {
    /// As far as nobody is disturbed: up to the TLS handshake, and to the end where a channel's kind has no take-overs.
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
pub async fn examine(examination: Examination, steps: mpsc::Sender<Step>) {
    let gone = steps.clone();
    tokio::select! {
        () = gone.closed() => {}
        () = all(examination, steps) => {}
    }
}

async fn all(examination: Examination, steps: mpsc::Sender<Step>) {
    let Examination { config, credentials, headers, reach, signs_in, words } = examination;
    let mut told = Told { steps, words, failed: false, clock_is_off: false, signs_in };
    let addresses = way(&config, &mut told).await;
    if told.failed {
        return;
    }
    if config.url.is_mqtt() && config.mqtt.is_none() {
        return told.tell(step::unknown_broker(words)).await;
    }
    let (idle, lender) = match reach {
        Reach::Held(status) => return link::held(status, &config, &mut told).await,
        Reach::Link { idle, .. } if config.mqtt.is_some() => (idle, None),
        Reach::Handshake if config.mqtt.is_some() => (None, None),
        Reach::Handshake => return told.tell(step::stopped(words)).await,
        Reach::Link { idle, lender } => (idle, lender),
    };
    let mut params = DialParams { headers, ..DialParams::default() };
    let session = credentials.as_ref().and_then(Credentials::session).cloned();
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
    if config.mqtt.is_some() {
        return broker::sign_in(config, params, session, addresses, idle.is_some(), &mut told).await;
    }
    link::upgrade(config.clone(), params.clone(), session.clone(), addresses, &mut told).await;
    // It may be that of another kind of channel. Boxed, for all of its questions go out at once.
    if told.failed
        && let Some(step) = Box::pin(discover::another(&config, words)).await
    {
        told.tell(step).await;
    }
    if let Some(max) = idle
        && !told.failed
    {
        link::idle(config, params, session, max, &mut told).await;
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
