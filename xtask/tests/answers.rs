//! Questions and slips are answered at once: nothing is installed, built or started for them.

use std::process::Command;

/// What is done when the words make no sense.
const MISUSE: i32 = 2;

/// The exit code, and what stood on stdout and stderr.
fn typed(words: &[&str]) -> (Option<i32>, String, String) {
    // Whatever it would start is not there, and that would be told.
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(words)
        .env_clear()
        .env("PATH", "/nowhere")
        .env("CARGO", "/nowhere/cargo")
        .output()
        .expect("xtask starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let (code, help, _) = typed(&["--help"]);
    assert_eq!(code, Some(0), "{help}");
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    let mut names: Vec<String> = lines
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    names.dedup();
    assert!(names.len() >= 7 && names.iter().any(|name| name == "bench"), "{names:?}");
    names
}

#[test]
fn every_command_tells_what_it_is_for() {
    for name in commands() {
        for words in
            [&[name.as_str(), "--help"][..], &[&name, "-h"], &[&name, "--sooner", "--help"], &["help", &name]]
        {
            let (code, told, slips) = typed(words);
            assert_eq!((code, slips.as_str()), (Some(0), ""), "{words:?}: {told}");
            assert!(told.contains(&format!("\n  {name} ")), "{words:?}: {told}");
        }
    }
}

#[test]
fn every_command_refuses_words_that_it_does_not_know() {
    for name in commands() {
        for word in ["--sooner", "nonsense", ""] {
            let (code, told, slip) = typed(&[&name, word]);
            assert_eq!((code, told.as_str()), (Some(MISUSE), ""), "{name} {word}: {slip}");
            assert!(
                slip.contains(&format!("`{name}`")) && slip.contains(&format!("`{word}`")),
                "{name} {word}: {slip}"
            );
        }
    }
}

#[test]
fn a_slip_is_told_wherever_it_stands() {
    for (words, slip) in [
        (&["nonsense"][..], "`nonsense`"),
        (&["--sooner"], "`--sooner`"),
        (&["help", "nonsense"], "`nonsense`"),
        (&["test", "--only"], "--only wants a step"),
        (&["test", "--only", "nonsense"], "`nonsense`"),
        (&["test", "--only", "fmt", "--only", "nonsense"], "`nonsense`"),
        (&["test", "fmt"], "`fmt`"),
        (&["demo", "--out"], "--out wants a folder"),
        (&["demo", "--headless", "--out", "there", "here"], "`here`"),
        (&["bench", "idle", "nonsense"], "`nonsense`"),
        (&["desktops", "--only"], "--only wants a name"),
        (&["desktops", "--only", "dunst", "--only", "nonsense"], "`nonsense`"),
        (&["desktops", "--list", "dunst"], "`--list`"),
        (&["package", "--check", "nonsense"], "`nonsense`"),
        (&["packages", "--check"], "`--check`"),
    ] {
        let (code, told, said) = typed(words);
        assert_eq!((code, told.as_str()), (Some(MISUSE), ""), "{words:?}: {said}");
        assert!(said.contains(slip), "{words:?}: {said}");
    }
}

#[test]
fn a_place_for_screenshots_that_can_not_be_is_told_before_anything_is_built() {
    let (code, _, said) = typed(&["demo", "--out", "Cargo.toml"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Cargo.toml") && !said.contains("nowhere"), "{said}");
}

#[test]
fn the_names_to_measure_and_the_steps_of_the_test_are_in_the_help() {
    assert!(typed(&["bench", "--help"]).1.contains("\n  idle "));
    assert!(typed(&["test", "--help"]).1.contains("\n  clippy "));
    assert!(typed(&["desktops", "--help"]).1.contains("\n  dunst "));
    assert!(typed(&["demo", "--help"]).1.contains("--headless"));
}
