//! Whether `tidings.v1` is offered (V2, V3): to a server that said that it speaks it, and as long as that comes to something.
//!
//! ```text
//!            announced                 failed             opened without
//!   Unheard ───────────> Announced ───────────> Doubted ─────────────────> Announced, or the second time Refused
//!                            ^                     │
//!                            └─────────────────────┘ fails without as well
//! ```

use rand::SeedableRng as _;
use rand::distr::{Alphanumeric, SampleString as _};
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use tidings_dialect::Offered;

use crate::address::ChannelUrl;

/// Characters of the name that a device is known by. Fewer: two of a user's devices might have one name; more: a longer address.
const DEVICE: usize = 16;

/// Links that came to nothing with the offer, and then to something without, until it isn't made any more. Too low: a server that was
/// restarted at that moment is not spoken to properly for as long as the agent lives; too high: one that can't bear it is bothered.
const MOST_STRIKES: u32 = 2;

/// What is known of one place, for the next process: that its server speaks it, and by what it knows us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    place: String,
    device: String,
    speaks: bool,
}

/// What is known of one place.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    /// Its address, as it may be shown.
    place: String,
    /// This installation's name there, once it was told.
    device: String,
    speaks: bool,
    /// The last link with the offer came to nothing: the next one does without.
    doubted: bool,
    strikes: u32,
}

impl Offer {
    /// What another process knew.
    pub(crate) fn recall(kept: Option<&Kept>) -> Self {
        let Some(Kept { place, device, speaks }) = kept.cloned() else { return Self::default() };
        Self { place, device, speaks, ..Self::default() }
    }

    /// What another process has to know.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let Self { place, device, speaks, .. } = self;
        let known = *speaks || !device.is_empty();
        known.then(|| Kept { place: place.clone(), device: device.clone(), speaks: *speaks })
    }

    /// From now on links go there: what is known of another place is forgotten.
    pub(crate) fn go_to(&mut self, url: &ChannelUrl) {
        let place = url.to_string();
        if self.place != place {
            *self = Self { place, ..Self::default() };
        }
    }

    /// Whether the next dial is to make it.
    pub(crate) fn is_made(&self) -> bool {
        self.speaks && !self.doubted && !self.is_refused()
    }

    /// It came to nothing for good.
    pub(crate) fn is_refused(&self) -> bool {
        self.strikes >= MOST_STRIKES
    }

    /// By what the server is to know this installation.
    pub(crate) fn device(&mut self) -> String {
        if self.device.is_empty() {
            self.device = Alphanumeric.sample_string(&mut SmallRng::from_os_rng(), DEVICE);
        }
        self.device.clone()
    }

    /// A link opened; whether the next one is worth opening now, because it is with the offer.
    pub(crate) fn opened(&mut self, said: Offered) -> bool {
        match said {
            // What it says first tells whether that is true.
            Offered::Taken => false,
            Offered::Announced => {
                let doubted = std::mem::take(&mut self.doubted);
                self.strikes += u32::from(doubted);
                self.speaks = true;
                !doubted && self.is_made()
            }
            Offered::Unheard => {
                (self.speaks, self.doubted) = (false, false);
                false
            }
        }
    }

    /// A dial or link came to nothing. What fails without the offer, too, doesn't fail because of it.
    pub(crate) fn failed(&mut self, offered: bool) {
        self.doubted = offered;
    }

    /// The server agreed, and doesn't know to what.
    pub(crate) fn is_unknown(&mut self) {
        (self.speaks, self.doubted) = (false, false);
    }

    /// The server speaks it.
    pub(crate) fn is_spoken(&mut self) {
        (self.doubted, self.strikes) = (false, 0);
    }
}
