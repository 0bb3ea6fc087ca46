//! Writes down what devices have acknowledged, so that they go on from there at any node.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::Context;
use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::entry;
use crate::log::devices::{Changes, Devices};

/// How often. Too low: an entry for each message; too high: a device that changes nodes gets more of what it has.
const WRITE: Duration = Duration::from_secs(1);

/// Never ends by itself.
pub(super) async fn write(context: Context, devices: Arc<Devices>) {
    let mut write = interval(WRITE);
    write.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        write.tick().await;
        let changes = devices.take_changes();
        let writes = changes.into_iter().map(async |((user, device), reached)| {
            // One that is forgotten here may be another node's; the stream lets it go by its age.
            let seq = reached?;
            let (subject, message) = entry::ack(&user, &device, seq);
            let published = async { context.send_publish(subject, message).await?.await };
            published.await.err().map(|_| ((user, device), reached))
        });
        let unwritten: Changes = join_all(writes).await.into_iter().flatten().collect();
        devices.give_back(unwritten);
    }
}
