//! How fast may be pushed: a bucket for each who pushes.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many are told apart. Too low: strangers share a bucket; too high: memory for whoever comes from many addresses.
const MOST: usize = 10_000;

/// How many messages a second, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// A second, in the long run.
    pub per_second: f64,
    /// At once, after a pause.
    pub burst: f64,
}

/// Not of the form of a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate such as 100/s, 600/m or 100/s:500 (the last: at once)")]
pub struct NoRate(String);

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let error = || NoRate(text.to_owned());
        let count = |text: &str| {
            let digits =
                !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|count| digits && *count > 0).map(f64::from).ok_or_else(error)
        };
        let (rate, burst) = text.split_once(':').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let (number, unit) = rate.split_once('/').ok_or_else(error)?;
        let seconds = match unit {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return Err(error()),
        };
        let number = count(number)?;
        let burst = burst.map_or(Ok(number), count)?;
        Ok(Self { per_second: number / seconds, burst })
    }
}

/// Who pushes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Pusher {
    /// By the name of its token.
    Token(String),
    /// Without one; of IPv6 the first 64 bits, which one household or machine has to itself.
    Address(IpAddr),
    /// All those for whom there is no room in the table.
    Others,
}

impl Pusher {
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            v4 @ IpAddr::V4(_) => v4,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        })
    }
}

pub(crate) struct Buckets {
    rate: Option<Rate>,
    most: usize,
    buckets: Mutex<HashMap<Pusher, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// May be below 0: one push to many takes all that they are at once, and is paid for afterwards.
    left: f64,
    at: Instant,
}

impl Buckets {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, most: MOST, buckets: Mutex::default() }
    }

    /// Takes so many messages from the pusher's bucket.
    ///
    /// # Errors
    /// It is empty: how long until there is one again.
    pub(crate) fn take(&self, pusher: &Pusher, messages: usize, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= self.most && !buckets.contains_key(pusher) {
            // Those that are full are as good as new ones.
            buckets.retain(|_, bucket| bucket.filled(rate, now).left < rate.burst);
        }
        let known = buckets.len() < self.most || buckets.contains_key(pusher);
        let pusher = if known { pusher } else { &Pusher::Others };
        let bucket = buckets.entry(pusher.clone()).or_insert(Bucket { left: rate.burst, at: now });
        *bucket = bucket.filled(rate, now);
        if bucket.left < 1.0 {
            return Err(
                Duration::try_from_secs_f64((1.0 - bucket.left) / rate.per_second).unwrap_or(Duration::MAX)
            );
        }
        #[expect(clippy::cast_precision_loss, reason = "at most the users of one push")]
        let taken = messages as f64;
        bucket.left -= taken;
        Ok(())
    }
}

impl Bucket {
    fn filled(self, rate: Rate, now: Instant) -> Self {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        Self { left: (self.left + since * rate.per_second).min(rate.burst), at: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Buckets {
        Buckets::new(Some(text.parse().expect("a rate")))
    }

    fn named(name: &str) -> Pusher {
        Pusher::Token(name.to_owned())
    }

    #[test]
    fn a_bucket_holds_a_burst_and_fills_at_the_rate() {
        let (buckets, start) = (of("2/s:3"), Instant::now());
        for _ in 0..3 {
            assert_eq!(buckets.take(&named("a"), 1, start), Ok(()));
        }
        assert_eq!(buckets.take(&named("a"), 1, start), Err(Duration::from_millis(500)));
        assert_eq!(buckets.take(&named("b"), 1, start), Ok(()), "another one has a bucket of its own");
        assert_eq!(buckets.take(&named("a"), 1, start + Duration::from_millis(500)), Ok(()));
        assert!(buckets.take(&named("a"), 1, start + Duration::from_millis(500)).is_err());
    }

    #[test]
    fn a_push_to_many_counts_as_many_and_is_paid_for_afterwards() {
        let (buckets, start) = (of("10/s"), Instant::now());
        assert_eq!(buckets.take(&named("a"), 30, start), Ok(()));
        assert_eq!(buckets.take(&named("a"), 1, start), Err(Duration::from_millis(2100)));
        assert_eq!(buckets.take(&named("a"), 1, start + Duration::from_millis(2100)), Ok(()));
    }

    #[test]
    fn the_table_is_bounded_whoever_comes() {
        let (mut buckets, start) = (of("1/s"), Instant::now());
        buckets.most = 100;
        for number in 0..1000_u32 {
            let _ = buckets.take(&Pusher::at(IpAddr::from(number.to_be_bytes())), 1, start);
        }
        let kept = |buckets: &Buckets| buckets.buckets.lock().map_or(0, |buckets| buckets.len());
        assert!(kept(&buckets) <= 101, "{}", kept(&buckets));
        // Those that have been quiet make room.
        let _ = buckets.take(&named("new"), 1, start + Duration::from_secs(2));
        assert!(kept(&buckets) <= 2, "{}", kept(&buckets));
    }

    #[test]
    fn addresses_of_one_machine_share_a_bucket() {
        let at = |text: &str| Pusher::at(text.parse().expect("an address"));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:10.0.0.7"), at("10.0.0.7"));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for wrong in ["", "5", "0/s", "5/d", "/s", "-5/s", "1e9/s", "5/s:0", "5/s:", "99999999999/s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong:?}");
        }
        assert_eq!("600/m".parse(), Ok(Rate { per_second: 10.0, burst: 600.0 }));
    }
}
