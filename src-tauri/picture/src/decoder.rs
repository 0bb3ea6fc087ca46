//! The other end of the short-lived process: starts it, feeds it, and takes what it answers.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::size::Size;
use crate::worker::{MOST_ANSWER, WORD};

/// For one picture, from the start of the process to its end. More than it may use of the processor, which others use, too.
/// Too low: a busy machine shows none; too high: one that hangs keeps the next waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Has pictures read, one at a time: each takes a lot of memory for a moment.
#[derive(Debug, Clone)]
pub struct Decoder {
    program: PathBuf,
    turn: Arc<Semaphore>,
}

/// Why there is no picture. For the log: a message stands without it.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The process could not be started or spoken to.
    #[error("the process that reads pictures can't be used: {0}")]
    Process(#[from] std::io::Error),
    /// It ended without a picture: it is none, is broken or too large, or the process did not survive it.
    #[error("it can't be read ({0})")]
    Ended(std::process::ExitStatus),
    /// It took too long.
    #[error("it took too long to read")]
    TooLong,
    /// What came out is no picture.
    #[error("what was made of it is no picture")]
    Odd,
}

impl Default for Decoder {
    fn default() -> Self {
        // This very program, whatever an upgrade has put in its place meanwhile.
        Self::of("/proc/self/exe".into())
    }
}

impl Decoder {
    fn of(program: PathBuf) -> Self {
        Self { program, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The picture as a small PNG of ours. Dropping the future ends the process.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn small(&self, bytes: Vec<u8>, size: Size) -> Result<Vec<u8>, Unusable> {
        // Never closed, so this can't fail.
        let _turn = self.turn.acquire().await;
        timeout(PATIENCE, self.read(bytes, size)).await.unwrap_or(Err(Unusable::TooLong))
    }

    async fn read(&self, bytes: Vec<u8>, size: Size) -> Result<Vec<u8>, Unusable> {
        let mut command = Command::new(&self.program);
        command.args([WORD, size.word()]);
        // Nothing of ours is to be found there: no secret in a variable, no folder, no desktop.
        command.env_clear().current_dir("/").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let feed = async move {
            let Some(mut stdin) = stdin else { return };
            // One that has seen enough hangs up; its end says what became of it.
            let _ = stdin.write_all(&bytes).await;
        };
        let hear = async move {
            let mut answer = Vec::new();
            let Some(stdout) = stdout else { return Ok(answer) };
            stdout.take(MOST_ANSWER as u64 + 1).read_to_end(&mut answer).await.map(|_| answer)
        };
        let ((), answer) = tokio::join!(feed, hear);
        let answer = answer?;
        if answer.len() > MOST_ANSWER {
            return Err(Unusable::Odd);
        }
        let status = child.wait().await?;
        if !status.success() {
            return Err(Unusable::Ended(status));
        }
        if answer.starts_with(PNG) { Ok(answer) } else { Err(Unusable::Odd) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program that behaves like this, instead of ours.
    async fn read_by(script: &str) -> Result<Vec<u8>, Unusable> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("allowed");
        Decoder::of(program).small(vec![1; 300_000], Size::Icon).await
    }

    #[tokio::test]
    async fn a_process_that_crashes_or_answers_oddly_costs_the_picture_alone() {
        for (script, wanted) in [
            ("kill -SEGV $$", "SIGSEGV"),
            ("kill -ABRT $$", "SIGABRT"),
            ("exit 1", "exit status: 1"),
            ("cat > /dev/null; echo hello", "no picture"),
            ("cat /dev/zero", "no picture"),
            ("cat > /dev/null", "no picture"),
        ] {
            let told = read_by(script).await.expect_err(script).to_string();
            assert!(told.contains(wanted), "{script}: {told}");
        }
        let missing = Decoder::of("/nonexistent/program".into()).small(Vec::new(), Size::Icon).await;
        assert!(matches!(missing, Err(Unusable::Process(_))));
    }

    #[tokio::test]
    async fn it_finds_nothing_of_ours() {
        let script = "cat > /dev/null; printf '\\211PNG\\r\\n\\032\\n'; pwd; env | grep -v '^PWD=\\|^_=\\|^SHLVL='; echo \"$@\"";
        let told = read_by(script).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&told[PNG.len()..]), "/\nread-picture icon\n");
    }
}
