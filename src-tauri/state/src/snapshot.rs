//! What the agent shows of itself at one moment: the tray, the socket and the command line are projections of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tidings_api::{
    ChannelKind, ChannelReport, Close, IdleLimit, SessionReport, StageName, StateLine, StateName,
    StatusReport,
};
use tidings_channel::{Cause, PeerCheck, Stage, State, Status};
use tidings_inbox::{Dropped, Message, Show, Unread};
use tidings_settings::Theme;
use tidings_settings::credential::CredentialSource;
use tidings_words::Words;
use tokio::sync::watch;

pub use crate::clock::timestamp;
use crate::notice::{Notice, Source};
use crate::session::SessionView;
use crate::trouble::Trouble;
use crate::{carried, caught_up, cause};

/// Id of the demo's channel, which stands in no settings file: no id there can hold this character.
pub const DEMO: &str = "~demo";

/// Everything that is shown. Published over a `watch`; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// In the language in force.
    pub words: Words,
    /// The window's.
    pub theme: Theme,
    /// In the order of the settings file.
    pub channels: Vec<ChannelView>,
    /// What the user should know and mend, by where it comes from: the newest of each source.
    pub notices: BTreeMap<Source, Notice>,
    /// What popups tell of channels themselves, by id.
    pub troubles: BTreeMap<String, Trouble>,
    /// Popups are held back until then.
    pub paused_until: Option<Timestamp>,
    /// Unread messages.
    pub unread: Unread,
    /// The newest messages, newest first.
    pub recent: Vec<Message>,
    /// The desktop session that the agent is in.
    pub session: SessionView,
}

/// One channel.
#[derive(Debug, Clone)]
pub struct ChannelView {
    /// Its id in the settings.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Without the values of its query.
    pub url: String,
    /// What is spoken with the server.
    pub kind: ChannelKind,
    /// ntfy's.
    pub topics: Vec<String>,
    /// Whether messages can be sent by it.
    pub sends: bool,
    /// Whether it connects at start: one that doesn't is off on purpose.
    pub enabled: bool,
    /// How much of its messages a popup tells.
    pub show: Show,
    /// The channel's own word, always current.
    pub status: watch::Receiver<Status>,
    /// What came over it and is no message, by channel id; always current.
    pub dropped: watch::Receiver<BTreeMap<String, Dropped>>,
    /// Topics that this user may not read, as the server says; always current.
    pub left_out: watch::Receiver<Vec<String>>,
    /// Where its secret comes from.
    pub credential: CredentialSource,
    /// How its sign-in does, where it has a session or a provider; always current.
    pub session: Option<watch::Receiver<SessionReport>>,
    /// When it came into its present state.
    pub since: Timestamp,
}

impl ChannelView {
    /// The newest.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Whether a person signs in to it, in Tidings, and gets something by that.
    pub fn offers_sign_in(&self) -> bool {
        let offers = |session: &SessionReport| session.given_by.is_none() && !session.in_vain;
        self.session.as_ref().is_some_and(|session| offers(&session.borrow()))
    }

    /// Whether a person means it by this: its id or its name.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name == name
    }
}

impl Snapshot {
    /// In the language in force.
    pub fn told_notices(&self) -> impl Iterator<Item = String> {
        self.notices.values().map(|notice| notice.told(self.words))
    }

    /// In the words of the contract.
    pub fn report(&self) -> StatusReport {
        StatusReport {
            version: tidings_api::VERSION.to_owned(),
            language: self.words.language().tag().to_owned(),
            theme: self.theme.as_str().to_owned(),
            paused_until: self.paused_until,
            unread: self.unread.total,
            notices: self.told_notices().collect(),
            channels: self.channels.iter().map(|channel| self.channel_report(channel)).collect(),
        }
    }

    fn channel_report(&self, channel: &ChannelView) -> ChannelReport {
        let status = channel.status();
        let mut line = state_line(&channel.name, &status.state, channel.since, self.words);
        if let State::NeedsUser {
            cause: Cause::SignInRefused { status: 401 } | Cause::Broker { code: 0x86, .. },
            ..
        } = status.state
            && let Some(cause) = &mut line.cause
            && channel.credential == CredentialSource::Keyring
        {
            *cause = self.words.cause_mend_secret(cause, &channel.id);
        }
        if status.braked
            && let Some(cause) = &mut line.cause
        {
            *cause = self.words.cause_braked(cause);
        }
        if let State::NeedsUser { cause: Cause::SignInRefused { status: 403 }, .. } = status.state
            && let Some(cause) = &mut line.cause
        {
            *cause = self.words.cause_mend_forbidden(cause);
        }
        if let State::NeedsUser { cause: Cause::Broker { code: 0x87, .. }, .. } = status.state
            && let Some(cause) = &mut line.cause
        {
            *cause = self.words.cause_mend_broker(cause);
        }
        ChannelReport {
            id: channel.id.clone(),
            name: channel.name.clone(),
            url: channel.url.clone(),
            kind: channel.kind,
            carrier: carried::name(status.carrier),
            topics: channel.topics.clone(),
            sends: channel.sends,
            state: line.state,
            stage: stage(&status.state),
            since: line.since,
            attempt: line.attempt,
            retry_at: line.retry_at,
            cause: line.cause,
            last_close: status
                .last_close
                .clone()
                .map(|close| Close { code: close.code, reason: close.reason }),
            rtt_ms: status.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
            answers_pings: match status.peer {
                PeerCheck::Unknown => None,
                PeerCheck::Answers => Some(true),
                PeerCheck::CannotBeChecked => Some(false),
            },
            left_out: channel.left_out.borrow().clone(),
            idle_limit: status.idle_limit.map(|limit| IdleLimit {
                after_s: limit.after.as_secs_f64(),
                kept_awake_s: limit.kept_awake.as_secs_f64(),
            }),
            instead_of: carried::instead_of(&status, self.words),
            last_inbound: status.last_inbound.map(timestamp),
            links_opened: status.links_opened,
            unread: self.unread.by_channel.get(&channel.id).copied().unwrap_or(0),
            session: channel.session.as_ref().map(|session| session_report(&session.borrow(), &status)),
            caught_up: caught_up::report(&status),
            dropped: channel.dropped.borrow().get(&channel.id).map(dropped_report),
            demo: channel.id == DEMO,
        }
    }
}

/// With what is known of the life of the site's sessions.
fn session_report(session: &SessionReport, status: &Status) -> SessionReport {
    let life_s = status.session_life.map(|life| life.as_secs_f64());
    SessionReport { life_s, ..session.clone() }
}

/// How far it is, in the words of the contract.
fn stage(state: &State) -> Option<StageName> {
    let State::Connecting { stage, .. } = state else { return None };
    Some(match stage {
        Stage::Credential => StageName::Credential,
        Stage::Lookup => StageName::Lookup,
        Stage::Tcp => StageName::Tcp,
        Stage::Tls => StageName::Tls,
        Stage::Upgrade | Stage::Answer | Stage::Stream => StageName::Upgrade,
        Stage::SignIn => StageName::SignIn,
        Stage::Subscribe => StageName::Subscribe,
    })
}

/// A state in the words of the contract. `entered` stands in where the state itself names no time.
pub fn state_line(channel: &str, state: &State, entered: Timestamp, words: Words) -> StateLine {
    let (name, since, attempt, retry_at, cause) = match state {
        State::Disconnected { since } => (StateName::Disconnected, Some(*since), 0, None, None),
        State::Connecting { attempt, .. } => (StateName::Connecting, None, *attempt, None, None),
        State::Connected { since } => (StateName::Connected, Some(*since), 0, None, None),
        State::Waiting { retry_at, attempt, cause } => {
            (StateName::Waiting, None, *attempt, Some(*retry_at), Some(cause))
        }
        State::Replaced { since } => (StateName::Replaced, Some(*since), 0, None, None),
        State::NeedsUser { cause, retry_at } => (StateName::NeedsUser, None, 0, Some(*retry_at), Some(cause)),
    };
    StateLine {
        channel: channel.to_owned(),
        state: name,
        since: since.map_or(entered, timestamp),
        attempt,
        retry_at: retry_at.map(timestamp),
        cause: cause.map(|cause| cause::told(cause, words)),
    }
}

fn dropped_report(dropped: &Dropped) -> tidings_api::Dropped {
    let Dropped { repeated, ignored } = *dropped;
    tidings_api::Dropped { repeated, ignored }
}
