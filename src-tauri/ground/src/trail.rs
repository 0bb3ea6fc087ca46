//! Tells when what a path leads to may be another thing: the file was written, replaced, made or removed, a folder or
//! a link on the way to it was, or something was mounted there.
//!
//! The kernel tells of files and folders, not of paths. So the way is gone step by step, as the kernel goes it, and
//! each step is watched for what can change it: a folder for its own move or end, and what is a link, the file or not
//! there yet by the entries of the folder that it stands in. The way is gone anew by whoever was told of a change.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::future::pending;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Links that are followed on one way. As many as Linux follows.
const LINKS: usize = 40;

/// How often a way that changes while it is being watched is gone anew. Too low: a change is missed; too high: one that
/// changes all the time is never done with. What changes once more afterwards is told all the same.
const PASSES: usize = 8;

/// Tells of the kernel's mount table, which no watch of a folder does.
const MOUNTS: &str = "/proc/self/mountinfo";

/// The ways to some files, watched until this is dropped.
#[derive(Debug)]
pub struct Trails {
    told: AsyncFd<OwnedFd>,
    /// By watch: the entries of that folder that are steps.
    entries: HashMap<i32, BTreeSet<OsString>>,
    mounts: Option<AsyncFd<OwnedFd>>,
}

/// What decides where a path leads. Each path in it is without links.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// This folder is where it is.
    Folder(PathBuf),
    /// What this folder has under this name.
    Entry(PathBuf, OsString),
    /// What this file holds.
    File(PathBuf),
}

impl Trails {
    /// Watches from now on. Needs a tokio runtime.
    ///
    /// # Errors
    /// The system allows no more watches, or a folder on the way can't be looked into.
    pub fn watch<'f>(files: &(impl Iterator<Item = &'f Path> + Clone)) -> io::Result<Self> {
        let told = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mounts = fs::File::open(MOUNTS).and_then(|file| watched(file.into(), Interest::PRIORITY));
        let mounts =
            mounts.inspect_err(|error| tracing::debug!(%error, "the kernel tells of no mounts")).ok();
        let mut trails = Self { told: watched(told, Interest::READABLE)?, entries: HashMap::new(), mounts };
        let mut known = BTreeSet::new();
        for _ in 0..PASSES {
            let steps: BTreeSet<Step> = files.clone().flat_map(steps).collect();
            let new: Vec<Step> = steps.into_iter().filter(|step| !known.contains(step)).collect();
            if new.is_empty() {
                break;
            }
            for step in new {
                trails.add(&step)?;
                known.insert(step);
            }
        }
        Ok(trails)
    }

    fn add(&mut self, step: &Step) -> io::Result<()> {
        let its_own = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        let (path, flags) = match step {
            Step::Folder(folder) => (folder, its_own | WatchFlags::ONLYDIR),
            Step::Entry(folder, _) => {
                let entries = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::ATTRIB;
                (folder, its_own | entries | WatchFlags::ONLYDIR)
            }
            Step::File(file) => (file, WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE),
        };
        match (inotify::add_watch(&self.told, path, flags | WatchFlags::MASK_ADD), step) {
            (Ok(watch), Step::Entry(_, name)) => {
                self.entries.entry(watch).or_default().insert(name.clone());
                Ok(())
            }
            (Ok(_), _) => Ok(()),
            // Gone since: the next pass finds what is there instead.
            (Err(Errno::NOENT | Errno::NOTDIR), _) => Ok(()),
            // Others' folders and locked files can't be watched, and what stands around them tells nearly all.
            (Err(Errno::ACCESS), Step::Folder(_) | Step::File(_)) => Ok(()),
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Returns when something on the ways changed since the watch, or since the last call.
    pub async fn changed(&self) {
        tokio::select! {
            () = self.step_changed() => {}
            () = self.mounted() => {}
        }
    }

    async fn step_changed(&self) {
        loop {
            let Ok(mut ready) = self.told.readable().await else { return pending().await };
            let told = ready.try_io(|told| match self.drain(told.get_ref()) {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            });
            if told.is_ok() {
                return;
            }
        }
    }

    /// Whether any of what has been told is about a step.
    fn drain(&self, told: &OwnedFd) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut told = Reader::new(told, &mut buffer);
        let mut changed = false;
        while let Ok(event) = told.next() {
            changed |= match (event.file_name(), self.entries.get(&event.wd())) {
                (Some(name), Some(entries)) => entries.contains(OsStr::from_bytes(name.to_bytes())),
                (Some(_), None) => false,
                // The folder or file itself; or more was told than the kernel could keep.
                (None, _) => true,
            };
        }
        changed
    }

    async fn mounted(&self) {
        let Some(mounts) = &self.mounts else { return pending().await };
        match mounts.ready(Interest::PRIORITY).await {
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => pending().await,
        }
    }
}

/// Asks the runtime to tell of this.
fn watched(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe because other types may close the descriptor early; this type can't"
    )]
    AsyncFd::with_interest(descriptor, interest)
}

/// The way to a file, as far as it goes.
fn steps(file: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = PathBuf::from("/");
    // What is still to go, the next last.
    let mut rest = Vec::new();
    push(&mut rest, &std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        let kind = fs::symlink_metadata(&next).map(|found| found.file_type());
        let target = fs::read_link(&next);
        if kind.as_ref().is_ok_and(fs::FileType::is_dir) && !rest.is_empty() {
            steps.push(Step::Folder(next.clone()));
            at = next;
            continue;
        }
        steps.push(Step::Entry(at.clone(), name));
        match target {
            Ok(target) if links < LINKS => {
                links += 1;
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                push(&mut rest, &target);
            }
            Ok(_) | Err(_) => {
                if kind.is_ok_and(|kind| kind.is_file()) {
                    steps.push(Step::File(next));
                }
                break;
            }
        }
    }
    steps
}

fn push(rest: &mut Vec<OsString>, path: &Path) {
    rest.extend(path.components().rev().filter_map(|part| match part {
        Component::Normal(_) | Component::ParentDir => Some(part.as_os_str().to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    }));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn entry(folder: &Path, name: &str) -> Step {
        Step::Entry(folder.to_owned(), name.into())
    }

    #[test]
    fn a_way_has_every_link_and_folder_of_it_and_ends_where_nothing_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        fs::create_dir_all(root.join("releases/1")).expect("made");
        symlink("releases/1", root.join("current")).expect("linked");
        symlink(root.join("current/../1/x.toml"), root.join("x.toml")).expect("linked");
        let way = steps(&root.join("x.toml"));
        let tail = [
            entry(&root, "x.toml"),
            Step::Folder(root.clone()),
            entry(&root, "current"),
            Step::Folder(root.join("releases")),
            Step::Folder(root.join("releases/1")),
            Step::Folder(root.join("releases/1")),
            entry(&root.join("releases/1"), "x.toml"),
        ];
        let ends: Vec<_> = way[way.len() - 7..].iter().collect();
        for step in &tail {
            assert!(way.contains(step), "{step:?} of {way:?}");
        }
        assert_eq!(ends.last(), Some(&&tail[6]), "it isn't there");
        fs::write(root.join("releases/1/x.toml"), "").expect("written");
        assert_eq!(steps(&root.join("x.toml")).last(), Some(&Step::File(root.join("releases/1/x.toml"))));
    }

    #[test]
    fn links_in_a_circle_come_to_an_end() {
        let folder = tempfile::tempdir().expect("a folder");
        symlink("b", folder.path().join("a")).expect("linked");
        symlink("a", folder.path().join("b")).expect("linked");
        assert!(steps(&folder.path().join("a")).len() < 100);
    }
}
