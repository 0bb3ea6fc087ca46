//! Disks that are full, or may not be written. Only root can make some; where a test is not root's, it says so and ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

/// A small disk of its own, gone in the end.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// An empty one at this folder; `None` where none may be made.
    pub fn mount(at: &Path) -> Option<Self> {
        let made = works("mount", &["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"], at);
        if !made {
            skipped("a small disk can be mounted by root alone");
        }
        made.then(|| Self(at.to_owned()))
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

/// Says why a test ends early.
#[expect(clippy::print_stderr, reason = "the runner keeps it")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
