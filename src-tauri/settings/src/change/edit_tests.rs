//! What an edit changes of the text, and what it leaves alone.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tidings_api::{Edit, Values};

use super::edit::apply;
use super::value::EditError;

fn set(channel: Option<&str>, key: &str, value: Json) -> Edit {
    Edit::Set { channel: channel.map(str::to_owned), key: key.to_owned(), value }
}

fn add(values: Json) -> Edit {
    let Json::Object(values) = values else { panic!("a table") };
    Edit::AddChannel { values, secret: None }
}

fn remove(channel: &str) -> Edit {
    Edit::RemoveChannel { channel: channel.to_owned() }
}

fn edited(text: &str, edits: &[Edit]) -> String {
    apply(text, edits).expect("edits that can be made")
}

const FILE: &str = r#"# My settings. Do not lose this.

theme = "dark"   # easier on the eyes

[notifications]
# Five are enough.
burst = 5
quiet_hours = [
    { days = "mon-fri", from = "22:00", to = "07:00" }, # nights
    { days = "sun", from = "00:00", to = "23:59" },     # rest
]

# The shop.
[[channel]]
name = "Orders"     # seen in the tray
url = "wss://shop.example/ws"
headers = { "X-Client" = "desk" }

# Its proxy is slow.
[channel.heartbeat]
interval = "30s"

# Paid ones first.
[[channel.rule]]
when = "'paid' in title"
urgency = "critical"

[[channel.rule]]    # the rest
then = "silent"

# About all that follows.

# Builds.
[[channel]]
url = "wss://ci.example/ws"
auth = "none"

[inbox]
keep_days = 30
"#;

#[test]
fn a_value_changes_where_it_stands() {
    let new = edited(
        FILE,
        &[
            set(None, "theme", json!("light")),
            set(Some("orders"), "url", json!("wss://new.example/ws")),
            set(Some("orders"), "heartbeat.interval", json!("45s")),
            set(Some("orders"), "headers.X-Client", json!("desk 2")),
            set(None, "inbox.keep_days", json!(60)),
        ],
    );
    let wanted = FILE
        .replace("\"dark\"", "\"light\"")
        .replace("shop.example", "new.example")
        .replace("30s", "45s")
        .replace("\"desk\"", "\"desk 2\"")
        .replace("= 30", "= 60");
    assert_eq!(new, wanted);
}

#[test]
fn what_is_the_same_already_changes_nothing() {
    let same = [
        set(
            None,
            "notifications",
            json!({"burst": 5, "quiet_hours": [
                {"days": "mon-fri", "from": "22:00", "to": "07:00"}, {"days": "sun", "from": "00:00", "to": "23:59"}
            ]}),
        ),
        set(
            Some("orders"),
            "rule",
            json!([
                {"when": "'paid' in title", "urgency": "critical"}, {"then": "silent"}
            ]),
        ),
        set(Some("orders"), "headers", json!({"X-Client": "desk"})),
        set(Some("ci.example"), "name", Json::Null),
        set(Some("ci.example"), "heartbeat.text", Json::Null),
    ];
    assert_eq!(edited(FILE, &same), FILE);
}

#[test]
fn new_keys_come_behind_the_others_of_their_table() {
    let new = edited(
        FILE,
        &[
            set(None, "language", json!("zh-CN")),
            set(None, "notifications.refill", json!("1s")),
            set(Some("orders"), "resume", json!("since")),
            set(Some("orders"), "heartbeat.text", json!("hi")),
            set(Some("orders"), "mapping.title", json!("/a")),
            set(Some("ci.example"), "heartbeat.interval", json!("20s")),
            set(Some("ci.example"), "rule", json!([{"then": "store"}, {"then": "silent"}])),
        ],
    );
    let wanted = FILE
        .replace("eyes\n", "eyes\nlanguage = \"zh-CN\"\n")
        .replace("rest\n]\n", "rest\n]\nrefill = \"1s\"\n")
        .replace("\"desk\" }\n", "\"desk\" }\nresume = \"since\"\n")
        .replace("\"30s\"\n", "\"30s\"\ntext = \"hi\"\n")
        .replace("then = \"silent\"\n", "then = \"silent\"\n\n[channel.mapping]\ntitle = \"/a\"\n")
        .replace(
            "\"none\"\n",
            "\"none\"\n\n[channel.heartbeat]\ninterval = \"20s\"\n\n[[channel.rule]]\nthen = \"store\"\n\n\
             [[channel.rule]]\nthen = \"silent\"\n",
        );
    assert_eq!(new, wanted);
}

#[test]
fn a_key_goes_with_its_line_and_the_comment_above_stays() {
    let new = edited(
        FILE,
        &[
            set(None, "notifications.burst", Json::Null),
            set(Some("orders"), "headers", Json::Null),
            set(Some("orders"), "headers.X-Client", Json::Null),
        ],
    );
    let wanted = FILE.replace("burst = 5\n", "").replace("headers = { \"X-Client\" = \"desk\" }\n", "");
    assert_eq!(new, wanted);
}

#[test]
fn elements_of_a_list_that_stay_keep_their_comments() {
    let new = edited(
        FILE,
        &[
            set(Some("orders"), "rule", json!([{"then": "silent"}])),
            set(
                None,
                "notifications.quiet_hours",
                json!([
                    {"days": "mon-fri", "from": "22:00", "to": "07:00"}, {"from": "12:00", "to": "13:00"}
                ]),
            ),
        ],
    );
    assert!(
        new.contains("07:00\" }, # nights\n    { from = \"12:00\", to = \"13:00\" },     # rest\n]"),
        "{new}"
    );
    assert!(
        !new.contains("paid") && !new.contains("Paid") && new.contains("[[channel.rule]]    # the rest"),
        "{new}"
    );

    let night = json!({"days": "mon-fri", "from": "22:00", "to": "07:00"});
    let rest = json!({"days": "sun", "from": "00:00", "to": "23:59"});
    let noon = json!({"from": "12:00", "to": "13:00"});
    let lines = |quiet: &[&Json]| edited(FILE, &[set(None, "notifications.quiet_hours", json!(quiet))]);
    assert_eq!(
        lines(&[&rest]),
        FILE.replace("    { days = \"mon-fri\", from = \"22:00\", to = \"07:00\" }, # nights\n", "")
    );
    assert_eq!(
        lines(&[&night, &rest, &noon]),
        FILE.replace("# rest\n", "# rest\n    { from = \"12:00\", to = \"13:00\" },\n")
    );
    assert_eq!(
        lines(&[&noon, &night, &rest]),
        FILE.replace(
            "    { days = \"mon-fri\"",
            "    { from = \"12:00\", to = \"13:00\" },\n    { days = \"mon-fri\""
        )
    );
    assert!(lines(&[]).contains("quiet_hours = []\n\n# The shop."));

    let more = edited(
        FILE,
        &[set(
            Some("orders"),
            "rule",
            json!([
                {"when": "'paid' in title", "urgency": "critical"}, {"then": "silent"}, {"then": "store"}
            ]),
        )],
    );
    let wanted =
        FILE.replace("then = \"silent\"\n", "then = \"silent\"\n\n[[channel.rule]]\nthen = \"store\"\n");
    assert_eq!(more, wanted);
}

#[test]
fn a_channel_goes_with_its_tables_and_its_own_comment() {
    let new = edited(FILE, &[remove("orders")]);
    let (from, to) =
        (FILE.find("# The shop.").expect("there"), FILE.find("# About all that").expect("there"));
    assert_eq!(new, format!("{}{}", &FILE[..from], &FILE[to..]));

    let none = edited(FILE, &[remove("ci.example"), remove("orders")]);
    assert!(none.contains("# About all that follows.\n\n[inbox]"), "{none}");
    assert!(!none.contains("channel"), "{none}");
}

#[test]
fn a_new_channel_comes_behind_the_others() {
    let channel = json!({"name": "New", "url": "wss://new.example/ws", "heartbeat": {"text": ""}, "auth": {"header": "X-Key"}});
    let new = edited(FILE, &[add(channel.clone())]);
    let table = "[[channel]]\nname = \"New\"\nurl = \"wss://new.example/ws\"\nauth = { header = \"X-Key\" }\n\n\
                 [channel.heartbeat]\ntext = \"\"\n";
    assert_eq!(new, FILE.replace("\n[inbox]", &format!("\n{table}\n[inbox]")));
    assert_eq!(edited("", &[add(channel.clone())]), table);
    assert_eq!(edited("# Head.\n", &[add(channel)]), format!("# Head.\n\n{table}"));
}

#[test]
fn the_id_stays_when_the_name_or_the_host_changes() {
    let new = edited(
        FILE,
        &[
            set(Some("orders"), "name", json!("Big Orders")),
            set(Some("orders"), "name", json!("Bigger Orders")),
            set(Some("ci.example"), "url", json!("wss://build.example/ws")),
            set(Some("ci.example"), "auth", json!("bearer")),
        ],
    );
    assert!(new.contains("name = \"Bigger Orders\"     # seen in the tray\n"), "{new}");
    assert!(new.contains("id = \"orders\"\n") && new.contains("id = \"ci.example\"\n"), "{new}");
    let own = edited("[[channel]]\nid = \"a\"\nurl = \"wss://h/\"\n", &[set(Some("a"), "name", json!("B"))]);
    assert_eq!(own, "[[channel]]\nid = \"a\"\nurl = \"wss://h/\"\nname = \"B\"\n");
}

#[test]
fn a_key_at_the_top_comes_below_the_head_and_above_the_tables() {
    let text = "# Head.\n\n# Why thirty.\n[inbox]\nkeep_days = 30\n";
    assert_eq!(
        edited(text, &[set(None, "theme", json!("dark"))]),
        "# Head.\n\ntheme = \"dark\"\n\n# Why thirty.\n[inbox]\nkeep_days = 30\n"
    );
    let bare = "[inbox]\nkeep_days = 30\n";
    assert_eq!(edited(bare, &[set(None, "theme", json!("dark"))]), format!("theme = \"dark\"\n\n{bare}"));
    assert_eq!(edited("# Head.", &[set(None, "theme", json!("dark"))]), "# Head.\n\ntheme = \"dark\"\n");
    assert_eq!(edited("", &[set(None, "notifications.burst", json!(3))]), "[notifications]\nburst = 3\n");
}

#[test]
fn every_form_of_a_table_is_edited_in_its_form() {
    let dotted = "inbox.keep_days = 30 # dotted\n";
    assert_eq!(
        edited(
            dotted,
            &[set(None, "inbox.keep_days", json!(31)), set(None, "inbox.keep_messages", json!(9))]
        ),
        "inbox.keep_days = 31 # dotted\ninbox.keep_messages = 9\n"
    );
    let inline = "inbox = { keep_days = 30 } # inline\n";
    assert_eq!(
        edited(
            inline,
            &[set(None, "inbox.keep_days", json!(31)), set(None, "inbox.keep_messages", json!(9))]
        ),
        "inbox = { keep_days = 31, keep_messages = 9 } # inline\n"
    );
    let list = "channel = [{ url = \"wss://a/\" }, { url = \"wss://b/\" }] # list\n";
    let edits = [set(Some("a"), "heartbeat.text", json!("hi")), remove("b"), add(json!({"url": "wss://c/"}))];
    assert_eq!(
        edited(list, &edits),
        "channel = [{ url = \"wss://a/\", heartbeat = { text = \"hi\" } }, { url = \"wss://c/\" }] # list\n"
    );
    let table = "[[channel]]\nurl = \"wss://a/\"\n\n[channel.auth]\nheader = \"X\"\n\n[inbox]\n";
    assert_eq!(
        edited(table, &[set(Some("a"), "auth", json!("none"))]),
        "[[channel]]\nurl = \"wss://a/\"\nauth = \"none\"\n\n[inbox]\n"
    );
}

#[test]
fn line_ends_and_the_mark_at_the_start_stay() {
    let text = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    let edits = [
        set(None, "language", json!("en")),
        set(None, "theme", json!("light")),
        set(Some("orders"), "mapping.title", json!("/a")),
        remove("ci.example"),
        add(json!({"url": "wss://c/"})),
    ];
    let new = edited(&text, &edits);
    assert_eq!(new, format!("\u{feff}{}", edited(FILE, &edits).replace('\n', "\r\n")));
}

#[test]
fn a_dialogue_is_written_and_changed_as_people_write_one() {
    let rule = |when: &str| json!({"when": when, "say": "a\nb"});
    let dialogue = json!({"greet": ["hi"], "on": [rule("x"), rule("y")], "set": {"topic": "a"}});
    let new = edited("", &[add(json!({"url": "wss://a/", "kind": "dialogue", "dialogue": dialogue}))]);
    let rules = "[[channel.dialogue.on]]\nwhen = \"x\"\nsay = \"a\\nb\"\n\n\
                 [[channel.dialogue.on]]\nwhen = \"y\"\nsay = \"a\\nb\"\n";
    let table = "[channel.dialogue]\ngreet = [\"hi\"]\nset = { topic = \"a\" }\n";
    assert_eq!(new, format!("[[channel]]\nkind = \"dialogue\"\nurl = \"wss://a/\"\n\n{table}\n{rules}"));

    // Rules alone name the table: what it gets stands above them, not in the table before.
    let alone = format!("[[channel]]\nid = \"a\"\n\n# first\n{rules}");
    let greeted = edited(&alone, &[set(Some("a"), "dialogue.greet", json!(["hi"]))]);
    let above = "[channel.dialogue]\ngreet = [\"hi\"]\n";
    assert_eq!(greeted, format!("[[channel]]\nid = \"a\"\n\n{above}\n# first\n{rules}"));
    // Without its kind it has to go whole, and nothing else.
    assert_eq!(edited(&greeted, &[set(Some("a"), "dialogue", Json::Null)]), "[[channel]]\nid = \"a\"\n");
    assert_eq!(edited(&alone, &[set(Some("a"), "dialogue", Json::Null)]), "[[channel]]\nid = \"a\"\n");
    // On one line each it stays so.
    let dotted = "[[channel]]\nid = \"a\"\ndialogue.set = { topic = \"a\" } # which\n";
    let more = edited(dotted, &[set(Some("a"), "dialogue.greet", json!(["hi"]))]);
    assert_eq!(more, format!("{dotted}dialogue.greet = [\"hi\"]\n"));
    assert_eq!(edited(dotted, &[set(Some("a"), "dialogue", Json::Null)]), "[[channel]]\nid = \"a\"\n");
    let mixed = format!("{dotted}\n{rules}");
    let second = edited(&mixed, &[set(Some("a"), "dialogue.on", json!([rule("x"), rule("y"), rule("z")]))]);
    assert!(second.starts_with(&mixed) && second.matches("[[channel.dialogue.on]]").count() == 3, "{second}");
    // What is asked over HTTP, and what is kept, are tables of the rule.
    let asks = json!({"when": "x", "post": {"url": "https://a/b", "form": {"id": "{{ json.id }}"}}, "keep": {"s": "{{ json.s }}"}});
    let asking = edited("[[channel]]\nid = \"a\"\n", &[set(Some("a"), "dialogue.on", json!([asks]))]);
    let post = "post = { form = { id = \"{{ json.id }}\" }, url = \"https://a/b\" }\n";
    assert!(asking.contains(post) && asking.contains("keep = { s = \"{{ json.s }}\" }\n"), "{asking}");
}

#[test]
fn what_can_t_be_done_is_told() {
    let refused = |edit| apply(FILE, &[edit]).expect_err("a refusal");
    assert_eq!(refused(remove("nobody")), EditError::UnknownChannel("nobody".to_owned()));
    assert_eq!(
        refused(set(Some("nobody"), "url", json!("x"))),
        EditError::UnknownChannel("nobody".to_owned())
    );
    assert!(matches!(refused(set(None, "channel", json!([]))), EditError::Value { .. }));
    assert!(matches!(refused(set(None, "inbox.keep_days", json!(u64::MAX))), EditError::Value { .. }));
}

/// A line of a generated file: whose it is (a channel's number), which key, and its text.
type Line = (Option<usize>, Option<&'static str>, String);

/// A file with comments everywhere, its lines told apart.
fn file() -> impl Strategy<Value = (Vec<Line>, Values)> {
    let channel = (any::<[bool; 6]>(), 0..3_usize, 0..3_usize);
    (any::<[bool; 6]>(), proptest::collection::vec(channel, 0..4)).prop_map(|(root, channels)| {
        let mut lines: Vec<Line> = Vec::new();
        let mut values = Values::new();
        let mut number = 0;
        let mut comment = || {
            number += 1;
            format!("# c{number}")
        };
        if root[5] {
            lines.push((None, None, comment()));
            lines.push((None, None, String::new()));
        }
        if root[0] {
            lines.push((None, None, comment()));
            lines.push((None, Some("theme"), format!("theme  =  'dark' {}", comment())));
            values.insert("theme".to_owned(), json!("dark"));
        }
        if root[1] {
            lines.push((None, None, comment()));
            lines.push((None, None, format!("[notifications] {}", comment())));
            let mut table = Values::new();
            for (key, value, there) in [("burst", json!(5), root[2]), ("refill", json!("2s"), root[3])] {
                if there {
                    lines.push((None, Some(key), format!("\t{key} = {value} {}", comment())));
                    table.insert(key.to_owned(), value);
                }
            }
            lines.push((None, None, comment()));
            values.insert("notifications".to_owned(), Json::Object(table));
        }
        let mut all = Vec::new();
        for (at, (has, rules, on)) in channels.iter().enumerate() {
            let mut table = Values::new();
            if has[3] {
                lines.push((None, None, comment()));
                lines.push((None, None, String::new()));
                lines.push((Some(at), None, comment()));
            } else if !lines.is_empty() {
                lines.push((Some(at), None, String::new()));
            }
            lines.push((Some(at), None, format!("[[channel]] {}", comment())));
            let url = format!("wss://h{at}/");
            lines.push((Some(at), Some("url"), format!("url = \"{url}\" {}", comment())));
            table.insert("url".to_owned(), json!(url));
            if has[0] {
                lines.push((Some(at), None, comment()));
                lines.push((Some(at), Some("enabled"), format!("enabled = true{}", comment())));
                table.insert("enabled".to_owned(), json!(true));
            }
            if has[1] {
                lines.push((Some(at), None, String::new()));
                lines.push((Some(at), None, comment()));
                lines.push((Some(at), None, "[channel.heartbeat]".to_owned()));
                let mut heartbeat = Values::new();
                if has[2] {
                    lines.push((Some(at), Some("text"), format!("text = \"hi\" {}", comment())));
                    heartbeat.insert("text".to_owned(), json!("hi"));
                }
                table.insert("heartbeat".to_owned(), Json::Object(heartbeat));
            }
            for rule in 0..*rules {
                let sound = format!("s{rule}");
                lines.push((Some(at), Some("rule"), String::new()));
                lines.push((Some(at), Some("rule"), format!("[[channel.rule]] {}", comment())));
                lines.push((Some(at), Some("rule"), format!("sound = \"{sound}\" {}", comment())));
                let list = table.entry("rule").or_insert_with(|| json!([]));
                list.as_array_mut().expect("a list").push(json!({"sound": sound}));
            }
            // With a header of its own, or named by those below it alone.
            if has[4] {
                lines.push((Some(at), None, String::new()));
                lines.push((Some(at), Some("dialogue"), format!("[channel.dialogue] {}", comment())));
                let mut dialogue = Values::new();
                if has[5] {
                    let line = format!("greet = [\"hi\"] {}", comment());
                    lines.push((Some(at), Some("greet"), line));
                    dialogue.insert("greet".to_owned(), json!(["hi"]));
                }
                table.insert("dialogue".to_owned(), Json::Object(dialogue));
            }
            for rule in 0..*on {
                let say = format!("a\nb{rule}");
                lines.push((Some(at), Some("on"), String::new()));
                lines.push((Some(at), Some("on"), comment()));
                lines.push((Some(at), Some("on"), format!("[[channel.dialogue.on]] {}", comment())));
                lines.push((Some(at), Some("on"), format!("say = {} {}", json!(say), comment())));
                let dialogue = table.entry("dialogue").or_insert_with(|| json!({}));
                if dialogue["on"].is_null() {
                    dialogue["on"] = json!([]);
                }
                dialogue["on"].as_array_mut().expect("a list").push(json!({"say": say}));
            }
            all.push(Json::Object(table));
        }
        if !all.is_empty() {
            values.insert("channel".to_owned(), Json::Array(all));
        }
        if root[4] {
            lines.push((None, None, String::new()));
            lines.push((None, None, comment()));
            lines.push((None, None, "[inbox]".to_owned()));
            values.insert("inbox".to_owned(), json!({}));
        }
        lines.push((None, None, comment()));
        (lines, values)
    })
}

/// What is done to the file, by numbers that fit any file.
fn wish() -> impl Strategy<Value = (u8, usize, u8)> {
    (0..14_u8, 0..4_usize, 0..3_u8)
}

proptest! {
    #[test]
    fn any_sequence_of_edits_leaves_every_other_line_byte_for_byte(
        (lines, values) in file(),
        wishes in proptest::collection::vec(wish(), 0..12),
        crlf in any::<bool>(),
    ) {
        let newline = if crlf { "\r\n" } else { "\n" };
        let mut text: String = lines.iter().map(|(_, _, line)| format!("{line}{newline}")).collect();
        let mut model = Json::Object(values);
        // Which number the channels that are left had at first; `None`: a new one.
        let mut left: Vec<Option<usize>> =
            (0..model["channel"].as_array().map_or(0, Vec::len)).map(Some).collect();
        let mut touched: Vec<(Option<usize>, &str)> = Vec::new();
        let mut gone = Vec::new();
        for (what, at, variant) in wishes {
            let id = |left: &[Option<usize>]| {
                let at = at % left.len().max(1);
                let url = model["channel"][at]["url"].as_str()?;
                Some((at, url.trim_start_matches("wss://").trim_end_matches('/').to_owned(), left[at]))
            };
            let number = |base: u8| Json::from(base + variant);
            let word = format!("w{variant}");
            let (channel, key, value) = match what {
                0 => (None, "theme", json!(word)),
                1 => (None, "theme", Json::Null),
                2 => (None, "notifications.burst", number(3)),
                3 => (None, "notifications.refill", Json::Null),
                4 => (None, "inbox.keep_days", number(1)),
                5..=8 | 11..=13 => {
                    let Some(channel) = id(&left) else { continue };
                    match what {
                        5 => (Some(channel), "enabled", json!(variant == 0)),
                        6 => (Some(channel), "heartbeat.text", if variant == 0 { Json::Null } else { json!(word) }),
                        7 => (Some(channel), "mapping.title", json!("/a")),
                        11 => (Some(channel), "dialogue.greet", if variant == 0 { Json::Null } else { json!([word]) }),
                        12 => {
                            let rules = (0..variant).map(|rule| json!({"say": format!("a\nb{}", rule + 1)}));
                            (Some(channel), "dialogue.on", rules.collect())
                        }
                        13 => (Some(channel), "dialogue", Json::Null),
                        _ => {
                            let rules = (0..variant).map(|rule| json!({"sound": format!("s{}", rule + 1)}));
                            (Some(channel), "rule", rules.collect())
                        }
                    }
                }
                9 => {
                    let url = format!("wss://new{}/", text.len());
                    let Edit::AddChannel { values, .. } = add(json!({"url": url})) else { unreachable!() };
                    text = edited(&text, &[Edit::AddChannel { values: values.clone(), secret: None }]);
                    if model["channel"].is_null() {
                        model["channel"] = json!([]);
                    }
                    model["channel"].as_array_mut().expect("a list").push(Json::Object(values));
                    left.push(None);
                    continue;
                }
                _ => {
                    let Some((at, id, first)) = id(&left) else { continue };
                    text = edited(&text, &[remove(&id)]);
                    let channels = model["channel"].as_array_mut().expect("a list");
                    channels.remove(at);
                    if channels.is_empty() {
                        model.as_object_mut().expect("a table").remove("channel");
                    }
                    left.remove(at);
                    gone.extend(first);
                    continue;
                }
            };
            text = edited(&text, &[set(channel.as_ref().map(|(_, id, _)| id.as_str()), key, value.clone())]);
            let owner = match &channel {
                None => &mut model,
                Some((at, ..)) => &mut model["channel"][*at],
            };
            let (outer, leaf) = key.split_once('.').map_or((None, key), |(outer, leaf)| (Some(outer), leaf));
            let first = channel.and_then(|(_, _, first)| first);
            touched.push((first, leaf));
            if leaf == "dialogue" {
                touched.extend([(first, "greet"), (first, "on")]);
            }
            let table = match outer {
                None => owner,
                Some(outer) if owner[outer].is_null() && value.is_null() => continue,
                Some(outer) => &mut owner[outer],
            };
            if table.is_null() {
                *table = json!({});
            }
            let table = table.as_object_mut().expect("a table");
            match value {
                Json::Null => drop(table.remove(leaf)),
                Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                    table.insert(leaf.to_owned(), value);
                }
            }
        }
        let now: Values = toml::from_str(&text).expect("still TOML");
        let mut now = Json::Object(now);
        // An empty list is none: whether it is still there hangs on how it was written. A dialogue that the headers below it
        // named alone is no more without them.
        for all in [&mut now, &mut model] {
            for channel in all["channel"].as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
                let empty = |_: &String, value: &mut Json| *value != json!([]);
                channel.retain(empty);
                if let Some(Json::Object(dialogue)) = channel.get_mut("dialogue") {
                    dialogue.retain(empty);
                }
                if channel.get("dialogue") == Some(&json!({})) {
                    channel.remove("dialogue");
                }
            }
        }
        if model["channel"].is_null() {
            model.as_object_mut().expect("a table").remove("channel");
            now.as_object_mut().expect("a table").remove("channel");
        }
        prop_assert_eq!(now, model, "{}", text);

        let mut rest: &str = &text;
        for (channel, key, line) in &lines {
            let changed = key.is_some_and(|key| touched.contains(&(*channel, key)));
            if line.is_empty() || changed || channel.is_some_and(|channel| gone.contains(&channel)) {
                continue;
            }
            let line = format!("{line}{newline}");
            let Some(at) = rest.find(&line) else { panic!("{line:?} is no more, or elsewhere:\n{text}") };
            rest = &rest[at + line.len()..];
        }
        prop_assert_eq!(text.matches('\n').count(), text.matches(newline).count());
    }
}
