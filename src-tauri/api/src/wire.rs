//! One JSON object a line, with the versions of who speaks; bounded both ways.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{PROTOCOL, VERSION};

/// Longest request line: a few words, but for a sample message that is to be previewed, of 1 MiB and escaped. Only the
/// user's own programs are heard at all.
pub(crate) const MAX_REQUEST: u64 = 4 * 1024 * 1024;
/// Longest reply line: a message of 1 MiB, escaped (six bytes for one at worst) and told twice.
pub(crate) const MAX_REPLY: u64 = 16 * 1024 * 1024;

/// What stands on a line around the request or the reply.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<T> {
    /// [`PROTOCOL`] of the sender.
    pub(crate) protocol: u32,
    /// [`VERSION`] of the sender.
    pub(crate) version: String,
    /// What it says; absent or odd where the protocols differ.
    pub(crate) body: T,
}

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("a line of more than {0} bytes")]
    TooLong(u64),
    #[error("not understood: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error(
        "the other side is Tidings {version} and speaks version {protocol} of the local protocol, this one {PROTOCOL}"
    )]
    OtherVersion { protocol: u32, version: String },
}

/// Reads one line; `None` at the end of the stream.
pub(crate) async fn read<T: DeserializeOwned>(
    from: &mut (impl AsyncBufRead + Unpin),
    limit: u64,
) -> Result<Option<T>, ReadError> {
    let mut line = Vec::new();
    let length = from.take(limit).read_until(b'\n', &mut line).await?;
    if length == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        if line.len() as u64 >= limit {
            return Err(ReadError::TooLong(limit));
        }
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    // The versions first: with another protocol the body need not parse.
    let envelope: Envelope<serde_json::Value> = serde_json::from_slice(&line)?;
    if envelope.protocol != PROTOCOL {
        return Err(ReadError::OtherVersion { protocol: envelope.protocol, version: envelope.version });
    }
    Ok(Some(serde_json::from_value(envelope.body)?))
}

/// Writes one line.
pub(crate) async fn write<T: Serialize>(to: &mut (impl AsyncWrite + Unpin), body: &T) -> std::io::Result<()> {
    let envelope = Envelope { protocol: PROTOCOL, version: VERSION.to_owned(), body };
    let mut line = serde_json::to_vec(&envelope)?;
    line.push(b'\n');
    to.write_all(&line).await?;
    to.flush().await
}
