//! What the machine publishes of itself.

use super::{Machine, Phase};
use crate::{IdleLimit, State, Status};

/// Ends in a row that waiting hardly mends, from which they are shown as an error. Too low: a deploy's moment of
/// 404 alarms people; too high: a mistyped address looks like a busy server.
pub(super) const IN_VAIN: u32 = 3;
impl Machine {
    /// What to publish.
    pub(crate) fn status(&self) -> Status {
        Status {
            state: self.state(),
            generation: self.generation,
            links_opened: self.links_opened,
            links_closed: self.links_closed,
            last_close: self.last_close.clone(),
            rtt: self.rtt,
            last_inbound: self.last_inbound,
            peer: self.peer,
            carrier: self.ways.carrier(),
            instead: self.ways.instead(),
            // The driver knows it.
            route: None,
            persistent: self.in_vain >= IN_VAIN,
            idle_limit: self.idle_limit(),
            session_life: self.config.memory.look(|known| known.session.life()),
            braked: self.delays.is_braked(&self.config.timing),
            caught_up: self.caught_up(),
            v1_refused: self.config.memory.look(|known| known.offer.is_refused()),
        }
    }

    fn idle_limit(&self) -> Option<IdleLimit> {
        let limit = self.config.memory.look(|known| known.idle.limit()).filter(|limit| limit.learned)?;
        Some(IdleLimit { after: limit.after, kept_awake: limit.sooner() })
    }

    pub(super) fn state(&self) -> State {
        if let Some(since) = self.handed_over_since() {
            return State::Connected { since };
        }
        match &self.phase {
            Phase::Disconnected { since } => State::Disconnected { since: *since },
            Phase::Waiting { retry_at, cause, .. } => {
                State::Waiting { retry_at: *retry_at, attempt: self.attempt, cause: cause.clone() }
            }
            Phase::Dialling(dial) => State::Connecting { attempt: self.attempt, stage: dial.stage },
            Phase::Up(up) => match up.conversation.waits() {
                Some(stage) => State::Connecting { attempt: self.attempt, stage },
                None => State::Connected { since: up.since },
            },
            Phase::Replaced { since, .. } => State::Replaced { since: *since },
            Phase::NeedsUser { cause, retry_at, .. } => {
                State::NeedsUser { cause: cause.clone(), retry_at: *retry_at }
            }
            Phase::Stopped(state) => state.clone(),
        }
    }
}
