//! What is at an address that somebody pasted, found out by what the server answers on well-known paths, and the channel that
//! would listen there.
//!
//! A handful of plain requests to that host alone, without secret, upgrade or subscription (of a stream of events the head alone
//! is read, and it is hung up on), within
//! `PATIENCE` each: the first tells whether there is a way at all, and the others go out together. What they answer is judged
//! by `judge`, which is pure.

mod judge;
mod place;

use std::time::Duration;

use tidings_api::{Discovery, Step};
use tidings_channel::{Cause, Config, DialParams, Examined, Examining, Fetch, Fetched, Stage, fetch};
use tidings_dialect::Dialect;
use tidings_state::cause;
use tidings_words::Words;
use tokio::time::timeout;

pub use place::{Place, why};

use crate::step;
use judge::{Answer, Probe, Said};

/// For one answer; there are two rounds of them. Too low: a slow server stays unknown; too high: who waits for it gives up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is looked at, bytes. Too low: a wordy server stays unknown; too high: a hostile one takes memory.
const MOST: usize = 64 * 1024;

/// Looks. `config` tells the way: proxy, authorities and client certificate; its address doesn't matter.
pub async fn discover(place: &Place, config: Config, words: Words) -> Discovery {
    if place.is_mqtt() {
        return broker(place, Config { url: place.whole().clone(), ..config }, words).await;
    }
    let config = Config { url: place.server(), ..config };
    let mut probes = judge::probes(place).into_iter();
    let mut answers = Vec::new();
    if let Some(first) = probes.next() {
        let answer = ask(place, &config, first).await;
        if let Err(cause) = &answer.said
            && is_no_way(cause)
        {
            return nowhere(place, cause, &config, words);
        }
        answers.push(answer);
    }
    let others = probes.map(|probe| ask(place, &config, probe));
    answers.extend(futures_util::future::join_all(others).await);
    judge::judge(place, &answers).told(place, &config, words)
}

/// Servers that say who they are, by the word of [`Discovery::found`], with their names: the same in every language.
const NAMED: [(&str, &str); 6] = [
    ("ntfy", "ntfy"),
    ("gotify", "Gotify"),
    ("tidings-server", "tidings-server"),
    ("socket.io", "Socket.IO"),
    ("home-assistant", "Home Assistant"),
    ("mattermost", "Mattermost"),
];

/// Where the channel's own server is a well-known one of another kind: what it is, and the keys that would be right.
pub(crate) async fn another(config: &Config, words: Words) -> Option<Step> {
    let url = config.url.as_url();
    let place = Place::read(url.as_str(), true).ok()?;
    let found = discover(&place, config.clone(), words).await;
    let (found, name) = NAMED.into_iter().find(|(known, _)| found.found.as_deref() == Some(known))?;
    let is_so = match &config.dialect {
        Dialect::Ntfy => found == "ntfy",
        Dialect::Dialogue(dialogue) => found == dialogue.name,
        // Gotify's is the plain one, at a path of its own.
        Dialect::Plain | Dialect::V1 => {
            found == "tidings-server" || (found == "gotify" && url.path().ends_with("/stream"))
        }
    };
    let keys = match found {
        "ntfy" => "kind = \"ntfy\", topics = [\"…\"]".to_owned(),
        "gotify" => "kind = \"gotify\"".to_owned(),
        "tidings-server" => "kind = \"recipe\"".to_owned(),
        preset => format!("kind = \"dialogue\", preset = \"{preset}\""),
    };
    (!is_so).then(|| step::another(name, &keys, words))
}

/// What a broker is can't be asked before a sign-in: only whether there is a way to it.
async fn broker(place: &Place, config: Config, words: Words) -> Discovery {
    let mut steps = Vec::new();
    let looking = tidings_channel::examine(&config, |examined| steps.push(examined));
    let failure = match timeout(2 * PATIENCE, looking).await {
        Ok(()) => no_way(&steps),
        Err(_) => Some(Cause::TimedOut { stage: Stage::Tcp }),
    };
    match failure {
        Some(cause) => nowhere(place, &cause, &config, words),
        None => judge::broker(place, words),
    }
}

/// Why none of what was tried leads there. One address that works is enough.
fn no_way(steps: &[Examined]) -> Option<Cause> {
    let (addresses, others): (Vec<_>, Vec<_>) =
        steps.iter().partition(|examined| matches!(examined.step, Examining::Address(_)));
    let works = addresses.is_empty() || addresses.iter().any(|address| address.failure.is_none());
    let all = addresses.into_iter().filter(|_| !works);
    others.into_iter().chain(all).find_map(|examined| examined.failure.clone())
}

async fn ask(place: &Place, config: &Config, probe: Probe) -> Answer {
    let mut request = Fetch { patience: PATIENCE, most: MOST, ..Fetch::get(place.at(&probe.target())) };
    if let Probe::Itself(_) = probe {
        // Some servers have events and a page at one address.
        request.headers.push(("accept".to_owned(), "text/event-stream, */*".to_owned()));
    }
    let said = fetch(config, &DialParams::default(), request).await.map(|fetched| said(&fetched));
    Answer { probe, said }
}

fn said(fetched: &Fetched) -> Said {
    Said {
        status: fetched.status,
        failure: fetched.failure(),
        is_page: fetched.is_html(),
        is_events: fetched.is_events(),
        // RFC 9110, section 15.5.22: a server that wants an upgrade says to what.
        wants_websocket: fetched.header("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket"))
            || fetched.header("sec-websocket-version").is_some(),
        body: String::from_utf8_lossy(&fetched.body).into_owned(),
    }
}

/// Whether no other question would come through either.
fn is_no_way(cause: &Cause) -> bool {
    match cause {
        Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::Tls { .. }
        | Cause::Clock { .. }
        | Cause::Certificate { .. }
        | Cause::WrongName { .. }
        | Cause::Proxy { .. }
        | Cause::ProxyAway(_)
        | Cause::SignInRefused { .. }
        | Cause::SessionOver { .. }
        | Cause::RoleMissing { .. }
        | Cause::ProviderAway { .. }
        | Cause::Owner { .. } => true,
        Cause::TimedOut { stage } => !matches!(stage, Stage::Answer | Stage::Stream),
        Cause::Closed(_)
        | Cause::Lost { .. }
        | Cause::Silent { .. }
        | Cause::Unanswered { .. }
        | Cause::WriteStalled
        | Cause::Refused { .. }
        | Cause::Status { .. }
        | Cause::Answered { .. }
        | Cause::NoSockJs { .. }
        | Cause::StreamOver
        | Cause::NoMore
        | Cause::Busy { .. }
        | Cause::Limit { .. }
        | Cause::Moved { .. }
        | Cause::WrongAddress { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::NoGoodAnswer { .. }
        | Cause::CaptivePortal
        | Cause::Denied { .. }
        | Cause::TakenOver
        | Cause::Broker { .. }
        | Cause::Foreign { .. }
        | Cause::Overtaken
        | Cause::Local => false,
    }
}

/// The server can't be asked.
fn nowhere(place: &Place, cause: &Cause, config: &Config, words: Words) -> Discovery {
    // Whoever left the scheme out may mean a server without encryption.
    let mend = if matches!(cause, Cause::Tls { .. }) && !place.says_how() {
        words.discover_mend_no_tls(&place.host())
    } else {
        step::mend(cause, config, words)
    };
    Discovery {
        address: place.to_string(),
        found: None,
        version: None,
        detail: cause::told(cause, words),
        mend: Some(mend),
        channel: None,
    }
}
