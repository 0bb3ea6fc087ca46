use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::scene::Scene;
use tidings_tests::skip::skipped;
use tidings_tests::wait::eventually;
use tokio::process::Command;

/// `nobody`, on most systems.
const OTHER_USER: &str = "65534";

#[tokio::test]
async fn wrong_use_is_answered_with_the_usage_and_exit_code_2() -> anyhow::Result<()> {
    let mut app = App::without_settings().start().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    for args in [
        &["frobnicate"][..],
        &["--frobnicate"],
        &["--background", "--open"],
        &["--background", "status"],
        &["--open", "connect"],
        &["status", "all"],
        &["status", "--jsn"],
        &["connect", "a", "b"],
        &["resume", "now"],
        &["tail", "--no-follow"],
        &["tail", "--since"],
        &["doctor", "wss://a.example/", "--channel", "a"],
        &["doctor", "--max", "1m"],
        &["doctor", "--idle", "--max", "soon"],
        &["secret"],
        &["secret", "set"],
        &["listen", "--url", "ws://127.0.0.1/", "--channel", "a"],
        &["import"],
        &["diagnostics", "a", "b"],
        &["export", "a", "b"],
    ] {
        let output = app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{args:?}: {output:?}");
        assert!(output.stderr.contains("Usage: tidings"), "{args:?}: {output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn without_an_agent_commands_for_one_end_with_3_and_a_hint() -> anyhow::Result<()> {
    let mut app = App::without_settings().start().await?;
    app.signal(Signal::TERM)?;
    app.ended_well().await?;
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["connect"],
        &["disconnect"],
        &["takeover", "orders"],
        &["pause", "1h"],
        &["pause", "until", "08:00"],
        &["pause", "off"],
        &["resume"],
        &["pause"],
        &["tail"],
        &["tail", "--json", "--since", "1h", "--search", "x", "--no-follow"],
    ] {
        let output = app.run(args).await?;
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{args:?}: {output:?}");
        assert!(output.stderr.contains("start it by `tidings`"), "{args:?}: {output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn help_and_version_are_told_on_stdout() -> anyhow::Result<()> {
    let app = App::without_settings().start().await?;
    let version = app.run(&["--version"]).await?;
    assert_eq!(
        (version.code, version.stdout),
        (Some(0), format!("tidings {}\n", app.status().await?.version))
    );
    let help = app.run(&["--help"]).await?;
    for command in [
        "status",
        "connect",
        "disconnect",
        "takeover",
        "pause",
        "resume",
        "tail",
        "doctor",
        "secret",
        "listen",
        "diagnostics",
        "export",
        "import",
    ] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command}: {}", help.stdout);
        let help = app.run(&[command, "--help"]).await?;
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains("Usage: tidings"), "{command}: {}", help.stdout);
    }
    Ok(())
}

#[tokio::test]
async fn another_user_is_not_answered_though_the_files_let_them_in() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let socket = scene.app.socket();
    // Nobody but root may become somebody else.
    if !fs::read_to_string("/proc/self/status")?.contains("\nUid:\t0\t") {
        skipped("only root can become another user");
        return Ok(());
    }
    assert_eq!(fs::metadata(&socket)?.permissions().mode() & 0o777, 0o600);
    // As if they were in the way no longer: the agent looks who is there, too.
    fs::set_permissions(&socket, Permissions::from_mode(0o666))?;
    let command = scene.app.command();
    let tidings = Path::new(command.as_std().get_program());
    for folder in socket.ancestors().chain(tidings.ancestors()).filter(|path| path.is_dir()) {
        if folder != Path::new("/") && folder != std::env::temp_dir() {
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
    }
    let mut other = Command::new("setpriv");
    other.args(["--reuid", OTHER_USER, "--regid", OTHER_USER, "--clear-groups"]).arg(tidings).arg("status");
    let variables = command.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)));
    let output = other.env_clear().envs(variables).output().await?;
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{output:?}");
    let refused = || scene.app.log().contains("another user's connection was refused").then_some(());
    eventually("its refusal", refused).await?;
    assert_eq!(scene.app.status().await?.channels.len(), 1, "its owner is answered as before");
    Ok(())
}
