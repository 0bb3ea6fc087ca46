//! Where messages are kept: a port with an engine behind it. Who appends and reads knows no engine.
//!
//! ```text
//!            append                       kept (in order, once it is safe)
//! push ────────────────▶ Log (an engine) ────────────────────────────────▶ Users ──▶ the live link's tail
//! link ◀──────────────── stand, after (in pages, what came before the link was opened)
//! ```
//!
//! A link enters its tail first, then walks the log from where its client stands, then takes from the tail, and drops what
//! it has by `seq`: so between replay and live nothing is lost and nothing comes twice, whatever the engine. What is not
//! stored is never sent to anybody. Memory holds what live links have yet to send; the log holds the rest.
//!
//! **An engine** is a variant of [`Log`] with three methods and a duty:
//! - `append` returns once the message is as safe as it gets, and not before it was handed to [`Users::kept`];
//! - `after` reads a user's messages in the order of `seq`, oldest first, and says where the end is;
//! - `stand` tells where a client stands that names the last id it has;
//! - the duty: each message that is stored goes to [`Users::kept`] once, and a user's in the order of `seq`. An engine
//!   that several nodes share hands on what the other nodes stored, too.
//!
//! A message's frame is made when it goes out ([`Item::frame`]), so an engine may give the number as late as it likes.

pub(crate) mod devices;
pub(crate) mod file;
pub(crate) mod item;
mod memory;

use std::sync::Arc;

use crate::{options::Options, users::Users};

use devices::Devices;
use file::File;
use file::open::DataError;
use item::Keep;
pub(crate) use item::{Draft, Form, Item, Kept, Limit, NotKept, NotRead, Page, Standing};
use memory::Memory;

/// The engine.
pub(crate) enum Log {
    /// Nothing outlives the process.
    Memory(Memory),
    /// What a file keeps, outlives it.
    File(File),
}

impl Log {
    pub(crate) fn open(options: &Options, users: Arc<Users>) -> Result<Self, DataError> {
        let keep = Keep { messages: options.backlog, bytes: options.backlog_bytes, age: options.backlog_age };
        match &options.data {
            Some(folder) => File::open(folder, options.durability, keep, users).map(Self::File),
            None => Ok(Self::Memory(Memory::new(keep, users))),
        }
    }

    /// Waits for what is being kept, and lets go of the file. From then on nothing is kept.
    pub(crate) fn close(&self) {
        match self {
            Self::Memory(_) => {}
            Self::File(file) => file.close(),
        }
    }

    /// Keeps a message for a user and hands it to the user's link. Returns once it is as safe as the engine makes it.
    pub(crate) async fn append(&self, user: &str, draft: Draft) -> Result<Kept, NotKept> {
        match self {
            Self::Memory(memory) => Ok(memory.append(user, draft)),
            Self::File(file) => file.append(user, draft).await,
        }
    }

    /// The number of the newest message of all users: any that is stored later has a higher one.
    #[expect(clippy::unused_async, reason = "other engines ask others")]
    pub(crate) async fn newest(&self) -> Result<u64, NotRead> {
        Ok(match self {
            Self::Memory(memory) => memory.newest(),
            Self::File(file) => file.newest(),
        })
    }

    /// Up to where a user's device has acknowledged (`tidings.v1`); `None`: it isn't known.
    #[expect(clippy::unused_async, reason = "other engines ask others")]
    pub(crate) async fn reached(&self, user: &str, device: &str) -> Result<Option<u64>, NotRead> {
        Ok(self.devices().reached(user, device))
    }

    /// Up to where the foremost of a user's devices has acknowledged; `None`: none has.
    #[expect(clippy::unused_async, reason = "other engines ask others")]
    pub(crate) async fn foremost(&self, user: &str) -> Result<Option<u64>, NotRead> {
        Ok(self.devices().foremost(user))
    }

    /// The device has all up to there. An engine may write that down with its next message, or at its end: what isn't is sent again.
    #[expect(clippy::unused_async, reason = "other engines tell others")]
    pub(crate) async fn acknowledge(&self, user: &str, device: &str, seq: u64) {
        self.devices().acknowledge(user, device, seq);
    }

    fn devices(&self) -> &Devices {
        match self {
            Self::Memory(memory) => &memory.devices,
            Self::File(file) => &file.devices,
        }
    }

    /// Whether a message could be kept: found out by writing, so to be asked only where there is a doubt.
    pub(crate) async fn probe(&self) -> Result<(), NotKept> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(file) => file.probe().await,
        }
    }

    /// How many messages are kept, of all users.
    pub(crate) async fn kept(&self) -> Result<u64, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.kept()),
            Self::File(file) => file.kept().await,
        }
    }

    /// The messages of a user after this one.
    pub(crate) async fn after(&self, user: &str, seq: u64, limit: Limit) -> Result<Page, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.after(user, seq, limit)),
            Self::File(file) => file.after(user, seq, limit).await,
        }
    }

    /// Where a client stands that names `since` as the last id it has. The first message of that id counts (an id may be
    /// used twice), and one whose id isn't known stands before all that came after it: rather a message twice than one
    /// lost.
    pub(crate) async fn stand(&self, user: &str, since: &str) -> Result<Standing, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.stand(user, since)),
            Self::File(file) => file.stand(user, since).await,
        }
    }
}
