use std::sync::mpsc::{Sender, channel};

use tokio::sync::Semaphore;

use super::*;
use crate::{About, ChannelProfile, Payload};

struct Forward(Sender<Popup>);

impl Notifier for Forward {
    fn show(&mut self, popup: Popup) {
        self.0.send(popup).expect("the test waits for popups");
    }
}

fn unlimited() -> Policy {
    Policy { burst: u32::MAX, keep_days: 36_500, ..Policy::default() }
}

/// Longer than anything here takes; only a failing test waits it out.
const DEADLINE: Duration = Duration::from_secs(20);

struct Rig {
    folder: tempfile::TempDir,
    commands: Sender<Command>,
    popups: Receiver<Popup>,
    events: broadcast::Receiver<Event>,
    room: Arc<Semaphore>,
    channel: Arc<ChannelProfile>,
}

impl Rig {
    fn new(retry: Duration) -> Self {
        Self::with(retry, unlimited(), Box::new(Now::read))
    }

    fn with(retry: Duration, policy: Policy, clock: Box<dyn Fn() -> Now + Send>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (commands, queue) = channel();
        let (show, popups) = channel();
        let (publish, events) = broadcast::channel(8_192);
        let unread = watch::channel(Unread::default()).0;
        let dropped = watch::channel(BTreeMap::new()).0;
        let path = folder.path().join("inbox.db");
        let (mut writer, notices) = Writer::open(
            &path,
            policy,
            Box::new(Forward(show)),
            unread,
            dropped,
            publish,
            watch::channel(()).0,
        );
        writer.clock = clock;
        assert_eq!(notices, []);
        writer.retry = retry;
        std::thread::spawn(move || writer.run(&queue));
        let channel = Arc::new(ChannelProfile::new("orders", "Orders"));
        Self { folder, commands, popups, events, room: Arc::new(Semaphore::new(10_000)), channel }
    }

    fn receive(&self, text: &str) -> Popup {
        let channel = Arc::clone(&self.channel);
        let arrival = Arrival {
            channel,
            payload: Payload::Text(text.into()),
            about: About::default(),
            received_at: Timestamp::UNIX_EPOCH,
            catch_up: false,
            receipt: None,
        };
        let room = Arc::clone(&self.room).try_acquire_owned().expect("room");
        self.commands.send(Command::Arrive(arrival, room)).expect("the writer lives");
        self.popups.recv_timeout(DEADLINE).expect("it is shown, whatever the disk does")
    }

    fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
        let (reply, answer) = oneshot::channel();
        self.commands.send(question(reply)).expect("the writer lives");
        answer.blocking_recv().expect("an answer")
    }

    fn meddle(&self, meddle: impl FnOnce(&mut Writer) + Send + 'static) {
        self.commands.send(Command::Meddle(Box::new(meddle))).expect("the writer lives");
    }

    /// No page more than the file has now; or as many as it likes.
    fn disk_is_full(&self, full: bool) {
        let pages = if full { 1 } else { 1_000_000 };
        self.meddle(move |writer| {
            let database = writer.database.as_ref().expect("a file");
            let set = |_: &rusqlite::Row<'_>| Ok(());
            let pragma = format!("PRAGMA max_page_count = {pages}");
            database.connection.query_row(&pragma, [], set).expect("a limit");
        });
    }

    fn notice(&mut self) -> String {
        loop {
            if let Event::Notice(notice) = self.events.blocking_recv().expect("an event") {
                return notice.to_string();
            }
        }
    }

    fn stored(&self) -> Vec<String> {
        let file = rusqlite::Connection::open(self.folder.path().join("inbox.db")).expect("it opens");
        let mut rows = file.prepare("SELECT title FROM message ORDER BY row").expect("a statement");
        let titles = rows.query_map([], |row| row.get(0)).expect("rows").map(|title| title.expect("a title"));
        titles.collect()
    }
}

/// Needs pages of its own, so that it can't fit into a full file.
fn large(title: &str) -> String {
    format!(r#"{{"id": "{title}", "title": "{title}", "body": "{}"}}"#, "x".repeat(20_000))
}

#[test]
fn on_a_full_disk_messages_are_shown_and_are_written_with_the_next_once_there_is_room() {
    let mut rig = Rig::new(DEADLINE);
    let first = rig.receive(&large("a"));
    rig.disk_is_full(true);
    for title in ["b", "c"] {
        rig.receive(&large(title));
    }
    rig.commands.send(Command::Shown(first.rows())).expect("the writer lives");
    assert!(rig.notice().contains("can't be written"));
    let recent = rig.ask(|reply| Command::Find(Query::newest(9), reply));
    let titles: Vec<&str> = recent.iter().map(|message| message.title.as_str()).collect();
    assert_eq!(titles, ["c", "b", "a"], "what waits is there for the window");
    assert_eq!(rig.stored(), ["a"]);

    rig.disk_is_full(false);
    rig.receive(&large("d"));
    assert!(rig.notice().contains("can be written again; the 3 messages"));
    assert_eq!(rig.stored(), ["a", "b", "c", "d"]);
}

#[test]
fn on_a_full_disk_the_file_is_tried_again_by_itself() {
    let mut rig = Rig::new(Duration::from_millis(1));
    rig.disk_is_full(true);
    rig.receive(&large("a"));
    assert!(rig.notice().contains("can't be written"));
    rig.disk_is_full(false);
    assert!(rig.notice().contains("can be written again; the 1 messages"));
    assert_eq!(rig.stored(), ["a"]);
}

#[test]
fn on_a_full_disk_a_repetition_is_still_known() {
    let rig = Rig::new(DEADLINE);
    rig.receive(&large("a"));
    rig.disk_is_full(true);
    rig.receive(&large("b"));
    for title in ["a", "b"] {
        let channel = Arc::clone(&rig.channel);
        let payload = Payload::Text(large(title));
        let arrival = Arrival {
            channel,
            payload,
            about: About::default(),
            received_at: Timestamp::UNIX_EPOCH,
            catch_up: true,
            receipt: None,
        };
        let room = Arc::clone(&rig.room).try_acquire_owned().expect("room");
        rig.commands.send(Command::Arrive(arrival, room)).expect("the writer lives");
    }
    assert_eq!(rig.ask(|reply| Command::Find(Query::newest(9), reply)).len(), 2);
    assert!(rig.popups.try_recv().is_err());
}

#[test]
fn on_a_full_disk_the_last_thousand_wait_and_what_was_shown_is_known_as_shown() {
    let mut rig = Rig::new(DEADLINE);
    rig.disk_is_full(true);
    for n in 0..1_002 {
        let popup = rig.receive(&large(&n.to_string()));
        rig.commands.send(Command::Shown(popup.rows())).expect("the writer lives");
    }
    assert!(rig.notice().contains("can't be written"));
    assert!(rig.notice().contains("given up"));
    rig.disk_is_full(false);
    rig.receive(&large("last"));
    let stored = rig.stored();
    assert_eq!(stored.len(), 1_001);
    assert_eq!((stored[0].as_str(), stored[1_000].as_str()), ("2", "last"));
    rig.commands.send(Command::ShowPending).expect("the writer lives");
    rig.ask(Command::Close);
    assert!(rig.popups.try_recv().is_err());
}

#[test]
fn what_waits_for_room_on_the_disk_is_found_like_the_rest() {
    let rig = Rig::new(DEADLINE);
    rig.receive("apples 苹果");
    rig.disk_is_full(true);
    rig.receive(&large("more apples"));
    rig.receive(&large("红苹果"));
    let found = |text: &str, before: Option<RowId>, limit| {
        let found = rig.ask(|reply| {
            Command::Find(Query { search: Some(text.into()), before, ..Query::newest(limit) }, reply)
        });
        found.iter().map(|message| message.row.0).collect::<Vec<_>>()
    };
    assert_eq!(found("apple", None, 9), [2, 1]);
    assert_eq!(found("果", None, 9), [3, 1]);
    assert_eq!(found("苹果", None, 1), [3]);
    assert_eq!(found("苹果", Some(RowId(3)), 9), [1]);
    assert!(found("pears", None, 9).is_empty());
    rig.disk_is_full(false);
    rig.receive("pears");
    assert_eq!(found("apple", None, 9), [2, 1]);
}
