//! Whether a server wants its `h` answered (J7). Most take an answer for a message to the application, so none is given until the server has
//! twice in a row broken a link off, without a word, as long after one. (sockjs-tornado does since 2019, over the WebSocket alone, and says nowhere
//! that it will.)

use std::time::Duration;

use crate::address::ChannelUrl;

/// From an `h` to such an end. Sooner: it was chance; later: it was something else.
const WAITED: std::ops::Range<Duration> = Duration::from_secs(1)..Duration::from_secs(60);

/// What is known of one place.
#[derive(Debug, Default)]
pub(crate) struct Beats {
    /// Its address, as it may be shown.
    place: String,
    /// How long after an `h` the last link ended, if that may have been for want of an answer.
    ended: Option<Duration>,
    wanted: bool,
}

impl Beats {
    /// From now on links go there: what is known of another place is forgotten.
    pub(crate) fn go_to(&mut self, url: &ChannelUrl) {
        let place = url.to_string();
        if self.place != place {
            *self = Self { place, ..Self::default() };
        }
    }

    /// Whether an `h` is to be answered.
    pub(crate) fn are_answered(&self) -> bool {
        self.wanted
    }

    /// A link was broken off so long after an `h` behind which nothing came, or `None`: it ended otherwise. Whether that was for want of an
    /// answer.
    pub(crate) fn ended(&mut self, after: Option<Duration>) -> bool {
        let after = after.filter(|after| WAITED.contains(after));
        let before = std::mem::replace(&mut self.ended, after);
        let (Some(after), Some(before)) = (after, before) else { return false };
        // Where an answer doesn't help, it was something else.
        self.wanted = !self.wanted && after.abs_diff(before) <= before / 5;
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_links_that_end_as_long_after_a_beat_tell_that_it_wants_an_answer() {
        let secs = |secs: f64| Some(Duration::from_secs_f64(secs));
        for (ends, wanted) in [
            (&[secs(10.0), secs(10.4)][..], true),
            (&[secs(10.0)], false),
            (&[secs(10.0), secs(20.0)], false),
            (&[secs(10.0), None, secs(10.0)], false),
            (&[secs(0.2), secs(0.2)], false),
            (&[secs(100.0), secs(100.0)], false),
            // It didn't help.
            (&[secs(10.0), secs(10.0), secs(10.0)], false),
        ] {
            let mut beats = Beats::default();
            for end in ends {
                beats.ended(*end);
            }
            assert_eq!(beats.are_answered(), wanted, "{ends:?}");
        }
        let mut beats = Beats { wanted: true, ..Beats::default() };
        beats.go_to(&ChannelUrl::parse("wss://shop.example/ws", false).expect("a good URL"));
        assert!(!beats.are_answered());
    }
}
