use proptest::prelude::*;

use super::*;

fn template(text: &str) -> Template {
    Template::parse(text).expect("a good template")
}

fn on(when: &str, then: Then) -> Rule {
    Rule { when: Condition::parse(when).expect("a good condition"), then }
}

fn pointer(text: &str) -> Option<Pointer> {
    Some(Pointer::parse(text).expect("a good pointer"))
}

/// Signs in, subscribes, answers pings; messages are in `/data`.
fn dialogue() -> Dialogue {
    let set = BTreeMap::from([("topic".to_owned(), "orders".to_owned())]);
    let subscribe = r#"{"id":{{ n }},"subscribe":"{{ topic }}","after":{{ last|tojson }}}"#;
    let on = vec![
        on(
            "json.type == 'welcome'",
            Then { say: Some(template(r#"{"id":{{ n }},"token":{{ secret|tojson }}}"#)), ..Then::default() },
        ),
        on(
            "json.type == 'ok'",
            Then { say: Some(template(subscribe)), once: true, signed_in: true, ..Then::default() },
        ),
        on("json.type == 'subscribed'", Then { connected: true, ..Then::default() }),
        on(
            "json.type == 'ping'",
            Then { say: Some(template(r#"{"type":"pong","n":{{ json.n }}}"#)), ..Then::default() },
        ),
        on("json.type == 'event'", Then { message: pointer("/data"), ..Then::default() }),
        on("json.type == 'end'", Then { caught_up: true, ..Then::default() }),
        on("json.type == 'error'", Then { refused: Some(template("{{ json.why }}")), ..Then::default() }),
        on("close == 4409", Then { replaced: true, ..Then::default() }),
        on(
            "close == 4401 or reason == 'gone'",
            Then { refused: Some(template("{{ reason }}")), ..Then::default() },
        ),
    ];
    Dialogue { on: on.into(), set, ..Dialogue::default() }
}

fn talk(dialogue: Dialogue) -> Talk {
    let given =
        Given { secret: Some("hunter\"2".to_owned()), last: Some("41".to_owned()), ..Given::default() };
    Talk::new(Arc::new(dialogue), given)
}

fn hear(talk: &mut Talk, frame: &str) -> Reply {
    talk.hear(frame).expect("a rule takes it")
}

#[test]
fn it_signs_in_subscribes_and_then_stands() {
    let mut talk = talk(dialogue());
    assert_eq!(talk.open(), Reply::step(Step::Waits(Until::SignedIn)));
    let reply = hear(&mut talk, r#"{"type":"welcome"}"#);
    assert_eq!(reply.say, [r#"{"id":1,"token":"hunter\"2"}"#], "the secret is escaped");
    let reply = hear(&mut talk, r#"{"type":"ok"}"#);
    assert_eq!(reply.say, [r#"{"id":2,"subscribe":"orders","after":"41"}"#]);
    assert_eq!(reply.steps, [Step::Waits(Until::Subscribed)]);
    assert_eq!(talk.hear(r#"{"type":"ok"}"#), None, "what counts once is said once");
    assert_eq!(hear(&mut talk, r#"{"type":"subscribed"}"#).steps, [Step::Stands]);
    assert_eq!(hear(&mut talk, r#"{"type":"ping","n":7}"#).say, [r#"{"type":"pong","n":7}"#]);
    assert_eq!(hear(&mut talk, r#"{"type":"end"}"#).steps, [Step::CaughtUp]);
}

#[test]
fn a_message_is_what_the_pointer_finds() {
    let mut talk = talk(dialogue());
    for (frame, expected) in [
        (r#"{"type":"event","data":{"id":12345678901234567890}}"#, vec![r#"{"id":12345678901234567890}"#]),
        (r#"{"type":"event","data":"{\"a\":1}"}"#, vec![r#"{"a":1}"#]),
        (r#"{"type":"event","data":[{"a":1},"b"]}"#, vec![r#"{"a":1}"#, "b"]),
        (r#"{"type":"event"}"#, vec![r#"{"type":"event"}"#]),
    ] {
        assert_eq!(hear(&mut talk, frame).messages, expected, "{frame}");
    }
    assert_eq!(talk.hear("something else"), None, "what no rule takes is a message as it stands");
}

#[test]
fn what_is_asked_over_http_is_asked_once_and_its_answer_heard_by_rules_about_answers() {
    let form = vec![
        ("socket".to_owned(), template("{{ (json.data|fromjson).id }}")),
        ("room".to_owned(), template("{{ room }}")),
    ];
    let post = Post { url: template("{{ at }}"), form };
    let rules = vec![
        on("json.type == 'hello' and at", Then { post: Some(post), ..Then::default() }),
        on(
            "answer.ok",
            Then { say: Some(template("in {{ answer.ok }}")), connected: true, ..Then::default() },
        ),
        on("answer is defined", Then { refused: Some(template("{{ answer }}")), ..Then::default() }),
    ];
    let set = BTreeMap::from([
        ("at".to_owned(), "https://a.example/x".to_owned()),
        ("room".to_owned(), "a&b".to_owned()),
    ]);
    let asking = Dialogue { on: rules.into(), set, ..Dialogue::default() };
    let hello = r#"{"type":"hello","data":"{\"id\":\"1.2\"}"}"#;
    let mut nowhere = talk(Dialogue { set: BTreeMap::new(), ..asking.clone() });
    assert_eq!(nowhere.hear(hello), None, "without an address nothing is asked");
    let mut talk = talk(asking);
    let form = vec![("socket".to_owned(), "1.2".to_owned()), ("room".to_owned(), "a&b".to_owned())];
    let url = "https://a.example/x".to_owned();
    assert_eq!(hear(&mut talk, hello).post, Some(Posted { url, form }));
    assert_eq!(talk.hear(hello), None, "no server has it asked twice over a link");
    assert_eq!(talk.hear(r#"{"ok":1}"#), None, "a frame is no answer");
    let reply = talk.answered(r#"{"ok":"s"}"#);
    assert_eq!((&reply.say[..], &reply.steps[..]), (&["in s".to_owned()][..], &[Step::Stands][..]));
    assert_eq!(talk.answered("<html>").steps, [Step::Refused("<html>".to_owned())]);
}

#[test]
fn an_end_is_what_its_rule_says() {
    let mut talk = talk(dialogue());
    assert_eq!(hear(&mut talk, r#"{"type":"error","why":"no"}"#).steps, [Step::Refused("no".to_owned())]);
    assert_eq!(hear(&mut talk, r#"{"type":"error"}"#).steps, [Step::Refused(String::new())]);
    assert_eq!(talk.closed(4409, ""), Some(Step::Replaced));
    assert_eq!(talk.closed(4401, "over"), Some(Step::Refused("over".to_owned())));
    assert_eq!(talk.closed(1001, "gone"), Some(Step::Refused("gone".to_owned())));
    assert_eq!(talk.closed(1001, ""), None);
}

#[test]
fn no_condition_and_no_refusal_sees_the_secret() {
    let rules = vec![
        on("secret is defined", Then { replaced: true, ..Then::default() }),
        on("true", Then { refused: Some(template("{{ secret }}")), ..Then::default() }),
    ];
    let mut talk = talk(Dialogue { on: rules.into(), ..Dialogue::default() });
    assert_eq!(hear(&mut talk, "x").steps, [Step::Refused(String::new())]);
    assert!(!format!("{talk:?}").contains("hunter"));
}

#[test]
fn a_dialogue_that_waits_for_nothing_stands_at_once() {
    let greet = vec![template("hello {{ n }}"), template("subscribe {{ n }}")];
    let mut talk = talk(Dialogue { greet, ..Dialogue::default() });
    let Reply { say, steps, .. } = talk.open();
    assert_eq!(say, ["hello 1", "subscribe 2"]);
    assert_eq!(steps, [Step::Stands]);
}

#[test]
fn several_texts_of_one_frame_get_one_answer() {
    let mut talk = talk(Dialogue { framing: Framing::Lines, ..dialogue() });
    let reply = hear(
        &mut talk,
        "{\"type\":\"ping\",\"n\":1}\n{\"type\":\"ping\",\"n\":2}\n{\"type\":\"event\",\"data\":5}\nelse",
    );
    assert_eq!(reply.say.len(), 1);
    assert_eq!(reply.messages, ["5", "else"]);
}

#[test]
fn what_a_frame_says_is_kept_for_this_link_and_the_next_and_never_in_the_place_of_what_the_settings_say() {
    let keep = |names: &[(&str, &str)]| {
        let lenient = |text: &str| Template::lenient(text).expect("a good template");
        names.iter().map(|(name, text)| ((*name).to_owned(), lenient(text))).collect::<Vec<_>>()
    };
    let rules = vec![
        on(
            "json.session",
            Then { keep: keep(&[("session", "{{ json.session }}"), ("topic", "evil")]), ..Then::default() },
        ),
        on("session == 'b'", Then { say: Some(template("{{ session }} of {{ topic }}")), ..Then::default() }),
    ];
    let set = BTreeMap::from([("topic".to_owned(), "orders".to_owned())]);
    let greet = vec![template("{% if session %}resume {{ session }}{% else %}begin{% endif %}")];
    let dialogue = Dialogue { greet, on: rules.into(), set, ..Dialogue::default() };
    let mut first = talk(dialogue.clone());
    assert_eq!(first.open().say, ["begin"]);
    assert_eq!(hear(&mut first, r#"{"session":"a"}"#).keep["session"], "a");
    let kept = hear(&mut first, r#"{"session":"b"}"#).keep;
    assert_eq!(hear(&mut first, "{}").say, ["b of orders"], "on the same link");
    let long = format!(r#"{{"session":"{}"}}"#, "x".repeat(LONGEST_KEPT + 1));
    assert!(!hear(&mut first, &long).keep.contains_key("session"), "no server fills the memory");

    let mut second = Talk::new(Arc::new(dialogue), Given { kept, ..Given::default() });
    assert_eq!(second.open().say, ["resume b"]);
    assert!(!format!("{second:?}").contains("\"b\""), "a session's id is nobody else's business");
}

proptest! {
    #[test]
    fn no_frame_is_answered_twice(
        framing in 0..Framing::ALL.len(),
        frames in proptest::collection::vec("(\\{\"type\":\"(welcome|ok|ping|event|error|end)\"(,\"data\":[\\[\\]{}\"a,1]{0,8})?\\}[\n\u{1e}]?){0,3}|[0-9\\[\\]{}\":,a\n\0é]{0,20}", 0..12),
    ) {
        let mut talk = talk(Dialogue { framing: Framing::ALL[framing].1, ..dialogue() });
        talk.open();
        let mut subscribed = 0;
        for frame in &frames {
            if let Some(reply) = talk.hear(frame) {
                prop_assert!(reply.say.len() <= 1);
                subscribed += reply.say.iter().filter(|text| text.contains("subscribe")).count();
            }
        }
        prop_assert!(subscribed <= 1, "what counts once is said once");
    }
}
