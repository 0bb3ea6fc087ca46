//! Messages, as the agent's inbox and its `tail` have them.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tidings_server::{EventKind, Server};
use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::listen::Program;
use tidings_tests::wait::SOON;

use super::{MIB, TEXT, frame, server};

/// An opcode that has no meaning.
const RESERVED: u8 = 0x83;

async fn agent(server: &Server) -> App {
    let settings = format!(
        "[[channel]]\nid = \"ann\"\nname = \"Ann\"\nurl = \"{}\"\nauth = \"none\"\n",
        server.url("ann")
    );
    let app = App::with_settings(settings).background().start().await.expect("the agent");
    server.wait_for(SOON, |event| event.kind == EventKind::Opened).await.expect("a link");
    app
}

/// Title, body and what the server sent of every message, in the inbox's order.
fn stored(app: &App) -> Vec<(String, String, Vec<u8>)> {
    let file = app.home().join(".local/share/tidings/inbox.db");
    let inbox = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the inbox");
    let mut rows =
        inbox.prepare("SELECT title, body, CAST(raw AS BLOB) FROM message ORDER BY row").expect("a query");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("an answer");
    rows.collect::<Result<_, _>>().expect("messages")
}

async fn ends_well(mut app: App) {
    app.signal(Signal::TERM).expect("it runs");
    app.ended_well().await.expect("an end");
    assert!(!app.log().contains("panicked"), "{}", app.log());
}

#[tokio::test]
async fn messages_of_every_nasty_kind_are_stored_as_they_are_and_shown_as_plain_text() {
    let server = server().await;
    let app = agent(&server).await;
    let mut tail = Program::start(&app.home(), &["tail", "--json"], &[]).expect("tail");
    first_of_all(&server, &mut tail).await;
    let before = stored(&app).len();

    let deep = |open: &str, close: &str, around: usize| {
        let depth = (MIB - around) / (open.len() + close.len());
        (open.repeat(depth), close.repeat(depth))
    };
    let (open, close) = deep("[", "]", 100);
    let deep_list = format!(r#"{{"title":"deep","body":"down","x":{open}{close}}}"#);
    let (open, close) = deep(r#"{"a":"#, "}", 100);
    let deep_object = format!(r#"{{"title":"deeper","body":"down","x":{open}1{close}}}"#);
    let unclosed = "[".repeat(1_000_000);
    let whole = "x".repeat(MIB);
    let bells = "\u{7}".repeat(MIB);
    let markup =
        r#"{"title":"<b>&amp;\u0000\u001b[2J\u202e</b>\n\r\n","body":"<img src=x onerror=alert(1)>"}"#;
    let twice =
        r#"{"title":"first","title":"second","body":{"a":[1,null]},"id":1e999,"time":1e308,"priority":-9}"#;
    let half = r#"{"title":"\ud800","body":"half a pair"}"#;
    let sent = [
        (deep_list.as_str(), "deep", Some("down")),
        (&deep_object, "deeper", Some("down")),
        (&unclosed, "Ann", Some(&unclosed)),
        ("{\"title\":", "Ann", Some("{\"title\":")),
        (&whole, "Ann", Some(&whole)),
        ("a\u{0}b\u{0}", "Ann", Some("a b")),
        (markup, "<b>&amp;  [2J\u{202e}</b>", Some("<img src=x onerror=alert(1)>")),
        (twice, "second", Some(r#"{"a":[1,null]}"#)),
        (half, r#""\ud800""#, Some("half a pair")),
        ("null", "Ann", Some("null")),
    ];
    for (text, title, body) in sent {
        server.push("ann", text);
        let line = tail.message().await.expect("tail prints it");
        let what: String = text.chars().take(60).collect();
        assert_eq!(line["raw"].as_str().map(str::len), Some(text.len()), "{what}");
        assert!(line["raw"] == text, "{what} did not come as it was sent");
        assert_eq!(line["title"], title, "{what}");
        assert!(body.is_none_or(|body| line["body"] == body), "{what}");
    }
    server.push_binary("ann", vec![0, 159, 146, 150]);
    assert_eq!(tail.message().await.expect("tail prints it")["raw"], json!({"base64": "AJ+Slg=="}));
    // Noise: they say nothing.
    server.push("ann", " ");
    server.push("ann", bells);
    server.push_binary("ann", Vec::new());
    server.push("ann", "and that is all");
    assert_eq!(tail.message().await.expect("tail prints it")["body"], "and that is all");

    let mut stored = stored(&app).split_off(before);
    assert_eq!(stored.len(), sent.len() + 2);
    let binary = stored.split_off(sent.len());
    for ((text, title, _), (stored_title, stored_body, raw)) in sent.iter().zip(&stored) {
        assert_eq!(stored_title, title);
        assert!(raw == text.as_bytes(), "{title} is stored otherwise");
        let nasty = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!stored_title.contains(char::is_control) && !stored_body.contains(nasty), "{title}");
    }
    assert_eq!(binary[0].2, [0, 159, 146, 150]);
    assert_eq!(server.upgrades(), 1, "the link was never lost");
    ends_well(app).await;
}

/// Sends messages until `tail` prints one, and takes what it has printed of them.
async fn first_of_all(server: &Server, tail: &mut Program) {
    let mut knock = tokio::time::interval(Duration::from_millis(20));
    {
        let mut line = std::pin::pin!(tail.message());
        loop {
            tokio::select! {
                line = &mut line => break drop(line.expect("a message")),
                _ = knock.tick() => drop(server.push("ann", "knock")),
            }
        }
    }
    server.push("ann", "in");
    while tail.message().await.expect("a message")["body"] != "in" {}
}

#[tokio::test]
async fn five_thousand_messages_at_once_are_all_stored_in_order() {
    const COUNT: usize = 5000;
    let server = server().await;
    let app = agent(&server).await;
    for number in 0..COUNT {
        server
            .push_json("ann", &json!({"id": number, "title": format!("Order {number}"), "body": "is paid"}));
    }
    app.wait_for_inbox("all messages", |stored| stored.len() >= COUNT).await.expect("all of them");
    let stored = stored(&app);
    assert_eq!(stored.len(), COUNT);
    for (number, (title, _, raw)) in stored.iter().enumerate() {
        assert_eq!(*title, format!("Order {number}"));
        let raw: Value = serde_json::from_slice(raw).expect("as it was sent");
        assert_eq!(raw["id"], number);
    }
    let status = app.status().await.expect("it answers");
    assert_eq!((status.unread, server.upgrades()), (5000, 1), "and the link was never lost");
    ends_well(app).await;
}

#[tokio::test]
async fn an_id_smuggles_nothing_into_the_next_request() {
    let server = server().await;
    let settings = format!(
        "[[channel]]\nurl = \"{}\"\nauth = \"none\"\nresume = \"since\"\nbackoff.first = \"200ms\"\n",
        server.url("ann")
    );
    let app = App::with_settings(settings).background().start().await.expect("the agent");
    server.wait_for(SOON, |event| event.kind == EventKind::Opened).await.expect("a link");
    let id = "7&user=eve#?\r\nx-evil: 1\r\n\r\n \u{0}\u{202e}%0d%0a+é";
    server.push_json("ann", &json!({"id": id, "title": "evil"}));
    // `tidings-server` would give it another.
    let long = json!({"id": "9".repeat(100_000), "title": "an id that no request can carry"}).to_string();
    server.send_raw("ann", &frame(TEXT, long.as_bytes())).await.expect("sent");
    app.wait_for_inbox("both", |stored| stored.len() == 2).await.expect("both");

    let mark = server.mark();
    server.drop_links("ann");
    let asked = server.wait_after(mark, SOON, |event| matches!(event.kind, EventKind::Requested(_))).await;
    let EventKind::Requested(request) = asked.expect("it comes back").kind else { panic!("not a request") };
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    assert_eq!(query, [("user".to_owned(), "ann".to_owned()), ("since".to_owned(), id.to_owned())]);
    assert_eq!(request.header("x-evil"), None);
    ends_well(app).await;
}

#[tokio::test]
async fn the_agent_lives_on_and_says_why_it_waits_when_its_server_breaks_the_rules() {
    let server = server().await;
    let app = agent(&server).await;
    server.push("ann", "before");
    let mut bytes = frame(TEXT, b"just before");
    bytes.extend(frame(RESERVED, b"x"));
    let _ = server.send_raw("ann", &bytes).await;
    let status = app
        .wait_for_status("waiting", |status| status.channels.iter().any(|channel| channel.retry_at.is_some()))
        .await
        .expect("it waits");
    let [channel] = status.channels.as_slice() else { panic!("not one channel: {status:?}") };
    let cause = channel.cause.as_deref().expect("why it waits");
    assert!(cause.starts_with("the server broke the protocol: ") && cause.ends_with("(1002)"), "{cause}");
    let bodies: Vec<String> = app
        .wait_for_inbox("what was valid", |stored| stored.len() == 2)
        .await
        .expect("both")
        .into_iter()
        .map(|stored| stored.body)
        .collect();
    assert_eq!(bodies, ["before", "just before"]);
    assert!(app.log().contains(cause), "{}", app.log());
    ends_well(app).await;
}
