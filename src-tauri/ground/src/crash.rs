//! What is left of a panic: a report that a person can read and send on, in the state folder. The agent tells of it: the
//! one that lives on, where a task of its own panicked, else the next one.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::paths::create_private;
use crate::redact;

/// Reports that are kept, the newest of them.
const KEPT: usize = 5;
/// Characters of the panic's own message that are told: it may quote what a server sent.
const MESSAGE: usize = 500;
/// Bytes of one report. Panics of the same second share one, and may be many.
const LARGEST: usize = 256 * 1024;
/// How the name of a report begins that nobody was told of, and of others.
const NEW: &str = "new-";
const TOLD: &str = "crash-";

/// Rings once something panicked.
static HAPPENED: Notify = Notify::const_new();

/// From now on a panic leaves a report in this folder.
pub fn report_to(folder: PathBuf) {
    panic::set_hook(Box::new(move |info| {
        let report = report(info);
        // Not into the log: it may be what panicked. There is nowhere else to say that it failed.
        let _ = std::io::stderr().write_all(report.split("\n\n").next().unwrap_or_default().as_bytes());
        let _ = write(&folder, &report);
        HAPPENED.notify_one();
    }));
}

/// Waits until something panics in this process, or did since the last call.
pub async fn happened() {
    HAPPENED.notified().await;
}

fn report(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message: String =
        redact::text(info.payload_as_str().unwrap_or("(no words)")).chars().take(MESSAGE).collect();
    let mut report = format!(
        "Tidings {} on {} {}, {}\n",
        tidings_api::VERSION,
        std::env::consts::OS,
        std::env::consts::ARCH,
        Timestamp::now()
    );
    // Writing into a String can't fail.
    let _ =
        writeln!(report, "thread {:?} panicked at {place}:\n{message}", thread.name().unwrap_or("unnamed"));
    let _ = writeln!(report, "\n{}", Backtrace::force_capture());
    report
}

fn write(folder: &Path, report: &str) -> std::io::Result<()> {
    create_private(folder)?;
    let name = format!("{NEW}{}.txt", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(folder.join(name))?;
    let room = LARGEST.saturating_sub(usize::try_from(file.metadata()?.len()).unwrap_or(LARGEST));
    file.write_all(&report.as_bytes()[..report.len().min(room)])?;
    let reports = reports(folder);
    for old in &reports[..reports.len().saturating_sub(KEPT)] {
        fs::remove_file(old)?;
    }
    Ok(())
}

/// All reports there are, oldest first.
pub fn reports(folder: &Path) -> Vec<PathBuf> {
    let stamp = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(".txt")?;
        name.strip_prefix(NEW).or_else(|| name.strip_prefix(TOLD)).map(str::to_owned)
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut reports: Vec<(String, PathBuf)> = files.filter_map(|path| Some((stamp(&path)?, path))).collect();
    reports.sort();
    reports.into_iter().map(|(_, path)| path).collect()
}

/// The newest report that nobody was told of. All of them count as told from now on.
pub fn untold(folder: &Path) -> Option<PathBuf> {
    let mut newest = None;
    for report in reports(folder) {
        let Some(stamp) = report.file_name().and_then(|name| name.to_str()?.strip_prefix(NEW)) else {
            continue;
        };
        let told = folder.join(format!("{TOLD}{stamp}"));
        newest = Some(if fs::rename(&report, &told).is_ok() { told } else { report });
    }
    newest
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;

    /// What a task that panics so leaves in a folder, once that is told. One at a time, and only of this thread: the
    /// hook is the process's, and other tests may fail meanwhile.
    async fn left_by(message: String) -> (tempfile::TempDir, PathBuf) {
        static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _alone = ALONE.lock().await;
        let folder = tempfile::tempdir().unwrap();
        let crashes = folder.path().join("crashes");
        let before = Arc::new(panic::take_hook());
        report_to(crashes.clone());
        let (ours, others, us) = (panic::take_hook(), before.clone(), std::thread::current().id());
        panic::set_hook(Box::new(
            move |info| {
                if std::thread::current().id() == us { ours(info) } else { others(info) }
            },
        ));
        let task = tokio::spawn(async move { panic!("{message}") });
        happened().await;
        assert!(task.await.unwrap_err().is_panic());
        panic::set_hook(Box::new(move |info| before(info)));
        (folder, crashes)
    }

    #[tokio::test]
    async fn a_task_that_panics_is_told_of_at_once_and_leaves_a_report_that_is_told_of_once() {
        let begun = Timestamp::now().strftime("%Y-%m-%dT%H").to_string();
        let (_folder, crashes) =
            left_by("a bad day, {\"id\":1,\"token\":\"s3cret\"}\nCookie: sid=s3cret".into()).await;
        let report = untold(&crashes).unwrap();
        let text = fs::read_to_string(&report).unwrap();
        let thread = std::thread::current().name().unwrap().to_owned();
        for part in [
            &format!("Tidings {} on ", tidings_api::VERSION),
            &begun,
            &format!("thread {thread:?} panicked at "),
            "crash.rs:",
            "a bad day, {\"id\":1,\"token\":***\nCookie: ***\n",
            // Of the backtrace.
            "left_by",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&crashes).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(untold(&crashes), None);
        assert_eq!(reports(&crashes), [report]);
    }

    #[tokio::test]
    async fn however_much_is_said_in_a_panic_a_report_is_short() {
        let (_folder, crashes) = left_by("long ".repeat(1_000_000)).await;
        let text = fs::read_to_string(untold(&crashes).unwrap()).unwrap();
        assert!(text.matches("long ").count() <= MESSAGE / 5 && text.contains("left_by"), "{text}");
        for _ in 0..3 {
            write(&crashes, &"x".repeat(LARGEST)).unwrap();
        }
        for report in reports(&crashes) {
            assert!(fs::metadata(&report).unwrap().len() <= LARGEST as u64);
        }
    }

    #[test]
    fn the_newest_few_are_kept_and_strangers_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        for day in 10..19 {
            fs::write(folder.path().join(format!("{TOLD}202601{day}T000000Z.txt")), "x").unwrap();
        }
        write(folder.path(), "x").unwrap();
        let kept = reports(folder.path());
        assert_eq!(kept.len(), KEPT);
        assert!(kept[0].ends_with("crash-20260115T000000Z.txt"), "{kept:?}");
        assert!(folder.path().join("notes.txt").exists());
    }
}
