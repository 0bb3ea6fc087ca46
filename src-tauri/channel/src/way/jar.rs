//! Cookies that a session's answers set, in memory, for its later requests: a balancer knows by them which server has the session.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use std::time::SystemTime;

/// Cookies that are kept, and bytes of each. Too few: a session is lost behind a balancer; too many: a hostile server's stay in memory.
const MOST: usize = 32;
const MOST_BYTES: usize = 4096;

/// See the module.
#[derive(Debug)]
pub(crate) struct Jar {
    /// Below which all requests are.
    path: String,
    /// Name and value.
    cookies: Vec<(String, String)>,
}

impl Jar {
    /// For requests below a path.
    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.to_owned(), cookies: Vec::new() }
    }

    /// Takes what an answer sets, and drops what it takes back (RFC 6265, section 5.2).
    pub(crate) fn take(&mut self, set_cookies: &[String]) {
        for set in set_cookies {
            let mut parts = set.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let (name, value) = (name.trim(), value.trim());
            let attributes: Vec<_> = parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
            let attribute = |of: &str| {
                let found = attributes.iter().rev().find(|(name, _)| name.trim().eq_ignore_ascii_case(of));
                found.map(|(_, value)| value.trim())
            };
            let elsewhere =
                attribute("path").is_some_and(|path| path.starts_with('/') && !is_below(&self.path, path));
            if name.is_empty() || elsewhere {
                continue;
            }
            self.cookies.retain(|(kept, _)| kept != name);
            let over = match (attribute("max-age"), attribute("expires")) {
                (Some(seconds), _) => seconds.starts_with('-') || seconds.bytes().all(|digit| digit == b'0'),
                (None, Some(date)) => {
                    httpdate::parse_http_date(date).is_ok_and(|end| end <= SystemTime::now())
                }
                (None, None) => false,
            };
            if !over && self.cookies.len() < MOST && name.len() + value.len() <= MOST_BYTES {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Puts them beside those that a request has; of one name ours is the newer.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        if self.cookies.is_empty() {
            return;
        }
        let own = headers.get(COOKIE).and_then(|own| own.to_str().ok()).unwrap_or_default().to_owned();
        let is_set = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !self.cookies.iter().any(|(set, _)| set == name)
        };
        let own = own.split(';').map(str::trim).filter(is_set).map(str::to_owned);
        let all: Vec<_> =
            own.chain(self.cookies.iter().map(|(name, value)| format!("{name}={value}"))).collect();
        if let Ok(mut all) = HeaderValue::from_str(&all.join("; ")) {
            all.set_sensitive(true);
            headers.insert(COOKIE, all);
        }
    }
}

/// Whether `path` is `folder` or below it (RFC 6265, section 5.1.4).
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(own: Option<&'static str>, answers: &[&str]) -> Option<String> {
        let mut jar = Jar::at("/app/sockjs/000/x");
        for set in answers {
            jar.take(&[(*set).to_owned()]);
        }
        let mut headers = HeaderMap::new();
        if let Some(own) = own {
            headers.insert(COOKIE, HeaderValue::from_static(own));
        }
        jar.add_to(&mut headers);
        headers.get(COOKIE).map(|cookie| cookie.to_str().expect("text").to_owned())
    }

    #[test]
    fn what_an_answer_sets_goes_beside_the_credentials_and_in_the_place_of_its_older_self() {
        let set = ["JSESSIONID=7; Path=/app; HttpOnly", "route=\"a b\"", "JSESSIONID=8; path=/"];
        assert_eq!(
            sent(Some("sid=1; route=old"), &set).as_deref(),
            Some("sid=1; route=\"a b\"; JSESSIONID=8")
        );
        assert_eq!(sent(Some("sid=1"), &[]).as_deref(), Some("sid=1"));
        assert_eq!(sent(None, &[]), None);
    }

    #[test]
    fn what_is_taken_back_or_meant_for_elsewhere_is_not_sent() {
        for set in [
            "a=1; Max-Age=0",
            "a=1; max-age=-5; Path=/",
            "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=1; Path=/ap",
            "a=1; Path=/other",
            "=1",
            "a",
            "a=\u{7}",
        ] {
            assert_eq!(sent(None, &[set]), None, "{set}");
        }
        assert_eq!(sent(None, &["a=1", "a=1; Max-Age=0"]), None);
        assert_eq!(sent(None, &["a=1; Max-Age=60; Path=/app/sockjs/"]).as_deref(), Some("a=1"));
    }
}
