//! The ways into a real NATS: an account of JSON Web Tokens (`.creds`), and TLS.

use std::{fs, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_server::{Nats, Options, Server};
use tokio::time::timeout;

use crate::{
    client::{Client, ask_within},
    nats::{Cluster, LONG},
};

/// Pushes to a node over this NATS, and has it back.
async fn works(nats: Nats) {
    let options = Options { nats: Some(nats), ..Options::default() };
    let node = timeout(LONG, Server::start(options)).await.expect("a start in time").expect("a node");
    let mut client = Client::connect(&node, "?user=ann").await;
    assert_eq!(ask_within(LONG, node.addr(), "POST", "/push/ann", "", b"let in").await.0, 200);
    assert_eq!(client.text().await, "let in");
}

/// Why a node doesn't start over this NATS.
async fn refused(nats: Nats) -> String {
    let options = Options { nats: Some(Nats { wait: Duration::ZERO, ..nats }), ..Options::default() };
    match timeout(LONG, Server::start(options)).await.expect("an end in time") {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

/// A token as NATS has it.
fn token(by: &KeyPair, about: &KeyPair, name: &str, mut nats: Value) -> String {
    nats["version"] = 2.into();
    let claims = json!({
        "jti": name, "iat": 1_790_000_000, "iss": by.public_key(), "name": name, "sub": about.public_key(), "nats": nats,
    });
    let head = BASE64.encode(r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
    let signature = by.sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", BASE64.encode(signature))
}

/// What stands in a `.creds` file.
fn credentials(account: &KeyPair) -> String {
    let user = KeyPair::new_user();
    let rights = json!({ "type": "user", "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let (token, seed) = (token(account, &user, "tidings", rights), user.seed().expect("a seed"));
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[tokio::test]
async fn a_file_of_credentials_lets_a_node_into_its_account_and_another_accounts_does_not() {
    let (operator, system, account) =
        (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let rights = || {
        json!({ "type": "account", "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
            "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
        }})
    };
    let about = json!({ "type": "operator", "system_account": system.public_key() });
    let mut nothing = rights();
    for of_jetstream in ["mem_storage", "disk_storage", "streams", "consumer"] {
        nothing["limits"][of_jetstream] = 0.into();
    }
    let settings = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {}: {}, {}: {} }}\n",
        token(&operator, &operator, "operator", about),
        system.public_key(),
        system.public_key(),
        token(&operator, &system, "system", nothing),
        account.public_key(),
        token(&operator, &account, "tidings", rights()),
    );
    let Some(nats) = Cluster::with(1, &settings).await else { return };
    let with = |text: &str| Nats {
        url: nats.url(),
        credentials: Some(nats.file("node.creds", text)),
        wait: LONG,
        ..Nats::default()
    };
    works(with(&credentials(&account))).await;
    let words = refused(with(&credentials(&KeyPair::new_account()))).await;
    assert!(words.ends_with("the credentials are wrong (--nats-credentials)"), "{words}");
    let words = refused(Nats { url: nats.url(), ..Nats::default() }).await;
    assert!(words.ends_with("it wants credentials (--nats-credentials)"), "{words}");
    let half = credentials(&account);
    let half = half.split("-----BEGIN USER").next().expect("a beginning");
    let words = refused(with(half)).await;
    assert!(words.contains("holds no credentials for NATS"), "{words}");
}

/// Writes an authority, and a certificate by it for this name; says what NATS is to have in its settings.
fn certificate(folder: &Path, name: &str) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key");
    fs::write(folder.join("ca.pem"), params.self_signed(&key).expect("signed").pem()).expect("written");
    let authority = Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let signed = params.signed_by(&key, &authority).expect("signed");
    fs::write(folder.join("cert.pem"), signed.pem()).expect("written");
    fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
    let folder = folder.display();
    format!("tls {{ cert_file: \"{folder}/cert.pem\", key_file: \"{folder}/key.pem\" }}\n")
}

#[tokio::test]
async fn tls_is_spoken_with_a_nats_whose_authority_is_named_and_with_no_other() {
    let folder = TempDir::new().expect("a folder");
    let Some(nats) = Cluster::with(1, &certificate(folder.path(), "127.0.0.1")).await else { return };
    let ca = Some(folder.path().join("ca.pem"));
    works(Nats { url: nats.url(), ca: ca.clone(), wait: LONG, ..Nats::default() }).await;
    let encrypted = nats.url().replace("nats://", "tls://");
    works(Nats { url: encrypted.clone(), ca, wait: LONG, ..Nats::default() }).await;
    let words = refused(Nats { url: encrypted.clone(), ..Nats::default() }).await;
    assert!(words.contains("has a certificate that is not to be trusted"), "{words}");
    let other = TempDir::new().expect("a folder");
    certificate(other.path(), "127.0.0.1");
    let ca = Some(other.path().join("ca.pem"));
    let words = refused(Nats { url: encrypted, ca: ca.clone(), ..Nats::default() }).await;
    assert!(words.contains("has a certificate that is not to be trusted"), "{words}");

    // And nothing is said in the clear to one that knows no TLS, where an authority is named.
    let Some(plain) = Cluster::one().await else { return };
    let words = refused(Nats { url: plain.url(), ca, ..Nats::default() }).await;
    assert!(words.contains("speaks no TLS"), "{words}");
}
