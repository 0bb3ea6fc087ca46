//! `--help` in the user's language: the catalogue's words for the definition of the command line.
//!
//! Whoever asks for help is answered by a second reading of the arguments, so that no other command has to look for these words.
//! Manual pages and completions are made of the English ones. What clap says of wrong arguments is English.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::builder::{Resettable, StyledStr};
use tidings_words::Words;

use crate::cli::Cli;

/// The answer to arguments that ask for help; `None` if they don't.
pub fn answer(args: &[OsString], words: Words) -> Option<clap::Error> {
    headed(command(words), "tidings", words).try_get_matches_from(args).err()
}

/// The definition of the command line with its help, but for what clap itself says around it.
pub fn command(words: Words) -> clap::Command {
    let after = format!("{}\n{}", words.help_exit_codes(), words.help_logs());
    explained(Cli::command(), "", words).after_help(after)
}

/// With the texts of this command, whose path is the names that lead to it, and of all below.
fn explained(command: clap::Command, path: &str, words: Words) -> clap::Command {
    let about = text(path, words).unwrap_or_default();
    let long_about = more(path, words).map(|more| StyledStr::from(format!("{about}\n\n{more}")));
    let below = |name: &str| format!("{path} {name}").trim_start().to_owned();
    command
        .about(about)
        .long_about(Resettable::from(long_about))
        .mut_args(|arg| {
            let name = match arg.get_long() {
                Some(long) => format!("--{long}"),
                None => arg.get_id().as_str().to_uppercase(),
            };
            arg.help(text(&below(&name), words).unwrap_or_default())
        })
        .mut_subcommands(|command| {
            let path = below(command.get_name());
            explained(command, &path, words)
        })
}

/// With the words that clap puts around the texts.
fn headed(command: clap::Command, name: &str, words: Words) -> clap::Command {
    // clap takes its headings for ever; help is told once.
    let commands: &str = words.help_commands().leak();
    let (arguments, options): (&str, &str) = (words.help_arguments().leak(), words.help_options().leak());
    let heading = words.help_usage();
    // A second usage stands below the first.
    let indent = format!("\n{:1$}", "", width(&heading) + 1);
    let usage = command.clone().bin_name(name).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", &indent);
    let style = *command.get_styles().get_usage();
    command
        .help_template(format!(
            "{{about-with-newline}}\n{style}{heading}{style:#} {{usage}}\n\n{{all-args}}{{after-help}}"
        ))
        .override_usage(usage.replace("[OPTIONS]", &words.help_usage_options()))
        .subcommand_help_heading(commands)
        .mut_args(|arg| {
            let heading = if arg.is_positional() { arguments } else { options };
            let arg = arg.help_heading(heading);
            match (arg.get_help(), arg.get_default_values()) {
                (Some(help), [default]) => {
                    let help = words.help_default(help, &default.display());
                    arg.help(help).hide_default_value(true)
                }
                _ => arg,
            }
        })
        .mut_subcommands(|command| {
            let name = format!("{name} {}", command.get_name());
            headed(command, &name, words)
        })
}

/// Columns of a terminal: two for a Chinese character.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// Of a command, or of an argument of one.
fn text(path: &str, words: Words) -> Option<String> {
    Some(match path {
        "" => words.help_tidings(),
        "--background" => words.help_background(),
        "--open" => words.help_open(),
        "--add" => words.help_add(),
        "--help" => words.help_help(),
        "--version" => words.help_version(),
        "status" => words.help_status(),
        "connect" => words.help_connect(),
        "disconnect" => words.help_disconnect(),
        "takeover" => words.help_takeover(),
        "connect CHANNEL" | "disconnect CHANNEL" | "takeover CHANNEL" => words.help_channel_or_all(),
        "sign-in" => words.help_sign_in(),
        "sign-out" => words.help_sign_out(),
        "sign-in CHANNEL" | "sign-out CHANNEL" => words.help_channel(),
        "pause" => words.help_pause(),
        "pause TIME" => words.help_pause_time(),
        "resume" => words.help_resume(),
        "quit" => words.help_quit(),
        "tail" => words.help_tail(),
        "tail --json" | "listen --json" => words.help_json_lines(),
        "tail --since" => words.help_tail_since(),
        "tail --search" => words.help_tail_search(),
        "tail --no-follow" => words.help_tail_no_follow(),
        "doctor" => words.help_doctor(),
        "doctor URL" => words.help_doctor_url(),
        "doctor --channel" | "listen --channel" => words.help_channel_if_several(),
        "doctor --upgrade" => words.help_doctor_upgrade(),
        "doctor --idle" => words.help_doctor_idle(),
        "doctor --max" => words.help_doctor_max(),
        "send" => words.help_send(),
        "send CHANNEL" => words.help_channel(),
        "send TEXT" => words.help_send_text(),
        "send --title" => words.help_send_title(),
        "send --priority" => words.help_send_priority(),
        "send --tag" => words.help_send_tag(),
        "send --topic" => words.help_send_topic(),
        "sign-in --code" => words.help_sign_in_code(),
        "discover" => words.help_discover(),
        "discover ADDRESS" => words.help_discover_address(),
        "discover --allow-plaintext" => words.help_discover_allow_plaintext(),
        "doctor --json" | "status --json" | "discover --json" => words.help_json_object(),
        "diagnostics" => words.help_diagnostics(),
        "diagnostics FILE" => words.help_diagnostics_file(),
        "export" => words.help_export(),
        "export FILE" => words.help_export_file(),
        "import" => words.help_import(),
        "import FILE" => words.help_import_file(),
        "import --replace" => words.help_import_replace(),
        "secret" => words.help_secret(),
        "secret set" => words.help_secret_set(),
        "secret clear" => words.help_secret_clear(),
        "secret export" => words.help_secret_export(),
        "secret export FILE" => words.help_secret_export_file(),
        "secret import" => words.help_secret_import(),
        "secret import FILE" => words.help_secret_import_file(),
        "secret set CHANNEL" | "secret clear CHANNEL" | "secret export CHANNEL" | "secret import CHANNEL" => {
            words.help_channel()
        }
        "listen" => words.help_listen(),
        "listen --url" => words.help_listen_url(),
        "help" => words.help_of(),
        "help COMMAND" => words.help_of_command(),
        _ => return None,
    })
}

/// What `--help` tells beyond `-h`.
fn more(path: &str, words: Words) -> Option<String> {
    Some(match path {
        "" => words.help_tidings_more(),
        "pause" => words.help_pause_more(),
        "diagnostics" => words.help_diagnostics_more(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tidings_words::Language;

    use super::*;

    /// What `-h` and `--help` tell of each command in this language, by the command.
    fn helps(words: Words) -> Vec<(String, String)> {
        let root = headed(command(words), "tidings", words).term_width(80);
        let mut paths = Vec::new();
        collect(&root, &mut Vec::new(), &mut paths);
        let told = |path: &Vec<String>, flag: &str| {
            let args = ["tidings"].into_iter().chain(path.iter().map(String::as_str)).chain([flag]);
            root.clone().try_get_matches_from(args).unwrap_err().to_string()
        };
        paths
            .iter()
            .flat_map(|path| ["-h", "--help"].map(|flag| (path.join(" "), told(path, flag))))
            .collect()
    }

    fn collect(command: &clap::Command, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
        paths.push(path.clone());
        for command in command.get_subcommands() {
            path.push(command.get_name().to_owned());
            collect(command, path, paths);
            path.pop();
        }
    }

    fn all(command: &clap::Command, seen: &mut impl FnMut(&clap::Command)) {
        seen(command);
        command.get_subcommands().for_each(|command| all(command, seen));
    }

    #[test]
    fn every_command_and_argument_has_a_text() {
        for language in Language::ALL {
            all(&command(Words::of(language)), &mut |command| {
                let has = |text: Option<&StyledStr>| text.is_some_and(|text| !text.to_string().is_empty());
                assert!(has(command.get_about()), "{language:?}: {}", command.get_name());
                for arg in command.get_arguments() {
                    assert!(has(arg.get_help()), "{language:?}: {} {}", command.get_name(), arg.get_id());
                }
            });
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_lists_are_aligned() {
        for language in Language::ALL {
            for (path, help) in helps(Words::of(language)) {
                for line in help.lines() {
                    assert!(width(line) <= 80, "{language:?}: {path}: {} columns: {line}", width(line));
                }
            }
            let root = &helps(Words::of(language))[0].1;
            let list =
                root.split("\n\n").find(|part| part.contains("\n  status ")).expect("a list of commands");
            let column = "  diagnostics  ".len();
            for line in list.lines().skip(1) {
                let (names, text) =
                    line.split_at_checked(column).unwrap_or_else(|| panic!("not aligned: {line}"));
                assert!(names.is_ascii() && names.ends_with("  ") && !text.starts_with(' '), "{line}");
            }
        }
    }

    #[test]
    fn in_chinese_nothing_is_english_but_names() {
        let words = Words::of(Language::SimplifiedChinese);
        let mut names: Vec<String> = [
            "Tidings",
            "JSON",
            "TOML",
            "ID",
            "TIDINGS_LOG",
            "tar",
            "gz",
            "bash",
            "zsh",
            "fish",
            "ping",
            "until",
            "HH",
            "MM",
            "off",
            "error",
            "warn",
            "info",
            "debug",
            "trace",
            "wss",
            "ws",
            "OAuth",
            "shop",
            "example",
            "user",
            "me",
        ]
        .map(str::to_owned)
        .into();
        all(&command(words), &mut |command| {
            names.push(command.get_name().to_owned());
            for arg in command.get_arguments() {
                names.extend(arg.get_long().map(str::to_owned));
                names.extend(arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string));
                names.push(arg.get_id().as_str().to_uppercase());
            }
        });
        let is_known = |word: &str| {
            names.iter().any(|name| name == word || name.split(['-', '|']).any(|part| part == word))
        };
        for (path, help) in helps(words) {
            let told =
                help.split(|c: char| !c.is_ascii_alphabetic() && c != '_').filter(|word| word.len() > 1);
            let english: Vec<&str> = told.filter(|word| !is_known(word) && *word != "COMMAND").collect();
            assert!(english.is_empty(), "{path}: {english:?} in:\n{help}");
        }
    }
}
