//! `tidings listen`: one channel without tray, window, inbox or bus; messages go to stdout.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tidings_api::client::Client;
use tidings_api::{Line, Reply, Request, StateLine};
use tidings_channel::{
    Carrier, Cause, Channel, ChannelUrl, Config, Frame, Owner, Receipts, Start, State, Status,
};
use tidings_dialect::Dialect;
use tidings_examination::greeting::Greeting;
use tidings_ground::exit;
use tidings_ground::paths::Paths;
use tidings_ground::terminal::{Unwritten, say, usage};
use tidings_ground::text::quoted;
use tidings_inbox::{About, Arrival, ChannelProfile, Message};
use tidings_settings::credential::Credentials;
use tidings_settings::{ChannelSettings, reason};
use tidings_state::message::{arrival, message_report, told_instead};
use tidings_state::snapshot::{state_line, timestamp};
use tidings_words::{Text, Words};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::cli;
use crate::lines::Out;

/// Runs until asked to end, replaced, or refused.
pub(crate) async fn run(paths: &Paths, args: &cli::Listen, words: Words) -> anyhow::Result<ExitCode> {
    tidings_ground::logging::start(None);
    let out = Out { stdout: tokio::io::stdout(), json: args.json, words };
    if let Some(typed) = &args.url {
        let url = match ChannelUrl::parse(typed, false) {
            Ok(url) => url,
            Err(error) => return Ok(usage(&format!("--url: {}", reason::of_address(&error).said(words)))),
        };
        if url.is_mqtt() {
            return Ok(usage(&format!("--url: {}", words.cli_listen_broker())));
        }
        let profile = ChannelProfile::new(url.host(), url.host());
        return follow(Config::new(url).by(typed), profile, NoCredential, out, words).await;
    }
    let settings = match tidings_settings::load(&paths.settings) {
        Ok(settings) => settings,
        Err(error) => return Ok(usage(&error.told(words))),
    };
    let channel = match choose(&settings.channels, args.channel.as_deref(), &paths.settings) {
        Ok(channel) => channel,
        Err(message) => return Ok(usage(&message.said(words))),
    };
    if channel.kind.may_be_taken_over() && agent_holds(paths, channel).await {
        return Ok(usage(&words.cli_held(&format_args!("{:?}", channel.name))));
    }
    let mut config = match channel.config() {
        Ok(config) => config,
        Err(error) => return Ok(usage(&error.told(words))),
    };
    // Nobody remembers the client id that is drawn here, so that nobody would fetch what the broker keeps for it.
    if let Some(asked) = config.mqtt.as_mut().filter(|asked| asked.client_id.is_none()) {
        asked.session_expiry = Duration::ZERO;
    }
    let credentials = channel.credentials(&config);
    let dialler = Dialler { credentials, headers: channel.headers.clone(), words };
    follow(config, channel.profile(), dialler, out, words).await
}

/// The channel that is meant; the only one, where none is named.
pub(crate) fn choose<'a>(
    channels: &'a [ChannelSettings],
    name: Option<&str>,
    file: &Path,
) -> Result<&'a ChannelSettings, Text> {
    let known = || channels.iter().map(|channel| channel.id.as_str()).collect::<Vec<_>>().join(", ");
    let file = tidings_ground::paths::short(file);
    let file = file.display();
    match (name, channels) {
        (_, []) => Err(Text::cli_no_channel(&file)),
        (None, [only]) => Ok(only),
        (None, _) => Err(Text::cli_several_channels(&file, &known())),
        (Some(name), channels) => channels
            .iter()
            .find(|channel| channel.id == name || channel.name == name)
            .ok_or_else(|| Text::cli_unknown_channel(&file, &known(), &quoted(name))),
    }
}

async fn agent_holds(paths: &Paths, channel: &ChannelSettings) -> bool {
    let Ok(mut client) = Client::connect(&paths.socket()).await else { return false };
    match client.ask_in_time(&Request::Status).await {
        Ok(Reply::Status(status)) => status.channels.iter().any(|held| held.id == channel.id),
        // Something is there and can't say: doubt means that it holds the channel.
        Ok(_) | Err(_) => true,
    }
}

struct NoCredential;

impl Owner for NoCredential {
    async fn dial_params(
        &mut self,
        _ask: tidings_channel::DialAsk,
    ) -> Result<tidings_channel::DialParams, tidings_channel::DialRefusal> {
        Ok(tidings_channel::DialParams::default())
    }
}

/// Like the agent's, but with no inbox there is no last id to resume from.
struct Dialler {
    credentials: Credentials,
    headers: Vec<(String, String)>,
    words: Words,
}

impl Owner for Dialler {
    async fn dial_params(
        &mut self,
        ask: tidings_channel::DialAsk,
    ) -> Result<tidings_channel::DialParams, tidings_channel::DialRefusal> {
        let credential = self.credentials.for_dial(ask, self.words).await?;
        Ok(tidings_channel::DialParams { credential, headers: self.headers.clone(), ..Default::default() })
    }

    async fn set_cookies(&mut self, set_cookies: Vec<String>) {
        self.credentials.set_cookies(&set_cookies).await;
    }
}

async fn follow(
    config: Config,
    profile: ChannelProfile,
    owner: impl Owner,
    mut out: Out,
    words: Words,
) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let profile = Arc::new(profile);
    let plain = config.dialect == Dialect::Plain && config.carrier != Carrier::Mqtt;
    let (channel, frames) = Channel::spawn(config, Start::Connect, owner);
    let frames = Frames { queue: frames, receipts: channel.receipts() };
    let mut printing = std::pin::pin!(print(channel.status(), frames, &profile, &mut out, words, plain));
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        code = &mut printing => {
            channel.shut_down().await;
            return Ok(code?);
        }
    }
    // What had arrived before is printed all the same, unless nobody reads it any more.
    let last_words = async { tokio::join!(channel.shut_down(), printing) };
    if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
        tracing::warn!("stdout is not read: what had arrived last is not printed");
    }
    Ok(ExitCode::SUCCESS)
}

/// How long the end may take once it is asked for, the close handshake included. Too low: a slow reader misses
/// the last messages; too high: one that has stopped reading holds up the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Prints states and messages until the channel or the reader is gone, or a state is the last.
async fn print(
    mut status: watch::Receiver<Status>,
    mut frames: Frames,
    profile: &Arc<ChannelProfile>,
    out: &mut Out,
    words: Words,
    plain: bool,
) -> Result<ExitCode, Unwritten> {
    let mut order = Order { profile, words, plain, told: None, link: None };
    loop {
        let now = status.borrow_and_update().clone();
        // What had come by then stands before it.
        while let Ok(frame) = frames.queue.try_recv() {
            frames.print(frame, &mut order, out).await?;
        }
        out.lines(order.status(&now)).await?;
        if let Some(code) = end(&now.state) {
            return Ok(code);
        }
        tokio::select! {
            biased;
            frame = frames.queue.recv() => {
                let Some(frame) = frame else { return Ok(ExitCode::from(exit::FAILED)) };
                frames.print(frame, &mut order, out).await?;
            }
            changed = status.changed() => {
                if changed.is_err() {
                    return Ok(ExitCode::from(exit::FAILED));
                }
            }
        }
    }
}

/// What comes, and where its receipts go.
struct Frames {
    queue: mpsc::Receiver<Frame>,
    receipts: Receipts,
}

impl Frames {
    /// Who reads it has it: its server may forget it.
    async fn print(&self, frame: Frame, order: &mut Order<'_>, out: &mut Out) -> Result<(), Unwritten> {
        let (generation, receipt) = (frame.generation, frame.receipt());
        out.lines(order.frame(frame)).await?;
        if let Some(receipt) = receipt {
            self.receipts.give(generation, receipt);
        }
        Ok(())
    }
}

/// Puts states and frames, which come by two ways, in order: by the generation of their link.
struct Order<'a> {
    profile: &'a Arc<ChannelProfile>,
    words: Words,
    /// Every frame is a message, and the link is of use as soon as it is open.
    plain: bool,
    told: Option<StateLine>,
    /// The link whose `connected` is told.
    link: Option<Told>,
}

struct Told {
    generation: u64,
    /// By its first frame: what its server speaks, if that isn't plain messages.
    greeting: Option<Option<Greeting>>,
}

impl Order<'_> {
    fn status(&mut self, status: &Status) -> Option<Line> {
        if let State::Connected { since } = status.state {
            return self.connected(status.generation, since);
        }
        self.state(&status.state)
    }

    /// Tells once that a link is up.
    fn connected(&mut self, generation: u64, since: SystemTime) -> Option<Line> {
        if self.link.as_ref().is_some_and(|link| link.generation >= generation) {
            return None;
        }
        self.link = Some(Told { generation, greeting: None });
        self.state(&State::Connected { since })
    }

    fn state(&mut self, state: &State) -> Option<Line> {
        // That the first dial is due is no news.
        if self.told.is_none() && matches!(state, State::Waiting { cause: Cause::Local, .. }) {
            return None;
        }
        let entered = match &self.told {
            Some(line) if line.state.as_str() == state.name() => line.since,
            _ => Timestamp::now(),
        };
        let line = state_line(&self.profile.name, state, entered, self.words);
        (self.told.replace(line.clone()).as_ref() != Some(&line)).then_some(Line::State(line))
    }

    fn frame(&mut self, frame: Frame) -> Vec<Line> {
        // Its link's state may be seen later, or not at all if that was short.
        let connected = if self.plain { self.connected(frame.generation, frame.received_at) } else { None };
        let talk = self.plain && self.greeting(&frame).is_some_and(|greeting| greeting.is_talk(&frame));
        let messages = if talk { Vec::new() } else { self.messages(frame) };
        connected.into_iter().chain(messages).collect()
    }

    /// What the frame's server speaks; said once a link.
    fn greeting(&mut self, frame: &Frame) -> Option<Greeting> {
        let link = self.link.as_mut()?;
        if let Some(known) = link.greeting {
            return known;
        }
        let greeting = Greeting::of(frame);
        link.greeting = Some(greeting);
        if let Some(greeting) = greeting {
            say(&greeting.told(self.words));
            say(&greeting.mend(self.words));
        }
        greeting
    }

    fn messages(&self, frame: Frame) -> Vec<Line> {
        let unreadable = told_instead(&frame.payload, self.words);
        let received_at = timestamp(frame.received_at);
        let (payload, about) = match (unreadable, arrival(self.profile.clone(), frame)) {
            (_, Some(Arrival { payload, about, .. })) => (payload, about),
            (Some(text), None) => (tidings_inbox::Payload::Text(text), About::default()),
            (None, None) => return Vec::new(),
        };
        let decoded = tidings_inbox::decode_beside(self.profile, payload, about, received_at);
        let report = |message: &Message| message_report(message, self.profile.name.clone(), self.words);
        decoded.messages.iter().map(|message| Line::Message(report(message))).collect()
    }
}

/// Whether this state ends the command.
fn end(state: &State) -> Option<ExitCode> {
    match state {
        State::Replaced { .. } => Some(ExitCode::from(exit::REPLACED)),
        // The token's source failed: a setting, not the server.
        State::NeedsUser { cause: Cause::Owner { detail, .. }, .. } => Some(usage(detail)),
        State::NeedsUser { .. } => Some(ExitCode::from(exit::SIGN_IN_REFUSED)),
        State::Disconnected { .. }
        | State::Connecting { .. }
        | State::Connected { .. }
        | State::Waiting { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &Line) -> &'static str {
        match line {
            Line::State(line) => line.state.as_str(),
            Line::Message(_) => "message",
        }
    }

    fn frame(generation: u64, text: &str) -> Frame {
        let payload = tidings_channel::Payload::Text(text.to_owned());
        Frame {
            generation,
            payload,
            about: tidings_channel::About::default(),
            received_at: SystemTime::UNIX_EPOCH,
            replay: None,
            goes_on: false,
        }
    }

    #[test]
    fn the_first_line_is_about_the_first_dial_not_of_the_moment_before_it() {
        let profile = Arc::new(ChannelProfile::new("ann", "Ann"));
        let mut order =
            Order { profile: &profile, words: Words::default(), plain: true, told: None, link: None };
        let due = State::Waiting { retry_at: SystemTime::UNIX_EPOCH, attempt: 1, cause: Cause::Local };
        assert!(order.state(&due).is_none());
        assert!(order.connected(1, SystemTime::UNIX_EPOCH).is_some());
        assert!(order.state(&due).is_some(), "a later one is told: the link is gone");
    }

    #[test]
    fn a_message_never_stands_before_its_links_connected_line() {
        let profile = Arc::new(ChannelProfile::new("ann", "Ann"));
        let mut order =
            Order { profile: &profile, words: Words::default(), plain: true, told: None, link: None };
        let waiting =
            State::Waiting { retry_at: SystemTime::UNIX_EPOCH, attempt: 1, cause: Cause::WriteStalled };
        let mut lines = Vec::new();
        lines.extend(order.state(&waiting));
        lines.extend(order.frame(frame(1, "before its state is seen")));
        lines.extend(order.connected(1, SystemTime::UNIX_EPOCH));
        lines.extend(order.frame(frame(1, "two")));
        lines.extend(order.state(&waiting));
        lines.extend(order.frame(frame(2, "of a link so short that its state was never seen")));
        lines.extend(order.frame(frame(2, "two")));
        let expected =
            ["waiting", "connected", "message", "message", "waiting", "connected", "message", "message"];
        assert_eq!(lines.iter().map(kind).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_a_dialect_hands_on_is_a_message_whatever_it_looks_like() {
        let profile = Arc::new(ChannelProfile::new("ann", "Ann"));
        let mut order =
            Order { profile: &profile, words: Words::default(), plain: false, told: None, link: None };
        let lines: Vec<_> = ["o", "2"].iter().flat_map(|text| order.frame(frame(1, text))).collect();
        assert_eq!(
            lines.iter().map(kind).collect::<Vec<_>>(),
            ["message", "message"],
            "and no state is guessed"
        );
    }

    #[test]
    fn what_a_protocol_says_to_itself_is_no_message() {
        let profile = Arc::new(ChannelProfile::new("ann", "Ann"));
        let open = r#"{"time":1,"event":"open","topic":"t"}"#;
        for (frames, messages) in [
            (&["o", "h", "a[\"hi\"]", "c[3000,\"Go away!\"]"][..], 1),
            (&["0{\"sid\":\"x\"}", "2", "2"], 0),
            (&[open, r#"{"event":"message","message":"hi"}"#], 1),
            (&["hello", "o", "2"], 3),
        ] {
            let mut order =
                Order { profile: &profile, words: Words::default(), plain: true, told: None, link: None };
            let lines: Vec<_> = frames.iter().flat_map(|text| order.frame(frame(1, text))).collect();
            let shown = lines.iter().filter(|line| kind(line) == "message").count();
            assert_eq!(shown, messages, "{frames:?}");
        }
    }
}
