//! Tray and popups, for as long as there is a session bus; and the wait for one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidings_ground::paths::Paths;
use tidings_inbox::Inbox;
use tidings_picture::Shelf;
use tidings_state::snapshot::Snapshot;
use tidings_state::wish::{Wish, Wishes};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::popup::{self, Art, Queue};
use crate::{session, tray};

/// How long the end waits for the session bus.
const LEAVE: Duration = Duration::from_secs(1);

/// The task that is in the session, whichever that is.
#[derive(Debug)]
pub struct Desktop {
    task: JoinHandle<()>,
    look: Arc<Notify>,
    joined: watch::Receiver<bool>,
}

impl Desktop {
    /// Joins the session that there is, and, where the agent `outlives` it, every one that comes.
    pub fn join(
        paths: &Paths,
        queue: Queue,
        inbox: &Inbox,
        snapshot: &watch::Sender<Snapshot>,
        wishes: &Wishes,
        outlives: bool,
    ) -> Self {
        let look = Arc::new(Notify::new());
        let (told, joined) = watch::channel(false);
        let tasks = Tasks {
            queue,
            inbox: inbox.clone(),
            snapshot: snapshot.subscribe(),
            wishes: wishes.clone(),
            icons: paths.icons(),
            pictures: Shelf::new(paths.pictures()),
            joined: told,
            outlives,
        };
        Self { task: tokio::spawn(tasks.keep(paths.clone(), Arc::clone(&look))), look, joined }
    }

    /// There is a bus to be joined.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// Whether the agent speaks on a bus.
    pub fn is_joined(&self) -> bool {
        *self.joined.borrow()
    }

    /// Waits for a change of [`is_joined`](Self::is_joined).
    pub async fn changed(&mut self) {
        if self.joined.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Takes leave; the snapshot's sender must have been dropped. A bus that hangs doesn't keep the agent from ending.
    pub async fn leave(self) {
        let abort = self.task.abort_handle();
        if tokio::time::timeout(LEAVE, self.task).await.is_err() {
            tracing::warn!("the session bus hangs; ending without a word to it");
            abort.abort();
        }
    }
}

struct Tasks {
    queue: Queue,
    inbox: Inbox,
    snapshot: watch::Receiver<Snapshot>,
    wishes: Wishes,
    icons: PathBuf,
    pictures: Shelf,
    joined: watch::Sender<bool>,
    /// The agent goes on when the session is over.
    outlives: bool,
}

impl Tasks {
    /// Until the agent ends.
    async fn keep(mut self, paths: Paths, look: Arc<Notify>) {
        loop {
            match zbus::Connection::session().await {
                Ok(bus) => {
                    self.joined.send_replace(true);
                    // What nobody could show.
                    self.inbox.show_pending();
                    self.be_there(bus).await;
                    self.joined.send_replace(false);
                    if !self.outlives {
                        // It ends, too.
                        return until_the_end(self.snapshot).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        %error,
                        "no session bus, so no tray and no popups until there is one; the links are kept and messages go into \
                         the inbox"
                    );
                }
            }
            let appears = async {
                self.wishes.make(Wish::Join(session::appears(&paths).await));
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = look.notified() => {}
                () = until_the_end(self.snapshot.clone()) => return,
                () = self.queue.leave(&self.inbox) => {}
                () = appears => {}
            }
        }
    }

    /// Until this session ends, or the agent.
    async fn be_there(&mut self, bus: zbus::Connection) {
        let (session, over) = oneshot::channel();
        let Self { queue, inbox, snapshot, wishes, icons, pictures, .. } = self;
        let art = Art { icon: icons.join(tray::POPUP_ICON), pictures: pictures.clone() };
        let popups = async {
            let run = popup::bus::run(bus, queue, inbox.clone(), snapshot.clone(), wishes.clone(), art).await;
            if let Err(error) = run {
                tracing::warn!(%error, "no popups: the session bus refused to be listened to");
                tokio::select! {
                    () = queue.leave(inbox) => {}
                    () = until_the_end(snapshot.clone()) => {}
                }
            }
            drop(session);
        };
        tokio::join!(tray::run(snapshot.clone(), wishes.clone(), icons, over), popups);
    }
}

/// The agent's.
async fn until_the_end(mut snapshot: watch::Receiver<Snapshot>) {
    while snapshot.changed().await.is_ok() {}
}
