//! Secrets in the desktop's keyring, through the Secret Service (GNOME Keyring, KWallet, KeePassXC, …).
//!
//! A channel's secret is kept under `service` = `tidings`, `username` = the channel's id, so `secret-tool lookup
//! service tidings username orders` finds it too. Other programs keep secrets under these attributes as well, in any
//! collection, so there may be several: the one that was changed last counts, and all of them are replaced or removed
//! together. The agent only ever looks: a locked keyring is waited for and
//! never prompted at. Only [`write()`] and [`remove`], typed by a person, may let the keyring ask for its password.
//!
//! Not by the `keyring` crate: its read unlocks, which prompts, and it can't tell when somebody else unlocked.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use secret_service::{EncryptionType, Error, SecretService};
use tidings_words::{Text, Words};
use tokio::time::timeout;
use zbus::zvariant::OwnedObjectPath;
use zbus::{Connection, MatchRule, Message, MessageStream};

use crate::reason;

/// The Secret Service's name on the session bus.
const NAME: &str = "org.freedesktop.secrets";
/// Its object.
const SERVICE: &str = "/org/freedesktop/secrets";

/// How long the keyring may take to answer; one that isn't there takes no time at all. Too low: one that is just
/// being started at login counts as absent; too high: a broken one holds up every first dial.
const ANSWER: Duration = Duration::from_secs(10);

/// How long it may take to say what it holds, where a person waits for a page. Too low: a slow one counts as absent.
const GLANCE: Duration = Duration::from_secs(3);

/// How long a person may take to unlock the keyring.
const PERSON: Duration = Duration::from_secs(120);

/// What the keyring has for a channel.
#[derive(Debug)]
pub enum Entry {
    /// This.
    Secret(Vec<u8>),
    /// Nothing.
    None,
    /// There is something, behind a lock.
    Locked,
}

/// Why the keyring is of no use just now. Holds no secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KeyringError {
    /// No keyring is on the session bus, or there is none.
    Absent(Text),
    /// Somebody has to unlock it.
    Locked,
    /// It did not answer for so long.
    Silent(Duration),
    /// It has nowhere to put a secret.
    NoCollection,
    /// Anything else.
    Failed(Text),
}

impl KeyringError {
    /// What is wrong, and how to mend it.
    pub fn told(&self, words: Words) -> String {
        match self {
            Self::Absent(why) => words.keyring_absent(why),
            Self::Locked => words.keyring_locked(),
            Self::Silent(limit) => words.keyring_silent(&format_args!("{limit:?}")),
            Self::NoCollection => words.keyring_no_collection(),
            Self::Failed(why) => words.keyring_failed(why),
        }
    }
}

/// For the log.
impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Words::default()))
    }
}

/// Looks a channel's secret up. Never prompts.
pub async fn read(channel: &str) -> Result<Entry, KeyringError> {
    within(ANSWER, async {
        let connection = connect().await?;
        let Look { unlocked, locked } = look(&connection, channel).await?;
        if unlocked.is_empty() {
            return Ok(if locked.is_empty() { Entry::None } else { Entry::Locked });
        }
        let service = open(connection).await?;
        let mut items = Vec::new();
        for path in unlocked {
            let item = service.get_item_by_path(path).await.map_err(failed)?;
            items.push((item.get_modified().await.map_err(failed)?, item));
        }
        // The path tells apart what is of the same second: the same one every time.
        let newest = items.iter().max_by_key(|(changed, item)| (*changed, item.item_path.as_str()));
        let Some((_, item)) = newest else { return Ok(Entry::None) };
        item.get_secret().await.map(Entry::Secret).map_err(failed)
    })
    .await
}

/// Which of these channels it has a secret of, locked or not. Needs no secret to be shown, so never prompts.
pub async fn holds(channels: &[&str]) -> Result<Vec<bool>, KeyringError> {
    within(GLANCE, async {
        let connection = connect().await?;
        // Without a channel it is asked all the same: whether it is there at all.
        look(&connection, "").await?;
        let mut held = Vec::new();
        for channel in channels {
            let Look { unlocked, locked } = look(&connection, channel).await?;
            held.push(!unlocked.is_empty() || !locked.is_empty());
        }
        Ok(held)
    })
    .await
}

/// Keeps a channel's secret, in place of all older ones but those behind a lock that can't be opened now: these are
/// older and don't count. `may_ask`: the keyring may ask a person to unlock it.
pub async fn write(channel: &str, secret: &str, may_ask: bool) -> Result<(), KeyringError> {
    within(if may_ask { PERSON } else { ANSWER }, async {
        let connection = connect().await?;
        let service = open(connection.clone()).await?;
        let collection = service.get_default_collection().await.map_err(|error| {
            if matches!(error, Error::NoResult) { KeyringError::NoCollection } else { failed(error) }
        })?;
        if collection.is_locked().await.map_err(failed)? {
            if !may_ask {
                return Err(KeyringError::Locked);
            }
            collection.unlock().await.map_err(failed)?;
        }
        let label = format!("Tidings: {channel}");
        let mut attributes = attributes(channel);
        attributes.insert("xdg:schema", "org.freedesktop.Secret.Generic");
        let kept = collection.create_item(&label, attributes, secret.as_bytes(), true, "text/plain").await;
        let kept = kept.map_err(failed)?.item_path;
        let Look { unlocked, locked } = look(&connection, channel).await?;
        let locked = locked.into_iter().filter(|_| may_ask);
        let others = unlocked.into_iter().chain(locked).filter(|path| *path != kept);
        if let Err(error) = delete(&service, others).await {
            // The new one is the newest: it counts.
            tracing::warn!(channel, %error, "an older entry of its secret stays in the keyring");
        }
        Ok(())
    })
    .await
}

/// Removes a channel's secret with every entry that there is of it, and tells how many there were. `may_ask` as for
/// [`write()`].
pub async fn remove(channel: &str, may_ask: bool) -> Result<usize, KeyringError> {
    within(if may_ask { PERSON } else { ANSWER }, async {
        let connection = connect().await?;
        let Look { unlocked, locked } = look(&connection, channel).await?;
        let service = open(connection).await?;
        if !locked.is_empty() && !may_ask {
            return Err(KeyringError::Locked);
        }
        delete(&service, unlocked.into_iter().chain(locked)).await
    })
    .await
}

/// Has the keyring hold no secret of a channel any more, without a prompt. Without a keyring there is nothing in it.
///
/// # Errors
/// As [`remove`], but for [`KeyringError::Absent`].
pub async fn forget(channel: &str) -> Result<(), KeyringError> {
    match remove(channel, false).await {
        Ok(_) | Err(KeyringError::Absent(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// How many were deleted: all. A locked one is unlocked first, which prompts.
async fn delete(
    service: &SecretService<'_>,
    items: impl Iterator<Item = OwnedObjectPath>,
) -> Result<usize, KeyringError> {
    let mut deleted = 0;
    for path in items {
        let item = service.get_item_by_path(path).await.map_err(failed)?;
        if item.is_locked().await.map_err(failed)? {
            item.unlock().await.map_err(failed)?;
        }
        item.delete().await.map_err(failed)?;
        deleted += 1;
    }
    Ok(deleted)
}

/// Waits until the keyring would give a channel's secret, another than this one: unlocked, started, or told the secret. For ever,
/// where there is no session bus. Looks only when the keyring or the bus tells of a change.
pub async fn readable(channel: &str, other_than: Option<&[u8]>) {
    match news().await {
        Ok((connection, mut news)) => loop {
            let there = look(&connection, channel).await.is_ok_and(|look| !look.unlocked.is_empty());
            let is_other = match other_than {
                Some(known) if there => {
                    matches!(read(channel).await, Ok(Entry::Secret(secret)) if secret != known)
                }
                Some(_) | None => true,
            };
            if there && is_other {
                return;
            }
            if news.next().await.is_none() {
                // The bus is gone.
                return std::future::pending::<()>().await;
            }
        },
        Err(error) => {
            tracing::debug!(%error, "nobody tells when the keyring changes");
            std::future::pending::<()>().await;
        }
    }
}

/// Whatever the keyring says, and when it comes.
async fn news() -> zbus::Result<(Connection, impl Stream<Item = zbus::Result<Message>> + Unpin)> {
    let connection = Connection::session().await?;
    let signal = || MatchRule::builder().msg_type(zbus::message::Type::Signal);
    let its = signal().sender(NAME)?.build();
    let comes = signal()
        .sender("org.freedesktop.DBus")?
        .interface("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .arg(0, NAME)?
        .build();
    let its = MessageStream::for_match_rule(its, &connection, None).await?;
    let comes = MessageStream::for_match_rule(comes, &connection, None).await?;
    Ok((connection, futures_util::stream::select(its, comes)))
}

/// Where a channel's secrets are.
struct Look {
    unlocked: Vec<OwnedObjectPath>,
    locked: Vec<OwnedObjectPath>,
}

/// Needs no session with the keyring, so it is cheap where there is nothing.
async fn look(connection: &Connection, channel: &str) -> Result<Look, KeyringError> {
    let answer = connection
        .call_method(
            Some(NAME),
            SERVICE,
            Some("org.freedesktop.Secret.Service"),
            "SearchItems",
            &(attributes(channel),),
        )
        .await
        .map_err(|error| absent(&error.into()))?;
    let (unlocked, locked) = answer.body().deserialize().map_err(|error| failed(Error::Zbus(error)))?;
    Ok(Look { unlocked, locked })
}

fn attributes(channel: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", "tidings"), ("username", channel)])
}

async fn connect() -> Result<Connection, KeyringError> {
    Connection::session().await.map_err(|error| absent(&error.into()))
}

async fn open(connection: Connection) -> Result<SecretService<'static>, KeyringError> {
    let opened = SecretService::connect_with_existing(EncryptionType::Dh, connection).await;
    opened.map_err(|error| absent(&error))
}

#[expect(clippy::needless_pass_by_value, reason = "so that it can stand in map_err")]
fn failed(error: Error) -> KeyringError {
    tracing::info!(%error, "the keyring refuses");
    KeyringError::Failed(reason::of_keyring(&error))
}

fn absent(error: &Error) -> KeyringError {
    tracing::debug!(%error, "no keyring");
    KeyringError::Absent(reason::of_keyring(error))
}

async fn within<T>(
    limit: Duration,
    asking: impl Future<Output = Result<T, KeyringError>>,
) -> Result<T, KeyringError> {
    timeout(limit, asking).await.unwrap_or(Err(KeyringError::Silent(limit)))
}
