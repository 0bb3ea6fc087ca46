//! Untrusted text made fit for where it is shown.

/// Escapes what a reader of markup (a popup's body, a tooltip) would take for a tag or an entity.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// At most `limit` characters, the last one an ellipsis if something was cut. Line breaks and tabs stay if
/// `lines` is set; every other control character, and what turns the direction of text around, is left out
/// or becomes a space.
pub(crate) fn shown(text: &str, limit: usize, lines: bool) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.trim().chars() {
        let c = match c {
            '\n' | '\t' if lines => c,
            // Explicit directional embeddings, overrides and isolates (Unicode UAX #9).
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => continue,
            c if c.is_control() => ' ',
            c => c,
        };
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

/// What somebody typed, quoted in an answer: its beginning tells them enough.
pub(crate) fn quoted(typed: &str) -> String {
    format!("{:?}", shown(typed, 60, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_reads_as_text() {
        assert_eq!(
            escaped(r#"<b>"Tom" & 'Eve'</b>"#),
            "&lt;b&gt;&quot;Tom&quot; &amp; &#39;Eve&#39;&lt;/b&gt;"
        );
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
    }
}
