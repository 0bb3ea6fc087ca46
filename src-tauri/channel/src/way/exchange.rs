//! One HTTP request and its answer over a stream that is there.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::link::stream::Work;
use crate::way::meaning::{broken_off, media_type};
use crate::{Cause, Detail};

/// Longest head of an answer, bytes: as of an upgrade's.
const MOST_HEAD: usize = 16 * 1024;

/// One request and one answer, whose body has at most so many bytes.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<String>,
    most: usize,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), Cause> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let asking = async {
        let (head, mut body) =
            sender.send_request(request).await.map_err(|error| failed(&error))?.into_parts();
        // A stream of events has no end.
        let ends = media_type(&head.headers).is_none_or(|kind| kind != "text/event-stream");
        let whole = if ends { read(&mut body, most).await? } else { Vec::new() };
        Ok((head.status, head.headers, whole))
    };
    // The connection does the work, and says best why there was none.
    let (mut asking, mut connection) = (Box::pin(asking), Box::pin(connection));
    tokio::select! {
        biased;
        answered = &mut asking => answered,
        ended = &mut connection => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(failed(&error)),
        },
    }
}

/// The head of an answer, with what is needed for its body.
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Incoming,
    /// Has to be polled for the body to come.
    pub(crate) work: Work,
}

/// One request, and its answer's head.
pub(crate) async fn ask_for(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<String>,
) -> Result<Answer, Cause> {
    let handshake = http1::Builder::new().max_buf_size(MOST_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let mut work: Work = Box::pin(connection.fuse());
    let mut asking = Box::pin(sender.send_request(request));
    let answered = tokio::select! {
        biased;
        answered = &mut asking => answered,
        ended = &mut work => match ended {
            Ok(()) => asking.await,
            Err(error) => Err(error),
        },
    };
    let (head, body) = answered.map_err(|error| failed(&error))?.into_parts();
    Ok(Answer { head, body, work })
}

/// The start of a body that came instead of what was asked for, in lower case.
pub(crate) async fn body_start(body: &mut Incoming, mut work: Work, most: usize, wait: Duration) -> String {
    let mut start = Vec::new();
    let reading = async {
        while start.len() < most {
            let frame = poll_fn(|context| {
                // What it says at its end, the body says too.
                let _ = work.as_mut().poll(context);
                Pin::new(&mut *body).poll_frame(context)
            });
            let Some(Ok(frame)) = frame.await else { break };
            start.extend(frame.into_data().unwrap_or_default());
        }
    };
    // What has come by then has to do.
    let _ = tokio::time::timeout(wait, reading).await;
    start.truncate(most);
    String::from_utf8_lossy(&start).to_ascii_lowercase()
}

/// The body, whole.
async fn read(body: &mut Incoming, most: usize) -> Result<Vec<u8>, Cause> {
    let too_long = Cause::NoGoodAnswer { detail: Detail::TooLong };
    if body.size_hint().lower() > most as u64 {
        return Err(too_long);
    }
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let frame = frame.map_err(|error| failed(&error))?;
        if let Ok(piece) = frame.into_data() {
            if whole.len() + piece.len() > most {
                return Err(too_long);
            }
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole)
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
