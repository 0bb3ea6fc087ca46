//! The way to a server looked at step by step, for people who ask why a channel doesn't connect. It ends before
//! the upgrade, so it takes nobody's place.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use crate::dial::within;
use crate::race::{self, lookup};
use crate::tcp::server_name;
use crate::tls::Tls;
use crate::{Cause, Config, Detail, Stage};

/// A step of [`examine`], and how it went.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Which step.
    pub step: Examining,
    /// How long it took.
    pub took: Duration,
    /// What went wrong, if anything.
    pub failure: Option<Cause>,
}

/// The steps of [`examine`], with what each found out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Examining {
    /// The name lookup, of the proxy where there is one.
    Lookup {
        /// The host looked up.
        host: String,
        /// Its addresses.
        addresses: Vec<SocketAddr>,
    },
    /// A TCP connect to one of the addresses. One that works is enough.
    Address(SocketAddr),
    /// The tunnel through the proxy.
    Proxy {
        /// The proxy, without user and password.
        proxy: String,
    },
    /// The TLS handshake.
    Tls {
        /// The protocol's version.
        version: Option<String>,
        /// The server's own certificate, DER.
        certificate: Option<Vec<u8>>,
    },
}

/// Looks at the way to the channel's server up to the upgrade, and hands out each step as it ends. Ends at the
/// first step that no way leads past.
pub async fn examine(config: &Config, mut report: impl FnMut(Examined)) {
    let Config { url, timing, proxy, .. } = config;
    let (host, port) = match proxy {
        Some(proxy) => (proxy.host(), proxy.port()),
        None => (
            url.as_url().host().unwrap_or(Host::Domain("")),
            url.as_url().port_or_known_default().unwrap_or(443),
        ),
    };
    let name = host.to_string();
    let began = Instant::now();
    let found = lookup(race::system, host, port, timing).await;
    let (addresses, failure) = match found {
        Ok(addresses) => (addresses, None),
        Err(cause) => (Vec::new(), Some(cause)),
    };
    let step = Examining::Lookup { host: name, addresses: addresses.clone() };
    report(Examined { step, took: began.elapsed(), failure });

    let tries = addresses.into_iter().map(|address| async move {
        let began = Instant::now();
        let connected = within(timing.connect, Stage::Tcp, TcpStream::connect(address)).await;
        (address, began.elapsed(), connected)
    });
    let mut streams = Vec::new();
    for (address, took, connected) in join_all(tries).await {
        let failure = match connected {
            Ok(Ok(stream)) => {
                streams.push(stream);
                None
            }
            Ok(Err(error)) => Some(Cause::Unreachable { detail: Detail::of_io(&error) }),
            Err(timed_out) => Some(timed_out),
        };
        report(Examined { step: Examining::Address(address), took, failure });
    }
    let Some(mut stream) = streams.into_iter().next() else { return };

    if let Some(proxy) = proxy {
        let began = Instant::now();
        let tunnelled = proxy.tunnel(stream, url, timing).await;
        let took = began.elapsed();
        let step = Examining::Proxy { proxy: proxy.to_string() };
        match tunnelled {
            Ok(tunnel) => {
                report(Examined { step, took, failure: None });
                stream = tunnel;
            }
            Err(cause) => return report(Examined { step, took, failure: Some(cause) }),
        }
    }
    if url.is_tls() {
        let began = Instant::now();
        let (version, certificate, failure) = match handshake(config, stream).await {
            Ok((version, certificate)) => (version, certificate, None),
            Err(cause) => (None, None, Some(cause)),
        };
        let step = Examining::Tls { version, certificate };
        report(Examined { step, took: began.elapsed(), failure });
    }
}

type Handshake = (Option<String>, Option<Vec<u8>>);

async fn handshake(config: &Config, stream: TcpStream) -> Result<Handshake, Cause> {
    let tls = Tls::default();
    let connector = TlsConnector::from(tls.client(config).await?);
    let shaken = connector.connect(server_name(&config.url)?, stream);
    let stream = within(config.timing.tls, Stage::Tls, shaken).await?.map_err(|error| tls.refused(&error))?;
    let (_, session) = stream.get_ref();
    let version = session.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
    let first = session.peer_certificates().and_then(|chain| chain.first());
    Ok((version, first.map(|certificate| certificate.as_ref().to_vec())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::ChannelUrl;

    /// A server with a certificate for `localhost` that vouches for itself; its port and the PEM to trust.
    async fn server() -> (u16, Vec<u8>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who looks at the certificate only says no more.
                let _ = acceptor.accept(stream).await;
            }
        });
        (port, cert.pem().into_bytes())
    }

    async fn steps(url: &str, ca_pem: Option<Vec<u8>>) -> Vec<Examined> {
        let url = ChannelUrl::parse(url, false).expect("a good URL");
        let mut steps = Vec::new();
        examine(&Config { ca_pem, ..Config::new(url) }, |step| steps.push(step)).await;
        steps
    }

    #[tokio::test]
    async fn every_step_up_to_the_certificate_is_told() {
        let (port, pem) = server().await;
        let steps = steps(&format!("wss://localhost:{port}/"), Some(pem)).await;
        assert!(matches!(&steps[0].step, Examining::Lookup { host, .. } if host == "localhost"), "{steps:?}");
        let works = |step: &&Examined| {
            matches!(step.step, Examining::Address(SocketAddr::V4(_))) && step.failure.is_none()
        };
        assert!(steps.iter().any(|step| works(&step)), "{steps:?}");
        let last = steps.last().expect("steps");
        assert!(last.failure.is_none(), "{last:?}");
        let Examining::Tls { version: Some(_), certificate: Some(_) } = &last.step else {
            panic!("{last:?}");
        };
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_trusts_fails_the_last_step() {
        let (port, _) = server().await;
        let steps = steps(&format!("wss://localhost:{port}/"), None).await;
        let last = steps.last().expect("steps");
        assert!(matches!(last.failure, Some(Cause::Certificate { .. })), "{last:?}");
    }

    #[tokio::test]
    async fn where_no_address_works_it_ends() {
        // The port was free a moment ago, and nobody listens there.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let steps = steps(&format!("ws://{address}/"), None).await;
        let last = steps.last().expect("steps");
        assert_eq!((steps.len(), &last.step), (2, &Examining::Address(address)));
        assert!(matches!(last.failure, Some(Cause::Unreachable { .. })), "{last:?}");
    }
}
