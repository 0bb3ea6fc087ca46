//! Watches the settings file for edits, and the files that it names: secrets and certificates.
//!
//! The watch is made anew after every burst of changes, so that a folder or link that was deleted, replaced or pointed
//! elsewhere is no special case. Nothing wakes up while nothing is edited.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_ground::paths::{create_private, short};
use tidings_ground::trail::Trails;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::content::{Content, content};
use crate::error::SettingsError;
use crate::load::read;
use crate::settings::Settings;

/// An edit is over after this much quiet. Too low: half-written files are read; too high: edits seem to do nothing.
const QUIET: Duration = Duration::from_millis(300);

/// … and is read after this long in any case, so that a file that is written all the time is read at all.
const LONGEST_BURST: Duration = Duration::from_secs(3);

/// How long until a watch that could not be set up is tried again. Nothing is watched meanwhile.
const RETRY: Duration = Duration::from_secs(60);

/// What each edit made of the settings; the watch ends when this is dropped.
pub(crate) type Edits = mpsc::Receiver<Edited>;

/// One edit.
#[derive(Debug)]
pub struct Edited {
    /// What the file says now.
    pub settings: Result<Settings, SettingsError>,
    /// Those of the files that it names and named before whose content may be another one.
    pub changed: BTreeSet<PathBuf>,
    /// Somebody waits until that is taken up: for the end of this.
    pub awaited: Option<oneshot::Sender<()>>,
}

/// Makes the watch look at the file at once.
#[derive(Debug, Clone)]
pub struct Look(mpsc::Sender<oneshot::Sender<()>>);

/// The watch's end of a [`Look`].
pub(crate) type Looks = mpsc::Receiver<oneshot::Sender<()>>;

impl Look {
    /// One to keep, and its other end for [`watch`].
    pub fn new() -> (Self, Looks) {
        let (send, looks) = mpsc::channel(1);
        (Self(send), looks)
    }

    /// Returns when what the file says is in force, or the watch is at its end.
    pub async fn now(&self) {
        let (awaited, end) = oneshot::channel();
        if self.0.send(awaited).await.is_ok() {
            // Its end is the word.
            let _ = end.await;
        }
    }
}

/// A file that the settings name, as it was at the last look; `None`: there was none that could be looked at.
type Seen = Option<[i64; 7]>;

/// Reads the settings file and watches it from then on: no edit in between is missed. An edit that changes no
/// byte yields nothing. A folder that doesn't exist is created, for its owner alone. Needs a tokio runtime.
pub fn watch(file: &Path, looks: Looks) -> (Result<Settings, SettingsError>, Edits) {
    let mut watch = Watch { file: file.to_owned(), trails: None, known: Ok(None), named: BTreeMap::new() };
    watch.arm();
    watch.known = content(file);
    let first = read(file, &watch.known);
    watch.look_at_named(&first);
    let (send, edits) = mpsc::channel(1);
    tokio::spawn(async move {
        let gone = send.clone();
        tokio::select! {
            () = gone.closed() => {}
            () = watch.follow(send, looks) => {}
        }
    });
    (first, edits)
}

struct Watch {
    file: PathBuf,
    /// `None`: it could not be set up.
    trails: Option<Trails>,
    known: Content,
    /// Named by the last good settings.
    named: BTreeMap<PathBuf, Seen>,
}

impl Watch {
    async fn follow(mut self, send: mpsc::Sender<Edited>, mut looks: Looks) {
        loop {
            let awaited = tokio::select! {
                Some(awaited) = looks.recv() => Some(awaited),
                () = edit(self.trails.as_ref()) => None,
            };
            // Armed before the read: what is written after the read is told by the new watch.
            self.arm();
            let now = content(&self.file);
            let edited = now != self.known;
            self.known = now;
            let settings = read(&self.file, &self.known);
            let changed = self.look_at_named(&settings);
            if (edited || !changed.is_empty())
                && send.send(Edited { settings, changed, awaited }).await.is_err()
            {
                return;
            }
        }
    }

    /// Which of the files that were named before are others now. Named by wrong settings are those of the last good.
    fn look_at_named(&mut self, settings: &Result<Settings, SettingsError>) -> BTreeSet<PathBuf> {
        let old = std::mem::take(&mut self.named);
        let names = match settings {
            Ok(settings) => settings.files().map(Path::to_owned).collect(),
            Err(_) => old.keys().cloned().collect::<BTreeSet<_>>(),
        };
        self.named = names.into_iter().map(|file| (file, None)).collect();
        if self.named.keys().any(|file| !old.contains_key(file)) {
            self.arm();
        }
        let mut changed = BTreeSet::new();
        for (file, seen) in &mut self.named {
            *seen = look(file);
            if old.get(file).is_some_and(|old| old != seen) {
                changed.insert(file.clone());
            }
        }
        changed
    }

    fn arm(&mut self) {
        // Where it is to be is none of ours then: behind a link that leads nowhere, on a disk that isn't there yet.
        if let Err(error) = create_private(self.file.parent().unwrap_or(Path::new(""))) {
            tracing::debug!(%error, "no folder for the settings file");
        }
        let named = self.named.keys().map(PathBuf::as_path);
        self.trails = match Trails::watch(&std::iter::once(self.file.as_path()).chain(named)) {
            Ok(trails) => Some(trails),
            Err(error) => {
                tracing::warn!(
                    "edits of {} and of what it names are not noticed ({error}); trying again every {} s",
                    short(&self.file).display(),
                    RETRY.as_secs()
                );
                None
            }
        };
    }
}

/// Waits until an edit is over; without a watch, until it is time to try for one.
async fn edit(trails: Option<&Trails>) {
    let Some(trails) = trails else { return sleep(RETRY).await };
    trails.changed().await;
    let end = Instant::now() + LONGEST_BURST;
    while Instant::now() < end && timeout(QUIET, trails.changed()).await.is_ok() {}
}

/// What tells one content of a file from another without a look into it: which file it is, its size and its times, one of
/// which nobody can set.
fn look(file: &Path) -> Seen {
    let found = std::fs::metadata(file).ok()?;
    let which = [found.dev().cast_signed(), found.ino().cast_signed(), found.size().cast_signed()];
    let [device, inode, size] = which;
    Some([device, inode, size, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()])
}

#[cfg(test)]
mod tests;
