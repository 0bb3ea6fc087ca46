//! SockJS over HTTP alone: one request is open for what comes, and each text that goes is another one. There is no ping, and nothing to
//! say goodbye with: who listens no more has left.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Duration, Instant};

use super::frames::said;
use super::heard::Heard;
use crate::link::stream::detail;
use crate::link::{Event, Link};
use crate::machine::facts::{End, Proof};
use crate::way::exchange::{Answer, Wire};
use crate::way::meaning::{is_html, set_cookies};
use crate::{Cause, Detail};

/// Requests for what comes are at least this far apart where the first brought no message. Too low: a server that answers at once makes
/// a client that asks without end; too high: what comes next is late.
const LEAST_BETWEEN: Duration = Duration::from_secs(1);

/// An answer's head, as soon as it is there.
pub(crate) type Asking = Pin<Box<dyn Future<Output = Result<Answer, Cause>> + Send>>;

/// Makes the requests of one session.
pub(crate) trait Ask: Send {
    /// Asks for what comes, at this time at the soonest. `wire`: what brought the last answer, which is read.
    fn hear(&mut self, wire: Option<Wire>, at: Option<Instant>) -> Asking;

    /// Sends a list of texts.
    fn say(&mut self, body: String) -> Asking;

    /// Takes note of an answer's head.
    fn answered(&mut self, answer: &Answer);
}

/// See the module.
pub(crate) struct Posts {
    ask: Box<dyn Ask>,
    hearing: Hearing,
    heard: Heard,
    /// When what is heard was asked for.
    asked: Instant,
    /// Whether that has brought a message.
    told: bool,
    /// … or anything at all.
    brought: bool,
    saying: Option<Asking>,
    /// What is said next, once the server has taken what was said before.
    unsaid: Vec<String>,
    stuck: bool,
    mode: Mode,
}

enum Hearing {
    Asking(Asking),
    Reading(Answer),
    /// Between the two.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    /// Told to end, and nothing is told any more but that it has.
    Closing,
    Over,
}

impl Posts {
    pub(crate) fn new(mut ask: Box<dyn Ask>, wire: Option<Wire>) -> Self {
        let hearing = Hearing::Asking(ask.hear(wire, None));
        Self {
            ask,
            hearing,
            heard: Heard::default(),
            asked: Instant::now(),
            told: false,
            brought: false,
            saying: None,
            unsaid: Vec::new(),
            stuck: false,
            mode: Mode::Open,
        }
    }

    /// Waits until the server has said anything, or why it won't.
    ///
    /// Answers with the cookies that were set.
    pub(crate) async fn begin(&mut self) -> Result<Vec<String>, Refused> {
        let answer = poll_fn(|cx| match &mut self.hearing {
            Hearing::Asking(asking) => asking.as_mut().poll(cx),
            Hearing::Reading(_) | Hearing::Nothing => Poll::Pending,
        });
        let answer = answer.await.map_err(Refused::Failed)?;
        if answer.head.status != 200 || is_html(&answer.head.headers) {
            return Err(Refused::Answered(answer));
        }
        self.ask.answered(&answer);
        let set_cookies = set_cookies(&answer.head.headers);
        self.hearing = Hearing::Reading(answer);
        let has_begun = poll_fn(|cx| {
            while !self.heard.has_begun() {
                if let Event::Ended(_) = ready!(self.poll_heard(cx)) {
                    return Poll::Ready(false);
                }
            }
            Poll::Ready(true)
        });
        match has_begun.await {
            true => Ok(set_cookies),
            false => Err(Refused::Failed(Cause::Lost { detail: Detail::HungUp })),
        }
    }

    /// What comes, but for what was said by frames.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            match &mut self.hearing {
                Hearing::Asking(asking) => match asking.as_mut().poll(cx) {
                    Poll::Ready(Ok(answer)) => {
                        if let Some(end) = ended(&answer) {
                            return Poll::Ready(Event::Ended(end));
                        }
                        self.ask.answered(&answer);
                        self.hearing = Hearing::Reading(answer);
                    }
                    Poll::Ready(Err(cause)) => return Poll::Ready(Event::Ended(lost(&cause))),
                    Poll::Pending => return Poll::Pending,
                },
                Hearing::Reading(answer) => match answer.poll_piece(cx) {
                    Poll::Ready(Some(Ok(piece))) => {
                        self.brought |= !piece.is_empty();
                        self.heard.take(&piece);
                        return Poll::Ready(Event::Bytes);
                    }
                    Poll::Ready(Some(Err(error))) => {
                        return Poll::Ready(Event::Ended(End::Lost { detail: detail(&error) }));
                    }
                    // What broke off is lost, and what brings nothing will bring nothing.
                    Poll::Ready(None) if !self.heard.is_whole() || !self.brought => {
                        return Poll::Ready(Event::Ended(End::Lost { detail: Detail::EndOfStream }));
                    }
                    Poll::Ready(None) => self.hear_on(),
                    Poll::Pending => return Poll::Pending,
                },
                Hearing::Nothing => return Poll::Pending,
            }
        }
    }

    /// An answer is over, and the session isn't.
    fn hear_on(&mut self) {
        let at = (!self.told).then(|| self.asked + LEAST_BETWEEN);
        self.asked = at.map_or_else(Instant::now, |at| at.max(Instant::now()));
        (self.told, self.brought) = (false, false);
        // A line's end is as good as that.
        self.heard.take(b"\n");
        if let Hearing::Reading(answer) = std::mem::replace(&mut self.hearing, Hearing::Nothing) {
            self.hearing = Hearing::Asking(self.ask.hear(Some(answer.wire), at));
        }
    }

    /// What is said goes on.
    fn poll_saying(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if self.saying.is_none() && !self.unsaid.is_empty() {
                let texts = std::mem::take(&mut self.unsaid);
                self.saying = Some(self.ask.say(said(&texts)));
            }
            let Some(saying) = &mut self.saying else { break };
            match saying.as_mut().poll(cx) {
                Poll::Ready(Ok(answer)) => {
                    self.saying = None;
                    if !matches!(answer.head.status.as_u16(), 200 | 204) || is_html(&answer.head.headers) {
                        let end = ended(&answer).unwrap_or(End::Lost { detail: Detail::NoStream });
                        return Poll::Ready(Event::Ended(end));
                    }
                    self.ask.answered(&answer);
                }
                Poll::Ready(Err(cause)) => return Poll::Ready(Event::Ended(lost(&cause))),
                Poll::Pending if !self.stuck => {
                    self.stuck = true;
                    return Poll::Ready(Event::WriteStuck(true));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        match std::mem::take(&mut self.stuck) {
            true => Poll::Ready(Event::WriteStuck(false)),
            false => Poll::Pending,
        }
    }

    fn end(&mut self, event: Event) -> Poll<Event> {
        if let Event::Ended(end) = &event {
            // The driver drops what is lost; of any other end it is told when this has gone.
            self.mode = if matches!(end, End::Lost { .. }) { Mode::Over } else { Mode::Closing };
        }
        Poll::Ready(event)
    }
}

/// Why a session didn't begin.
pub(crate) enum Refused {
    /// There was no answer.
    Failed(Cause),
    /// It was another one.
    Answered(Answer),
}

impl Link for Posts {
    fn proof(&self) -> Proof {
        Proof::Beats
    }

    fn say(&mut self, text: String) {
        self.unsaid.push(text);
    }

    fn ping(&mut self, _counter: u64) {}

    fn close(&mut self, _code: u16) {
        self.mode = Mode::Closing;
    }

    fn leave(&mut self) {
        // Nothing can be said, and the server isn't to answer: what is on its way still comes until the link is dropped.
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Event> {
        match self.mode {
            Mode::Open => {}
            Mode::Closing => return Poll::Ready(Event::Gone),
            Mode::Over => return Poll::Pending,
        }
        // What came before a refusal of what was said is told before that.
        if read && let Some(event) = self.heard.event() {
            self.told |= matches!(event, Event::Frame(..));
            return self.end(event);
        }
        if let Poll::Ready(event) = self.poll_saying(cx) {
            return self.end(event);
        }
        if !read {
            return Poll::Pending;
        }
        match self.poll_heard(cx) {
            Poll::Ready(event) => self.end(event),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The end that an answer is, where it isn't one that goes on.
fn ended(answer: &Answer) -> Option<End> {
    let detail = match answer.head.status.as_u16() {
        200 if is_html(&answer.head.headers) => Detail::NoStream,
        200 | 204 => return None,
        404 => Detail::SessionGone,
        status => Detail::Status(status),
    };
    Some(End::Lost { detail })
}

/// The end that comes of having no answer.
fn lost(cause: &Cause) -> End {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are of dials and of answers")]
    let detail = match cause {
        // In the midst of a session.
        Cause::Lost { detail: Detail::HungUp } => Detail::EndOfStream,
        Cause::Lost { detail }
        | Cause::Lookup { detail }
        | Cause::Unreachable { detail }
        | Cause::Tls { detail }
        | Cause::Certificate { detail }
        | Cause::WrongName { detail }
        | Cause::Proxy { detail }
        | Cause::NoGoodAnswer { detail } => detail.clone(),
        Cause::TimedOut { .. } => Detail::TimedOut,
        _ => Detail::Unknown,
    };
    End::Lost { detail }
}
