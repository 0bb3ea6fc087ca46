//! What happened, in numbers, in the text format of Prometheus (0.0.4). A dozen lines of text need no library.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the buckets of how long a push takes, in seconds: from what memory takes to what a disk in trouble does.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Why an upgrade was refused.
const REASONS: [(&str, u16); 4] = [("credential", 401), ("page", 403), ("unavailable", 503), ("request", 0)];

/// What a push came to.
const OUTCOMES: [(&str, u16); 9] = [
    ("kept", 200),
    ("request", 400),
    ("credential", 401),
    ("page", 403),
    ("user", 404),
    ("size", 413),
    ("rate", 429),
    ("unavailable", 503),
    ("full", 507),
];

#[derive(Default)]
pub(crate) struct Metrics {
    opened: AtomicU64,
    replaced: AtomicU64,
    refused: [AtomicU64; REASONS.len()],
    pushes: [AtomicU64; OUTCOMES.len()],
    push_bytes: AtomicU64,
    seconds: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

/// What is looked up when somebody asks.
pub(crate) struct Now {
    pub(crate) links: u64,
    pub(crate) kept: Option<u64>,
    pub(crate) ready: bool,
}

impl Metrics {
    /// A link was opened.
    pub(crate) fn opened(&self) {
        add(&self.opened, 1);
    }

    /// … was replaced by a newer one.
    pub(crate) fn replaced(&self) {
        add(&self.replaced, 1);
    }

    /// An upgrade was answered with something else than 101.
    pub(crate) fn refused(&self, status: u16) {
        add(&self.refused[at(&REASONS, status)], 1);
    }

    /// Takes note of what a message for one user came to. The time is that of a message that was kept.
    pub(crate) fn push(&self, status: u16, bytes: usize, took: Duration) {
        let outcome = at(&OUTCOMES, status);
        add(&self.pushes[outcome], 1);
        if outcome == 0 {
            add(&self.push_bytes, bytes as u64);
            let bucket =
                BUCKETS.iter().position(|bound| took.as_secs_f64() <= *bound).unwrap_or(BUCKETS.len());
            add(&self.seconds[bucket], 1);
            add(&self.micros, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn text(&self, now: &Now) -> String {
        let mut out = Text(String::new());
        let get = |number: &AtomicU64| number.load(Relaxed);
        out.family("tidings_ready", "gauge", "1 while links and pushes are taken, else 0.");
        out.line("tidings_ready", u8::from(now.ready).into());
        out.family("tidings_links", "gauge", "Links that are open.");
        out.line("tidings_links", now.links);
        out.family("tidings_links_opened_total", "counter", "Links that were opened.");
        out.line("tidings_links_opened_total", get(&self.opened));
        out.family(
            "tidings_links_replaced_total",
            "counter",
            "Links that a newer one of their user replaced.",
        );
        out.line("tidings_links_replaced_total", get(&self.replaced));
        out.family("tidings_links_refused_total", "counter", "Upgrades that were refused, by reason.");
        for ((reason, _), count) in REASONS.iter().zip(&self.refused) {
            out.line(&format!("tidings_links_refused_total{{reason=\"{reason}\"}}"), get(count));
        }
        out.family(
            "tidings_pushes_total",
            "counter",
            "Messages that were pushed, each user's counted, by outcome.",
        );
        for ((outcome, _), count) in OUTCOMES.iter().zip(&self.pushes) {
            out.line(&format!("tidings_pushes_total{{outcome=\"{outcome}\"}}"), get(count));
        }
        out.family("tidings_push_bytes_total", "counter", "Bytes of the messages that were kept.");
        out.line("tidings_push_bytes_total", get(&self.push_bytes));
        if let Some(kept) = now.kept {
            out.family("tidings_messages_kept", "gauge", "Messages that are kept for users to come back.");
            out.line("tidings_messages_kept", kept);
        }
        out.family("tidings_push_seconds", "histogram", "From a push's last byte until it was kept.");
        let mut count = 0;
        for (bound, bucket) in
            BUCKETS.iter().map(f64::to_string).chain(["+Inf".to_owned()]).zip(&self.seconds)
        {
            count += get(bucket);
            out.line(&format!("tidings_push_seconds_bucket{{le=\"{bound}\"}}"), count);
        }
        let _ = writeln!(
            out.0,
            "tidings_push_seconds_sum {}",
            Duration::from_micros(get(&self.micros)).as_secs_f64()
        );
        out.line("tidings_push_seconds_count", count);
        out.0
    }
}

/// The place of a status; of one that isn't there, that of what the request itself was.
fn at<const N: usize>(kinds: &[(&str, u16); N], status: u16) -> usize {
    let request = || kinds.iter().position(|(name, _)| *name == "request");
    kinds.iter().position(|(_, known)| *known == status).or_else(request).unwrap_or_default()
}

fn add(number: &AtomicU64, more: u64) {
    number.fetch_add(more, Relaxed);
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text can't fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, value: u64) {
        let _ = writeln!(self.0, "{name} {value}");
    }
}
