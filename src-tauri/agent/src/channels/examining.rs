//! Examines channels that are held, and tries those that may come to be (R3).

use std::time::Duration;

use tidings_api::{ErrorCode, Examine, Refusal, Step};
use tidings_channel::{ChannelUrl, State};
use tidings_examination::lender::Lender;
use tidings_examination::{Examination, Reach};
use tidings_settings::ChannelSettings;
use tokio::sync::mpsc;

use super::Channels;
use super::held::Held;

impl Channels {
    /// Starts to examine a channel: one that is kept connected is let go of, tried and taken back (R3).
    pub(crate) fn examine(&self, what: &Examine) -> Result<mpsc::Receiver<Step>, Refusal> {
        let url = ChannelUrl::parse(&what.channel, true).ok();
        let meant =
            |held: &&Held| held.view.is_called(&what.channel) || Some(&held.settings.url) == url.as_ref();
        let Some(held) = self.held.iter().find(meant) else {
            return Err(self.unknown(url.is_none().then_some(what.channel.as_str())));
        };
        let reach = if what.upgrade || held.is_live() {
            Reach::Link {
                idle: what.idle_ms.map(Duration::from_millis),
                lender: Some(Lender::new(self.wishes.clone(), held.settings.id.clone())),
            }
        } else {
            Reach::Handshake
        };
        let mut examination = Examination::of(&held.settings, reach, self.words())
            .map_err(|error| Refusal::new(ErrorCode::SettingsFile, error.told(self.words())))?;
        examination.credentials = examination.credentials.map(|own| own.going_on(held.signed_in_by()));
        examination.config.memory = held.config.memory.clone();
        let (steps, told) = mpsc::channel(tidings_examination::STEPS);
        tokio::spawn(tidings_examination::examine(examination, steps));
        Ok(told)
    }

    /// Tries a channel with the upgrade and the first ping. Where it is one that is held and connected, its link is told of
    /// instead; where the trial would replace a held link, that is let go of meanwhile (R3).
    pub(crate) fn try_out(
        &self,
        channel: &ChannelSettings,
        secret: Option<String>,
    ) -> Result<mpsc::Receiver<Step>, Refusal> {
        let same_user = |held: &&Held| {
            let held = &held.settings;
            held.id == channel.id
                || (held.url == channel.url
                    && held.credential == channel.credential
                    && held.auth == channel.auth)
        };
        let held = self.held.iter().find(same_user);
        let live = held.filter(|held| secret.is_none() && !held.settings.link_differs(channel));
        let live = live.map(|held| held.channel.status());
        let live = live.filter(|status| matches!(status.borrow().state, State::Connected { .. }));
        let lender = || held.map(|held| Lender::new(self.wishes.clone(), held.settings.id.clone()));
        let reach = live.map_or_else(|| Reach::Link { idle: None, lender: lender() }, Reach::Held);
        let mut examination = Examination::of(channel, reach, self.words()).map_err(|error| Refusal {
            key: Some(error.key.to_owned()),
            ..Refusal::new(ErrorCode::InvalidSettings, error.told(self.words()))
        })?;
        // What the trial leaves behind at the server may come to the link that follows.
        if let Some(memory) = held.map(|held| &held.config.memory).or(self.memories.get(&channel.id)) {
            examination.config.memory = memory.clone();
        }
        if let Some(held) = held {
            examination.credentials = examination.credentials.map(|own| own.going_on(held.signed_in_by()));
        }
        if let Some(secret) = secret {
            examination.credentials = examination.credentials.map(|credentials| credentials.given(secret));
        }
        let (steps, told) = mpsc::channel(tidings_examination::STEPS);
        tokio::spawn(tidings_examination::examine(examination, steps));
        Ok(told)
    }
}
