//! Whether and how a stored message is shown: the channel's rules, then the message's own `silent`.
//!
//! When it is shown is the [gate](crate::gate)'s business.

use minijinja::Value;
use tidings_template::json;

use crate::message::{Message, Raw, Sound};
use crate::profile::{ChannelProfile, Rule, Then};
use crate::text::{bare, readable};

/// What becomes of a stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It pops up.
    Notify,
    /// It is in the inbox, unread, and that's all.
    Store,
}

/// Whether a popup would tell of this message, were it to come now with nothing to hold it back. Its urgency and sound are
/// those of the channel's rules from then on.
#[must_use]
pub fn pops_up(profile: &ChannelProfile, message: &mut Message) -> bool {
    decide(profile, message) == Decision::Notify
}

/// Applies the channel's rules to the message.
pub(crate) fn decide(profile: &ChannelProfile, message: &mut Message) -> Decision {
    if !message.unread {
        // There is nothing to read in it, so nothing to tell of.
        return Decision::Store;
    }
    let own = if message.silent { Decision::Store } else { Decision::Notify };
    let Some(rule) = first_match(profile, message) else { return own };
    if let Some(urgency) = rule.urgency {
        message.urgency = urgency;
    }
    if let Some(sound) = &rule.sound {
        message.sound = sound.clone();
    }
    match rule.then {
        None => own,
        Some(Then::Notify) => Decision::Notify,
        Some(Then::Silent) => {
            message.sound = Sound::Off;
            Decision::Notify
        }
        Some(Then::Store) => Decision::Store,
    }
}

/// Whether the channel takes the message for protocol noise.
pub(crate) fn is_ignored(profile: &ChannelProfile, message: &Message) -> bool {
    let Some(when) = &profile.ignore_when else { return false };
    when.holds(&facts(message, when.uses("json"))).unwrap_or_else(|why| {
        tracing::info!(channel = profile.id, %why, "`ignore_when` could not be asked about a message, so it is kept");
        false
    })
}

fn first_match<'p>(profile: &'p ChannelProfile, message: &Message) -> Option<&'p Rule> {
    let conditions = || profile.rules.iter().filter_map(|rule| rule.when.as_ref());
    let facts = conditions().next().map(|_| facts(message, conditions().any(|when| when.uses("json"))));
    profile.rules.iter().find(|rule| match (&rule.when, &facts) {
        (Some(when), Some(facts)) => when.holds(facts).unwrap_or_else(|why| {
            tracing::info!(channel = profile.id, %why, "a rule could not be asked about a message, so it doesn't match");
            false
        }),
        (Some(_), None) => false,
        (None, _) => true,
    })
}

fn facts(message: &Message, with_json: bool) -> Value {
    let raw = match &message.raw {
        Raw::Text(text) => Some(text.as_str()),
        Raw::Binary(bytes) => readable(bytes),
    };
    let json = raw.filter(|_| with_json).and_then(|raw| json(bare(raw))).unwrap_or_default();
    Value::from_pairs([
        ("title", Value::from(message.title.as_str())),
        ("body", Value::from(message.body.as_str())),
        ("priority", Value::from(message.priority.level())),
        ("channel", Value::from(message.channel.as_str())),
        ("topic", Value::from(message.topic.as_deref())),
        ("tags", Value::from(message.tags.clone())),
        ("tag", Value::from(message.tag.as_deref())),
        ("id", Value::from(message.id.as_deref())),
        ("url", Value::from(message.url.as_ref().map(url::Url::as_str))),
        ("silent", Value::from(message.silent)),
        ("raw", Value::from(raw)),
        ("json", json),
    ])
}
