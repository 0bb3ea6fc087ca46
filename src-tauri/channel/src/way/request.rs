//! What is asked of the server: an upgrade, or anything else. The URL, and what the owner gave for it. Its parts come from
//! settings, commands and files, so each is checked; what is wrong is told without its value.

use base64::Engine;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONNECTION, COOKIE, HOST, ORIGIN, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use url::{Position, Url};

use crate::way::resumed::LAST_EVENT_ID;
use crate::{ChannelUrl, Credential, DialParams, DialRefusal};

/// Header names that are set here, or whose meaning would change what is sent.
const OURS: [&str; 8] = [
    "host",
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "content-length",
    "transfer-encoding",
];

/// The request for one dial.
pub(crate) fn upgrade_request(
    url: &ChannelUrl,
    params: &DialParams,
    subprotocol: Option<&str>,
    origin: Option<&str>,
) -> Result<Request<()>, DialRefusal> {
    let (target, mut headers) = target(url, params)?;
    add_origin(&mut headers, origin)?;
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-version", HeaderValue::from_static("13"));
    let key = HeaderValue::from_str(&generate_key()).map_err(|_| refusal("no key could be made"))?;
    headers.insert("sec-websocket-key", key);
    if let Some(subprotocol) = subprotocol {
        let value =
            HeaderValue::from_str(subprotocol).map_err(|_| refusal("the subprotocol can't be sent"))?;
        headers.insert("sec-websocket-protocol", value);
    }
    let mut request = Request::get(target.as_str()).body(()).map_err(|_| unsendable())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The request for a stream, which goes on after what the owner knows.
pub(crate) fn stream_request(
    url: &ChannelUrl,
    params: &DialParams,
    origin: Option<&str>,
    of_events: bool,
) -> Result<Request<String>, DialRefusal> {
    let (target, mut headers) = target(url, params)?;
    add_origin(&mut headers, origin)?;
    if of_events {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        // An id that can't be sent as it is was the server's own: it knows what comes of it.
        if let Some(last) = params.last.as_deref().and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok())
        {
            headers.insert(LAST_EVENT_ID, last);
        }
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let uri = &target[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::get(uri).body(String::new()).map_err(|_| unsendable())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// A request that is no upgrade, and after which the connection ends.
pub(crate) fn plain_request(
    url: &ChannelUrl,
    params: &DialParams,
    method: http::Method,
    more: &[(String, String)],
    body: String,
) -> Result<Request<String>, DialRefusal> {
    let (target, mut headers) = target(url, params)?;
    for (name, value) in more {
        add_header(&mut headers, name, value)?;
    }
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let uri = &target[Position::BeforePath..Position::AfterQuery];
    let request = Request::builder().method(method).uri(uri).body(body);
    let mut request = request.map_err(|_| unsendable())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The origin, unless the owner gives one.
pub(crate) fn add_origin(headers: &mut HeaderMap, origin: Option<&str>) -> Result<(), DialRefusal> {
    if let Some(origin) = origin
        && !headers.contains_key(ORIGIN)
    {
        let value = HeaderValue::from_str(origin).map_err(|_| refusal("the origin can't be sent"))?;
        headers.insert(ORIGIN, value);
    }
    Ok(())
}

/// Where a request goes, and the headers that any has.
fn target(url: &ChannelUrl, params: &DialParams) -> Result<(Url, HeaderMap), DialRefusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in &params.headers {
        add_header(&mut headers, name, value)?;
    }
    let mut target = url.as_url().clone();
    if let Some(path) = &params.path {
        target.set_path(path);
    }
    let mut add_query = |name: &str, value: &str| {
        target.query_pairs_mut().append_pair(name, value);
    };
    for (name, value) in &params.query {
        add_query(name, value);
    }
    match &params.credential {
        None | Some(Credential::Said(_)) => {}
        Some(Credential::Bearer(token)) => authorize(&mut headers, "Bearer", token)?,
        Some(Credential::Basic { username, password }) => {
            if username.contains(':') {
                return Err(refusal("the user name for Basic sign-in holds a colon, which it can't"));
            }
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
            authorize(&mut headers, "Basic", &pair)?;
        }
        Some(Credential::Header { name, value }) => add_header(&mut headers, name, value)?,
        Some(Credential::Query { name, value }) => add_query(name, value),
        Some(Credential::Cookie { name, value }) => add_cookie(&mut headers, name, value)?,
    }
    let host = &target[Position::BeforeHost..Position::AfterPort];
    let host = HeaderValue::from_str(host).map_err(|_| refusal("the URL's host can't be sent"))?;
    headers.insert(HOST, host);
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tidings/", env!("CARGO_PKG_VERSION"))));
    }
    Ok((target, headers))
}

fn unsendable() -> DialRefusal {
    refusal("the URL's path or query can't be sent: percent-encode it")
}

fn refusal(message: impl Into<String>) -> DialRefusal {
    DialRefusal::told(message)
}

fn secret(value: &str, what: &str) -> Result<HeaderValue, DialRefusal> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| refusal(format!("{what} holds a line break or another character that can't be sent")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn authorize(headers: &mut HeaderMap, scheme: &str, credential: &str) -> Result<(), DialRefusal> {
    headers.insert(AUTHORIZATION, secret(&format!("{scheme} {credential}"), "the credential")?);
    Ok(())
}

fn add_header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), DialRefusal> {
    let Ok(header) = HeaderName::try_from(name) else {
        return Err(refusal(format!("{name:?} can't be a header's name: use letters, digits and dashes")));
    };
    if OURS.contains(&header.as_str()) {
        return Err(refusal(format!("the header {name} is set by Tidings itself: take it out")));
    }
    headers.append(header, secret(value, &format!("the header {name}"))?);
    Ok(())
}

/// There may be only one Cookie header (RFC 6265, section 5.4).
fn add_cookie(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), DialRefusal> {
    if name.is_empty() || name.contains(['=', ';', ' ']) || value.contains(';') {
        return Err(refusal("the cookie's name or value holds a character that it can't"));
    }
    let mut cookie = format!("{name}={value}");
    if let Some(others) = headers.get(COOKIE).and_then(|others| others.to_str().ok()) {
        cookie = format!("{others}; {cookie}");
    }
    headers.insert(COOKIE, secret(&cookie, "the cookie")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(params: &DialParams) -> Result<Request<()>, DialRefusal> {
        let url = ChannelUrl::parse("wss://shop.example:8443/ws?a=1", false).expect("a good URL");
        upgrade_request(&url, params, None, None)
    }

    fn with(credential: Credential) -> Result<Request<()>, DialRefusal> {
        request(&DialParams { credential: Some(credential), ..DialParams::default() })
    }

    fn header(request: &Request<()>, name: &str) -> String {
        let value = request.headers().get(name).expect("the header is there");
        value.to_str().expect("plain").to_owned()
    }

    #[test]
    fn each_kind_of_credential_goes_where_it_belongs() {
        let text = str::to_owned;
        let sent = with(Credential::Bearer(text("t0ken"))).expect("fine");
        assert_eq!(header(&sent, "authorization"), "Bearer t0ken");
        assert_eq!(header(&sent, "host"), "shop.example:8443");
        let sent = with(Credential::Basic { username: text("me"), password: text("pä:ss") }).expect("fine");
        assert_eq!(header(&sent, "authorization"), "Basic bWU6cMOkOnNz");
        let sent = with(Credential::Header { name: text("X-Key"), value: text("k") }).expect("fine");
        assert_eq!(header(&sent, "x-key"), "k");
        let sent = with(Credential::Query { name: text("token"), value: text("a&b") }).expect("fine");
        assert_eq!(sent.uri().query(), Some("a=1&token=a%26b"));
        let params = DialParams {
            credential: Some(Credential::Cookie { name: text("sid"), value: text("7") }),
            headers: vec![(text("Cookie"), text("a=b"))],
            query: vec![(text("since"), text("41"))],
            ..DialParams::default()
        };
        let sent = request(&params).expect("fine");
        assert_eq!(header(&sent, "cookie"), "a=b; sid=7");
        assert_eq!(sent.uri().query(), Some("a=1&since=41"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_telling_the_secret() {
        let text = str::to_owned;
        for credential in [
            Credential::Bearer(text("s3cret\r\nX-Evil: 1")),
            Credential::Header { name: text("X Key"), value: text("s3cret") },
            Credential::Header { name: text("Host"), value: text("s3cret") },
            Credential::Header { name: text("X-Key"), value: text("s3cret\0") },
            Credential::Cookie { name: text("sid"), value: text("s3cret; x") },
            Credential::Basic { username: text("a:b"), password: text("s3cret") },
        ] {
            let refused = with(credential).expect_err("can't be sent");
            assert!(!refused.message.contains("s3cret"), "{refused}");
        }
    }

    #[test]
    fn parameters_shown_for_debugging_tell_no_secret() {
        let text = str::to_owned;
        let params = DialParams {
            credential: Some(Credential::Basic { username: text("me"), password: text("s3cret") }),
            headers: vec![(text("X-Key"), text("s3cret"))],
            query: vec![(text("key"), text("s3cret"))],
            ..DialParams::default()
        };
        assert!(!format!("{params:?}").contains("s3cret"));
    }
}
