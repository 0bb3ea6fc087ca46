//! Who is let in, for how long, and what a change of the files does to those who are in.

use std::{fs, path::PathBuf, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidings_server::{EventKind, Jwt, KeyFile, Options, Server, StartError, UserHeader};

use crate::client::{Client, Ended, post, seen, status};

const SECRET: &str = "a secret of more than thirty-two bytes";

/// Files of tokens and keys, in a folder of their own.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(name);
        // As editors and secret stores do it: whole or not at all.
        let new = self.0.path().join("new");
        fs::write(&new, text).and_then(|()| fs::rename(&new, &file)).expect("a file");
        file
    }
}

fn in_seconds(seconds: f64) -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    now.as_secs_f64() + seconds
}

fn jwt(claims: &Value) -> String {
    jwt_by(SECRET, claims)
}

fn jwt_by(secret: &str, claims: &Value) -> String {
    let message = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims.to_string()));
    let proof = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    format!("{message}.{}", BASE64.encode(proof))
}

async fn start(options: Options) -> Server {
    Server::start(options).await.expect("a server")
}

async fn by_token(server: &Server, token: &str) -> Result<Client, tokio_tungstenite::tungstenite::Error> {
    Client::request(server, "", &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn a_link_ends_with_3000_when_its_json_web_token_does() {
    let files = Files::new();
    let keys = KeyFile::One(files.write("key", SECRET));
    let options = Options { jwt: Some(Jwt { keys, audience: None, issuer: None }), ..Options::default() };
    let server = start(options).await;
    let mut short =
        by_token(&server, &jwt(&json!({ "sub": "ann", "exp": in_seconds(0.3) }))).await.expect("open");
    let _long =
        by_token(&server, &jwt(&json!({ "sub": "bob", "exp": in_seconds(3600.0) }))).await.expect("open");
    let _longest = by_token(&server, &jwt(&json!({ "sub": "eve", "exp": 9e15 }))).await.expect("open");
    server.push("ann", "before the end");
    assert_eq!(short.text().await, "before the end");
    assert_eq!(short.ended().await, Ended::Close(Some(3000), "the credential has expired".into()));
    assert_eq!((server.links("ann"), server.links("bob"), server.links("eve")), (0, 1, 1));
    assert_eq!(status(by_token(&server, &jwt(&json!({ "sub": "ann", "exp": in_seconds(-1.0) }))).await), 401);
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 401, "their own word is not enough");
    assert_eq!(
        post(server.addr(), "anybody", "", b"x").await.0,
        200,
        "who the issuer knows isn't known here"
    );
}

#[tokio::test]
async fn whose_token_is_taken_away_loses_the_link_and_nobody_else_does() {
    let files = Files::new();
    let token_file = Some(files.write("tokens", "ann one\nbob two\neve three\n"));
    let server = start(Options { token_file, ..Options::default() }).await;
    let mut ann = by_token(&server, "one").await.expect("open");
    let mut bob = by_token(&server, "two").await.expect("open");
    let mut eve = by_token(&server, "three").await.expect("open");
    // Bob's is gone, and Eve's names somebody else now.
    files.write("tokens", "ann one\nzoe three\nbob new\n");
    let gone = Ended::Close(Some(3000), "the credential is not good any more".into());
    assert_eq!(bob.ended().await, gone);
    assert_eq!(eve.ended().await, gone);
    assert_eq!(status(by_token(&server, "two").await), 401);
    assert_eq!(status(by_token(&server, "new").await), 101);
    server.push("ann", "still here");
    assert_eq!(ann.text().await, "still here");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_leaves_the_old_one_in_force() {
    let files = Files::new();
    let token_file = Some(files.write("tokens", "ann one\n"));
    let push_token_file = Some(files.write("push", "p1\n"));
    let keys = KeyFile::One(files.write("key", SECRET));
    let jwt_options = Some(Jwt { keys, audience: None, issuer: None });
    let server = start(Options { token_file, push_token_file, jwt: jwt_options, ..Options::default() }).await;
    let mut ann = by_token(&server, "one").await.expect("open");
    let mut bob =
        by_token(&server, &jwt(&json!({ "sub": "bob", "exp": in_seconds(600.0) }))).await.expect("open");
    for broken in ["ann one two\n", "", "ann \u{7f}\n", "ann one\nbob one\n", "an\u{7}n one\n"] {
        files.write("tokens", broken);
        files.write("push", "");
        files.write("key", "short");
        let errors = server.reload().await.expect_err("broken");
        assert_eq!(errors.len(), 3, "{broken:?}: {errors:?}");
        assert!(
            !errors.iter().any(|error| error.to_string().contains("one")),
            "a token is shown: {errors:?}"
        );
    }
    fs::remove_file(files.0.path().join("tokens")).expect("removed");
    assert!(server.reload().await.is_err());
    assert_eq!(post(server.addr(), "ann", "authorization: Bearer p1\r\n", b"to ann").await.0, 200);
    assert_eq!(post(server.addr(), "bob", "authorization: Bearer p1\r\n", b"to bob").await.0, 200);
    assert_eq!((ann.text().await, bob.text().await), ("to ann".into(), "to bob".into()));
    files.write("tokens", "ann one\n");
    files.write("push", "shop p2\n");
    files.write("key", &SECRET.replace("secret", "Secret"));
    server.reload().await.expect("all good");
    assert_eq!(bob.ended().await, Ended::Close(Some(3000), "the credential is not good any more".into()));
    assert_eq!(post(server.addr(), "ann", "authorization: Bearer p1\r\n", b"x").await.0, 401);
    assert_eq!(post(server.addr(), "ann", "authorization: Bearer p2\r\n", b"x").await.0, 200);
    assert_eq!(ann.text().await, "x");
}

#[tokio::test]
async fn a_key_that_leaves_its_set_takes_its_own_links_with_it() {
    let files = Files::new();
    let key = |kid: &str, secret: &str| json!({ "kty": "oct", "kid": kid, "k": BASE64.encode(secret) });
    let other = "another secret of more than thirty-two bytes";
    let set = |keys: &[Value]| json!({ "keys": keys }).to_string();
    let keys = KeyFile::Set(files.write("set", &set(&[key("new", SECRET), key("old", other)])));
    let server =
        start(Options { jwt: Some(Jwt { keys, audience: None, issuer: None }), ..Options::default() }).await;
    let claims = |user: &str| json!({ "sub": user, "exp": in_seconds(600.0) });
    let mut ann = by_token(&server, &jwt_by(SECRET, &claims("ann"))).await.expect("open");
    let mut bob = by_token(&server, &jwt_by(other, &claims("bob"))).await.expect("open");
    files.write(
        "set",
        &set(&[key("new", SECRET), key("newer", "one more secret of more than thirty-two bytes")]),
    );
    assert_eq!(bob.ended().await, Ended::Close(Some(3000), "the credential is not good any more".into()));
    assert_eq!(status(by_token(&server, &jwt_by(other, &claims("bob"))).await), 401);
    server.push("ann", "still here");
    assert_eq!(ann.text().await, "still here");
}

#[tokio::test]
async fn a_token_file_without_tokens_lets_nobody_in() {
    let files = Files::new();
    let token_file = Some(files.write("tokens", "# nobody yet\n"));
    let server = start(Options { token_file, ..Options::default() }).await;
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 401);
    assert_eq!(status(by_token(&server, "").await), 401);
    let missing = Options { token_file: Some("/nowhere/tokens".into()), ..Options::default() };
    assert!(matches!(Server::start(missing).await, Err(StartError::File(_))));
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_a_user_is() {
    let header = |proxies: &[&str]| UserHeader {
        name: "x-user".parse().expect("a name"),
        proxies: proxies.iter().map(|network| network.parse().expect("a network")).collect(),
    };
    let server = start(Options { user_header: Some(header(&["127.0.0.0/8"])), ..Options::default() }).await;
    assert_eq!(status(Client::request(&server, "", &[("x-user", "ann")]).await), 101);
    // A name in UTF-8, as proxies hand it on.
    let name = axum::http::HeaderValue::from_bytes("小明".as_bytes()).expect("a value");
    assert_eq!(status(Client::request_with(&server, "?user=eve", &[("x-user", name)]).await), 101);
    assert_eq!((server.links("小明"), server.links("eve")), (1, 0));
    assert_eq!(status(Client::request(&server, "?user=ann", &[]).await), 401, "no header");
    assert_eq!(status(Client::request(&server, "", &[("x-user", "")]).await), 401, "nobody");
    let twice = ["ann", "eve"].map(|name| ("x-user", name.parse().expect("a value")));
    assert_eq!(status(Client::request_with(&server, "", &twice).await), 401, "twice");
    let stranger =
        start(Options { user_header: Some(header(&["10.0.0.0/8", "::1"])), ..Options::default() }).await;
    assert_eq!(status(Client::request(&stranger, "", &[("x-user", "ann")]).await), 401, "from elsewhere");
    assert_eq!(stranger.links("ann"), 0);
    seen(&stranger, |kind| matches!(kind, EventKind::Refused { status: 401 })).await;
}

#[tokio::test]
async fn a_header_from_elsewhere_is_refused_even_beside_a_good_token() {
    let tokens = tidings_server::parse_tokens("ann one").expect("a good file");
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let user_header = Some(UserHeader { name: "x-user".parse().expect("a name"), proxies });
    let server = start(Options { tokens, user_header, ..Options::default() }).await;
    let both = [("authorization", "Bearer one"), ("x-user", "bob")];
    assert_eq!(status(Client::request(&server, "", &both).await), 401);
    assert_eq!(status(by_token(&server, "one").await), 101);
}

#[tokio::test]
async fn a_name_in_a_path_is_a_name_and_nothing_else() {
    let server = start(Options::default()).await;
    for (path, name) in [
        ("a%2Fb", "a/b"),
        ("..", ".."),
        ("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
        ("%2e%2e", ".."),
        ("%252F", "%2F"),
        ("a%20b", "a b"),
        ("%E5%B0%8F%E6%98%8E", "小明"),
        ("a;b", "a;b"),
        ("*", "*"),
        ("%3E", ">"),
        (".", "."),
        ("a.b..c", "a.b..c"),
        ("%E2%80%AE%D7%A9%D7%9C%D7%95%D7%9D", "\u{202e}שלום"),
        (&"%F0%9F%8D%B5".repeat(128), &"🍵".repeat(128)),
        (&"x".repeat(128), &"x".repeat(128)),
    ] {
        let mut client =
            Client::connect_to(server.addr(), &server.url(name)[server.url("").len() - 6..], &[])
                .await
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(post(server.addr(), path, "", path.as_bytes()).await.0, 200, "{path}");
        assert_eq!(client.text().await, path);
    }
    for (path, wanted) in [
        ("", 404),
        ("a/b", 404),
        ("%00", 404),
        ("a%0Ab", 404),
        ("%7F", 404),
        ("%C2%85", 404),
        ("%FF", 400),
        ("%C3", 400),
        (&"x".repeat(129), 404),
        (&"%F0%9F%8D%B5".repeat(129), 404),
    ] {
        assert_eq!(post(server.addr(), path, "", b"x").await.0, wanted, "{path}");
    }
}

#[tokio::test]
async fn who_pushes_too_much_is_told_when_to_go_on() {
    let push_rate = Some("1/h:2".parse().expect("a rate"));
    let files = Files::new();
    let push_token_file = Some(files.write("push", "shop p1\ndoor p2\n"));
    let server = start(Options { push_token_file, push_rate, ..Options::default() }).await;
    let push = async |token: &str| {
        post(server.addr(), "ann", &format!("authorization: Bearer {token}\r\n"), b"x").await.0
    };
    assert_eq!([push("p1").await, push("p1").await, push("p1").await], [200, 200, 429]);
    assert_eq!(push("p2").await, 200, "another one has its own");
    assert_eq!(push("wrong").await, 401);
}
