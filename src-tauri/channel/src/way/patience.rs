//! Waiting no longer than a limit.

use std::pin::pin;
use std::time::Duration;

use crate::end::cause::{Cause, Stage};

/// Waits at most `limit`. What has arrived by then counts, also where this process was stopped meanwhile (L6).
pub(crate) async fn within<T>(
    limit: Duration,
    stage: Stage,
    what: impl Future<Output = T>,
) -> Result<T, Cause> {
    let mut what = pin!(what);
    if let Ok(done) = tokio::time::timeout(limit, &mut what).await {
        return Ok(done);
    }
    // The reactor's turn: only it knows what has arrived.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        done = what => Ok(done),
        () = std::future::ready(()) => Err(Cause::TimedOut { stage }),
    }
}
