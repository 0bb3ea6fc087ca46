//! What a text is worth: what can be read of it, and what of that may be clicked.

use url::Url;

/// The text without what stands around it and is nothing to read.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// The bytes of a binary frame as the text that they are, if they are one.
pub(crate) fn readable(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let around = |c: char| c.is_whitespace() || matches!(c, '\0' | '\u{1e}' | '\u{feff}');
    let inside = text.trim_matches(around);
    let is_text = !is_blank(text) && !inside.contains(|c: char| c.is_control() && !c.is_whitespace());
    // Nothing is no picture either.
    (is_text || text.trim().is_empty()).then_some(text)
}

/// Whether nothing of it can be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
    })
}

/// A link that may be opened by a click: nothing that runs a program or reads a file.
pub(crate) fn link(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    matches!(url.scheme(), "http" | "https" | "mailto").then_some(url)
}
