//! What makes the stream under a link, or under a request.

use std::future::Future;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::{Cause, Config, Route, Stage};

/// Makes the stream under a link: TCP with TLS in real life, memory in tests.
pub(crate) trait Connect: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// A stream to the URL's host, encrypted if it says so.
    fn connect(
        &self,
        config: &Config,
        stage: &watch::Sender<Stage>,
    ) -> impl Future<Output = Result<Connected<Self::Stream>, Cause>> + Send;

    /// Whether dropping the stream resets the connection rather than ends it.
    fn reset_on_drop(_stream: &Self::Stream, _reset: bool) {}

    /// Tells the peer's kernel now that all has come, which ours would do a while later.
    fn acknowledge(_stream: &Self::Stream) {}

    /// A link is up at this address.
    fn serves(&self, _address: SocketAddr) {}

    /// The network is another one.
    fn moved(&self) {}

    /// Whether the host has an address that hasn't failed.
    fn has_another(&self) -> bool {
        false
    }
}

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Connected<S> {
    pub(crate) stream: S,
    /// Its ends, where it has some (W3).
    pub(crate) route: Option<Route>,
    /// Whether the host has another address that may be better.
    pub(crate) others: bool,
}
