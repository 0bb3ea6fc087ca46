//! What a machine does not let a test try.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Names the file in which `cargo xtask test` looks for what was skipped. It tells that in the end: a test that tried
/// nothing counts as passed, and what it says is shown by no runner.
const LIST: &str = "TIDINGS_TESTS_SKIPPED";

/// Says why a test ends early.
#[expect(clippy::print_stderr, reason = "for those who run one test, with --nocapture")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    let Some(list) = env::var_os(LIST) else { return };
    // A test's thread has its name.
    let line = format!("{}: {why}\n", std::thread::current().name().unwrap_or("a test"));
    let list = OpenOptions::new().create(true).append(true).open(list);
    list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of what was skipped");
}
