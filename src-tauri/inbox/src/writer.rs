//! The writer thread.

use std::path::Path;
use std::sync::mpsc::Receiver;

use tokio::sync::{OwnedSemaphorePermit, broadcast, oneshot, watch};

use crate::message::{Message, RowId};
use crate::{Arrival, Event, Notice, Notifier, Unread};

pub(crate) enum Read {
    Rows(Vec<RowId>),
    All,
}

pub(crate) enum Command {
    Arrive(Arrival, OwnedSemaphorePermit),
    Shown(Vec<RowId>),
    NotShown(Vec<RowId>),
    ShowPending,
    LastId(String, oneshot::Sender<Option<String>>),
    Recent(usize, oneshot::Sender<Vec<Message>>),
    Message(RowId, oneshot::Sender<Option<Message>>),
    MarkRead(Read, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

pub(crate) struct Writer;

impl Writer {
    pub(crate) fn open(
        _path: &Path,
        _notifier: Box<dyn Notifier>,
        _unread: watch::Sender<Unread>,
        _events: broadcast::Sender<Event>,
    ) -> (Self, Vec<Notice>) {
        (Self, Vec::new())
    }

    pub(crate) fn run(self, _queue: &Receiver<Command>) {}
}
