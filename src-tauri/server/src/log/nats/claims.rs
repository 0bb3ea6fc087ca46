//! Claims the users whose links are opened here, so that their older links on other nodes give way.
//!
//! A claim is an entry of the stream, and its number what fences: a link gives way to a claim that has a higher one than
//! its own ([`Users::claimed`]), and to nothing else. So exactly one of two links stays, whatever comes late; what a node
//! that died has claimed hurts nobody; and where nothing can be claimed (no quorum) both stay until it can.

use std::sync::Arc;

use async_nats::jetstream::Context;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    entry,
    health::{Health, PAUSE},
};
use crate::users::Users;

/// A link that is to have its user.
pub(super) struct Claim {
    pub(super) user: String,
    /// Which of the user's devices, where each may have a link.
    pub(super) device: Option<String>,
    pub(super) link: u64,
}

pub(super) struct Claimer {
    pub(super) context: Context,
    pub(super) users: Arc<Users>,
    pub(super) node: String,
    pub(super) health: watch::Receiver<Health>,
    /// Where a claim goes that came to nothing.
    pub(super) again: mpsc::UnboundedSender<Claim>,
}

impl Claimer {
    /// One publishes for all, so that two links of one user claim in the order in which they were opened.
    pub(super) async fn run(mut self, mut claims: mpsc::UnboundedReceiver<Claim>) {
        while let Some(claim) = claims.recv().await {
            let connected = self.health.wait_for(|health| !matches!(health, Health::Gone(_)));
            if connected.await.is_err() {
                return;
            }
            // Who was replaced, or has gone, claims nothing.
            if !self.users.is_live(&claim.user, claim.link) {
                continue;
            }
            let (subject, message) =
                entry::claim(&claim.user, claim.device.as_deref(), &self.node, claim.link);
            let published = self.context.send_publish(subject, message).await;
            let (users, again) = (Arc::clone(&self.users), self.again.clone());
            tokio::spawn(async move {
                let acknowledged = match published {
                    Ok(published) => published.await,
                    Err(error) => Err(error),
                };
                match acknowledged {
                    Ok(ack) => {
                        users.claimed(&claim.user, claim.device.as_deref(), ack.sequence, Some(claim.link));
                    }
                    Err(error) => {
                        tracing::debug!(user = claim.user, "not claimed yet: {error}");
                        sleep(PAUSE).await;
                        let _ = again.send(claim);
                    }
                }
            });
        }
    }
}
