//! How each channel did over the last day: noted as it happens, told to the window's page of health.
//!
//! Notes wait in memory and go to the inbox's file with the next change of state, or a few minutes after the first
//! of them: nothing wakes for it. Every run begins with [`Fact::Begin`]; where a run has no [`Fact::End`] it was killed,
//! and what it was doing counts up to its last sign of life.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidings_api::{Band, HealthReport, LinkReport, RoundTrip, StateName};
use tidings_channel::{Cause, Pulse, State, Status};
use tidings_inbox::{Inbox, Note};
use tidings_state::snapshot::{state_line, timestamp};
use tidings_words::Words;

/// The close code of a take-over, by which the page knows one.
const REPLACED: u16 = 4500;
/// What is told.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Signs of life are noted this far apart at least. Too low: a day's notes are many; too high: a kill leaves that much
/// untold.
const SIGNS: SignedDuration = SignedDuration::from_secs(55);

/// Signs of life wait for the file at most so long, while any come. Too low: the disk is woken for little; too high: a
/// kill forgets that much.
const WAIT: SignedDuration = SignedDuration::from_mins(5);

/// Points of the plot: one for each five minutes.
const POINTS: i64 = 288;

/// Links that are told.
const LINKS: usize = 100;

/// What a note says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Fact {
    /// Tidings began to hold the channel, or the machine woke.
    Begin,
    /// Tidings ended or let go of the channel, or the machine fell asleep.
    End,
    /// The channel came into this state.
    State {
        state: StateName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// Close code, where a close frame brought it here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
    /// A ping was answered after so many milliseconds.
    RoundTrip { ms: f64 },
    /// A heartbeat was sent.
    Heartbeat,
}

/// Notes what channels do; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    inbox: Inbox,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Not handed to the inbox yet.
    notes: Vec<Note>,
    known: HashMap<String, Known>,
}

/// What was noted last of a channel.
#[derive(Debug)]
struct Known {
    state: Option<Fact>,
    sign: Timestamp,
    heartbeat: Option<Timestamp>,
}

impl Health {
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self { inbox, kept: Arc::default() }
    }

    /// A channel's status may have changed.
    pub(crate) fn look(&self, channel: &str, status: &Status, words: Words) {
        let now = Timestamp::now();
        let line = state_line(channel, &status.state, now, words);
        let (cause, code) = match &status.state {
            State::Waiting { cause, .. } | State::NeedsUser { cause, .. } => {
                // The page's words for 4500 are for a take-over.
                let code = if let Cause::Closed(close) = cause { Some(close.code) } else { None };
                (line.cause, code.filter(|code| *code != REPLACED))
            }
            State::Replaced { .. } => {
                let code = status.last_close.as_ref().map_or(REPLACED, |close| close.code);
                (Some(words.cause_close(&code, &words.cause_close_4500())), Some(code))
            }
            State::Disconnected { .. } => (Some(words.health_disconnected()), None),
            State::Connecting { .. } | State::Connected { .. } => (None, None),
        };
        let at = match line.state {
            // The channel knows since when.
            StateName::Connected => line.since,
            StateName::Disconnected
            | StateName::Connecting
            | StateName::Waiting
            | StateName::Replaced
            | StateName::NeedsUser => now,
        };
        let fact = Fact::State { state: line.state, cause, code };
        let mut kept = self.kept();
        let first = !kept.known.contains_key(channel);
        if first {
            kept.note(channel, now, &Fact::Begin);
        }
        let at = if first { now } else { at };
        if kept.known.get(channel).is_some_and(|known| known.state.as_ref() == Some(&fact)) {
            return;
        }
        kept.note(channel, at, &fact);
        self.hand_over(&mut kept);
    }

    /// A round trip was measured or a heartbeat sent.
    pub(crate) fn feel(&self, channel: &str, pulse: Pulse) {
        let now = Timestamp::now();
        let mut kept = self.kept();
        let Some(known) = kept.known.get_mut(channel) else { return };
        let heartbeat = pulse.heartbeat.map(timestamp);
        let beat = std::mem::replace(&mut known.heartbeat, heartbeat) != heartbeat;
        if now.duration_since(known.sign).abs() < SIGNS {
            return;
        }
        let fact = match pulse.rtt.filter(|_| !beat) {
            Some(rtt) => Fact::RoundTrip { ms: (rtt.as_secs_f64() * 1e5).round() / 100.0 },
            None => Fact::Heartbeat,
        };
        kept.note(channel, now, &fact);
        if kept.notes.first().is_some_and(|first| now.duration_since(first.at) > WAIT) {
            self.hand_over(&mut kept);
        }
    }

    /// The machine slept until now.
    pub(crate) fn slept(&self, slept: Duration) {
        let now = Timestamp::now();
        let mut kept = self.kept();
        let states: Vec<(String, Option<Fact>)> =
            kept.known.iter().map(|(channel, known)| (channel.clone(), known.state.clone())).collect();
        for (channel, state) in states {
            kept.note(&channel, now.checked_sub(slept).unwrap_or(now), &Fact::End);
            kept.note(&channel, now, &Fact::Begin);
            if let Some(state) = state {
                kept.note(&channel, now, &state);
            }
        }
        self.hand_over(&mut kept);
    }

    /// These channels are no longer held, or none is without names.
    pub(crate) fn end(&self, gone: Option<&[String]>) {
        let now = Timestamp::now();
        let mut kept = self.kept();
        let known: Vec<String> = kept.known.keys().cloned().collect();
        for channel in known.iter().filter(|channel| gone.is_none_or(|gone| gone.contains(channel))) {
            kept.note(channel, now, &Fact::End);
            kept.known.remove(channel);
        }
        self.hand_over(&mut kept);
    }

    /// The last day of a channel.
    pub(crate) async fn report(&self, channel: String, words: Words) -> HealthReport {
        let last_heartbeat = {
            let mut kept = self.kept();
            self.hand_over(&mut kept);
            kept.known.get(&channel).and_then(|known| known.heartbeat)
        };
        let notes = self.inbox.journal(&channel).await;
        let to = Timestamp::now();
        HealthReport { last_heartbeat, ..told(channel, &notes, to, words) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hand_over(&self, kept: &mut Kept) {
        let notes = std::mem::take(&mut kept.notes);
        if !notes.is_empty() {
            self.inbox.note(notes);
        }
    }
}

impl Kept {
    fn note(&mut self, channel: &str, at: Timestamp, fact: &Fact) {
        let lasting = match fact {
            Fact::Begin | Fact::End | Fact::State { .. } => true,
            Fact::RoundTrip { .. } | Fact::Heartbeat => false,
        };
        let known = self.known.entry(channel.to_owned()).or_insert_with(|| Known {
            state: None,
            sign: Timestamp::MIN,
            heartbeat: None,
        });
        match fact {
            Fact::State { .. } => known.state = Some(fact.clone()),
            Fact::RoundTrip { .. } | Fact::Heartbeat => known.sign = at,
            Fact::Begin | Fact::End => {}
        }
        let data = serde_json::to_string(fact).unwrap_or_default();
        self.notes.push(Note { channel: channel.to_owned(), at, lasting, data });
    }
}

/// What notes say of the day before `to`.
fn told(channel: String, notes: &[Note], to: Timestamp, words: Words) -> HealthReport {
    let from = to.checked_sub(DAY).unwrap_or(to);
    let mut story = Story::default();
    let mut last = from;
    let mut points: Vec<RoundTrip> = Vec::new();
    for note in notes {
        // What another version noted is passed over.
        let Ok(fact) = serde_json::from_str(&note.data) else { continue };
        match fact {
            Fact::Begin => story.close(last, Some(words.health_gone()), None),
            Fact::End => story.close(note.at, Some(words.health_quit()), None),
            Fact::State { state, cause, code } => {
                story.close(note.at, cause.clone(), code);
                story.open(note.at, state, cause);
            }
            Fact::RoundTrip { ms } => {
                if note.at >= from {
                    plot(&mut points, from, RoundTrip { at: note.at, ms });
                }
            }
            Fact::Heartbeat => {}
        }
        last = note.at;
    }
    story.end(to);
    let Story { mut bands, mut links, .. } = story;
    for band in &mut bands {
        band.from = band.from.max(from);
        band.to = band.to.min(to);
    }
    bands.retain(|band| band.from < band.to);
    let mut back = None;
    for link in links.iter_mut().rev() {
        link.back = back;
        back = Some(link.opened);
    }
    links.retain(|link| link.ended.is_none_or(|ended| ended >= from));
    let links = links.split_off(links.len().saturating_sub(LINKS));
    HealthReport { channel, from, to, bands, round_trips: points, links, last_heartbeat: None }
}

/// Of the round trips of one point the longest is kept: it is what one felt.
fn plot(points: &mut Vec<RoundTrip>, from: Timestamp, new: RoundTrip) {
    let point = |at: Timestamp| at.duration_since(from).as_secs() / (DAY.as_secs() / POINTS);
    match points.last_mut() {
        Some(last) if point(last.at) == point(new.at) => {
            if new.ms > last.ms {
                *last = new;
            }
        }
        Some(_) | None => points.push(new),
    }
}

#[derive(Default)]
struct Story {
    bands: Vec<Band>,
    links: Vec<LinkReport>,
    /// The last band goes on.
    goes_on: bool,
}

impl Story {
    fn open(&mut self, at: Timestamp, state: StateName, cause: Option<String>) {
        // The clock may have been put back.
        let at = self.bands.last().map_or(at, |band| band.to.max(at));
        self.bands.push(Band { from: at, to: at, state, cause });
        self.goes_on = true;
        if state == StateName::Connected {
            self.links.push(LinkReport { opened: at, ended: None, cause: None, code: None, back: None });
        }
    }

    fn close(&mut self, at: Timestamp, cause: Option<String>, code: Option<u16>) {
        if !std::mem::take(&mut self.goes_on) {
            return;
        }
        let Some(band) = self.bands.last_mut() else { return };
        band.to = at.max(band.from);
        if let Some(link) = self.links.last_mut().filter(|link| link.ended.is_none()) {
            (link.ended, link.cause, link.code) = (Some(band.to), cause, code);
        }
    }

    fn end(&mut self, now: Timestamp) {
        if self.goes_on
            && let Some(band) = self.bands.last_mut()
        {
            band.to = now.max(band.from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StateName::{Connected, Connecting, Waiting};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).expect("a time")
    }

    fn note(minutes: i64, fact: &Fact) -> Note {
        let data = serde_json::to_string(fact).expect("JSON");
        Note { channel: "orders".to_owned(), at: at(minutes), lasting: true, data }
    }

    fn state(state: StateName, cause: Option<(&str, u16)>) -> Fact {
        Fact::State {
            state,
            cause: cause.map(|(text, _)| text.to_owned()),
            code: cause.map(|(_, code)| code),
        }
    }

    fn report(notes: &[Note], to: i64) -> HealthReport {
        told("orders".to_owned(), notes, at(to), Words::default())
    }

    fn bands(report: &HealthReport) -> Vec<(i64, i64, StateName)> {
        let minutes = |time: Timestamp| time.duration_since(at(0)).as_secs() / 60;
        report.bands.iter().map(|band| (minutes(band.from), minutes(band.to), band.state)).collect()
    }

    #[test]
    fn a_restart_of_the_server_is_told_with_its_cause_and_when_it_was_over() {
        let restart = state(Waiting, Some(("server restarting (1012)", 1012)));
        let report = report(
            &[
                note(0, &Fact::Begin),
                note(0, &state(Connecting, None)),
                note(1, &state(Connected, None)),
                note(5, &restart),
                note(6, &state(Connecting, None)),
                note(7, &state(Connected, None)),
            ],
            10,
        );
        let wanted =
            [(0, 1, Connecting), (1, 5, Connected), (5, 6, Waiting), (6, 7, Connecting), (7, 10, Connected)];
        assert_eq!(bands(&report), wanted);
        let [first, second] = report.links.as_slice() else { panic!("two links: {:?}", report.links) };
        assert_eq!((first.opened, first.ended, first.back), (at(1), Some(at(5)), Some(at(7))));
        assert_eq!((first.cause.as_deref(), first.code), (Some("server restarting (1012)"), Some(1012)));
        assert_eq!((second.opened, second.ended, second.back), (at(7), None, None));
    }

    #[test]
    fn times_without_tidings_are_told_as_nothing() {
        let connected = state(Connected, None);
        let notes = [
            note(0, &Fact::Begin),
            note(0, &connected),
            note(3, &Fact::RoundTrip { ms: 4.0 }),
            // Killed: the last sign of life counts.
            note(10, &Fact::Begin),
            note(10, &connected),
            note(15, &Fact::End),
            note(20, &Fact::Begin),
            note(20, &connected),
        ];
        let report = report(&notes, 25);
        assert_eq!(bands(&report), [(0, 3, Connected), (10, 15, Connected), (20, 25, Connected)]);
        let causes: Vec<Option<&str>> = report.links.iter().map(|link| link.cause.as_deref()).collect();
        let words = Words::default();
        assert_eq!(causes, [Some(words.health_gone().as_str()), Some(words.health_quit().as_str()), None]);
    }

    #[test]
    fn a_day_is_told_and_no_more() {
        let day = 24 * 60;
        let mut notes = vec![note(-2 * day, &Fact::Begin), note(-2 * day, &state(Connected, None))];
        notes
            .extend((0..day).map(|minute| {
                note(minute, &Fact::RoundTrip { ms: if minute % 5 == 0 { 7.0 } else { 4.0 } })
            }));
        let report = report(&notes, day);
        assert_eq!(bands(&report), [(0, day, Connected)]);
        assert_eq!(report.links[0].opened, at(-2 * day), "a link is told from its opening");
        assert_eq!(report.round_trips.len(), 288);
        assert!(report.round_trips.iter().all(|point| point.ms > 4.0), "of each five minutes the longest");
    }

    #[test]
    fn a_clock_put_back_makes_no_band_run_backwards() {
        let notes = [
            note(5, &Fact::Begin),
            note(5, &state(Connected, None)),
            note(2, &state(Waiting, None)),
            note(3, &state(Connected, None)),
        ];
        let report = report(&notes, 9);
        assert!(report.bands.iter().all(|band| band.from < band.to), "{report:?}");
        assert!(report.bands.windows(2).all(|pair| pair[0].to <= pair[1].from), "{report:?}");
    }
}
