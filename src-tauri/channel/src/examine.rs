//! The way to a server looked at step by step, for people who ask why a channel doesn't connect. It ends before
//! the upgrade, so it takes nobody's place.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Position};

use crate::dial::{broken_off, within};
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
    /// One of the addresses: TCP, and then TLS and HTTP as far as that disturbs nobody. One that works is enough.
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

    let tls = Tls::default();
    let tried = join_all(addresses.into_iter().map(|address| reach(config, &tls, address))).await;
    let mut handshakes = Vec::new();
    let mut streams = Vec::new();
    for Reached { address, took, stream, handshake, failure } in tried {
        handshakes.extend(handshake);
        streams.extend(stream);
        report(Examined { step: Examining::Address(address), took, failure });
    }
    let Some(proxy) = proxy else {
        // One that works is enough.
        handshakes.sort_by_key(|(_, shaken)| shaken.is_err());
        if let Some((took, shaken)) = handshakes.into_iter().next() {
            report(told(took, shaken));
        }
        return;
    };
    let Some(stream) = streams.into_iter().next() else { return };
    let began = Instant::now();
    let tunnelled = proxy.tunnel(stream, url, timing).await;
    let took = began.elapsed();
    let step = Examining::Proxy { proxy: proxy.to_string() };
    let stream = match tunnelled {
        Ok(tunnel) => {
            report(Examined { step, took, failure: None });
            tunnel
        }
        Err(cause) => return report(Examined { step, took, failure: Some(cause) }),
    };
    if url.is_tls() {
        let began = Instant::now();
        let shaken = handshake(config, &tls, stream).await.map(|(_, shaken)| shaken);
        report(told(began.elapsed(), shaken));
    }
}

/// The step of a handshake.
fn told(took: Duration, shaken: Result<Handshake, Cause>) -> Examined {
    let (version, certificate, failure) = match shaken {
        Ok((version, certificate)) => (version, certificate, None),
        Err(cause) => (None, None, Some(cause)),
    };
    Examined { step: Examining::Tls { version, certificate }, took, failure }
}

/// How far one address leads.
struct Reached {
    address: SocketAddr,
    /// Of the TCP connect.
    took: Duration,
    /// For the proxy, which nothing was said to yet.
    stream: Option<TcpStream>,
    handshake: Option<(Duration, Result<Handshake, Cause>)>,
    failure: Option<Cause>,
}

/// Connects, and goes on as far as disturbs nobody: who answers TCP may be no server of ours.
async fn reach(config: &Config, tls: &Tls, address: SocketAddr) -> Reached {
    let Config { url, timing, proxy, .. } = config;
    let began = Instant::now();
    let connected = within(timing.connect, Stage::Tcp, TcpStream::connect(address)).await;
    let took = began.elapsed();
    let reached = Reached { address, took, stream: None, handshake: None, failure: None };
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return Reached {
                failure: Some(Cause::Unreachable { detail: Detail::of_io(&error) }),
                ..reached
            };
        }
        Err(timed_out) => return Reached { failure: Some(timed_out), ..reached },
    };
    if proxy.is_some() {
        return Reached { stream: Some(stream), ..reached };
    }
    if !url.is_tls() {
        return Reached { failure: speaks_http(config, stream).await.err(), ..reached };
    }
    let began = Instant::now();
    let shaken = handshake(config, tls, stream).await;
    let took = began.elapsed();
    match shaken {
        Ok((stream, shaken)) => {
            let failure = speaks_http(config, stream).await.err();
            Reached { handshake: Some((took, Ok(shaken))), failure, ..reached }
        }
        Err(cause) => {
            Reached { handshake: Some((took, Err(cause.clone()))), failure: Some(cause), ..reached }
        }
    }
}

/// Asks for the host's first page, without credential, path or upgrade: whether HTTP is spoken there at all. Any answer
/// will do.
async fn speaks_http(config: &Config, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Cause> {
    let url = config.url.as_url();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: tidings/{}\r\nConnection: close\r\n\r\n",
        &url[Position::BeforeHost..Position::AfterPort],
        env!("CARGO_PKG_VERSION")
    );
    let asking = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        let mut start = stream.take(5);
        start.read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let limit = config.timing.upgrade;
    match within(limit, Stage::Upgrade, asking).await {
        Ok(Ok(answer)) if answer == b"HTTP/" => Ok(()),
        Ok(Ok(answer)) if answer.is_empty() => Err(Cause::Lost { detail: Detail::HungUp }),
        Ok(Ok(_)) => Err(Cause::NotAWebSocket { detail: Detail::NoHttp }),
        Ok(Err(error)) => Err(broken_off(&error)),
        Err(_) => Err(Cause::Silent { after: limit }),
    }
}

type Handshake = (Option<String>, Option<Vec<u8>>);

async fn handshake(
    config: &Config,
    tls: &Tls,
    stream: TcpStream,
) -> Result<(TlsStream<TcpStream>, Handshake), Cause> {
    let connector = TlsConnector::from(tls.client(config).await?);
    let shaken = connector.connect(server_name(&config.url)?, stream);
    let stream = within(config.timing.tls, Stage::Tls, shaken).await?.map_err(|error| tls.refused(&error))?;
    let (_, session) = stream.get_ref();
    let version = session.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
    let first = session.peer_certificates().and_then(|chain| chain.first());
    let certificate = first.map(|certificate| certificate.as_ref().to_vec());
    Ok((stream, (version, certificate)))
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
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(b"HTTP/1.1 426 Upgrade Required\r\n\r\n").await;
                let _ = stream.shutdown().await;
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

    #[tokio::test]
    async fn an_address_that_answers_tcp_alone_does_not_pass() {
        for (answer, words) in [
            (&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], None),
            (b"", Some("the server hung up instead of answering")),
            (b"220 mail.example ESMTP\r\n", Some("the answer is no HTTP")),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a question");
                let mut request = vec![0; 1024];
                let read = stream.read(&mut request).await.expect("a request");
                let _ = stream.write_all(answer).await;
                String::from_utf8_lossy(&request[..read]).to_lowercase()
            });
            let steps = steps(&format!("ws://{address}/ws?token=s3cret"), None).await;
            let last = steps.last().expect("steps");
            assert_eq!(last.step, Examining::Address(address));
            let told = last.failure.as_ref().map(ToString::to_string);
            match words {
                None => assert_eq!(told, None),
                Some(words) => assert!(told.expect("a failure").contains(words), "{last:?}"),
            }
            let request = serving.await.expect("no panic");
            assert!(request.starts_with("get / http/1.1"), "{request}");
            assert!(!request.contains("upgrade") && !request.contains("s3cret"), "{request}");
        }
    }
}
