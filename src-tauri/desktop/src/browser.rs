//! Opens messages' links with the program that the desktop has for them.

use std::collections::VecDeque;
use std::process::Stdio;
use std::time::Duration;

use tidings_ground::program;
use tidings_state::link::Link;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::session::Session;

/// How long a program may take to say that it can't open a link. One that still runs then is taken for the browser,
/// which stays until it is closed. Too low: a slow failure passes for an open page; too high: a message whose page has
/// long been open still counts as unread.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a started program is handed the desktop's permission to take the focus (XDG activation), on Wayland and on X11.
const TOKENS: [&str; 2] = ["XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"];

/// The links that are being opened.
#[derive(Debug, Default)]
pub struct Browser {
    opening: JoinSet<(Link, bool)>,
}

impl Browser {
    /// Begins to open a link; [`Browser::opened`] tells how that went.
    pub fn open(&mut self, link: Link, activation_token: Option<String>, session: &Session) {
        let session = session.clone();
        self.opening.spawn(async move {
            let opened = opened(&link.url, activation_token.as_deref(), &session).await;
            (link, opened)
        });
    }

    /// Waits for the next link that was opened, or that nothing opens; for ever when there is none.
    pub async fn opened(&mut self) -> (Link, bool) {
        loop {
            match self.opening.join_next().await {
                Some(Ok(opened)) => return opened,
                // It panicked: that is told as a crash.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }
}

/// Has one program after the other try, until one doesn't say that it failed.
pub async fn opened(url: &Url, activation_token: Option<&str>, session: &Session) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let mut programs: VecDeque<_> = open::commands(url.as_str()).into();
    while let Some(program) = programs.pop_front() {
        let name = program.get_program().to_owned();
        let mut command = Command::from(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // What ends the agent in its terminal leaves the browser alone.
        command.process_group(0);
        session.give(command.as_std_mut());
        hand_on(&mut command, activation_token);
        let ended = match command.spawn() {
            Ok(mut child) => timeout_at(deadline, child.wait()).await,
            Err(error) => Ok(Err(error)),
        };
        match ended {
            Ok(Ok(status)) if status.success() => return true,
            Err(_) => return true,
            Ok(failed) => tracing::debug!(?name, ?failed, "a program opens no link"),
        }
    }
    false
}

/// Gives a program the environment that is meant for it, and the desktop's permission to take the focus. Without one it
/// gets none: that with which the agent was started is used up.
pub(crate) fn hand_on(command: &mut Command, activation_token: Option<&str>) {
    program::clean(command);
    for variable in TOKENS {
        match activation_token {
            Some(token) => command.env(variable, token),
            None => command.env_remove(variable),
        };
    }
}
