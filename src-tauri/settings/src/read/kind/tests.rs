//! Kinds, presets and dialogues, as the settings file says them.

use std::path::Path;

use tidings_api::ChannelKind;
use tidings_dialect::{Dialect, Dialogue, Given, Step, Until};

use super::*;
use crate::credential::Auth;
use crate::read::dialogue::{PresetNames, presets};
use crate::{ChannelSettings, Images, parse};

fn read(text: &str) -> Result<ChannelSettings, String> {
    let settings = parse(format!("[[channel]]\n{text}").as_bytes(), Path::new("c.toml"));
    settings.map(|settings| settings.channels[0].clone()).map_err(|error| error.to_string())
}

fn good(text: &str) -> ChannelSettings {
    read(text).expect("good settings")
}

#[test]
fn an_address_of_ntfy_and_gotify_is_their_servers() {
    let ntfy = good("kind = \"ntfy\"\nurl = \"https://ntfy.example\"\ntopics = [\"alerts\", \"back_up-2\"]");
    assert_eq!(ntfy.link_url().to_string(), "wss://ntfy.example/alerts,back_up-2/ws");
    assert_eq!(ntfy.shown_url(), "https://ntfy.example/");
    assert_eq!(ntfy.kind.name(), ChannelKind::Ntfy);
    assert!(ntfy.quiet_close_codes.is_empty() && ntfy.heartbeat.text().is_empty());
    assert_eq!(ntfy.config().expect("readable").dialect, Dialect::Ntfy);
    for base in
        ["https://push.example/gotify", "https://push.example/gotify/", "wss://push.example/gotify/stream"]
    {
        let gotify = good(&format!("kind = \"gotify\"\nurl = \"{base}\""));
        assert_eq!(gotify.link_url().to_string(), "wss://push.example/gotify/stream", "{base}");
        assert_eq!(gotify.base(), "/gotify", "{base}");
    }
    let folder = good("kind = \"gotify\"\nurl = \"https://push.example/stream/stream\"");
    assert_eq!((folder.base(), folder.link_url().as_url().path()), ("/stream", "/stream/stream"));
    assert_eq!(
        good("kind = \"gotify\"\nurl = \"http://localhost:8080\"").shown_url(),
        "http://localhost:8080/"
    );
}

#[test]
fn no_picture_is_fetched_unless_it_is_said_and_then_from_the_own_server() {
    let url = "kind = \"gotify\"\nurl = \"https://push.example\"";
    assert_eq!((good(url).images, good(url).app_icons), (Images::Never, true));
    let said = good(&format!("{url}\nimages = \"own-server\"\napp_icons = false"));
    assert_eq!((said.images, said.app_icons), (Images::OwnServer, false));
    assert!(!said.link_differs(&good(url)), "the link stays");
}

#[test]
fn what_carries_a_channel_is_tried_in_the_order_that_its_address_or_the_settings_say() {
    use tidings_channel::Carrier::{SockJs, SockJsPolling, SockJsStreaming, WebSocket};
    let stomp = "kind = \"dialogue\"\npreset = \"stomp\"\ndialogue.set = { destination = \"/a\" }\n";
    for before in ["", stomp] {
        for (url, carrier, expected) in [
            ("wss", None, &[WebSocket, SockJs, SockJsStreaming, SockJsPolling][..]),
            ("WSS", Some("auto"), &[WebSocket, SockJs, SockJsStreaming, SockJsPolling]),
            ("https", None, &[SockJs, SockJsStreaming, SockJsPolling, WebSocket]),
            ("Https", Some("auto"), &[SockJs, SockJsStreaming, SockJsPolling, WebSocket]),
            ("https", Some("websocket"), &[WebSocket]),
            ("wss", Some("sockjs"), &[SockJs, SockJsStreaming, SockJsPolling]),
            ("https", Some("sockjs-streaming"), &[SockJsStreaming, SockJsPolling]),
            ("https", Some("sockjs-polling"), &[SockJsPolling]),
        ] {
            let carrier = carrier.map(|word| format!("carrier = \"{word}\"\n")).unwrap_or_default();
            let channel = good(&format!("{before}{carrier}url = \"{url}://shop.example/sockjs/user\""));
            assert_eq!(channel.carriers, expected, "{url} {carrier}");
            let config = channel.config().expect("readable");
            assert_eq!((config.carrier, config.fallbacks.as_slice()), (expected[0], &expected[1..]));
            let shown = if expected[0] == WebSocket { "wss" } else { "https" };
            assert_eq!(channel.shown_url(), format!("{shown}://shop.example/sockjs/user"));
        }
    }
    let preset = "kind = \"dialogue\"\npreset = \"socket.io\"\nurl = \"https://shop.example\"";
    assert_eq!(good(preset).carriers, [WebSocket], "its servers have no SockJS");
    assert_eq!(good(&format!("{preset}\ncarrier = \"sockjs-polling\"")).carriers, [SockJsPolling]);
    for (path, expected) in [
        ("ws/user-channel", 1),
        ("events/websocket", 4),
        ("events/websocket/?a=sockjs", 4),
        ("ws?a=sockjs", 1),
    ] {
        let channel = good(&format!("url = \"wss://shop.example/{path}\""));
        assert_eq!(channel.carriers.len(), expected, "{path}");
    }
    let url = "url = \"wss://shop.example/sockjs/user\"";
    assert!(good(url).link_differs(&good(&format!("{url}\ncarrier = \"websocket\""))));
}

#[test]
fn what_belongs_to_another_kind_is_told_with_its_mend() {
    for (text, about, mend) in [
        ("url = \"wss://a.example\"\ntopics = [\"a\"]", "topics", "kind = \"ntfy\""),
        ("url = \"wss://a.example\"\npreset = \"stomp\"", "preset", "kind = \"dialogue\""),
        ("url = \"wss://a.example\"\napp_icons = false", "app_icons", "kind = \"gotify\""),
        ("url = \"wss://a.example\"\nimages = \"all\"", "images", "own-server"),
        ("url = \"wss://a.example\"\ncarrier = \"socket\"", "socket", "sockjs"),
        ("kind = \"sse\"\nurl = \"https://a.example\"\ncarrier = \"auto\"", "carrier", "kind = \"recipe\""),
        (
            "kind = \"gotify\"\nurl = \"https://a.example\"\ncarrier = \"websocket\"",
            "carrier",
            "kind = \"dialogue\"",
        ),
        ("kind = \"ntfy\"\nurl = \"https://a.example\"", "topics", "topics = "),
        ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = []", "0 topics", "1 to 50"),
        ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a b\"]", "topic", "letters"),
        ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"docs\"]", "topic", "ntfy's own pages"),
        ("kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a\", \"a\"]", "twice", "remove"),
        ("kind = \"ntfy\"\nurl = \"https://a.example/alerts\"", "no path", "topics = [\"alerts\"]"),
        (
            "kind = \"ntfy\"\nurl = \"https://a.example\"\ntopics = [\"a\"]\nresume = \"since\"",
            "resume",
            "remove",
        ),
        ("kind = \"gotify\"\nurl = \"https://a.example/?token=\"", "query", "remove"),
        ("kind = \"ntfi\"\nurl = \"https://a.example\"", "ntfi", "ntfy"),
        ("kind = \"dialogue\"\nurl = \"wss://a.example\"", "preset", "preset = "),
        ("kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"socketio\"", "socketio", "socket.io"),
        (
            "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"stomp\"",
            "destination",
            "set = { destination",
        ),
        (
            "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"phoenix\"\ndialogue.set = { topic = \"a\", room = \"b\" }",
            "room",
            "topic",
        ),
    ] {
        let told = read(text).expect_err(text);
        assert!(told.contains(about) && told.contains(mend), "{text}\n{told}");
    }
}

#[test]
fn a_mistake_in_a_dialogue_is_told_at_its_place() {
    let dialogue =
        |rest: &str| format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\n{rest}");
    for (text, place, about, mend) in [
        ("greet = [\"{{ secret \"]", "5:", "greet", "secret|tojson"),
        ("framing = \"jsonl\"", "5:11", "framing", "lines"),
        ("subprotocol = \"a b\"", "5:15", "subprotocol", "v12.stomp"),
        ("beat = { text = \"x\" }", "5:", "interval", "25s"),
        ("beat = { text = \"x\", interval = \"1ms\" }", "5:", "too short", "50ms"),
        ("set = { json = \"x\" }", "5:", "json", "letters"),
        ("set = { token = \"x\" }", "5:", "secret", "{{ secret }}"),
        ("[[channel.dialogue.on]]\nsay = \"x\"", "5:", "when", "when"),
        ("[[channel.dialogue.on]]\nwhen = \"json.type = 1\"\nsay = \"x\"", "6:", "when", "json.type =="),
        ("[[channel.dialogue.on]]\nwhen = \"true\"", "5:", "nothing follows", "ignore = true"),
        ("[[channel.dialogue.on]]\nwhen = \"true\"\nignore = true\nsay = \"x\"", "5:", "ignore", "remove"),
        ("[[channel.dialogue.on]]\nwhen = \"true\"\nmessage = \"payload\"", "7:", "JSON Pointer", "/payload"),
        ("[[channel.dialogue.on]]\nwhen = \"close == 4000\"\nsay = \"x\"", "5:", "close", "refused"),
        ("[[channel.dialogue.on]]\nwhen = \"true\"\nsya = \"x\"", "7:", "sya", "say"),
        ("[[channel.dialogue.on]]\nwhen = \"true\"\npost = { form = {} }", "7:", "`post`", "url ="),
        (
            "[[channel.dialogue.on]]\nwhen = \"true\"\npost = { url = \"{{ json.at }}\", form = {} }",
            "7:",
            "what stands in `set`",
            "`set`",
        ),
        (
            "[[channel.dialogue.on]]\nwhen = \"true\"\npost = { url = \"http://a.example\", form = {} }",
            "",
            "unencrypted",
            "https://",
        ),
    ] {
        let told = read(&dialogue(text)).expect_err(text);
        assert!(told.contains(&format!("c.toml:{place}")), "{text}\n{told}");
        assert!(told.contains(about) && told.contains(mend), "{text}\n{told}");
    }
    let said = "auth = \"none\"\n[channel.dialogue]\ngreet = [\"{{ secret }}\"]";
    let told =
        read(&format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n{said}")).expect_err("no secret");
    assert!(told.contains("auth"), "{told}");
    let told = read(&dialogue("greet = [\"hi\"]\n[channel.heartbeat]\ntext = \"x\"")).expect_err("two beats");
    assert!(told.contains("heartbeat") && told.contains("beat = {"), "{told}");
}

#[test]
fn a_mistake_in_a_dialogue_is_told_by_its_key() {
    let own = "[channel.dialogue]\n";
    for (text, key) in [
        (format!("{own}greet = [\"hi\", \"{{{{ secret \"]"), "dialogue.greet[1]"),
        (format!("{own}greet = [\"hi\", 7]"), "dialogue.greet[1]"),
        (
            format!("{own}on = [{{ when = \"true\", ignore = true }}, {{ when = \"json.type = 1\" }}]"),
            "dialogue.on[1].when",
        ),
        (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nsay = \"{{{{\""), "dialogue.on[0].say"),
        (
            format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nrefused = \"{{%\""),
            "dialogue.on[0].refused",
        ),
        (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nmessage = \"a\""), "dialogue.on[0].message"),
        (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\"\nsya = \"a\""), "dialogue.on[0]"),
        (format!("{own}[[channel.dialogue.on]]\nwhen = \"true\""), "dialogue.on[0]"),
        (format!("{own}[[channel.dialogue.on]]\nsay = \"a\""), "dialogue.on[0]"),
        (format!("{own}beat = {{ text = \"{{{{\", interval = \"25s\" }}"), "dialogue.beat"),
        (format!("{own}framing = \"jsonl\""), "dialogue.framing"),
        (format!("{own}subprotocol = \"a b\""), "dialogue.subprotocol"),
        (format!("{own}set = {{ json = \"x\" }}"), "dialogue.set.json"),
        ("preset = \"stomp\"".to_owned(), "dialogue.set.destination"),
        ("preset = \"stomp\"\ndialogue.set = { destination = 7 }".to_owned(), "dialogue.set.destination"),
        ("preset = \"stmop\"".to_owned(), "preset"),
    ] {
        let file = format!("[[channel]]\nkind = \"dialogue\"\nurl = \"wss://a.example\"\n{text}");
        let error = parse(file.as_bytes(), Path::new("c.toml")).expect_err(&text);
        assert_eq!(error.key.as_deref(), Some(key), "{text}\n{error}");
    }
}

#[test]
fn the_secret_goes_where_the_dialogue_says_it() {
    let says = good(
        "kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\ngreet = [\"{{ secret }}\"]",
    );
    assert_eq!(says.auth, Auth::Said);
    let silent = good("kind = \"dialogue\"\nurl = \"wss://a.example\"\n[channel.dialogue]\ngreet = [\"hi\"]");
    assert_eq!(silent.auth, Auth::Bearer);
}

fn dialogue_of(settings: &ChannelSettings) -> Arc<Dialogue> {
    let Kind::Dialogue(dialogue) = &settings.kind else { panic!("a dialogue") };
    dialogue.clone()
}

#[test]
fn every_preset_can_be_used() {
    for PresetNames { name, needs, says_secret, .. } in presets() {
        let set: Vec<String> = needs
            .iter()
            .map(|(name, example)| format!("{name} = {}", toml::Value::from(example.as_str())))
            .collect();
        let text = format!(
            "kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"{name}\"\n[channel.dialogue.set]\n{}",
            set.join("\n")
        );
        let settings = good(&text);
        assert!(!settings.link_url().to_string().contains("{{"), "{name}: {}", settings.link_url());
        let dialogue = dialogue_of(&settings);
        assert!(dialogue.on.iter().any(|rule| rule.then.connected), "{name} says when it is connected");
        let given = Given { secret: Some("s".to_owned()), ..Given::default() };
        let mut talk = Dialect::Dialogue(dialogue).talk(given);
        assert!(matches!(talk.open().steps[..], [Step::Waits(_)]), "{name} waits for the server");
        // Where no text says it, it goes with the upgrade request.
        assert_eq!(says_secret, settings.auth == Auth::Said, "{name}");
    }
    let socket_io = good("kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"socket.io\"");
    assert_eq!(
        socket_io.link_url().as_url().as_str(),
        "wss://a.example/socket.io/?EIO=4&transport=websocket"
    );
    let own = good("kind = \"dialogue\"\nurl = \"wss://a.example/own?x=1\"\npreset = \"socket.io\"");
    assert_eq!(own.link_url().as_url().as_str(), "wss://a.example/own?x=1");
}

/// With each dial it would be one more of them.
#[test]
fn no_preset_takes_another_servers_greeting_for_a_message() {
    for PresetNames { name, needs, .. } in presets() {
        let set: Vec<String> = needs.keys().map(|name| format!("{name} = \"x\"")).collect();
        let text = format!("preset = \"{name}\"\n[channel.dialogue.set]\n{}", set.join("\n"));
        for greeting in [
            "hello",
            "o",
            "[1]",
            r#"{"title":"Order 17"}"#,
            r#"{"id":"a","time":1,"event":"open","topic":"alerts"}"#,
            r#"{"event":"pusher:connection_established","data":"{}"}"#,
            r#"{"type":"auth_required","ha_version":"2024.3.3"}"#,
        ] {
            assert_eq!(played(&text, &[greeting]).1, [""; 0], "{name}: {greeting}");
        }
        let (_, _, steps) = played(&text, &["hello"]);
        assert_eq!(steps.last(), Some(&Step::Foreign), "{name}");
    }
    let own = "[[channel.dialogue.on]]\nwhen = \"json.ready\"\nconnected = true\n";
    assert_eq!(played(own, &["hello"]).1, ["hello"], "who says it himself may have left something out");
}

/// What a preset says to these frames of a server, and what of them are messages.
fn played(settings: &str, frames: &[&str]) -> (Vec<String>, Vec<String>, Vec<Step>) {
    let dialogue = dialogue_of(&good(&format!("kind = \"dialogue\"\nurl = \"wss://a.example\"\n{settings}")));
    let given = Given { secret: Some("s3".to_owned()), ..Given::default() };
    let mut talk = Dialect::Dialogue(dialogue).talk(given);
    let open = talk.open();
    let (mut said, mut messages, mut steps) = (open.say, open.messages, open.steps);
    for frame in frames {
        match talk.hear(frame) {
            Some(reply) => {
                said.extend(reply.say);
                messages.extend(reply.messages);
                steps.extend(reply.steps);
            }
            None => messages.push((*frame).to_owned()),
        }
    }
    (said, messages, steps)
}

#[test]
fn socket_io_goes_on_with_a_connection_that_its_server_can_recover() {
    let dialogue =
        dialogue_of(&good("kind = \"dialogue\"\nurl = \"wss://a.example\"\npreset = \"socket.io\""));
    let dialect = Dialect::Dialogue(dialogue);
    let open = r#"0{"sid":"a"}"#;
    let secret = Some("s3".to_owned());
    let mut kept = tidings_dialect::Kept::new();
    for (frames, secret, said) in [
        // Without recovery there is no `pid`, and the last text of an event is no offset.
        (&[r#"40{"sid":"b"}"#, r#"42["news","text"]"#][..], &secret, r#"40{"token":"s3"}"#),
        // Nothing has come yet that could be gone on from.
        (&[r#"40{"sid":"c","pid":"p1"}"#], &secret, r#"40{"token":"s3"}"#),
        (
            &[
                r#"40{"sid":"d","pid":"p2"}"#,
                r#"42["news",{"id":1},"o1"]"#,
                r#"42["news",{"id":2},"o2"]"#,
                r#"42["volatile",{"id":3}]"#,
            ],
            &secret,
            r#"40{"token":"s3"}"#,
        ),
        (&[r#"40{"sid":"d","pid":"p2"}"#], &secret, r#"40{"pid":"p2","offset":"o2","token":"s3"}"#),
        (&[], &None, r#"40{"pid":"p2","offset":"o2"}"#),
    ] {
        let mut talk = dialect.talk(Given { secret: secret.clone(), kept: kept.clone(), ..Given::default() });
        talk.open();
        assert_eq!(talk.hear(open).expect("taken").say, [said]);
        for frame in frames {
            kept.extend(talk.hear(frame).expect("taken").keep);
        }
    }
}

#[test]
fn each_preset_speaks_its_protocol() {
    use Step::{Refused, Stands, Waits};
    use Until::{SignedIn, Subscribed};
    let refused = |text: &str| Refused(text.to_owned());
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (settings, frames, said, messages, steps) in [
        (
            "preset = \"socket.io\"",
            &[
                r#"0{"sid":"a","pingInterval":25000}"#,
                r#"40{"sid":"b"}"#,
                "2",
                r#"42["news",{"id":1}]"#,
                r#"427["ack",{"id":2}]"#,
                r#"42["bare"]"#,
                r#"44{"message":"no"}"#,
            ][..],
            &[r#"40{"token":"s3"}"#, "3", "437[]"][..],
            &[r#"{"id":1}"#, r#"{"id":2}"#, "bare"][..],
            vec![Waits(Subscribed), Stands, refused("no")],
        ),
        (
            "preset = \"socket.io\"\ndialogue.set = { namespace = \"/shop\" }",
            &[r#"0{"sid":"a"}"#, r#"40/shop,{"sid":"b"}"#, r#"42["other",1]"#, r#"42/shop,["news",2]"#],
            &[r#"40/shop,{"token":"s3"}"#],
            &["2"],
            vec![Waits(Subscribed), Stands],
        ),
        (
            "preset = \"stomp\"\ndialogue.set = { destination = \"/user/queue/a\" }",
            &[
                "CONNECTED\nversion:1.2\n\n\0",
                "\n",
                "MESSAGE\nsubscription:tidings\n\n{\"id\":1}\0",
                "ERROR\nmessage:no such broker\n\n\0",
            ],
            &[
                "CONNECT\naccept-version:1.2,1.1,1.0\nhost:/\nheart-beat:0,0\nAuthorization:Bearer s3\n\n\0",
                "SUBSCRIBE\nid:tidings\ndestination:/user/queue/a\n\n\0",
            ],
            &[r#"{"id":1}"#],
            vec![Waits(SignedIn), Stands, refused("no such broker")],
        ),
        (
            "preset = \"stomp\"\ndialogue.set = { destination = \"/topic/a\" }",
            &[
                "CONNECTED\nserver:RabbitMQ/4.3.6\nversion:1.2\n\n\0\n",
                "RECEIPT\nreceipt-id:tidings\n\n\0\n",
                "MESSAGE\nsubscription:tidings\n\n{\"id\":1}\0\n",
            ],
            &[
                "CONNECT\naccept-version:1.2,1.1,1.0\nhost:/\nheart-beat:0,0\nAuthorization:Bearer s3\n\n\0",
                "SUBSCRIBE\nid:tidings\ndestination:/topic/a\nreceipt:tidings\n\n\0",
            ],
            &[r#"{"id":1}"#],
            vec![Waits(SignedIn), Waits(Subscribed), Stands],
        ),
        (
            "preset = \"graphql-transport-ws\"\ndialogue.set = { query = 'subscription { a(b: \"c\") }' }",
            &[
                r#"{"type":"connection_ack"}"#,
                r#"{"type":"ping"}"#,
                r#"{"id":"1","type":"next","payload":{"data":{"a":1}}}"#,
                r#"{"id":"1","type":"error","payload":[{"message":"no"}]}"#,
            ],
            &[
                r#"{"type":"connection_init","payload":{"Authorization":"Bearer s3"}}"#,
                r#"{"id":"1","type":"subscribe","payload":{"query":"subscription { a(b: \"c\") }"}}"#,
                r#"{"type":"pong"}"#,
            ],
            &[r#"{"a":1}"#],
            vec![Waits(Subscribed), Stands, refused("no")],
        ),
        (
            "preset = \"action-cable\"\ndialogue.set = { channel = \"News\", params = ', \"room\": 7' }",
            &[
                r#"{"type":"welcome"}"#,
                r#"{"type":"ping","message":1}"#,
                r#"{"identifier":"x","type":"confirm_subscription"}"#,
                r#"{"identifier":"x","message":{"id":1}}"#,
                r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
            ],
            &[r#"{"command":"subscribe","identifier":"{\"channel\":\"News\", \"room\": 7}"}"#],
            &[r#"{"id":1}"#],
            vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("unauthorized")],
        ),
        (
            "preset = \"pusher\"\ndialogue.set = { key = \"k\", channel = \"news\" }",
            &[
                r#"{"event":"pusher:connection_established","data":"{}"}"#,
                r#"{"event":"pusher_internal:subscription_succeeded","channel":"news"}"#,
                r#"{"event":"pusher:ping"}"#,
                r#"{"event":"App","channel":"news","data":"{\"id\":1}"}"#,
                r#"{"event":"pusher:error","data":{"message":"Server shutting down","code":4200}}"#,
                r#"{"event":"pusher:error","data":{"message":"no","code":4001}}"#,
            ],
            &[
                r#"{"event":"pusher:subscribe","data":{"channel":"news"}}"#,
                r#"{"event":"pusher:pong","data":{}}"#,
            ],
            &[r#"{"id":1}"#],
            vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("no")],
        ),
        (
            "preset = \"phoenix\"\ndialogue.set = { topic = \"user:1\" }",
            &[
                r#"["join","join","user:1","phx_reply",{"status":"ok","response":{}}]"#,
                r#"[null,"1","phoenix","phx_reply",{"status":"ok"}]"#,
                r#"["join",null,"user:1","news",{"id":1}]"#,
                r#"["join",null,"user:1","phx_error",{}]"#,
            ],
            &[r#"["join","join","user:1","phx_join",{"token":"s3"}]"#],
            &[r#"{"id":1}"#],
            vec![Waits(Subscribed), Stands, refused("the server ended the subscription")],
        ),
        (
            "preset = \"signalr\"",
            &[
                "{}\u{1e}",
                "{\"type\":6}\u{1e}",
                "{\"type\":1,\"target\":\"news\",\"arguments\":[{\"id\":1},\"b\"]}\u{1e}{\"type\":6}\u{1e}",
                "{\"type\":7,\"error\":\"no\"}\u{1e}",
            ],
            &["{\"protocol\":\"json\",\"version\":1}\u{1e}"],
            &[r#"{"id":1}"#, "b"],
            vec![Waits(Subscribed), Stands, refused("no")],
        ),
        (
            "preset = \"centrifugo\"\ndialogue.set = { channel = \"news\" }",
            &[
                r#"{"id":1,"connect":{"client":"x"}}"#,
                r#"{"id":2,"subscribe":{}}"#,
                "{}",
                "{\"push\":{\"channel\":\"news\",\"pub\":{\"data\":{\"id\":1}}}}\n{}",
                r#"{"id":2,"error":{"code":103,"message":"permission denied"}}"#,
            ],
            &[
                r#"{"id":1,"connect":{"token":"s3"}}"#,
                r#"{"id":2,"subscribe":{"channel":"news"}}"#,
                "{}",
                "{}",
            ],
            &[r#"{"id":1}"#],
            vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("permission denied")],
        ),
        (
            "preset = \"centrifugo\"",
            &[r#"{"id":1,"connect":{"client":"x"}}"#],
            &[r#"{"id":1,"connect":{"token":"s3"}}"#],
            &[],
            vec![Waits(SignedIn), Stands],
        ),
        (
            "preset = \"mattermost\"",
            &[
                r#"{"event":"hello","data":{},"seq":0}"#,
                r#"{"status":"OK","seq_reply":1}"#,
                r#"{"event":"posted","data":{"post":"{\"id\":\"p\",\"message\":\"hi\"}"}}"#,
                r#"{"event":"typing"}"#,
            ],
            &[r#"{"seq":1,"action":"authentication_challenge","data":{"token":"s3"}}"#],
            &[r#"{"id":"p","message":"hi"}"#],
            vec![Waits(Subscribed), Stands],
        ),
        (
            "preset = \"home-assistant\"\ndialogue.set = { webhook = \"w\" }",
            &[
                r#"{"type":"auth_required","ha_version":"2026.11"}"#,
                r#"{"type":"auth_ok"}"#,
                r#"{"id":1,"type":"result","success":true}"#,
                r#"{"id":1,"type":"event","event":{"message":"hi"}}"#,
                r#"{"type":"auth_invalid","message":"no"}"#,
            ],
            &[
                r#"{"type":"auth","access_token":"s3"}"#,
                r#"{"id":1,"type":"mobile_app/push_notification_channel","webhook_id":"w"}"#,
            ],
            &[r#"{"message":"hi"}"#],
            vec![Waits(SignedIn), Waits(Subscribed), Stands, refused("no")],
        ),
    ] {
        let found = played(settings, frames);
        assert_eq!(found.0, text(said), "{settings}");
        assert_eq!(found.1, text(messages), "{settings}");
        assert_eq!(found.2, steps, "{settings}");
    }
}

#[test]
fn a_channels_own_rules_come_before_the_presets() {
    let own =
        "preset = \"socket.io\"\n[[channel.dialogue.on]]\nwhen = \"json.data[0] == 'typing'\"\nignore = true";
    let (_, messages, _) = played(own, &[r#"42["typing",1]"#, r#"42["news",2]"#]);
    assert_eq!(messages, ["2"]);
}
