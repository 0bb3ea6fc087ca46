//! What it means where an answer is another than the one that was asked for, or none.

use std::io;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};

use crate::way::{redirect, tls};
use crate::{Cause, ChannelUrl, Detail};

/// What an answer means that is not the one that was asked for. No redirect is ever followed (D5). `by_page`: the server knows us
/// by a cookie, as a sign-in on a page leaves one; a page in the answer's place is that page then, however it is made (S5).
pub(crate) fn meaning(
    status: u16,
    headers: &HeaderMap,
    page: Option<&str>,
    url: &ChannelUrl,
    by_page: bool,
) -> Cause {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Anybody on the way can answer in plaintext, except to this machine itself.
    let open = !url.is_tls() && !url.is_loopback();
    match (status, page) {
        (401 | 403 | 407, _) => Cause::SignInRefused { status },
        (300..=399, _) => {
            let from = url.web();
            match header(LOCATION).and_then(|location| from.join(location).ok()) {
                Some(to) => redirect::meaning(status, &from, &to, open, by_page),
                None => Cause::Status { status },
            }
        }
        (511, _) => Cause::CaptivePortal,
        // In a network that is new to us the machine takes it for a portal's, where it came in plaintext.
        (200..=299, Some(page)) if by_page || asks_to_sign_in(page) => Cause::SignInRefused { status },
        (200..=299, Some(_)) if open => Cause::CaptivePortal,
        (503, _) if headers.contains_key(RETRY_AFTER) => Cause::Busy { status },
        _ => Cause::Status { status },
    }
}

/// The media type of an answer, in lower case, without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.split(';').next()?.trim().to_ascii_lowercase())
}

/// Whether it is a web page, whatever was asked for.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind == "text/html")
}

/// The cookies that it sets.
pub(crate) fn set_cookies(headers: &HeaderMap) -> Vec<String> {
    let set = headers.get_all(SET_COOKIE).iter();
    set.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
}

/// Whether a page asks to sign in: a password's field, or the address of the Servlet specification's form.
fn asks_to_sign_in(page: &str) -> bool {
    ["type=\"password\"", "type='password'", "type=password", "j_security_check"]
        .iter()
        .any(|mark| page.contains(mark))
}

/// The stream failed before the answer was there.
pub(crate) fn broken_off(error: &io::Error) -> Cause {
    if let Some(cause) = tls::failure(error) {
        return cause;
    }
    if error.kind() == io::ErrorKind::InvalidData {
        return Cause::NotAWebSocket { detail: Detail::HeadTooLong };
    }
    // In its own words the server says nothing, whether it ends the stream or resets it.
    let hung_up = [
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::BrokenPipe,
    ];
    let detail = if hung_up.contains(&error.kind()) { Detail::HungUp } else { Detail::of_io(error) };
    Cause::Lost { detail }
}
