//! One channel that the agent holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tidings_api::SessionReport;
use tidings_channel::{Channel, Command, Config, Kept, Signal, State, Status};
use tidings_inbox::{ChannelProfile, Dropped};
use tidings_settings::ChannelSettings;
use tidings_settings::credential::{CredentialSource, Credentials, Forget};
use tidings_state::loan::Lent;
use tidings_state::snapshot::ChannelView;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::signing::Signing;
use crate::remembered::Remembered;
use crate::signals::network::{Path, Routes, Target};

#[derive(Debug)]
pub(super) struct Held {
    pub(super) settings: ChannelSettings,
    pub(super) channel: Channel,
    pub(super) profile: watch::Sender<Arc<ChannelProfile>>,
    pub(super) view: ChannelView,
    pub(super) state: &'static str,
    /// Makes the channel forget its secret, so that it is read again.
    pub(super) forget: Forget,
    pub(super) credentials: Arc<Mutex<Credentials>>,
    /// How its user signs in, where that is done by hand.
    pub(super) signing: Option<Signing>,
    /// What it dials by.
    pub(super) config: Config,
    /// Where its server is, and the way there at the last look.
    pub(super) target: Target,
    pub(super) path: Path,
    pub(super) lent: Option<Lent>,
    pub(super) pump: JoinHandle<()>,
}

impl Held {
    /// Settings that leave the link as it is.
    pub(super) fn adopt(&mut self, settings: ChannelSettings, remembered: &mut Remembered) {
        if settings.enabled != self.settings.enabled {
            remembered.set_channel(&settings.id, None);
            self.command(if settings.enabled { Command::Connect } else { Command::Disconnect });
        }
        self.profile.send_replace(Arc::new(settings.profile()));
        self.view = ChannelView {
            since: self.view.since,
            ..view(
                &settings,
                self.view.status.clone(),
                self.view.dropped.clone(),
                self.view.left_out.clone(),
                self.view.session.clone(),
            )
        };
        self.settings = settings;
    }

    /// Whether the keyring has its secret, if anything has.
    pub(super) fn has_secret_in_keyring(&self) -> bool {
        matches!(self.settings.credential, CredentialSource::Keyring | CredentialSource::Provider(_))
    }

    /// What the next agent has to know.
    pub(super) fn known(&self) -> Kept {
        self.config.memory.kept().borrow().clone()
    }

    /// A link that came up or ended: from now on the way is another one.
    pub(super) fn look_at_target(&mut self) {
        let target = Target::of(&self.config, &self.view.status());
        if target != self.target {
            self.target = target;
            let was_there = self.path.is_there();
            let routes = Routes::look();
            self.path = Path::to(target, &routes);
            self.config.memory.arrive(self.path.network(&routes));
            if self.path.is_there() != was_there {
                self.channel.signal(Signal::NetworkChanged { online: self.path.is_there() });
            }
        }
    }

    /// While the channel is lent, a wish is for what follows.
    pub(super) fn command(&mut self, command: Command) {
        match &mut self.lent {
            None => self.channel.command(command),
            Some(lent) => match command {
                Command::Connect | Command::TakeOver | Command::ReconnectNow => lent.take_back = true,
                Command::Disconnect => lent.take_back = false,
                Command::CredentialChanged | Command::Renew | Command::ShutDown => {
                    self.channel.command(command);
                }
            },
        }
    }

    /// Whether it has a link or will dial.
    pub(super) fn is_live(&self) -> bool {
        match self.view.status().state {
            State::Connecting { .. }
            | State::Connected { .. }
            | State::Waiting { .. }
            | State::NeedsUser { .. } => true,
            State::Disconnected { .. } | State::Replaced { .. } => false,
        }
    }

    /// Whether it is lent or just being taken back.
    pub(super) fn is_lent(&mut self) -> bool {
        let Some(lent) = &self.lent else { return false };
        let back = lent.take_back;
        if lent.is_over() {
            self.lent = None;
            if back {
                self.channel.command(Command::Connect);
            }
            return back;
        }
        true
    }

    /// Closes the link and waits until what it brought is with the inbox.
    pub(super) async fn end(self) {
        self.channel.shut_down().await;
        if let Err(error) = self.pump.await {
            tracing::error!(%error, channel = self.settings.id, "a channel's pump ended badly");
        }
    }
}

/// How a channel is shown from now on.
pub(super) fn view(
    settings: &ChannelSettings,
    status: watch::Receiver<Status>,
    dropped: watch::Receiver<BTreeMap<String, Dropped>>,
    left_out: watch::Receiver<Vec<String>>,
    session: Option<watch::Receiver<SessionReport>>,
) -> ChannelView {
    ChannelView {
        id: settings.id.clone(),
        name: settings.name.clone(),
        url: settings.shown_url(),
        kind: settings.kind.name(),
        topics: settings.kind.topics().to_vec(),
        sends: settings.sends(),
        enabled: settings.enabled,
        show: settings.profile().show,
        status,
        dropped,
        left_out,
        credential: settings.credential.clone(),
        session,
        since: Timestamp::now(),
    }
}
