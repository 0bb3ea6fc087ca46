//! What a person who waits sees.

#[expect(clippy::print_stdout, reason = "progress is for the person who waits")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
