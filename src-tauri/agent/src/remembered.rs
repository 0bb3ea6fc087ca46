//! What outlives the agent beside the inbox: which channels are off or replaced and what they found out, the pause, and that
//! the desktop was told to start Tidings at login.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tidings_channel::Kept;
use tidings_ground::file::replace;
use tidings_ground::reason::SystemError;

/// The file's content, kept in step with the file.
#[derive(Debug)]
pub(crate) struct Remembered {
    path: PathBuf,
    content: Content,
    /// Why the file is not in step.
    behind: Option<SystemError>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    /// By channel id; a channel that is not here connects at start.
    channels: BTreeMap<String, Quiet>,
    /// What was found out about a channel's server, by its id; most are not here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    known: BTreeMap<String, Kept>,
    paused_until: Option<Timestamp>,
    /// What the clock said when that was decided.
    paused_at: Option<Timestamp>,
    login_entry: bool,
}

/// Why a channel does not connect by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quiet {
    /// The user said so.
    Disconnected,
    /// Another instance has the channel since then.
    Replaced(Timestamp),
}

impl Remembered {
    /// Reads the file. One that is damaged counts as empty, with a word in the log: the worst that follows
    /// is a connection too many.
    pub(crate) fn load(path: PathBuf) -> Self {
        let content = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, file = %path.display(), "not understood, so every channel connects; it is written anew");
                Content::default()
            }),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(%error, file = %path.display(), "can't be read, so every channel connects");
                }
                Content::default()
            }
        };
        Self { path, content, behind: None }
    }

    pub(crate) fn channel(&self, id: &str) -> Option<Quiet> {
        self.content.channels.get(id).copied()
    }

    /// `None`: the channel is to be connected.
    pub(crate) fn set_channel(&mut self, id: &str, quiet: Option<Quiet>) {
        if self.channel(id) == quiet {
            return;
        }
        match quiet {
            Some(quiet) => self.content.channels.insert(id.to_owned(), quiet),
            None => self.content.channels.remove(id),
        };
        self.write();
    }

    /// What its last agent knew of a channel's server.
    pub(crate) fn known(&self, id: &str) -> Kept {
        self.content.known.get(id).cloned().unwrap_or_default()
    }

    pub(crate) fn set_known(&mut self, id: &str, known: Kept) {
        if self.known(id) == known {
            return;
        }
        if known == Kept::default() {
            self.content.known.remove(id);
        } else {
            self.content.known.insert(id.to_owned(), known);
        }
        self.write();
    }

    /// Until when it is paused, if the clock shows `now`. One that shows an earlier time than when the pause began was wrong
    /// then: the pause lasts as long as it was to last from now on, and not for ever.
    pub(crate) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        let Content { paused_until, paused_at, .. } = self.content;
        let until = paused_until?;
        match paused_at {
            Some(at) if now < at && until < Timestamp::MAX => {
                Some(now.saturating_add(until.duration_since(at)).unwrap_or(until))
            }
            Some(_) | None => Some(until),
        }
    }

    pub(crate) fn set_paused_until(&mut self, until: Option<Timestamp>) {
        if self.content.paused_until != until {
            self.content.paused_until = until;
            self.content.paused_at = until.map(|_| Timestamp::now());
            self.write();
        }
    }

    /// Whether the entry for the start at login was made.
    pub(crate) fn login_entry(&self) -> bool {
        self.content.login_entry
    }

    pub(crate) fn set_login_entry(&mut self, made: bool) {
        if self.content.login_entry != made {
            self.content.login_entry = made;
            self.write();
        }
    }

    /// The file, and why it can't be written, after one more try if it could not.
    pub(crate) fn trouble(&mut self) -> Option<(&Path, SystemError)> {
        if self.behind.is_some() {
            self.write();
        }
        self.behind.map(|why| (self.path.as_path(), why))
    }

    fn write(&mut self) {
        self.behind = self.try_write().err().map(|error| (&error).into());
    }

    fn try_write(&self) -> std::io::Result<()> {
        replace(&self.path, &serde_json::to_vec_pretty(&self.content)?)
    }
}

#[cfg(test)]
mod tests {
    use tidings_words::Text;

    use super::*;

    #[test]
    fn what_is_remembered_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remembered.json");
        let mut first = Remembered::load(path.clone());
        let since = Timestamp::from_second(1_700_000_000).unwrap();
        first.set_channel("a", Some(Quiet::Disconnected));
        first.set_channel("b", Some(Quiet::Replaced(since)));
        first.set_channel("c", Some(Quiet::Disconnected));
        first.set_channel("c", None);
        first.set_paused_until(Some(Timestamp::MAX));

        let second = Remembered::load(path);
        assert_eq!(second.channel("a"), Some(Quiet::Disconnected));
        assert_eq!(second.channel("b"), Some(Quiet::Replaced(since)));
        assert_eq!(second.channel("c"), None);
        assert_eq!(second.paused_until(Timestamp::now()), Some(Timestamp::MAX));
    }

    #[test]
    fn what_a_channel_found_out_is_there_until_it_knows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remembered.json");
        let content = r#"{"known": {"a": {
            "ghosts": [{"until": 1800000000, "life": {"secs": 180, "nanos": 0}, "answered": true}],
            "idle": {"place": "wss://shop.example/ws", "after": {"secs": 25, "nanos": 0}, "by": "ping"}
        }}}"#;
        std::fs::write(&path, content).unwrap();
        let mut first = Remembered::load(path.clone());
        let known = first.known("a");
        assert_ne!(known, Kept::default());
        first.set_known("b", known.clone());
        first.set_known("a", Kept::default());
        let second = Remembered::load(path);
        assert_eq!((second.known("a"), second.known("b")), (Kept::default(), known));
    }

    #[test]
    fn what_could_not_be_written_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone/remembered.json");
        let mut first = Remembered::load(path.clone());
        assert_eq!(first.trouble(), None);
        first.set_channel("a", Some(Quiet::Disconnected));
        assert_eq!(first.trouble().unwrap().1.text(), Text::system_not_found());
        std::fs::create_dir(folder.path().join("gone")).unwrap();
        assert_eq!(first.trouble(), None);
        assert_eq!(Remembered::load(path).channel("a"), Some(Quiet::Disconnected));
    }

    #[test]
    fn a_damaged_file_counts_as_empty_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remembered.json");
        std::fs::write(&path, b"{\"channels\": 7").unwrap();
        let mut damaged = Remembered::load(path.clone());
        assert_eq!(damaged.channel("a"), None);
        damaged.set_channel("a", Some(Quiet::Disconnected));
        assert_eq!(Remembered::load(path).channel("a"), Some(Quiet::Disconnected));
    }

    #[test]
    fn a_pause_that_a_fast_clock_began_is_no_longer_than_it_was_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remembered.json");
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let content = r#"{"paused_until": "2027-11-23T13:00:00Z", "paused_at": "2027-11-23T12:00:00Z"}"#;
        std::fs::write(&path, content).unwrap();
        let remembered = Remembered::load(path);
        for (now, until) in [
            ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"),
            ("2027-11-23T12:30:00Z", "2027-11-23T13:00:00Z"),
        ] {
            assert_eq!(remembered.paused_until(at(now)), Some(at(until)), "{now}");
        }
    }
}
