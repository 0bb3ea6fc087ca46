//! The real [`Connect`]: name lookup, TCP, a proxy's tunnel, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Host;

use crate::way::connect::{Connect, Connected};
use crate::way::doubts::Doubts;
use crate::way::patience::within;
use crate::way::race::{self, Resolve, connect_any, lookup};
use crate::way::tls::Tls;
use crate::{Cause, ChannelUrl, Config, Detail, ProxyUrl, Route, Stage, Timing};

/// A connected socket, with or without TLS.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

#[derive(Debug)]
pub(crate) struct Tcp {
    resolve: Resolve,
    tls: Tls,
    doubts: Mutex<Doubts>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self { resolve: race::system, tls: Tls::default(), doubts: Mutex::default() }
    }
}

impl Connect for Tcp {
    type Stream = Box<dyn Transport>;

    async fn connect(
        &self,
        config: &Config,
        stage: &watch::Sender<Stage>,
    ) -> Result<Connected<Self::Stream>, Cause> {
        let Config { url, timing, proxy, .. } = config;
        let stream = self.reach(url, proxy.as_ref(), timing, stage).await?;
        let ends = stream.local_addr().and_then(|from| Ok(Route { from, to: stream.peer_addr()? }));
        let route = ends.ok();
        if let Some(Route { to, .. }) = route {
            self.doubts().doubt(to);
        }
        // Another address of a proxy leads to the same server.
        let others = proxy.is_none() && self.has_another();
        if !url.is_tls() {
            return Ok(Connected { stream: Box::new(stream), route, others });
        }
        stage.send_replace(Stage::Tls);
        let connector = TlsConnector::from(self.tls.client(config).await?);
        let name = server_name(url)?;
        match within(timing.tls, Stage::Tls, connector.connect(name, stream)).await? {
            Ok(stream) => Ok(Connected { stream: Box::new(stream), route, others }),
            Err(error) => Err(self.tls.refused(&error)),
        }
    }

    fn reset_on_drop(stream: &Self::Stream, reset: bool) {
        let socket = SockRef::from(stream.socket());
        if let Err(error) = socket.set_linger(reset.then_some(Duration::ZERO)) {
            tracing::debug!(%error, "the socket can't be reset");
        }
    }

    fn acknowledge(stream: &Self::Stream) {
        #[cfg(target_os = "linux")]
        if let Err(error) = SockRef::from(stream.socket()).set_tcp_quickack(true) {
            tracing::debug!(%error, "the socket acknowledges in its own time");
        }
        #[cfg(not(target_os = "linux"))]
        let _ = stream;
    }

    fn serves(&self, address: SocketAddr) {
        self.doubts().serves(address);
    }

    fn moved(&self) {
        self.doubts().forget();
    }

    fn has_another(&self) -> bool {
        self.doubts().has_another()
    }
}

impl Tcp {
    fn doubts(&self) -> MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first address that lets itself be connected; one that led nowhere before only where there is no other.
    async fn connect_any(&self, addresses: &[SocketAddr], timing: &Timing) -> Result<TcpStream, Cause> {
        let (good, doubted) = self.doubts().sort(addresses, timing.doubt);
        let failed = |address| self.doubts().doubt(address);
        match connect_any(good, timing, failed).await {
            Err(_) if !doubted.is_empty() => connect_any(doubted, timing, failed).await,
            connected => connected,
        }
    }

    /// A TCP stream that ends at the URL's host.
    async fn reach(
        &self,
        url: &ChannelUrl,
        proxy: Option<&ProxyUrl>,
        timing: &Timing,
        stage: &watch::Sender<Stage>,
    ) -> Result<TcpStream, Cause> {
        stage.send_replace(Stage::Lookup);
        let (host, port) = match proxy {
            Some(proxy) => (proxy.host(), proxy.port()),
            None => (
                url.as_url().host().unwrap_or(Host::Domain("")),
                url.as_url().port_or_known_default().unwrap_or(443),
            ),
        };
        let addresses = lookup(self.resolve, host, port, timing).await;
        stage.send_replace(Stage::Tcp);
        let connected = match addresses {
            Ok(addresses) => self.connect_any(&addresses, timing).await,
            Err(cause) => Err(cause),
        };
        let Some(proxy) = proxy else {
            let stream = connected?;
            tune(&stream, timing);
            return Ok(stream);
        };
        let stream = connected.map_err(|cause| Cause::ProxyAway(Box::new(cause)))?;
        tune(&stream, timing);
        proxy.tunnel(stream, url, timing).await
    }
}

/// The name that the certificate has to be for; an address without the brackets of IPv6.
pub(crate) fn server_name(url: &ChannelUrl) -> Result<ServerName<'static>, Cause> {
    let host = url.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(host).map_err(|_| Cause::Certificate { detail: Detail::UnnameableHost })
}

/// No delay for small frames, and the kernel's own proof of life (L2).
fn tune(stream: &TcpStream, timing: &Timing) {
    let tuned = || -> io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_tcp_keepalive(
            &TcpKeepalive::new()
                .with_time(timing.keepalive_idle)
                .with_interval(timing.keepalive_interval)
                .with_retries(timing.keepalive_probes),
        )?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(timing.tcp_user_timeout))?;
        Ok(())
    };
    if let Err(error) = tuned() {
        tracing::debug!(%error, "socket options were refused");
    }
}

#[cfg(test)]
mod tests;
