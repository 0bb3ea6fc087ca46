//! Shows an edit of the page in the development window.
//!
//! The server for the page that is part of the Tauri tools (2.12) collects what happens to a file within a second,
//! and tells the page to reload unless that begins with the file being opened. So it sees a file that was replaced
//! by renaming, and none that was written in place, as many editors do it. A change of the folder's own time is
//! seen, too, and hurts nobody.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;

/// Between two looks, and between an edit and telling of it. More than the quarter of a second that the tools'
/// server takes for one moment: told in the same moment it would not count.
const LOOK: Duration = Duration::from_millis(600);

/// The files of the page: which file, written when.
type Files = BTreeMap<PathBuf, (u64, SystemTime)>;

/// Begins to watch the page in `folder`.
pub(crate) fn watch(folder: &'static Path) -> anyhow::Result<()> {
    // Opened once: each opening is seen, too.
    let page = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    let mut before = files(folder);
    thread::spawn(move || {
        let mut untold = false;
        loop {
            thread::sleep(LOOK);
            let now = files(folder);
            if std::mem::take(&mut untold) {
                let time = FileTimes::new().set_accessed(SystemTime::now()).set_modified(SystemTime::now());
                // Whoever may not set it reloads by hand.
                let _ = page.set_times(time);
            }
            untold = written_in_place(&before, &now);
            before = now;
        }
    });
    Ok(())
}

fn written_in_place(before: &Files, now: &Files) -> bool {
    now.iter().any(|(path, (file, time))| {
        before.get(path).is_some_and(|(file_before, time_before)| file == file_before && time != time_before)
    })
}

/// What can't be read now can be the next time.
fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(its) if its.is_dir() => folders.push(entry.path()),
                Ok(its) => {
                    found.insert(entry.path(), (its.ino(), its.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
                }
                Err(_) => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{files, written_in_place};

    #[test]
    fn tells_a_file_written_in_place_from_one_that_was_replaced_or_is_new() {
        let folder = std::env::temp_dir().join(format!("tidings-xtask-reload-{}", std::process::id()));
        let inner = folder.join("inner");
        fs::create_dir_all(&inner).expect("a folder");
        let page = inner.join("page.css");
        fs::write(&page, "one").expect("a page");
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
        let set_later = |path| {
            let file = fs::File::options().write(true).open(path).expect("a file");
            file.set_modified(later).expect("its time is set");
        };
        let first = files(&folder);
        assert!(!written_in_place(&first, &first));

        set_later(&page);
        let written = files(&folder);
        assert!(written_in_place(&first, &written));

        let new = inner.join("new.css");
        fs::write(&new, "two").expect("a new page");
        assert!(!written_in_place(&written, &files(&folder)), "a new file");
        fs::rename(&new, &page).expect("it takes the other's place");
        assert!(!written_in_place(&written, &files(&folder)), "a replaced file");
        fs::remove_dir_all(&folder).expect("it is removed");
    }
}
