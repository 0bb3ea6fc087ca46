//! What the system and the libraries say is nobody's language: every failure is told in Tidings' own words, in the
//! language of whoever reads it.

use std::fs;

use anyhow::Context;
use tidings_tests::app::{App, Output, Start};
use tidings_tests::desktop::Signal;

/// Pieces of what libraries and the system say.
const FOREIGN: [&str; 14] = [
    "os error",
    "No such file",
    "File exists",
    "Is a directory",
    "Not a directory",
    "too many levels",
    "relative URL",
    "invalid ",
    "expected ",
    "must be quoted",
    "unclosed",
    "file is not a database",
    "malformed",
    "syntax error",
];

/// Nothing of a library's in it, and in Chinese no sentence in another language.
fn is_ours(text: &str, locale: &str) -> bool {
    let foreign = FOREIGN.iter().any(|words| text.contains(words));
    // What people type stands in backquotes.
    let said: String = text.split('`').step_by(2).collect::<Vec<_>>().join("·");
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let words: Vec<&str> = said.split(' ').collect();
    let sentence = words.windows(3).any(|three| three.iter().all(|word| is_word(word)));
    !foreign && (locale == "C.UTF-8" || !sentence)
}

/// Settings files with a mistake in each.
fn wrong_files() -> Vec<String> {
    let channel = "[[channel]]\nurl = \"ws://127.0.0.1:9/\"\n";
    let mut files: Vec<String> = [
        "theme = dark",
        "theme = \"dark",
        "theme = ",
        "theme",
        "theme = \"\\w\"",
        "[inbox",
        "[inbox]\n[inbox]",
        "= 1",
        "a = [1,,2]",
        "a = { b = 1 c = 2 }",
        "a = 1 b = 2",
        "a = 1979-13-45",
        "a = 01",
        "# \u{7}",
        "inbox = {}\ninbox.keep_days = 1",
        "[[channel]]\nurl = \"shop.example\"",
        "[[channel]]\nurl = \"wss://\"",
        "[[channel]]\nurl = \"wss://a.example:99999/\"",
        "[[channel]]\nurl = \"wss://[::1\"",
        "[[channel]]\nurl = \"wss://1.2.3.4.5/\"",
        "[[channel]]\nurl = \"wss://a b/\"",
    ]
    .map(str::to_owned)
    .to_vec();
    for line in [
        "proxy = \"127.0.0.1:1080\"",
        "ca_file = \"nowhere.pem\"",
        "ca_file = \"/\"",
        "ca_file = \"/dev/null/x\"",
        "client_cert = \"nowhere.pem\"",
        "client_cert = \"config.toml\"",
        "ignore_when = \"json.type ==\"",
        "[[channel.rule]]\nwhen = \"title and not +\"",
        "[[channel.rule]]\nwhen = \"title | \"",
        "[[channel.rule]]\nwhen = \"(title\"",
        "[channel.mapping]\nbody = \"{{ a }} {{ b \"",
        "[channel.mapping]\nbody = \"{% fro a in b %}\"",
    ] {
        files.push(format!("{channel}{line}\n"));
    }
    files
}

#[tokio::test]
async fn no_mistake_in_the_settings_and_no_failure_of_a_command_is_told_in_a_librarys_words()
-> anyhow::Result<()> {
    for locale in ["C.UTF-8", "zh_CN.UTF-8"] {
        let mut app = App::without_settings().background().calm().locale(locale).start().await?;
        app.signal(Signal::TERM)?;
        app.ended_well().await?;
        let told = |what: &str, output: &Output| -> anyhow::Result<()> {
            let Output { code, stderr, .. } = output;
            // The log is for others.
            let said: Vec<&str> = stderr.lines().filter(|line| !line.contains("Z  INFO ")).collect();
            anyhow::ensure!(matches!(code, Some(1 | 2)) && !said.is_empty(), "{what}: {output:?}");
            anyhow::ensure!(is_ours(&said.join("\n"), locale), "{what}: {stderr}");
            Ok(())
        };
        for file in wrong_files() {
            app.write_settings(&file)?;
            told(&file, &app.run(&["listen"]).await?)?;
        }
        app.write_settings(b"")?;
        let folder = app.home();
        let path = |name: &str| folder.join(name).to_str().context("a plain path").map(str::to_owned);
        let (there, broken, nowhere) = (path("there.toml")?, path("broken.toml")?, path("no/where.toml")?);
        fs::write(&there, "[[channel]]\nurl = \"ws://127.0.0.1:9/\"\n")?;
        fs::write(&broken, "[[channel]")?;
        for args in [
            &["listen", "--url", "shop.example"][..],
            &["listen", "--url", "ftp://shop.example"],
            &["listen", "--url", "wss://a.example:x"],
            &["doctor", "shop.example"],
            &["doctor", "wss://[::1"],
            &["import", &nowhere],
            &["import", &broken],
            &["import", "/"],
            &["diagnostics", &there],
            &["diagnostics", &nowhere],
        ] {
            told(&format!("{args:?}"), &app.run(args).await?)?;
        }
        app.write_settings("[[channel]]\nurl = \"ws://127.0.0.1:9/\"\n")?;
        told("export over a file", &app.run(&["export", &there]).await?)?;
        told("export to nowhere", &app.run(&["export", &nowhere]).await?)?;
        let mut doctor = app.command();
        doctor.args(["doctor", "ws://shop.example:9/"]).env("http_proxy", "socks5://:x");
        let output = doctor.env("ALLOW", "1").output().await?;
        anyhow::ensure!(is_ours(&String::from_utf8(output.stderr)?, locale), "a proxy of the environment");

        fs::remove_dir_all(app.state())?;
        fs::write(app.state(), "")?;
        told("a file in the state folder's place", &app.run(&["--background"]).await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_the_inbox_is_told_without_sqlites_words() -> anyhow::Result<()> {
    for locale in ["C.UTF-8", "zh_CN.UTF-8"] {
        let mut app = App::without_settings().background().calm().locale(locale).start().await?;
        app.signal(Signal::TERM)?;
        app.ended_well().await?;
        fs::write(
            app.home().join(".local/share/tidings/inbox.db"),
            "no database at all, but a long text".repeat(99),
        )?;
        app.start(Start::Background).await?;
        let status = app.wait_for_status("the notice", |status| !status.notices.is_empty()).await?;
        let notice = status.notices.join("\n");
        // What the mend names is a command.
        anyhow::ensure!(is_ours(&notice, locale), "{notice}");
        anyhow::ensure!(app.log().contains("not a database"), "the log has them: {}", app.log());
    }
    Ok(())
}
