//! The agent's answers on the local socket.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use tidings_api::socket::{self, Handler};
use tidings_api::{
    ChannelReport, Discovery, ErrorCode, Event, Examine, HistoryQuery, Meaning, MessageReport, Preview,
    Refusal, Rehearsal, Reply, Request, Secret, SettingsReport, StatusReport, Step, StoredMessage, Turn,
    Values,
};
use tidings_desktop::autostart;
use tidings_desktop::window::Raises;
use tidings_dialect::{self as dialect, Given, Posted, Until};
use tidings_examination::discover::{self, Place};
use tidings_ground::text::quoted;
use tidings_inbox::{
    About, Does, Format, Inbox, Message, Payload, Published, Query, Raw, Recall, Recalled, RowId,
};
use tidings_picture::Name;
use tidings_settings::credential::CredentialSource;
use tidings_settings::{ChannelSettings, Kind, SettingsFile};
use tidings_state::diagnostics::Diagnostics;
use tidings_state::link::Link;
use tidings_state::message::{message_report, rich};
use tidings_state::snapshot::{DEMO, Snapshot};
use tidings_state::wish::{self, Wish, Wishes};
use tidings_words::{Text, Words};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
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

/// The keys of a channel that say what a message looks like, and which frames are messages.
const PREVIEWED: [&str; 11] = [
    "id",
    "name",
    "show",
    "format",
    "ignore",
    "ignore_when",
    "mapping",
    "rule",
    "kind",
    "preset",
    "dialogue",
];

/// Stands for the secret in what a dialogue would say. The real one is not even fetched.
const SECRET: &str = "***";

/// … and those that say which way leads to its server.
const WAY: [&str; 5] = ["proxy", "ca_file", "client_cert", "client_key", "allow_plaintext"];

/// Stands for the address where only the look of messages is asked for (RFC 6761, section 6.4).
const NOWHERE: &str = "wss://preview.invalid/";

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
        tokio::spawn(stream(self.clone(), events));
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

    async fn preview(
        &self,
        channel: Option<String>,
        mut values: Values,
        sample: Option<String>,
    ) -> Result<Reply, Refusal> {
        let (auth, username) = (values.remove("auth"), values.remove("username"));
        let topics = values.remove("topics");
        // Whatever else is being edited may be wrong meanwhile.
        values.retain(|key, _| PREVIEWED.contains(&key.as_str()));
        values.insert("url".to_owned(), NOWHERE.into());
        if matches!(values.get("kind").and_then(|kind| kind.as_str()), Some("ntfy" | "mqtt")) {
            values.insert("topics".to_owned(), vec!["preview"].into());
        }
        let signs_in = auth != Some("none".into());
        if !signs_in {
            values.insert("auth".to_owned(), "none".into());
        }
        let settings = self.file.channel(channel.as_deref(), values, self.words())?;
        let newest = Query { channel: Some(channel.clone().unwrap_or_default()), ..Query::newest(1) };
        if let Kind::Dialogue(dialogue) = &settings.kind {
            let given = Given {
                secret: signs_in.then(|| SECRET.to_owned()),
                username: username
                    .filter(|_| auth == Some("basic".into()))
                    .and_then(|name| name.as_str().map(str::to_owned)),
                last: match channel {
                    Some(_) => self.inbox.find(newest).await.pop().and_then(|last| last.id),
                    None => None,
                },
                ..Given::default()
            };
            let turns = dialect::rehearse(dialogue, given, &sample.unwrap_or_default());
            let turns = turns.into_iter().map(|turn| self.turn(&settings, turn)).collect();
            return Ok(Reply::Rehearsal(Rehearsal { turns }));
        }
        let last = self.inbox.find(newest).await.pop();
        let topic = last.as_ref().and_then(|last| last.topic.clone());
        let payload = match (sample, last.map(|last| last.raw)) {
            (Some(text), _) | (None, Some(Raw::Text(text))) => Payload::Text(text),
            (None, Some(Raw::Binary(bytes))) => Payload::Binary(bytes),
            (None, None) => return Err(self.refusal(ErrorCode::NoSample, &Text::refused_no_sample())),
        };
        // A broker tells the topic beside the message: that of the last one, or one that is to be heard.
        let about = match settings.kind {
            Kind::Mqtt(_) => About {
                topic: topic.or_else(|| topics.as_ref().and_then(first_filter)),
                published: Some(Published::default()),
                ..About::default()
            },
            Kind::Recipe | Kind::Ntfy { .. } | Kind::Gotify | Kind::Dialogue(_) | Kind::Sse => {
                About::default()
            }
        };
        match self.previewed(&settings, payload, about) {
            Some(preview) => Ok(Reply::Preview(preview)),
            None => Err(self.refusal(ErrorCode::NoSample, &Text::refused_not_a_message())),
        }
    }

    /// How a message would look; `None`: it is none.
    fn previewed(&self, settings: &ChannelSettings, payload: Payload, about: About) -> Option<Preview> {
        let sample = match &payload {
            Payload::Text(text) => text.clone(),
            Payload::Binary(bytes) | Payload::Garbled(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => self.words().preview_bytes(bytes.len()),
            },
        };
        let mut profile = settings.profile();
        let now = Timestamp::now();
        let ignored =
            tidings_inbox::decode_beside(&profile, payload.clone(), about.clone(), now).messages.is_empty();
        if ignored {
            // What it would look like if it were none.
            (profile.ignore, profile.ignore_when) = (Vec::new(), None);
        }
        let decoded = tidings_inbox::decode_beside(&profile, payload, about, now);
        let mut message = decoded.messages.into_iter().next()?;
        let popup = tidings_inbox::pops_up(&profile, &mut message) && !ignored;
        let rich = rich(&message);
        let message = message_report(&message, profile.name, self.words());
        Some(Preview { message, rich, popup, ignored, sample })
    }

    fn turn(&self, settings: &ChannelSettings, turn: dialect::Turn) -> Turn {
        let dialect::Turn { heard, reply, ends } = turn;
        let mut means = Vec::new();
        let mut refused = None;
        for step in reply.steps {
            means.push(match step {
                dialect::Step::Waits(Until::SignedIn) => Meaning::SignIn,
                dialect::Step::Waits(Until::Subscribed) => Meaning::Subscribe,
                dialect::Step::Stands => Meaning::Connected,
                dialect::Step::CaughtUp | dialect::Step::CaughtUpWith(_) => Meaning::CaughtUp,
                dialect::Step::Replaced => Meaning::Replaced,
                dialect::Step::Refused(why) => {
                    refused = Some(why);
                    Meaning::Refused
                }
                dialect::Step::Foreign => {
                    let Kind::Dialogue(dialogue) = &settings.kind else { continue };
                    refused = Some(self.words().cause_foreign(&dialogue.name));
                    Meaning::Refused
                }
                // No dialogue says so.
                dialect::Step::Plain => Meaning::Refused,
            });
        }
        let messages: Vec<Preview> = reply
            .messages
            .into_iter()
            .filter_map(|text| self.previewed(settings, Payload::Text(text), About::default()))
            .collect();
        let posted = reply.post.map(|Posted { url, form }| {
            let fields: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("POST {url}\n{}", fields.join("\n"))
        });
        let said: Vec<String> = reply.say.into_iter().chain(posted).collect();
        if means.is_empty() && messages.is_empty() && said.is_empty() && reply.unsaid == 0 {
            means.push(if ends { Meaning::Ended } else { Meaning::Noise });
        }
        // What ends a frame in some protocols is no letter to be read.
        let readable = |text: String| text.trim_end_matches(['\0', '\u{1e}']).to_owned();
        let said = said.into_iter().map(readable).collect();
        Turn { heard: heard.map(readable), said, unsaid: reply.unsaid, messages, means, refused }
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

/// Feeds one subscriber until it or the agent is gone.
async fn stream(mut answers: Answers, events: mpsc::Sender<Event>) {
    let mut messages = answers.inbox.events();
    let mut pictures = answers.pictures.came();
    let mut told = answers.snapshot.borrow_and_update().report();
    if events.send(Event::Snapshot(told.clone())).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            () = events.closed() => return,
            changed = answers.snapshot.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = answers.snapshot.borrow_and_update().report();
                for event in news(&told, &now) {
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
                told = now;
            }
            came = pictures.recv() => {
                let rows = match came {
                    Ok(rows) => rows,
                    // Some were missed, as below.
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        let snapshot = Event::Snapshot(answers.snapshot.borrow().report());
                        if events.send(snapshot).await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                for row in rows.iter() {
                    let Some(message) = answers.inbox.message(*row).await else { continue };
                    let (app, pictures) = (answers.pictures.app(&message), answers.pictures.of(&message));
                    if events.send(Event::Pictures { message: row.0, app, pictures }).await.is_err() {
                        return;
                    }
                }
            }
            message = messages.recv() => {
                let event = match message {
                    Ok(tidings_inbox::Event::Stored(message)) => {
                        Event::Message(answers.stored(&message, &answers.snapshot.borrow()))
                    }
                    Ok(tidings_inbox::Event::Gone(rows)) => Event::Gone { messages: numbers(&rows) },
                    Ok(tidings_inbox::Event::Read(rows)) => Event::Read { messages: numbers(&rows) },
                    // Its words are in the snapshot.
                    Ok(tidings_inbox::Event::Notice(_)) => continue,
                    // Some messages were missed: the snapshot makes the reader look again.
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        Event::Snapshot(answers.snapshot.borrow().report())
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What to tell a reader who knows `told`: each channel's new state, or everything where more changed.
fn news(told: &StatusReport, now: &StatusReport) -> Vec<Event> {
    let frame = |report: &StatusReport| {
        let spoken = (report.language.clone(), report.theme.clone(), report.notices.clone());
        (spoken, report.paused_until, report.unread, report.channels.len())
    };
    let pairs = || now.channels.iter().zip(&told.channels);
    if frame(told) != frame(now) || pairs().any(|(now, told)| what_it_is(now) != what_it_is(told)) {
        return vec![Event::Snapshot(now.clone())];
    }
    let changed = pairs().filter(|(now, told)| what_it_does(now) != what_it_does(told));
    changed.map(|(now, _)| Event::State(now.clone())).collect()
}

/// What of a channel is told with everything else.
fn what_it_is(channel: &ChannelReport) -> impl PartialEq {
    let ChannelReport { id, name, url, kind, topics, sends, demo, .. } = channel.clone();
    (id, name, url, kind, topics, sends, demo)
}

/// What of it is news. A mere byte or round trip is none.
fn what_it_does(channel: &ChannelReport) -> impl PartialEq {
    let ChannelReport { state, stage, since, attempt, retry_at, cause, left_out, .. } = channel.clone();
    let ChannelReport { answers_pings, idle_limit, session, unread, caught_up, .. } = channel.clone();
    let session = session.map(|session| (session.kept, session.life_s));
    let carried = (channel.carrier, channel.instead_of.clone());
    (
        (state, stage, since, attempt, retry_at, cause, left_out),
        (answers_pings, idle_limit, session, unread, caught_up),
        carried,
    )
}

fn numbers(rows: &[RowId]) -> Vec<i64> {
    rows.iter().map(|row| row.0).collect()
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

/// The first topic that is to be heard, as the settings say it.
fn first_filter(topics: &serde_json::Value) -> Option<String> {
    let first = topics.get(0)?;
    first.get("filter").unwrap_or(first).as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// With this channel.
    fn report(channel: &Value) -> StatusReport {
        let report = json!({ "version": "1", "language": "en", "theme": "auto", "paused_until": null, "unread": 0,
            "notices": [], "channels": [channel] });
        serde_json::from_value(report).expect("a report")
    }

    #[test]
    fn whoever_looks_on_is_told_of_each_change_that_is_seen_and_of_no_other() {
        let before = json!({ "id": "a", "name": "A", "url": "wss://a.example/", "kind": "recipe", "topics": ["a"], "carrier": "websocket", "instead_of": null,
            "sends": false, "state": "connected", "stage": null, "since": "2026-11-30T12:00:00Z", "attempt": 0,
            "retry_at": null, "cause": null, "last_close": null, "rtt_ms": null, "answers_pings": null, "left_out": ["a"],
            "idle_limit": null, "last_inbound": null, "links_opened": 1, "unread": 0, "session": null, "caught_up": null, "dropped": null,
            "demo": false });
        let snapshot = Some("snapshot");
        let state = Some("state");
        let later = "2026-11-30T13:00:00Z";
        let session = json!({ "sign_in": "https://a.example/", "kept": null, "life_s": 60.0, "kept_alive_s": null,
            "alive_at": null });
        let changes = [
            ("id", json!("b"), snapshot),
            ("name", json!("B"), snapshot),
            ("url", json!("wss://b.example/"), snapshot),
            ("kind", json!("ntfy"), snapshot),
            ("topics", json!(["a", "b"]), snapshot),
            ("sends", json!(true), snapshot),
            ("state", json!("connecting"), state),
            ("stage", json!("sign_in"), state),
            ("since", json!(later), state),
            ("attempt", json!(1), state),
            ("retry_at", json!(later), state),
            ("cause", json!("no network"), state),
            ("last_close", json!({ "code": 1000, "reason": "" }), None),
            ("rtt_ms", json!(6.0), None),
            ("answers_pings", json!(true), state),
            ("left_out", json!(["a", "b"]), state),
            ("idle_limit", json!({ "after_s": 60.0, "kept_awake_s": 30.0 }), state),
            ("carrier", json!("sockjs"), state),
            ("instead_of", json!({ "carrier": "websocket", "failed": 3, "cause": "no" }), state),
            ("last_inbound", json!(later), None),
            ("links_opened", json!(2), None),
            ("unread", json!(1), state),
            ("session", session, state),
            ("caught_up", json!({ "complete": true, "from": null, "until": null }), state),
            ("dropped", json!({ "repeated": 1, "ignored": 0 }), None),
            ("demo", json!(true), snapshot),
        ];
        let fields: Vec<&String> = before.as_object().expect("an object").keys().collect();
        let mut named: Vec<&str> = changes.iter().map(|(field, ..)| *field).collect();
        named.sort_unstable();
        assert_eq!(named, fields, "each has its place");
        for (field, value, wanted) in changes {
            let mut after = before.clone();
            after[field] = value;
            let told = news(&report(&before), &report(&after));
            let told: Vec<Value> = told.iter().map(|event| json!(event)["type"].clone()).collect();
            assert_eq!(told, wanted.map_or_else(Vec::new, |wanted| vec![json!(wanted)]), "{field}");
        }
    }
}
