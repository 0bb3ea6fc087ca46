//! Between the page and the agent's socket: one connection whose events go to the page, and one more for each
//! question. The connection is made again whenever it breaks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, WebviewWindow};
use tidings_api::client::{self, Client, ClientError};
use tidings_api::page::{AgentLink, PageError, PageErrorCode, PageEvent, Trial};
use tidings_api::{ErrorCode, Event, Reply, Request, Step};
use tokio::sync::mpsc;

use crate::agent;
use crate::complain::complain;

/// How often a missing agent is looked for while the window is open. Too low wakes the machine for nothing, too
/// high leaves the page behind after the agent's restart.
const LOOK: Duration = Duration::from_millis(500);
/// Pages that may wait to be served; there is one, and it is rarely loaded again.
const PAGES: usize = 8;

/// What the window was opened for.
pub(crate) enum Place {
    /// This message's row.
    Message(i64),
    /// Adding a channel with this address.
    Adding(String),
}

/// What the commands use.
pub(crate) struct Bridge {
    socket: PathBuf,
    pages: mpsc::Sender<Channel<PageEvent>>,
}

/// What keeps the connection.
pub(crate) struct Link {
    socket: PathBuf,
    pages: mpsc::Receiver<Channel<PageEvent>>,
    page: Option<Channel<PageEvent>>,
    link: AgentLink,
    /// What to show first.
    first: Option<Place>,
}

impl Bridge {
    pub(crate) fn new(state: &Path, first: Option<Place>) -> (Self, Link) {
        let socket = tidings_api::socket::path_in(state);
        let (sender, pages) = mpsc::channel(PAGES);
        let link = AgentLink::AgentGone { message: "connecting to Tidings".to_owned() };
        (Self { socket: socket.clone(), pages: sender }, Link { socket, pages, page: None, link, first })
    }

    /// This page gets the events from now on.
    pub(crate) fn page(&self, events: Channel<PageEvent>) {
        // Full: a page that is loaded again and again, whose next load comes through.
        let _ = self.pages.try_send(events);
    }

    pub(crate) async fn ask(&self, request: &Request) -> Result<Reply, PageError> {
        let answer = async { Client::connect(&self.socket).await?.ask(request).await };
        answer.await.map_err(|error| page_error(&error))
    }

    pub(crate) async fn restart_agent(&self) -> Result<(), PageError> {
        agent::restart(&self.socket).await.map_err(|error| {
            complain(&format!("Tidings could not be started: {error}"));
            let message = "Tidings could not be started".to_owned();
            PageError { code: PageErrorCode::Failed, message, key: None }
        })
    }

    /// Ends the agent. One that is gone already is as good.
    pub(crate) async fn quit_agent(&self) -> Result<(), PageError> {
        match client::quit(&self.socket).await {
            Ok(()) | Err(ClientError::NotRunning) => Ok(()),
            Err(error) => Err(page_error(&error)),
        }
    }

    /// Hands on each step of a trial until its end.
    pub(crate) async fn test(&self, trial: Trial, steps: &Channel<Step>) -> Result<(), PageError> {
        let Trial { channel, values, secret } = trial;
        let trial = async {
            let mut client = Client::connect(&self.socket).await?;
            let mut reply = client.ask(&Request::Test { channel, values, secret }).await?;
            while let Reply::Step(step) = reply {
                // A page that is gone or loaded anew has lost interest: the agent breaks off with our connection.
                if steps.send(step).is_err() {
                    break;
                }
                reply = client.step().await?;
            }
            Ok(())
        };
        trial.await.map_err(|error| page_error(&error))
    }
}

fn page_error(error: &ClientError) -> PageError {
    let code = match error {
        ClientError::NotRunning | ClientError::Silent | ClientError::Broken(_) => PageErrorCode::AgentGone,
        ClientError::OtherVersion(_) => PageErrorCode::OtherVersion,
        ClientError::Refused(refusal) => PageErrorCode::Refused(refusal.code),
        ClientError::Malformed(_) => PageErrorCode::Failed,
    };
    let key = match error {
        ClientError::Refused(refusal) => refusal.key.clone(),
        ClientError::NotRunning
        | ClientError::Silent
        | ClientError::Broken(_)
        | ClientError::OtherVersion(_)
        | ClientError::Malformed(_) => None,
    };
    PageError { code, message: error.to_string(), key }
}

impl Link {
    /// Keeps the page told until the app ends.
    pub(crate) async fn keep(mut self, app: AppHandle) {
        let mut first = true;
        loop {
            let error = match self.connect().await {
                Ok((first_event, events)) => {
                    // One that was quit is not started again.
                    first = false;
                    self.follow(first_event, events, &app).await;
                    ClientError::NotRunning
                }
                Err(error) => error,
            };
            if let ClientError::Refused(refusal) = &error
                && refusal.code == ErrorCode::WindowOpen
            {
                // The other one was raised; this one's work is done.
                app.exit(0);
                return;
            }
            if std::mem::take(&mut first)
                && matches!(error, ClientError::NotRunning)
                && let Err(error) = agent::start(&[])
            {
                complain(&format!("Tidings itself could not be started: {error}"));
            }
            self.set(match &error {
                ClientError::OtherVersion(version) => {
                    AgentLink::AgentConnected { version: version.clone(), other_version: true }
                }
                ClientError::NotRunning
                | ClientError::Silent
                | ClientError::Broken(_)
                | ClientError::Refused(_)
                | ClientError::Malformed(_) => AgentLink::AgentGone { message: error.to_string() },
            });
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                Some(page) = self.pages.recv() => {
                    self.page = Some(page);
                    self.tell(PageEvent::Link(self.link.clone()));
                }
            }
        }
    }

    /// Subscribes. The events are read by a task of their own, since reading one must not be broken off.
    async fn connect(&self) -> Result<(Event, mpsc::Receiver<Event>), ClientError> {
        let mut client = Client::connect(&self.socket).await?;
        let Reply::Event(first) = client.ask(&Request::Subscribe { window: true }).await? else {
            return Err(ClientError::Malformed("no event stream".to_owned()));
        };
        let (sender, events) = mpsc::channel(1);
        tauri::async_runtime::spawn(async move {
            while let Ok(event) = client.event().await {
                if sender.send(event).await.is_err() {
                    return;
                }
            }
        });
        Ok((first, events))
    }

    async fn follow(&mut self, first: Event, mut events: mpsc::Receiver<Event>, app: &AppHandle) {
        if let Event::Snapshot(status) = &first {
            self.set(AgentLink::AgentConnected {
                version: status.version.clone(),
                other_version: status.version != tidings_api::VERSION,
            });
        }
        self.tell(PageEvent::Agent(Box::new(first)));
        loop {
            tokio::select! {
                event = events.recv() => {
                    let Some(event) = event else { return };
                    if let Event::Raise { activation_token, .. } = &event {
                        raise(app, activation_token.clone());
                    }
                    self.tell(PageEvent::Agent(Box::new(event)));
                }
                Some(page) = self.pages.recv() => self.welcome(page).await,
            }
        }
    }

    /// A page that has just come is told everything: events that were sent before it listened are lost.
    async fn welcome(&mut self, page: Channel<PageEvent>) {
        self.page = Some(page);
        self.tell(PageEvent::Link(self.link.clone()));
        let status = async { Client::connect(&self.socket).await?.ask(&Request::Status).await };
        // Without an answer the agent has just gone; the stream's end says so in a moment.
        if let Ok(Reply::Status(status)) = status.await {
            self.tell(PageEvent::Agent(Box::new(Event::Snapshot(status))));
        }
        if let Some(place) = self.first.take() {
            let (message, add) = match place {
                Place::Message(row) => (Some(row), None),
                Place::Adding(address) => (None, Some(address)),
            };
            let raise = Event::Raise { activation_token: None, message, add };
            self.tell(PageEvent::Agent(Box::new(raise)));
        }
    }

    fn set(&mut self, link: AgentLink) {
        if self.link != link {
            self.link = link.clone();
            self.tell(PageEvent::Link(link));
        }
    }

    fn tell(&self, event: PageEvent) {
        if let Some(page) = &self.page {
            // A page that is just being loaded again doesn't listen; the next one is told everything.
            let _ = page.send(event);
        }
    }
}

/// Brings the window to the front, with the desktop's permission where it gave one.
fn raise(app: &AppHandle, activation_token: Option<String>) {
    let Some(window) = app.get_webview_window("main") else { return };
    let shown = app.run_on_main_thread(move || {
        if let Err(error) = try_raise(&window, activation_token) {
            complain(&format!("the window could not be raised: {error}"));
        }
    });
    if let Err(error) = shown {
        complain(&format!("the window could not be raised: {error}"));
    }
}

fn try_raise(window: &WebviewWindow, activation_token: Option<String>) -> tauri::Result<()> {
    window.unminimize()?;
    window.show()?;
    #[cfg(target_os = "linux")]
    if let Some(token) = activation_token {
        use gtk::prelude::GtkWindowExt as _;
        let window = window.gtk_window()?;
        // GTK takes the permission to raise the window from its startup id.
        window.set_startup_id(&token);
        window.present();
        return Ok(());
    }
    window.set_focus()
}
