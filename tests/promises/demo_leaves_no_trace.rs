//! The demo: from a click to the first message within a second, and nothing left of it but its messages.
//! Needs `cargo build -p tidings-server`.

use std::time::Duration;

use serde_json::json;
use tidings_api::{Edit, Reply, Request, StateName};
use tidings_tests::app::{App, Stored};
use tidings_tests::wait::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The machine may be busy: what is promised is one second.
const FIRST_MESSAGE: Duration = Duration::from_secs(5);

async fn start(app: &App) -> anyhow::Result<(String, Vec<Stored>)> {
    let began = Instant::now();
    let Reply::Done { channels } = app.ask(&Request::StartDemo).await? else { anyhow::bail!("no demo") };
    assert_eq!(channels, ["Demo"]);
    let inbox = app.wait_for_inbox("the first message", |inbox| !inbox.is_empty()).await?;
    assert!(began.elapsed() < FIRST_MESSAGE, "{:?}", began.elapsed());
    let body = &inbox[0].body;
    let (_, address) = body.split_once("http://").unwrap_or_else(|| panic!("no address in {body}"));
    let address = address.split('/').next().expect("an address").to_owned();
    Ok((address, inbox))
}

/// What the first message tells one to type.
async fn push(address: &str, text: &str) -> anyhow::Result<()> {
    let mut server = TcpStream::connect(address).await?;
    let length = text.len();
    let request = format!(
        "POST /push/demo HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    );
    server.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

async fn gone(address: &str) -> anyhow::Result<()> {
    let address = address.to_owned();
    eventually("the server's end", || std::net::TcpStream::connect(&address).is_err().then_some(())).await
}

#[tokio::test]
async fn a_click_brings_a_message_and_another_click_ends_it_all() -> anyhow::Result<()> {
    let app = App::without_settings().background().start().await?;
    let (address, inbox) = start(&app).await?;
    assert_eq!((inbox[0].title.as_str(), inbox.len()), ("Welcome to Tidings", 1));
    push(&address, "Hello").await?;
    app.wait_for_inbox("what was pushed", |inbox| inbox.iter().any(|message| message.body == "Hello"))
        .await?;
    let status = app.status().await?;
    let [demo] = status.channels.as_slice() else { panic!("one channel: {status:?}") };
    assert!(demo.demo && demo.state == StateName::Connected && demo.name == "Demo");

    // Once more is no second one, and settings come and go beside it.
    app.ask(&Request::StartDemo).await?;
    let Reply::Settings(report) = app.ask(&Request::Settings).await? else { anyhow::bail!("no settings") };
    assert!(report.channels.is_empty());
    let edits = vec![Edit::Set { channel: None, key: "theme".to_owned(), value: json!("dark") }];
    app.ask(&Request::EditSettings { revision: report.revision, edits }).await?;
    let status = app.status().await?;
    assert_eq!(
        (status.theme.as_str(), status.channels.len(), status.channels[0].links_opened),
        ("dark", 1, 1)
    );

    app.ask(&Request::EndDemo).await?;
    assert!(app.status().await?.channels.is_empty());
    gone(&address).await?;
    let settings = std::fs::read_to_string(app.settings_file())?;
    assert!(!settings.contains("emo"), "{settings}");
    assert_eq!(app.inbox()?.len(), 2, "its messages stay");
    Ok(())
}

#[tokio::test]
async fn it_ends_with_an_agent_that_is_killed() -> anyhow::Result<()> {
    let mut app = App::without_settings().background().start().await?;
    let (address, _) = start(&app).await?;
    app.kill().await?;
    gone(&address).await
}
