//! The way to a server looked at step by step, for people who ask why a channel doesn't connect. It ends before
//! the upgrade, so it takes nobody's place.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Position};

use crate::way::meaning::broken_off;
use crate::way::patience::within;
use crate::way::race::{self, lookup};
use crate::way::tcp::server_name;
use crate::way::tls::Tls;
use crate::{Carrier, Cause, Config, Detail, Stage};

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
    /// What the clock of whoever answered says, which is the server or something in front of it, and what ours said then.
    Clock {
        /// Theirs.
        theirs: SystemTime,
        /// Ours.
        ours: SystemTime,
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
    let mut clock = None;
    for Reached { address, took, stream, handshake, clock: said, failure } in tried {
        handshakes.extend(handshake);
        streams.extend(stream);
        clock = clock.or(said);
        report(Examined { step: Examining::Address(address), took, failure });
    }
    let Some(proxy) = proxy else {
        // One that works is enough.
        handshakes.sort_by_key(|(_, shaken)| shaken.is_err());
        if let Some((took, shaken)) = handshakes.into_iter().next() {
            report(told(took, shaken));
        }
        clock.into_iter().for_each(|clock| report(clock.examined()));
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
    // Whether HTTP is spoken there the upgrade tells; here it is asked for the clock alone.
    let clock = if url.is_tls() {
        let began = Instant::now();
        match handshake(config, &tls, stream).await {
            Ok((stream, shaken)) => {
                report(told(began.elapsed(), Ok(shaken)));
                speaks_http(config, stream).await
            }
            Err(cause) => return report(told(began.elapsed(), Err(cause))),
        }
    } else {
        speaks_http(config, stream).await
    };
    clock.ok().flatten().into_iter().for_each(|clock| report(clock.examined()));
}

/// What two clocks said at the same time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    theirs: SystemTime,
    ours: SystemTime,
}

impl Clock {
    fn examined(self) -> Examined {
        let Self { theirs, ours } = self;
        Examined { step: Examining::Clock { theirs, ours }, took: Duration::ZERO, failure: None }
    }

    /// By an answer's head (RFC 9110, section 6.6.1); one that a cache gives is older by its `Age`.
    fn of(head: &[u8], ours: SystemTime) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        let value = |name: &str| {
            head.split("\r\n").skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let age = value("age").and_then(|age| age.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
        let theirs = httpdate::parse_http_date(value("date")?).ok()?.checked_add(age)?;
        Some(Self { theirs, ours })
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
    clock: Option<Clock>,
    failure: Option<Cause>,
}

/// Connects, and goes on as far as disturbs nobody: who answers TCP may be no server of ours.
async fn reach(config: &Config, tls: &Tls, address: SocketAddr) -> Reached {
    let Config { url, timing, proxy, .. } = config;
    let began = Instant::now();
    let connected = within(timing.connect, Stage::Tcp, TcpStream::connect(address)).await;
    let took = began.elapsed();
    let reached = Reached { address, took, stream: None, handshake: None, clock: None, failure: None };
    let asked = |answer: Result<Option<Clock>, Cause>| match answer {
        Ok(clock) => (clock, None),
        Err(cause) => (None, Some(cause)),
    };
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
        let (clock, failure) = asked(speaks_http(config, stream).await);
        return Reached { clock, failure, ..reached };
    }
    let began = Instant::now();
    let shaken = handshake(config, tls, stream).await;
    let took = began.elapsed();
    match shaken {
        Ok((stream, shaken)) => {
            let (clock, failure) = asked(speaks_http(config, stream).await);
            Reached { handshake: Some((took, Ok(shaken))), clock, failure, ..reached }
        }
        Err(cause) => {
            Reached { handshake: Some((took, Err(cause.clone()))), failure: Some(cause), ..reached }
        }
    }
}

/// Longest head of an answer that is looked at for its `Date`, bytes: as of an upgrade's.
const MOST_HEAD: usize = 16 * 1024;

/// Asks for the host's first page, without credential, path or upgrade: whether HTTP is spoken there at all, and what time
/// it is there. Any answer will do. A broker is asked for nothing: it hears no HTTP, and
/// where it has a WebSocket, some hang up on all else (mosquitto).
async fn speaks_http(
    config: &Config,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<Option<Clock>, Cause> {
    if config.url.is_mqtt() || config.carrier == Carrier::Mqtt {
        return Ok(None);
    }
    let url = config.url.as_url();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: tidings/{}\r\nConnection: close\r\n\r\n",
        &url[Position::BeforeHost..Position::AfterPort],
        env!("CARGO_PKG_VERSION")
    );
    let mut answer = Vec::new();
    let asking = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let whole = |head: &[u8]| {
            !b"HTTP/".starts_with(head.get(..5).unwrap_or(head))
                || head.windows(4).any(|end| end == b"\r\n\r\n")
        };
        while answer.len() < MOST_HEAD && !whole(&answer) && stream.read_buf(&mut answer).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    let limit = config.timing.upgrade;
    let asked = within(limit, Stage::Upgrade, asking).await;
    if answer.starts_with(b"HTTP/") {
        // However it ended.
        return Ok(Clock::of(&answer, SystemTime::now()));
    }
    match asked {
        Ok(Ok(())) if answer.is_empty() => Err(Cause::Lost { detail: Detail::HungUp }),
        Ok(Ok(())) => Err(Cause::NotAWebSocket { detail: Detail::NoHttp }),
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

    #[test]
    fn a_date_tells_the_clock_of_whoever_answers_and_a_cache_says_how_old_it_is() {
        let at = |text: &str| httpdate::parse_http_date(text).expect("a date");
        let theirs =
            |head: &str| Clock::of(head.as_bytes(), SystemTime::UNIX_EPOCH).map(|clock| clock.theirs);
        let noon = at("Sun, 29 Nov 2026 12:00:00 GMT");
        assert_eq!(
            theirs("HTTP/1.1 401 \r\nServer: x\r\ndate: Sun, 29 Nov 2026 12:00:00 GMT\r\n\r\n"),
            Some(noon)
        );
        assert_eq!(
            theirs("HTTP/1.1 200 OK\r\nAge: 3600\r\nDate: Sun, 29 Nov 2026 11:00:00 GMT\r\n\r\nDate: x"),
            Some(noon)
        );
        for none in [
            "HTTP/1.1 200 OK\r\n\r\nDate: Sun, 29 Nov 2026 12:00:00 GMT\r\n",
            "HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n",
            "HTTP/1.1 200 OK\r\nAge: 99999999999999999999\r\nX-Date: Sun, 29 Nov 2026 12:00:00 GMT\r\n\r\n",
            "HTTP/",
            "",
        ] {
            assert_eq!(theirs(none), None, "{none:?}");
        }
    }

    #[tokio::test]
    async fn the_server_s_clock_is_told_beside_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let date = SystemTime::now() - Duration::from_secs(7200);
        let answer = format!("HTTP/1.1 401 \r\nDate: {}\r\n\r\n", httpdate::fmt_http_date(date));
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a question");
            let mut request = vec![0; 1024];
            let _ = stream.read(&mut request).await;
            // In two pieces, as it may come.
            let _ = stream.write_all(&answer.as_bytes()[..20]).await;
            let _ = stream.flush().await;
            let _ = stream.write_all(&answer.as_bytes()[20..]).await;
        });
        let steps = steps(&format!("ws://{address}/"), None).await;
        let Examining::Clock { theirs, ours } = steps.last().expect("steps").step else {
            panic!("{steps:?}")
        };
        let fast = ours.duration_since(theirs).expect("we are ahead").as_secs();
        assert!((7190..7300).contains(&fast), "{fast}");
    }

    #[tokio::test]
    async fn a_broker_is_asked_for_no_page() {
        for (scheme, carrier) in [("mqtt", Carrier::WebSocket), ("ws", Carrier::Mqtt)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let serving = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut said = Vec::new();
                let _ = stream.read_to_end(&mut said).await;
                said
            });
            let url = ChannelUrl::parse(&format!("{scheme}://{address}"), false).expect("a good URL");
            let mut steps = Vec::new();
            examine(&Config { carrier, ..Config::new(url) }, |step| steps.push(step)).await;
            let last = steps.last().expect("steps");
            assert_eq!((&last.step, &last.failure), (&Examining::Address(address), &None));
            assert_eq!(serving.await.expect("no panic"), b"");
        }

        let (port, pem) = server().await;
        let steps = steps(&format!("mqtts://localhost:{port}"), Some(pem)).await;
        let last = steps.last().expect("steps");
        assert!(matches!(last.step, Examining::Tls { version: Some(_), .. }), "{last:?}");
        assert_eq!(last.failure, None);
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
