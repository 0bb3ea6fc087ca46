//! `tidings discover`: what is at an address, and the channel that would listen there; the same over the local socket, which is
//! what the window asks. ntfy and Gotify are doubles here.

use serde_json::{Value, json};
use tidings_api::client::Client;
use tidings_api::{Reply, Request, Values};
use tidings_server::{Options, Server};
use tidings_tests::app::{App, Output};
use tidings_tests::scene::{Place, USER};
use tidings_tests::web::{self, Page, Web};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn found(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {output:?}"))
}

fn nothing() -> Page {
    Page { path: "", status: 404, headers: String::new(), body: "404 page not found\n".to_owned() }
}

fn page() -> Page {
    let headers = "Content-Type: text/html; charset=utf-8\r\n".to_owned();
    Page { path: "", status: 200, headers, body: "<!doctype html><title>shop</title>".to_owned() }
}

const GOTIFY: &str = r#"{"version":"2.9.1","commit":"1a2b3c","buildDate":"2026-02-28-10:00:00"}"#;

#[tokio::test]
async fn an_ntfy_topic_and_a_gotify_in_a_folder_are_found_without_a_secret_or_a_subscription()
-> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let ntfy = Web::start(vec![web::json("/v1/health", r#"{"healthy":true}"#)], page()).await?;
    let address = ntfy.at("/alerts,backup?auth=s3cret");
    let output = app.run(&["discover", &address, "--json"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let told = found(&output);
    let channel = json!({
        "kind": "ntfy", "name": "alerts, backup", "topics": ["alerts", "backup"], "url": ntfy.at(""),
    });
    assert_eq!((&told["found"], &told["channel"]), (&json!("ntfy"), &channel));
    assert!(!output.stdout.contains("s3cret"), "{output:?}");
    for asked in ntfy.asked() {
        assert!(asked.line.starts_with("GET "), "{asked:?}");
        assert!(!format!("{asked:?}").contains("s3cret"), "{asked:?}");
        assert!(!asked.headers.contains("upgrade"), "{asked:?}");
    }

    let gotify = Web::start(vec![web::json("/gotify/version", GOTIFY)], nothing()).await?;
    let output = app.run(&["discover", &gotify.at("/gotify/#/messages")]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.starts_with("this is Gotify 2.9.1\n"), "{output:?}");
    let settings = format!("[[channel]]\nkind = \"gotify\"\nurl = \"{}\"\n", gotify.at("/gotify"));
    assert!(output.stdout.ends_with(&settings), "{output:?}");
    assert!(gotify.asked().len() <= 12, "{:?}", gotify.asked());
    Ok(())
}

#[tokio::test]
async fn a_brokers_address_proposes_its_kind_and_is_asked_for_nothing() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let broker = TcpListener::bind("127.0.0.1:0").await?;
    let port = broker.local_addr()?.port();
    let address = format!("mqtt://127.0.0.1:{port}");
    let heard = tokio::spawn(async move {
        let (mut stream, _) = broker.accept().await?;
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.map(|_| said)
    });
    let output = app.run(&["discover", &format!("tcp://127.0.0.1:{port}"), "--json"]).await?;
    assert_eq!(output.code, Some(0), "{output:?}");
    let told = found(&output);
    let channel = json!({ "kind": "mqtt", "url": address });
    assert_eq!((&told["found"], &told["channel"]), (&json!("mqtt"), &channel));
    assert!(told["mend"].as_str().is_some_and(|mend| mend.contains("`topics`")), "{told}");
    assert_eq!(heard.await??, b"", "a broker hears no HTTP");

    // Nobody is there any more.
    let output = app.run(&["discover", &address]).await?;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("connection refused"), "{output:?}");
    Ok(())
}

#[tokio::test]
async fn our_own_server_is_found_by_its_host_and_nobody_is_disturbed() -> anyhow::Result<()> {
    let tokens = [("right".to_owned(), USER.to_owned())].into();
    let server = Place(Server::start(Options { tokens, ..Options::default() }).await?);
    let app = App::without_settings().background().start().await?;
    let url = format!("ws://{}/ws/user-channel", server.addr());
    for address in [server.addr().to_string(), format!("http://{}/", server.addr()), url.clone()] {
        let output = app.run(&["discover", &address, "--json"]).await?;
        assert_eq!(output.code, Some(0), "{output:?}");
        let told = found(&output);
        assert_eq!(
            (&told["found"], &told["channel"]["url"]),
            (&json!("tidings-server"), &json!(url)),
            "{address}"
        );
    }
    let opened = server.all(|kind| matches!(kind, tidings_server::EventKind::Opened));
    assert!(opened.is_empty(), "{opened:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_channel_is_told_with_a_mend_in_both_languages() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let chinese = App::without_settings().locale("zh_CN.UTF-8").background().start().await?;
    let shop = Web::start(Vec::new(), page()).await?;
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let gone = silent.local_addr()?;
    drop(silent);
    let secure = format!("https://{}/", shop.addr);
    for (address, code, words) in [
        (shop.at("/"), 1, "web page"),
        (format!("http://{gone}/"), 1, "firewall"),
        (secure, 1, "no TLS is spoken there"),
        ("ftp://shop.example".to_owned(), 2, "wss://"),
        ("http://shop.example/".to_owned(), 2, "--allow-plaintext"),
        (String::new(), 2, "this is not a URL"),
    ] {
        let output = app.run(&["discover", &address]).await?;
        assert_eq!(output.code, Some(code), "{address}: {output:?}");
        assert!((output.stdout + &output.stderr).contains(words), "{address}");
        let output = chinese.run(&["discover", &address]).await?;
        let told = output.stdout + &output.stderr;
        assert!(told.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{address}: {told}");
    }
    let output = app.run(&["discover", &shop.at("/"), "--json"]).await?;
    let told = found(&output);
    assert_eq!((output.code, &told["found"], &told["channel"]), (Some(1), &Value::Null, &Value::Null));
    assert!(told["mend"].is_string(), "{told}");
    Ok(())
}

#[tokio::test]
async fn the_window_asks_the_same_over_the_local_socket() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let gotify = Web::start(vec![web::json("/version", GOTIFY)], nothing()).await?;
    let mut client = Client::connect(&app.socket()).await?;
    let ask = |address: &str, values: Value| Request::Discover {
        address: address.to_owned(),
        values: values.as_object().cloned().unwrap_or_else(Values::new),
    };
    // What else stands in the editor may be wrong meanwhile.
    let half = json!({ "id": "no such id!", "heartbeat": { "interval": "soon" } });
    let Reply::Discovered(told) = client.ask(&ask(&gotify.at("/"), half)).await? else {
        anyhow::bail!("no answer")
    };
    assert_eq!((told.found.as_deref(), told.version.as_deref()), (Some("gotify"), Some("2.9.1")));
    let refused = client.ask(&ask("http://shop.example/", json!({}))).await.expect_err("without encryption");
    assert!(refused.to_string().contains("allow_plaintext"), "{refused}");
    Ok(())
}
