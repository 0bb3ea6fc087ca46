//! Until when popups are held back: the tray's choices, and what one types after `tidings pause`.

use jiff::civil::Time;
use jiff::{Timestamp, Zoned};
use tidings_ground::text::quoted;
use tidings_words::Text;

/// What is typed: nothing, a duration, `until HH:MM`, or `off` (`None`).
pub(crate) fn parse(words: &[String], now: &Zoned) -> Result<Option<Timestamp>, Text> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Ok(Some(Timestamp::MAX)),
        ["off"] => Ok(None),
        ["until", time] => next(time, now).map(Some).ok_or_else(|| Text::cli_pause_no_time(&quoted(time))),
        [duration] => humantime::parse_duration(duration)
            .ok()
            .and_then(|duration| now.timestamp().checked_add(duration).ok())
            .map(Some)
            .ok_or_else(|| Text::cli_pause_no_duration(&quoted(duration))),
        _ => Err(Text::cli_pause_usage()),
    }
}

/// The next moment at which the clock shows this time of day.
fn next(time: &str, now: &Zoned) -> Option<Timestamp> {
    let time = Time::strptime("%H:%M", time).ok()?;
    [now.date(), now.date().tomorrow().ok()?]
        .into_iter()
        .filter_map(|day| day.to_datetime(time).to_zoned(now.time_zone().clone()).ok())
        .map(|moment| moment.timestamp())
        .find(|moment| *moment > now.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-03-01T14:02:31+09:00[+09:00]".parse().unwrap()
    }

    fn typed(words: &str) -> Result<Option<String>, String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let until = parse(&words, &now()).map_err(|message| message.to_string())?;
        Ok(until.map(|until| until.to_zoned(now().time_zone().clone()).strftime("%d %H:%M").to_string()))
    }

    #[test]
    fn what_is_typed_is_a_duration_a_time_of_day_or_off() {
        assert_eq!(typed("1h").unwrap().unwrap(), "01 15:02");
        assert_eq!(typed("30m").unwrap().unwrap(), "01 14:32");
        assert_eq!(typed("until 18:30").unwrap().unwrap(), "01 18:30");
        assert_eq!(typed("until 08:00").unwrap().unwrap(), "02 08:00");
        assert_eq!(typed("until 14:02").unwrap().unwrap(), "02 14:02");
        assert_eq!(typed("off").unwrap(), None);
        assert_eq!(parse(&[], &now()).unwrap(), Some(Timestamp::MAX));
    }

    #[test]
    fn anything_else_is_answered_with_what_to_write() {
        for wrong in ["soon", "60", "until", "until noon", "until 25:00", "1h 2h", "99999999999999h"] {
            let told = typed(wrong).unwrap_err();
            assert!(told.contains("tidings pause"), "{wrong}: {told}");
        }
    }
}
