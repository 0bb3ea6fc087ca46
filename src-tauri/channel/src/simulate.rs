//! One client in invented time, for `examples/fleet.rs`: the real [`Machine`], with the caller as its clock,
//! socket and server. Behind the feature `simulate`, and no part of the public surface.

use std::fmt;
use std::time::{Duration, SystemTime};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tidings_dialect::Given;

use crate::machine::Machine;
use crate::machine::facts::{End, Input, Now, Output, Proof};
use crate::{Cause, CloseInfo, Config, Detail, Start};

/// A client whose link is up.
pub struct Client(Machine);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0).finish()
    }
}

/// How long the link has been up before anything happens: long enough to be stable.
pub const UP: Duration = Duration::from_secs(600);

impl Client {
    /// A client that connected [`UP`] before now and has heard its server since. `seed` makes its luck.
    pub fn connected(config: &Config, seed: u64, now: Duration) -> Self {
        let began = now.saturating_sub(UP);
        let rng = SmallRng::seed_from_u64(seed);
        let mut client =
            Self(Machine::new(std::sync::Arc::new(config.clone()), Start::Connect, rng, at(began)));
        let dialled = client.next_dial(began).unwrap_or(began);
        client.dialled(true, dialled);
        let generation = client.0.status().generation;
        client.give(Input::Bytes { generation }, now);
        client
    }

    /// The server ends the link: by a close frame with this code, or without a word. Returns when the client
    /// dials again.
    pub fn lose(&mut self, code: Option<u16>, now: Duration) -> Option<Duration> {
        let generation = self.0.status().generation;
        let end = match code {
            Some(code) => End::Closed(CloseInfo { code, reason: String::new() }),
            None => End::Lost { detail: Detail::Reset },
        };
        self.give(Input::Ended { generation, end }, now);
        if code.is_some() {
            self.give(Input::Gone { generation }, now);
        }
        self.next_dial(now)
    }

    /// The dial has ended so. Returns when the client dials again, if it failed.
    pub fn dialled(&mut self, well: bool, now: Duration) -> Option<Duration> {
        let generation = self.0.status().generation;
        if well {
            self.give(Input::Opened { generation, given: Given::default(), proof: Proof::Pings }, now);
            return None;
        }
        let cause = Cause::Unreachable { detail: Detail::Refused };
        self.give(Input::DialFailed { generation, cause, retry_after: None, elsewhere: false }, now);
        self.next_dial(now)
    }

    fn next_dial(&mut self, mut now: Duration) -> Option<Duration> {
        loop {
            now = self.0.deadline()?.max(now);
            if self.give(Input::Time, now) {
                return Some(now);
            }
        }
    }

    /// Whether it dials now.
    fn give(&mut self, input: Input, now: Duration) -> bool {
        self.0.handle(input, at(now));
        let mut dials = false;
        while let Some(output) = self.0.poll_output() {
            dials |= matches!(output, Output::Dial { .. });
        }
        dials
    }
}

fn at(mono: Duration) -> Now {
    Now { mono, wall: SystemTime::UNIX_EPOCH + mono }
}
