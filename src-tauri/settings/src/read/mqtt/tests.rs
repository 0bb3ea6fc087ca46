//! MQTT channels, as the settings file says them.

use std::path::Path;

use proptest::prelude::*;
use tidings_api::ChannelKind;
use tidings_channel::Carrier;

use super::*;
use crate::credential::Auth;
use crate::{ChannelSettings, Kind, parse};

fn all(text: &str) -> Result<Vec<ChannelSettings>, String> {
    parse(text.as_bytes(), Path::new("c.toml"))
        .map(|settings| settings.channels)
        .map_err(|error| error.to_string())
}

/// A channel of the kind at this address, with one topic.
fn channel(url: &str, more: &str) -> Result<ChannelSettings, String> {
    let topics = if more.contains("topics") { "" } else { "topics = [\"home/#\"]\n" };
    all(&format!("[[channel]]\nkind = \"mqtt\"\nurl = \"{url}\"\n{topics}{more}"))
        .map(|mut all| all.remove(0))
}

fn asked(settings: &ChannelSettings) -> Mqtt {
    let config = settings.config().expect("readable");
    assert_eq!(config.carrier, Carrier::Mqtt);
    *config.mqtt.expect("asked")
}

#[test]
fn a_brokers_address_and_topics_are_a_channel() {
    let plain = channel("mqtts://broker.example", "").expect("good settings");
    assert_eq!(
        (plain.kind.name(), plain.sends(), plain.auth.clone()),
        (ChannelKind::Mqtt, false, Auth::Bearer)
    );
    assert_eq!(plain.shown_url(), "mqtts://broker.example:8883");
    assert_eq!(plain.link_url(), plain.url);
    assert!(plain.quiet_close_codes.is_empty() && plain.heartbeat.text().is_empty());
    let one = |filter: &str, qos| Subscription { filter: filter.to_owned(), qos };
    let expected = Mqtt {
        topics: vec![one("home/#", Qos::AtLeastOnce)],
        client_id: None,
        session_expiry: Duration::from_secs(86_400),
    };
    assert_eq!(asked(&plain), expected);
    let told = "topics = [\"+/door\", { filter = \"alarm/+\", qos = 2 }, { filter = \"a b\", qos = 0 }, { filter = \"$SYS/#\" }]\n\
                client_id = \"desk 1\"\nsession_expiry = \"0s\"\nauth = \"basic\"\nusername = \"shop:me\"\ntake_back_after = \"30m\"\n\
                mapping.title = \"{{ about.topic }}\"\nca_file = \"ca.pem\"\nproxy = \"socks5://localhost\"";
    for url in ["mqtt://localhost", "ws://127.0.0.1:9001", "wss://broker.example/mqtt"] {
        let settings = channel(url, told).expect(url);
        assert_eq!(settings.auth, Auth::Basic { username: "shop:me".to_owned() });
        let Kind::Mqtt(asked) = &settings.kind else { panic!("of the kind") };
        let topics = vec![
            one("+/door", Qos::AtLeastOnce),
            one("alarm/+", Qos::ExactlyOnce),
            one("a b", Qos::AtMostOnce),
            one("$SYS/#", Qos::AtLeastOnce),
        ];
        let expected = Mqtt { topics, client_id: Some("desk 1".to_owned()), session_expiry: Duration::ZERO };
        assert_eq!(**asked, expected);
    }
    assert_eq!(channel("http://localhost/mqtt", "").expect("a WebSocket").shown_url(), "ws://localhost/mqtt");
    // Over a WebSocket the secret may go with its upgrade.
    for auth in ["\"session\"", "{ header = \"X-Key\" }"] {
        let more = format!("auth = {auth}\nheaders = {{ X-Site = \"a\" }}\nimages = \"own-server\"");
        channel("wss://broker.example/mqtt", &more).expect(auth);
    }
}

#[test]
fn what_is_asked_of_the_broker_needs_a_new_link() {
    let settings = |more: &str| channel("mqtts://broker.example", more).expect(more);
    for more in [
        "topics = [\"x\"]",
        "topics = [{ filter = \"home/#\", qos = 0 }]",
        "client_id = \"a\"",
        "session_expiry = \"2d\"",
    ] {
        assert!(settings("").link_differs(&settings(more)), "{more}");
    }
    assert!(!settings("").link_differs(&settings("session_expiry = \"24h\"\nshow = \"title\"")));
}

#[test]
fn what_no_broker_can_be_asked_is_told_with_its_mend() {
    let long = format!("topics = [\"{}\"]", "a".repeat(LONGEST_FILTER + 1));
    let many = format!("topics = [{}]", (0..=MOST_FILTERS).map(|n| format!("\"t{n}\",")).collect::<String>());
    let id = format!("client_id = \"{}\"", "é".repeat(65));
    for (more, place, about, mend) in [
        ("topics = []", "4:10", "0 topics", "1 to 100"),
        (&many, "4:10", "101 topics", "1 to 100"),
        ("topics = \"a\"", "4:10", "must be a list", "brackets"),
        ("topics = [7]", "4:11", "must be text", "quotes"),
        ("topics = [\"\"]", "4:11", "empty", "fill it in"),
        (&long, "4:11", "65,535", "shorten"),
        ("topics = [\"a\", \"b/#\", \"a\"]", "4:23", "the topic a is there twice", "remove"),
        ("topics = [\"a\", { filter = \"a\", qos = 0 }]", "4:27", "twice", "remove"),
        ("topics = [\"home/#/x\"]", "4:11", "`#`", "\"home/#\""),
        ("topics = [\"home#\"]", "4:11", "`#`", "\"home/#\""),
        ("topics = [\"##\"]", "4:11", "`#`", "\"home/#\""),
        ("topics = [\"home+/x\"]", "4:11", "`+`", "\"home/+/door\""),
        ("topics = [\"++\"]", "4:11", "`+`", "\"home/+/door\""),
        ("topics = [\"a\\u0000b\"]", "4:11", "control character", "remove"),
        ("topics = [\"a\\tb\"]", "4:11", "control character", "remove"),
        ("topics = [\"$share/desks/home/#\"]", "4:11", "each gets only some", "write for example \"home/#\""),
        ("topics = [{ filter = \"$share/a/b\" }]", "4:22", "each gets only some", "\"b\""),
        ("topics = [\"$queue/a/b\"]", "4:11", "each gets only some", "\"a/b\""),
        ("topics = [{ qos = 1 }]", "4:11", "without `filter`", "{ filter = "),
        ("topics = [{ filter = \"a\", qos = 3 }]", "4:33", "`qos` is out of range", "from 0 to 2"),
        ("topics = [{ filter = \"a\", qos = \"1\" }]", "4:33", "`qos` must be a whole number", "from 0 to 2"),
        ("topics = [{ filter = \"a\", qso = 1 }]", "4:27", "unknown key `qso`", "`qos`"),
        ("client_id = \"\"", "5:13", "`client_id` is empty", "fill it in"),
        (&id, "5:13", "`client_id`", "128 bytes"),
        ("client_id = \"a\\nb\"", "5:13", "`client_id`", "128 bytes"),
        ("session_expiry = \"31d\"", "5:18", "too long", "\"30days\" or less"),
        ("session_expiry = \"300ms\"", "5:18", "too short", "\"1s\" or more"),
        ("session_expiry = 60", "5:18", "text with a unit", "\"60s\""),
        ("session_expiry = \"60\"", "5:18", "no unit", "\"60s\""),
        ("session_expiry = \"never\"", "5:18", "not a duration", "\"1500ms\""),
        ("resume = \"since\"", "5:10", "no effect on a channel of kind mqtt", "remove"),
        ("quiet_close_codes = [4500]", "5:21", "no effect", "remove"),
        ("heartbeat.interval = \"40s\"", "5:1", "no effect", "remove"),
        ("send_url = \"https://broker.example\"", "5:12", "no effect", "remove"),
        ("send_token_env = \"T\"", "5:18", "no effect", "remove"),
        ("preset = \"stomp\"", "5:10", "of kind dialogue alone", "kind = \"dialogue\""),
        ("auth = \"session\"", "5:8", "user name and a password", "none, bearer, basic"),
        ("auth = { header = \"X-Key\" }", "5:8", "user name and a password", "none, bearer, basic"),
        ("auth = { query = \"key\" }", "5:8", "user name and a password", "none, bearer, basic"),
        ("auth = { cookie = \"sid\" }", "5:8", "user name and a password", "none, bearer, basic"),
        ("auth = \"dialogue\"", "5:8", "no text of the dialogue", "another auth"),
        ("auth = \"basic\"", "5:8", "no `username`", "username ="),
        ("auth = \"basic\"\nusername = \"a\\nb\"", "6:12", "control character", "correct it"),
        ("headers = { X-Site = \"a\" }", "5:11", "HTTP", "remove"),
        ("images = \"own-server\"", "5:10", "HTTP", "remove"),
    ] {
        let told = channel("mqtts://broker.example", more).expect_err(more);
        assert!(told.starts_with(&format!("c.toml:{place}: ")), "{more}\n{told}");
        assert!(told.contains(about) && told.contains(mend), "{more}\n{told}");
    }
}

#[test]
fn a_brokers_address_is_told_where_none_belongs_or_another_does() {
    for (text, place, about, mend) in [
        ("url = \"mqtts://broker.example\"", "2:7", "an MQTT broker's address", "add kind = \"mqtt\""),
        (
            "url = \"mqtts://b.example\"\ntopics = [\"a/#\"]",
            "2:7",
            "an MQTT broker's address",
            "add kind = \"mqtt\"",
        ),
        (
            "url = \"mqtts://b.example\"\nkind = \"sse\"",
            "3:8",
            "an MQTT broker's address",
            "write kind = \"mqtt\"",
        ),
        (
            "url = \"mqtts://b.example\"\nkind = \"ntfy\"\ntopics = [\"a\"]",
            "3:8",
            "an MQTT broker's address",
            "write kind = \"mqtt\"",
        ),
        ("url = \"mqtts://b.example\"\nkind = \"mqtt\"", "1:1", "without `topics`", "add topics = "),
        ("url = \"mqtt://b.example\"\nkind = \"mqtt\"", "2:7", "unencrypted to b.example", "allow_plaintext"),
        (
            "url = \"ws://b.example/mqtt\"\nkind = \"mqtt\"",
            "2:7",
            "unencrypted to b.example",
            "allow_plaintext",
        ),
        ("url = \"mqtts://b.example/home/#\"\nkind = \"mqtt\"", "2:7", "ends after its port", "`topics`"),
        (
            "url = \"wss://a.example\"\ntopics = [\"a\"]",
            "3:10",
            "of kind ntfy / mqtt alone",
            "kind = \"mqtt\"",
        ),
        ("url = \"wss://a.example\"\nclient_id = \"a\"", "3:13", "of kind mqtt alone", "kind = \"mqtt\""),
        (
            "url = \"wss://a.example\"\nsession_expiry = \"1d\"",
            "3:18",
            "of kind mqtt alone",
            "kind = \"mqtt\"",
        ),
        ("url = \"wss://a.example\"\nsend_url = \"mqtts://a.example\"", "3:12", "a web server", "https://"),
        (
            "url = \"wss://a.example\"\nauth = \"session\"\nsign_in = \"mqtts://a.example\"",
            "4:11",
            "a web server",
            "https://",
        ),
        (
            "url = \"wss://a.example\"\nauth = \"session\"\nsign_out = \"mqtts://a.example:443\"",
            "4:12",
            "a web server",
            "https://",
        ),
    ] {
        let told = all(&format!("[[channel]]\n{text}")).expect_err(text);
        assert!(told.starts_with(&format!("c.toml:{place}")), "{text}\n{told}");
        assert!(told.contains(about) && told.contains(mend), "{text}\n{told}");
    }
}

#[test]
fn two_channels_under_one_client_id_are_told_and_others_of_one_broker_are_fine() {
    let two = |first: &str, second: &str| {
        let one = |name: &str, more: &str| {
            format!(
                "[[channel]]\nid = \"{name}\"\nkind = \"mqtt\"\ntopics = [\"a\"]\ntoken_env = \"T\"\n{more}\n"
            )
        };
        all(&(one("a", first) + &one("b", second)))
    };
    let url = "url = \"mqtts://b.example\"";
    let told =
        two(&format!("{url}\nclient_id = \"x\""), "url = \"mqtts://B.example:8883/\"\nclient_id = \"x\"");
    let told = told.expect_err("one would replace the other");
    assert!(told.starts_with("c.toml:14:13: the same `url` and `client_id` as channel `a`"), "{told}");
    for (first, second) in [
        (url.to_owned(), url.to_owned()),
        (format!("{url}\nclient_id = \"x\""), url.to_owned()),
        (format!("{url}\nclient_id = \"x\""), format!("{url}\nclient_id = \"y\"")),
        (format!("{url}\nclient_id = \"x\""), "url = \"mqtts://c.example\"\nclient_id = \"x\"".to_owned()),
    ] {
        two(&first, &second).expect("two that don't meet");
    }
}

#[test]
fn what_the_documentation_shows_is_right() {
    for (docs, from) in [
        (include_str!("../../../../../docs/settings.md"), "### MQTT\n"),
        (include_str!("../../../../../docs/mqtt.md"), ""),
    ] {
        let (_, rest) = docs.split_once(from).expect("the section");
        let (_, example) = rest.split_once("```toml\n").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let channels = all(example).expect("it is right");
        assert_eq!(channels[0].kind.name(), ChannelKind::Mqtt);
    }
}

/// A level of a filter that holds no wildcard.
const LEVEL: &str = "[^/#+\\x00-\\x1f\\x7f-\\x9f]{0,6}";

proptest! {
    #[test]
    fn every_filter_of_whole_levels_is_taken(
        levels in prop::collection::vec(prop_oneof![LEVEL, Just("+".to_owned())], 1..6),
        hash in any::<bool>(),
    ) {
        prop_assume!(!matches!(levels[0].as_str(), "$share" | "$queue"));
        let filter = levels.join("/") + if hash { "/#" } else { "" };
        prop_assert_eq!(check(&filter), Ok(()));
    }

    #[test]
    fn a_wildcard_beside_anything_else_is_refused(
        (before, after) in (LEVEL, LEVEL).prop_filter("alone it is one", |(a, b)| !a.is_empty() || !b.is_empty()),
        above in prop::collection::vec(LEVEL, 0..3),
        hash in any::<bool>(),
    ) {
        prop_assume!(!above.first().is_some_and(|first| matches!(first.as_str(), "$share" | "$queue")));
        let (sign, why) = if hash { ("#", NoFilter::Hash) } else { ("+", NoFilter::Plus) };
        let level = format!("{before}{sign}{after}");
        let filter = above.iter().map(String::as_str).chain([level.as_str()]).collect::<Vec<_>>().join("/");
        prop_assert_eq!(check(&filter), Err(why));
    }

    #[test]
    fn a_hash_above_the_last_level_is_refused(above in LEVEL, below in LEVEL) {
        prop_assert_eq!(check(&format!("{above}/#/{below}")), Err(NoFilter::Hash));
    }

    #[test]
    fn no_text_upsets_the_check(text in ".*") {
        let _ = check(&text);
    }
}
