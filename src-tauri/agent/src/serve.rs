//! The agent's answers on the local socket.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidings_api::socket::{self, Handler};
use tidings_api::{ErrorCode, Event, MessageReport, Refusal, Reply, Request, StateLine, StatusReport};
use tidings_inbox::{Inbox, Message};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};

use crate::snapshot::Snapshot;
use crate::wish::{Wish, Wishes};

/// Events that may wait for a subscriber.
const EVENTS: usize = 64;

#[derive(Clone)]
struct Answers {
    snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    inbox: Inbox,
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

/// Serves at `path` until the answer is dropped. Without a socket the agent goes on, and says what is missing.
pub(crate) fn spawn(
    path: &Path,
    snapshot: &watch::Sender<Snapshot>,
    wishes: &Wishes,
    inbox: &Inbox,
) -> Served {
    let listener = match socket::bind(path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(
                %error, socket = %path.display(),
                "no local socket: the window and commands like `tidings status` can't reach this Tidings"
            );
            return Served(None);
        }
    };
    let answers = Answers { snapshot: snapshot.subscribe(), wishes: wishes.clone(), inbox: inbox.clone() };
    let path = path.to_owned();
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
                    Err(_) => Reply::Refused(ending()),
                }
            }
            Request::Raise { activation_token } => {
                self.wishes.make(Wish::OpenWindow { activation_token, message: None });
                Reply::Done { channels: Vec::new() }
            }
            // The socket answers it by a stream.
            Request::Subscribe => Reply::Status(self.snapshot.borrow().report()),
        }
    }

    fn subscribe(&self) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(EVENTS);
        tokio::spawn(stream(self.clone(), events));
        receiver
    }
}

fn ending() -> Refusal {
    Refusal { code: ErrorCode::Ending, message: "Tidings is ending".to_owned() }
}

/// Feeds one subscriber until it or the agent is gone.
async fn stream(mut answers: Answers, events: mpsc::Sender<Event>) {
    let mut messages = answers.inbox.events();
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
            message = messages.recv() => {
                let event = match message {
                    Ok(tidings_inbox::Event::Stored(message)) => {
                        Event::Message(message_report(&message, channel_name(&answers.snapshot.borrow(), &message)))
                    }
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
        let channels: Vec<_> =
            report.channels.iter().map(|c| (c.id.clone(), c.name.clone(), c.url.clone())).collect();
        (channels, report.notices.clone(), report.paused_until, report.unread)
    };
    if frame(told) != frame(now) {
        return vec![Event::Snapshot(now.clone())];
    }
    now.channels
        .iter()
        .zip(&told.channels)
        .map(|(now, told)| (state(now), state(told)))
        .filter(|(now, told)| now != told)
        .map(|(now, _)| Event::State(now))
        .collect()
}

fn state(channel: &tidings_api::ChannelReport) -> StateLine {
    StateLine {
        channel: channel.name.clone(),
        state: channel.state,
        since: channel.since,
        attempt: channel.attempt,
        retry_at: channel.retry_at,
        cause: channel.cause.clone(),
    }
}

fn channel_name(snapshot: &Snapshot, message: &Message) -> String {
    let known = snapshot.channels.iter().find(|channel| channel.id == message.channel);
    known.map_or_else(|| message.channel.clone(), |channel| channel.name.clone())
}

/// A message in the words of the contract.
pub(crate) fn message_report(message: &Message, channel: String) -> MessageReport {
    MessageReport {
        channel,
        id: message.id.clone(),
        title: message.title.clone(),
        body: message.body.clone(),
        priority: message.priority.level(),
        url: message.url.as_ref().map(ToString::to_string),
        received_at: message.received_at,
        raw: match &message.raw {
            tidings_inbox::Raw::Text(text) => tidings_api::Raw::Text(text.clone()),
            tidings_inbox::Raw::Binary(bytes) => tidings_api::Raw::Binary { base64: BASE64.encode(bytes) },
        },
    }
}
