//! One HTTP request and its answer over a stream that is there.

use std::future::poll_fn;
use std::pin::Pin;

use http::{HeaderMap, Request, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::way::meaning::broken_off;
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
        Ok((head.status, head.headers, read(&mut body, most).await?))
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
