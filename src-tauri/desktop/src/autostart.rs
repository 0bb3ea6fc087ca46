//! `start_at_login`: the entry that makes the desktop start Tidings (Desktop Application Autostart Specification).
//!
//! Only an entry that was written here is ever changed or removed, and of that only the command that we wrote. All else in
//! it is the user's and the desktop's, which switch it off in ways of their own: by lines that are left alone, or by removing
//! it, which is remembered.

use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;
use tidings_ground::program;
use tidings_settings::WriteError;
use tidings_words::Words;

/// Says that the entry is ours.
const OURS: (&str, &str) = ("X-Tidings-Managed", "true");

/// What our command ends with.
const ARGUMENT: &str = " --background";

/// How GNOME, Cinnamon, MATE and others switch an entry off, each by its own name: `X-MATE-Autostart-enabled=false`.
const SWITCH: &str = "-Autostart-enabled";

/// Makes the entry as the settings say. `made`: there was one of ours when the settings last said so; what comes back is to be
/// remembered as that. What fails is logged: nothing else hangs on it.
pub fn keep(start_at_login: bool, made: bool) -> bool {
    let Some(file) = file() else { return made };
    let exec = program::lasting().and_then(|program| {
        let search = std::env::var_os("PATH").unwrap_or_default();
        exec(&program, &std::env::split_paths(&search).collect::<Vec<_>>())
    });
    let done = match (start_at_login, exec) {
        (false, _) => remove(&file).map_err(WriteError::from),
        (true, Some(exec)) => put(&file, &exec, made),
        (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "no path leads to this program").into()),
    };
    match done {
        Ok(()) => start_at_login,
        Err(error) => {
            tracing::warn!(%error, file = %file.display(), "start_at_login has no effect: its entry can't be changed");
            made
        }
    }
}

/// Why `start_at_login` has no effect on this desktop, if it has none.
pub fn idle(words: Words) -> Option<String> {
    let file = file()?;
    let Ok(text) = std::fs::read_to_string(&file) else { return Some(words.settings_login_missing()) };
    let desktops = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    is_off(&text, &desktops).then(|| words.settings_login_off(&tidings_ground::paths::short(&file).display()))
}

fn file() -> Option<PathBuf> {
    Some(BaseDirs::new()?.config_dir().join("autostart").join("tidings.desktop"))
}

fn remove(file: &Path) -> io::Result<()> {
    match read(file)? {
        Some(old) if is_ours(&old) => std::fs::remove_file(file),
        Some(_) | None => Ok(()),
    }
}

fn put(file: &Path, exec: &str, made: bool) -> Result<(), WriteError> {
    let old = read(file)?;
    let new = match &old {
        Some(old) if is_ours(old) => with_exec(old, exec).filter(|new| new != old),
        Some(_) => None,
        // Somebody removed it, as the tools of GNOME and KDE do to switch it off.
        None if made => None,
        None => Some(entry(exec)),
    };
    match new {
        Some(new) => tidings_settings::write(file, &Ok(old.map(String::into_bytes)), &new),
        None => Ok(()),
    }
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn entry(exec: &str) -> String {
    let (key, value) = OURS;
    format!(
        "[Desktop Entry]\nType=Application\nName=Tidings\nExec={exec}{ARGUMENT}\nIcon=tidings\nTerminal=false\n\
         StartupNotify=false\n{key}={value}\n"
    )
}

/// Keys and values of the entry itself.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let of_entry = text.lines().skip_while(|line| line.trim() != "[Desktop Entry]").skip(1);
    let of_entry = of_entry.take_while(|line| !line.starts_with('['));
    of_entry.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

fn is_ours(text: &str) -> bool {
    lines(text).any(|line| line == OURS)
}

/// The same entry with this command, where it has one that we wrote; what the user made of it stays.
fn with_exec(text: &str, exec: &str) -> Option<String> {
    let (_, old) = lines(text).find(|(key, _)| *key == "Exec")?;
    if !old.strip_suffix(ARGUMENT).is_some_and(is_one_argument) {
        return None;
    }
    // A part of the text: so it is known where it stands.
    let start = old.as_ptr().addr() - text.as_ptr().addr();
    Some(format!("{}{exec}{ARGUMENT}{}", &text[..start], &text[start + old.len()..]))
}

fn is_one_argument(command: &str) -> bool {
    match command.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => !inner.replace(r#"\\""#, "").contains('"'),
        None => !command.is_empty() && !command.contains([' ', '\t', '"', '\'']),
    }
}

/// Whether a desktop of these names (`XDG_CURRENT_DESKTOP`) passes the entry by.
fn is_off(text: &str, desktops: &str) -> bool {
    let here = |list: &str| list.split(';').any(|name| desktops.split(':').any(|desktop| desktop == name));
    lines(text).any(|(key, value)| match key {
        "Hidden" => value == "true",
        "OnlyShowIn" => !here(value),
        "NotShowIn" => here(value),
        key => key.starts_with("X-") && key.ends_with(SWITCH) && value == "false",
    })
}

/// The program's name where that alone finds it, so that an entry outlives a move of the package; else its path. `None`:
/// no entry can hold it.
fn exec(program: &Path, search: &[PathBuf]) -> Option<String> {
    let real = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    if let Some(name) = program.file_name().and_then(|name| name.to_str()).filter(|name| *name == "tidings") {
        let first = search.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
        if first.and_then(|file| std::fs::canonicalize(file).ok()).is_some_and(|file| file == real) {
            return Some(name.to_owned());
        }
    }
    program.to_str().map(quoted)
}

/// As the Desktop Entry Specification quotes an argument: once for the list of arguments, once for the file.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("\"");
    for c in path.chars() {
        match c {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', c]),
            '\\' => quoted.push_str(r"\\\\"),
            '%' => quoted.push_str("%%"),
            '\n' => quoted.push_str(r"\n"),
            '\t' => quoted.push_str(r"\t"),
            '\r' => quoted.push_str(r"\r"),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests;
