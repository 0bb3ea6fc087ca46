//! Writes the settings file, and what else is the user's, so that a crash leaves the old text or the new one and nobody's change is lost.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tidings_ground::paths::create_private;

use crate::content::{Content, content};

/// Links that are followed to the file. As many as Linux follows.
const LINKS: usize = 40;

/// Why the file was not written. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody wrote it just now.
    #[error("it was changed at the same moment")]
    Changed,
    /// Its owner wants it as it is.
    #[error("it is read-only; `chmod u+w` makes it yours to change")]
    ReadOnly,
    /// As the system says.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Puts `new` in the place of `old`. What a link leads to is written, and the link stays; the file keeps its mode, and
/// a new one is its owner's alone.
pub fn write(file: &Path, old: &Content, new: &str) -> Result<(), WriteError> {
    let target = target(file)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_private(folder)?;
    let mode = match fs::metadata(&target) {
        Ok(metadata) if metadata.permissions().readonly() => return Err(WriteError::ReadOnly),
        Ok(metadata) => metadata.permissions().mode() & 0o7777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0o600,
        Err(error) => return Err(error.into()),
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    sweep(folder, &name);
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let written = put(&beside, mode, new).map_err(WriteError::from).and_then(|()| {
        // As late as can be: an editor may have saved meanwhile.
        if content(file) == *old { Ok(fs::rename(&beside, &target)?) } else { Err(WriteError::Changed) }
    });
    if written.is_err() {
        // Nothing more can be done about it.
        let _ = fs::remove_file(&beside);
        return written;
    }
    // Some file systems know no such thing for a folder.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Removes what a process left that was killed while it wrote. Another one may be writing just now.
fn sweep(folder: &Path, name: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name();
        let writer = left.to_str().and_then(|left| {
            left.strip_prefix(&format!(".{name}."))?
                .strip_suffix(".new")?
                .parse()
                .ok()
                .and_then(Pid::from_raw)
        });
        if writer.is_some_and(|writer| test_kill_process(writer) == Err(Errno::SRCH)) {
            // It does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn put(file: &Path, mode: u32, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Where the links lead, though there may be no file yet.
fn target(file: &Path) -> io::Result<PathBuf> {
    let mut target = file.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("its links lead nowhere"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(file: &Path) -> u32 {
        fs::metadata(file).expect("there").permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).expect("a folder");
        names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_new_file_and_its_folder_are_their_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a/b/config.toml");
        write(&file, &Ok(None), "x").expect("written");
        assert_eq!((mode(&file), mode(file.parent().expect("has one"))), (0o600, 0o700));
        assert_eq!(names(file.parent().expect("has one")), ["config.toml"]);
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (dotfiles, link) = (folder.path().join("dotfiles"), folder.path().join("config.toml"));
        fs::create_dir(&dotfiles).expect("made");
        symlink("dotfiles/tidings.toml", &link).expect("linked");
        let real = dotfiles.join("tidings.toml");
        // Before there is a file, too.
        write(&link, &Ok(None), "first").expect("written");
        fs::set_permissions(&real, Permissions::from_mode(0o640)).expect("set");
        write(&link, &Ok(Some(b"first".to_vec())), "second").expect("written");
        assert!(link.is_symlink());
        assert_eq!((fs::read_to_string(&real).expect("read"), mode(&real)), ("second".to_owned(), 0o640));
        assert_eq!(names(&dotfiles), ["tidings.toml"]);
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        let mut ended = std::process::Command::new("true").spawn().expect("started");
        ended.wait().expect("ended");
        let parent = std::os::unix::process::parent_id();
        for name in [format!(".config.toml.{}.new", ended.id()), format!(".config.toml.{parent}.new")] {
            fs::write(folder.path().join(name), "half").expect("written");
        }
        write(&file, &Ok(None), "x").expect("written");
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [format!(".config.toml.{parent}.new"), "config.toml".to_owned()]);
    }

    #[test]
    fn what_somebody_else_wrote_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        fs::write(&file, "theirs").expect("written");
        assert!(matches!(write(&file, &Ok(Some(b"old".to_vec())), "ours"), Err(WriteError::Changed)));
        assert!(matches!(write(&file, &Ok(None), "ours"), Err(WriteError::Changed)));
        fs::set_permissions(&file, Permissions::from_mode(0o444)).expect("set");
        assert!(matches!(write(&file, &Ok(Some(b"theirs".to_vec())), "ours"), Err(WriteError::ReadOnly)));
        assert_eq!(fs::read_to_string(&file).expect("read"), "theirs");
        assert_eq!(names(folder.path()), ["config.toml"]);
    }
}
