//! A new link before the old one ends (N1), over in-memory streams and in paused time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::rig::{Rig, Server, close, close_code, config, next, secs};
use super::*;
use crate::Payload;
use crate::machine::talk_tests::dialogue;

/// An upgrade that the server has read and not answered yet.
struct Asked {
    stream: DuplexStream,
    key: String,
}

impl Asked {
    async fn answer(mut self) -> Server {
        let accept = derive_accept_key(self.key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.stream.write_all(head.as_bytes()).await.expect("sent");
        WebSocketStream::from_raw_socket(self.stream, Role::Server, None).await
    }
}

impl Rig {
    async fn asked(&mut self) -> Asked {
        let mut stream = self.dialled().await;
        let mut request = [0; 4096];
        let read = stream.read(&mut request).await.expect("a request");
        let request = String::from_utf8_lossy(&request[..read]).into_owned();
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        Asked { stream, key: key.to_owned() }
    }

    /// A link that stands since a while.
    async fn up(config: Config) -> (Self, Server) {
        let mut rig = Self::renewing(config);
        let server = rig.accept().await;
        // Until it is known whether it answers pings.
        tokio::time::sleep(secs(20)).await;
        rig.status.mark_unchanged();
        (rig, server)
    }

    async fn renew(&mut self) -> Asked {
        self.channel.command(Command::Renew);
        self.asked().await
    }

    /// The texts of the next frames.
    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let frame = tokio::time::timeout(secs(5), self.frames.recv()).await;
            let Payload::Text(text) = frame.expect("nothing is lost").expect("a frame").payload else {
                panic!("text")
            };
            texts.push(text);
        }
        texts
    }

    /// The state, and the link's number.
    fn shown(&self) -> (State, u64) {
        let status = self.status.borrow();
        (status.state.clone(), status.generation)
    }

    async fn links_closed(&mut self, count: u64) {
        let seen = self.status.wait_for(|status| status.links_closed == count);
        tokio::time::timeout(secs(5), seen).await.expect("in time").expect("the channel runs");
    }

    /// Notes each state that a watcher of the status can see.
    fn watch(&self) -> JoinHandle<Vec<State>> {
        let mut status = self.channel.status();
        tokio::spawn(async move {
            let mut seen = vec![status.borrow_and_update().state.clone()];
            while status.changed().await.is_ok() {
                seen.push(status.borrow_and_update().state.clone());
            }
            seen.dedup();
            seen
        })
    }
}

async fn say(server: &mut Server, text: impl ToString) {
    server.send(Message::text(text.to_string())).await.expect("sent");
}

/// The code of the close frame that comes, which is answered.
async fn goodbye(server: &mut Server) -> Option<u16> {
    let code = close_code(next(server).await);
    assert_eq!(next(server).await, None);
    code
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_the_older_link_for_the_new_one_makes_no_break() {
    for answers_first in [true, false] {
        for _ in 0..10 {
            let (mut rig, mut old) = Rig::up(config()).await;
            let (since, _) = rig.shown();
            let seen = rig.watch();
            let asked = rig.renew().await;
            say(&mut old, "the last of the old").await;
            let mut new = if answers_first {
                let new = asked.answer().await;
                old.send(close(4500)).await.expect("sent");
                new
            } else {
                old.send(close(4500)).await.expect("sent");
                assert_eq!(close_code(next(&mut old).await), Some(4500), "it is answered at once");
                asked.answer().await
            };
            say(&mut new, "the first of the new").await;
            assert_eq!(rig.texts(2).await, ["the last of the old", "the first of the new"]);
            rig.links_closed(1).await;
            tokio::time::sleep(secs(30)).await;
            assert_eq!(rig.shown(), (since.clone(), 2));
            assert_eq!(rig.status.borrow().links_opened, 2);
            // The next one is another instance's.
            new.send(close(4500)).await.expect("sent");
            rig.state("replaced").await;
            drop(rig);
            let seen = seen.await.expect("no panic");
            assert!(matches!(seen[..], [State::Connected { .. }, State::Replaced { .. }]), "{seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_both_links_hears_goodbye_and_nothing_it_sent_is_lost_or_told_twice() {
    let (mut rig, mut old) = Rig::up(config()).await;
    let (since, _) = rig.shown();
    let asked = rig.renew().await;
    for n in 0..5 {
        say(&mut old, n).await;
    }
    let mut new = asked.answer().await;
    // To each link the same, until it hears of the old one's end.
    for n in 5..50 {
        say(&mut old, n).await;
        say(&mut new, n).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = rig.texts(50).await;
    assert_eq!(told, (0..50).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(goodbye(&mut old).await, Some(1000));
    rig.links_closed(1).await;
    say(&mut new, "alone").await;
    assert_eq!(rig.texts(1).await, ["alone"]);
    assert_eq!(rig.shown(), (since, 2));
    assert_eq!(rig.alive.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_over_the_old_link_alone_is_heard_to_its_last_word_though_the_owner_is_slow() {
    for slow in [false, true] {
        let (mut rig, mut old) = Rig::up(config()).await;
        let new = rig.renew().await.answer().await;
        rig.status.wait_for(|status| status.generation == 2).await.expect("the channel runs");
        let sending = tokio::spawn(async move {
            for n in 0..300 {
                say(&mut old, n).await;
            }
            assert_eq!(goodbye(&mut old).await, Some(1000));
        });
        if slow {
            tokio::time::sleep(secs(20)).await;
        }
        let told = rig.texts(300).await;
        assert_eq!(told, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
        sending.await.expect("the goodbye is heard");
        rig.links_closed(1).await;
        drop(new);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_link_that_never_says_goodbye_is_gone_within_a_second() {
    let (mut rig, _old) = Rig::up(config()).await;
    let mut new = rig.renew().await.answer().await;
    rig.status.wait_for(|status| status.generation == 2).await.expect("the channel runs");
    let opened = Instant::now();
    rig.links_closed(1).await;
    assert!(opened.elapsed() <= secs(1), "{:?}", opened.elapsed());
    assert_eq!(rig.alive.load(Ordering::SeqCst), 1);
    say(&mut new, "news").await;
    assert_eq!(rig.texts(1).await, ["news"]);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_is_nobodys_business() {
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 401 \r\n\r\n",
        b"HTTP/1.1 503 \r\nRetry-After: 9\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"",
    ];
    for answer in answers {
        let (mut rig, mut old) = Rig::up(config()).await;
        let before = rig.status.borrow().clone();
        let mut asked = rig.renew().await;
        if answer.is_empty() {
            // It is given up.
            let read = tokio::time::timeout(secs(90), asked.stream.read(&mut [0; 16])).await;
            assert!(matches!(read, Ok(Ok(0))), "{read:?}");
        } else {
            asked.stream.write_all(answer).await.expect("sent");
            drop(asked);
        }
        say(&mut old, "news").await;
        assert_eq!(rig.texts(1).await, ["news"]);
        let now = rig.status.borrow().clone();
        assert_eq!(Status { rtt: before.rtt, last_inbound: before.last_inbound, ..now }, before);
        assert!(!rig.status.has_changed().expect("the channel runs"), "nobody was woken");
        assert_eq!(rig.alive.load(Ordering::SeqCst), 1);
        // It can be asked for again.
        let new = rig.renew().await.answer().await;
        rig.links_closed(1).await;
        drop(new);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_renewal_whose_upgrade_ended_the_old_link_is_dialled_as_any_other() {
    let (mut rig, mut old) = Rig::up(config()).await;
    let mut asked = rig.renew().await;
    old.send(close(4500)).await.expect("sent");
    assert_eq!(close_code(next(&mut old).await), Some(4500));
    asked.stream.write_all(b"HTTP/1.1 503 \r\n\r\n").await.expect("sent");
    drop(asked);
    rig.state("waiting").await;
    rig.accept().await;
}

#[tokio::test(start_paused = true)]
async fn where_the_server_has_a_say_first_the_old_link_is_kept_until_it_has_had_it() {
    let dialogue = || Config { dialect: dialogue(), ..config() };
    let up = || async {
        let mut rig = Rig::renewing(dialogue());
        let mut old = rig.asked().await.answer().await;
        say(&mut old, "up").await;
        rig.state("connected").await;
        tokio::time::sleep(secs(10)).await;
        (rig, old)
    };
    let (mut rig, mut old) = up().await;
    let since = rig.shown().0;
    let mut new = rig.renew().await.answer().await;
    say(&mut new, "ok").await;
    assert_eq!(next(&mut new).await, Some(Message::text("subscribe")));
    say(&mut old, r#"{"m":"over the old"}"#).await;
    assert_eq!(rig.texts(1).await, ["over the old"]);
    tokio::time::sleep(secs(10)).await;
    assert_eq!(rig.shown(), (since.clone(), 1));
    say(&mut new, "up").await;
    say(&mut new, r#"{"m":"over the new"}"#).await;
    assert_eq!(goodbye(&mut old).await, Some(1000));
    assert_eq!(rig.texts(1).await, ["over the new"]);
    assert_eq!(rig.shown(), (since, 2));
    rig.links_closed(1).await;
    // Who never says it is left.
    let mut third = rig.renew().await.answer().await;
    while third.next().await.is_some_and(|message| message.is_ok()) {}
    say(&mut new, r#"{"m":"still there"}"#).await;
    assert_eq!(rig.texts(1).await, ["still there"]);
    let status = rig.status.borrow().clone();
    assert_eq!((status.generation, status.links_opened, status.links_closed), (2, 3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_many_messages_loses_none_where_the_owner_is_slow() {
    let mut rig = Rig::renewing(Config { dialect: dialogue(), ..config() });
    let mut server = rig.asked().await.answer().await;
    say(&mut server, "up").await;
    rig.state("connected").await;
    let numbers = (0..100).map(|n| n.to_string()).collect::<Vec<_>>();
    say(&mut server, format!(r#"{{"m":[{}]}}"#, numbers.join(","))).await;
    say(&mut server, r#"{"m":"behind it"}"#).await;
    tokio::time::sleep(secs(10)).await;
    assert_eq!(rig.texts(100).await, numbers);
    assert_eq!(rig.texts(1).await, ["behind it"]);
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_renewals_leave_nothing_behind() {
    let (mut rig, mut old) = Rig::up(config()).await;
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (mut opened, mut closed) = (1, 0);
    for round in 0..300 {
        tokio::time::sleep(secs(2)).await;
        let mut asked = rig.renew().await;
        match round % 6 {
            0 => {
                asked.stream.write_all(b"HTTP/1.1 401 \r\n\r\n").await.expect("sent");
                continue;
            }
            // It is ended before it is open, or is opened and ended.
            1 => {
                drop(asked);
                continue;
            }
            2 => old.send(close(4500)).await.expect("sent"),
            3 => old.send(close(1008)).await.expect("sent"),
            _ => {}
        }
        let new = asked.answer().await;
        let mut old = std::mem::replace(&mut old, new);
        if round % 6 == 4 {
            assert_eq!(goodbye(&mut old).await, Some(1000));
        }
        opened += 1;
        closed += 1;
        rig.links_closed(closed).await;
    }
    let status = rig.state("connected").await;
    assert_eq!((status.links_opened, status.links_closed), (opened, closed));
    assert_eq!(rig.alive.load(Ordering::SeqCst), 1);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), tasks);
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_link_any_more_has_none_however_far_the_next_is() {
    for shuts_down in [true, false] {
        for stage in 0..3 {
            let (mut rig, mut old) = Rig::up(config()).await;
            let asked = rig.renew().await;
            let (mut stream, mut new) = match stage {
                0 => (Some(asked.stream), None),
                _ => (None, Some(asked.answer().await)),
            };
            if stage == 2 {
                rig.links_closed(0).await;
                rig.status.wait_for(|status| status.generation == 2).await.expect("the channel runs");
            }
            let alive = rig.alive.clone();
            if shuts_down {
                rig.channel.command(Command::ShutDown);
            } else {
                rig.channel.command(Command::Disconnect);
            }
            let asked_at = Instant::now();
            // Neither says anything.
            while alive.load(Ordering::SeqCst) > 0 {
                assert!(asked_at.elapsed() <= secs(3), "something is left");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if let Some(stream) = &mut stream {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.expect("its end");
            }
            if let Some(new) = &mut new {
                while new.next().await.is_some_and(|message| message.is_ok()) {}
            }
            while old.next().await.is_some_and(|message| message.is_ok()) {}
            let status = rig.status.borrow().clone();
            assert_eq!(status.links_opened, status.links_closed);
        }
    }
}
