//! The steps that need a link: the upgrade, the first ping, and how long silence is endured.

use std::time::Duration;

use tidings_api::Step;
use tidings_channel::{
    Carrier, Cause, Channel, Config, DialAsk, DialParams, DialRefusal, Frame, Heartbeat, Liveness, Owner,
    PeerCheck, Stage, Start, State, Status,
};
use tidings_settings::SessionJar;
use tidings_state::carried;
use tidings_state::cause;
use tidings_words::Words;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::greeting::Greeting;
use crate::step::{bad, failed, good, greeted, noted, refused, with_another_clock, without_secret};
use crate::told::Told;

/// An interval may be this part of the silence that a link survives: the settings' own rule.
const SAFE: (u32, u32) = (2, 3);

/// How long a greeting is waited for that might tell of another protocol. Too low: where no ping is sent it is missed; too
/// high: each examination takes so much longer.
const GREETING: Duration = Duration::from_millis(500);

/// One that gives every dial the same, but for what the server sets meanwhile.
pub(crate) struct Same {
    pub(crate) params: DialParams,
    pub(crate) session: Option<SessionJar>,
}

impl Owner for Same {
    async fn dial_params(&mut self, _: DialAsk) -> Result<DialParams, DialRefusal> {
        let mut params = self.params.clone();
        if let Some(session) = &self.session {
            params.credential = session.credential().await;
        }
        Ok(params)
    }

    async fn set_cookies(&mut self, set_cookies: Vec<String>) {
        if let Some(session) = &self.session {
            session.opened(&set_cookies).await;
        }
    }
}

/// Upgrades, and waits until it is known whether the server answers pings.
/// Each of so many addresses gets a try.
pub(crate) async fn upgrade(
    config: Config,
    params: DialParams,
    session: Option<SessionJar>,
    addresses: usize,
    told: &mut Told,
) {
    let words = told.words;
    let began = Instant::now();
    let has_secret = params.credential.is_some();
    // One link, by the plain recipe: nothing of it is to be acknowledged.
    let plain = Config { v1: false, ..config.clone() };
    let (channel, mut frames) = Channel::spawn(plain, Start::Connect, Same { params, session });
    let mut status = channel.status();
    match opened_by_any(&mut status, addresses, |_| {}).await {
        Err(cause) => {
            let step = refused("upgrade", began.elapsed(), &cause, &config, told);
            let asks = matches!(cause, Cause::SignInRefused { status: 401 | 403 });
            let step = if asks && !has_secret { without_secret(step, words) } else { step };
            told.tell(if asks && told.clock_is_off { with_another_clock(step, words) } else { step }).await;
        }
        Ok(()) => {
            let address = status.borrow().route.filter(|_| addresses > 1).map(|route| route.to);
            let detail =
                address.map_or_else(|| words.doctor_upgraded(), |address| words.doctor_upgraded_at(&address));
            let step = good("upgrade", Some(began.elapsed()), detail);
            told.tell(step).await;
            tell_carrier(&status, told).await;
            told.tell(ping(&mut status, &config, words).await).await;
            // A greeting comes with the open, and so before the pong.
            if config.dialect == tidings_dialect::Dialect::Plain
                && let Ok(Some(first)) = timeout(GREETING, frames.recv()).await
                && let Some(greeting) = Greeting::of(&first)
            {
                told.tell(greeted(greeting, words)).await;
            }
        }
    }
    channel.shut_down().await;
}

/// Waits for the first dial that works, or the last one's end: each of so many addresses gets a try. Tells of the stages of each.
pub(crate) async fn opened_by_any(
    status: &mut watch::Receiver<Status>,
    addresses: usize,
    mut stage: impl FnMut(Stage),
) -> Result<(), Cause> {
    let mut left = addresses;
    loop {
        let carrier = status.borrow().carrier;
        let found = opened(status, &mut stage).await;
        left = left.saturating_sub(1);
        let has_another = left > 0 || status.borrow().carrier != carrier;
        let again = matches!(status.borrow().state, State::Waiting { .. }) && has_another;
        if found.is_ok() || !again {
            return found;
        }
        let dials = |status: &Status| !matches!(status.state, State::Waiting { .. });
        if status.wait_for(dials).await.is_err() {
            return found;
        }
    }
}

/// Says what carries the link where that is another thing than one would think.
async fn tell_carrier(status: &watch::Receiver<Status>, told: &mut Told) {
    let (words, status) = (told.words, status.borrow().clone());
    let carrier = carried::told(carried::name(status.carrier), words);
    match carried::instead_of(&status, words) {
        Some(instead) => {
            let why = carried::why_instead(&instead, words);
            told.tell(noted(good("carrier", None, words.doctor_carried(&carrier, &why)))).await;
        }
        None if status.carrier.is_sockjs() => {
            told.tell(good("carrier", None, words.doctor_carried_alone(&carrier))).await;
        }
        None => {}
    }
    if status.v1_refused {
        told.tell(noted(good("protocol", None, words.doctor_v1_refused()))).await;
    }
}

/// Tells of a link that is up already.
pub(crate) async fn held(mut status: watch::Receiver<Status>, config: &Config, told: &mut Told) {
    let words = told.words;
    let state = status.borrow().state.clone();
    let name = if config.mqtt.is_some() { "sign-in" } else { "upgrade" };
    match over(&state) {
        Some(cause) => told.tell(refused(name, Duration::ZERO, &cause, config, told)).await,
        None => {
            told.tell(good(name, None, words.doctor_held())).await;
            tell_carrier(&status, told).await;
            told.tell(ping(&mut status, config, words).await).await;
        }
    }
}

pub(crate) async fn ping(status: &mut watch::Receiver<Status>, config: &Config, words: Words) -> Step {
    let carrier = status.borrow().carrier;
    match config.liveness.ping_after().is_zero() {
        _ if matches!(
            carrier,
            Carrier::EventStream | Carrier::Lines | Carrier::SockJsStreaming | Carrier::SockJsPolling
        ) =>
        {
            noted(good("ping", None, words.doctor_stream_silent()))
        }
        true => noted(good("ping", None, words.doctor_no_pings())),
        false => pong(status, config, words).await,
    }
}

async fn pong(status: &mut watch::Receiver<Status>, config: &Config, words: Words) -> Step {
    let began = Instant::now();
    loop {
        let now = status.borrow_and_update().clone();
        if let Some(cause) = over(&now.state) {
            return failed("ping", began.elapsed(), &cause, config, words);
        }
        match now.peer {
            PeerCheck::Unknown => {}
            PeerCheck::Answers => {
                return good("ping", now.rtt, words.doctor_pong());
            }
            PeerCheck::CannotBeChecked => {
                let took = Some(began.elapsed());
                return noted(bad("ping", took, words.doctor_no_pong(), words.mend_no_pong()));
            }
        }
        if status.changed().await.is_err() {
            return failed("ping", began.elapsed(), &Cause::Local, config, words);
        }
    }
}

/// Opens a link that says nothing, and waits for its end, at most `max` of silence.
pub(crate) async fn idle(
    config: Config,
    params: DialParams,
    session: Option<SessionJar>,
    max: Duration,
    told: &mut Told,
) {
    let words = told.words;
    let silent = |config: Config| {
        let heartbeat = Heartbeat::new("", config.heartbeat.interval(), config.heartbeat.proxy_timeout());
        let liveness = Liveness::new(Duration::ZERO, config.liveness.deadline());
        Some(Config { heartbeat: heartbeat.ok()?, liveness: liveness.ok()?, v1: false, ..config })
    };
    let Some(silent) = silent(config.clone()) else { return };
    let (channel, mut frames) = Channel::spawn(silent, Start::Connect, Same { params, session });
    let mut status = channel.status();
    let step = match opened(&mut status, &mut |_| {}).await {
        Err(cause) => failed("idle", Duration::ZERO, &cause, &config, words),
        Ok(()) => {
            let began = Instant::now();
            let (silence, end) = silence(&mut status, &mut frames, max).await;
            match end {
                Some(cause @ Cause::Local) => failed("idle", began.elapsed(), &cause, &config, words),
                end => {
                    if let Some(cause) = &end {
                        config.measured(silence, cause);
                    }
                    advice(silence, end.as_ref(), words)
                }
            }
        }
    };
    channel.shut_down().await;
    told.tell(step).await;
}

/// How long nothing was said, and what ended it before `max`.
async fn silence(
    status: &mut watch::Receiver<Status>,
    frames: &mut mpsc::Receiver<Frame>,
    max: Duration,
) -> (Duration, Option<Cause>) {
    let mut since = Instant::now();
    loop {
        tokio::select! {
            changed = status.changed() => {
                let cause = over(&status.borrow_and_update().state);
                if changed.is_err() || cause.is_some() {
                    return (since.elapsed(), Some(cause.unwrap_or(Cause::Local)));
                }
            }
            // A message: the silence begins anew.
            Some(_) = frames.recv() => since = Instant::now(),
            () = sleep_until(since + max) => return (max, None),
        }
    }
}

/// What to set after a silence that ended so.
fn advice(silence: Duration, end: Option<&Cause>, words: Words) -> Step {
    let seconds = silence.as_secs_f64().round();
    let Some(cause) = end else { return good("idle", None, words.doctor_idle_lives(&seconds)) };
    let cause = cause::told(cause, words);
    let interval = (silence * SAFE.0 / SAFE.1).as_secs();
    if interval >= Heartbeat::default().interval().as_secs() {
        return good("idle", None, words.doctor_idle_quicker(&cause, &seconds));
    }
    let timeout = silence.as_secs();
    let mend = match interval {
        0 => words.mend_idle_hopeless(),
        _ => words.mend_idle(&format_args!(
            "heartbeat = {{ interval = \"{interval}s\", proxy_timeout = \"{timeout}s\" }}"
        )),
    };
    noted(bad("idle", None, words.doctor_idle_ended(&cause, &seconds), mend))
}

/// Waits for the first dial's end, and tells of its stages.
async fn opened(status: &mut watch::Receiver<Status>, reached: &mut impl FnMut(Stage)) -> Result<(), Cause> {
    loop {
        let state = status.borrow_and_update().state.clone();
        match &state {
            State::Connected { .. } => return Ok(()),
            // Before the first dial there is a short delay.
            State::Waiting { cause: Cause::Local, .. } => {}
            State::Connecting { stage, .. } => reached(*stage),
            State::Waiting { .. }
            | State::NeedsUser { .. }
            | State::Replaced { .. }
            | State::Disconnected { .. } => {
                return Err(over(&state).unwrap_or(Cause::Local));
            }
        }
        if status.changed().await.is_err() {
            return Err(Cause::Local);
        }
    }
}

/// Why there is no link any more.
fn over(state: &State) -> Option<Cause> {
    match state {
        State::Connecting { .. } | State::Connected { .. } => None,
        State::Waiting { cause, .. } | State::NeedsUser { cause, .. } => Some(cause.clone()),
        State::Replaced { .. } => Some(Cause::TakenOver),
        State::Disconnected { .. } => Some(Cause::Local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seconds: u64, end: Option<&Cause>) -> String {
        serde_json::to_string(&advice(Duration::from_secs(seconds), end, Words::default())).expect("JSON")
    }

    #[test]
    fn the_proposed_heartbeat_is_one_that_the_settings_take() {
        let cut = Cause::Lost { detail: tidings_channel::Detail::EndOfStream };
        assert!(told(30, Some(&cut)).contains(r#"interval = \"20s\", proxy_timeout = \"30s\""#));
        let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(30));
        assert!(Heartbeat::new("HeartBeat", interval, timeout).is_ok());
        assert!(told(90, Some(&cut)).contains("the default heartbeat of 60s is quicker"));
        assert!(told(150, None).contains("lives 150 s and longer"));
        assert!(told(1, Some(&cut)).contains("no heartbeat is quick enough"));
    }
}
