//! Untrusted text made fit for where it is shown.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns after which a word without an end is broken, or cut where there is but one line: a service that breaks lines
/// between words alone makes its popup as wide as the longest. Too low: addresses fall apart, though they would fit;
/// too high: popups as wide as the screen.
const WORD: usize = 60;

/// Columns of a word that are given up so that a text that is cut ends with a whole one. Too low: words are cut though
/// there is room; too high: little is left of a text of long words.
const BACK: usize = 20;

/// Code points of what is seen as one character: families of emoji take up to ten. Of more, which pile up over the
/// lines around, the first is shown alone.
const PILE: usize = 16;

/// How much of a text is shown.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// With one, line breaks become spaces.
    pub lines: usize,
    /// Of all lines together. A Latin letter takes one, a Chinese one two.
    pub columns: usize,
}

/// Escapes what a reader of markup (a popup's body, a tooltip) would take for a tag or an entity, and no more: outside
/// of attributes quotes are text, and readers exist that know few entities.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

/// For what some read as text, some as markup, and some as text with access keys: nothing that any of them takes for
/// its own. No escape reads right in all.
pub fn neutral(text: &str) -> String {
    text.replace('&', "+").replace('<', "‹").replace('>', "›")
}

/// For a reader that undoes escapes before it looks for tags: an invisible character keeps tags and entities from being
/// any.
pub fn unreadable(text: &str) -> String {
    text.replace('&', "&\u{2060}").replace('<', "<\u{2060}")
}

/// At most `limit` characters, the last one an ellipsis if something was cut. Line breaks and tabs stay if
/// `lines` is set; every other control character, and what turns the direction of text around, is left out
/// or becomes a space.
pub fn shown(text: &str, limit: usize, lines: bool) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.trim().chars().filter_map(|c| clean(c, lines)) {
        length += 1;
        if length > limit {
            out.pop();
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

fn clean(c: char, lines: bool) -> Option<char> {
    Some(match c {
        '\t' if lines => c,
        // All that Unicode has a line break for (UAX #14).
        '\n' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            if lines {
                '\n'
            } else {
                ' '
            }
        }
        // Explicit directional embeddings, overrides and isolates (Unicode UAX #9).
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => return None,
        c if c.is_control() => ' ',
        c => c,
    })
}

/// What of a text there is room for, without blank lines; cut between words if may be, with an ellipsis. Empty if
/// there is nothing to see in it.
pub fn fitted(text: &str, room: Room) -> String {
    fit(&shown(text, usize::MAX, true), room).0
}

/// The same of a text in pieces, each of which keeps its style.
pub fn fitted_pieces<S: Copy + PartialEq>(pieces: &[(String, S)], room: Room) -> Vec<(String, S)> {
    let mut text = String::new();
    // Where each ends.
    let mut ends = Vec::new();
    for (piece, style) in pieces {
        text.extend(piece.chars().filter_map(|c| clean(c, true)));
        ends.push((text.len(), *style));
    }
    let start = text.len() - text.trim_start().len();
    let (out, origins) = fit(text.trim(), room);
    let mut styled = Vec::new();
    let mut style = 0;
    for (index, (at, from)) in origins.iter().enumerate() {
        let until = origins.get(index + 1).map_or(out.len(), |(next, _)| *next);
        let Some(part) = out.get(*at..until) else { break };
        while ends.get(style).is_some_and(|(end, _)| *end <= start + from) {
            style += 1;
        }
        if let Some((_, style)) = ends.get(style) {
            put(&mut styled, part, *style);
        }
    }
    styled
}

fn put<S: Copy + PartialEq>(pieces: &mut Vec<(String, S)>, text: &str, style: S) {
    match pieces.last_mut().filter(|(_, last)| *last == style) {
        Some((last, _)) => last.push_str(text),
        None if text.is_empty() => {}
        None => pieces.push((text.to_owned(), style)),
    }
}

/// What of a clean text there is room for; and of each part where it begins, and where it began in the text.
fn fit(clean: &str, room: Room) -> (String, Vec<(usize, usize)>) {
    let mut at = 0;
    let lines = clean.split('\n').filter_map(|line| {
        let start = at;
        at += line.len() + 1;
        let line = line.trim_end();
        (!line.is_empty()).then_some((start, line))
    });
    let pieces = lines.enumerate().flat_map(|(index, (start, line))| {
        let lead = if index == 0 { None } else { Some((start, "\n")) };
        lead.into_iter().chain(line.grapheme_indices(true).map(move |(at, piece)| (start + at, piece)))
    });
    let mut out = String::new();
    let mut origins = Vec::new();
    let (mut rows, mut columns, mut word) = (1, 0, 0);
    // Lengths of `out`: up to where an ellipsis has room behind it, and up to the word that is being written.
    let (mut fits, mut words) = (0, 0);
    for (origin, piece) in pieces {
        let piece = match piece {
            "\t" => " ",
            "\n" if room.lines == 1 => " ",
            pile if pile.chars().nth(PILE).is_some() => {
                &pile[..pile.chars().next().map_or(0, char::len_utf8)]
            }
            piece => piece,
        };
        let width = if piece == "\n" { 0 } else { piece.width().max(1) };
        // Between Chinese letters a line may break.
        let apart = width > 1 || piece.chars().all(char::is_whitespace);
        word = if apart { 0 } else { word + width };
        let broken = word > WORD;
        let next_line = broken || piece == "\n";
        if columns + width > room.columns || (next_line && rows == room.lines) {
            let within = !apart || fits < out.len();
            let whole = words > 0 && out[words..].width() <= BACK;
            out.truncate(if within && whole { fits.min(words) } else { fits });
            out.truncate(out.trim_end().len());
            // The ellipsis belongs to what it stands behind.
            origins.retain(|(at, _)| *at < out.len() || *at == 0);
            if origins.is_empty() {
                origins.push((0, origin));
            }
            out.push('…');
            break;
        }
        rows += usize::from(next_line);
        origins.push((out.len(), origin));
        if broken {
            out.push('\n');
            (word, words) = (width, out.len());
        }
        out.push_str(piece);
        columns += width;
        if apart {
            words = out.len();
        }
        if columns < room.columns {
            fits = out.len();
        }
    }
    if out.chars().all(|c| c.is_whitespace() || c.width().unwrap_or(0) == 0) {
        out.clear();
    }
    (out, origins)
}

/// With lines of at most so many columns, broken between words if may be: for who doesn't do so.
pub fn wrapped(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut columns = 0;
    // Where the line's last space is, and the columns up to behind it.
    let mut space = None;
    for piece in text.graphemes(true) {
        let width = piece.width().max(1);
        if piece != "\n" && columns + width > limit {
            if piece == " " {
                out.push('\n');
                (columns, space) = (0, None);
                continue;
            }
            if let Some((at, before)) = space.take() {
                out.replace_range(at..=at, "\n");
                columns -= before;
            } else {
                out.push('\n');
                columns = 0;
            }
        }
        if piece == " " {
            space = Some((out.len(), columns + width));
        }
        out.push_str(piece);
        columns += width;
        if piece == "\n" {
            (columns, space) = (0, None);
        }
    }
    out
}

/// The same of a text in pieces, each of which keeps its style.
pub fn wrapped_pieces<S: Copy + PartialEq>(pieces: &[(String, S)], limit: usize) -> Vec<(String, S)> {
    let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    let mut styled = pieces.iter().flat_map(|(text, style)| text.chars().map(|c| (c, *style))).peekable();
    let mut out = Vec::new();
    for c in wrapped(&text, limit).chars() {
        let Some((next, style)) = styled.peek().copied() else { break };
        // A line break takes the place of a space, or stands where there was none.
        if next == c || (c, next) == ('\n', ' ') {
            styled.next();
        }
        put(&mut out, c.encode_utf8(&mut [0; 4]), style);
    }
    out
}

/// As a sentence begins, but for one that begins with a host's name.
pub fn capitalised(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.trim_end_matches(['.', ':']).contains('.') {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

/// What somebody typed, quoted in an answer: its beginning tells them enough.
pub fn quoted(typed: &str) -> String {
    format!("{:?}", shown(typed, 60, false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn room(lines: usize, columns: usize) -> Room {
        Room { lines, columns }
    }

    #[test]
    fn markup_reads_as_text() {
        assert_eq!(
            escaped(r#"<b>"Tom" & 'Eve'</b> &#39;"#),
            r#"&lt;b&gt;"Tom" &amp; 'Eve'&lt;/b&gt; &amp;#39;"#
        );
    }

    #[test]
    fn what_nobody_agrees_on_is_left_out_of_labels() {
        assert_eq!(neutral("Accept & close"), "Accept + close");
        assert_eq!(neutral("A_b <x>"), "A_b ‹x›");
    }

    #[test]
    fn no_tag_and_no_entity_is_left_for_who_undoes_escapes() {
        assert_eq!(unreadable("<b>x</b> &amp; y"), "<\u{2060}b>x<\u{2060}/b> &\u{2060}amp; y");
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis_and_short_text_is_not() {
        assert_eq!(shown("abcd", 4, false), "abcd");
        assert_eq!(shown("abcde", 4, false), "abc…");
        assert_eq!(shown("新消息来了", 4, false), "新消息…");
    }

    #[test]
    fn control_characters_and_direction_overrides_do_not_reach_the_screen() {
        assert_eq!(shown("a\u{0}b\u{202E}c\nd", 10, false), "a bc d");
        assert_eq!(shown("a\nb", 10, true), "a\nb");
        assert_eq!(shown("a\u{2028}b\u{85}c", 10, false), "a b c");
        assert_eq!(shown("a\u{2028}b\u{85}c", 10, true), "a\nb\nc");
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        for text in ["", "Two lamps,\nthree chairs", "  you'll find\n  it there"] {
            assert_eq!(fitted(text, room(6, 40)), text.trim_start());
        }
        assert_eq!(fitted("12345", room(1, 5)), "12345");
    }

    #[test]
    fn what_is_too_long_ends_with_a_whole_word() {
        assert_eq!(fitted("The parcel is on its way", room(1, 20)), "The parcel is on…");
        assert_eq!(fitted("The parcel is on its way", room(1, 17)), "The parcel is on…");
        assert_eq!(fitted("The parcel is on its way", room(1, 16)), "The parcel is…");
        assert_eq!(fitted(&"x".repeat(30), room(1, 10)), "xxxxxxxxx…");
        assert_eq!(fitted(&format!("a {}", "x".repeat(30)), room(1, 28)), format!("a {}…", "x".repeat(25)));
    }

    #[test]
    fn too_many_lines_are_cut_and_blank_ones_take_no_room() {
        assert_eq!(fitted("a\n\n \nb\r\nc\nd", room(3, 40)), "a\nb\nc…");
        assert_eq!(fitted("a\n\nb", room(2, 40)), "a\nb");
        assert_eq!(fitted("a\n\nb\u{2029}c", room(1, 40)), "a b c");
    }

    #[test]
    fn a_word_without_an_end_is_broken() {
        let broken = fitted(&"x".repeat(150), room(6, 300));
        assert_eq!(broken.lines().map(str::len).collect::<Vec<_>>(), [60, 60, 30]);
        assert_eq!(fitted(&"x".repeat(100), room(1, 80)), format!("{}…", "x".repeat(60)));
    }

    #[test]
    fn chinese_letters_take_two_columns_and_need_no_break() {
        assert_eq!(fitted("新消息来了", room(1, 10)), "新消息来了");
        assert_eq!(fitted("新消息来了", room(1, 9)), "新消息来…");
        assert_eq!(fitted(&"新".repeat(100), room(6, 300)), "新".repeat(100));
    }

    #[test]
    fn what_is_seen_as_one_character_is_not_taken_apart_nor_piled_up() {
        let family = "👩\u{200D}👩\u{200D}👧\u{200D}👦";
        assert_eq!(fitted(&family.repeat(4), room(1, 6)), format!("{}…", family.repeat(2)));
        let pile = format!("e{}", "\u{301}".repeat(5_000));
        assert_eq!(fitted(&format!("{pile}{pile}"), room(1, 10)), "ee");
    }

    #[test]
    fn lines_are_broken_between_words_where_there_are_some() {
        assert_eq!(wrapped("The parcel is on\nits way", 10), "The parcel\nis on\nits way");
        assert_eq!(wrapped("新消息来了", 6), "新消息\n来了");
        assert_eq!(wrapped("a bcdefghijkl", 5), "a\nbcdef\nghijk\nl");
    }

    #[test]
    fn what_cannot_be_seen_is_nothing() {
        assert_eq!(fitted("\u{200B}\u{2060}\n\u{202E} \t\u{0}", room(6, 40)), "");
    }

    /// Styles by number, each piece of another one.
    fn styled(pieces: &[&str]) -> Vec<(String, usize)> {
        pieces.iter().enumerate().map(|(style, text)| ((*text).to_owned(), style)).collect()
    }

    #[test]
    fn a_piece_that_is_cut_keeps_its_style() {
        let pieces = styled(&["\n The ", "parcel\n\n", "is on its way", " to you"]);
        let fitted = fitted_pieces(&pieces, room(6, 18));
        assert_eq!(fitted, styled(&["The ", "parcel", "\nis on…"])[..]);
        let wrapped = wrapped_pieces(&styled(&["The ", "parcel is", " on"]), 7);
        assert_eq!(wrapped, styled(&["The\n", "parcel\nis", " on"]));
    }

    proptest! {
        #[test]
        fn pieces_are_cut_as_their_text_is(
            pieces in prop::collection::vec("(\\PC|\\s|新|👩\u{200D}👦|e\u{301}){0,30}", 0..8), lines in 1_usize..8, columns in 1_usize..90
        ) {
            let pieces: Vec<_> = pieces.into_iter().enumerate().map(|(style, text)| (text, style)).collect();
            let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
            let text = |pieces: &[(String, usize)]| -> String { pieces.iter().map(|(text, _)| text.as_str()).collect() };
            let cut = fitted_pieces(&pieces, room(lines, columns));
            prop_assert_eq!(text(&cut), fitted(&whole, room(lines, columns)));
            prop_assert!(cut.is_sorted_by_key(|(_, style)| *style));
            prop_assert_eq!(text(&wrapped_pieces(&cut, 20)), wrapped(&text(&cut), 20));
        }

        #[test]
        fn no_text_takes_more_room_than_there_is(text in "(\\PC|\\s|新|👩\u{200D}👦|e\u{301}){0,200}", lines in 1_usize..8, columns in 1_usize..90) {
            let out = fitted(&text, room(lines, columns));
            prop_assert!(out.lines().count() <= lines, "{out:?}");
            let width: usize = out.lines().flat_map(|line| line.graphemes(true)).map(|piece| piece.width().max(1)).sum();
            prop_assert!(width <= columns.max(1), "{width}: {out:?}");
        }
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_host_stays_what_it_is() {
        for (text, told) in [
            ("connection lost", "Connection lost"),
            ("shop.example was restarted", "shop.example was restarted"),
            ("lost.", "Lost."),
            ("频道", "频道"),
            ("", ""),
        ] {
            assert_eq!(capitalised(text), told);
        }
    }
}
