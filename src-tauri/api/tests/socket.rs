//! The local socket: what a client may rely on, and what a bad one can't do.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidings_api::client::{ANSWER, Client, ClientError};
use tidings_api::socket::{self, Handler};
use tidings_api::{ErrorCode, Event, Examine, Refusal, Reply, Request, Secret, StatusReport, Step, Values};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

/// Tells an empty status; a subscriber gets as many snapshots as it reads.
#[derive(Clone)]
struct Agent;

fn status() -> StatusReport {
    StatusReport {
        version: tidings_api::VERSION.to_owned(),
        language: "en".to_owned(),
        theme: "auto".to_owned(),
        paused_until: None,
        unread: 7,
        notices: Vec::new(),
        channels: Vec::new(),
    }
}

impl Handler for Agent {
    async fn handle(&self, request: Request) -> Reply {
        match request {
            Request::Status | Request::Subscribe { .. } => Reply::Status(status()),
            Request::Raise { .. } | Request::Join { .. } | Request::Quit => {
                Reply::Done { channels: Vec::new() }
            }
            // Its site takes its time.
            Request::SignOut { channel } => {
                tokio::time::sleep(2 * ANSWER).await;
                Reply::Done { channels: vec![channel] }
            }
            Request::Act { .. }
            | Request::CredentialChanged { .. }
            | Request::History(_)
            | Request::OpenLink { .. }
            | Request::RunAction { .. }
            | Request::OpenFile { .. }
            | Request::MarkRead { .. }
            | Request::Pause { .. }
            | Request::MarkAllRead { .. }
            | Request::Delete { .. }
            | Request::Settings
            | Request::EditSettings { .. }
            | Request::SetSecret { .. }
            | Request::Test { .. }
            | Request::Preview { .. }
            | Request::Discover { .. }
            | Request::Send(_)
            | Request::Examine(_)
            | Request::Health { .. }
            | Request::SignIn { .. }
            | Request::SignInByCode { .. }
            | Request::SignInEnded { .. }
            | Request::SignInPage { .. }
            | Request::SignedIn { .. }
            | Request::Picture { .. }
            | Request::StartDemo
            | Request::EndDemo
            | Request::Diagnostics => {
                Reply::Refused(Refusal::new(ErrorCode::UnknownChannel, "no such channel"))
            }
        }
    }

    fn subscribe(&self, window: bool) -> Result<mpsc::Receiver<Event>, Refusal> {
        if window {
            return Err(Refusal::new(ErrorCode::WindowOpen, "there is one"));
        }
        let (events, receiver) = mpsc::channel(1);
        tokio::spawn(async move { while events.send(Event::Snapshot(status())).await.is_ok() {} });
        Ok(receiver)
    }

    /// One step for each value, which tells the value's key.
    async fn test(
        &self,
        _: Option<String>,
        values: Values,
        _: Option<Secret>,
    ) -> Result<mpsc::Receiver<Step>, Refusal> {
        let (steps, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for (step, _) in values {
                let step = Step { step, ok: Some(true), ms: None, detail: String::new(), mend: None };
                if steps.send(step).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }

    async fn examine(&self, _: Examine) -> Result<mpsc::Receiver<Step>, Refusal> {
        Err(Refusal::new(ErrorCode::UnknownChannel, "no such channel"))
    }
}

/// The folder must outlive the socket in it.
fn serve() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("agent.sock");
    let listener = socket::bind(&path).expect("a socket in it");
    let served = path.clone();
    tokio::spawn(async move { socket::serve(listener, &served, Agent).await });
    (folder, path)
}

async fn answer_to(path: &Path, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.expect("the served socket");
    // A line that is too long is refused before it is read to its end.
    let _ = stream.write_all(line).await;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn one_connection_carries_several_requests() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.unwrap();
    assert_eq!(client.ask(&Request::Status).await.unwrap(), Reply::Status(status()));
    let raise = Request::Raise { activation_token: None, add: None };
    assert_eq!(client.ask(&raise).await.unwrap(), Reply::Done { channels: Vec::new() });
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_as_an_error_with_its_code() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.unwrap();
    let act = Request::Act { action: tidings_api::Action::Connect, channel: Some("x".to_owned()) };
    let error = client.ask(&act).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Refused(Refusal { code: ErrorCode::UnknownChannel, .. })),
        "{error}"
    );
}

#[tokio::test]
async fn a_subscription_goes_on_until_the_subscriber_leaves() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.unwrap();
    let subscribe = Request::Subscribe { window: false };
    assert_eq!(client.ask(&subscribe).await.unwrap(), Reply::Event(Event::Snapshot(status())));
    for _ in 0..100 {
        assert_eq!(client.event().await.unwrap(), Event::Snapshot(status()));
    }
}

#[tokio::test]
async fn a_second_window_is_refused() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.unwrap();
    let error = client.ask(&Request::Subscribe { window: true }).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(Refusal { code: ErrorCode::WindowOpen, .. })), "{error}");
}

#[tokio::test]
async fn only_the_owner_can_open_the_socket() {
    let (_folder, path) = serve();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_nobody_there_is_told_as_not_running() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    assert!(matches!(Client::connect(&path).await.unwrap_err(), ClientError::NotRunning));
    drop(socket::bind(&path).unwrap());
    assert!(matches!(Client::connect(&path).await.unwrap_err(), ClientError::NotRunning));
    socket::bind(&path).unwrap();
}

#[tokio::test]
async fn a_folder_however_deep_holds_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let deep = (0..10).fold(folder.path().to_owned(), |folder, _| folder.join("x".repeat(100)));
    let path = deep.join("agent.sock");
    assert!(matches!(Client::connect(&path).await.unwrap_err(), ClientError::NotRunning));
    std::fs::create_dir_all(&deep).unwrap();
    assert!(matches!(Client::connect(&path).await.unwrap_err(), ClientError::NotRunning));
    for _ in 0..2 {
        let listener = socket::bind(&path).expect("a socket in it, over an old one too");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let served = path.clone();
        let serving = tokio::spawn(async move { socket::serve(listener, &served, Agent).await });
        let mut client = Client::connect(&path).await.expect("the served socket");
        assert!(matches!(client.ask(&Request::Status).await, Ok(Reply::Status(_))));
        serving.abort();
    }
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_refused_with_its_reason() {
    let path = Path::new("/tmp").join("x".repeat(200));
    let error = socket::bind(&path).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn another_version_of_the_protocol_is_told_so() {
    let (_folder, path) = serve();
    for protocol in ["0", "999", "4294967295"] {
        let line =
            format!("{{\"protocol\":{protocol},\"version\":\"9.9.9\",\"body\":{{\"ask\":\"sing\"}}}}\n");
        let answer = answer_to(&path, line.as_bytes()).await;
        assert!(answer.contains("other_version") && answer.contains("9.9.9"), "{answer}");
    }
    for protocol in ["-1", "4294967296", "\"1\"", "null"] {
        let line =
            format!("{{\"protocol\":{protocol},\"version\":\"9.9.9\",\"body\":{{\"ask\":\"status\"}}}}\n");
        let answer = answer_to(&path, line.as_bytes()).await;
        assert!(answer.contains("bad_request"), "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_connection_goes_on() {
    let (_folder, path) = serve();
    let mut stream = BufReader::new(UnixStream::connect(&path).await.unwrap());
    for nonsense in
        ["\n", "{\"protocol\":1,\"version\":\"1\",\"body\":{\"ask\":\"sing\"}}\n", "\u{0}\n", "[[[[\n"]
    {
        stream.write_all(nonsense.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).await.unwrap();
        assert!(answer.contains("bad_request"), "{nonsense:?}: {answer}");
    }
}

#[tokio::test]
async fn an_endless_line_is_refused_without_being_kept() {
    let (_folder, path) = serve();
    let answer = answer_to(&path, &vec![b'x'; 8 * 1024 * 1024]).await;
    assert!(answer.contains("bad_request"), "{answer}");
}

#[tokio::test]
async fn too_many_connections_are_refused_and_room_is_made_when_some_leave() {
    let (_folder, path) = serve();
    let mut held = Vec::new();
    loop {
        let mut client = Client::connect(&path).await.unwrap();
        match client.ask(&Request::Status).await {
            Ok(_) => held.push(client),
            Err(ClientError::Refused(refusal)) => {
                assert_eq!(refusal.code, ErrorCode::Busy);
                break;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(held.len() < 1000, "connections are not bounded");
    }
    let before = held.len();
    held.clear();
    let mut again = Vec::new();
    while again.len() < before {
        let mut client = Client::connect(&path).await.unwrap();
        if client.ask(&Request::Status).await.is_ok() {
            again.push(client);
        }
    }
}

#[tokio::test]
async fn half_a_request_is_forgotten_with_who_sent_it() {
    let (_folder, path) = serve();
    // More often than there are places.
    for _ in 0..100 {
        let mut half = UnixStream::connect(&path).await.expect("the served socket");
        half.write_all(b"{\"protocol\":1,\"ver").await.expect("a place");
        half.shutdown().await.expect("said all");
        assert_eq!(half.read(&mut [0; 1]).await.expect("the end"), 0);
    }
    let mut client = Client::connect(&path).await.expect("the agent");
    client.ask(&Request::Status).await.expect("answered");
}

/// Silent ones that take all places there are.
async fn silent(path: &Path) -> Vec<UnixStream> {
    let mut silent = Vec::new();
    for _ in 0..100 {
        let mut one = UnixStream::connect(path).await.expect("the served socket");
        // Half a word, or none at all.
        one.write_all(if silent.len() % 2 == 0 { b"{" } else { b"" }).await.expect("connected");
        silent.push(one);
    }
    let refused = Client::connect(path).await.expect("the agent").ask(&Request::Status).await;
    let Err(ClientError::Refused(refusal)) = refused else { panic!("not bounded: {refused:?}") };
    assert_eq!(refusal.code, ErrorCode::Busy);
    silent
}

#[tokio::test(start_paused = true)]
async fn who_connects_and_asks_nothing_makes_room_for_others() {
    let (_folder, path) = serve();
    let mut asked = Client::connect(&path).await.expect("the agent");
    asked.ask(&Request::Status).await.expect("answered");
    let silent = silent(&path).await;
    for mut one in silent {
        // Its end comes by itself, after what a refused one was told.
        let end = tokio::time::timeout(Duration::from_secs(60), one.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "it is held for ever");
    }
    let mut client = Client::connect(&path).await.expect("the agent");
    client.ask(&Request::Status).await.expect("answered");
    // Who has asked may think for as long as it likes.
    tokio::time::advance(Duration::from_secs(3600)).await;
    asked.ask(&Request::Status).await.expect("answered");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_reads_nothing_is_let_go() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.expect("the agent");
    client.ask(&Request::Subscribe { window: false }).await.expect("a first event");
    // All that its end of the socket holds comes before the end.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut told = 0;
    while client.event().await.is_ok() {
        told += 1;
        assert!(told < 100_000, "it is told for ever");
    }
}

#[tokio::test]
async fn the_end_of_the_agent_ends_every_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    let listener = socket::bind(&path).unwrap();
    let served = path.clone();
    let agent = tokio::spawn(async move { socket::serve(listener, &served, Agent).await });
    let mut client = Client::connect(&path).await.unwrap();
    client.ask(&Request::Status).await.unwrap();
    let mut silent = UnixStream::connect(&path).await.unwrap();
    client.ask(&Request::Status).await.unwrap();
    agent.abort();
    assert!(matches!(client.ask(&Request::Status).await.unwrap_err(), ClientError::Broken(_)));
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_trial_tells_each_step_and_then_its_end() {
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.expect("the agent");
    let values = Values::from_iter([("name".to_owned(), 1.into()), ("tcp".to_owned(), 2.into())]);
    let request = Request::Test { channel: None, values, secret: Some(Secret("s3cret".to_owned())) };
    assert!(!format!("{request:?}").contains("s3cret"), "a secret is never told, not even for debugging");
    let mut told = vec![client.ask(&request).await.expect("a first step")];
    for _ in 0..2 {
        told.push(client.step().await.expect("the next"));
    }
    let step = |step: &str| {
        Reply::Step(Step {
            step: step.to_owned(),
            ok: Some(true),
            ms: None,
            detail: String::new(),
            mend: None,
        })
    };
    assert_eq!(told, [step("name"), step("tcp"), Reply::Done { channels: Vec::new() }]);
    // The connection is good for more.
    assert!(matches!(client.ask(&Request::Status).await, Ok(Reply::Status(_))));
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_others_is_waited_for_and_an_agent_that_says_nothing_is_not() {
    let sign_out = Request::SignOut { channel: "orders".to_owned() };
    let (_folder, path) = serve();
    let mut client = Client::connect(&path).await.expect("the agent");
    let asked = tokio::time::Instant::now();
    let done = client.ask_in_time(&sign_out).await.expect("an answer");
    assert_eq!(done, Reply::Done { channels: vec!["orders".to_owned()] });
    assert!(asked.elapsed() >= 2 * ANSWER);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    let _silent = socket::bind(&path).expect("a socket in it");
    let mut client = Client::connect(&path).await.expect("somebody");
    let asked = tokio::time::Instant::now();
    let refused = client.ask_in_time(&sign_out).await.expect_err("nobody answers");
    assert!(matches!(refused, ClientError::Silent) && asked.elapsed() < 2 * ANSWER, "{refused:?}");
}
