//! Man pages and shell completions from the definition of the command line, for packages and for those who
//! install without one.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap_complete::aot::{Bash, Fish, Zsh, generate_to};
use tidings_words::{Language, Words};

use crate::help;

/// Writes them all into the folder, which must exist.
pub(crate) fn write(folder: &Path) -> anyhow::Result<ExitCode> {
    // `help COMMAND` does what `COMMAND --help` does.
    let mut command =
        help::command(Words::of(Language::English)).mut_subcommand("help", |help| help.hide(true));
    let written = || format!("cannot write into {}", folder.display());
    clap_mangen::generate_to(command.clone(), folder).with_context(written)?;
    generate_to(Bash, &mut command, "tidings", folder).with_context(written)?;
    generate_to(Zsh, &mut command, "tidings", folder).with_context(written)?;
    generate_to(Fish, &mut command, "tidings", folder).with_context(written)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn every_command_has_a_page_and_completions() {
        let folder = tempfile::tempdir().expect("a folder");
        super::write(folder.path()).expect("all of it is written");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect(name);
        let (page, bash, zsh, fish) =
            (read("tidings.1"), read("tidings.bash"), read("_tidings"), read("tidings.fish"));
        for command in ["status", "pause", "doctor", "secret", "listen"] {
            assert!(read(&format!("tidings-{command}.1")).contains(command), "the page of {command}");
            for text in [&page, &bash, &zsh, &fish] {
                assert!(text.contains(command), "{command} in {text}");
            }
        }
        assert!(read("tidings-secret-set.1").contains("CHANNEL"));
        assert!(super::write(&folder.path().join("missing")).is_err());
    }
}
