//! An inbox in a folder of its own, and a screen that its popups arrive at.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tidings_inbox::{
    About, Arrival, ChannelProfile, Inbox, Notice, Notifier, Payload, Policy, Popup, Reads, RowId,
};
use tokio::sync::mpsc;

/// Longer than anything here takes; only a failing test waits it out.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub(crate) fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("tidings/inbox.db")
}

/// Whatever comes pops up at once.
pub(crate) fn unlimited() -> Policy {
    Policy { burst: u32::MAX, keep_days: 36_500, ..Policy::default() }
}

pub(crate) fn orders() -> Arc<ChannelProfile> {
    Arc::new(ChannelProfile::new("orders", "Orders"))
}

pub(crate) fn second_channel() -> Arc<ChannelProfile> {
    Arc::new(ChannelProfile::new("other", "Other"))
}

/// A channel of an ntfy server.
pub(crate) fn alerts() -> Arc<ChannelProfile> {
    Arc::new(ChannelProfile { reads: Reads::Ntfy, ..ChannelProfile::new("ntfy", "Alerts") })
}

/// A channel of a Gotify server.
pub(crate) fn pushes() -> Arc<ChannelProfile> {
    Arc::new(ChannelProfile { reads: Reads::Gotify, ..ChannelProfile::new("gotify", "Pushes") })
}

pub(crate) fn text(channel: &Arc<ChannelProfile>, text: &str) -> Arrival {
    Arrival {
        channel: Arc::clone(channel),
        payload: Payload::Text(text.to_owned()),
        about: About::default(),
        received_at: Timestamp::from_second(1_800_000_000).expect("a time"),
        catch_up: false,
        receipt: None,
    }
}

/// As part of what a server sends again.
pub(crate) fn again(channel: &Arc<ChannelProfile>, repeated: &str) -> Arrival {
    Arrival { catch_up: true, ..text(channel, repeated) }
}

/// What the inbox does to the screen.
enum Change {
    Shown(Popup),
    Withdrawn(Vec<RowId>),
}

struct Forward(mpsc::UnboundedSender<Change>);

impl Notifier for Forward {
    fn show(&mut self, popup: Popup) {
        // A test that is over looks at no popups.
        let _ = self.0.send(Change::Shown(popup));
    }

    fn withdraw(&mut self, rows: Vec<RowId>) {
        let _ = self.0.send(Change::Withdrawn(rows));
    }
}

/// What would be on the user's screen.
pub(crate) struct Screen(mpsc::UnboundedReceiver<Change>);

impl Screen {
    pub(crate) async fn next(&mut self) -> Popup {
        match self.change().await {
            Change::Shown(popup) => popup,
            Change::Withdrawn(rows) => panic!("a popup was due, and not the withdrawal of {rows:?}"),
        }
    }

    async fn change(&mut self) -> Change {
        tokio::time::timeout(DEADLINE, self.0.recv())
            .await
            .expect("a popup in time")
            .expect("the writer lives")
    }

    /// The next popup, whatever is withdrawn before it.
    pub(crate) async fn next_shown(&mut self) -> Popup {
        loop {
            if let Change::Shown(popup) = self.change().await {
                return popup;
            }
        }
    }

    /// Rows whose popups are taken off it.
    pub(crate) async fn withdrawn(&mut self) -> Vec<RowId> {
        match self.change().await {
            Change::Withdrawn(rows) => rows,
            Change::Shown(popup) => panic!("a popup was to be withdrawn, and not shown: {popup:?}"),
        }
    }

    /// Titles of the popups that came so far, whatever was withdrawn.
    pub(crate) fn titles(&mut self) -> Vec<String> {
        let mut titles = Vec::new();
        while let Ok(change) = self.0.try_recv() {
            match change {
                Change::Shown(Popup::Message(message)) => titles.push(message.title.clone()),
                Change::Shown(summary @ Popup::Summary { .. }) => titles.push(format!("{summary:?}")),
                Change::Withdrawn(_) => {}
            }
        }
        titles
    }

    pub(crate) async fn next_body(&mut self) -> String {
        match self.next().await {
            Popup::Message(message) => message.body.clone(),
            summary @ Popup::Summary { .. } => panic!("a message was due: {summary:?}"),
        }
    }

    /// Whether no popup is there. Ask after an answer of the inbox: then all before it was done.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.0.try_recv().is_err()
    }
}

pub(crate) fn open(file: &std::path::Path, policy: Policy) -> (Inbox, Screen, Vec<Notice>) {
    let (popups, screen) = mpsc::unbounded_channel();
    let (inbox, notices) = Inbox::open(file, policy, Forward(popups));
    (inbox, Screen(screen), notices)
}

/// Opens what has to open without a word.
pub(crate) fn open_well(file: &std::path::Path) -> (Inbox, Screen) {
    open_with(file, unlimited())
}

/// The same under another policy.
pub(crate) fn open_with(file: &std::path::Path, policy: Policy) -> (Inbox, Screen) {
    let (inbox, screen, notices) = open(file, policy);
    assert_eq!(notices, []);
    (inbox, screen)
}

/// The bodies, newest first.
pub(crate) async fn bodies(inbox: &Inbox) -> Vec<String> {
    inbox.recent(10_000).await.into_iter().map(|message| message.body).collect()
}
