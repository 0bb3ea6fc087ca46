//! What a person who waits sees.

/// How it goes on, beside the table.
#[expect(clippy::print_stderr, reason = "a person waits for minutes")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
