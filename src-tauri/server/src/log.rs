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
//! - `append` returns once the message is as safe as it gets, and (where one node has it all) not before it was handed to
//!   [`Users::kept`], which it is once it outlives this process;
//! - `after` reads a user's messages in the order of `seq`, oldest first, and says where the end is;
//! - `stand` tells where a client stands that names the last id it has;
//! - the duty: each message that is stored goes to [`Users::kept`] once, and a user's in the order of `seq`. An engine
//!   that several nodes share hands on what the other nodes stored, too; where it can't, it says so
//!   ([`Users::walk_again`]), and the links read what they lack.
//!
//! A message's frame is made when it goes out ([`Item::frame`]), so an engine may give the number as late as it likes.

pub(crate) mod devices;
pub(crate) mod file;
pub(crate) mod item;
mod memory;
pub(crate) mod nats;

use std::sync::Arc;

use crate::{
    options::{Options, StartError},
    users::Users,
};

use file::File;
use item::Keep;
pub(crate) use item::{Draft, Form, Item, Kept, Limit, NotKept, NotRead, Page, Standing};
use memory::Memory;
use nats::Nats;

/// The engine.
pub(crate) enum Log {
    /// Nothing outlives the process.
    Memory(Memory),
    /// What a file keeps, outlives it.
    File(File),
    /// Several nodes share what NATS keeps.
    Nats(Box<Nats>),
}

impl Log {
    pub(crate) async fn open(options: &Options, users: Arc<Users>) -> Result<Self, StartError> {
        let keep = Keep { messages: options.backlog, bytes: options.backlog_bytes, age: options.backlog_age };
        Ok(match (&options.nats, &options.data) {
            (Some(nats), _) => Self::Nats(Box::new(Box::pin(Nats::open(nats, keep, users)).await?)),
            (None, Some(folder)) => Self::File(File::open(folder, options.durability, keep, users)?),
            (None, None) => Self::Memory(Memory::new(keep, users)),
        })
    }

    /// Why nothing can be kept or read at the moment, if that is so.
    pub(crate) fn ready(&self) -> Result<(), &'static str> {
        match self {
            Self::Memory(_) | Self::File(_) => Ok(()),
            Self::Nats(nats) => nats.ready(),
        }
    }

    /// Whether a link that is opened now would get anything.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Self::Memory(_) | Self::File(_) => true,
            Self::Nats(nats) => nats.is_connected(),
        }
    }

    /// A link was opened here. Other nodes are told, where there are some.
    pub(crate) fn opened(&self, user: &str, device: Option<&str>, link: u64) {
        match self {
            Self::Memory(_) | Self::File(_) => {}
            Self::Nats(nats) => nats.opened(user, device, link),
        }
    }

    /// Waits for what is being kept, and lets go of the file. From then on nothing is kept.
    pub(crate) fn close(&self) {
        match self {
            Self::Memory(_) | Self::Nats(_) => {}
            Self::File(file) => file.close(),
        }
    }

    /// Keeps a message for a user and hands it to the user's link. Returns once it is as safe as the engine makes it.
    pub(crate) async fn append(&self, user: &str, draft: Draft) -> Result<Kept, NotKept> {
        match self {
            Self::Memory(memory) => Ok(memory.append(user, draft)),
            Self::File(file) => file.append(user, draft).await,
            Self::Nats(nats) => nats.append(user, draft).await,
        }
    }

    /// The number of the newest message of all users: any that is stored later has a higher one.
    pub(crate) async fn newest(&self) -> Result<u64, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.newest()),
            Self::File(file) => Ok(file.newest()),
            Self::Nats(nats) => nats.newest().await,
        }
    }

    /// Up to where a user's device has acknowledged (`tidings.v1`); `None`: it isn't known.
    pub(crate) async fn reached(&self, user: &str, device: &str) -> Result<Option<u64>, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.devices.reached(user, device)),
            Self::File(file) => Ok(file.devices.reached(user, device)),
            Self::Nats(nats) => nats.reached(user, device).await,
        }
    }

    /// Up to where the foremost of a user's devices has acknowledged; `None`: none has.
    pub(crate) async fn foremost(&self, user: &str) -> Result<Option<u64>, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.devices.foremost(user)),
            Self::File(file) => Ok(file.devices.foremost(user)),
            Self::Nats(nats) => nats.foremost(user).await,
        }
    }

    /// The device has all up to there. An engine may write that down with its next message, or at its end: what isn't is sent again.
    #[expect(clippy::unused_async, reason = "other engines tell others")]
    pub(crate) async fn acknowledge(&self, user: &str, device: &str, seq: u64) {
        match self {
            Self::Memory(memory) => memory.devices.acknowledge(user, device, seq),
            Self::File(file) => file.devices.acknowledge(user, device, seq),
            Self::Nats(nats) => nats.acknowledge(user, device, seq),
        }
    }

    /// When a message was stored, in milliseconds since 1970; a number that is none where nobody knows.
    pub(crate) async fn time(&self, seq: u64) -> u64 {
        match self {
            // Their numbers are times.
            Self::Memory(_) | Self::File(_) => seq,
            Self::Nats(nats) => nats.time(seq).await.unwrap_or(0),
        }
    }

    /// Whether a message could be kept: found out by writing, so to be asked only where there is a doubt.
    pub(crate) async fn probe(&self) -> Result<(), NotKept> {
        match self {
            // What NATS can do is known without.
            Self::Memory(_) | Self::Nats(_) => Ok(()),
            Self::File(file) => file.probe().await,
        }
    }

    /// How many messages are kept, of all users.
    pub(crate) async fn kept(&self) -> Result<u64, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.kept()),
            Self::File(file) => file.kept().await,
            Self::Nats(nats) => nats.kept().await,
        }
    }

    /// The messages of a user after this one.
    pub(crate) async fn after(&self, user: &str, seq: u64, limit: Limit) -> Result<Page, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.after(user, seq, limit)),
            Self::File(file) => file.after(user, seq, limit).await,
            Self::Nats(nats) => nats.after(user, seq, limit).await,
        }
    }

    /// Where a client stands that names `since` as the last id it has. The first message of that id counts (an id may be
    /// used twice), and one whose id isn't known stands before all that came after it: rather a message twice than one
    /// lost.
    pub(crate) async fn stand(&self, user: &str, since: &str) -> Result<Standing, NotRead> {
        match self {
            Self::Memory(memory) => Ok(memory.stand(user, since)),
            Self::File(file) => file.stand(user, since).await,
            Self::Nats(nats) => nats.stand(user, since).await,
        }
    }
}
