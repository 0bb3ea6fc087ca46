//! The agent's process, seen from the window: started where none runs, restarted where it is another version.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tidings_api::client::Client;

/// Name of the agent's executable, beside the window's own.
const EXECUTABLE: &str = "tidings";
/// How long an agent may take to close its links and end, and how often it is looked for meanwhile.
const END: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// Starts the agent that is installed with this window. It outlives the window.
pub(crate) fn start(args: &[&str]) -> io::Result<()> {
    let executable = std::env::current_exe()?.with_file_name(EXECUTABLE);
    let mut command = Command::new(executable);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    let mut agent = command.spawn()?;
    // Collected when it ends before the window does.
    std::thread::spawn(move || agent.wait());
    Ok(())
}

/// Ends the agent that serves `socket`, whatever its version, and starts the one installed with this window.
pub(crate) async fn restart(socket: &Path) -> io::Result<()> {
    if let Ok(client) = Client::connect(socket).await
        && let Some(pid) = client.agent_pid().and_then(Pid::from_raw)
    {
        kill_process(pid, Signal::TERM)?;
        let gone = async {
            while Client::connect(socket).await.is_ok() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(END, gone)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the running Tidings does not end"))?;
    }
    start(&["--background"])
}
