//! What a settings file may say, what is told about a wrong one, and what is noticed of an edit.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tidings_channel::{Backoff, Heartbeat, Liveness, TakeBack};
use tidings_inbox::{Field, Format, Rule, Show, Sound, Source, Then, Urgency};
use tidings_words::Words;
use url::Url;

use super::channel::CHANNEL_KEYS;
use super::*;
use crate::content::Unreadable;
use crate::error::SettingsError;
use crate::load::{load, read};
use crate::secret::credential::{Auth, CredentialSource};
use crate::settings::{
    ChannelSettings, ClientCert, InboxSettings, Language, NotificationSettings, Settings, Theme,
};

const FILE: &str = "/etc/tidings/config.toml";

fn parsed(text: &str) -> Result<Settings, SettingsError> {
    parse(text.as_bytes(), Path::new(FILE))
}

fn channel(text: &str) -> ChannelSettings {
    let text = format!("[[channel]]\nurl = \"wss://shop.example/ws\"\n{text}");
    parsed(&text).expect("a good file").channels.remove(0)
}

fn refusal(text: &[u8]) -> String {
    let error = parse(text, Path::new(FILE)).expect_err("a bad file").to_string();
    error.strip_prefix("/etc/tidings/config.toml:").expect("the file and a place come first").to_owned()
}

const FULL: &str = r#"
language = "auto"                  # auto | en | zh-CN
theme = "auto"                     # auto | light | dark
start_at_login = false

[notifications]
burst = 5                          # popups at once
refill = "2s"                      # one more popup allowed every …
down_after = "10m"                 # tell me once when a channel has been down this long
quiet_hours = [{ days = "mon-fri", from = "22:00", to = "07:00" }]
critical_breaks_quiet = true

[inbox]
keep_days = 90
keep_messages = 100000

[[channel]]
id = "orders"                      # unique, stays when the name changes
name = "Orders"                    # default: the host
url = "wss://shop.example/ws/user-channel"
enabled = true                     # connect at start
allow_plaintext = false            # ws:// beyond loopback
token_command = "pass show orders" # or token_file, token_env
auth = "bearer"                    # none | bearer | basic | { header = "X-Key" } | …
show = "full"                      # full | title | nothing
format = "plain"                   # plain | markdown
username = "me"                    # for basic
headers = { "X-Client" = "desk" }
proxy = "socks5://127.0.0.1:1080"
ca_file = "/etc/ssl/corp.pem"
client_cert = "desk.pem"           # certificate chain and key
resume = "since"                   # query parameter that carries the last message id
quiet_close_codes = [4500]
take_back_after = "never"          # or "30m": take over again by itself
ignore = ["HeartBeat", "ping", "pong", ""]
ignore_when = "json.type == 'ping'"

[channel.heartbeat]
text = "HeartBeat"                 # "" turns it off
interval = "60s"
proxy_timeout = "90s"

[channel.liveness]
ping_after = "20s"                 # "0s": no pings
deadline = "15s"

[channel.backoff]
first = "3s"                       # upper end of the first delay after a remote failure
cap = "60s"

[channel.mapping]                  # each: a JSON Pointer, or a template with {{ }}
title = "/payload/subject"
body = "{{ payload.who }}: {{ payload.text }}"

[[channel.rule]]
when = "priority >= 4"             # a minijinja expression
then = "notify"                    # notify | silent | store
urgency = "critical"               # low | normal | critical
sound = "message-new-instant"      # a name of the sound theme, or "none"
"#;

#[test]
fn what_only_another_kind_sends_by_is_refused_at_its_key() {
    for (kind, key, told) in [
        ("url = \"wss://a.example\"", "send_app = 3", "gotify"),
        ("url = \"https://a.example\"\nkind = \"ntfy\"\ntopics = [\"a\"]", "send_app = 3", "gotify"),
        ("url = \"https://a.example\"\nkind = \"gotify\"", "send_url = \"https://a.example/x\"", "gotify"),
        ("url = \"https://a.example\"\nkind = \"gotify\"", "send_app = 0", "1"),
    ] {
        let text = format!("[[channel]]\n{kind}\n{key}\n");
        let error = parsed(&text).expect_err(key);
        let (name, _) = key.split_once(' ').expect("a key");
        let error = error.told(Words::of(tidings_words::Language::English));
        assert!(error.contains(name) && error.contains(told), "{error}");
    }
}

#[test]
fn every_documented_key_is_read() {
    let mut settings = parsed(FULL).expect("the documented file is good");
    let Settings { language, theme, start_at_login, notifications, inbox, .. } = &settings;
    assert_eq!((*language, *theme, *start_at_login), (Language::Auto, Theme::Auto, false));
    assert_eq!(*inbox, InboxSettings { keep_days: 90, keep_messages: 100_000 });
    let [quiet] = notifications.quiet_hours.as_slice() else { panic!("one span of quiet hours") };
    assert_eq!((quiet.from.hour(), quiet.to.hour()), (22, 7));
    assert!(quiet.days.contains(jiff::civil::Weekday::Friday));
    assert!(!quiet.days.contains(jiff::civil::Weekday::Saturday));
    let rest = NotificationSettings { quiet_hours: Vec::new(), ..notifications.clone() };
    assert_eq!(rest, NotificationSettings::default(), "the example shows the defaults");

    let orders = settings.channels.remove(0);
    assert!(settings.channels.is_empty());
    assert_eq!((orders.id.as_str(), orders.name.as_str()), ("orders", "Orders"));
    assert_eq!(orders.url.as_url().as_str(), "wss://shop.example/ws/user-channel");
    assert!(orders.enabled);
    assert_eq!(orders.credential, CredentialSource::Command("pass show orders".into()));
    assert_eq!(orders.auth, Auth::Bearer);
    assert_eq!((orders.show, orders.format), (Show::Full, Format::Plain));
    assert_eq!(orders.headers, [("X-Client".to_owned(), "desk".to_owned())]);
    assert_eq!(orders.proxy.as_ref().map(Url::as_str), Some("socks5://127.0.0.1:1080"));
    assert_eq!(orders.ca_file.as_deref(), Some(Path::new("/etc/ssl/corp.pem")));
    let desk = PathBuf::from("/etc/tidings/desk.pem");
    assert_eq!(orders.client_cert, Some(ClientCert { chain: desk.clone(), key: desk }));
    assert_eq!(orders.resume.as_deref(), Some("since"));
    assert_eq!(orders.quiet_close_codes, BTreeSet::from([4500]));
    assert_eq!(orders.take_back_after, None);
    assert_eq!(orders.ignore, ["HeartBeat", "ping", "pong", ""]);
    assert!(orders.ignore_when.is_some());
    assert_eq!(orders.heartbeat, Heartbeat::default());
    assert_eq!(orders.liveness, Liveness::default());
    assert_eq!(orders.backoff, Backoff::default());
    let source = |text| Source::parse(text).expect("a source");
    assert_eq!(orders.mapping[&Field::Title], source("/payload/subject"));
    assert_eq!(orders.mapping[&Field::Body], source("{{ payload.who }}: {{ payload.text }}"));
    let mut rule = Rule::new(Some("priority >= 4")).expect("a rule");
    rule.then = Some(Then::Notify);
    rule.urgency = Some(Urgency::Critical);
    rule.sound = Some(Sound::Named("message-new-instant".into()));
    assert_eq!(orders.rules, [rule]);
}

#[test]
fn a_url_alone_is_a_channel() {
    let url = channel("");
    assert_eq!((url.id.as_str(), url.name.as_str()), ("shop.example", "shop.example"));
    assert_eq!((&url.credential, &url.auth), (&CredentialSource::Keyring, &Auth::Bearer));
    assert!(url.enabled && url.resume.is_none() && url.rules.is_empty());
    assert_eq!(url.quiet_close_codes, BTreeSet::from([4500]));
}

#[test]
fn an_id_is_made_from_the_name() {
    for (name, id) in
        [("My Orders!", "my-orders"), ("订单 通知", "订单-通知"), ("--a--b--", "a-b"), ("É_1.x", "é_1.x")]
    {
        assert_eq!(channel(&format!("name = \"{name}\"")).id, id);
    }
}

#[test]
fn auth_takes_every_form() {
    let forms = [
        ("auth = \"none\"", Auth::None),
        ("auth = \"basic\"\nusername = \"me\"", Auth::Basic { username: "me".into() }),
        ("auth = { header = \"X-Key\" }", Auth::Header { name: "X-Key".into() }),
        ("auth = { query = \"token\" }", Auth::Query { name: "token".into() }),
        ("auth = { cookie = \"sid\" }", Auth::Cookie { name: "sid".into() }),
    ];
    for (text, auth) in forms {
        assert_eq!(channel(text).auth, auth, "{text}");
    }
    assert_eq!(channel("auth = \"none\"").credential, CredentialSource::None);
    assert_eq!(channel("token_env = \"T\"").credential, CredentialSource::Env("T".into()));
}

#[test]
fn a_session_begins_at_its_site_unless_told_otherwise() {
    let session = |text: &str| channel(&format!("auth = \"session\"\n{text}")).session.expect("it has one");
    let usual = session("");
    assert_eq!(usual.sign_in.as_str(), "https://shop.example/");
    assert_eq!(
        (usual.keep, usual.keep_url.to_string(), usual.sign_out),
        (None, "wss://shop.example/".into(), None)
    );
    let told = session(
        "sign_in = \"https://shop.example/app\"\nkeep_session = \"10m\"\nsign_out = \"https://shop.example/logout\"",
    );
    assert_eq!(
        (told.keep, told.keep_url.to_string()),
        (Some(Duration::from_secs(600)), "wss://shop.example/app".into())
    );
    assert_eq!(told.sign_out.map(|url| url.to_string()).as_deref(), Some("wss://shop.example/logout"));
    let elsewhere = session("sign_in = \"https://id.example/start\"\nkeep_session = \"off\"");
    assert_eq!(
        (elsewhere.site(), elsewhere.keep_url.to_string()),
        ("id.example", "wss://shop.example/".into())
    );
    assert_eq!(channel("auth = \"session\"").credential, CredentialSource::Keyring);
    assert_eq!(channel("").session, None);
}

#[test]
fn a_session_that_cannot_be_is_told_with_its_mend() {
    for (text, told) in [
        (
            "sign_in = \"https://shop.example/\"",
            "3:11: `sign_in` is for channels with `auth = \"session\"` alone; set auth = \"session\", or remove it",
        ),
        (
            "auth = \"session\"\nsign_in = \"wss://shop.example/ws\"",
            "4:11: `sign_in` is the address of a web page; write it as \"https://…\"",
        ),
        ("auth = \"session\"\nsign_in = \"http://shop.example/\"", "4:11: "),
        ("auth = \"session\"\nsign_in = \"file:///etc/passwd\"", "4:11: "),
        ("auth = \"session\"\nsign_in = \"https://me:x@shop.example/\"", "4:11: "),
        (
            "auth = \"session\"\nkeep_session = \"1s\"",
            "4:16: `keep_session` is out of range; write \"10s\" or more",
        ),
        (
            "auth = \"session\"\nkeep_session = \"48h\"",
            "4:16: `keep_session` is out of range; write \"24h\" or less",
        ),
        ("auth = \"session\"\nkeep_session = \"on\"", "4:16: "),
        (
            "auth = \"session\"\nkeep_session_url = \"https://evil.example/\"",
            "4:20: `keep_session_url` leads to another site than `url`, which would get the session's cookies; write it as \"https://shop.example/…\"",
        ),
        (
            "auth = \"session\"\nsign_out = \"https://shop.example:444/\"",
            "4:12: `sign_out` leads to another site",
        ),
        (
            "auth = \"session\"\nkind = \"gotify\"",
            "3:8: `auth` is session, which ntfy and Gotify don't know; set kind = \"recipe\", or remove it",
        ),
    ] {
        let refused = refusal(format!("[[channel]]\nurl = \"wss://shop.example/ws\"\n{text}").as_bytes());
        assert!(refused.starts_with(told), "{text}: {refused}");
    }
}

#[test]
fn paths_are_relative_to_the_file_and_know_the_home_folder() {
    let file = |text| channel(text).credential;
    assert_eq!(file("token_file = \"a/t\""), CredentialSource::File("/etc/tidings/a/t".into()));
    assert_eq!(file("token_file = \"/t\""), CredentialSource::File("/t".into()));
    let home = std::env::home_dir().expect("a home folder");
    assert_eq!(file("token_file = \"~/t\""), CredentialSource::File(home.join("t")));
    let key = channel("client_cert = \"c.pem\"\nclient_key = \"/k.pem\"").client_cert.expect("given");
    assert_eq!(key.key, Path::new("/k.pem"));
}

#[test]
fn one_number_alone_of_the_backoff_moves_the_default_of_the_other() {
    let backoff = |text| channel(&format!("[channel.backoff]\n{text}")).backoff;
    let ms = Duration::from_millis;
    assert_eq!(backoff("cap = \"500ms\""), Backoff::new(ms(500), ms(500)).expect("good"));
    assert_eq!(backoff("first = \"2m\""), Backoff::new(ms(120_000), ms(120_000)).expect("good"));
}

#[test]
fn a_day_list_may_go_over_the_end_of_the_week() {
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Wednesday};
    let text =
        "[notifications]\nquiet_hours = [{ days = \"sat-mon, Wed\", from = \"00:00\", to = \"08:30\" }]";
    let days = parsed(text).expect("good").notifications.quiet_hours[0].days;
    assert!([Saturday, Sunday, Monday, Wednesday].into_iter().all(|day| days.contains(day)));
    assert!(!days.contains(Friday));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_taken() {
    let text = "\u{feff}theme = \"dark\"\r\n[inbox]\r\nkeep_days = 7\r\n";
    let settings = parsed(text).expect("good");
    assert_eq!((settings.theme, settings.inbox.keep_days), (Theme::Dark, 7));
    assert_eq!(refusal("\u{feff}thema = \"dark\"".as_bytes()).split(' ').next(), Some("1:1:"));
}

/// A channel with a good URL on line 2, then the text.
fn after_url(text: &str) -> String {
    format!("[[channel]]\nurl = \"wss://shop.example/ws\"\n{text}")
}

#[test]
fn what_is_wrong_is_told_with_place_and_mend() {
    let table: &[(&str, &str)] = &[
        ("thema = \"dark\"", "1:1: unknown key `thema` at the top of the file; did you mean `theme`?"),
        (
            "token = \"x\"",
            "1:1: `token` at the top of the file looks like a secret; keep it out of the file: name a command, file or variable with token_command, token_file or token_env",
        ),
        (
            "zzzzzzzz = 1",
            "1:1: unknown key `zzzzzzzz` at the top of the file; known here: language, theme, start_at_login, notifications, inbox, channel",
        ),
        ("theme = \"drak\"", "1:9: unknown word `drak` for `theme`; did you mean `dark`?"),
        ("theme = \"purple\"", "1:9: unknown word for `theme`; write one of auto, light, dark"),
        ("theme = 1", "1:9: `theme` must be text, not a number; put it in quotes"),
        (
            "start_at_login = \"yes\"",
            "1:18: `start_at_login` must be true or false, not text; write true or false, without quotes",
        ),
        (
            "theme = \"dark\"\ntheme = \"dark\"",
            "2:1: `theme` stands twice; keep one of the two, and one header for each table",
        ),
        ("[inbox]\n[inbox]", "2:2: `inbox` stands twice; keep one of the two, and one header for each table"),
        (
            "theme = dark",
            "1:9: this is not TOML: text stands here without quotes; put text in quotes, and write one `key = value` a line",
        ),
        (
            "theme = \"dark",
            "1:14: this is not TOML: the text that begins here has no closing quote; put text in quotes, and write one `key = value` a line",
        ),
        (
            "[inbox",
            "1:7: this is not TOML: a bracket is opened and not closed; put text in quotes, and write one `key = value` a line",
        ),
        ("inbox = 1", "1:9: `inbox` must be a table, not a number; write its keys under [inbox]"),
        ("[inbox]\nkeep_days = 0", "2:13: `keep_days` is out of range; write a whole number from 1 to 36500"),
        (
            "[inbox]\nkeep_days = \"90\"",
            "2:13: `keep_days` must be a whole number, not text; write a whole number from 1 to 36500",
        ),
        ("[inbox]\nkeep_dasy = 9", "2:1: unknown key `keep_dasy` in [inbox]; did you mean `keep_days`?"),
        (
            "[notifications]\nrefill = 2",
            "2:10: `refill` must be text with a unit, not a number; write \"2s\"",
        ),
        ("[notifications]\nrefill = \"2\"", "2:10: `refill` has no unit; write \"2s\""),
        (
            "[notifications]\nrefill = \"two seconds\"",
            "2:10: `refill` is not a duration; write for example \"1500ms\", \"60s\", \"5m\" or \"2h\"",
        ),
        (
            "[notifications]\nrefill = \"0s\"",
            "2:10: `refill` must be more than zero; write for example \"15s\"",
        ),
        (
            "[notifications]\nrefill = \"99999999999999999999y\"",
            "2:10: `refill` is not a duration; write for example \"1500ms\", \"60s\", \"5m\" or \"2h\"",
        ),
        ("[notifications]\nrefill = \"10years\"", "2:10: `refill` is too long; write at most \"366d\""),
        (
            "[notifications]\nquiet_hours = { from = \"22:00\", to = \"07:00\" }",
            "2:15: `quiet_hours` must be a list, not a table; put it in brackets: [ … ]",
        ),
        (
            "[notifications]\nquiet_hours = [{ from = \"22:00\" }]",
            "2:16: quiet hours without `to`; write for example { days = \"mon-fri\", from = \"22:00\", to = \"07:00\" }",
        ),
        (
            "[notifications]\nquiet_hours = [{ from = \"22\", to = \"07:00\" }]",
            "2:25: `from` is not a time of day; write it as \"22:00\"",
        ),
        (
            "[notifications]\nquiet_hours = [{ from = \"07:00\", to = \"07:00\" }]",
            "2:39: `to` is the same as `from`; for a whole day write \"00:00\" to \"23:59\"",
        ),
        (
            "[notifications]\nquiet_hours = [{ days = \"mon-fry\", from = \"22:00\", to = \"07:00\" }]",
            "2:25: unknown word `fry` for `days`; did you mean `fri`?",
        ),
        (
            "[channel]\nurl = \"wss://a.example\"",
            "1:1: `channel` must be a list of tables, not a table; write its header in double brackets, `[[…]]`",
        ),
        ("[[channel]]\nname = \"A\"", "1:1: a channel without `url`; add url = \"wss://…\""),
        (
            "[[channel]]\nulr = \"wss://a.example\"",
            "2:1: unknown key `ulr` in [[channel]]; did you mean `url`?",
        ),
        (
            "[[channel]]\nurl = \"shop.example/ws\"",
            "2:7: `url` does not begin with a scheme; write it as \"wss://host/path\"",
        ),
        (
            "[[channel]]\nurl = \"https:///\"",
            "2:7: `url` is not a URL: the host is missing; write it as \"wss://host/path\"",
        ),
        (
            "[[channel]]\nurl = \"ftp://a.example\"",
            "2:7: `url` is not a WebSocket address; write it as \"wss://host/path\"",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example:0/\"",
            "2:7: `url` has port 0, which can't be connected to; write the server's port, or none",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example:99999/\"",
            "2:7: `url` is not a URL: the port is not a number up to 65535; write it as \"wss://host/path\"",
        ),
        ("[[channel]]\nurl = \"\"", "2:7: `url` is empty; fill it in, or remove the line"),
        ("[[channel]]\nurl = 5", "2:7: `url` must be text, not a number; put it in quotes"),
        (
            "[[channel]]\nurl = \"ws://a.example\"",
            "2:7: `url` would send everything unencrypted to a.example; write wss://, or add allow_plaintext = true to this channel",
        ),
        (
            "[[channel]]\nkind = \"sse\"\nurl = \"http://a.example\"",
            "3:7: `url` would send everything unencrypted to a.example; write https://, or add allow_plaintext = true to this channel",
        ),
        (
            "[[channel]]\nkind = \"mqtt\"\nurl = \"mqtt://a.example\"\ntopics = [\"a\"]",
            "3:7: `url` would send everything unencrypted to a.example; write mqtts://, or add allow_plaintext = true to this channel",
        ),
        (
            "[[channel]]\nurl = \"wss://me@a.example\"",
            "2:7: `url` holds a user name or password; keep it out of the file: name a command, file or variable with token_command, token_file or token_env",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example/#top\"",
            "2:7: `url` has a fragment, which no server ever sees; remove it from the # on",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example/?token=x\"",
            "2:7: `url` seems to hold a secret in its query; keep it out of the file: name a command, file or variable with token_command, token_file or token_env, and the parameter with auth = { query = \"…\" }",
        ),
        (
            "[[channel]]\nid = \"a\"\nurl = \"wss://a.example\"\n\n[[channel]]\nurl = \"wss://b.example\"\nid = \"a\"",
            "7:6: a second channel with the id `a`; give each channel an `id` of its own",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example/1\"\n\n[[channel]]\nurl = \"wss://a.example/2\"",
            "4:1: a second channel with the id `a.example`; give each channel an `id` of its own",
        ),
        (
            "[[channel]]\nid = \"a\"\nurl = \"wss://a.example\"\n\n[[channel]]\nid = \"b\"\nurl = \"wss://A.example:443/\"",
            "7:7: the same URL and credential as channel `a`: they would replace each other; remove one of the two, or give each a token_command, token_file or token_env of its own",
        ),
        (
            "[[channel]]\nurl = \"wss://a.example\"\nname = \"!!\"",
            "3:8: no id can be made from this name; add an `id` to this channel",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text.as_bytes()), *expected, "in\n{text}");
    }
}

#[test]
fn what_is_wrong_in_a_channel_is_told_with_place_and_mend() {
    let table: &[(&str, &str)] = &[
        ("id = \"\"", "3:6: `id` is empty; fill it in, or remove the line"),
        (
            "id = \"a b\"",
            "3:6: `id` has other characters or is too long; use at most 64 letters, digits, `-`, `_` and `.`",
        ),
        ("name = 1", "3:8: `name` must be text, not a number; put it in quotes"),
        (
            "tokn = \"x\"",
            "3:1: unknown key `tokn` in [[channel]]; known here: id, name, kind, url, carrier, topics, client_id, session_expiry, preset, dialogue, enabled, allow_plaintext, token_command, token_file, token_env, auth, sign_in, keep_session, keep_session_url, sign_out, oauth, show, format, images, app_icons, username, headers, proxy, ca_file, client_cert, client_key, send_url, send_token_command, send_token_file, send_token_env, send_app, resume, quiet_close_codes, take_back_after, ignore, ignore_when, heartbeat, liveness, backoff, mapping, rule",
        ),
        (
            "token = \"x\"",
            "3:1: `token` in [[channel]] looks like a secret; keep it out of the file: name a command, file or variable with token_command, token_file or token_env",
        ),
        (
            "password = \"x\"",
            "3:1: `password` in [[channel]] looks like a secret; keep it out of the file: name a command, file or variable with token_command, token_file or token_env",
        ),
        (
            "token_command = \"a\"\ntoken_file = \"b\"",
            "4:14: `token_file` beside `token_command`; keep one of the two",
        ),
        ("auth = \"baerer\"", "3:8: unknown word `baerer` for `auth`; did you mean `bearer`?"),
        (
            "auth = \"digest\"",
            "3:8: unknown word for `auth`; write one of none, bearer, basic, session, dialogue",
        ),
        ("auth = 1", "3:8: `auth` must be text, not a number; put it in quotes"),
        (
            "auth = \"basic\"",
            "3:8: `auth` is basic, but there is no `username`; add username = \"…\" to this channel",
        ),
        (
            "auth = \"basic\"\nusername = \"a:b\"",
            "4:12: `username` holds a colon or a control character, which Basic can't carry; correct it, or choose another `auth`",
        ),
        ("auth = {}", "3:8: `auth` must have one name; write one of header, query and cookie"),
        (
            "auth = { header = \"a\", query = \"b\" }",
            "3:8: `auth` must have one name; write one of header, query and cookie",
        ),
        (
            "auth = { header = \"a b\" }",
            "3:19: `header` is not a name that HTTP knows; use letters, digits and `-`; the secret itself stands elsewhere",
        ),
        ("auth = { heder = \"a\" }", "3:10: unknown key `heder` in auth; did you mean `header`?"),
        (
            "auth = \"none\"\ntoken_env = \"T\"",
            "4:13: `auth` is none, so `token_env` is of no use; remove `token_env`, or choose another `auth`",
        ),
        (
            "token_env = \"$T=1\"",
            "3:13: `token_env` is not the name of a variable; write its name without `$` and value",
        ),
        ("token_file = \"\"", "3:14: `token_file` is empty; fill it in, or remove the line"),
        (r#"token_file = "a\u0000""#, "3:14: `token_file` is not a path; remove the NUL character"),
        ("show = \"ful\"", "3:8: unknown word `ful` for `show`; did you mean `full`?"),
        ("format = \"markdwn\"", "3:10: unknown word `markdwn` for `format`; did you mean `markdown`?"),
        (
            "headers = [\"a\"]",
            "3:11: `headers` must be a table, not a list; write it as { \"Name\" = \"value\" }",
        ),
        (
            "headers = { \"a b\" = \"c\" }",
            "3:13: this is not the name of a header; use letters, digits and `-`",
        ),
        (
            "headers = { X-Client = \"Bearer s3cr3t-of-ann\" }",
            "3:24: the header `X-Client` seems to hold a secret; keep it out of the file: name a command, file or variable with token_command, token_file or token_env, and the header with `auth`",
        ),
        (
            "headers = { Cookie = \"c\" }",
            "3:13: the header `Cookie` usually holds a secret; keep it out of the file: name a command, file or variable with token_command, token_file or token_env, and the header with `auth`",
        ),
        ("headers = { Host = \"c\" }", "3:13: `Host` is set by the connection itself; remove it"),
        ("headers = { X = 1 }", "3:17: `X` must be text, not a number; put it in quotes"),
        (
            "headers = { X = \"a\\nb\" }",
            "3:17: this can't be sent in a header; use printable ASCII on one line",
        ),
        (
            "proxy = \"127.0.0.1:1080\"",
            "3:9: `proxy` is not a URL: it does not begin with a scheme; write it as \"socks5://host:1080\" or \"http://host:3128\"",
        ),
        (
            "proxy = \"ftp://a\"",
            "3:9: `proxy` is not the address of a proxy; write it as \"socks5://host:1080\" or \"http://host:3128\"",
        ),
        (
            "proxy = \"http://a:b@c\"",
            "3:9: `proxy` holds a user name or password; remove them here and set the environment variable HTTPS_PROXY or ALL_PROXY instead",
        ),
        (
            "client_key = \"k\"",
            "3:14: `client_key` without `client_cert`; add client_cert = \"…\" to this channel",
        ),
        (
            "quiet_close_codes = 4500",
            "3:21: `quiet_close_codes` must be a list, not a number; put it in brackets: [ … ]",
        ),
        (
            "quiet_close_codes = [4500, 99]",
            "3:28: `quiet_close_codes` is out of range; write a whole number from 1000 to 4999",
        ),
        (
            "quiet_close_codes = [4500, \"x\"]",
            "3:28: `quiet_close_codes` must be a whole number, not text; write a whole number from 1000 to 4999",
        ),
        ("take_back_after = \"30s\"", "3:19: `take_back_after` (30s) is too short; write \"60s\" or more"),
        ("take_back_after = \"30\"", "3:19: `take_back_after` has no unit; write \"30s\""),
        (
            "take_back_after = \"nevr\"",
            "3:19: unknown word `nevr` for `take_back_after`; did you mean `never`?",
        ),
        ("ignore = \"x\"", "3:10: `ignore` must be a list, not text; put it in brackets: [ … ]"),
        ("resume = \"\"", "3:10: `resume` is empty; fill it in, or remove the line"),
        (
            "[channel.heartbeat]\nintervall = \"60s\"",
            "4:1: unknown key `intervall` in [channel.heartbeat]; did you mean `interval`?",
        ),
        (
            "[channel.heartbeat]\ninterval = \"61s\"",
            "4:12: `interval` (61s) is above two thirds of `proxy_timeout` (90s); write interval = \"60s\" or less",
        ),
        (
            "[channel.heartbeat]\nproxy_timeout = \"60s\"",
            "4:17: `interval` (60s) is above two thirds of `proxy_timeout` (60s); write interval = \"40s\" or less",
        ),
        (
            "[channel.heartbeat]\ninterval = \"0s\"",
            "4:12: `interval` (0s) is too short; write \"50ms\" or more",
        ),
        (
            "[channel.heartbeat]\ninterval = 60",
            "4:12: `interval` must be text with a unit, not a number; write \"60s\"",
        ),
        ("[channel.heartbeat]\ninterval = \"60\"", "4:12: `interval` has no unit; write \"60s\""),
        (
            "[channel.liveness]\ndeadline = \"0s\"",
            "4:12: `deadline` (0s) is too short; write \"50ms\" or more",
        ),
        (
            "[channel.liveness]\nping_after = \"9d\"",
            "4:14: `ping_after` (9days) is too long; write \"7days\" or less",
        ),
        (
            "[channel.backoff]\nfirst = \"9s\"\ncap = \"3s\"",
            "5:7: `cap` (3s) is below `first` (9s); write cap = \"9s\" or more",
        ),
        (
            "[channel.mapping]\ntitel = \"/a\"",
            "4:1: unknown key `titel` in [channel.mapping]; did you mean `title`?",
        ),
        (
            "[channel.mapping]\ntitle = \"a.b\"",
            "4:9: `title` is neither a JSON Pointer nor a template; write it as \"/payload/subject\" or \"{{ payload.subject }}\"",
        ),
        (
            "[channel.rule]\nthen = \"notify\"",
            "3:1: `rule` must be a list of tables, not a table; write its header in double brackets, `[[…]]`",
        ),
        (
            "[[channel.rule]]\nthen = \"notifi\"",
            "4:8: unknown word `notifi` for `then`; did you mean `notify`?",
        ),
        (
            "[channel.mapping]\nbody = \"é {{ a }} {{ b \"",
            "4:22: the template for `body` has a mistake: something is begun and not ended; write for example \"{{ payload.who }}: {{ payload.text }}\"",
        ),
        (
            "[[channel.rule]]\nwhen = '''\ntitle and\n  not +'''",
            "6:7: `when` has a mistake: `+` can't stand here; write for example \"priority >= 4 and 'paid' in title\"",
        ),
        ("[[channel.rule]]\nwhen = \"\"", "4:8: `when` is empty; fill it in, or remove the line"),
        (
            "[[channel.rule]]\nurgency = \"high\"",
            "4:11: unknown word for `urgency`; write one of low, normal, critical",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(after_url(text).as_bytes()), *expected, "in\n{text}");
    }
}

#[test]
fn the_first_byte_that_is_not_utf8_is_named() {
    assert_eq!(
        refusal(b"theme = \"auto\"\nlanguage = \"\xc3\xa9\xff\""),
        "2:14: the file is not UTF-8 from here on; save it as UTF-8"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, Path::new(FILE));
    }

    /// Near enough to a good file that every key meets every kind of value.
    #[test]
    fn no_value_makes_it_panic(
        line in 0..FULL.lines().count(),
        value in prop_oneof![
            Just("1".to_owned()), Just("-9223372036854775808".to_owned()), Just("0x7fffffffffffffff".to_owned()),
            Just("nan".to_owned()), Just("[[], {}]".to_owned()), Just("{ a.b = [1] }".to_owned()),
            Just("1979-05-27".to_owned()), "\"[ -~é\u{0}\\\\]{0,40}\"", "\"[0-9]{1,25}[a-z]{0,3}\"",
        ],
    ) {
        let bad: Vec<_> = FULL.lines().enumerate().map(|(at, text)| match text.split_once(" = ") {
            Some((key, _)) if at == line => format!("{key} = {value}"),
            Some(_) | None => text.to_owned(),
        }).collect();
        if let Err(error) = parsed(&bad.join("\n")) {
            prop_assert!(error.position.is_some_and(|at| at.line <= bad.len() + 1), "{error}");
        }
    }
}

#[test]
fn an_error_never_tells_a_secret() {
    let files = [
        after_url("token = \"hunter2\""),
        after_url("auth = \"hunter2\""),
        after_url("token_file = hunter2"),
        after_url("headers = { Authorization = \"hunter2\" }"),
        after_url("auth = { header = \"hunter 2\" }"),
        after_url("token_env = \"T=hunter2\""),
        after_url("proxy = \"http://me:hunter2@proxy.example\""),
        "[[channel]]\nurl = \"wss://me:hunter2@shop.example\"".to_owned(),
        "[[channel]]\nurl = \"wss://shop.example/?access_token=hunter2\"".to_owned(),
        "[[channel]]\nurl = \"hunter2\"".to_owned(),
    ];
    for text in files {
        let error = parsed(&text).expect_err("a bad file");
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_the_defaults_and_one_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    assert_eq!(load(&file), Ok(Settings::default()));
    let refused = |file: &Path| load(file).expect_err("unreadable").to_string();
    let at = file.display().to_string();
    std::fs::create_dir(&file).expect("a folder in its place");
    assert_eq!(refused(&file), format!("{at}: it is not a file; put the settings into a file of this name"));
    std::fs::remove_dir(&file).expect("removed");
    std::fs::write(&file, vec![b'#'; 1 << 20]).expect("written");
    assert_eq!(load(&file), Ok(Settings::default()), "1 MiB is taken");
    std::fs::write(&file, vec![b'#'; (1 << 20) + 1]).expect("written");
    assert_eq!(
        refused(&file),
        format!("{at}: it is larger than 1 MiB; is this the settings file? Remove what is not settings")
    );
    // The superuser may read everything, so the words for a refusal are tested without a file.
    let denied = Err(Unreadable::from(io::Error::from(io::ErrorKind::PermissionDenied)));
    assert_eq!(
        read(Path::new(FILE), &denied).expect_err("unreadable").to_string(),
        format!("{FILE}: no permission to read it; make it yours and readable: chown, chmod 600")
    );
}

#[test]
fn the_home_folder_is_written_as_a_tilde() {
    let file = std::env::home_dir().expect("a home folder").join(".config/tidings/config.toml");
    let error = parse(b"x = 1", &file).expect_err("unknown key").to_string();
    assert!(error.starts_with("~/.config/tidings/config.toml:1:1: "), "{error}");
}

#[test]
fn only_what_the_link_is_made_of_asks_for_a_new_one() {
    let old = channel("id = \"a\"");
    for same in [
        "name = \"B\"",
        "enabled = false",
        "show = \"title\"",
        "format = \"markdown\"",
        "ignore = []",
        "[channel.mapping]\ntitle = \"/t\"",
    ] {
        assert!(!old.link_differs(&channel(&format!("id = \"a\"\n{same}"))), "{same}");
    }
    for new in [
        "token_env = \"T\"",
        "auth = \"none\"",
        "headers = { A = \"b\" }",
        "resume = \"since\"",
        "[channel.heartbeat]\ntext = \"\"",
        "[channel.backoff]\ncap = \"9s\"",
    ] {
        assert!(old.link_differs(&channel(&format!("id = \"a\"\n{new}"))), "{new}");
    }
}

#[test]
fn a_channel_becomes_what_connection_and_inbox_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    let mut settings = channel(
        "resume = \"since\"\nquiet_close_codes = [4500, 4001]\ntake_back_after = \"30m\"\nshow = \"title\"\n\
         format = \"markdown\"",
    );
    settings.ca_file = Some(ca.clone());
    let refused = settings.config().expect_err("no file").to_string();
    assert!(
        refused.contains("ca.pem: ") && refused.ends_with("correct its path or its permissions"),
        "{refused}"
    );
    std::fs::write(&ca, "\u{FEFF}PEM").expect("written");
    let config = settings.config().expect("readable");
    assert_eq!(config.ca_pem.as_deref(), Some(b"PEM".as_slice()));
    assert_eq!(config.quiet_close_codes, BTreeSet::from([4001, 4500]));
    assert_eq!(config.take_back_after.map(TakeBack::time), Some(Duration::from_secs(1800)));
    settings.client_cert = Some(ClientCert { chain: ca.clone(), key: ca });
    let refused = settings.config().expect_err("no certificate").to_string();
    assert!(refused.contains("client_cert") && refused.contains("BEGIN CERTIFICATE"), "{refused}");
    settings.client_cert = None;
    settings.proxy = Some(Url::parse("socks5h://127.0.0.1:1080").expect("a URL"));
    let proxy = settings.config().expect("readable").proxy.expect("set");
    assert_eq!(proxy.to_string(), "socks5h://127.0.0.1:1080");
    let profile = settings.profile();
    assert_eq!((profile.show, profile.id.as_str()), (Show::Title, "shop.example"));
    assert_eq!(profile.format, Format::Markdown);
}

#[test]
fn in_chinese_an_error_is_chinese_but_for_its_place_and_the_files_own_words() {
    let words = Words::of(tidings_words::Language::SimplifiedChinese);
    let told = |text: &str| parse(text.as_bytes(), Path::new("/etc/config.toml")).unwrap_err().told(words);
    assert_eq!(
        told("[[channel]]\nurl = \"wss://a.example\"\nshwo = \"full\""),
        "/etc/config.toml:3:1：[[channel]] 中有未知的键 `shwo`；您是想写 `show` 吗？"
    );
    assert_eq!(
        told("start_at_login = \"yes\""),
        "/etc/config.toml:1:18：`start_at_login` 必须是 true 或 false，而不是文本；请写 true 或 false，不加引号"
    );
}

#[test]
fn the_documentation_has_every_key_and_its_example_is_right() {
    let docs = include_str!("../../../../docs/settings.md");
    let named = |key: &&str| {
        [format!("\n{key} = "), format!("`{key}`"), format!("[channel.{key}]]"), format!("[channel.{key}]")]
            .iter()
            .any(|form| docs.contains(form))
    };
    let missing: Vec<&str> = CHANNEL_KEYS.into_iter().filter(|key| !named(key)).collect();
    assert_eq!(missing, [] as [&str; 0]);
    let (_, example) = docs.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    parse(example.as_bytes(), Path::new("/home/me/.config/tidings/config.toml")).expect("it is right");
}

#[test]
fn a_provider_takes_the_place_of_a_token() {
    let named = "[channel.oauth]\nissuer = \"https://id.example/realms/shop\"\nclient_id = \"tidings\"\nscopes = [\"openid\", \"offline_access\"]\n";
    let with = channel(named);
    let CredentialSource::Provider(provider) = &with.credential else { panic!("{:?}", with.credential) };
    assert_eq!((provider.host(), provider.client_id.as_str()), ("id.example", "tidings"));
    assert_eq!(provider.scopes, ["openid", "offline_access"]);
    assert_eq!(with.auth, Auth::Bearer);
    let by_query = channel(&format!("auth = {{ query = \"access_token\" }}\n{named}"));
    assert_eq!(by_query.auth, Auth::Query { name: "access_token".to_owned() });
}

#[test]
fn what_is_wrong_with_a_provider_is_told_where_it_stands() {
    let told = |text: &str| refusal(format!("[[channel]]\nurl = \"wss://a/\"\n{text}").as_bytes());
    let own = |issuer: &str, more: &str| {
        format!("[channel.oauth]\nissuer = \"{issuer}\"\nclient_id = \"x\"\n{more}")
    };
    for (text, place, part) in [
        ("[channel.oauth]\nclient_id = \"x\"\n".to_owned(), "3:", "issuer"),
        ("[channel.oauth]\nissuer = \"https://id.example\"\n".to_owned(), "3:", "client_id"),
        (own("http://id.example", ""), "4:", "https"),
        (own("id.example", ""), "4:", "https"),
        (own("wss://id.example", ""), "4:", "https"),
        (own("https://me:secret@id.example", ""), "4:", "https"),
        (own("https://id.example", "scopes = [\"a b\"]\n"), "6:", "scope"),
        (own("https://id.example", "redirect_port = 80\n"), "6:", "redirect_port"),
        (own("https://id.example", "client_secret = \"x\"\n"), "6:", "client_secret"),
        (format!("token_env = \"X\"\n{}", own("https://id.example", "")), "4:", "token_env"),
        (format!("auth = \"none\"\n{}", own("https://id.example", "")), "4:", "auth"),
    ] {
        let told = told(&text);
        assert!(told.starts_with(place) && told.contains(part), "{text}: {told}");
        assert!(!told.contains("secret@"), "{told}");
    }
    // By which the editor finds the field.
    let missing = "[[channel]]\nurl = \"wss://a/\"\n[channel.oauth]\nissuer = \"https://id.example\"\n";
    let error = parse(missing.as_bytes(), Path::new("/c.toml")).expect_err("without a client");
    assert_eq!(error.key.as_deref(), Some("oauth.client_id"));
}
