//! The steps that need a link: the upgrade, the first ping, and how long silence is endured.

use std::time::Duration;

use tidings_api::Step;
use tidings_channel::{
    Cause, Channel, Config, DialAsk, DialParams, DialRefusal, Frame, Heartbeat, Liveness, Owner, PeerCheck,
    Start, State, Status,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Told;
use super::step::{bad, failed, good, noted};

/// An interval may be this part of the silence that a link survives: the settings' own rule.
const SAFE: (u32, u32) = (2, 3);

/// One that gives every dial the same.
struct Same(DialParams);

impl Owner for Same {
    async fn dial_params(&mut self, _: DialAsk) -> Result<DialParams, DialRefusal> {
        Ok(self.0.clone())
    }
}

/// Upgrades, and waits until it is known whether the server answers pings.
pub(super) async fn upgrade(config: Config, params: DialParams, told: &mut Told) {
    let pings = !config.liveness.ping_after().is_zero();
    let began = Instant::now();
    let (channel, _frames) = Channel::spawn(config.clone(), Start::Connect, Same(params));
    let mut status = channel.status();
    match opened(&mut status).await {
        Err(cause) => told.tell(failed("upgrade", began.elapsed(), &cause, &config)).await,
        Ok(()) => {
            let step = good("upgrade", Some(began.elapsed()), "the server takes the channel");
            told.tell(step).await;
            let step = match pings {
                true => pong(&mut status, &config).await,
                false => noted(good("ping", None, "not tried: liveness.ping_after is 0s")),
            };
            told.tell(step).await;
        }
    }
    channel.shut_down().await;
}

async fn pong(status: &mut watch::Receiver<Status>, config: &Config) -> Step {
    let began = Instant::now();
    loop {
        let now = status.borrow_and_update().clone();
        if let Some(cause) = over(&now.state) {
            return failed("ping", began.elapsed(), &cause, config);
        }
        match now.peer {
            PeerCheck::Unknown => {}
            PeerCheck::Answers => {
                return good("ping", now.rtt, "the server answers pings, so its death is noticed");
            }
            PeerCheck::CannotBeChecked => {
                let detail = "the server answers no pings, so a dead link can't be told from a silent one";
                let mend =
                    "let the server, or the proxy in front of it, answer WebSocket pings (RFC 6455, 5.5.2)";
                return noted(bad("ping", Some(began.elapsed()), detail, mend));
            }
        }
        if status.changed().await.is_err() {
            return failed("ping", began.elapsed(), &Cause::Local, config);
        }
    }
}

/// Opens a link that says nothing, and waits for its end, at most `max` of silence.
pub(super) async fn idle(config: Config, params: DialParams, max: Duration, told: &mut Told) {
    let silent = |config: Config| {
        let heartbeat = Heartbeat::new("", config.heartbeat.interval(), config.heartbeat.proxy_timeout());
        let liveness = Liveness::new(Duration::ZERO, config.liveness.deadline());
        Some(Config { heartbeat: heartbeat.ok()?, liveness: liveness.ok()?, ..config })
    };
    let Some(config) = silent(config) else { return };
    let (channel, mut frames) = Channel::spawn(config.clone(), Start::Connect, Same(params));
    let mut status = channel.status();
    let step = match opened(&mut status).await {
        Err(cause) => failed("idle", Duration::ZERO, &cause, &config),
        Ok(()) => {
            let began = Instant::now();
            let (silence, end) = silence(&mut status, &mut frames, max).await;
            match end {
                Some(cause @ Cause::Local) => failed("idle", began.elapsed(), &cause, &config),
                end => advice(silence, end.as_ref()),
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
fn advice(silence: Duration, end: Option<&Cause>) -> Step {
    let seconds = silence.as_secs_f64().round();
    let Some(cause) = end else {
        let detail = format!("a silent link lives {seconds} s and longer");
        return good("idle", None, detail);
    };
    let detail = format!("a silent link is ended after {seconds} s: {cause}");
    let interval = (silence * SAFE.0 / SAFE.1).as_secs();
    if interval >= Heartbeat::default().interval().as_secs() {
        return good("idle", None, detail + "; the default heartbeat of 60s is quicker");
    }
    let mend = match interval {
        0 => "no heartbeat is quick enough: ask who runs the server why it ends links".to_owned(),
        _ => format!(
            "write heartbeat = {{ interval = \"{interval}s\", proxy_timeout = \"{}s\" }} into the channel's settings",
            silence.as_secs()
        ),
    };
    noted(bad("idle", None, detail, mend))
}

/// Waits for the first dial's end.
async fn opened(status: &mut watch::Receiver<Status>) -> Result<(), Cause> {
    loop {
        let state = status.borrow_and_update().state.clone();
        match &state {
            State::Connected { .. } => return Ok(()),
            // Before the first dial there is a short delay.
            State::Waiting { cause: Cause::Local, .. } | State::Connecting { .. } => {}
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
        State::Replaced { .. } => {
            Some(Cause::Closed(tidings_channel::CloseInfo { code: 4500, reason: String::new() }))
        }
        State::Disconnected { .. } => Some(Cause::Local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seconds: u64, end: Option<&Cause>) -> String {
        serde_json::to_string(&advice(Duration::from_secs(seconds), end)).expect("JSON")
    }

    #[test]
    fn the_proposed_heartbeat_is_one_that_the_settings_take() {
        let cut = Cause::Lost { detail: "end of stream".to_owned() };
        assert!(told(30, Some(&cut)).contains(r#"interval = \"20s\", proxy_timeout = \"30s\""#));
        let (interval, timeout) = (Duration::from_secs(20), Duration::from_secs(30));
        assert!(Heartbeat::new("HeartBeat", interval, timeout).is_ok());
        assert!(told(90, Some(&cut)).contains("the default heartbeat of 60s is quicker"));
        assert!(told(150, None).contains("lives 150 s and longer"));
        assert!(told(1, Some(&cut)).contains("no heartbeat is quick enough"));
    }
}
