//! The real [`Connect`]: name lookup, TCP, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig};
use url::Host;

use crate::dial::{Connect, within};
use crate::link::words;
use crate::{Cause, ChannelUrl, Config, Stage, Timing};

/// A connected socket, with or without TLS.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

#[derive(Debug, Default)]
pub(crate) struct Tcp {
    /// Made at the first encrypted dial; the system's certificates are read for it.
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

impl Connect for Tcp {
    type Stream = Box<dyn Transport>;

    async fn connect(&self, config: &Config, stage: &watch::Sender<Stage>) -> Result<Self::Stream, Cause> {
        let Config { url, timing, ca_pem, .. } = config;
        stage.send_replace(Stage::Lookup);
        let addresses = within(timing.lookup, Stage::Lookup, lookup(url))
            .await?
            .map_err(|error| Cause::Lookup { detail: words(&error) })?;
        stage.send_replace(Stage::Tcp);
        let stream = connect_any(&addresses, timing).await?;
        if !url.is_tls() {
            return Ok(Box::new(stream));
        }
        stage.send_replace(Stage::Tls);
        let connector = TlsConnector::from(self.tls(ca_pem.as_deref()).await?);
        let name = ServerName::try_from(host(url))
            .map_err(|_| Cause::Certificate { detail: "no certificate can name this host".to_owned() })?;
        match within(timing.tls, Stage::Tls, connector.connect(name, stream)).await? {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(self.refused(&error)),
        }
    }
}

impl Tcp {
    async fn tls(&self, ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, Cause> {
        if let Some(made) = &*self.kept() {
            return Ok(made.clone());
        }
        let ca_pem = ca_pem.map(<[u8]>::to_vec);
        // Reads hundreds of files on some systems.
        let made = tokio::task::spawn_blocking(move || client_config(ca_pem.as_deref())).await;
        let made = made.map_err(|error| Cause::Tls { detail: error.to_string() })??;
        *self.kept() = Some(made.clone());
        Ok(made)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Arc<ClientConfig>>> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, error: &io::Error) -> Cause {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(reason)) = tls {
            // Whoever mends it may do so by a new authority on this system: read them again next time.
            *self.kept() = None;
            return Cause::Certificate { detail: reason.to_string() };
        }
        Cause::Tls { detail: words(error) }
    }
}

/// The host without the brackets of an IPv6 address.
fn host(url: &ChannelUrl) -> String {
    url.host().trim_start_matches('[').trim_end_matches(']').to_owned()
}

async fn lookup(url: &ChannelUrl) -> io::Result<Vec<SocketAddr>> {
    let port = url.as_url().port_or_known_default().unwrap_or(443);
    let found: Vec<_> = match url.as_url().host() {
        Some(Host::Ipv4(address)) => vec![(IpAddr::V4(address), port).into()],
        Some(Host::Ipv6(address)) => vec![(IpAddr::V6(address), port).into()],
        Some(Host::Domain(name)) => lookup_host((name, port)).await?.collect(),
        None => Vec::new(),
    };
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

/// One address after the other; the last error counts.
async fn connect_any(addresses: &[SocketAddr], timing: &Timing) -> Result<TcpStream, Cause> {
    let mut failure = Cause::Unreachable { detail: "no address".to_owned() };
    for address in addresses {
        failure = match within(timing.connect, Stage::Tcp, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                if let Err(error) = tune(&stream, timing) {
                    tracing::debug!(%error, "socket options were refused");
                }
                return Ok(stream);
            }
            Ok(Err(error)) => Cause::Unreachable { detail: words(&error) },
            Err(timed_out) => timed_out,
        };
        tracing::debug!(%address, cause = %failure, "address failed");
    }
    Err(failure)
}

/// No delay for small frames, and the kernel's own proof of life (L2).
fn tune(stream: &TcpStream, timing: &Timing) -> io::Result<()> {
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
}

/// Verification by the platform's rules, plus `ca_pem`; it can't be turned off (D3).
fn client_config(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, Cause> {
    let tls = |error: rustls::Error| Cause::Tls { detail: error.to_string() };
    let extra = CertificateDer::pem_slice_iter(ca_pem.unwrap_or_default())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad_ca_file(&error.to_string()))?;
    if ca_pem.is_some() && extra.is_empty() {
        return Err(bad_ca_file("it holds none"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())
        .map_err(|error| bad_ca_file(&error.to_string()))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // One server: a few tickets are plenty.
    config.resumption = Resumption::in_memory_sessions(4);
    Ok(Arc::new(config))
}

fn bad_ca_file(why: &str) -> Cause {
    Cause::Certificate { detail: format!("the certificates to trust can't be read: {why}") }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    /// An authority's PEM, and a server with a certificate of it for `localhost`.
    fn authority() -> (Vec<u8>, TlsAcceptor) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("signed").pem().into_bytes();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a certificate");
        (pem, TlsAcceptor::from(Arc::new(config)))
    }

    /// Connects to a server with `acceptor`, by `host`, trusting `ca_pem` too.
    async fn connect(acceptor: TlsAcceptor, host: &str, ca_pem: Option<Vec<u8>>) -> Result<(), Cause> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let url = ChannelUrl::parse(&format!("wss://{host}:{port}/"), false).expect("a good URL");
        let config = Config { ca_pem, ..Config::new(url) };
        let (stage, _) = watch::channel(Stage::Credential);
        let tcp = Tcp::default();
        let (_, connected) = tokio::join!(
            async {
                // `localhost` may be tried over IPv6 first, where nobody listens.
                let (stream, _) = listener.accept().await.expect("a dial");
                acceptor.accept(stream).await
            },
            tcp.connect(&config, &stage)
        );
        connected.map(|_| ())
    }

    #[tokio::test]
    async fn a_certificate_counts_if_its_authority_is_trusted_and_its_name_is_right() {
        let (pem, acceptor) = authority();
        connect(acceptor.clone(), "localhost", Some(pem.clone())).await.expect("trusted");
        for (host, ca_pem) in [("localhost", None), ("127.0.0.1", Some(pem))] {
            let refused = connect(acceptor.clone(), host, ca_pem).await.expect_err("not trusted");
            let by_certificate = matches!(refused, Cause::Certificate { .. });
            // A machine without any authority of its own can't even begin.
            assert!(by_certificate, "{host}: {refused}");
        }
    }

    #[test]
    fn a_ca_file_without_certificates_is_told_and_not_ignored() {
        for pem in [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            let refused = client_config(Some(pem)).expect_err("no certificate in it");
            assert!(matches!(refused, Cause::Certificate { .. }), "{refused}");
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_lookup() {
        let url = ChannelUrl::parse("wss://[::1]/x", false).expect("a good URL");
        assert_eq!(lookup(&url).await.expect("no lookup"), ["[::1]:443".parse().expect("an address")]);
        assert_eq!(host(&url), "::1");
    }
}
