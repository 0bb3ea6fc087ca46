//! What a server meets when it comes back: 100,000 clients in invented time, each with the crate's real machine,
//! beside two that are often seen, which dial again at once or every 3 s.
//!
//! ```sh
//! cargo run --release -p tidings-channel --features simulate --example fleet
//! ```
//!
//! A model: the server takes every dial, so no client is in another's way. A refused dial costs one round trip,
//! a good one three (TCP, TLS, upgrade); round trips are 10 to 150 ms.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tidings_channel::simulate::{Client, UP};
use tidings_channel::{ChannelUrl, Config};

const CLIENTS: usize = 100_000;
/// Ours may dial so often in a second, once the server is back from the long outage.
const GOAL: u32 = 3_500;
/// When the server goes.
const GONE: Duration = UP;

/// How the server goes and comes back.
#[derive(Clone, Copy)]
struct Outage {
    name: &'static str,
    /// The close code, where it says goodbye.
    code: Option<u16>,
    length: Duration,
}

const OUTAGES: [Outage; 2] = [
    Outage { name: "1 s, announced with 1001", code: Some(1001), length: Duration::from_secs(1) },
    Outage { name: "60 s, without a word", code: None, length: Duration::from_secs(60) },
];

#[derive(Clone, Copy)]
enum Policy {
    AtOnce,
    Every(Duration),
    Ours,
}

/// What the server and the clients saw.
#[derive(Default)]
struct Seen {
    /// Dials that arrived in each second while it was gone, and since it was back.
    during: Vec<u32>,
    after: Vec<u32>,
    /// Dials until the link was up again, all clients together.
    dials: u64,
    /// How long after the server each client was back.
    recovered: Vec<Duration>,
}

impl Seen {
    fn dial(&mut self, at: Duration, back: Duration) {
        self.dials += 1;
        let (seconds, since) =
            if at < back { (&mut self.during, at - GONE) } else { (&mut self.after, at - back) };
        let second = usize::try_from(since.as_secs()).unwrap_or(usize::MAX - 1);
        if seconds.len() <= second {
            seconds.resize(second + 1, 0);
        }
        seconds[second] += 1;
    }
}

/// One client, from the loss of its link until it is back.
fn relive(policy: Policy, outage: Outage, config: &Config, seed: u64, seen: &mut Seen) {
    let back = GONE + outage.length;
    let mut luck = SmallRng::seed_from_u64(seed);
    let round_trip = Duration::from_micros(luck.random_range(10_000..150_000));
    let lost = GONE + round_trip / 2;
    let mut ours = match policy {
        Policy::AtOnce | Policy::Every(_) => None,
        Policy::Ours => Some(Client::connected(config, luck.random(), lost)),
    };
    let wait = match policy {
        Policy::AtOnce | Policy::Ours => Duration::ZERO,
        Policy::Every(wait) => wait,
    };
    let mut next = match &mut ours {
        Some(client) => client.lose(outage.code, lost),
        None => Some(lost + wait),
    };
    while let Some(dial) = next {
        seen.dial(dial, back);
        let well = dial >= back;
        let ended = dial + if well { round_trip * 3 } else { round_trip };
        if well {
            seen.recovered.push(ended - back);
        }
        next = match &mut ours {
            Some(client) => client.dialled(well, ended),
            None => (!well).then_some(ended + wait),
        };
    }
}

fn peak(seconds: &[u32]) -> u32 {
    seconds.iter().max().copied().unwrap_or(0)
}

fn row(name: &str, outage: Outage, mut seen: Seen) -> String {
    seen.recovered.sort_unstable();
    assert_eq!(seen.recovered.len(), CLIENTS, "everybody came back");
    let tries = seen.dials as f64 / CLIENTS as f64;
    let quantile = |of: usize| seen.recovered[(CLIENTS - 1) * of / 100].as_secs_f64();
    format!(
        "| {} | {name} | {} | {} | {tries:.1} | {:.1} s | {:.1} s |",
        outage.name,
        peak(&seen.during),
        peak(&seen.after),
        quantile(50),
        quantile(99)
    )
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::new(ChannelUrl::parse("wss://shop.example/ws/user-channel", false)?);
    let policies = [
        ("at once", Policy::AtOnce),
        ("every 3 s", Policy::Every(Duration::from_secs(3))),
        ("Tidings", Policy::Ours),
    ];
    println!("{CLIENTS} clients\n");
    println!(
        "| outage | clients dial again | peak dials/s, gone | peak dials/s, back | tries each | back, median | back, p99 |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for outage in OUTAGES {
        for (name, policy) in policies {
            let mut seen = Seen::default();
            for seed in 0..CLIENTS as u64 {
                relive(policy, outage, &config, seed, &mut seen);
            }
            let worst = peak(&seen.after);
            println!("{}", row(name, outage, seen));
            if matches!((policy, outage.code), (Policy::Ours, None)) && worst > GOAL {
                return Err(format!("{worst} dials in a second: the goal is at most {GOAL}").into());
            }
        }
    }
    Ok(())
}
