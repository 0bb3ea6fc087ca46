//! Certificates: whom a channel trusts, and how it shows who it is (D3).

use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tidings_channel::ClientCert;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

/// A certificate authority of the test's own.
pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("signed");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub(super) fn pem(&self) -> Vec<u8> {
        self.certificate.pem().into_bytes()
    }

    pub(super) fn issue(&self, name: &str, last_year: i32) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        (params.signed_by(&key, &self.issuer).expect("signed"), key)
    }

    /// A server with a certificate for `name`; with `asks`, it wants one of the client, too.
    pub(super) fn server(&self, name: &str, last_year: i32, asks: bool) -> TlsAcceptor {
        self.asking(name, last_year, asks.then_some(true))
    }

    /// A server that takes a certificate of the client, and does without.
    pub(super) fn server_that_may_ask(&self, name: &str) -> TlsAcceptor {
        self.asking(name, FAR, Some(false))
    }

    /// `insists`: whether it asks for the client's certificate, and can't do without.
    fn asking(&self, name: &str, last_year: i32, insists: Option<bool>) -> TlsAcceptor {
        let (certificate, key) = self.issue(name, last_year);
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("versions");
        let config = if let Some(insists) = insists {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if insists { verifier } else { verifier.allow_unauthenticated() };
            config.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            config.with_no_client_auth()
        };
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("a pair");
        TlsAcceptor::from(Arc::new(config))
    }
}

pub(super) const FAR: i32 = 2090;

#[tokio::test]
async fn a_link_over_tls_comes_up_where_the_authority_is_trusted() {
    let authority = Authority::new();
    let (listener, port) = listen().await;
    let mut desk = Desk::new(Config { ca_pem: Some(authority.pem()), ..config("wss", port) });
    let stream = authority.server("localhost", FAR, false).accept(dialled(&listener).await).await;
    let _link = accept_async(stream.expect("TLS")).await.expect("a good upgrade");
    desk.connected().await;
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_for_another_name_or_of_a_stranger_is_refused() {
    let authority = Authority::new();
    let trusting = Some(authority.pem());
    for (name, last_year, ca_pem, words) in [
        ("localhost", 2021, trusting.clone(), "certificate refused"),
        ("other.example", FAR, trusting, "certificate for another name"),
        ("localhost", FAR, None, "certificate refused"),
    ] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(Config { ca_pem, ..config("wss", port) });
        let stream = authority.server(name, last_year, false).accept(dialled(&listener).await).await;
        assert!(stream.is_err(), "no byte of the request was sent");
        let (cause, status) = desk.trouble().await;
        assert!(cause.to_string().starts_with(words), "{name} until {last_year}: {cause}");
        let wait = status.state.retry_at().expect("it waits").duration_since(std::time::SystemTime::now());
        assert!(wait.expect("to come") > Duration::from_secs(290), "somebody has to mend it");
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("desk", FAR);
    let cert = ClientCert::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes());
    let cert = cert.expect("a good pair");
    for client_cert in [Some(cert), None] {
        let welcome = client_cert.is_some();
        let (listener, port) = listen().await;
        let config = Config { ca_pem: Some(authority.pem()), client_cert, ..config("wss", port) };
        let mut desk = Desk::new(config);
        let stream = authority.server("localhost", FAR, true).accept(dialled(&listener).await).await;
        if welcome {
            let _link = accept_async(stream.expect("TLS")).await.expect("a good upgrade");
            desk.connected().await;
        } else {
            assert!(stream.is_err(), "the server refuses");
            let (cause, _) = desk.trouble().await;
            assert!(matches!(cause, Cause::Certificate { .. } | Cause::Lost { .. }), "{cause}");
        }
    }
}
