//! What the window reads of the settings and how it changes them.
//!
//! Values are those of the settings file, in JSON for TOML's types; a key that is absent has its default. The agent
//! alone knows what is allowed: it tries the edited file before it writes it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::MessageReport;
use crate::rich::Rich;

/// A table of the settings file: keys to values, subtables nested.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// The settings file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SettingsReport {
    /// Names this very content of the file.
    pub revision: String,
    /// The file's path, as shown to people.
    pub file: String,
    /// What is wrong with the file. Then the last good settings are in force, `values` are empty, and it has to be
    /// mended by hand before it can be edited here.
    pub error: Option<String>,
    /// What stands in the file but for its channels: `language`, `notifications` and so on.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
    /// The channels in the order of the file.
    pub channels: Vec<ChannelValues>,
    /// What holds where the file says nothing.
    pub defaults: Defaults,
    /// Whether there is a keyring to keep secrets in.
    pub keyring: bool,
    /// Why `start_at_login` has no effect on this desktop, for people; `null` where it has, or is off.
    #[serde(default)]
    pub login_trouble: Option<String>,
    /// The dialogues that come with Tidings.
    #[serde(default)]
    pub presets: Vec<PresetReport>,
}

/// A dialogue that comes with Tidings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PresetReport {
    /// What `preset` calls it.
    pub name: String,
    /// Names that `dialogue.set` has to give, each with an example.
    pub needs: BTreeMap<String, String>,
    /// Names that `dialogue.set` may give, each with what holds without.
    pub may: BTreeMap<String, String>,
    /// Its texts say the secret; without that it goes with the upgrade request.
    #[serde(default)]
    pub says_secret: bool,
}

/// What holds where the file says nothing, in the same form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Defaults {
    /// Of the file but for its channels.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
    /// Of one channel.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub channel: Values,
}

/// One `[[channel]]` of the settings file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChannelValues {
    /// Its id, also where the file leaves it to follow from the name.
    pub id: String,
    /// What stands in the file.
    #[cfg_attr(test, ts(type = "Record<string, any>"))]
    pub values: Values,
    /// Whether the keyring holds a secret for it; `null` where that can't be told.
    pub has_secret: Option<bool>,
}

/// One change of the settings file. Keys are paths, such as `notifications.burst`, or `heartbeat.interval` in a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// Give a key a value.
    Set {
        /// Id of the channel; `null`: the file itself.
        channel: Option<String>,
        /// Its path.
        key: String,
        /// `null` removes the key: its default holds.
        #[cfg_attr(test, ts(type = "any"))]
        value: serde_json::Value,
    },
    /// Add a channel after the others.
    AddChannel {
        /// What stands in its table; `url` must be there.
        #[cfg_attr(test, ts(type = "Record<string, any>"))]
        values: Values,
        /// Kept in the keyring before the channel connects.
        secret: Option<Secret>,
    },
    /// Remove a channel, and its secret from the keyring. Its messages stay.
    RemoveChannel {
        /// Id.
        channel: String,
    },
}

/// A token or password on its way into the keyring. Goes one way only, and shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// One step of a channel's trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Step {
    /// Which: `secret`, `name`, `proxy`, `tcp`, `tls`, `upgrade`, `ping` and such.
    pub step: String,
    /// Whether it went well; `null`: neither good nor bad.
    pub ok: Option<bool>,
    /// How long it took, in milliseconds.
    pub ms: Option<f64>,
    /// What was found, for people.
    pub detail: String,
    /// What to do about it, for people.
    pub mend: Option<String>,
}

/// What a message would look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preview {
    /// The message as it would be stored.
    pub message: MessageReport,
    /// What its Markdown says; absent where the body is shown as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub rich: Option<Rich>,
    /// Whether a popup would show it, by the channel's rules.
    pub popup: bool,
    /// It is protocol noise by `ignore`, and would not become a message at all.
    pub ignored: bool,
    /// The text that was read.
    pub sample: String,
}

/// What a dialogue makes of frames that were pasted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Rehearsal {
    /// The open, and then each frame.
    pub turns: Vec<Turn>,
}

/// One thing that happens, and what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Turn {
    /// The frame that was heard; `null`: the link has opened.
    pub heard: Option<String>,
    /// What is said, in this order; the secret is `***`.
    pub said: Vec<String>,
    /// Texts that can't be made, as a name in them isn't known here, and aren't said.
    pub unsaid: usize,
    /// The messages in it, as they would look.
    pub messages: Vec<Preview>,
    /// What it means.
    pub means: Vec<Meaning>,
    /// What is told of a refusal; untrusted.
    pub refused: Option<String>,
}

/// What a frame means to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Nothing follows from it.
    Noise,
    /// The server has yet to take the sign-in.
    SignIn,
    /// The server has yet to take the subscription.
    Subscribe,
    /// The subscription stands.
    Connected,
    /// All that was missed has come.
    CaughtUp,
    /// The server refuses.
    Refused,
    /// Another instance has taken over.
    Replaced,
    /// The link ends in an ordinary way, and is dialled again.
    Ended,
}

/// What the page is answered that asks for a preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Previewed {
    /// Of a message.
    Message(Box<Preview>),
    /// Of a dialogue.
    Rehearsal(Rehearsal),
}
