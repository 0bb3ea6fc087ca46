//! A popup waits for what it is to show, and for nothing else.

use std::path::Path;

use tidings_desktop::popup::{Popups, Queue};
use tidings_inbox::{ChannelProfile, Payload, Policy, Reads};

use super::*;

/// A message of this text on this channel, as Gotify's are read where it says so by its name.
pub(super) fn message(channel: &str, text: &str, row: i64) -> Arc<Message> {
    let reads = if channel == "gotify" { Reads::Gotify } else { Reads::Usual };
    let profile = ChannelProfile { reads, ..ChannelProfile::new(channel, channel) };
    let at = "2026-11-30T12:00:00Z".parse().expect("a time");
    let decoded = tidings_inbox::decode(&profile, Payload::Text(text.to_owned()), at);
    let message = decoded.messages.into_iter().next().expect("a message");
    Arc::new(Message { row: RowId(row), ..message })
}

/// What stands between the inbox and the notification service; nothing is ever fetched.
struct Desk {
    pictures: Pictures,
    before: Before,
    queue: Queue,
    folder: tempfile::TempDir,
}

impl Desk {
    fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (popups, _answers, queue) = Popups::new();
        let (pictures, before) = Pictures::new(folder.path().join("pictures"), popups);
        let desk = Self { pictures, before, queue, folder };
        desk.take_up(settings);
        desk
    }

    fn take_up(&self, settings: &str) {
        let settings = tidings_settings::parse(settings.as_bytes(), Path::new("/c.toml"));
        for channel in settings.expect("good settings").channels {
            let config = channel.config().expect("a way");
            self.pictures.start(&channel, config, watch::channel(DialParams::default()).1, None);
        }
    }

    /// The Gotify server told its applications.
    fn lists(&self, told: &str) {
        let server = lock(&self.pictures.0.sources).get("gotify").and_then(Source::server);
        lock(&self.pictures.0.apps).take("gotify", server.expect("a server"), told.as_bytes());
    }

    /// Whether its popup goes out at once.
    fn shows_at_once(&mut self, message: &Arc<Message>) -> bool {
        self.before.show(Popup::Message(message.clone()));
        self.queue.popups.try_recv().is_ok()
    }

    /// It is on the shelf.
    fn has(&self, name: &Name) {
        self.pictures.shelf().put(&mut self.pictures.shelf().look(), name, b"png").expect("kept");
    }
}

const NAMES: &str = r#"{"title": "t", "image": "/i.png", "icon": "/icon.png"}"#;

fn shop(more: &str) -> String {
    format!("[[channel]]\nid = \"shop\"\nurl = \"wss://shop.example/ws\"\nimages = \"own-server\"\n{more}")
}

fn gotify(host: &str) -> String {
    format!("[[channel]]\nid = \"gotify\"\nkind = \"gotify\"\nurl = \"https://{host}/push\"\n")
}

#[test]
fn a_popup_waits_for_its_picture_unless_it_shows_none() {
    let message = message("shop", NAMES, 1);
    assert!(!Desk::with(&shop("")).shows_at_once(&message));
    for show in ["title", "nothing"] {
        let mut desk = Desk::with(&shop(&format!("show = \"{show}\"\n")));
        assert!(desk.shows_at_once(&message), "{show}");
        assert!(lock(&desk.pictures.0.work).is_under_way(&Name::of_message(&message)), "the inbox shows it");
    }
}

#[test]
fn a_popup_waits_for_nothing_that_is_here_or_could_not_be_had() {
    let first = message("shop", NAMES, 1);
    let (picture, icon) = (Name::of_message(&first), Name::of_icon(&first).expect("an icon"));
    let mut desk = Desk::with(&shop(""));
    desk.has(&picture);
    assert!(desk.shows_at_once(&first), "no icon is shown beside the picture");

    let mut desk = Desk::with(&shop(""));
    desk.has(&icon);
    lock(&desk.pictures.0.work).end(&picture, true);
    assert!(desk.shows_at_once(&first), "the icon is here, and the picture could not be had");

    // As when it comes out of do not disturb.
    let mut desk = Desk::with(&shop(""));
    for name in [&picture, &icon] {
        lock(&desk.pictures.0.work).end(name, true);
    }
    assert!(desk.shows_at_once(&first));
    assert!(!desk.shows_at_once(&message("shop", r#"{"title": "t", "image": "/other.png"}"#, 2)));
}

#[test]
fn a_popup_waits_for_the_application_s_icon_while_its_list_may_be_asked_for() {
    let settings = &gotify("push.example");
    let message = message("gotify", r#"{"id": 1, "appid": 7, "message": "m"}"#, 1);
    let mut desk = Desk::with(settings);
    assert!(!desk.shows_at_once(&message));
    let mut desk = Desk::with(settings);
    lock(&desk.pictures.0.apps).asked("gotify");
    assert!(desk.shows_at_once(&message), "it was asked for just now, and did not say");
    let mut desk = Desk::with(settings);
    desk.lists(r#"[{"id": 7, "name": "Seven", "image": "image/7.png"}]"#);
    assert!(!desk.shows_at_once(&message), "the icon is to be had");
    let mut desk = Desk::with(settings);
    desk.lists(r#"[{"id": 7, "name": "Seven"}]"#);
    assert!(desk.shows_at_once(&message), "there is none");
    assert_eq!(desk.pictures.app(&message).as_deref(), Some("Seven"));
}

#[test]
fn another_server_s_applications_are_others_by_the_same_numbers() {
    let message = message("gotify", r#"{"id": 1, "appid": 7, "message": "m"}"#, 1);
    let mut desk = Desk::with(&gotify("push.example"));
    desk.lists(r#"[{"id": 7, "name": "Seven"}]"#);
    desk.take_up(&format!("{}show = \"title\"\n", gotify("push.example")));
    assert_eq!(desk.pictures.app(&message).as_deref(), Some("Seven"), "it is the same server");
    desk.take_up(&gotify("other.example"));
    assert_eq!(desk.pictures.app(&message), None);
    assert!(!desk.shows_at_once(&message), "it may be asked at once");
}

#[tokio::test]
async fn whoever_saw_a_message_before_its_icon_was_here_is_told_whenever_the_task_hears_of_it() {
    let desk = Desk::with(&gotify("push.example"));
    let (popups, _answers, _queue) = Popups::new();
    let (inbox, _) = Inbox::open(&desk.folder.path().join("inbox.db"), Policy::keep_all(), popups);
    let mut task = Task::new(desk.pictures.0.clone(), inbox);
    let (events, mut heard) = broadcast::channel(4);
    let of = |row| message("gotify", r#"{"id": 1, "appid": 7, "message": "m"}"#, row);
    desk.lists(r#"[{"id": 7, "name": "Seven", "image": "image/7.png"}]"#);
    task.heard(Event::Stored(of(1)));
    let (name, _) = lock(&task.shared.work).next().expect("an icon");
    task.heard(Event::Stored(of(2)));
    // Stored and seen, and not heard of yet.
    events.send(Event::Stored(of(3))).expect("it listens");
    let fetched = Fetched::Had { png: b"png".to_vec(), app_image: Some("image/7.png".to_owned()) };
    let mut told = task.take(&name, fetched);
    told.extend(task.catch_up(&mut heard));
    assert_eq!(told, BTreeSet::from([1, 2, 3].map(RowId)));
    assert!(desk.pictures.of(&of(3)).icon.is_some());
    // What comes from here on brings all of it along.
    task.heard(Event::Stored(of(4)));
    assert!(lock(&task.shared.work).next().is_none());
}
