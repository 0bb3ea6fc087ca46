//! The applications of Gotify servers, by name and image. A list is asked for when a message is of an application that it
//! doesn't have, and kept in a file, for messages outlive the agent.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tidings_ground::file::replace;
use tidings_ground::paths::create_private;
use tidings_inbox::Message;
use tidings_picture::{Name, Shelf};
use tokio::time::Instant;

use super::source::Source;

/// Between two questions for a channel's list, whatever comes.
const APART: Duration = Duration::from_secs(60);
/// A list that is older may have other names by now.
const STALE: SignedDuration = SignedDuration::from_hours(24);
/// Applications of a list, and characters of a name; nobody has more.
const MOST: usize = 1_000;
const LONGEST: usize = 100;

/// All that is known.
#[derive(Debug)]
pub(super) struct Apps {
    file: PathBuf,
    /// By the channel's id.
    lists: BTreeMap<String, List>,
    /// When each list was asked for last.
    asked: BTreeMap<String, Instant>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    /// By which server.
    #[serde(default)]
    server: String,
    /// When it was told.
    at: Timestamp,
    /// By their numbers.
    apps: BTreeMap<String, App>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct App {
    name: String,
    /// Relative to the server's base.
    image: Option<String>,
    /// The icon that is kept was made of this one.
    #[serde(default)]
    icon_of: Option<String>,
}

/// As the server tells one.
#[derive(Deserialize)]
struct Told {
    id: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    image: Option<String>,
}

impl Apps {
    pub(super) fn load(file: PathBuf) -> Self {
        let lists = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file, lists: lists.unwrap_or_default(), asked: BTreeMap::new() }
    }

    pub(super) fn name(&self, channel: &str, app: &str) -> Option<String> {
        Some(self.app(channel, app)?.name.clone()).filter(|name| !name.is_empty())
    }

    fn app(&self, channel: &str, app: &str) -> Option<&App> {
        self.lists.get(channel)?.apps.get(app)
    }

    /// Whether there is something to ask for a message, or somebody is asking.
    pub(super) fn wants(&self, source: &Source, message: &Message, shelf: &Shelf, icon: &Name) -> bool {
        message.app.is_some()
            && (self.lacks(source, message, shelf, icon).is_some()
                || self.may_ask(message)
                || source.asking.try_lock().is_err())
    }

    /// The image of a message's application, where the icon that is kept is none of it.
    pub(super) fn lacks(
        &self,
        source: &Source,
        message: &Message,
        shelf: &Shelf,
        icon: &Name,
    ) -> Option<String> {
        let app = self.app(&message.channel, message.app.as_deref()?)?;
        let image = app.image.as_ref().filter(|image| source.app_image(image).is_some())?;
        (app.icon_of.as_ref() != Some(image) || !shelf.has(icon)).then(|| image.clone())
    }

    /// Whether a new list would say more of a message's application, and is to be asked for.
    pub(super) fn may_ask(&self, message: &Message) -> bool {
        let list = self.lists.get(&message.channel).filter(|list| !list.is_stale());
        let known = list.zip(message.app.as_deref()).is_some_and(|(list, app)| list.apps.contains_key(app));
        !known && self.asked.get(&message.channel).is_none_or(|at| at.elapsed() >= APART)
    }

    /// A channel's list was asked for.
    pub(super) fn asked(&mut self, channel: &str) {
        self.asked.insert(channel.to_owned(), Instant::now());
    }

    /// The icon that is kept for a message is of this image.
    pub(super) fn has_icon(&mut self, message: &Message, image: String) {
        let list = self.lists.get_mut(&message.channel);
        let app = list.zip(message.app.as_deref()).and_then(|(list, app)| list.apps.get_mut(app));
        if let Some(app) = app {
            app.icon_of = Some(image);
            self.save();
        }
    }

    pub(super) fn keep_channels(&mut self, known: impl Fn(&str) -> bool) {
        let before = self.lists.len();
        self.lists.retain(|channel, _| known(channel));
        self.asked.retain(|channel, _| known(channel));
        if self.lists.len() < before {
            self.save();
        }
    }

    /// A channel starts, at this server: another one has other applications by the same numbers.
    pub(super) fn begin(&mut self, channel: &str, server: Option<&str>) {
        if self.lists.get(channel).is_some_and(|list| Some(list.server.as_str()) != server) {
            self.lists.remove(channel);
            self.asked.remove(channel);
            self.save();
        }
    }

    /// The server told this.
    pub(super) fn take(&mut self, channel: &str, server: String, told: &[u8]) {
        let Ok(told) = serde_json::from_slice::<Vec<Told>>(told) else {
            return tracing::info!(channel, "the list of applications is no such list");
        };
        let mut old = self.lists.remove(channel).unwrap_or_default();
        let app = |told: Told| {
            let number = told.id.to_string();
            let icon_of = old.apps.remove(&number).and_then(|app| app.icon_of);
            let image = told.image.filter(|image| !image.is_empty());
            (number, App { name: line(&told.name), image, icon_of })
        };
        let apps = told.into_iter().take(MOST).map(app).collect();
        self.lists.insert(channel.to_owned(), List { server, at: Timestamp::now(), apps });
        self.save();
    }

    /// What can't be written is asked for again by the next run.
    fn save(&self) {
        if let Err(error) = self.write() {
            tracing::warn!(%error, "the names of applications can't be kept");
        }
    }

    fn write(&self) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            create_private(folder)?;
        }
        replace(&self.file, &serde_json::to_vec(&self.lists)?)
    }
}

impl List {
    fn is_stale(&self) -> bool {
        let age = Timestamp::now().duration_since(self.at);
        // One of the future is of a clock that was wrong.
        age > STALE || age < -STALE
    }
}

/// What is behind locks here is whole after each step, whoever panicked meanwhile.
pub(super) fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name, as it can stand in a line.
fn line(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    name.trim().to_owned()
}
