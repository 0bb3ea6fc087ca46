//! The words that a message is found by, in the terms of SQLite's full-text index (FTS5).
//!
//! English and its like are found by the beginning of a word, whatever its case and accents. Chinese and
//! Japanese put no spaces between words, and Korean few, so there any part of a text has to be found, one
//! character long or more. FTS5's own trigrams know nothing shorter than three; so each run of such
//! characters is indexed as its overlapping pairs, and its last character alone: 你好世界 as
//! `你好 好世 世界 界`. Then two characters are one term, more are a phrase of terms, and one is the
//! beginning of a term, for which FTS5 keeps an index of its own.

use std::fmt::Write as _;

/// The index, and the list of its words.
pub(crate) const TABLES: &str = "
    CREATE VIRTUAL TABLE search USING fts5(
        terms, content = '', contentless_delete = 1, tokenize = 'unicode61', prefix = '1 2 3'
    );
    CREATE VIRTUAL TABLE search_term USING fts5vocab(search, instance);
";

/// Bytes of a body that it is found by; more only slows its way in.
const INDEXED: usize = 64 << 10;

/// Words of a query that count.
const WORDS: usize = 16;

/// Beginnings of this many letters have an index of their own.
const SHORT: usize = 3;

/// Words that a beginning may stand for one by one; of more, FTS5 makes a list of all their messages first.
pub(crate) const EXPANSIONS: usize = 64;

/// Whether words of this script stand without spaces.
fn unspaced(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' // Hangul letters
        | '\u{3005}'..='\u{3007}' // 々〆〇
        | '\u{3040}'..='\u{318f}' // Hiragana, Katakana, Bopomofo, Hangul letters
        | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{ac00}'..='\u{d7ff}' // Hangul
        | '\u{ff66}'..='\u{ffdc}' // narrow forms
        | '\u{20000}'..='\u{3ffff}') // rarer Han
}

/// The text of a message as the index takes it.
pub(crate) fn indexed(title: &str, body: &str) -> String {
    let mut terms = String::new();
    for text in [title, body] {
        segments(&text[..text.floor_char_boundary(INDEXED)], |segment, _| {
            push(&mut terms, segment, true);
        });
    }
    terms
}

/// The query in FTS5's language; `None` if there is no word in it. Nothing in `text` has a meaning to FTS5.
/// `expand` lists the index's words that begin so, or `None` if they are too many.
pub(crate) fn query(text: &str, mut expand: impl FnMut(&str) -> Option<Vec<String>>) -> Option<String> {
    let mut query = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.contains(char::is_alphanumeric) {
            continue;
        }
        if !query.is_empty() {
            query.push_str(" AND ");
        }
        // All that these have in common with the index's words is their beginning.
        let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric()) && word.len() > SHORT;
        match plain.then(|| expand(&word.to_ascii_lowercase())).flatten() {
            Some(words) if !words.is_empty() => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                let _ = write!(query, "({})", words.join(" OR "));
            }
            Some(_) | None => phrase(&mut query, word),
        }
        if query.matches(" AND ").count() + 1 >= WORDS {
            break;
        }
    }
    (!query.is_empty()).then_some(query)
}

/// The word's terms one after the other, the last one by its beginning where that says more.
fn phrase(query: &mut String, word: &str) {
    let mut terms = String::new();
    let mut beginning = false;
    segments(word, |segment, last| {
        let alone = match segment {
            // Only a run's last character stands alone, and more may follow on this one.
            Segment::Unspaced(run) => !last || run.chars().nth(1).is_none(),
            Segment::Words(_) => true,
        };
        push(&mut terms, segment, alone);
        beginning = last && alone;
    });
    let _ = write!(query, "\"{}\"", terms.trim().replace('"', " "));
    if beginning {
        query.push('*');
    }
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Words(&'a str),
    Unspaced(&'a str),
}

/// Gives each run of one kind to `take`, and whether it is the last.
fn segments(text: &str, mut take: impl FnMut(Segment<'_>, bool)) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| unspaced(c) != unspaced(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        take(if unspaced(first) { Segment::Unspaced(run) } else { Segment::Words(run) }, rest.is_empty());
    }
}

fn push(terms: &mut String, segment: Segment<'_>, with_last: bool) {
    match segment {
        Segment::Words(words) => terms.push_str(words),
        Segment::Unspaced(run) => {
            let mut chars = run.char_indices().peekable();
            while let Some((at, c)) = chars.next() {
                let end =
                    chars.peek().map_or(at + c.len_utf8(), |(next, following)| next + following.len_utf8());
                if chars.peek().is_some() || with_last {
                    terms.push(' ');
                    terms.push_str(&run[at..end]);
                }
            }
        }
    }
    terms.push(' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_spaces_becomes_pairs() {
        assert_eq!(
            indexed("iPhone手机壳 new", "好").split_whitespace().collect::<Vec<_>>(),
            ["iPhone", "手机", "机壳", "壳", "new", "好"]
        );
    }

    #[test]
    fn queries_are_phrases_of_terms() {
        let words = |_: &str| Some(vec!["order".to_owned(), "orders".to_owned()]);
        for (text, expected) in [
            ("Order", Some("(\"order\" OR \"orders\")")),
            ("ord", Some("\"ord\"*")),
            ("a-b", Some("\"a-b\"*")),
            ("好", Some("\"好\"*")),
            ("你好", Some("\"你好\"")),
            ("你好世", Some("\"你好 好世\"")),
            ("手机x 好", Some("\"手机 机 x\"* AND \"好\"*")),
            ("x\" OR (NEAR) *", Some("\"x\"* AND \"OR\"* AND \"(NEAR)\"*")),
            (" -- \" \0 ", None),
        ] {
            let words = |word: &str| if word == "order" { words(word) } else { Some(Vec::new()) };
            let query = query(text, words).map(|query| query.replace("  ", " ").replace(" \"*", "\"*"));
            assert_eq!(query.as_deref(), expected, "{text:?}");
        }
    }
}
