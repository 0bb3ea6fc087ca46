//! `tidings listen --json` for scripts: one JSON object a line on stdout and nothing else there, exit codes
//! that say why it ended, and no secret in anything that it writes.

use std::process::Stdio;

use serde_json::{Value, json};
use tidings_server::{EventKind, Options, Refusal, Server, parse_tokens};
use tidings_tests::app::App;
use tidings_tests::desktop::Signal;
use tidings_tests::events::EventSource;
use tidings_tests::listen::{Ended, Home, Program};
use tidings_tests::nginx::free_address;
use tidings_tests::wait::SOON;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

async fn server() -> Server {
    Server::start(Options::default()).await.expect("a server")
}

fn home(settings: &str) -> Home {
    Home::new(settings).expect("a home folder")
}

/// A listener by URL, once it is connected.
async fn connected(server: &Server, home: &Home) -> Program {
    let mut listen = home.start(&["listen", "--json", "--url", &server.url("ann")]).expect("it starts");
    listen.state("connected").await.expect("connected");
    listen
}

/// The line without its times, after a look at them: RFC 3339, UTC, and of now.
fn timeless(mut line: Value) -> Value {
    for key in ["since", "received_at"] {
        let Some(time) = line.as_object_mut().expect("an object").remove(key) else { continue };
        let text = time.as_str().expect("a time is text");
        let time: jiff::Timestamp = text.parse().expect("RFC 3339");
        assert!(text.ends_with('Z'), "{text} is not in UTC");
        let age = jiff::Timestamp::now().duration_since(time);
        assert!(age.abs() < jiff::SignedDuration::from_mins(1), "{key} is {text}");
    }
    line
}

fn state(name: &str, attempt: u32) -> Value {
    json!({
        "type": "state", "channel": "127.0.0.1", "state": name, "attempt": attempt,
        "retry_at": null, "cause": null
    })
}

#[tokio::test]
async fn states_and_messages_are_lines_of_exactly_the_promised_keys_each_at_once() {
    let server = server().await;
    let home = home("");
    let mut listen = home.start(&["listen", "--json", "--url", &server.url("ann")]).expect("it starts");
    let first = listen.line().await.expect("a line");
    let keys = ["type", "channel", "state", "since", "attempt", "retry_at", "cause"];
    let mut at = 0;
    for key in keys {
        let found = first[at..].find(&format!("\"{key}\":")).expect("all keys, in this order");
        at += found;
    }
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(first.as_object().expect("an object").len(), keys.len(), "{first}");
    assert_eq!(timeless(first), state("connecting", 1));
    assert_eq!(timeless(listen.json().await.expect("a line")), state("connected", 0));

    let full = json!({
        "id": "7", "title": "Order 7", "body": "is paid", "priority": "high", "url": "https://shop.example/7"
    });
    server.push_json("ann", &full);
    let line = listen.json().await.expect("flushed, though nothing follows");
    let raw: Value = serde_json::from_str(line["raw"].as_str().expect("text")).expect("as it was sent");
    assert_eq!(raw, full);
    let expected = json!({
        "type": "message", "channel": "127.0.0.1", "id": "7", "title": "Order 7", "body": "is paid",
        "priority": 4, "url": "https://shop.example/7", "raw": line["raw"]
    });
    assert_eq!(timeless(line), expected);

    server.push("ann", "Tee ist fertig \u{1f375}\n第二行");
    let expected = json!({
        "type": "message", "channel": "127.0.0.1", "id": null, "title": "127.0.0.1",
        "body": "Tee ist fertig \u{1f375}\n第二行", "priority": 3, "url": null,
        "raw": "Tee ist fertig \u{1f375}\n第二行"
    });
    assert_eq!(timeless(listen.json().await.expect("a line")), expected);

    server.push_binary("ann", vec![0, 255, 10]);
    let line = listen.json().await.expect("a line");
    assert_eq!(line["raw"], json!({"base64": "AP8K"}));

    server.close("ann", 4321, "lunch break");
    let waiting = listen.json().await.expect("a line");
    let retry_at = waiting["retry_at"].as_str().expect("a time").parse::<jiff::Timestamp>();
    assert!(retry_at.is_ok() && waiting["attempt"] == 1, "{waiting}");
    assert_eq!(
        (&waiting["state"], &waiting["cause"]),
        (&json!("waiting"), &json!("lunch break (4321)")),
        "{waiting}"
    );
    listen.state("connected").await.expect("back by itself");
}

#[tokio::test]
async fn sigint_and_sigterm_end_it_with_0_after_a_close_with_1000() {
    for signal in [Signal::INT, Signal::TERM] {
        let (server, home) = (server().await, home(""));
        let listen = connected(&server, &home).await;
        listen.signal(signal).expect("it runs");
        let ended = listen.ended().await.expect("an end");
        assert_eq!((ended.code, ended.rest.as_str()), (0, ""), "{}", ended.log);
        let closed = |kind: &EventKind| matches!(kind, EventKind::Closed { code: Some(1000), .. });
        server.wait_for(SOON, |event| closed(&event.kind)).await.expect("a close frame");
    }
}

#[tokio::test]
async fn a_signal_ends_it_while_it_waits_and_while_it_dials_too() {
    let nobody = free_address().expect("a free port");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent_address = silent.local_addr().expect("its address");
    for (address, state) in [(nobody, "waiting"), (silent_address, "connecting")] {
        let home = home("");
        let url = format!("ws://{address}/ws");
        let mut listen = home.start(&["listen", "--json", "--url", &url]).expect("it starts");
        listen.state("connecting").await.expect("a dial");
        if state == "waiting" {
            let waiting = listen.state("waiting").await.expect("refused");
            assert_eq!(waiting["cause"], "server not reachable (connection refused)");
        }
        listen.signal(Signal::TERM).expect("it runs");
        assert_eq!(listen.ended().await.expect("an end").code, 0, "while {state}");
    }
}

#[tokio::test]
async fn it_ends_with_4_when_it_is_replaced_having_printed_what_came_before() {
    let (server, home) = (server().await, home(""));
    let older = connected(&server, &home).await;
    server.push("ann", "before");
    let newer = connected(&server, &home).await;
    let ended = older.ended().await.expect("an end");
    assert_eq!(ended.code, 4, "{}", ended.log);
    let lines: Vec<Value> =
        ended.rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [message, replaced] = lines.as_slice() else { panic!("not two lines: {}", ended.rest) };
    assert_eq!(message["body"], "before");
    assert_eq!(timeless(replaced.clone()), state("replaced", 0));
    assert_eq!(server.upgrades(), 2, "it did not come back");
    drop(newer);
}

#[tokio::test]
async fn it_ends_with_5_when_the_server_refuses_the_credentials() {
    for (status, tries) in [(401, 2), (403, 2)] {
        let (server, home) = (server().await, home(""));
        server.refuse_upgrades(Some(Refusal::status(status)));
        let listen = home.start(&["listen", "--json", "--url", &server.url("ann")]).expect("it starts");
        let ended = listen.ended().await.expect("an end");
        assert_eq!(ended.code, 5, "{status}: {}", ended.log);
        let last = ended.rest.lines().last().expect("a line");
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(last["state"], "needs_user");
        assert_eq!(last["cause"], format!("sign-in refused ({status})"));
        assert_eq!(server.upgrades(), tries, "a token may have been renewed: it is asked once more");
    }
}

#[tokio::test]
async fn wrong_arguments_and_settings_end_it_with_2_and_a_word_on_stderr() {
    let channel = |id: &str| format!("[[channel]]\nid = \"{id}\"\nurl = \"wss://{id}.example/ws\"\n");
    let two = format!("{}{}", channel("one"), channel("two"));
    let typo = "[[channel]]\nurl = \"wss://shop.example/ws\"\nheartbet = 1\n";
    let local = "[[channel]]\nurl = \"ws://127.0.0.1:9/ws\"\n";
    let env = format!("{local}token_env = \"NOT_SET\"\n");
    let command = format!("{local}token_command = \"echo never told; exit 3\"\n");
    let cases: [(&[&str], &str, &str); 12] = [
        (&["listen", "--jsno"], "", "unexpected argument '--jsno'"),
        (&["listen", "--json", "--url"], "", "a value is required"),
        (&["listen", "--json", "--url", "ws://127.0.0.1/", "--channel", "one"], &two, "cannot be used with"),
        (&["listen", "--json", "--url", "ftp://127.0.0.1/ws"], "", "--url: "),
        (&["listen", "--json", "--url", "ws://shop.example/ws"], "", "--url: "),
        (&["listen", "--json"], "", "no channel in ~/.config/tidings/config.toml"),
        (&["listen", "--json"], &two, "say which by --channel: one, two"),
        (&["listen", "--json", "--channel", "three"], &two, "no channel is called \"three\""),
        (&["listen", "--json"], typo, "~/.config/tidings/config.toml:3:1: "),
        (&["listen", "--json"], "[[channel]\n", "~/.config/tidings/config.toml:1:"),
        (&["listen", "--json"], &env, "token_env: the variable NOT_SET is not set"),
        (&["listen", "--json"], &command, "token_command failed"),
    ];
    for (arguments, settings, told) in cases {
        let home = home(settings);
        let listen = home.start(arguments).expect("it starts");
        let ended = listen.ended().await.unwrap_or_else(|error| panic!("{arguments:?} {settings}: {error}"));
        assert_eq!(ended.code, 2, "{arguments:?} {settings}: {}", ended.log);
        assert!(ended.log.contains(told), "{arguments:?}: {}", ended.log);
        assert!(!ended.log.contains("never told"), "{}", ended.log);
        only_json(&ended);
    }
}

/// Every line of stdout is a state or a message.
fn only_json(ended: &Ended) {
    for line in ended.rest.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert!(["state", "message"].contains(&line["type"].as_str().expect("a type")), "{line}");
    }
}

#[tokio::test]
async fn logs_go_to_stderr_and_never_to_stdout() {
    let (server, home) = (server().await, home(""));
    let url = server.url("ann");
    let arguments = ["listen", "--json", "--url", &url];
    let mut listen = home.start_with(&arguments, &[("TIDINGS_LOG", "trace")]).expect("it starts");
    listen.state("connected").await.expect("connected");
    server.push("ann", "hello");
    listen.message().await.expect("a message");
    server.drop_links("ann");
    listen.state("waiting").await.expect("noticed");
    listen.signal(Signal::INT).expect("it runs");
    let ended = listen.ended().await.expect("an end");
    only_json(&ended);
    assert!(ended.log.contains(" WARN ") && ended.log.contains("link lost"), "{}", ended.log);
    assert!(!ended.log.contains("hello"), "messages are not for the log: {}", ended.log);
    assert!(!ended.log.contains("user=ann"), "what a query says may be a secret: {}", ended.log);
}

#[tokio::test]
async fn a_reader_that_is_gone_ends_it_quietly() {
    let (server, home) = (server().await, home(""));
    let mut listen = connected(&server, &home).await;
    listen.close_stdout();
    server.push("ann", "for nobody");
    let ended = listen.ended().await.expect("an end");
    assert_eq!((ended.code, ended.log.as_str()), (0, ""));
    let closed = |kind: &EventKind| matches!(kind, EventKind::Closed { code: Some(1000), .. });
    server.wait_for(SOON, |event| closed(&event.kind)).await.expect("a close frame");
}

/// Fills a listener's stdout, which nobody reads, to the brim.
async fn stuffed(server: &Server, home: &Home) -> Program {
    let mut listen = home.start(&["listen", "--json"]).expect("it starts");
    listen.state("connected").await.expect("connected");
    for number in 0..MESSAGES {
        server.push("ann", format!("{number} {}", "x".repeat(8 << 10)));
    }
    listen
}

/// More than fit into a pipe and the queues, less than fills the sockets' buffers.
const MESSAGES: usize = 60;

fn fast_heartbeat(server: &Server) -> String {
    format!(
        "[[channel]]\nurl = \"{}\"\nauth = \"none\"\nheartbeat = {{ interval = \"100ms\" }}\n",
        server.url("ann")
    )
}

#[tokio::test]
async fn a_slow_reader_does_not_stop_the_heartbeat_and_misses_nothing() {
    let server = server().await;
    let home = home(&fast_heartbeat(&server));
    let mut listen = stuffed(&server, &home).await;
    let mark = server.mark();
    let mut beats = 0;
    let ten_beats = |event: &tidings_server::Event| {
        beats += usize::from(event.kind == EventKind::Text("HeartBeat".into()));
        beats == 10
    };
    server.wait_after(mark, SOON, ten_beats).await.expect("the heart beats on");
    for number in 0..MESSAGES {
        let body = listen.message().await.expect("a message")["body"].as_str().expect("text").to_owned();
        assert!(body.starts_with(&format!("{number} ")), "{number} is missing: {body:.20}");
    }
}

#[tokio::test]
async fn a_reader_that_has_stopped_reading_does_not_keep_it_from_ending() {
    let server = server().await;
    let home = home(&fast_heartbeat(&server));
    let listen = stuffed(&server, &home).await;
    let beat = |event: &tidings_server::Event| event.kind == EventKind::Text("HeartBeat".into());
    server.wait_after(server.mark(), SOON, beat).await.expect("the queues are full and the heart beats on");
    listen.signal(Signal::TERM).expect("it runs");
    assert_eq!(listen.exit_code().await.expect("an end"), 0);
    let closed = |kind: &EventKind| matches!(kind, EventKind::Closed { code: Some(1000), .. });
    server.wait_for(SOON, |event| closed(&event.kind)).await.expect("a close frame");
}

#[tokio::test]
async fn it_refuses_a_channel_that_the_agent_holds_and_names_tail() {
    let server = server().await;
    let settings = format!("[[channel]]\nid = \"ann\"\nurl = \"{}\"\nauth = \"none\"\n", server.url("ann"));
    let mut agent = App::with_settings(settings).background().start().await.expect("the agent");
    server.wait_for(SOON, |event| event.kind == EventKind::Opened).await.expect("the agent's link");
    for arguments in [&["listen", "--json"][..], &["listen", "--json", "--channel", "ann"]] {
        let refused = agent.run(arguments).await.expect("an end");
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{}", refused.stderr);
        assert!(refused.stderr.contains("`tidings tail`"), "{}", refused.stderr);
    }
    assert_eq!((server.upgrades(), server.links("ann")), (1, 1), "the agent's link is left alone");

    agent.signal(Signal::TERM).expect("it runs");
    agent.ended_well().await.expect("an end");
    let arguments = ["listen", "--json", "--channel", "ann"];
    let mut listen = Program::start(&agent.home(), &arguments, &[]).expect("it starts");
    listen.state("connected").await.expect("free again");
}

#[tokio::test]
async fn beside_the_agent_it_listens_to_what_all_are_sent() {
    let events = EventSource::start().await.expect("a server");
    let settings = format!("[[channel]]\nid = \"news\"\nkind = \"sse\"\nurl = \"{}\"\n", events.url());
    let agent = App::with_settings(settings).background().start().await.expect("the agent");
    let mut listen = agent.command();
    listen.args(["listen", "--json", "--channel", "news"]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut listen = listen.spawn().expect("it starts");
    let mut lines = BufReader::new(listen.stdout.take().expect("its output")).lines();
    let connected = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if line.contains("\"connected\"") {
                return;
            }
        }
        panic!("it ended");
    };
    timeout(SOON, connected).await.expect("in time");
}

const TOKEN: &str = "s3cret-t0ken";

#[tokio::test]
async fn a_token_reaches_the_server_and_shows_up_nowhere_else() {
    tokio::join!(
        a_token_shows_up_nowhere("token_env = \"ANN_TOKEN\""),
        a_token_shows_up_nowhere("token_file = \"ann.token\""),
        a_token_shows_up_nowhere("token_command = \"cat ~/.config/tidings/ann.token\""),
    );
}

async fn a_token_shows_up_nowhere(source: &str) {
    let tokens = parse_tokens(&format!("ann {TOKEN}")).expect("a token");
    let server = Server::start(Options { tokens, ..Options::default() }).await.expect("a server");
    let url = format!("ws://{}/ws/user-channel", server.addr());
    let home = home(&format!("[[channel]]\nurl = \"{url}\"\n{source}\nbackoff.first = \"200ms\"\n"));
    home.write(".config/tidings/ann.token", &format!("{TOKEN}\n")).expect("the token's file");
    let environment = [("ANN_TOKEN", TOKEN), ("TIDINGS_LOG", "trace"), ("RUST_BACKTRACE", "1")];
    let mut listen = home.start_with(&["listen", "--json"], &environment).expect("it starts");
    let connected = listen.state("connected").await.expect("the token opens");
    let asked = server.wait_for(SOON, |event| matches!(event.kind, EventKind::Requested(_))).await;
    let EventKind::Requested(request) = asked.expect("a request").kind else { panic!("not a request") };
    assert_eq!(request.header("authorization"), Some("Bearer s3cret-t0ken"), "{source}");
    assert!(!request.query.contains(TOKEN));

    // Refused from now on, twice; the log of that is of interest too.
    server.refuse_upgrades(Some(Refusal::status(401)));
    server.drop_links("ann");
    let ended = listen.ended().await.expect("an end");
    assert_eq!(ended.code, 5, "{source}: {}", ended.log);
    assert!(ended.log.contains(" DEBUG "), "nothing was logged: {}", ended.log);
    for written in [&connected.to_string(), &ended.rest, &ended.log] {
        assert!(!written.contains(TOKEN), "{source}: {written}");
        assert!(!written.contains("czNjcmV0"), "in base64, {source}: {written}");
    }
}
