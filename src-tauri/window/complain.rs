//! What the window says where nobody looks at it.

#[expect(clippy::print_stderr, reason = "without a window, stderr is all there is")]
pub(crate) fn complain(message: &str) {
    eprintln!("tidings-window: {message}");
}
