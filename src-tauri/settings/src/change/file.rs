//! The settings file as the window sees it: what stands in it, and how it is changed beside the user's own editor.
//!
//! An edit names the revision that it was made from. It is applied to the file as it is now: what the user's hand
//! changed meanwhile stays, and where both changed the same key, nothing is written and the caller is told.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tidings_api::{
    ChannelValues, Defaults, Edit, ErrorCode, PresetReport, Refusal, Secret, SettingsReport, Values,
};
use tidings_ground::paths::short;
use tidings_words::Words;

use super::edit::{apply, ids};
use super::value::EditError;
use super::write::{WriteError, write};
use crate::content::{Content, content};
use crate::error::SettingsError;
use crate::load::read;
use crate::read::{PresetNames, parse, presets};
use crate::reason;
use crate::secret::credential;
use crate::secret::keyring;
use crate::settings::{ChannelSettings, Settings};
use crate::watch::Look;

/// Revisions that edits may be made from, beside the present one. Too few: a window that was left open for long is
/// told to look again.
const REVISIONS: usize = 8;

/// How often an edit is begun anew because somebody wrote the file at the same moment.
const TRIES: usize = 5;

/// How a file begins that is made here.
const HEAD: &str = "\
# The settings of Tidings. Its window writes this file and leaves comments and order alone; edits by hand are taken up
# as soon as they are saved. What is not named here has its default.
";

/// The settings file, as the window sees and edits it.
pub struct SettingsFile {
    path: PathBuf,
    look: Look,
    /// The last contents that were handed out, oldest first.
    handed: Mutex<VecDeque<String>>,
    /// One edit at a time.
    editing: tokio::sync::Mutex<()>,
}

impl SettingsFile {
    /// `look` has what was written taken up.
    pub fn new(path: PathBuf, look: Look) -> Self {
        Self { path, look, handed: Mutex::default(), editing: tokio::sync::Mutex::default() }
    }

    /// What stands in the file. Asks the keyring, and never makes it prompt.
    pub async fn report(&self, words: Words) -> SettingsReport {
        let content = content(&self.path);
        let mut report = SettingsReport {
            revision: String::new(),
            file: short(&self.path).display().to_string(),
            error: None,
            values: Values::new(),
            channels: Vec::new(),
            defaults: defaults(),
            keyring: false,
            login_trouble: None,
            presets: presets()
                .map(|PresetNames { name, needs, may, says_secret }| PresetReport {
                    name: name.to_owned(),
                    needs,
                    may,
                    says_secret,
                })
                .collect(),
        };
        let known = self.known(&content);
        match known {
            Ok(Known { text, settings, mut values }) => {
                report.revision = self.hand_out(text);
                let tables = match values.remove("channel") {
                    Some(Json::Array(tables)) => tables,
                    Some(_) | None => Vec::new(),
                };
                report.values = values;
                let channels = settings.channels.into_iter().zip(tables);
                report.channels = channels
                    .map(|(channel, table)| ChannelValues {
                        id: channel.id,
                        values: table.as_object().cloned().unwrap_or_default(),
                        has_secret: None,
                    })
                    .collect();
            }
            Err(error) => report.error = Some(error.told(words)),
        }
        let channels: Vec<&str> = report.channels.iter().map(|channel| channel.id.as_str()).collect();
        match keyring::holds(&channels).await {
            Ok(held) => {
                report.keyring = true;
                for (channel, held) in report.channels.iter_mut().zip(held) {
                    channel.has_secret = Some(held);
                }
            }
            Err(error) => tracing::debug!(%error, "what the keyring holds can't be told"),
        }
        report
    }

    /// Makes all of the edits or none, and returns when they are in force.
    pub async fn edit(
        &self,
        revision: &str,
        edits: Vec<Edit>,
        words: Words,
    ) -> Result<SettingsReport, Refusal> {
        let _one = self.editing.lock().await;
        let mut kept = Kept::default();
        let mut written = Ok(());
        for _ in 0..TRIES {
            let old = content(&self.path);
            let known = self.known(&old).map_err(|error| {
                Refusal::new(ErrorCode::SettingsFile, words.settings_edit_first(&error.text()))
            })?;
            let edits = self.fitting(revision, &known, &edits, words)?;
            let (new, settings) = self.tried(&old, &known, &edits, words)?;
            if !kept.done {
                kept = Kept::keep(&edits, &settings, words).await?;
            }
            written = match new {
                None => Ok(()),
                Some(text) => {
                    let path = self.path.clone();
                    let written = tokio::task::spawn_blocking(move || write(&path, &old, &text)).await;
                    written.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
                }
            };
            if !matches!(written, Err(WriteError::Changed)) {
                break;
            }
        }
        if let Err(error) = written {
            kept.undo().await;
            let file = short(&self.path);
            let message = match error {
                WriteError::Changed => words.settings_edit_write_changed(&file.display()),
                WriteError::ReadOnly => words.settings_edit_read_only(&file.display()),
                WriteError::System(why) => {
                    words.settings_edit_write_failed(&file.display(), &reason::of_io(&why))
                }
            };
            return Err(Refusal::new(ErrorCode::SettingsFile, message));
        }
        self.look.now().await;
        Ok(self.report(words).await)
    }

    /// A channel of these values, though they stand nowhere; `id`: of the channel that they are to become.
    pub fn channel(
        &self,
        id: Option<&str>,
        mut values: Values,
        words: Words,
    ) -> Result<ChannelSettings, Refusal> {
        if let Some(id) = id {
            values.entry("id").or_insert_with(|| id.into());
        }
        let add = Edit::AddChannel { values, secret: None };
        let nothing = Known { text: String::new(), settings: Settings::default(), values: Values::new() };
        let (_, settings) = self.tried(&Ok(Some(Vec::new())), &nothing, &[add], words)?;
        settings
            .channels
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::new(ErrorCode::InvalidSettings, words.settings_edit_no_channel()))
    }

    /// What the file says now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn settings(&self, words: Words) -> Result<Settings, Refusal> {
        read(&self.path, &content(&self.path))
            .map_err(|error| Refusal::new(ErrorCode::SettingsFile, error.told(words)))
    }

    fn known(&self, content: &Content) -> Result<Known, SettingsError> {
        let settings = read(&self.path, content)?;
        let text = match content {
            // It was read as UTF-8 just now.
            Ok(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Ok(None) | Err(_) => String::new(),
        };
        let values = values(&text);
        Ok(Known { text, settings, values })
    }

    /// Remembers the content for edits that are made from it; answers with its name.
    fn hand_out(&self, text: String) -> String {
        let name = revision(&text);
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        handed.retain(|old| *old != text);
        handed.push_back(text);
        if handed.len() > REVISIONS {
            handed.pop_front();
        }
        name
    }

    /// The edits without what is done already, if nobody else changed the same.
    fn fitting(
        &self,
        revision_of: &str,
        now: &Known,
        edits: &[Edit],
        words: Words,
    ) -> Result<Vec<Edit>, Refusal> {
        if revision(&now.text) == revision_of {
            return Ok(edits.to_vec());
        }
        let changed = |key: Option<&str>| {
            let message = match key {
                Some(key) => words.settings_edit_key_changed(&key),
                None => words.settings_edit_changed(),
            };
            Refusal { key: key.map(str::to_owned), ..Refusal::new(ErrorCode::SettingsChanged, message) }
        };
        let before = {
            let handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
            handed.iter().find(|text| revision(text) == revision_of).cloned()
        };
        let Some(before) = before else { return Err(changed(None)) };
        let (before, now) = (Model::of(&before), Model::of(&now.text));
        let mut fitting = Vec::new();
        for edit in edits {
            match edit {
                Edit::Set { channel, key, value } => {
                    let channel = channel.as_deref();
                    let (old, new) = (before.at(channel, key), now.at(channel, key));
                    let gone = channel.is_some_and(|id| before.has(id) && !now.has(id));
                    if gone || (old != new && new.unwrap_or(&Json::Null) != value) {
                        return Err(changed(Some(key)));
                    }
                }
                Edit::RemoveChannel { channel } if before.has(channel) => match now.channel(channel) {
                    None => continue,
                    Some(table) if before.channel(channel) != Some(table) => return Err(changed(None)),
                    Some(_) => {}
                },
                Edit::RemoveChannel { .. } | Edit::AddChannel { .. } => {}
            }
            fitting.push(edit.clone());
        }
        Ok(fitting)
    }

    /// What the file would be, if it makes settings that can be used; no text where it stays as it is.
    fn tried(
        &self,
        old: &Content,
        known: &Known,
        edits: &[Edit],
        words: Words,
    ) -> Result<(Option<String>, Settings), Refusal> {
        let head = if matches!(old, Ok(None)) { HEAD } else { &known.text };
        let invalid = |key: Option<String>, message: String| Refusal {
            key,
            ..Refusal::new(ErrorCode::InvalidSettings, message)
        };
        let new = apply(head, edits).map_err(|error| match error {
            EditError::UnknownChannel(id) => {
                Refusal::new(ErrorCode::UnknownChannel, words.settings_edit_unknown(&id))
            }
            EditError::Value { key, why } => {
                let message = words.settings_edit_value(&key, &why);
                invalid(Some(key), message)
            }
            EditError::Syntax(why) => Refusal::new(ErrorCode::SettingsFile, words.settings_not_toml(&why)),
        })?;
        let settings = parse(new.as_bytes(), &self.path).map_err(|error| {
            let message = error.told_alone(words);
            invalid(error.key, message)
        })?;
        for channel in &settings.channels {
            let Err(error) = channel.config() else { continue };
            // A channel that nobody edits may have lost its files.
            let unchanged = known.settings.channels.contains(channel);
            return Err(if unchanged {
                let name = format_args!("{:?}", channel.name);
                let message = words.settings_edit_channel_first(&name, error.text());
                Refusal::new(ErrorCode::SettingsFile, message)
            } else {
                invalid(Some(error.key.to_owned()), error.told(words))
            });
        }
        Ok((Some(new).filter(|new| new != head), settings))
    }
}

/// What stands in a file that has no error.
struct Known {
    text: String,
    settings: Settings,
    values: Values,
}

/// What edits did to the keyring, before the file is written.
#[derive(Default)]
struct Kept {
    done: bool,
    added: Vec<String>,
}

impl Kept {
    async fn keep(edits: &[Edit], settings: &Settings, words: Words) -> Result<Self, Refusal> {
        let mut kept = Self { done: true, added: Vec::new() };
        let adding = edits.iter().filter_map(|edit| match edit {
            Edit::AddChannel { secret, .. } => Some(secret),
            Edit::Set { .. } | Edit::RemoveChannel { .. } => None,
        });
        let count = adding.clone().count();
        let added = &settings.channels[settings.channels.len().saturating_sub(count)..];
        for (secret, channel) in adding.zip(added) {
            let Some(secret) = secret else { continue };
            if let Err(refusal) = keep(&channel.id, Some(secret), words).await {
                kept.undo().await;
                return Err(refusal);
            }
            kept.added.push(channel.id.clone());
        }
        for edit in edits {
            if let Edit::RemoveChannel { channel } = edit
                && let Err(refusal) = keep(channel, None, words).await
            {
                kept.undo().await;
                return Err(refusal);
            }
        }
        Ok(kept)
    }

    async fn undo(&mut self) {
        for channel in std::mem::take(&mut self.added) {
            if let Err(error) = keyring::remove(&channel, false).await {
                tracing::warn!(channel, %error, "a secret stays in the keyring");
            }
        }
    }
}

/// Keeps a channel's secret in the keyring, or removes it, without a prompt.
pub async fn keep(channel: &str, secret: Option<&Secret>, words: Words) -> Result<(), Refusal> {
    let done = match secret {
        Some(secret) => keyring::write(channel, &usable(secret, words)?, false).await,
        None => keyring::forget(channel).await,
    };
    done.map_err(|error| Refusal::new(ErrorCode::Keyring, error.told(words)))
}

/// A secret as it was typed, if it can be one.
pub fn usable(Secret(secret): &Secret, words: Words) -> Result<String, Refusal> {
    credential::usable("field", secret.as_bytes())
        .map_err(|error| Refusal::new(ErrorCode::InvalidSettings, error.told(words)))
}

/// A content's name.
fn revision(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The text was parsed before, so it can be read.
fn values(text: &str) -> Values {
    toml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).unwrap_or_default()
}

/// Values with the ids of their channels.
struct Model {
    values: Values,
    ids: Vec<Option<String>>,
}

impl Model {
    fn of(text: &str) -> Self {
        Self { values: values(text), ids: ids(text).unwrap_or_default() }
    }

    fn channel(&self, id: &str) -> Option<&Json> {
        let at = self.ids.iter().position(|known| known.as_deref() == Some(id))?;
        self.values.get("channel")?.get(at)
    }

    fn has(&self, id: &str) -> bool {
        self.channel(id).is_some()
    }

    fn at(&self, channel: Option<&str>, key: &str) -> Option<&Json> {
        let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
        let value = match channel {
            None => self.values.get(first),
            Some(id) => self.channel(id)?.get(first),
        };
        match rest {
            Some(rest) => value?.get(rest),
            None => value,
        }
    }
}

/// What holds where the file says nothing.
fn defaults() -> Defaults {
    let table = |value: Json| value.as_object().cloned().unwrap_or_default();
    Defaults {
        values: table(json!({
            "language": "auto",
            "theme": "auto",
            "start_at_login": false,
            "notifications": {
                "burst": 5,
                "refill": "2s",
                "down_after": "10m",
                "quiet_hours": [],
                "critical_breaks_quiet": true,
            },
            "inbox": { "keep_days": 90, "keep_messages": 100_000 },
        })),
        channel: table(json!({
            "kind": "recipe",
            "carrier": "auto",
            "enabled": true,
            "allow_plaintext": false,
            "auth": "bearer",
            "show": "full",
            "format": "plain",
            "images": "never",
            "headers": {},
            "quiet_close_codes": [4500],
            "take_back_after": "never",
            "ignore": ["HeartBeat", "ping", "pong", ""],
            "heartbeat": { "text": "HeartBeat", "interval": "60s", "proxy_timeout": "90s" },
            "liveness": { "ping_after": "20s", "deadline": "15s" },
            "backoff": { "first": "3s", "cap": "60s" },
            "mapping": {},
            "rule": [],
        })),
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
