//! What a server is, by what it answers. Pure.

use std::mem;

use serde_json::{Value, json};
use tidings_api::{Discovery, Values};
use tidings_channel::{Cause, Config, plain};
use tidings_state::cause;
use tidings_words::Words;

use super::place::Place;
use crate::step;

/// One question. Those with a path are asked below it: of the place that was pasted, and of the host's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// ntfy, which is always at a host's root.
    Health,
    /// Gotify, and `tidings-server`.
    Version(String),
    /// Gotify since 3.0.
    GotifyInfo(String),
    /// Socket.IO. It opens a session that nobody takes up, as each look of a browser does.
    SocketIo(String),
    /// SockJS.
    Info(String),
    /// Home Assistant.
    Manifest,
    /// Mattermost.
    Ping,
    /// What was pasted, without its query.
    Itself(String),
}

impl Probe {
    /// Path and query.
    pub(super) fn target(&self) -> String {
        match self {
            Self::Health => "/v1/health".to_owned(),
            Self::Version(below) => format!("{below}/version"),
            Self::GotifyInfo(below) => format!("{below}/gotifyinfo"),
            Self::SocketIo(below) => format!("{below}/socket.io/?EIO=4&transport=polling"),
            Self::Info(below) => format!("{below}/info"),
            Self::Manifest => "/manifest.json".to_owned(),
            Self::Ping => "/api/v4/system/ping".to_owned(),
            Self::Itself(path) => path.clone(),
        }
    }

    /// Whether it asks at the place that was pasted, rather than at the root of its host.
    fn is_at(&self, folder: &str) -> bool {
        match self {
            Self::Version(below) | Self::GotifyInfo(below) | Self::SocketIo(below) | Self::Info(below) => {
                below == folder
            }
            Self::Health | Self::Manifest | Self::Ping => folder.is_empty(),
            Self::Itself(_) => true,
        }
    }
}

/// An answer to a question.
pub(super) struct Answer {
    pub(super) probe: Probe,
    pub(super) said: Result<Said, Cause>,
}

/// What was said.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) status: u16,
    /// Why it isn't what was asked for.
    pub(super) failure: Option<Cause>,
    pub(super) is_page: bool,
    pub(super) is_events: bool,
    /// It would rather have been an upgrade.
    pub(super) wants_websocket: bool,
    pub(super) body: String,
}

impl Said {
    /// As a JSON object, where it is a good answer.
    fn object(&self) -> Option<Values> {
        if self.failure.is_some() {
            return None;
        }
        serde_json::from_str(&self.body).ok()
    }
}

/// Where `tidings-server` has its channel.
const OURS: &str = "/ws/user-channel";
/// Where Home Assistant has its WebSocket.
const HOME_ASSISTANT: &str = "/api/websocket";
/// Where Mattermost has its WebSocket.
const MATTERMOST: &str = "/api/v4/websocket";

/// Last pieces of addresses that lead into a server rather than to it.
const INNER: [&str; 10] = [
    "stream",
    "message",
    "index.html",
    "websocket",
    "info",
    "socket.io",
    "version",
    "xhr",
    "xhr_streaming",
    "xhr_send",
];

/// Names that no topic of ntfy has.
const NO_TOPICS: [&str; 10] =
    ["docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1"];

/// What may follow a topic in an address of ntfy's.
const OF_TOPICS: [&str; 8] = ["json", "sse", "raw", "ws", "auth", "publish", "send", "trigger"];

/// Longest name of a topic.
const LONGEST_TOPIC: usize = 64;

/// The folder that the address names, without a slash at its end; empty: the host's root.
fn folder(place: &Place) -> String {
    let mut pieces = place.pieces();
    while pieces.last().is_some_and(|last| INNER.contains(last)) {
        pieces.pop();
    }
    // A session of SockJS, as a browser's list of requests has it: server, session, and what is asked there.
    let is_server = |piece: &&str| piece.len() == 3 && piece.bytes().all(|digit| digit.is_ascii_digit());
    if pieces.len() != place.pieces().len()
        && pieces.len().checked_sub(2).and_then(|at| pieces.get(at)).is_some_and(is_server)
    {
        pieces.truncate(pieces.len() - 2);
    }
    pieces.iter().map(|piece| format!("/{piece}")).collect()
}

/// The topics that the address names; `None`: it can't be one of ntfy's.
fn topics(place: &Place) -> Option<Vec<String>> {
    let is_topic = |name: &&str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=LONGEST_TOPIC).contains(&name.len()) && name.chars().all(fits)
    };
    let topics: Vec<&str> = match place.pieces()[..] {
        [] => Vec::new(),
        [only] | [only, _] if NO_TOPICS.contains(&only) => return None,
        [topics] => topics.split(',').collect(),
        [topics, inner] if OF_TOPICS.contains(&inner) => topics.split(',').collect(),
        _ => return None,
    };
    topics.iter().all(is_topic).then(|| topics.into_iter().map(str::to_owned).collect())
}

/// The questions for a place, the one that tells whether there is a way at all first.
pub(super) fn probes(place: &Place) -> Vec<Probe> {
    let mut probes = vec![Probe::Health];
    if place.is_ntfy() {
        return probes;
    }
    let folder = folder(place);
    let mut folders = vec![folder.clone(), String::new()];
    folders.dedup();
    for below in folders {
        probes.push(Probe::Version(below.clone()));
        probes.push(Probe::GotifyInfo(below.clone()));
        probes.push(Probe::SocketIo(below.clone()));
        probes.push(Probe::Info(below));
    }
    probes.extend([Probe::Manifest, Probe::Ping, Probe::Itself(place.path().to_owned())]);
    probes
}

/// What a server is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Ntfy {
        topics: Vec<String>,
    },
    Gotify {
        version: Option<String>,
        below: String,
    },
    Ours {
        version: Option<String>,
    },
    SocketIo {
        below: String,
    },
    /// Socket.IO before version 3, whose clients ping.
    OldSocketIo,
    SockJs {
        below: String,
    },
    HomeAssistant,
    Mattermost {
        version: Option<String>,
    },
    WebSocket,
    /// Server-sent events.
    Events,
    /// Nothing that is known, and it was given as a WebSocket's.
    Assumed,
    /// A web page.
    Page,
    /// Nothing that is known; perhaps why.
    Nothing(Option<Cause>),
}

/// Judges by the answers. What is at the place that was pasted counts before what is at the root of its host, and a path that
/// wants an upgrade is between the two.
pub(super) fn judge(place: &Place, answers: &[Answer]) -> Verdict {
    let folder = folder(place);
    let known = |here: bool| {
        let of = |answer: &Answer| {
            known(place, answer).filter(|verdict| is_here(verdict, answer, &folder, place.path()) == here)
        };
        answers.iter().filter(|answer| is_for_this(answer, answers)).find_map(of)
    };
    let itself = answers.iter().find_map(|answer| match (&answer.probe, &answer.said) {
        (Probe::Itself(_), Ok(said)) => Some(said),
        _ => None,
    });
    if let Some(verdict) = known(true) {
        return verdict;
    }
    if !place.is_ntfy() && itself.is_some_and(|said| said.is_events || is_hub(place, said)) {
        return Verdict::Events;
    }
    if !place.is_ntfy() && itself.is_some_and(wants_upgrade) {
        return Verdict::WebSocket;
    }
    if let Some(verdict) = known(false) {
        return verdict;
    }
    let failure = answers.iter().find_map(|answer| match &answer.said {
        Ok(Said { failure: Some(cause), .. }) if tells_more(cause) => Some(cause.clone()),
        _ => None,
    });
    if place.is_websocket() && !matches!(failure, Some(Cause::Moved { .. } | Cause::CaptivePortal)) {
        return Verdict::Assumed;
    }
    let silence =
        || answers.iter().all(|answer| answer.said.is_err()).then(|| answers[0].said.as_ref().err().cloned());
    match failure.or_else(|| silence().flatten()) {
        None if answers.iter().any(|answer| answer.said.as_ref().is_ok_and(|said| said.is_page)) => {
            Verdict::Page
        }
        why => Verdict::Nothing(why),
    }
}

/// Whether it answers this question: one who says the same to others, as single-page apps do, knows nothing of it.
fn is_for_this(answer: &Answer, answers: &[Answer]) -> bool {
    let Ok(said) = &answer.said else { return false };
    let path = |answer: &Answer| answer.probe.target().split('?').next().map(str::to_owned);
    let asked = path(answer);
    !answers.iter().any(|other| {
        let same = other.said.as_ref().is_ok_and(|other| other.body == said.body);
        same && mem::discriminant(&other.probe) != mem::discriminant(&answer.probe) && path(other) != asked
    })
}

/// Whether the verdict is about the very place that was pasted.
fn is_here(verdict: &Verdict, answer: &Answer, folder: &str, path: &str) -> bool {
    // Where those listen that are asked at the root of their host.
    let listens = match verdict {
        // Only topics stand behind its host.
        Verdict::Ntfy { .. } => return true,
        Verdict::Ours { .. } => OURS,
        Verdict::HomeAssistant => HOME_ASSISTANT,
        Verdict::Mattermost { .. } => MATTERMOST,
        Verdict::Gotify { .. }
        | Verdict::SocketIo { .. }
        | Verdict::OldSocketIo
        | Verdict::SockJs { .. }
        | Verdict::WebSocket
        | Verdict::Events
        | Verdict::Assumed
        | Verdict::Page
        | Verdict::Nothing(_) => "",
    };
    answer.probe.is_at(folder) || path == listens
}

/// A failure that explains why nothing is known, as a mere 404 doesn't.
fn tells_more(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Moved { .. } | Cause::SignInRefused { .. } | Cause::CaptivePortal | Cause::Busy { .. }
    )
}

/// Whether a plain request was answered as one that should have been an upgrade: 426, or 400 with a word of it.
fn wants_upgrade(said: &Said) -> bool {
    let body = said.body.to_ascii_lowercase();
    said.wants_websocket
        || said.status == 426
        || (said.status == 400 && !said.is_page && (body.contains("upgrade") || body.contains("websocket")))
}

/// Whether a Mercure hub says that it wants to know the topics, or who asks. They stand in the query, which is not sent.
fn is_hub(place: &Place, said: &Said) -> bool {
    place.path().ends_with("/.well-known/mercure") && matches!(said.status, 400 | 401 | 403)
}

/// What one answer makes sure of.
fn known(place: &Place, answer: &Answer) -> Option<Verdict> {
    let said = answer.said.as_ref().ok()?;
    let text = |object: &Values, key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    match &answer.probe {
        Probe::Health => {
            // {"healthy":true}
            let is_ntfy =
                said.object().is_some_and(|object| object.get("healthy").is_some_and(Value::is_boolean));
            if !is_ntfy {
                return None;
            }
            let topics = topics(place).unwrap_or_default();
            Some(Verdict::Ntfy { topics })
        }
        Probe::Version(below) => {
            let object = said.object()?;
            let version = text(&object, "version");
            if text(&object, "name").as_deref() == Some("tidings-server") {
                return Some(Verdict::Ours { version });
            }
            // {"version":"2.6.1","commit":"…","buildDate":"…"}
            let is_gotify =
                version.is_some() && object.contains_key("commit") && object.contains_key("buildDate");
            is_gotify.then(|| Verdict::Gotify { version, below: below.clone() })
        }
        Probe::GotifyInfo(below) => {
            let version = Some(text(&said.object()?, "version")?);
            Some(Verdict::Gotify { version, below: below.clone() })
        }
        Probe::SocketIo(below) => {
            let below = below.clone();
            if said.body.starts_with("0{") && said.body.contains("\"sid\"") {
                return Some(Verdict::SocketIo { below });
            }
            // {"code":5,"message":"Unsupported protocol version"}; an old one takes no notice of EIO, and says "97:0{…".
            let is_old = said.body.contains("Unsupported protocol version")
                || (said.failure.is_none() && said.body.contains(":0{\"sid\""));
            is_old.then_some(Verdict::OldSocketIo)
        }
        Probe::Info(below) => {
            let object = said.object()?;
            let is_info =
                object.get("websocket").is_some_and(Value::is_boolean) && object.contains_key("entropy");
            is_info.then(|| Verdict::SockJs { below: below.clone() })
        }
        Probe::Manifest => {
            let object = said.object()?;
            (text(&object, "name").as_deref() == Some("Home Assistant")).then_some(Verdict::HomeAssistant)
        }
        Probe::Ping => {
            let object = said.object()?;
            // {"AndroidLatestVersion":"","AndroidMinVersion":"",…,"status":"OK"}
            let is_mattermost = text(&object, "status").as_deref() == Some("OK")
                && object.keys().any(|key| key.contains("Version"));
            is_mattermost.then_some(Verdict::Mattermost { version: None })
        }
        Probe::Itself(_) => None,
    }
}

/// The channel of a broker.
pub(super) fn broker(place: &Place, words: Words) -> Discovery {
    let channel = json!({ "kind": "mqtt", "url": place.to_string() });
    Discovery {
        address: place.to_string(),
        found: Some("mqtt".to_owned()),
        version: None,
        detail: words.discover_broker(),
        mend: Some(words.discover_mend_filters()),
        channel: channel.as_object().cloned(),
    }
}

impl Verdict {
    /// In words, with the channel that would listen there.
    pub(super) fn told(self, place: &Place, config: &Config, words: Words) -> Discovery {
        let mut told = Told { version: None, mend: None, channel: None };
        let host = place.host();
        let (found, detail) = match self {
            Self::Ntfy { topics } => {
                let mut channel = json!({ "kind": "ntfy", "url": place.web("/") });
                if topics.is_empty() {
                    told.mend = Some(words.discover_mend_topics(&host));
                } else {
                    channel["name"] = topics.join(", ").into();
                    channel["topics"] = topics.into();
                }
                told.channel = Some(channel);
                ("ntfy", words.discover_is(&"ntfy"))
            }
            Self::Gotify { version, below } => {
                told.channel = Some(json!({ "kind": "gotify", "url": place.web(&below) }));
                told.mend = Some(words.discover_mend_gotify());
                ("gotify", told.named("Gotify", version, words))
            }
            Self::Ours { version } => {
                let url = place.at(OURS);
                told.channel = Some(json!({ "url": url.as_url().as_str() }));
                ("tidings-server", told.named("tidings-server", version, words))
            }
            Self::SocketIo { below } => {
                let url = place.at(&format!("{below}/socket.io/?EIO=4&transport=websocket"));
                told.channel =
                    Some(json!({ "kind": "dialogue", "preset": "socket.io", "url": url.as_url().as_str() }));
                ("socket.io", words.discover_is(&"Socket.IO"))
            }
            Self::SockJs { below } => {
                told.channel = Some(json!({ "url": place.web(&below) }));
                ("sockjs", words.discover_is(&"SockJS"))
            }
            Self::HomeAssistant => {
                let url = place.at(HOME_ASSISTANT);
                told.channel = Some(
                    json!({ "kind": "dialogue", "preset": "home-assistant", "url": url.as_url().as_str() }),
                );
                ("home-assistant", words.discover_is(&"Home Assistant"))
            }
            Self::Mattermost { version } => {
                let url = place.at(MATTERMOST);
                told.channel =
                    Some(json!({ "kind": "dialogue", "preset": "mattermost", "url": url.as_url().as_str() }));
                ("mattermost", told.named("Mattermost", version, words))
            }
            Self::WebSocket | Self::Assumed if place.is_mqtt_websocket() => {
                told.channel = Some(json!({ "kind": "mqtt", "url": place.whole().as_url().as_str() }));
                told.mend = Some(words.discover_mend_filters());
                ("mqtt", words.discover_broker_websocket())
            }
            Self::WebSocket => {
                told.channel = Some(json!({ "url": place.whole().as_url().as_str() }));
                ("websocket", words.discover_websocket())
            }
            Self::Events => {
                told.channel = Some(json!({ "kind": "sse", "url": place.whole().web().as_str() }));
                ("sse", words.discover_events())
            }
            Self::Assumed => {
                told.channel = Some(json!({ "url": place.whole().as_url().as_str() }));
                ("websocket", words.discover_assumed())
            }
            Self::OldSocketIo => {
                told.mend = Some(words.discover_mend_old_socket_io());
                ("", words.discover_is(&"Socket.IO 2"))
            }
            Self::Page => {
                told.mend = Some(words.discover_mend_page());
                ("", words.discover_page())
            }
            Self::Nothing(Some(cause)) => {
                let signs_in = matches!(cause, Cause::SignInRefused { .. });
                let mend = || step::mend(&cause, config, words);
                told.mend = Some(if signs_in { words.discover_mend_sign_in() } else { mend() });
                ("", cause::told(&cause, words))
            }
            Self::Nothing(None) => {
                told.mend = Some(words.discover_mend_nothing());
                ("", words.discover_nothing())
            }
        };
        Discovery {
            address: place.to_string(),
            found: (!found.is_empty()).then(|| found.to_owned()),
            version: told.version,
            detail,
            mend: told.mend,
            channel: told.channel.and_then(|channel| channel.as_object().cloned()),
        }
    }
}

struct Told {
    version: Option<String>,
    mend: Option<String>,
    channel: Option<Value>,
}

impl Told {
    /// What it is, and in which version.
    fn named(&mut self, name: &str, version: Option<String>, words: Words) -> String {
        self.version = version.map(|version| plain(&version));
        match &self.version {
            Some(version) => words.discover_is(&format_args!("{name} {version}")),
            None => words.discover_is(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use tidings_channel::{ChannelUrl, Detail};
    use tidings_words::Language;

    use super::*;

    /// Stands for an answer of events, of which nothing is read.
    const EVENTS: &str = "data: x\n\n";
    const HTML: &str = "<!doctype html><title>shop</title>";
    const HEALTH: (&str, u16, &str) = ("/v1/health", 200, "{\"healthy\":true}\n");
    const GOTIFY: &str = r#"{"version":"2.9.1","commit":"1a2b3c","buildDate":"2026-02-28-10:00:00"}"#;
    const SOCKET_IO: &str =
        r#"0{"sid":"x","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}"#;
    const SOCKJS: &str = r#"{"entropy":7,"origins":["*:*"],"cookie_needed":true,"websocket":true}"#;

    /// What a server says that answers these paths so, and every other one with `otherwise`.
    fn found(address: &str, answers: &[(&str, u16, &str)], otherwise: (u16, &str)) -> Discovery {
        let place = Place::read(address, false).expect(address);
        let answers: Vec<Answer> = probes(&place)
            .into_iter()
            .map(|probe| {
                let target = probe.target();
                let known =
                    answers.iter().find(|(path, ..)| *path == target.split('?').next().unwrap_or_default());
                let (status, body) = known.map_or(otherwise, |(_, status, body)| (*status, *body));
                let failure = (status >= 300).then_some(match status {
                    401 => Cause::SignInRefused { status },
                    _ => Cause::NoGoodAnswer { detail: Detail::Status(status) },
                });
                let is_page = body.starts_with("<!doctype");
                let said = Said {
                    status,
                    failure,
                    is_page,
                    is_events: body == EVENTS,
                    wants_websocket: false,
                    body: body.to_owned(),
                };
                Answer { probe, said: Ok(said) }
            })
            .collect();
        let config = Config::new(ChannelUrl::parse("wss://any.example/", false).expect("a URL"));
        judge(&place, &answers).told(&place, &config, Words::of(Language::English))
    }

    fn channel(discovery: &Discovery) -> Value {
        discovery.channel.clone().map_or(Value::Null, Value::Object)
    }

    #[test]
    fn a_stream_of_events_is_one_whatever_its_host_answers_elsewhere() {
        let sse = |url: &str| Some(json!({ "kind": "sse", "url": url }).as_object().expect("one").clone());
        for otherwise in [(404, "nothing"), (200, HTML), (200, EVENTS), (200, "{\"healthy\":3}")] {
            let told = found("https://shop.example/events?topic=a", &[("/events", 200, EVENTS)], otherwise);
            assert_eq!(told.channel, sse("https://shop.example/events?topic=a"), "{otherwise:?}");
        }
        // A hub that wants to know the topics first.
        let hub = "https://shop.example/.well-known/mercure";
        for status in [400, 401] {
            let told = found(hub, &[("/.well-known/mercure", status, "no")], (404, ""));
            assert_eq!(told.channel, sse(hub), "{status}");
        }
        let told =
            found("https://ntfy.example/alerts/sse", &[HEALTH, ("/alerts/sse", 200, EVENTS)], (404, ""));
        assert_eq!(told.found.as_deref(), Some("ntfy"), "which has more to say than its events");
    }

    #[test]
    fn a_websocket_at_a_brokers_usual_path_is_a_brokers() {
        for address in ["wss://broker.example/mqtt", "wss://broker.example:8084/mqtt/"] {
            let told = found(address, &[], (404, "nothing"));
            assert_eq!(channel(&told), json!({ "kind": "mqtt", "url": address }));
            assert!(told.mend.is_some_and(|mend| mend.contains("`topics`")));
        }
        let told = found("wss://broker.example/mqtt/ws", &[], (404, "nothing"));
        assert_eq!(channel(&told), json!({ "url": "wss://broker.example/mqtt/ws" }));
    }

    #[test]
    fn ntfy_is_known_by_its_health_and_the_topics_by_the_address() {
        for (address, topics) in [
            ("https://ntfy.sh/alerts", json!(["alerts"])),
            ("ntfy.sh/alerts,backup_2/ws", json!(["alerts", "backup_2"])),
            ("ntfy://ntfy.sh/alerts", json!(["alerts"])),
            ("wss://ntfy.sh/alerts/ws", json!(["alerts"])),
            ("https://ntfy.sh/alerts/json?poll=1", json!(["alerts"])),
            ("https://ntfy.sh", Value::Null),
            ("https://ntfy.sh/app", Value::Null),
            ("https://ntfy.sh/docs/install/", Value::Null),
            ("https://ntfy.sh/not a topic", Value::Null),
        ] {
            for otherwise in [(404, ""), (200, HTML)] {
                let discovery = found(address, &[HEALTH], otherwise);
                assert_eq!(discovery.found.as_deref(), Some("ntfy"), "{address}");
                let channel = channel(&discovery);
                assert_eq!((&channel["kind"], &channel["url"]), (&json!("ntfy"), &json!("https://ntfy.sh")));
                assert_eq!(channel["topics"], topics, "{address}");
                assert_eq!(
                    discovery.mend.is_some(),
                    topics.is_null(),
                    "who names no topic is told so: {address}"
                );
            }
        }
    }

    #[test]
    fn gotify_is_found_at_its_folder_whichever_page_of_it_was_pasted() {
        for (address, path, url) in [
            ("https://push.example/", "/version", "https://push.example"),
            ("https://push.example/#/messages", "/version", "https://push.example"),
            ("https://push.example/gotify/", "/gotify/version", "https://push.example/gotify"),
            ("https://push.example/gotify", "/gotify/version", "https://push.example/gotify"),
            ("wss://push.example/gotify/stream", "/gotify/version", "https://push.example/gotify"),
            ("https://push.example/index.html", "/version", "https://push.example"),
            // It is at the root, though something else was pasted.
            ("https://push.example/what/ever", "/version", "https://push.example"),
        ] {
            let discovery = found(address, &[(path, 200, GOTIFY)], (404, ""));
            assert_eq!(discovery.found.as_deref(), Some("gotify"), "{address}");
            assert_eq!(discovery.version.as_deref(), Some("2.9.1"));
            assert_eq!(channel(&discovery), json!({ "kind": "gotify", "url": url }), "{address}");
        }
        let newer =
            found("https://push.example/", &[("/gotifyinfo", 200, r#"{"version":"3.1.1"}"#)], (404, ""));
        assert_eq!((newer.found.as_deref(), newer.version.as_deref()), (Some("gotify"), Some("3.1.1")));
    }

    #[test]
    fn each_other_server_is_known_by_what_it_alone_says() {
        for (address, path, body, kind, url) in [
            (
                "https://app.example/",
                "/socket.io/",
                SOCKET_IO,
                "socket.io",
                "wss://app.example/socket.io/?EIO=4&transport=websocket",
            ),
            (
                "wss://app.example/chat/socket.io/",
                "/chat/socket.io/",
                SOCKET_IO,
                "socket.io",
                "wss://app.example/chat/socket.io/?EIO=4&transport=websocket",
            ),
            ("https://app.example/ws", "/ws/info", SOCKJS, "sockjs", "https://app.example/ws"),
            ("https://app.example/ws/websocket", "/ws/info", SOCKJS, "sockjs", "https://app.example/ws"),
            ("wss://app.example/ws/042/x7/websocket", "/ws/info", SOCKJS, "sockjs", "https://app.example/ws"),
            (
                "http://localhost:8080/ws/042/x7/xhr_streaming?t=1",
                "/ws/info",
                SOCKJS,
                "sockjs",
                "http://localhost:8080/ws",
            ),
            (
                "https://app.example/ws",
                "/ws/info",
                r#"{"websocket":false,"origins":["*:*"],"cookie_needed":false,"entropy":1}"#,
                "sockjs",
                "https://app.example/ws",
            ),
            (
                "http://localhost:8080",
                "/version",
                r#"{"name":"tidings-server","version":"0.1.0"}"#,
                "tidings-server",
                "ws://localhost:8080/ws/user-channel",
            ),
            (
                "https://home.example/lovelace/0",
                "/manifest.json",
                r#"{"name":"Home Assistant"}"#,
                "home-assistant",
                "wss://home.example/api/websocket",
            ),
            (
                "https://chat.example/",
                "/api/v4/system/ping",
                r#"{"AndroidMinVersion":"","status":"OK"}"#,
                "mattermost",
                "wss://chat.example/api/v4/websocket",
            ),
            (
                "https://shop.example/ws/user-channel",
                "/ws/user-channel",
                "Can \"Upgrade\" only to \"WebSocket\".",
                "websocket",
                "wss://shop.example/ws/user-channel",
            ),
        ] {
            let status = if kind == "websocket" { 400 } else { 200 };
            let discovery = found(address, &[(path, status, body)], (404, ""));
            assert_eq!(discovery.found.as_deref(), Some(kind), "{address}: {discovery:?}");
            assert_eq!(channel(&discovery)["url"], url, "{address}");
        }
    }

    #[test]
    fn the_place_that_was_pasted_counts_before_the_root_of_its_host() {
        let home = [("/manifest.json", 200, r#"{"name":"Home Assistant"}"#), ("/api/websocket", 426, "")];
        assert_eq!(
            found("wss://home.example/api/websocket", &home, (404, "")).found.as_deref(),
            Some("home-assistant")
        );
        let both = [("/ws", 426, ""), ("/socket.io/", 200, SOCKET_IO)];
        assert_eq!(found("https://app.example/ws", &both, (404, "")).found.as_deref(), Some("websocket"));
        assert_eq!(found("https://app.example/", &both, (404, "")).found.as_deref(), Some("socket.io"));
        let two = [("/gotify/version", 200, GOTIFY), HEALTH];
        assert_eq!(found("https://push.example/gotify/x/y", &two, (404, "")).found.as_deref(), Some("ntfy"));
    }

    #[test]
    fn what_answers_everything_alike_is_nothing() {
        for (address, otherwise) in [
            ("https://shop.example/", (200, HTML)),
            ("https://shop.example/", (404, HTML)),
            ("https://shop.example/", (200, "{}")),
            ("https://shop.example/", (200, r#"{"status":"OK","version":"1"}"#)),
            ("https://shop.example/", (200, "null")),
            ("https://shop.example/", (500, "")),
            ("https://shop.example/", (401, r#"{"healthy":true}"#)),
            ("ntfy://shop.example/alerts", (404, "")),
        ] {
            let discovery = found(address, &[], otherwise);
            assert_eq!((discovery.found, discovery.channel), (None, None), "{otherwise:?}");
            assert!(discovery.mend.is_some(), "{otherwise:?}");
        }
    }

    #[test]
    fn what_was_given_as_a_websocket_is_taken_for_one() {
        for otherwise in [(404, ""), (200, HTML), (401, "")] {
            let discovery = found("wss://shop.example/ws?room=7", &[], otherwise);
            assert_eq!(discovery.found.as_deref(), Some("websocket"));
            assert_eq!(channel(&discovery), json!({ "url": "wss://shop.example/ws?room=7" }));
            assert_eq!(discovery.address, "wss://shop.example/ws");
        }
    }

    #[test]
    fn what_cannot_be_listened_to_is_told_with_a_mend_and_no_channel() {
        let said = [("/socket.io/", 200, r#"{"code":5,"message":"Unsupported protocol version"}"#)];
        let discovery = found("https://app.example/", &said, (404, ""));
        assert_eq!((&discovery.found, &discovery.channel), (&None, &None), "{discovery:?}");
        assert!(discovery.mend.is_some());
    }

    #[test]
    fn few_questions_are_asked_and_none_tells_the_query() {
        let place = Place::read("https://shop.example/a/b/c?token=s3cret", false).expect("an address");
        let targets: Vec<_> = probes(&place).iter().map(Probe::target).collect();
        assert!(targets.len() <= 12, "{targets:?}");
        assert!(!targets.concat().contains("s3cret"), "{targets:?}");
    }
}
