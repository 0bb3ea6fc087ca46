//! One WebSocket after its upgrade: a task that sends what is pushed, listens, and does as it is told.

pub(crate) mod v1;

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    UNAUTHORIZED,
    event::EventKind,
    log::{Form, NotRead},
    order::{CLOSE_LIMIT, Command, Cut},
    outbox::{Due, Outbox},
    shared::Shared,
    users::Opened,
    wire::Wire,
};
use v1::{HELLO, TooMuch, V1};

/// How long one frame may take to leave. Too low: a slow line loses its link; too high: a client that doesn't
/// read holds a message for long.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// The longest time for which a timer is set. A credential that is good for longer ends then, so that none is good for ever.
const LONGEST_CREDENTIAL: Duration = Duration::from_secs(365 * 24 * 3600);
/// Up to so many bytes a message goes through the library's buffer, which stays as large. Too low: more calls to the system for
/// each; too high: memory of every link that was ever sent much.
const LARGE: usize = 4 << 10;
/// The first byte of a frame: the last of its message …
const FINAL: u8 = 0x80;
/// … which is text …
const TEXT: u8 = 0x1;
/// … or bytes.
const BINARY: u8 = 0x2;
/// The second byte of a frame whose length takes the next two …
const MEDIUM_LENGTH: u8 = 126;
/// … or eight.
const LONG_LENGTH: u8 = 127;
/// What a client's text must be to be taken as proof of life and nothing else.
const HEARTBEAT: &str = "HeartBeat";
/// "Policy violation" (RFC 6455 § 7.4.1).
const POLICY: u16 = 1008;
/// "Message too big" (RFC 6455 § 7.4.1).
const TOO_BIG: u16 = 1009;
/// "Try again later" (registered with IANA).
const TRY_AGAIN_LATER: u16 = 1013;

/// How a link ended.
enum End {
    Closed { code: Option<u16>, reason: String },
    Gone(String),
    Cut(Cut),
}

/// A link that is entered in the tables. Dropping it takes it out again.
pub(crate) struct Link {
    place: Place,
    outbox: Outbox,
    commands: mpsc::UnboundedReceiver<Box<Command>>,
    cuts: mpsc::UnboundedReceiver<Cut>,
    wire: Arc<Wire>,
    /// When its credential ends.
    until: Option<SystemTime>,
    /// What is spoken beside the plain recipe.
    v1: Option<Box<V1>>,
}

impl Link {
    pub(crate) fn new(
        shared: Arc<Shared>,
        opened: Opened,
        wire: Arc<Wire>,
        until: Option<SystemTime>,
        v1: Option<V1>,
    ) -> Self {
        let Opened { id, user, tail, from, newest, commands, cuts } = opened;
        let outbox = Outbox::new(tail, from, newest);
        let place = Place { shared, id, user, speaks_v1: v1.is_some(), ended: false };
        Self { place, outbox, commands, cuts, wire, until, v1: v1.map(Box::new) }
    }

    /// Lives as long as the link does.
    pub(crate) async fn run(mut self, mut socket: WebSocket) {
        self.place.record(EventKind::Opened);
        let until = self.until.map(|until| {
            // By the clock of the machine, which may have been set meanwhile, only once.
            Instant::now()
                + until.duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST_CREDENTIAL)
        });
        // What waits for long is all that a link is to hold. What is seldom waited for is in a box, here and below, or every
        // link would be as large as the largest of it; and a future that had a name first would be held twice.
        let mut end = tokio::select! {
            biased;
            Some(cut) = self.cuts.recv() => End::Cut(cut),
            Err(end) = serve(
                &self.place,
                &mut self.outbox,
                &mut self.commands,
                &self.wire,
                &mut socket,
                until,
                self.v1.as_deref_mut(),
            ) => end,
        };
        if let End::Cut(Cut::Stall) = end {
            end = End::Cut(Box::pin(self.stalled()).await);
        }
        match end {
            End::Closed { code, reason } => {
                drop(socket);
                self.place.end(EventKind::Closed { code, reason });
            }
            End::Gone(why) => {
                drop(socket);
                self.place.end(EventKind::Gone { why });
            }
            End::Cut(Cut::Reset) => {
                self.wire.reset_on_close();
                drop((socket, self.wire));
                self.place.end(EventKind::Gone { why: "reset by the server".to_owned() });
            }
            End::Cut(cut @ (Cut::Fin | Cut::Stall | Cut::TooSlow)) => {
                self.wire.finish();
                let why =
                    if cut == Cut::TooSlow { "the client does not read" } else { "ended by the server" };
                self.place.end(EventKind::Gone { why: why.to_owned() });
                let _ = Box::pin(timeout(CLOSE_LIMIT, self.wire.drain())).await;
            }
        }
    }

    /// Does nothing until the link is to be ended.
    async fn stalled(&mut self) -> Cut {
        // Nobody waits for a command that will not be obeyed.
        self.commands.close();
        while self.commands.try_recv().is_ok() {}
        loop {
            match self.cuts.recv().await {
                Some(Cut::Stall | Cut::TooSlow) => {}
                Some(cut @ (Cut::Fin | Cut::Reset)) => return cut,
                // Nobody is left who could end it.
                None => return Cut::Fin,
            }
        }
    }
}

async fn serve(
    place: &Place,
    outbox: &mut Outbox,
    commands: &mut mpsc::UnboundedReceiver<Box<Command>>,
    wire: &Wire,
    socket: &mut WebSocket,
    until: Option<Instant>,
    mut v1: Option<&mut V1>,
) -> Result<Infallible, End> {
    let mut heard = Instant::now();
    if v1.is_some() {
        Box::pin(send(socket, Message::text(HELLO))).await?;
    }
    loop {
        tokio::select! {
            biased;
            Some(command) = commands.recv() => match *command {
                Command::Close { code, reason, after } => {
                    let closing = close(place, outbox, socket, wire, code, reason, after);
                    return Err(Box::pin(in_time(closing)).await);
                }
                Command::Raw { bytes, done, after } => {
                    Box::pin(drain(place, outbox, socket, wire, after)).await?;
                    match Box::pin(timeout(WRITE_LIMIT, wire.write_raw(&bytes))).await {
                        // Nobody waiting for it is no reason to stop.
                        Ok(Ok(())) => drop(done.send(())),
                        Ok(Err(error)) => return Err(End::Gone(error.to_string())),
                        Err(_) => return Err(End::Cut(Cut::TooSlow)),
                    }
                }
            },
            message = socket.recv() => {
                heard = Instant::now();
                if let Some(Err(error)) = &message && is_too_long(error) {
                    return Err(Box::pin(refuse(place, socket, TOO_BIG, "no client has so much to say")).await);
                }
                if let (Some(v1), Some(Ok(Message::Text(text)))) = (&mut v1, &message) {
                    let heard = Box::pin(v1.hear(&place.shared.log, &place.user, text, outbox.sent())).await;
                    if heard == Err(TooMuch) {
                        return Err(Box::pin(refuse(place, socket, POLICY, "too much at once")).await);
                    }
                }
                if let Some(end) = hear(place, message) {
                    if let End::Closed { .. } = end {
                        // The library sends its answer while it reads on.
                        let _ = Box::pin(timeout(CLOSE_LIMIT, socket.recv())).await;
                    }
                    return Err(end);
                }
            }
            () = deadline(heard, place.shared.idle_timeout, until) => {
                if until.is_some_and(|until| until <= Instant::now()) {
                    let reason = "the credential has expired".to_owned();
                    let closing = close(place, outbox, socket, wire, UNAUTHORIZED, reason, u64::MAX);
                    return Err(Box::pin(in_time(closing)).await);
                }
                tracing::info!(link = place.id, user = place.user, "silent for too long");
                return Err(End::Cut(Cut::Fin));
            }
            due = outbox.next(&place.shared.log, &place.user) => match due {
                Ok(due) => send_due(place, socket, wire, due).await?,
                Err(error) => return Err(Box::pin(unread(place, socket, error)).await),
            },
        }
    }
}

/// Ends once the link has been silent for as long as it may be, or its credential has ended. One timer for both, as each
/// costs every link memory.
async fn deadline(heard: Instant, limit: Option<Duration>, until: Option<Instant>) {
    let silent = limit.and_then(|limit| heard.checked_add(limit));
    match silent.into_iter().chain(until).min() {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Sends what is due up to message `last`.
async fn drain(
    place: &Place,
    outbox: &mut Outbox,
    socket: &mut WebSocket,
    wire: &Wire,
    last: u64,
) -> Result<(), End> {
    loop {
        match outbox.take(&place.shared.log, &place.user, last).await {
            Ok(Some(due)) => send_due(place, socket, wire, due).await?,
            Ok(None) => return Ok(()),
            Err(error) => return Err(unread(place, socket, error).await),
        }
    }
}

/// Ends a link that can't be sent what was missed: going on would leave that out unseen.
async fn unread(place: &Place, socket: &mut WebSocket, error: NotRead) -> End {
    refuse(place, socket, TRY_AGAIN_LATER, &error.to_string()).await
}

/// Ends a link with this code, whatever else was to be said.
async fn refuse(place: &Place, socket: &mut WebSocket, code: u16, reason: &str) -> End {
    place.record(EventKind::Closing { code: Some(code), reason: reason.to_owned() });
    let frame = CloseFrame { code, reason: reason.into() };
    match send(socket, Message::Close(Some(frame))).await {
        Ok(()) => End::Cut(Cut::Fin),
        Err(end) => end,
    }
}

/// Sends what is due, by what is spoken.
async fn send_due(place: &Place, socket: &mut WebSocket, wire: &Wire, due: Due) -> Result<(), End> {
    let frame = match due {
        Due::Item(item) if place.speaks_v1 => Message::text(V1::frame(&item)),
        Due::CaughtUp(told) if place.speaks_v1 => Message::text(V1::caught_up(told)),
        Due::Item(item) if item.form != Form::Read => item.frame(),
        // The plain recipe has no word for it.
        Due::Item(_) | Due::CaughtUp(_) => return Ok(()),
    };
    match &frame {
        Message::Text(text) if text.len() > LARGE => send_large(socket, wire, TEXT, text.as_bytes()).await,
        Message::Binary(bytes) if bytes.len() > LARGE => send_large(socket, wire, BINARY, bytes).await,
        Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {
            send(socket, frame).await
        }
    }
}

/// Whether a client sent more than it may. (The library's type for it is none of axum's.)
fn is_too_long(error: &axum::Error) -> bool {
    error.to_string().starts_with("Space limit exceeded")
}

/// The beginning of a frame that is a whole message, without a mask (RFC 6455, section 5.2). A length takes as few bytes as it
/// can, and a large one more than one.
fn head(kind: u8, length: usize) -> Vec<u8> {
    let mut head = vec![FINAL | kind];
    match u16::try_from(length) {
        Ok(length) => {
            head.push(MEDIUM_LENGTH);
            head.extend(length.to_be_bytes());
        }
        Err(_) => {
            head.push(LONG_LENGTH);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head
}

/// Sends a message around the library: its buffer would stay as large as the largest that went through it, for as long as
/// the link lives.
async fn send_large(socket: &mut WebSocket, wire: &Wire, kind: u8, payload: &[u8]) -> Result<(), End> {
    let head = head(kind, payload.len());
    let sending = async {
        // What the library holds comes first.
        socket.flush().await.map_err(|error| error.to_string())?;
        wire.write_raw(&head).await.map_err(|error| error.to_string())?;
        wire.write_raw(payload).await.map_err(|error| error.to_string())
    };
    match timeout(WRITE_LIMIT, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(End::Gone(error)),
        Err(_) => Err(End::Cut(Cut::TooSlow)),
    }
}

async fn send(socket: &mut WebSocket, frame: Message) -> Result<(), End> {
    match timeout(WRITE_LIMIT, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(End::Gone(error.to_string())),
        Err(_) => Err(End::Cut(Cut::TooSlow)),
    }
}

/// Takes note of what came in; says so if it was the end.
fn hear(place: &Place, message: Option<Result<Message, axum::Error>>) -> Option<End> {
    match message {
        Some(Ok(Message::Text(text))) => {
            if text.as_str() != HEARTBEAT {
                tracing::debug!(link = place.id, user = place.user, "ignored a text of {} bytes", text.len());
            }
            place.record(EventKind::Text(text.as_str().to_owned()));
        }
        Some(Ok(Message::Binary(bytes))) => place.record(EventKind::Binary(bytes.into())),
        Some(Ok(Message::Ping(bytes))) => place.record(EventKind::Ping(bytes.into())),
        // The server never pings, so a pong is either unsolicited or a ping that was hidden as one.
        Some(Ok(Message::Pong(bytes))) if place.hides_pings() => place.record(EventKind::Ping(bytes.into())),
        Some(Ok(Message::Pong(bytes))) => place.record(EventKind::Pong(bytes.into())),
        Some(Ok(Message::Close(None))) => return Some(End::Closed { code: None, reason: String::new() }),
        Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
            return Some(End::Closed { code: Some(code), reason: reason.as_str().to_owned() });
        }
        Some(Err(error)) => return Some(End::Gone(error.to_string())),
        None => return Some(End::Gone("end of stream".to_owned())),
    }
    None
}

/// Ends a link that is being closed, by force where it takes too long.
async fn in_time(closing: impl Future<Output = End>) -> End {
    timeout(CLOSE_LIMIT, closing).await.unwrap_or(End::Cut(Cut::Fin))
}

/// Sends what is due, then the close frame, and waits for the client's.
async fn close(
    place: &Place,
    outbox: &mut Outbox,
    socket: &mut WebSocket,
    wire: &Wire,
    code: u16,
    reason: String,
    after: u64,
) -> End {
    if let Err(end) = drain(place, outbox, socket, wire, after).await {
        return end;
    }
    if code == 1006 || place.eats_close_codes() {
        return End::Cut(Cut::Fin);
    }
    let sent = (code != 1005).then_some(code);
    let frame = sent.map(|code| CloseFrame { code, reason: reason.as_str().into() });
    place.record(EventKind::Closing { code: sent, reason });
    if let Err(end) = send(socket, Message::Close(frame)).await {
        return end;
    }
    loop {
        if let Some(end) = hear(place, socket.recv().await) {
            return end;
        }
    }
}

/// A link's entry in the tables.
struct Place {
    shared: Arc<Shared>,
    id: u64,
    user: String,
    speaks_v1: bool,
    ended: bool,
}

impl Place {
    fn record(&self, kind: EventKind) {
        self.shared.events.record(self.id, &self.user, kind);
    }

    fn end(&mut self, kind: EventKind) {
        self.ended = true;
        self.shared.users.leave(self.id, &self.user);
        self.record(kind);
    }

    fn eats_close_codes(&self) -> bool {
        self.shared.eat_close_codes.load(Relaxed)
    }

    fn hides_pings(&self) -> bool {
        self.shared.hide_pings.load(Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.ended {
            self.end(EventKind::Gone { why: "the upgrade was not finished".to_owned() });
        }
        self.shared.users.running.send_modify(|running| *running -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_what_it_returns<A, B, R>(_: impl FnOnce(A, B) -> R) -> usize {
        size_of::<R>()
    }

    #[test]
    fn an_idle_link_holds_little_but_what_it_waits_for() {
        let size = size_of_what_it_returns(Link::run);
        assert!(size <= 2560, "{size} bytes: box what is seldom waited for");
    }
}
