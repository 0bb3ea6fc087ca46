//! Namespaces of a test's own, where it may do as it likes with networks and mounts. Needs root, or a kernel that
//! lets any user have namespaces.

use std::process::Command;

use anyhow::ensure;

use crate::skip::skipped;

/// Tells the second run that it is in there.
const INSIDE: &str = "TIDINGS_TESTS_IN_NAMESPACE";

/// How to get there: as root, or as anybody where the kernel allows it.
const WAYS: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];

/// Runs the test of this name (its modules and its function) once more in these namespaces; there the answer is
/// `true`. `false`: that is done; or `probe`, a shell command, does not work in them here, and the test is skipped
/// because of what is `lacking`.
///
/// # Errors
/// When the test fails inside.
pub fn inside(test: &str, namespaces: &[&str], probe: &str, lacking: &str) -> anyhow::Result<bool> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    let enter = |way: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(way).args(namespaces);
        command
    };
    let can = |way: &&&[&str]| {
        let tried = enter(way).args(["sh", "-c", probe]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let Some(way) = WAYS.iter().find(can) else {
        skipped(lacking);
        return Ok(false);
    };
    let mut again = enter(way);
    again.arg(std::env::current_exe()?).args([test, "--exact", "--nocapture"]);
    let again = again.env(INSIDE, "1").output()?;
    #[expect(clippy::print_stderr, reason = "the runner keeps it, and shows it when the test failed")]
    {
        eprintln!("{}", String::from_utf8_lossy(&again.stderr));
    }
    let told = String::from_utf8_lossy(&again.stdout);
    ensure!(again.status.success() && told.contains("1 passed"), "it failed inside:\n{told}");
    Ok(false)
}
