//! Text of others, made fit for our words.

/// Longest text of others in our words, characters.
pub(crate) const LONGEST_DETAIL: usize = 120;

/// Untrusted text as one line without control or direction-changing characters, cut to 120 characters: as it stands in
/// the words of a [`Cause`](crate::Cause).
#[must_use]
pub fn plain(text: &str) -> String {
    let turns_text = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let mut words = text.trim().chars().map(|c| if c.is_control() || turns_text(c) { ' ' } else { c });
    let mut cut: String = words.by_ref().take(LONGEST_DETAIL).collect();
    if words.next().is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}
