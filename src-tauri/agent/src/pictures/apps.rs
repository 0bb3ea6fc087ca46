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
use tidings_channel::ChannelUrl;
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

    /// Whether nothing has to be asked for this message.
    pub(super) fn is_settled(&self, channel: &str, message: &Message, shelf: &Shelf, icon: &Name) -> bool {
        let Some(list) = self.lists.get(channel) else { return false };
        let Some(app) = message.app.as_deref().and_then(|app| list.apps.get(app)) else { return false };
        !list.is_stale() && (app.image.is_none() || app.image == app.icon_of && shelf.has(icon))
    }

    /// The icon that is kept is of the image that is told.
    pub(super) fn has_icon(&mut self, channel: &str, app: Option<&str>) {
        let list = self.lists.get_mut(channel);
        let Some(app) = list.zip(app).and_then(|(list, app)| list.apps.get_mut(app)) else { return };
        app.icon_of.clone_from(&app.image);
        self.save();
    }

    pub(super) fn keep_channels(&mut self, known: impl Fn(&str) -> bool) {
        let before = self.lists.len();
        self.lists.retain(|channel, _| known(channel));
        if self.lists.len() < before {
            self.save();
        }
    }

    fn take(&mut self, channel: &str, told: Vec<Told>) {
        let mut old = self.lists.remove(channel).unwrap_or_default();
        let app = |told: Told| {
            let number = told.id.to_string();
            let icon_of = old.apps.remove(&number).and_then(|app| app.icon_of);
            let image = told.image.filter(|image| !image.is_empty());
            (number, App { name: line(&told.name), image, icon_of })
        };
        let apps = told.into_iter().take(MOST).map(app).collect();
        self.lists.insert(channel.to_owned(), List { at: Timestamp::now(), apps });
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

/// Of a message's application: where its image is, if there is one to fetch, and whether more is known of it than before.
pub(super) async fn look(
    apps: &Mutex<Apps>,
    source: &Source,
    message: &Message,
    shelf: &Shelf,
    icon: &Name,
) -> (Option<ChannelUrl>, bool) {
    let Some(number) = message.app.as_deref() else { return (None, false) };
    let channel = &message.channel;
    // Whoever comes second finds what the first was told.
    let _asking = source.asking.lock().await;
    let before = {
        let apps = lock(apps);
        let fresh = apps.lists.get(channel).is_some_and(|list| !list.is_stale());
        apps.app(channel, number).cloned().map(|app| (app, fresh))
    };
    let mut now = before.as_ref().map(|(app, _)| app.clone());
    if !before.as_ref().is_some_and(|(_, fresh)| *fresh) && may_ask(apps, channel) {
        match source.apps().await {
            Ok(told) => match serde_json::from_slice(&told) {
                Ok(told) => {
                    let mut apps = lock(apps);
                    apps.take(channel, told);
                    now = apps.app(channel, number).cloned();
                }
                Err(_) => tracing::info!(channel, "the list of applications is no such list"),
            },
            Err(cause) => tracing::info!(channel, %cause, "the list of applications can't be had"),
        }
    }
    let learnt = now.as_ref().map(|app| &app.name) != before.as_ref().map(|(app, _)| &app.name);
    let Some(App { image: Some(image), icon_of, .. }) = now else { return (None, learnt) };
    let is_there = icon_of.as_ref() == Some(&image) && shelf.has(icon);
    (if is_there { None } else { source.app_image(&image) }, learnt)
}

fn may_ask(apps: &Mutex<Apps>, channel: &str) -> bool {
    let mut apps = lock(apps);
    if apps.asked.get(channel).is_some_and(|at| at.elapsed() < APART) {
        return false;
    }
    apps.asked.insert(channel.to_owned(), Instant::now());
    true
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
