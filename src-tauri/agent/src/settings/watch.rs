//! Watches the settings file for edits.
//!
//! The *folder* is watched, since editors rename a new file over the old one; where the file is a link, the
//! folder of what it points to as well. The watch is made anew after every burst of events, so a folder that was
//! deleted, replaced or pointed elsewhere is no special case. Nothing wakes up while nothing is edited.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::{Content, Settings, SettingsError, content, read, short};
use crate::paths::create_private;

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
pub(crate) struct Edited {
    /// What the file says now.
    pub(crate) settings: Result<Settings, SettingsError>,
    /// Somebody waits until that is taken up: for the end of this.
    pub(crate) awaited: Option<oneshot::Sender<()>>,
}

/// Makes the watch look at the file at once.
#[derive(Debug, Clone)]
pub(crate) struct Look(mpsc::Sender<oneshot::Sender<()>>);

/// The watch's end of a [`Look`].
pub(crate) type Looks = mpsc::Receiver<oneshot::Sender<()>>;

impl Look {
    pub(crate) fn new() -> (Self, Looks) {
        let (send, looks) = mpsc::channel(1);
        (Self(send), looks)
    }

    /// Returns when what the file says is in force, or the watch is at its end.
    pub(crate) async fn now(&self) {
        let (awaited, end) = oneshot::channel();
        if self.0.send(awaited).await.is_ok() {
            // Its end is the word.
            let _ = end.await;
        }
    }
}

/// Reads the settings file and watches it from then on: no edit in between is missed. An edit that changes no
/// byte yields nothing. A folder that doesn't exist is created, for its owner alone. Needs a tokio runtime.
pub(crate) fn watch(file: &Path, looks: Looks) -> (Result<Settings, SettingsError>, Edits) {
    let file = file.to_owned();
    let edited = Arc::new(Notify::new());
    let armed = arm(&file, &edited);
    let known = content(&file);
    let first = read(&file, &known);
    let (send, edits) = mpsc::channel(1);
    tokio::spawn(async move {
        let gone = send.clone();
        tokio::select! {
            () = gone.closed() => {}
            () = follow(file, edited, armed, known, send, looks) => {}
        }
    });
    (first, edits)
}

async fn follow(
    file: PathBuf,
    edited: Arc<Notify>,
    mut armed: Option<RecommendedWatcher>,
    mut known: Content,
    send: mpsc::Sender<Edited>,
    mut looks: Looks,
) {
    loop {
        let awaited = tokio::select! {
            Some(awaited) = looks.recv() => Some(awaited),
            () = edit(&edited, armed.is_some()) => None,
        };
        // Armed before the read: what is written after the read is an event of the new watch.
        armed = arm(&file, &edited);
        let now = content(&file);
        if now != known {
            let settings = read(&file, &now);
            known = now;
            if send.send(Edited { settings, awaited }).await.is_err() {
                return;
            }
        }
    }
}

/// Waits until an edit is over; without a watch, until it is time to try for one.
async fn edit(edited: &Notify, armed: bool) {
    if armed {
        edited.notified().await;
    } else {
        sleep(RETRY).await;
    }
    let end = Instant::now() + LONGEST_BURST;
    while Instant::now() < end && timeout(QUIET, edited.notified()).await.is_ok() {}
}

fn arm(file: &Path, edited: &Arc<Notify>) -> Option<RecommendedWatcher> {
    match try_arm(file, Arc::clone(edited)) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(
                "edits of {} are not noticed ({error}); trying again every {} s",
                short(file).display(),
                RETRY.as_secs()
            );
            None
        }
    }
}

fn try_arm(file: &Path, edited: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut files = vec![file.to_owned()];
    files.extend(std::fs::canonicalize(file));
    let folders: BTreeSet<PathBuf> = files.iter().filter_map(|file| file.parent()).map(folder_of).collect();
    create_private(&folder_of(file.parent().unwrap_or(Path::new(""))))?;
    let interesting: Vec<PathBuf> = files.into_iter().chain(folders.iter().cloned()).collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An error or an overflow may stand for any event.
        let edit = event.map_or(true, |event| {
            event.need_rescan()
                || (is_edit(event.kind) && event.paths.iter().any(|path| interesting.contains(path)))
        });
        if edit {
            edited.notify_one();
        }
    })?;
    for folder in &folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// The folder of a bare file name is the current one.
fn folder_of(parent: &Path) -> PathBuf {
    if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() }
}

/// Our own look at the file is an event too, and must not be one to look again.
fn is_edit(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
