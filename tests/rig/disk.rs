//! Disks that are full, or may not be written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::namespace;

/// Runs the test of this name once more where it may mount disks, as [`namespace::inside`] tells.
///
/// # Errors
/// When the test fails there.
pub fn may_mount(test: &str) -> anyhow::Result<bool> {
    let lacking = "`unshare` gives no namespace here to mount a small disk in";
    namespace::inside(test, &["--mount"], "mount -t tmpfs tmpfs /tmp", lacking)
}

/// A small disk of its own, gone in the end.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// An empty one at this folder, for a test that [`may_mount`].
    ///
    /// # Errors
    /// When it can't be mounted.
    pub fn mount(at: &Path) -> anyhow::Result<Self> {
        let made = works("mount", &["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"], at);
        ensure!(made, "no small disk at {}", at.display());
        Ok(Self(at.to_owned()))
    }

    /// Takes all the room there is.
    pub fn fill(&self) {
        // It fails once there is none left.
        let _ = fs::write(self.ballast(), vec![0; 2 << 20]);
    }

    /// Gives it back.
    pub fn make_room(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ballast()).context("the disk was not full")
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the agent may still have its file open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Whether a program that does something to this path does it.
pub fn works(program: &str, args: &[&str], path: &Path) -> bool {
    Command::new(program).args(args).arg(path).status().is_ok_and(|status| status.success())
}
