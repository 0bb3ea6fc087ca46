//! The agent's answers on the local socket.

mod news;
mod preview;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidings_api::socket::{self, Handler};
use tidings_api::{
    Discovery, ErrorCode, Event, Examine, HistoryQuery, MessageReport, Refusal, Reply, Request, Secret,
    SettingsReport, Step, StoredMessage, Values,
};
use tidings_desktop::autostart;
use tidings_desktop::window::Raises;
use tidings_examination::discover::{self, Place};
use tidings_ground::text::quoted;
use tidings_inbox::{Does, Format, Inbox, Message, Query, Raw, Recall, Recalled, RowId};
use tidings_picture::Name;
use tidings_settings::SettingsFile;
use tidings_settings::credential::CredentialSource;
use tidings_state::diagnostics::Diagnostics;
use tidings_state::link::Link;
use tidings_state::message::{message_report, rich};
use tidings_state::snapshot::{DEMO, Snapshot};
use tidings_state::wish::{self, Wish, Wishes};
use tidings_words::{Text, Words};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use url::Url;

use crate::demo::{self, Demo};
use crate::health::Health;
use crate::pictures::Pictures;

/// Messages in one answer to a question for the history.
const HISTORY: u16 = 500;

/// … and the length of their texts, which JSON makes longer. One message is always told.
const HISTORY_BYTES: usize = 4 * 1024 * 1024;

/// Events that may wait for a subscriber.
const EVENTS: usize = 64;

/// The keys of a channel that say which way leads to its server.
const WAY: [&str; 5] = ["proxy", "ca_file", "client_cert", "client_key", "allow_plaintext"];

/// What the answers are made of.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) snapshot: watch::Receiver<Snapshot>,
    pub(crate) wishes: Wishes,
    pub(crate) inbox: Inbox,
    pub(crate) raises: Raises,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) file: Arc<SettingsFile>,
    pub(crate) health: Health,
    pub(crate) pictures: Pictures,
    pub(crate) demos: mpsc::Sender<demo::Ask>,
}

/// Ends the service, and with it every connection, when dropped.
pub(crate) struct Served(Option<AbortHandle>);

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Serves until the answer is dropped. Without a socket the agent goes on, and says what is missing.
pub(crate) fn spawn(path: PathBuf, answers: Answers) -> Served {
    let listener = match socket::bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(
                %error, socket = %path.display(),
                "no local socket: the window and commands like `tidings status` can't reach this Tidings"
            );
            return Served(None);
        }
    };
    let task: JoinHandle<()> = tokio::spawn(async move { socket::serve(listener, &path, answers).await });
    Served(Some(task.abort_handle()))
}

impl Handler for Answers {
    async fn handle(&self, request: Request) -> Reply {
        match request {
            Request::Status => Reply::Status(self.snapshot.borrow().report()),
            Request::Act { action, channel } => {
                let (answer, answered) = oneshot::channel();
                self.wishes.make(Wish::Act { action, channel, answer: Some(answer) });
                match answered.await {
                    Ok(Ok(channels)) => Reply::Done { channels },
                    Ok(Err(refusal)) => Reply::Refused(refusal),
                    Err(_) => Reply::Refused(self.ending()),
                }
            }
            Request::CredentialChanged { channel } => {
                self.wishes.make(Wish::CredentialChanged { channel });
                Reply::Done { channels: Vec::new() }
            }
            Request::Raise { activation_token, add } => {
                self.wishes.make(Wish::OpenWindow { activation_token, at: add.map(wish::Place::Adding) });
                Reply::Done { channels: Vec::new() }
            }
            Request::Join { environment } => {
                self.wishes.make(Wish::Join(environment));
                Reply::Done { channels: Vec::new() }
            }
            Request::Quit => {
                self.wishes.make(Wish::Quit);
                Reply::Done { channels: Vec::new() }
            }
            Request::History(query) => self.history(query).await,
            Request::OpenLink { message, link } => self.open_link(RowId(message), link).await,
            Request::RunAction { message, action } => self.run_action(RowId(message), action).await,
            Request::OpenFile { message, file } => {
                let message = self.inbox.message(RowId(message)).await;
                let file = |message: &Message| {
                    message.attachments.get(usize::try_from(file).ok()?).map(|file| file.url.clone())
                };
                self.open(message.and_then(|message| Some((file(&message)?, message))))
            }
            Request::Pause { until } => {
                self.wishes.make(Wish::Pause { until });
                Reply::Done { channels: Vec::new() }
            }
            Request::MarkRead { messages } => {
                self.inbox.mark_read(messages.into_iter().map(RowId).collect()).await;
                Reply::Done { channels: Vec::new() }
            }
            Request::Diagnostics => {
                let snapshot = self.snapshot.borrow().clone();
                Reply::Diagnostics { text: self.diagnostics.text(Ok(&snapshot.report()), &snapshot.session) }
            }
            Request::Delete { messages } => {
                self.inbox.delete(messages.into_iter().map(RowId).collect()).await;
                Reply::Done { channels: Vec::new() }
            }
            Request::MarkAllRead { channel } => {
                self.inbox.mark_all_read(channel).await;
                Reply::Done { channels: Vec::new() }
            }
            Request::Settings => Reply::Settings(self.with_login(self.file.report(self.words()).await)),
            Request::EditSettings { revision, edits } => {
                match self.file.edit(&revision, edits, self.words()).await {
                    Ok(report) => Reply::Settings(self.with_login(report)),
                    Err(refusal) => Reply::Refused(refusal),
                }
            }
            Request::SetSecret { channel, secret } => match self.set_secret(channel, secret).await {
                Ok(name) => Reply::Done { channels: vec![name] },
                Err(refusal) => Reply::Refused(refusal),
            },
            Request::Preview { channel, values, sample } => {
                self.preview(channel, values, sample).await.unwrap_or_else(Reply::Refused)
            }
            Request::SignIn { channel, activation_token } => {
                self.granted(
                    |answer| Wish::SignIn { channel, activation_token, answer: Some(answer) },
                    |name| Reply::Done { channels: vec![name] },
                )
                .await
            }
            Request::SignInByCode { channel } => {
                self.granted(|answer| Wish::SignInByCode { channel, answer }, Reply::TypeCode).await
            }
            Request::SignInEnded { channel } => {
                self.granted(
                    |answer| Wish::SignInEnded { channel, answer },
                    |name| Reply::Done { channels: vec![name] },
                )
                .await
            }
            Request::SignInPage { channel } => {
                self.granted(|answer| Wish::SignInPage { channel, answer }, Reply::SignInPage).await
            }
            Request::SignedIn { channel, cookies } => {
                self.granted(
                    |answer| Wish::SignedIn { channel, cookies, answer },
                    |kept| Reply::SignedIn { kept },
                )
                .await
            }
            Request::SignOut { channel } => {
                self.granted(
                    |answer| Wish::SignOut { channel, answer },
                    |name| Reply::Done { channels: vec![name] },
                )
                .await
            }
            Request::Health { channel } => {
                let words = {
                    let snapshot = self.snapshot.borrow();
                    snapshot.channels.iter().any(|known| known.id == channel).then_some(snapshot.words)
                };
                match words {
                    Some(words) => Reply::Health(self.health.report(channel, words).await),
                    None => Reply::Refused(self.unknown(&channel)),
                }
            }
            Request::Discover { address, values } => match self.discover(&address, values).await {
                Ok(discovery) => Reply::Discovered(discovery),
                Err(refusal) => Reply::Refused(refusal),
            },
            Request::Send(message) => {
                self.granted(
                    |answer| Wish::Publish { message, answer },
                    |name| Reply::Done { channels: vec![name] },
                )
                .await
            }
            Request::Picture { name } => Reply::Picture { png: self.picture(&name) },
            Request::StartDemo => match Demo::start(self.words()).await {
                Ok(demo) => self.demo(Some(demo)).await,
                Err(refusal) => Reply::Refused(refusal),
            },
            Request::EndDemo => self.demo(None).await,
            // The socket answers these by a stream.
            Request::Subscribe { .. } | Request::Test { .. } | Request::Examine(_) => {
                Reply::Status(self.snapshot.borrow().report())
            }
        }
    }

    fn subscribe(&self, window: bool) -> Result<mpsc::Receiver<Event>, Refusal> {
        let (events, receiver) = mpsc::channel(EVENTS);
        if window && !self.raises.take(events.clone()) {
            // The second one's place is with the first.
            self.wishes.make(Wish::OpenWindow { activation_token: None, at: None });
            return Err(self.refusal(ErrorCode::WindowOpen, &Text::refused_window_open()));
        }
        tokio::spawn(self.clone().stream(events));
        Ok(receiver)
    }

    async fn test(
        &self,
        channel: Option<String>,
        values: Values,
        secret: Option<Secret>,
    ) -> Result<mpsc::Receiver<Step>, Refusal> {
        let channel = Box::new(self.file.channel(channel.as_deref(), values, self.words())?);
        let secret =
            secret.as_ref().map(|secret| tidings_settings::usable(secret, self.words())).transpose()?;
        let (answer, answered) = oneshot::channel();
        self.wishes.make(Wish::Try { channel, secret, answer });
        answered.await.unwrap_or_else(|_| Err(self.ending()))
    }

    async fn examine(&self, what: Examine) -> Result<mpsc::Receiver<Step>, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.wishes.make(Wish::Examine { what, answer });
        answered.await.unwrap_or_else(|_| Err(self.ending()))
    }
}

impl Answers {
    fn words(&self) -> Words {
        self.snapshot.borrow().words
    }

    /// In the user's language.
    fn refusal(&self, code: ErrorCode, message: &Text) -> Refusal {
        Refusal::new(code, message.said(self.words()))
    }

    /// Makes a wish, and tells what the main loop answers.
    async fn granted<T>(
        &self,
        wish: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Wish,
        reply: impl FnOnce(T) -> Reply,
    ) -> Reply {
        let (answer, answered) = oneshot::channel();
        self.wishes.make(wish(answer));
        match answered.await.unwrap_or_else(|_| Err(self.ending())) {
            Ok(answer) => reply(answer),
            Err(refusal) => Reply::Refused(refusal),
        }
    }

    fn ending(&self) -> Refusal {
        self.refusal(ErrorCode::Ending, &Text::refused_ending())
    }

    async fn history(&self, query: HistoryQuery) -> Reply {
        let HistoryQuery { before, mut after, after_id, limit, search, channel, unread, since } = query;
        if let Some(id) = after_id {
            let Some(row) = self.inbox.row_of(&id).await else {
                let message = Text::refused_unknown_id(&quoted(&id));
                return Reply::Refused(self.refusal(ErrorCode::UnknownMessage, &message));
            };
            after = after.max(Some(row.0));
        }
        let search = search.filter(|text| !text.trim().is_empty());
        let (before, after, limit) = (before.map(RowId), after.map(RowId), limit.min(HISTORY).into());
        let messages = self.inbox.find(Query { before, after, limit, search, channel, unread, since }).await;
        let snapshot = self.snapshot.borrow();
        let mut length = 0;
        let fitting = messages.iter().take_while(|message| {
            let first = length == 0;
            length += text_length(message);
            first || length <= HISTORY_BYTES
        });
        Reply::History { messages: fitting.map(|message| self.stored(message, &snapshot)).collect() }
    }

    fn stored(&self, message: &Message, snapshot: &Snapshot) -> StoredMessage {
        let report = message_report(message, channel_name(snapshot, message), snapshot.words);
        StoredMessage {
            row: message.row.0,
            unread: message.unread,
            message: MessageReport { app: self.pictures.app(message), ..report },
            rich: rich(message),
            pictures: self.pictures.of(message),
        }
    }

    fn picture(&self, name: &str) -> Option<String> {
        let png = self.pictures.shelf().get(&Name::read(name)?).ok()?;
        Some(BASE64.encode(png))
    }

    async fn set_secret(&self, channel: String, secret: Option<Secret>) -> Result<String, Refusal> {
        let known = |snapshot: &Snapshot| {
            let channel = snapshot.channels.iter().find(|known| known.id == channel)?;
            Some((channel.name.clone(), channel.credential.clone()))
        };
        let (name, source) = known(&self.snapshot.borrow()).ok_or_else(|| self.unknown(&channel))?;
        let elsewhere = match &source {
            CredentialSource::Keyring => false,
            // What the keyring has are its tokens, which end by a sign-out.
            CredentialSource::Provider(_) => true,
            // What is in the keyring by mistake may go.
            CredentialSource::None
            | CredentialSource::Env(_)
            | CredentialSource::File(_)
            | CredentialSource::Command(_) => secret.is_some(),
        };
        if elsewhere {
            let message = self.words().cli_secret_elsewhere(&source.key(), &quoted(&name));
            return Err(Refusal::new(ErrorCode::InvalidSettings, message));
        }
        tidings_settings::keep(&channel, secret.as_ref(), self.words()).await?;
        self.wishes.make(Wish::CredentialChanged { channel });
        Ok(name)
    }

    async fn discover(&self, address: &str, mut values: Values) -> Result<Discovery, Refusal> {
        let allow_plaintext = values.get("allow_plaintext") == Some(&true.into());
        let place = Place::read(address, allow_plaintext).map_err(|why| {
            let message = discover::why(&why);
            Refusal { key: Some("url".to_owned()), ..self.refusal(ErrorCode::InvalidSettings, &message) }
        })?;
        // Whatever else is being edited may be wrong meanwhile.
        values.retain(|key, _| WAY.contains(&key.as_str()));
        values.insert("url".to_owned(), place.server().as_url().as_str().into());
        let words = self.words();
        let settings = self.file.channel(None, values, words)?;
        let config = settings.config().map_err(|error| Refusal {
            key: Some("ca_file".to_owned()),
            ..Refusal::new(ErrorCode::InvalidSettings, error.told(words))
        })?;
        Ok(discover::discover(&place, config, words).await)
    }

    /// The file asks for a start at login, and the desktop may have it switched off.
    fn with_login(&self, mut report: SettingsReport) -> SettingsReport {
        if report.values.get("start_at_login") == Some(&true.into()) {
            report.login_trouble = autostart::idle(self.words());
        }
        report
    }

    fn unknown(&self, channel: &str) -> Refusal {
        self.refusal(
            ErrorCode::UnknownChannel,
            &Text::refused_unknown_channel_id(&format_args!("{channel:?}")),
        )
    }

    async fn demo(&self, demo: Option<Demo>) -> Reply {
        let (answer, answered) = oneshot::channel();
        // Where the main loop has ended, nobody answers.
        let _ = self.demos.send(demo::Ask { demo, answer }).await;
        match answered.await {
            Ok(channels) => Reply::Done { channels },
            Err(_) => Reply::Refused(self.ending()),
        }
    }

    /// The page names a link by its number: no other address than those of the message is opened for it.
    async fn open_link(&self, row: RowId, number: Option<u32>) -> Reply {
        let url = |message: &Message| match (number, message.format) {
            (None, _) => message.url.clone(),
            (Some(number), Format::Markdown) => tidings_markdown::link(&message.body, number),
            (Some(_), Format::Plain) => None,
        };
        let message = self.inbox.message(row).await;
        self.open(message.and_then(|message| Some((url(&message)?, message))))
    }

    fn open(&self, what: Option<(Url, Message)>) -> Reply {
        let Some((url, Message { row, channel, .. })) = what else {
            return Reply::Refused(self.refusal(ErrorCode::UnknownMessage, &Text::refused_no_link()));
        };
        let link = Link { url, message: row, channel };
        self.wishes.make(Wish::OpenLink { link, activation_token: None });
        Reply::Done { channels: Vec::new() }
    }

    async fn run_action(&self, row: RowId, number: u32) -> Reply {
        let message = self.inbox.message(row).await;
        let does = |message: &Message| {
            message.actions.get(usize::try_from(number).ok()?).map(|action| action.does.clone())
        };
        let known = message.and_then(|message| Some((does(&message)?, message)));
        let (request, message) = match known {
            Some((Does::Open(url), message)) => return self.open(Some((url, message))),
            Some((Does::Send(request), message)) => (request, message),
            Some((Does::Copy(_), _)) | None => {
                return Reply::Refused(self.refusal(ErrorCode::UnknownMessage, &Text::refused_no_action()));
            }
        };
        let clear = request.clear;
        let (answer, answered) = oneshot::channel();
        self.wishes.make(Wish::Send { channel: message.channel.clone(), request, answer });
        match answered.await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => return Reply::Refused(refusal),
            Err(_) => return Reply::Refused(self.ending()),
        }
        if clear {
            // As if it had been read elsewhere: its popup goes, too.
            let at = message.sent_at.unwrap_or(message.received_at);
            if let Some(series) = message.series {
                let (channel, what) = (message.channel, Recalled::Read);
                self.inbox.recall(vec![Recall { channel, series, what, id: None, at }]).await;
            }
        }
        Reply::Done { channels: Vec::new() }
    }
}

/// Never 0.
fn text_length(message: &Message) -> usize {
    let raw = match &message.raw {
        Raw::Text(text) => text.len(),
        Raw::Binary(bytes) => bytes.len(),
    };
    // Told as a text and as a tree, too.
    let bodies = match message.format {
        Format::Plain => 1,
        Format::Markdown => 4,
    };
    1 + message.title.len() + bodies * message.body.len() + raw
}

fn channel_name(snapshot: &Snapshot, message: &Message) -> String {
    let known = snapshot.channels.iter().find(|channel| channel.id == message.channel);
    match known {
        Some(channel) => channel.name.clone(),
        // Its messages outlive it.
        None if message.channel == DEMO => snapshot.words.demo_name(),
        None => message.channel.clone(),
    }
}
