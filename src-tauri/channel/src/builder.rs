//! What most owners need to say of a channel, one call each.

use tokio::sync::mpsc;

use crate::{
    Backoff, Channel, ChannelUrl, ClientCert, Config, Credential, DialParams, Frame, Heartbeat, Liveness,
    Owner, ProxyUrl, Start, TakeBack, Timing,
};

/// A channel to be; see [`Channel::to`].
#[derive(Debug)]
#[must_use = "nothing connects before `spawn`"]
pub struct Builder<O = DialParams> {
    config: Config,
    start: Start,
    owner: O,
}

impl Builder {
    pub(crate) fn new(url: ChannelUrl) -> Self {
        Self { config: Config::new(url), start: Start::Connect, owner: DialParams::default() }
    }

    /// Every dial carries this credential. One that changes comes from an [`owner`](Self::owner).
    pub fn credential(mut self, credential: Credential) -> Self {
        self.owner.credential = Some(credential);
        self
    }

    /// Every dial carries this header, such as `Origin`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.owner.headers.push((name.into(), value.into()));
        self
    }

    /// Every dial asks this owner for credential, headers and query, in place of what was said so far.
    pub fn owner<O: Owner>(self, owner: O) -> Builder<O> {
        Builder { config: self.config, start: self.start, owner }
    }
}

impl<O: Owner> Builder<O> {
    /// How it begins; by default it connects.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The application's heartbeat.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.config.heartbeat = heartbeat;
        self
    }

    /// Proof of life.
    pub fn liveness(mut self, liveness: Liveness) -> Self {
        self.config.liveness = liveness;
        self
    }

    /// Delays after failures.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// Close codes that mean *replaced*, in place of 4500.
    pub fn quiet_close_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.config.quiet_close_codes = codes.into_iter().collect();
        self
    }

    /// Takes over again by itself after it was replaced.
    pub fn take_back(mut self, take_back: TakeBack) -> Self {
        self.config.take_back_after = Some(take_back);
        self
    }

    /// Trusts these certificate authorities, too (PEM).
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.config.ca_pem = Some(pem.into());
        self
    }

    /// Shows this certificate to a server that asks for one.
    pub fn client_cert(mut self, cert: ClientCert) -> Self {
        self.config.client_cert = Some(cert);
        self
    }

    /// Goes through this proxy; [`ProxyUrl::from_env`] is the environment's.
    pub fn proxy(mut self, proxy: impl Into<Option<ProxyUrl>>) -> Self {
        self.config.proxy = proxy.into();
        self
    }

    /// The numbers that are no settings, for tests.
    pub fn timing(mut self, timing: Timing) -> Self {
        self.config.timing = timing;
        self
    }

    /// Starts the channel's task, as [`Channel::spawn`] does.
    pub fn spawn(self) -> (Channel, mpsc::Receiver<Frame>) {
        Channel::spawn(self.config, self.start, self.owner)
    }
}
