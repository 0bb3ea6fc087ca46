//! Man pages and shell completions from the definition of the command line, for packages and for those who
//! install without one.

use std::path::Path;

use anyhow::Context;
use clap_complete::aot::{Bash, Fish, Zsh, generate_to};
use tidings_commands::help;
use tidings_words::{Language, Words};

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).context("name the folder to write into")?;
    write(Path::new(&folder))
}

/// Writes them all into the folder, which must exist.
fn write(folder: &Path) -> anyhow::Result<()> {
    // `help COMMAND` does what `COMMAND --help` does.
    let mut command =
        help::command(Words::of(Language::English)).mut_subcommand("help", |help| help.hide(true));
    let written = || format!("cannot write into {}", folder.display());
    clap_mangen::generate_to(command.clone(), folder).with_context(written)?;
    generate_to(Bash, &mut command, "tidings", folder).with_context(written)?;
    generate_to(Zsh, &mut command, "tidings", folder).with_context(written)?;
    generate_to(Fish, &mut command, "tidings", folder).with_context(written)?;
    Ok(())
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
        let commands = super::help::command(super::Words::of(super::Language::English));
        for command in commands.get_subcommands().map(clap::Command::get_name) {
            if command == "help" {
                continue;
            }
            assert!(read(&format!("tidings-{command}.1")).contains(command), "the page of {command}");
            for text in [&page, &bash, &zsh, &fish] {
                // A page of the manual writes `-` so.
                assert!(text.replace("\\-", "-").contains(command), "{command} in {text}");
            }
        }
        assert!(read("tidings-secret-set.1").contains("CHANNEL"));
        assert!(super::write(&folder.path().join("missing")).is_err());
    }
}
