//! Files that only their owner may read, and how one is written whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A new file of the owner's alone, never over one that is there already.
///
/// # Errors
/// As the system says.
pub fn new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The same, with this in it, on the disk.
///
/// # Errors
/// As the system says.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts this in the place of what is there: a crash leaves the one or the other. A file of the same name that ends in `.half` is
/// what a killed process left. For one writer at a time.
///
/// # Errors
/// As the system says; then what was there is there still.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let half = path.with_added_extension(HALF);
    // It would keep its mode.
    let _ = fs::remove_file(&half);
    let written = write_new(&half, bytes).and_then(|()| fs::rename(&half, path));
    if written.is_err() {
        // Nothing more can be done about it.
        let _ = fs::remove_file(&half);
    }
    written
}

/// How the name of a file ends that is not whole yet.
pub const HALF: &str = "half";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_whoever_was_there_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("kept.json");
        for path in [file.clone(), file.with_added_extension(HALF)] {
            fs::write(&path, "left, and everybody's").expect("written");
        }
        assert_eq!(write_new(&file, b"new").expect_err("it is there").kind(), io::ErrorKind::AlreadyExists);
        replace(&file, b"new").expect("replaced");
        assert_eq!(fs::read(&file).expect("read"), b"new");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_can_not_be_written_leaves_the_old() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("kept");
        fs::create_dir(&file).expect("made");
        replace(&file, b"new").expect_err("a folder is no file");
        assert!(file.is_dir());
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1, "nothing is left beside it");
    }
}
