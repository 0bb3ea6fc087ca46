//! How many popups may go out: a token bucket.

use std::time::{Duration, Instant};

/// Holds a token for each popup that may go out now.
#[derive(Debug)]
pub(crate) struct Bucket {
    burst: u32,
    refill: Duration,
    tokens: u32,
    /// The next token's time runs from here; of no meaning while the bucket is full.
    since: Instant,
}

impl Bucket {
    /// A full one; both numbers are at least the smallest above zero.
    pub(crate) fn new(burst: u32, refill: Duration, now: Instant) -> Self {
        let burst = burst.max(1);
        Self { burst, refill: refill.max(Duration::from_nanos(1)), tokens: burst, since: now }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        if self.tokens == self.burst {
            self.since = now;
        }
        let taken = self.tokens.checked_sub(1);
        self.tokens = taken.unwrap_or(0);
        taken.is_some()
    }

    /// Whether nothing went out for as long as it takes to fill it.
    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens == self.burst
    }

    /// When there is a token.
    pub(crate) fn next(&mut self, now: Instant) -> Instant {
        self.fill(now);
        if self.tokens > 0 { now } else { self.since + self.refill }
    }

    fn fill(&mut self, now: Instant) {
        let refills = now.saturating_duration_since(self.since).as_nanos() / self.refill.as_nanos();
        let missing = self.burst - self.tokens;
        match u32::try_from(refills) {
            Ok(refills) if refills < missing => {
                self.tokens += refills;
                self.since += self.refill * refills;
            }
            Ok(_) | Err(_) => self.tokens = self.burst,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_refills_go_out_and_never_less(
            burst in 1..20_u32,
            refill in 1..5_000_u64,
            gaps in prop::collection::vec(0..20_000_u64, 1..200),
        ) {
            let refill = Duration::from_millis(refill);
            let start = Instant::now();
            let mut bucket = Bucket::new(burst, refill, start);
            let mut now = start;
            let mut taken: Vec<Instant> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap) / 4;
                let next = bucket.next(now);
                let took = bucket.take(now);
                prop_assert_eq!(took, next <= now, "what is promised is kept");
                if took {
                    taken.push(now);
                } else {
                    prop_assert!(next - now <= refill);
                }
                // In each stretch of time that ends now.
                for (index, first) in taken.iter().enumerate() {
                    let most = u128::from(burst) + (now - *first).as_nanos() / refill.as_nanos();
                    prop_assert!((taken.len() - index) as u128 <= most);
                }
            }
            now += refill * burst;
            prop_assert!(bucket.is_full(now));
            for _ in 0..burst {
                prop_assert!(bucket.take(now));
            }
            prop_assert!(!bucket.take(now));
        }
    }
}
