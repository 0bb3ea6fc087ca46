//! What a channel has found out about the place that it dials, and its settings don't say. It is the only thing that
//! outlives a channel's task: whoever starts another one for the same user at the same place hands it over, for the
//! server doesn't forget either when a setting changes or a doctor has a look.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::time::Instant;

use crate::ghosts::Ghosts;
use crate::idle::Idle;

/// See the module. Clones are the same memory; a new one knows nothing.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    zero: OnceLock<Instant>,
    known: Mutex<Known>,
}

/// All times are on the monotonic clock of [`Memory::zero`].
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Upgrades that the server may still complete (R3).
    pub(crate) ghosts: Ghosts,
    /// How long silence is endured (L5).
    pub(crate) idle: Idle,
}

impl Memory {
    /// The zero of the times in here, which all machines that share it count from.
    pub(crate) fn zero(&self) -> Instant {
        *self.0.zero.get_or_init(Instant::now)
    }

    /// Looks something up, or notes it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.0.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
