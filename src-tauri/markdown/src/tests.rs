use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use tidings_api::{Block, Span};

use super::*;

fn text(source: &str) -> String {
    plain(source).unwrap_or_else(|| panic!("{source:?} is shown as it was sent"))
}

fn read(source: &str) -> Rich {
    rich(source).unwrap_or_else(|| panic!("{source:?} is shown as it was sent"))
}

/// The spans of a text that is one paragraph.
fn spans(source: &str) -> Vec<Span> {
    match read(source).blocks.as_slice() {
        [Block::Paragraph { spans }] => spans.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn marks_are_told_apart_and_leave_no_signs_in_the_text() {
    let plain = |text: &str| Span { text: text.to_owned(), ..Span::default() };
    assert_eq!(
        spans("Disk **full** on *web1*, ~~now~~ `rm -r`"),
        [
            plain("Disk "),
            Span { bold: true, ..plain("full") },
            plain(" on "),
            Span { italic: true, ..plain("web1") },
            plain(", "),
            Span { struck: true, ..plain("now") },
            plain(" "),
            Span { code: true, ..plain("rm -r") },
        ]
    );
    assert_eq!(text("Disk **full** on *web1*, ~~now~~ `rm -r`"), "Disk full on web1, ~now~ rm -r");
}

#[test]
fn headings_lists_quotes_and_code_read_as_text() {
    let source = "# Backup\n\n1. first\n2. second\n   - inner\n\n> said *so*\n> twice\n\n```sh\nls -l\n\n  x\n```\n\n---\n\
                  - [x] done\n- [ ] open";
    let told = "Backup\n\n1. first\n2. second\n   • inner\n\n> said so\n> twice\n\nls -l\n\n  x\n\n———\n\n• ☑ done\n• ☐ open";
    assert_eq!(text(source), told);
}

#[test]
fn lines_stay_lines() {
    assert_eq!(text("Host: web1\nFree: 3 %"), "Host: web1\nFree: 3 %");
}

#[test]
fn a_link_is_text_with_its_address_where_that_differs() {
    assert_eq!(text("[Order 41](https://shop.example/41)"), "Order 41 (https://shop.example/41)");
    assert_eq!(
        text("<https://shop.example/>, [shop.example](https://shop.example)"),
        "https://shop.example/, shop.example"
    );
    assert_eq!(text("<me@shop.example>"), "me@shop.example");
    assert_eq!(text("[](https://shop.example/41)"), "https://shop.example/41");
    assert_eq!(
        text("[**Order** 41][a]\n\n[a]: https://shop.example/41 \"Ann's\""),
        "Order 41 (https://shop.example/41) (Ann's)"
    );
    assert_eq!(
        pieces("[Order](https://shop.example/a/long/way)", 20).map(|pieces| pieces[1].0.clone()).as_deref(),
        Some(" (https://shop.example…)")
    );
}

#[test]
fn only_links_that_may_be_opened_are_links() {
    for address in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "/orders",
        "tel:1",
        "//x.example/",
        "vbscript:x",
    ] {
        let read = read(&format!("[here]({address})"));
        assert_eq!(read.links, [""; 0], "{address}");
        assert_eq!(read.text, format!("here ({address})"));
    }
    let allowed = ["https://x.example/", "http://x.example/", "mailto:me@x.example"];
    for address in allowed {
        assert_eq!(read(&format!("[here]({address})")).links, [address]);
        assert_eq!(link(&format!("[here]({address})"), 0).map(String::from).as_deref(), Some(address));
        assert_eq!(link(&format!("[here]({address})"), 1), None);
    }
    let long = format!("https://x.example/{}", "y".repeat(3000));
    assert_eq!(read(&format!("[here]({long})")).links, [""; 0]);
}

#[test]
fn an_address_in_the_text_is_a_link_without_the_sentence_around_it() {
    for (source, address) in [
        ("see https://x.example/a_b_c, now", "https://x.example/a_b_c"),
        ("(see https://x.example/a_(b)).", "https://x.example/a_(b)"),
        ("见https://x.example/a。好", "https://x.example/a"),
        ("**https://x.example**", "https://x.example/"),
        ("xhttps://no.example but http://[ and http://x.example", "http://x.example/"),
    ] {
        let read = read(source);
        assert_eq!(read.links, [address], "{source}");
        assert_eq!(read.text, source.replace("**", ""), "{source}");
    }
    assert_eq!(read("`https://x.example`").links, [""; 0]);
}

#[test]
fn html_is_text() {
    let source = "<script>alert(1)</script>\n\nan <b onclick=\"x\">old</b> <img src=\"https://x.invalid/a.png\"> &lt;i&gt; <!-- c -->";
    assert_eq!(text(source), source.replace("&lt;", "<").replace("&gt;", ">"));
}

#[test]
fn a_picture_is_what_is_said_in_its_place() {
    let image = spans("![A cat](https://x.example/cat.png)");
    assert_eq!(image, [Span { text: "A cat".to_owned(), image: true, link: Some(0), ..Span::default() }]);
    assert_eq!(text("![A cat](https://x.example/cat.png)"), "[A cat] (https://x.example/cat.png)");
    assert_eq!(text("![](cat.png)"), "[cat.png]");
    let badge = "[![passed](https://x.example/badge.svg)](https://ci.example/1)";
    assert_eq!(text(badge), "[passed] (https://ci.example/1)");
    assert_eq!(read(badge).links, ["https://ci.example/1"]);
}

#[test]
fn what_only_looks_like_markdown_loses_nothing() {
    for source in [
        "[note]: done",
        "[a]: b\n[a]: c",
        "- [a]: b\n- c",
        "> [a]: b 'words of it'\n\nd",
        "```kubectl get pods",
        "```\n```",
        "C:\\temp 2 * 3 * 4 snake_case_name",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "* ",
        "#",
    ] {
        let told = plain(source).unwrap_or_else(|| source.to_owned());
        for word in source.split(|c: char| !c.is_alphanumeric()) {
            assert!(told.contains(word), "{word:?} of {source:?} is not in {told:?}");
        }
    }
    assert_eq!(plain(" \n"), None);
}

#[test]
fn too_much_is_shown_as_it_was_sent() {
    assert_eq!(plain(&"a".repeat(LONGEST + 1)), None);
    assert_eq!(plain(&"*a* ".repeat(MOST)), None);
    assert!(plain(&"*a* ".repeat(MOST / 3)).is_some());
}

#[test]
fn what_is_nested_without_end_is_flat_at_some_depth() {
    for part in [">", "> ", "- ", "1. ", "> - ", "*", "[", "![", "[a](", "<", "`"] {
        let source = format!("{}word", part.repeat(LONGEST / part.len() - 4));
        if let Some(rich) = rich(&source) {
            let json = serde_json::to_string(&rich).expect("JSON");
            let depth = json.bytes().scan(0_i32, |depth, byte| {
                *depth += i32::from(b"[{".contains(&byte)) - i32::from(b"]}".contains(&byte));
                Some(*depth)
            });
            assert!(part.contains(['[', '<']) || depth.max() < Some(40), "{part}");
            assert!(rich.text.contains("word"));
        }
    }
}

/// What this thread has had of a processor: others may keep it waiting.
fn busy() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("not negative")
}

/// The worst that is known of each kind.
#[test]
fn a_hostile_text_takes_no_long() {
    let half = LONGEST / 2;
    let mut sources: Vec<String> = [
        "[",
        "](",
        "[a](",
        "![",
        "*a ",
        "**a",
        "_a__",
        "`a``",
        "> ",
        ">",
        "- ",
        "* a\n",
        "<",
        "<a ",
        "<!--",
        "[a]: b\n",
        "[a][",
        "&",
        "~~a",
        "a\n> ",
        "a**b__c",
        "[a]:<",
        "https://a",
        "http://[",
        "[^a]",
        "- [ ] ",
        "|a|b|\n|-|-|\n",
        "[a](https://a)",
    ]
    .iter()
    .map(|part| part.repeat(LONGEST / part.len()))
    .collect();
    sources.push("- ".repeat(half / 2) + &"\n".repeat(half));
    sources.push(">".repeat(half) + &"\n>".repeat(half / 2));
    sources.push(format!("[a]: https://x/{}\n\n{}", "y".repeat(1500), "[a] ".repeat(half / 8)));
    sources.push((0..2500).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "[a{number}]: b\n[a{number}]");
        text
    }));
    for source in &sources {
        let source = &source[..source.len().min(LONGEST)];
        let begin = busy();
        let told = rich(source).map(|rich| serde_json::to_string(&rich).map_or(0, |json| json.len()));
        let taken = busy() - begin;
        // Unoptimised, and ten times of what was measured.
        assert!(taken < Duration::from_secs(3), "{taken:?} for {:?}…", &source[..20]);
        assert!(told < Some(1 << 20), "{told:?} for {:?}…", &source[..20]);
    }
}

/// Sources of parts that mean something.
fn source() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "alpha",
        "beta",
        "gamma",
        "新消息",
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "`",
        "```",
        "```sh\n",
        "\n> ",
        "\n- ",
        "\n1. ",
        "\n# ",
        "    ",
        "\t",
        "[",
        "]",
        "(",
        ")",
        "](",
        "![",
        "[ref]",
        "[ref]: ",
        "<b>",
        "</b>",
        "<",
        ">",
        "&amp;",
        "&#7;",
        "&#x202e;",
        "\\",
        "|",
        "https://x.example/",
        "javascript:x",
        "\"",
        "'",
        "<!--",
        "-->",
        "---",
        "===",
        "\n---\n",
        ":",
        "!",
        "- [ ] ",
        "&",
        "\u{0}",
        "\r\n",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_panics_and_no_word_is_lost(source in source()) {
        if let Some(rich) = rich(&source) {
            for word in ["alpha", "beta", "gamma", "新消息"] {
                // A word behind a fence is a language.
                if !source.contains("```") && !source.contains("~~~") {
                    prop_assert!(
                        rich.text.matches(word).count() >= source.matches(word).count(), "{word}: {source:?} is {:?}", rich.text
                    );
                }
            }
            prop_assert!(rich.links.iter().all(|link| link.starts_with("https://x.example/")), "{:?}", rich.links);
            let whole: String = pieces(&source, usize::MAX).unwrap_or_default().into_iter().map(|(text, _)| text).collect();
            prop_assert_eq!(whole, rich.text);
        }
    }

    #[test]
    fn no_text_at_all_panics(source in "\\PC{0,60}|[ -~\n]{0,120}") {
        if let Some(rich) = rich(&source) {
            prop_assert!(!rich.text.trim().is_empty());
        }
    }
}
