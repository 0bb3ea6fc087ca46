//! One HTTP request and its answer over a stream that is there.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::link::stream::Work;
use crate::way::meaning::{broken_off, media_type};
use crate::{Cause, Detail};

/// Longest head of an answer, bytes: as of an upgrade's.
const MOST_HEAD: usize = 16 * 1024;

/// One request and one answer, whose body has at most so many bytes.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<String>,
    most: usize,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), Cause> {
    let mut answer = Wire::over(stream).await?.ask(request).await?;
    // A stream of events has no end.
    let ends = media_type(&answer.head.headers).is_none_or(|kind| kind != "text/event-stream");
    let whole = if ends { answer.whole(most).await? } else { Vec::new() };
    Ok((answer.head.status, answer.head.headers, whole))
}

/// A connection for requests, one after the other.
pub(crate) struct Wire {
    sender: SendRequest<String>,
    /// Has to be polled for anything to come or go.
    pub(crate) work: Work,
}

/// The head of an answer, with what is needed for its body.
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Incoming,
    pub(crate) wire: Wire,
}

impl Wire {
    pub(crate) async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, Cause> {
        let handshake = http1::Builder::new().max_buf_size(MOST_HEAD).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| failed(&error))?;
        Ok(Self { sender, work: Box::pin(connection.fuse()) })
    }

    /// One request, and its answer's head.
    pub(crate) async fn ask(mut self, request: Request<String>) -> Result<Answer, Cause> {
        let mut asking = Box::pin(self.sender.send_request(request));
        // The connection does the work, and says best why there was none.
        let answered = tokio::select! {
            biased;
            answered = &mut asking => answered,
            ended = &mut self.work => match ended {
                Ok(()) => asking.await,
                Err(error) => Err(error),
            },
        };
        let (head, body) = answered.map_err(|error| failed(&error))?.into_parts();
        Ok(Answer { head, body, wire: self })
    }

    /// The same connection, if it takes another request now that the last answer is read.
    pub(crate) async fn again(mut self) -> Option<Self> {
        let ready = tokio::select! {
            biased;
            ready = self.sender.ready() => ready.is_ok(),
            _ = &mut self.work => false,
        };
        ready.then_some(self)
    }
}

impl Answer {
    /// The next piece of the body.
    pub(crate) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        // What it says at its end, the body says too.
        let _ = self.wire.work.as_mut().poll(context);
        let frame = Pin::new(&mut self.body).poll_frame(context);
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default())))
    }

    /// The body, whole.
    pub(crate) async fn whole(&mut self, most: usize) -> Result<Vec<u8>, Cause> {
        let too_long = Cause::NoGoodAnswer { detail: Detail::TooLong };
        if self.body.size_hint().lower() > most as u64 {
            return Err(too_long);
        }
        let mut whole = Vec::new();
        while let Some(piece) = poll_fn(|context| self.poll_piece(context)).await {
            let piece = piece.map_err(|error| failed(&error))?;
            if whole.len() + piece.len() > most {
                return Err(too_long);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// The start of a body that came instead of what was asked for, in lower case.
    pub(crate) async fn start(mut self, most: usize, wait: Duration) -> String {
        let mut start = Vec::new();
        let reading = async {
            while start.len() < most {
                let Some(Ok(piece)) = poll_fn(|context| self.poll_piece(context)).await else { break };
                start.extend_from_slice(&piece);
            }
        };
        // What has come by then has to do.
        let _ = tokio::time::timeout(wait, reading).await;
        start.truncate(most);
        String::from_utf8_lossy(&start).to_ascii_lowercase()
    }
}

/// Why there was no answer.
fn failed(error: &hyper::Error) -> Cause {
    let source = std::error::Error::source(error);
    if let Some(error) = source.and_then(|source| source.downcast_ref()) {
        return broken_off(error);
    }
    if error.is_parse() {
        return Cause::NoGoodAnswer { detail: Detail::BrokenAnswer };
    }
    // Ended before the answer was there, or in the midst of it.
    Cause::Lost { detail: Detail::HungUp }
}
