//! How a channel's user signs in, as the agent holds it.

use std::sync::Arc;

use tidings_api::SessionReport;
use tidings_settings::{ChannelSettings, SignedInBy};
use tokio::sync::watch;

/// How a channel's user signs in, and what is told of that. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    pub(super) by: SignedInBy,
    pub(super) reported: Arc<watch::Sender<SessionReport>>,
}

impl Signing {
    /// Nothing is told of it yet but where it begins.
    pub(super) fn new(settings: &ChannelSettings, by: SignedInBy) -> Self {
        let session = settings.session.as_ref();
        let page = match (&by, session) {
            (SignedInBy::Provider(sign_in), _) => sign_in.provider().issuer.to_string(),
            (SignedInBy::Session(_), Some(session)) => session.sign_in.to_string(),
            (SignedInBy::Session(jar), None) => jar.site().to_owned(),
        };
        let report = SessionReport {
            sign_in: page,
            given_by: (!settings.is_signed_in_by_hand()).then(|| settings.credential.key().to_owned()),
            kept: None,
            in_vain: false,
            life_s: None,
            kept_alive_s: session.and_then(|session| session.keep).map(|keep| keep.as_secs_f64()),
            alive_at: None,
        };
        Self { by, reported: Arc::new(watch::channel(report).0) }
    }

    /// Says who keeps it now, and whether it is of use.
    pub(super) async fn report(&self) {
        let (kept, in_vain) = (self.by.kept().await, self.by.is_in_vain().await);
        self.reported.send_if_modified(|report| {
            let is_new = (report.kept, report.in_vain) != (kept, in_vain);
            (report.kept, report.in_vain) = (kept, in_vain);
            is_new
        });
    }
}
