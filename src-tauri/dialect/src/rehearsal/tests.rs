use proptest::prelude::*;
use tidings_template::{Condition, Pointer, Template};

use super::*;
use crate::{Rule, Then, Until};

fn template(text: &str) -> Template {
    Template::spoken(text).expect("a good template")
}

fn on(when: &str, then: Then) -> Rule {
    Rule { when: Condition::parse(when).expect("a good condition"), then }
}

fn dialogue(framing: Framing) -> Arc<Dialogue> {
    let rules = vec![
        on("json.type == 'ready'", Then { connected: true, ..Then::default() }),
        on("json.type == 'ping'", Then { say: Some(template("pong {{ n }}")), ..Then::default() }),
        on("json.type == 'odd'", Then { say: Some(template("{{ nobody }}")), ..Then::default() }),
        on("json.type == 'news'", Then { message: Pointer::parse("/payload"), ..Then::default() }),
        on("json.type == 'no'", Then { refused: Some(template("{{ json.why }}")), ..Then::default() }),
        on("close == 4001", Then { refused: Some(template("{{ reason }}")), ..Then::default() }),
        on("json.type == 'tick'", Then::default()),
    ];
    let greet = vec![template("{\"token\":{{ secret|tojson }}}")];
    Arc::new(Dialogue { framing, greet, on: rules.into(), ..Dialogue::default() })
}

fn given() -> Given {
    Given { secret: Some("***".to_owned()), ..Given::default() }
}

fn turns(sample: &str) -> Vec<Turn> {
    rehearse(&dialogue(Framing::Text), given(), sample)
}

#[test]
fn each_line_is_a_frame_and_says_what_it_means() {
    let sample = "{\"type\":\"ready\"}\r\n{\"type\":\"ping\"}\n{\"type\":\"tick\"}\n{\"type\":\"news\",\"payload\":{\"id\":1}}\n\
                  plain\n{\"type\":\"odd\"}\n{\"type\":\"no\",\"why\":\"expired\"}\n";
    let found = turns(sample);
    assert_eq!(found[0].heard, None);
    assert_eq!(found[0].reply.say, ["{\"token\":\"***\"}"]);
    assert_eq!(found[0].reply.steps, [Step::Waits(Until::Subscribed)]);
    assert_eq!(found[1].reply.steps, [Step::Stands]);
    assert_eq!(found[2].reply.say, ["pong 1"]);
    assert_eq!(found[3].reply, Reply::default(), "noise");
    assert_eq!(found[4].reply.messages, ["{\"id\":1}"]);
    assert_eq!(found[5].reply.messages, ["plain"], "what no rule takes is a message as it stands");
    assert_eq!((found[6].reply.say.len(), found[6].reply.unsaid), (0, 1), "a name that isn't known");
    assert_eq!(found[7].reply.steps, [Step::Refused("expired".to_owned())]);
    assert_eq!(found.iter().filter(|turn| turn.ends).count(), 1);
    assert_eq!(found.len(), 8);
}

#[test]
fn blank_lines_set_frames_of_several_lines_apart() {
    let heard = |sample: &str| turns(sample).into_iter().filter_map(|turn| turn.heard).collect::<Vec<_>>();
    assert_eq!(heard("{\n \"type\": \"ping\"\n}"), ["{\n \"type\": \"ping\"\n}"], "one JSON text");
    assert_eq!(heard("{\n \"a\": 1\n}\n\n{\n \"b\": 2\n}\n"), ["{\n \"a\": 1\n}", "{\n \"b\": 2\n}"]);
    assert_eq!(heard("\n\na\nb\n\n"), ["a", "b"]);
    assert_eq!(heard(" \n"), [""; 0]);
}

#[test]
fn a_close_frame_is_told_by_its_code_and_reason() {
    let found = turns("close 4001 token expired\nclose 1001");
    assert_eq!(found[1].reply.steps, [Step::Refused("token expired".to_owned())]);
    assert!(found[1].ends && found[2].ends);
    assert_eq!(found[2].reply, Reply::default());
    assert_eq!(turns("close to the edge")[1].reply.messages, ["close to the edge"]);
}

#[test]
fn stomps_frames_are_told_apart_with_and_without_their_nul() {
    let with = "CONNECTED\nversion:1.2\n\n\0\nMESSAGE\nsubscription:a\n\n{\"id\":1}\0\n";
    for sample in [with.to_owned(), with.replace('\0', "^@"), with.replace('\0', "")] {
        let found = rehearse(&dialogue(Framing::Stomp), given(), &sample);
        let commands: Vec<&str> = found[1..].iter().map(|turn| turn.reply.messages[0].as_str()).collect();
        assert_eq!(commands.len(), 2, "{sample:?} {commands:?}");
        assert!(commands[0].contains("\"CONNECTED\""), "{commands:?}");
        assert!(commands[1].contains("\"body\":\"{\\\"id\\\":1}\""), "{commands:?}");
    }
}

proptest! {
    #[test]
    fn no_sample_makes_it_panic_or_go_on_for_ever(sample in "\\PC{0,80}|(close [0-9]{0,6}|\\{\"type\":\"ping\"\\}|MESSAGE|\n){0,300}") {
        for (_, framing) in Framing::ALL {
            let found = rehearse(&dialogue(framing), given(), &sample);
            prop_assert!(found.len() <= MOST_FRAMES + 1);
            prop_assert!(found[1..].iter().all(|turn| turn.reply.say.len() <= 1));
        }
    }
}
