//! A link that is an MQTT connection, over a plain stream or inside a WebSocket's binary frames (MQTT 5.0, section 6). It is introduced
//! and subscribed before it counts as open; from then on messages come out as frames, and each is acknowledged once its owner says so.

pub(crate) mod frame;
pub(crate) mod packets;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use frame::{Framer, Malformed, Packet};
use packets::{PING, Reason, Said, Version, completed, goodbye, read, stored, stored_once};

use super::websocket::WebSocket;
use super::{Event, Link};
use crate::end::close::{NORMAL, PROTOCOL, TOO_BIG};
use crate::machine::facts::{End, Proof};
use crate::{About, Cause, Delivery, Detail, Payload, Qos};

/// Bytes that are read at once. Too few: a burst costs many reads; too many: stack.
const READ_AT_ONCE: usize = 8 * 1024;

/// What carries the packets.
pub(crate) enum Pipe<S> {
    Plain(S),
    WebSocket(Box<WebSocket<S>>),
}

/// What came through the pipe.
enum Came {
    Bytes(Vec<u8>),
    /// Something, but nothing of ours.
    Nothing,
    Stuck(bool),
    Ended(End),
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Pipe<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Came> {
        Poll::Ready(match self {
            Self::Plain(stream) => {
                let mut room = [0; READ_AT_ONCE];
                let mut buffer = ReadBuf::new(&mut room);
                match ready!(Pin::new(stream).poll_read(cx, &mut buffer)) {
                    Ok(()) if buffer.filled().is_empty() => {
                        Came::Ended(End::Lost { detail: Detail::EndOfStream })
                    }
                    Ok(()) => Came::Bytes(buffer.filled().to_vec()),
                    Err(error) => Came::Ended(End::Lost { detail: Detail::of_io(&error) }),
                }
            }
            Self::WebSocket(socket) => match ready!(socket.poll_event(cx, true)) {
                Event::Frame(Payload::Binary(bytes), _) => Came::Bytes(bytes),
                Event::Frame(Payload::TooBig { .. }, _) => {
                    Came::Ended(End::Violation { code: TOO_BIG, detail: Detail::TooLong })
                }
                Event::Frame(..) => Came::Ended(violation()),
                Event::WriteStuck(stuck) => Came::Stuck(stuck),
                Event::Ended(end) => Came::Ended(end),
                Event::Gone => Came::Gone,
                Event::Bytes
                | Event::Beat
                | Event::Mark(_)
                | Event::Retry(_)
                | Event::Settled(_)
                | Event::Pong(_) => Came::Nothing,
            },
        })
    }
}

fn violation() -> End {
    End::Violation { code: PROTOCOL, detail: Detail::NoMqtt }
}

impl From<Malformed> for End {
    fn from(_: Malformed) -> Self {
        violation()
    }
}

/// See the module.
pub(crate) struct Mqtt<S> {
    pipe: Pipe<S>,
    version: Version,
    framer: Framer,
    /// What a plain stream has yet to take.
    unsent: Vec<u8>,
    stuck: bool,
    broken: Option<io::Error>,
    last_sent: Instant,
    /// How often the broker has to hear of us.
    keep_alive: Duration,
    /// Has a plain stream acknowledge at once what came.
    acknowledge: fn(&S),
    /// PINGREQs without an answer.
    pings: VecDeque<Ping>,
    /// Messages that wait to be acknowledged.
    unacknowledged: usize,
    /// Numbers of those that are to come once.
    once: Vec<u16>,
    /// How many came that are to be acknowledged, and of how many of these the broker has proven to know.
    delivered: u64,
    proven: u64,
    events: VecDeque<Event>,
    /// What comes may have waited at the broker.
    resumed: bool,
    mode: Mode,
}

/// A PINGREQ that went out.
#[derive(Debug, Default)]
struct Ping {
    /// The machine's number of it.
    counter: Option<u64>,
    /// How many had come then, where nothing was unacknowledged.
    proves: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// We said goodbye.
    Closing,
    /// As `Closing`, but what the broker sent before is still reported.
    Leaving,
    /// It is over, and was told so.
    Over,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Mqtt<S> {
    pub(crate) fn new(pipe: Pipe<S>, version: Version, keep_alive: Duration, acknowledge: fn(&S)) -> Self {
        Self {
            pipe,
            version,
            framer: Framer::default(),
            unsent: Vec::new(),
            stuck: false,
            broken: None,
            last_sent: Instant::now(),
            keep_alive,
            acknowledge,
            pings: VecDeque::new(),
            unacknowledged: 0,
            once: Vec::new(),
            delivered: 0,
            proven: 0,
            events: VecDeque::new(),
            resumed: false,
            mode: Mode::Open,
        }
    }

    /// What carries it.
    pub(crate) fn pipe(&self) -> &Pipe<S> {
        &self.pipe
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.last_sent = Instant::now();
        match &mut self.pipe {
            Pipe::Plain(_) => self.unsent.extend_from_slice(bytes),
            Pipe::WebSocket(socket) => socket.say_binary(bytes.to_vec()),
        }
    }

    /// The answer to what was sent: of CONNECT, of SUBSCRIBE. Messages that come before it are kept.
    pub(crate) async fn answer(&mut self) -> Result<Said, End> {
        loop {
            let said = poll_fn(|cx| {
                if let Poll::Ready(Some(stuck)) = self.poll_write(cx) {
                    self.events.push_back(Event::WriteStuck(stuck));
                }
                match ready!(self.pipe.poll(cx)) {
                    Came::Bytes(bytes) => Poll::Ready(self.cut(&bytes)),
                    Came::Nothing | Came::Stuck(_) => Poll::Ready(Ok(Vec::new())),
                    Came::Ended(end) => Poll::Ready(Err(end)),
                    Came::Gone => Poll::Ready(Err(End::Lost { detail: Detail::EndOfStream })),
                }
            })
            .await?;
            let mut answer = None;
            for said in said {
                if let Said::Connected(agreed) = &said {
                    self.resumed = agreed.session;
                    let often = agreed.keep_alive.map(|seconds| Duration::from_secs(seconds.into()));
                    self.keep_alive = often.unwrap_or(self.keep_alive);
                }
                match said {
                    Said::Connected(_) | Said::Refused(_) | Said::Subscribed(..) => {
                        if answer.replace(said).is_some() {
                            return Err(violation());
                        }
                    }
                    Said::Ended(reason) => return Ok(Said::Refused(reason)),
                    Said::Published { .. } | Said::Released(_) | Said::Pong | Said::Nothing => {
                        self.hear(said)?;
                    }
                }
            }
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
    }

    fn cut(&mut self, bytes: &[u8]) -> Result<Vec<Said>, End> {
        let mut packets: Vec<Packet> = Vec::new();
        self.framer.take(bytes, &mut packets)?;
        packets.into_iter().map(|packet| Ok(read(self.version, packet)?)).collect()
    }

    /// What was said becomes events.
    fn hear(&mut self, said: Said) -> Result<(), Malformed> {
        match said {
            Said::Published { topic, payload, qos, id, mut about } => {
                about.receipt = id.map(|number| self.delivery(number));
                about.resumed = self.resumed;
                self.once.extend(id.filter(|_| qos == Qos::ExactlyOnce));
                let about =
                    About { topic: Some(topic), published: Some(Box::new(about)), ..About::default() };
                self.events.push_back(Event::Frame(payload, about));
            }
            Said::Released(id) => {
                self.send(&completed(id));
                self.events.push_back(Event::Bytes);
            }
            Said::Pong => {
                let Ping { counter, proves } = self.pings.pop_front().unwrap_or_default();
                if let Some(place) = proves.filter(|place| *place > self.proven) {
                    self.proven = place;
                    self.events.push_back(Event::Settled(place));
                }
                self.events.push_back(counter.map_or(Event::Bytes, Event::Pong));
                self.ask_for_proof();
                // Nothing of ours follows that could carry it, and a broker that doesn't ask for TCP_NODELAY (mosquitto, unless it
                // is told to) holds the next message back until it comes, for up to 40 ms.
                if let Pipe::Plain(stream) = &self.pipe {
                    (self.acknowledge)(stream);
                }
            }
            Said::Ended(Reason { code, said }) => {
                self.mode = Mode::Over;
                let cause = if code == TAKEN_OVER { Cause::TakenOver } else { Cause::Broker { code, said } };
                self.events.push_back(Event::Ended(End::Told(cause)));
            }
            Said::Subscribed(..) | Said::Nothing => self.events.push_back(Event::Bytes),
            Said::Connected(_) | Said::Refused(_) => return Err(Malformed),
        }
        Ok(())
    }

    fn delivery(&mut self, number: u16) -> Delivery {
        self.unacknowledged += 1;
        self.delivered += 1;
        Delivery { number, place: self.delivered }
    }

    fn request(&mut self, counter: Option<u64>) {
        let proves = (self.unacknowledged == 0).then_some(self.delivered);
        self.pings.push_back(Ping { counter, proves });
        self.send(&PING);
    }

    /// At once, so that hardly ever a broker sends again what we know that it knows.
    fn ask_for_proof(&mut self) {
        if self.unacknowledged == 0 && self.delivered > self.proven && self.pings.is_empty() {
            self.request(None);
        }
    }

    /// Writes what a plain stream takes; whether it got stuck, or is so no longer.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Option<bool>> {
        let Pipe::Plain(stream) = &mut self.pipe else { return Poll::Pending };
        while !self.unsent.is_empty() && self.broken.is_none() {
            match Pin::new(&mut *stream).poll_write(cx, &self.unsent) {
                Poll::Ready(Ok(0)) => self.broken = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => drop(self.unsent.drain(..written)),
                Poll::Ready(Err(error)) => self.broken = Some(error),
                Poll::Pending if self.stuck => return Poll::Pending,
                Poll::Pending => {
                    self.stuck = true;
                    return Poll::Ready(Some(true));
                }
            }
            if self.unsent.is_empty() {
                self.unsent = Vec::new();
            }
        }
        // TLS holds back what isn't flushed.
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => self.broken = Some(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if std::mem::take(&mut self.stuck) { Poll::Ready(Some(false)) } else { Poll::Pending }
    }

    fn end(&mut self, end: End) -> Event {
        // What breaks the rules is still to be told of.
        if !matches!(end, End::Violation { .. }) {
            self.mode = Mode::Over;
        }
        Event::Ended(end)
    }
}

/// Session taken over.
const TAKEN_OVER: u8 = 0x8E;

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Link for Mqtt<S> {
    fn proof(&self) -> Proof {
        // What comes in is answered by a ping where nothing else goes out (below), so that only silence needs one.
        Proof::PingsWithin(self.keep_alive * 2 / 3)
    }

    fn say(&mut self, _text: String) {}

    fn ping(&mut self, counter: u64) {
        self.request(Some(counter));
    }

    fn received(&mut self, Delivery { number, .. }: Delivery) {
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
        match self.once.iter().position(|once| *once == number) {
            Some(at) => {
                self.once.swap_remove(at);
                self.send(&stored_once(number));
            }
            None => self.send(&stored(number)),
        }
        self.ask_for_proof();
    }

    fn close(&mut self, code: u16) {
        if matches!(self.mode, Mode::Closing | Mode::Over) {
            return;
        }
        self.mode = Mode::Closing;
        self.events.clear();
        let reason = match code {
            NORMAL => 0,
            TOO_BIG => 0x95,
            _ => 0x81,
        };
        self.send(&goodbye(self.version, reason));
        if let Pipe::WebSocket(socket) = &mut self.pipe {
            socket.close(NORMAL);
        }
    }

    fn leave(&mut self) {
        if self.mode == Mode::Open {
            self.mode = Mode::Leaving;
            self.send(&goodbye(self.version, 0));
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        loop {
            if let Poll::Ready(Some(stuck)) = self.poll_write(cx) {
                return Poll::Ready(Event::WriteStuck(stuck));
            }
            let may_read = match self.mode {
                Mode::Open | Mode::Leaving => read,
                Mode::Closing | Mode::Over => true,
            };
            if !may_read {
                return Poll::Pending;
            }
            if let Some(event) = self.events.pop_front() {
                if self.events.is_empty() {
                    // A burst leaves no room behind.
                    self.events = VecDeque::new();
                }
                return Poll::Ready(event);
            }
            match (self.mode, &self.pipe) {
                // There is nobody whose answer is waited for.
                (Mode::Over | Mode::Closing, Pipe::Plain(_))
                    if self.unsent.is_empty() || self.broken.is_some() =>
                {
                    return Poll::Ready(Event::Gone);
                }
                _ => {}
            }
            let came = match self.pipe.poll(cx) {
                Poll::Ready(came) => came,
                Poll::Pending => {
                    return match self.broken.take() {
                        Some(error) if matches!(self.mode, Mode::Open) => {
                            let detail = Detail::of_io(&error);
                            Poll::Ready(self.end(End::Lost { detail }))
                        }
                        Some(_) => Poll::Ready(Event::Gone),
                        None => Poll::Pending,
                    };
                }
            };
            let heard = match (came, self.mode) {
                (Came::Stuck(stuck), _) => return Poll::Ready(Event::WriteStuck(stuck)),
                (Came::Gone, _) => return Poll::Ready(Event::Gone),
                (Came::Ended(_), Mode::Closing | Mode::Over | Mode::Leaving) => {
                    return Poll::Ready(Event::Gone);
                }
                (Came::Ended(end), Mode::Open) => return Poll::Ready(self.end(end)),
                (Came::Bytes(_) | Came::Nothing, Mode::Closing | Mode::Over) => continue,
                (Came::Nothing, _) => return Poll::Ready(Event::Bytes),
                (Came::Bytes(bytes), _) => self.cut(&bytes),
            };
            let heard = heard
                .and_then(|said| said.into_iter().try_for_each(|said| self.hear(said)).map_err(End::from));
            if let Err(end) = heard {
                return Poll::Ready(self.end(end));
            }
            if self.last_sent.elapsed() >= self.keep_alive / 2 && !self.keep_alive.is_zero() {
                self.request(None);
            }
            if self.events.is_empty() {
                // A piece of something.
                return Poll::Ready(Event::Bytes);
            }
        }
    }
}
