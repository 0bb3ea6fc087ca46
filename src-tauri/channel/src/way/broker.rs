//! A dial to an MQTT broker: the stream, who we are, and what is to be heard (M1). Which version is spoken the broker says: 5.0 is tried
//! first.

use std::sync::Arc;
use std::time::Duration;

use rand::distr::Alphanumeric;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{Mutex, watch};

use crate::link::Link;
use crate::link::mqtt::packets::{
    Agreed, Introduction, Reason, Said, Unsayable, Version, connect, subscribe, unsubscribe,
};
use crate::link::mqtt::{Mqtt as Connection, Pipe};
use crate::machine::facts::End;
use crate::memory::Broker;
use crate::way::connect::{Connect, Connected};
use crate::way::dialled::{DialFailure, Dialled};
use crate::way::patience::within;
use crate::way::request::upgrade_request;
use crate::way::upgrade::{hand_over, open as upgraded};
use crate::{
    Cause, Config, Credential, Detail, DialParams, DialRefusal, Mqtt, Owner, Route, Stage, Subscribed,
};

/// How often the broker is promised to hear of us, seconds. Too low: wake-ups; too high: it takes a desk that sleeps for awake, and what
/// it sends there waits.
const KEEP_ALIVE: u16 = 60;
/// Characters of our own client id that are random: as many as every broker takes (MQTT 5.0, section 3.1.3.1), with those before them.
const RANDOM: usize = 15;
const PREFIX: &str = "tidings-";
/// Reason codes.
const UNSUPPORTED_VERSION: u8 = 0x84;
const NOT_AUTHORIZED: u8 = 0x87;
const UNSPECIFIED: u8 = 0x80;
const TOO_LARGE: u8 = 0x95;

/// Dials, signs in and subscribes.
pub(super) async fn dial<C: Connect, O: Owner>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<O>>,
    params: DialParams,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let (config, connector, stage) = (&*config, &*connector, &stage);
    let Some(ask) = config.mqtt.as_deref() else {
        return Err(DialRefusal::told("an MQTT channel without topics").into());
    };
    let client_id = client_id(config, ask);
    let (user_name, password) = match &params.credential {
        Some(Credential::Basic { username, password }) => (Some(username.as_str()), Some(password.as_str())),
        // 3.1.1 has no password without a name.
        Some(Credential::Bearer(token) | Credential::Said(token)) => (Some(""), Some(token.as_str())),
        // Those go with a WebSocket's upgrade.
        Some(Credential::Header { .. } | Credential::Query { .. } | Credential::Cookie { .. }) | None => {
            (None, None)
        }
    };
    let who = Introduction {
        client_id: &client_id,
        user_name,
        password,
        keep_alive: KEEP_ALIVE,
        session_expiry: ask.session_expiry,
    };
    let at = format!("{} {client_id}", config.url);
    let known = config.memory.look(|known| known.broker.clone());
    let known = if known.at == at { known } else { Broker::default() };
    let mut version = if known.older { Version::V311 } else { Version::V5 };
    let mut other = if known.older { Version::V5 } else { Version::V311 };
    let mut tries = 0..2;
    let (mut link, route, agreed) = loop {
        tries.next();
        let first = connect(version, &who).map_err(unsayable)?;
        let (mut link, route) = open(config, connector, &params, version, stage).await?;
        stage.send_replace(Stage::SignIn);
        link.send(&first);
        let cause = match within(config.timing.subscribe, Stage::SignIn, link.answer()).await {
            Ok(Ok(Said::Connected(agreed))) => break (link, route, agreed),
            Ok(Ok(Said::Refused(reason))) => refused(reason),
            Ok(Ok(_)) => Cause::NoGoodAnswer { detail: Detail::NoMqtt },
            Ok(Err(end)) => ended(end),
            Err(cause) => cause,
        };
        if tries.is_empty() || !may_be_the_version(&cause) {
            return Err(cause.into());
        }
        std::mem::swap(&mut version, &mut other);
    };
    let Broker { filters: known, .. } = known;
    let wanted: Vec<String> = ask.topics.iter().map(|topic| topic.filter.clone()).collect();
    let no_more: Vec<String> = known.iter().filter(|filter| !wanted.contains(filter)).cloned().collect();
    if agreed.session && !no_more.is_empty() {
        link.send(&unsubscribe(version, &no_more).map_err(unsayable)?);
    }
    stage.send_replace(Stage::Subscribe);
    // 3.1.1 sends what it retains at each subscription.
    let stands = agreed.session && version == Version::V311 && known == wanted;
    let codes =
        if stands { vec![0; wanted.len()] } else { asked(&mut link, config, ask, version, &agreed).await? };
    let refused: Vec<String> = wanted
        .iter()
        .zip(&codes)
        .filter(|(_, code)| **code >= UNSPECIFIED)
        .map(|(filter, _)| filter.clone())
        .collect();
    let taken: Vec<String> = wanted.into_iter().filter(|filter| !refused.contains(filter)).collect();
    let keeps = !ask.session_expiry.is_zero();
    let lost = !agreed.session && !known.is_empty();
    config.memory.with(|memory| {
        let filters = if keeps { taken } else { Vec::new() };
        let broker = &mut memory.broker;
        (broker.at, broker.filters, broker.older) = (at, filters, version == Version::V311);
    });
    owner.lock().await.subscribed(Subscribed { lost, anew: !agreed.session, refused }).await;
    hand_over(&owner, connector, route, Vec::new()).await;
    if let Pipe::Plain(stream) = link.pipe() {
        C::reset_on_drop(stream, false);
    }
    let link: Box<dyn Link> = Box::new(link);
    Ok(Dialled { link, route, given: params.given() })
}

/// A stream for MQTT's packets.
async fn open<C: Connect>(
    config: &Config,
    connector: &C,
    params: &DialParams,
    version: Version,
    stage: &watch::Sender<Stage>,
) -> Result<(Connection<C::Stream>, Option<Route>), DialFailure> {
    let keep_alive = Duration::from_secs(KEEP_ALIVE.into());
    if config.url.is_mqtt() {
        let Connected { stream, route, .. } = connector.connect(config, stage).await?;
        // A broker that has read our name gives it to that link: better it hears that we hung up.
        C::reset_on_drop(&stream, true);
        return Ok((Connection::new(Pipe::Plain(stream), version, keep_alive, C::acknowledge), route));
    }
    let params = match params.credential {
        // They are said in MQTT.
        Some(Credential::Basic { .. } | Credential::Bearer(_)) => {
            DialParams { credential: None, ..params.clone() }
        }
        _ => params.clone(),
    };
    let request = upgrade_request(&config.url, &params, Some("mqtt"), None)?;
    let (socket, route, _) = upgraded(config, connector, params, request, false, stage).await?;
    let pipe = Pipe::WebSocket(Box::new(socket));
    Ok((Connection::new(pipe, version, keep_alive, C::acknowledge), route))
}

/// The broker's codes for what is to be heard; an error, if it takes none of it.
async fn asked<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin>(
    link: &mut Connection<S>,
    config: &Config,
    ask: &Mqtt,
    version: Version,
    agreed: &Agreed,
) -> Result<Vec<u8>, DialFailure> {
    let packet = subscribe(version, ask, agreed.most).map_err(unsayable)?;
    if agreed.longest.is_some_and(|longest| packet.len() > longest as usize) {
        return Err(Cause::Broker { code: TOO_LARGE, said: String::new() }.into());
    }
    link.send(&packet);
    match within(config.timing.subscribe, Stage::Subscribe, link.answer()).await? {
        Ok(Said::Subscribed(codes, said)) if codes.len() == ask.topics.len() => {
            match codes.iter().all(|code| *code >= UNSPECIFIED) {
                true => {
                    Err(refused(Reason { code: codes.first().copied().unwrap_or(UNSPECIFIED), said }).into())
                }
                false => Ok(codes),
            }
        }
        Ok(Said::Refused(reason)) => Err(refused(reason).into()),
        Ok(_) => Err(Cause::NoGoodAnswer { detail: Detail::NoMqtt }.into()),
        Err(end) => Err(ended(end).into()),
    }
}

/// Our name at the broker: the setting's, or one that is drawn once.
fn client_id(config: &Config, ask: &Mqtt) -> String {
    if let Some(id) = &ask.client_id {
        return id.clone();
    }
    config.memory.with(|known| {
        if known.broker.client_id.is_empty() {
            let random = SmallRng::from_os_rng().sample_iter(Alphanumeric).take(RANDOM).map(char::from);
            known.broker.client_id = PREFIX.chars().chain(random).collect();
        }
        known.broker.client_id.clone()
    })
}

fn refused(Reason { code, said }: Reason) -> Cause {
    // 3.1.1 has no other word for what isn't allowed.
    let code = if code == UNSPECIFIED { NOT_AUTHORIZED } else { code };
    Cause::Broker { code, said }
}

/// Whether a broker may say so, or hang up, or say nothing, because it was spoken to in a version that it doesn't know.
fn may_be_the_version(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Broker { code: UNSUPPORTED_VERSION, .. }
            | Cause::Lost { .. }
            | Cause::TimedOut { stage: Stage::SignIn }
    )
}

/// Why a stream ended before the link stood.
fn ended(end: End) -> Cause {
    match end {
        End::Lost { .. } => Cause::Lost { detail: Detail::HungUp },
        End::Closed(close) => Cause::Closed(close),
        End::Told(cause) => cause,
        End::Violation { .. } => Cause::NoGoodAnswer { detail: Detail::NoMqtt },
    }
}

fn unsayable(_: Unsayable) -> DialFailure {
    DialRefusal::told("the client id, the user name, the password or a topic is longer than MQTT allows")
        .into()
}
