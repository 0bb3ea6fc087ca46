//! The window: a process of its own, started on demand, raised while it is open, gone when closed.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tidings_api::Event;
use tidings_ground::program;
use tidings_state::notice::WindowError;
use tidings_state::wish::Place;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::browser::hand_on;
use crate::session::Session;

/// Name of the window's executable, beside the agent's own.
const EXECUTABLE: &str = "tidings-window";

/// WebKit's switch for painting without the graphics card: a page of text is there sooner and takes a third less memory.
/// It also mends the blank windows that some drivers bring. Who sets it to 0 has the card.
const PLAIN_PAINT: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// What goes with it: the window's process would load a graphics driver all the same, to ask what the card can do and which
/// device it is. Nothing is painted by either.
const NO_DRIVER: [(&str, &str); 2] =
    [("WEBKIT_DISABLE_DMABUF_RENDERER", "1"), ("WEBKIT_WEB_RENDER_DEVICE_FILE", "/dev/null")];

/// The exit code of a program whose libraries the system's loader can't find.
pub const LIBRARY_MISSING: i32 = 127;

/// The window's process, if one is open.
#[derive(Debug, Default)]
pub struct Window {
    child: Option<Child>,
    /// Those that show a sign-in; they end with us.
    sign_ins: JoinSet<io::Result<ExitStatus>>,
    raises: Raises,
}

/// The way to the open window, wherever it was started from: the subscription that it holds.
#[derive(Debug, Clone, Default)]
pub struct Raises(Arc<Mutex<Option<mpsc::Sender<Event>>>>);

impl Raises {
    /// Remembers the window's subscription; false if another window holds one.
    pub fn take(&self, events: mpsc::Sender<Event>) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| !held.is_closed()) {
            return false;
        }
        *held = Some(events);
        true
    }

    /// Asks the open window to show; false if there is none that listens.
    fn raise(&self, activation_token: Option<String>, at: Option<&Place>) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (message, add) = match at {
            None => (None, None),
            Some(Place::Message(row)) => (Some(row.0), None),
            Some(Place::Adding(address)) => (None, Some(address.clone())),
        };
        let event = Event::Raise { activation_token, message, add };
        held.as_ref().is_some_and(|held| match held.try_send(event) {
            // One that is too busy to be told is there all the same.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        })
    }
}

impl Window {
    /// The way to the open window, for whoever serves its subscription.
    pub fn raises(&self) -> &Raises {
        &self.raises
    }

    /// Shows the window, at a place where one is named: raises the one that is open, or starts one in this session.
    pub fn open(
        &mut self,
        activation_token: Option<&str>,
        at: Option<&Place>,
        session: &Session,
    ) -> Result<(), WindowError> {
        // One that was started a moment ago and doesn't listen yet is about to show.
        if self.raises.raise(activation_token.map(str::to_owned), at) || self.child.is_some() {
            return Ok(());
        }
        let mut command = command(session)?;
        match at {
            None => {}
            Some(Place::Message(row)) => {
                command.arg("--message").arg(row.0.to_string());
            }
            Some(Place::Adding(address)) => {
                command.arg("--add").arg(address);
            }
        }
        hand_on(&mut command, activation_token);
        self.child = Some(command.spawn().map_err(|error| failed(&error))?);
        Ok(())
    }

    /// Shows the page on which the user of the channel of this id signs in, in a process of its own; one that shows it already
    /// is raised by that.
    pub fn sign_in(
        &mut self,
        activation_token: Option<&str>,
        channel: &str,
        session: &Session,
    ) -> Result<(), WindowError> {
        let mut command = command(session)?;
        command.arg("--sign-in").arg(channel);
        hand_on(&mut command, activation_token);
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        self.sign_ins.spawn(async move { child.wait().await });
        Ok(())
    }

    /// Waits for an open window to end; for ever when none is open.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let child = async {
            match &mut self.child {
                Some(child) => child.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child => {
                self.child = None;
                status
            }
            Some(status) = self.sign_ins.join_next() => status.unwrap_or_else(|error| Err(io::Error::other(error))),
        }
    }
}

fn failed(error: &io::Error) -> WindowError {
    WindowError::Failed(error.into())
}

/// The window's program, to be started in this session.
fn command(session: &Session) -> Result<Command, WindowError> {
    let executable = program::beside(EXECUTABLE).map_err(|error| failed(&error))?;
    if !executable.exists() {
        return Err(WindowError::Missing(executable));
    }
    let mut command = Command::new(executable);
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    session.give(command.as_std_mut());
    if std::env::var_os(PLAIN_PAINT).is_none() {
        command.env(PLAIN_PAINT, "1").envs(NO_DRIVER);
    }
    Ok(command)
}
