use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
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
        let by_certificate = matches!(refused, Cause::Certificate { .. } | Cause::WrongName { .. });
        // A machine without any authority of its own can't even begin.
        assert!(by_certificate, "{host}: {refused}");
    }
}
