//! What a dial comes to: a link, or why there is none.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;
use tidings_dialect::Given;

use crate::link::Link;
use crate::way::meaning::meaning;
use crate::{Cause, ChannelUrl, DialRefusal, Route};

/// An open link.
pub(crate) struct Dialled {
    pub(crate) link: Box<dyn Link>,
    pub(crate) route: Option<Route>,
    /// What the dial brought for the talk.
    pub(crate) given: Given,
}

/// Why a dial failed.
#[derive(Debug)]
pub(crate) struct DialFailure {
    pub(crate) cause: Cause,
    pub(crate) retry_after: Option<Duration>,
    /// Whether the host has another address to try.
    pub(crate) elsewhere: bool,
    /// Nothing was dialled: there is no other credential than the one that was refused.
    pub(crate) unchanged: bool,
}

impl From<Cause> for DialFailure {
    fn from(cause: Cause) -> Self {
        Self { cause, retry_after: None, elsewhere: false, unchanged: false }
    }
}

impl From<DialRefusal> for DialFailure {
    fn from(refusal: DialRefusal) -> Self {
        let DialRefusal { message: detail, unchanged, cause } = refusal;
        Self { unchanged, ..cause.unwrap_or(Cause::Owner { detail }).into() }
    }
}

/// How much of a page is looked at, bytes. Sign-in forms stand near the top.
pub(crate) const MOST_PAGE: usize = 16 * 1024;

/// What an answer other than 101 means.
pub(crate) fn refused(
    status: u16,
    headers: &HeaderMap,
    page: Option<&str>,
    url: &ChannelUrl,
    signs_in_by_page: bool,
) -> DialFailure {
    let cause = meaning(status, headers, page, url, signs_in_by_page);
    let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = after.and_then(|value| retry_after(value, SystemTime::now()));
    DialFailure { retry_after, ..cause.into() }
}

/// Seconds or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit()) {
        // More than any number holds is very long, too.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    httpdate::parse_http_date(value).ok().map(|at| at.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::header::LOCATION;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("99999999999999999999999", Some(u64::MAX)),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }

    fn answer(status: u16, location: &str, page: Option<&str>, url: &str) -> Cause {
        answer_to(false, status, location, page, url)
    }

    fn answer_to(by_page: bool, status: u16, location: &str, page: Option<&str>, url: &str) -> Cause {
        let mut response = http::Response::new(());
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        response.headers_mut().insert(
            LOCATION,
            http::HeaderValue::from_bytes(location.as_bytes())
                .unwrap_or(http::HeaderValue::from_static("http://[")),
        );
        refused(
            response.status().as_u16(),
            response.headers(),
            page,
            &ChannelUrl::parse(url, true).expect("a good URL"),
            by_page,
        )
        .cause
    }

    #[test]
    fn a_redirect_without_a_good_location_is_just_that() {
        for location in ["http://[", "\u{7f}"] {
            let found = answer(302, location, None, "ws://shop.example/");
            assert_eq!(found, Cause::Status { status: 302 }, "{location}");
        }
        let moved = answer(301, "https://shop.example/ws", None, "ws://shop.example/ws");
        assert_eq!(moved.to_string(), "the address moved to wss://shop.example/ws (301)");
    }

    /// What Tomcat, Jetty, Undertow and apps whose script makes the page say where the session is over.
    #[test]
    fn every_sign_in_page_is_one_to_whoever_is_known_by_a_cookie() {
        let form = Some("<form method=post action=j_security_check><input name=j_password type=password>");
        let script = Some("<div id=root></div><script src=/app.js></script>");
        for (status, location, page, url) in [
            (200, "/", form, "wss://shop.example/ws"),
            (200, "/", form, "ws://shop.example/ws"),
            (200, "/", script, "wss://shop.example/ws"),
            (200, "/", script, "ws://shop.example/ws"),
            (200, "/", script, "ws://127.0.0.1/ws"),
            (302, "/login.html;jsessionid=node0s3cret", None, "wss://shop.example/ws"),
            (302, "https://id.example/realms/x", None, "wss://shop.example/ws"),
            (302, "/start", None, "ws://shop.example/ws"),
            (401, "/", None, "wss://shop.example/ws"),
        ] {
            let found = answer_to(true, status, location, page, url);
            assert_eq!(found, Cause::SignInRefused { status }, "{status} {location} from {url}");
        }
    }

    #[test]
    fn a_page_is_a_sign_in_or_a_portal_or_no_websocket() {
        let form = Some("<form action=j_security_check><input name=j_password type=\"password\">");
        let page = Some("<title>shop</title>");
        for (status, page, url, cause) in [
            (200, form, "wss://shop.example/ws", Cause::SignInRefused { status: 200 }),
            (200, form, "ws://localhost/ws", Cause::SignInRefused { status: 200 }),
            (200, form, "ws://shop.example/ws", Cause::SignInRefused { status: 200 }),
            (200, page, "wss://shop.example/ws", Cause::Status { status: 200 }),
            (200, None, "ws://shop.example/ws", Cause::Status { status: 200 }),
            (200, page, "ws://shop.example/ws", Cause::CaptivePortal),
            (200, page, "ws://127.0.0.1/ws", Cause::Status { status: 200 }),
            (404, page, "ws://shop.example/ws", Cause::Status { status: 404 }),
            (502, page, "ws://shop.example/ws", Cause::Status { status: 502 }),
            (511, page, "wss://shop.example/ws", Cause::CaptivePortal),
        ] {
            assert_eq!(answer(status, "/", page, url), cause, "{status} from {url}");
        }
    }
}
