//! From when on messages are told: `tail --since`.

use jiff::civil::Time;
use jiff::{Timestamp, Zoned};
use tidings_api::HistoryQuery;

/// `--since`: where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Since {
    /// A time, or so long ago.
    Time(Timestamp),
    /// The message of this id.
    Id(String),
}

impl Since {
    /// A duration, a time or a time of day; what is none of these is an id.
    pub(crate) fn parse(text: &str) -> Self {
        Self::at(text, &Zoned::now())
    }

    fn at(text: &str, now: &Zoned) -> Self {
        let ago = humantime::parse_duration(text).ok().and_then(|ago| now.timestamp().checked_sub(ago).ok());
        let time = ago.or_else(|| text.parse().ok()).or_else(|| last(text, now));
        time.map_or_else(|| Self::Id(text.to_owned()), Self::Time)
    }

    pub(crate) fn ask(&self, query: &mut HistoryQuery) {
        match self {
            Self::Time(time) => {
                query.since = Some(*time);
                query.after = Some(0);
            }
            Self::Id(id) => query.after_id = Some(id.clone()),
        }
    }
}

/// The last moment at which the clock showed this time of day.
fn last(time: &str, now: &Zoned) -> Option<Timestamp> {
    let time = Time::strptime("%H:%M", time).ok()?;
    [now.date(), now.date().yesterday().ok()?]
        .into_iter()
        .filter_map(|day| day.to_datetime(time).to_zoned(now.time_zone().clone()).ok())
        .map(|moment| moment.timestamp())
        .find(|moment| *moment <= now.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_duration_a_time_or_else_an_id() {
        let now: Zoned = "2026-03-01T14:02:31+09:00[+09:00]".parse().unwrap();
        let time = |time: &str| Since::Time(time.parse().unwrap());
        for (text, since) in [
            ("1h", time("2026-03-01T13:02:31+09:00")),
            ("2h 30m", time("2026-03-01T11:32:31+09:00")),
            ("2026-02-28T00:00:00Z", time("2026-02-28T00:00:00Z")),
            ("14:02", time("2026-03-01T14:02:00+09:00")),
            ("14:03", time("2026-02-28T14:03:00+09:00")),
            ("41", Since::Id("41".to_owned())),
            ("order-17", Since::Id("order-17".to_owned())),
            ("99999999999999h", Since::Id("99999999999999h".to_owned())),
        ] {
            assert_eq!(Since::at(text, &now), since, "{text}");
        }
    }
}
