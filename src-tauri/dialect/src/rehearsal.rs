//! A dialogue tried on frames that were pasted, before a server is spoken to: what it would make of each.

use std::sync::Arc;

use crate::{Dialect, Dialogue, Framing, Given, Reply, Step};

/// Frames of one rehearsal; more are passed over. A conversation of that length shows all that rules can mean.
const MOST_FRAMES: usize = 200;
/// What STOMP's servers begin a frame with (STOMP 1.2, "Server Frames").
const STOMP_COMMANDS: [&str; 4] = ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"];
/// Begins the line that stands for a close frame.
const CLOSE: &str = "close ";
/// Begins the line that stands for what was asked over HTTP.
const ANSWER: &str = "answer ";

/// One thing that happens, and what the dialogue makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What was heard; `None`: the link has just opened.
    pub heard: Option<String>,
    /// What follows; a frame that no rule takes is a message as it stands.
    pub reply: Reply,
    /// It is a close frame: the link is over.
    pub ends: bool,
}

/// What the dialogue makes of these frames, one on each line. Blank lines set frames of several lines apart; a line
/// `close 4001 reason` is a close frame, and one `answer …` is what was asked over HTTP.
#[must_use]
pub fn rehearse(dialogue: &Arc<Dialogue>, given: Given, sample: &str) -> Vec<Turn> {
    let mut talk = Dialect::Dialogue(Arc::clone(dialogue)).talk(given);
    let mut turns = vec![Turn { heard: None, reply: talk.open(), ends: false }];
    for frame in frames(dialogue.framing, sample).into_iter().take(MOST_FRAMES) {
        let closed = close(&frame);
        let reply = match &closed {
            Some((code, reason)) => {
                Reply { steps: talk.closed(*code, reason).into_iter().collect(), ..Reply::default() }
            }
            None => match frame.strip_prefix(ANSWER) {
                Some(body) => talk.answered(body),
                None => talk
                    .hear(&frame)
                    .unwrap_or_else(|| Reply { messages: vec![frame.clone()], ..Reply::default() }),
            },
        };
        let ends = closed.is_some()
            || reply
                .steps
                .iter()
                .any(|step| matches!(step, Step::Refused(_) | Step::Replaced | Step::Foreign));
        turns.push(Turn { heard: Some(frame), reply, ends });
    }
    turns
}

/// The code and reason of the line that stands for a close frame.
fn close(line: &str) -> Option<(u16, &str)> {
    let rest = line.strip_prefix(CLOSE)?.trim();
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((code.parse().ok()?, reason.trim()))
}

/// The frames of a text that was pasted.
fn frames(framing: Framing, sample: &str) -> Vec<String> {
    let sample = sample.replace("\r\n", "\n");
    if framing == Framing::Stomp {
        return stomp(&sample);
    }
    let sample = sample.trim_matches('\n');
    if sample.trim().is_empty() {
        return Vec::new();
    }
    // One JSON text over several lines.
    if serde_json::from_str::<serde::de::IgnoredAny>(sample).is_ok() {
        return vec![sample.to_owned()];
    }
    let paragraphs = paragraphs(sample);
    match &paragraphs[..] {
        [_] => sample.lines().map(str::to_owned).collect(),
        _ => paragraphs,
    }
}

/// What blank lines set apart.
fn paragraphs(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let parts = lines.split(|line| line.trim().is_empty());
    parts.filter(|part| !part.is_empty()).map(|part| part.join("\n")).collect()
}

/// A frame of STOMP has a blank line in it and ends in a NUL, which many a paste loses.
fn stomp(text: &str) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    for part in text.replace("^@", "\0").split('\0') {
        let mut begun = false;
        for line in part.trim_start_matches('\n').lines() {
            let starts = STOMP_COMMANDS.contains(&line) || close(line).is_some();
            match frames.last_mut().filter(|_| begun && !starts) {
                Some(frame) => {
                    frame.push('\n');
                    frame.push_str(line);
                }
                None => frames.push(line.to_owned()),
            }
            begun = true;
        }
    }
    // The blank line behind the headers is lost as well where there is no body.
    let whole = |frame: String| {
        let told = frame.trim_end_matches('\n');
        match (close(told), told.contains("\n\n")) {
            (Some(_), _) => told.to_owned(),
            (None, true) => format!("{told}\0"),
            (None, false) => format!("{told}\n\n\0"),
        }
    };
    frames.into_iter().filter(|frame| !frame.trim().is_empty()).map(whole).collect()
}

#[cfg(test)]
mod tests;
