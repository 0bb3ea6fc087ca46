//! `start_at_login`: the entry that makes the desktop start Tidings (Desktop Application Autostart Specification).
//!
//! Only an entry that was written here is ever changed or removed; one that the user wrote, or switched off with the
//! desktop's own tools, is theirs.

use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// Says that the entry is ours.
const OURS: &str = "X-Tidings-Managed=true";

/// How desktops' own tools switch an entry off.
const OFF: [&str; 2] = ["Hidden=true", "X-GNOME-Autostart-enabled=false"];

/// Makes the entry as the settings say. What fails is logged: nothing else hangs on it.
pub(crate) fn keep(start_at_login: bool) {
    let Some(dirs) = BaseDirs::new() else { return };
    let file = dirs.config_dir().join("autostart").join("tidings.desktop");
    let Some(program) = program() else { return };
    let search = std::env::var_os("PATH").unwrap_or_default();
    let exec = exec(&program, &std::env::split_paths(&search).collect::<Vec<_>>());
    if let Err(error) = put(&file, start_at_login.then(|| entry(&exec)).as_deref()) {
        tracing::warn!(%error, file = %file.display(), "start_at_login has no effect: its entry can't be changed");
    }
}

/// What has to be started: the whole image where we run from one.
fn program() -> Option<PathBuf> {
    std::env::var_os("APPIMAGE").map(PathBuf::from).or_else(|| std::env::current_exe().ok())
}

/// `None` removes the entry.
fn put(file: &Path, entry: Option<&str>) -> io::Result<()> {
    let old = match std::fs::read_to_string(file) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let has = |line: &str| old.iter().flat_map(|old| old.lines()).any(|known| known.trim() == line);
    match (entry, &old) {
        (_, Some(_)) if !has(OURS) => Ok(()),
        (Some(_), Some(_)) if OFF.into_iter().any(has) => Ok(()),
        (Some(new), Some(old)) if new == old => Ok(()),
        (Some(new), _) => {
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(file, new)
        }
        (None, Some(_)) => std::fs::remove_file(file),
        (None, None) => Ok(()),
    }
}

fn entry(exec: &str) -> String {
    format!(
        "[Desktop Entry]\nType=Application\nName=Tidings\nExec={exec} --background\nIcon=tidings\nTerminal=false\n\
         StartupNotify=false\n{OURS}\n"
    )
}

/// The program's name where that alone finds it, so that an entry outlives a move of the package; else its path.
fn exec(program: &Path, search: &[PathBuf]) -> String {
    let real = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    if let Some(name) = program.file_name().and_then(|name| name.to_str()).filter(|name| *name == "tidings") {
        let first = search.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        if first.and_then(|file| std::fs::canonicalize(file).ok()).is_some_and(|file| file == real) {
            return name.to_owned();
        }
    }
    quoted(&program.to_string_lossy())
}

/// As the Desktop Entry Specification quotes an argument: once for the list of arguments, once for the file.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("\"");
    for c in path.chars() {
        match c {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', c]),
            '\\' => quoted.push_str(r"\\\\"),
            '%' => quoted.push_str("%%"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_comes_and_goes_as_the_setting_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("autostart/tidings.desktop");
        put(&file, None).expect("nothing to do");
        assert!(!file.exists());
        put(&file, Some(&entry("tidings"))).expect("written");
        let text = std::fs::read_to_string(&file).expect("read");
        assert!(text.contains("\nExec=tidings --background\n"), "{text}");
        put(&file, Some(&entry("\"/opt/tidings\""))).expect("written");
        assert!(std::fs::read_to_string(&file).expect("read").contains("Exec=\"/opt/tidings\" --background"));
        put(&file, None).expect("removed");
        assert!(!file.exists());
    }

    #[test]
    fn an_entry_of_the_users_own_or_switched_off_by_the_desktop_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tidings.desktop");
        let theirs = "[Desktop Entry]\nExec=tidings --background\n".to_owned();
        let off = entry("tidings") + "Hidden=true\n";
        std::fs::write(&file, &theirs).expect("written");
        for new in [Some(entry("other")), None] {
            put(&file, new.as_deref()).expect("left alone");
            assert_eq!(std::fs::read_to_string(&file).expect("read"), theirs);
        }
        std::fs::write(&file, &off).expect("written");
        put(&file, Some(&entry("other"))).expect("left alone");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), off);
    }

    #[test]
    fn the_name_is_enough_where_it_finds_the_same_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("one"), folder.path().join("t w$o"));
        for bin in [&one, &two] {
            std::fs::create_dir(bin).expect("made");
            std::fs::write(bin.join("tidings"), "").expect("written");
        }
        let search = [folder.path().join("none"), one.clone(), two.clone()];
        assert_eq!(exec(&one.join("tidings"), &search), "tidings");
        let other = two.join("tidings");
        let wanted = format!("\"{}\"", other.display().to_string().replace('$', r"\\$"));
        assert_eq!(exec(&other, &search), wanted);
    }
}
