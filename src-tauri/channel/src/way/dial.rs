//! One dial: the owner's parameters, a connected stream, the upgrade. Each stage has its limit here; the
//! whole has its limit in the [`Machine`](crate::machine), which drops the dial where it is over.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderMap, Method, Request};
use tidings_dialect::Given;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::link::Link;
use crate::link::events::Format;
use crate::link::stream::Stream;
use crate::link::tap::Tap;
use crate::link::websocket::{WebSocket, websocket_config};
use crate::way::exchange::{Answer, ask_for, body_start, exchange};
use crate::way::meaning::{broken_off, is_html, meaning, media_type, set_cookies};
use crate::way::patience::within;
use crate::way::request::{plain_request, stream_request, upgrade_request};
use crate::{
    Carrier, Cause, ChannelUrl, Config, Detail, DialAsk, DialParams, DialRefusal, Owner, Route, Stage, Timing,
};

/// Makes the stream under a link: TCP with TLS in real life, memory in tests.
pub(crate) trait Connect: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// A stream to the URL's host, encrypted if it says so.
    fn connect(
        &self,
        config: &Config,
        stage: &watch::Sender<Stage>,
    ) -> impl Future<Output = Result<Connected<Self::Stream>, Cause>> + Send;

    /// Whether dropping the stream resets the connection rather than ends it.
    fn reset_on_drop(_stream: &Self::Stream, _reset: bool) {}

    /// A link is up at this address.
    fn serves(&self, _address: SocketAddr) {}

    /// The network is another one.
    fn moved(&self) {}

    /// Whether the host has an address that hasn't failed.
    fn has_another(&self) -> bool {
        false
    }
}

/// A connected stream.
#[derive(Debug)]
pub(crate) struct Connected<S> {
    pub(crate) stream: S,
    /// Its ends, where it has some (W3).
    pub(crate) route: Option<Route>,
    /// Whether the host has another address that may be better.
    pub(crate) others: bool,
}

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

/// Dials once. Dropping the future gives up at once and leaves nothing behind.
pub(crate) async fn dial<C: Connect, O: Owner>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<O>>,
    ask: DialAsk,
    mark: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    // Another address of a proxy leads to the same server.
    let is_direct = config.proxy.is_none();
    let dialled = dial_address(config, &*connector, owner, ask, mark, stage).await;
    dialled.map_err(|failure| DialFailure { elsewhere: is_direct && connector.has_another(), ..failure })
}

/// Dials one address of the host.
async fn dial_address<C: Connect, O: Owner>(
    config: Arc<Config>,
    connector: &C,
    owner: Arc<Mutex<O>>,
    ask: DialAsk,
    mark: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let mut params = owner.lock().await.dial_params(ask).await?;
    let origin = origin(&config, ask);
    let format = match ask.carrier {
        Carrier::WebSocket | Carrier::Mqtt => None,
        Carrier::EventStream => Some(Format::Events),
        Carrier::Lines => Some(Format::Lines),
    };
    if let Some(format) = format {
        params.last = mark.or(params.last);
        return listen(&config, connector, owner, params, origin.as_deref(), format, &stage).await;
    }
    let request = upgrade_request(&config.url, &params, config.dialect.subprotocol(), origin.as_deref())?;
    let signs_in_by_page = config.session.is_some() || params.has_cookie();
    let given = params.given();
    let Connected { stream, route, others } = connector.connect(&config, &stage).await?;
    stage.send_replace(Stage::Upgrade);
    // R3: a server that has read the request may never find out that we hung up, but many do where it was a reset.
    C::reset_on_drop(&stream, true);
    let mut tap = Tap::new(stream);
    let Timing { upgrade: brief, upgrade_patience: patience, .. } = config.timing;
    let limit = if others { brief } else { patience };
    let answered = upgrade(request, &mut tap, limit, &config, signs_in_by_page).await;
    if !matches!(answered, Err(DialFailure { cause: Cause::TimedOut { .. }, .. })) {
        C::reset_on_drop(tap.stream(), false);
    }
    let set_cookies = match answered {
        Ok(set_cookies) => set_cookies,
        Err(failure) => {
            drop(tap);
            return Err(reason(&config, connector, params, failure, &stage).await);
        }
    };
    if !set_cookies.is_empty() {
        owner.lock().await.set_cookies(set_cookies).await;
    }
    if let Some(Route { to, .. }) = route {
        connector.serves(to);
    }
    let socket = WebSocketStream::from_raw_socket(tap, Role::Client, Some(websocket_config())).await;
    Ok(Dialled { link: Box::new(WebSocket::new(socket)), route, given })
}

/// Asks for a stream, and reads what the answer means.
async fn listen<C: Connect, O: Owner>(
    config: &Config,
    connector: &C,
    owner: Arc<Mutex<O>>,
    params: DialParams,
    origin: Option<&str>,
    format: Format,
    stage: &watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let request = stream_request(&config.url, &params, origin, format == Format::Events)?;
    let signs_in_by_page = config.session.is_some() || params.has_cookie();
    let given = params.given();
    let Connected { stream, route, others } = connector.connect(config, stage).await?;
    stage.send_replace(Stage::Answer);
    let Timing { upgrade: brief, upgrade_patience: patience, .. } = config.timing;
    let limit = if others { brief } else { patience };
    let Answer { head, mut body, work } = within(limit, Stage::Answer, ask_for(stream, request)).await??;
    let is_events = media_type(&head.headers).is_some_and(|kind| kind == "text/event-stream");
    match head.status.as_u16() {
        200 if is_events || format == Format::Lines && !is_html(&head.headers) => {}
        204 => return Err(Cause::NoMore.into()),
        status => {
            let page = match is_html(&head.headers) {
                true => Some(body_start(&mut body, work, MOST_PAGE, config.timing.page).await),
                false => None,
            };
            let failure = refused(status, &head.headers, page.as_deref(), &config.url, signs_in_by_page);
            let Cause::Status { status } = failure.cause else { return Err(failure) };
            // A dial's words speak of the upgrade.
            let cause = match status {
                200 => Cause::NoGoodAnswer { detail: Detail::NoStream },
                _ => Cause::Answered { status },
            };
            return Err(DialFailure { cause, ..failure });
        }
    }
    let set_cookies = set_cookies(&head.headers);
    if !set_cookies.is_empty() {
        owner.lock().await.set_cookies(set_cookies).await;
    }
    if let Some(Route { to, .. }) = route {
        connector.serves(to);
    }
    Ok(Dialled { link: Box::new(Stream::new(work, body, format)), route, given })
}

/// The origin of the page in whose place we are: of a session's site always; of the channel's own from the first 403 on, which
/// servers say that were made for browsers alone (D5).
fn origin(config: &Config, ask: DialAsk) -> Option<String> {
    match &config.session {
        Some(site) => Some(site.origin.clone()),
        None => ask.with_origin.then(|| config.url.origin()),
    }
}

/// A refusal by its reason. Where the status says none, the server may say it elsewhere, as the dialect knows.
async fn reason<C: Connect>(
    config: &Config,
    connector: &C,
    params: DialParams,
    failure: DialFailure,
    stage: &watch::Sender<Stage>,
) -> DialFailure {
    let Cause::Status { status } = failure.cause else { return failure };
    let path = params.path.as_deref().unwrap_or(config.url.as_url().path());
    let Some(url) = config.dialect.reason_path(path, status).map(|path| config.url.at(&path)) else {
        return failure;
    };
    let params = DialParams { path: None, query: Vec::new(), ..params };
    let Ok(request) = plain_request(&url, &params, Method::GET, &[], String::new()) else { return failure };
    let asking = async {
        let stream = connector.connect(config, stage).await?.stream;
        exchange(stream, request, MOST_REASON).await
    };
    match within(config.timing.upgrade_patience, Stage::Upgrade, asking).await {
        Ok(Ok((status, headers, _))) if matches!(status.as_u16(), 401 | 403 | 429) => {
            DialFailure { cause: meaning(status.as_u16(), &headers, None, &url, false), ..failure }
        }
        _ => failure,
    }
}

/// Longest body beside a reason, bytes. ntfy's has 120. Too low: a reason is not taken; too high: a hostile server's is read.
const MOST_REASON: usize = 4 * 1024;

/// Asks for the upgrade, and reads what the answer means.
async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    request: Request<()>,
    tap: &mut Tap<S>,
    limit: Duration,
    config: &Config,
    signs_in_by_page: bool,
) -> Result<Vec<String>, DialFailure> {
    let timing = &config.timing;
    let asking = client_async_with_config(request, &mut *tap, Some(websocket_config()));
    let answered = within(limit, Stage::Upgrade, asking).await?.map(|(_, response)| response);
    match answered {
        Ok(response) => Ok(set_cookies(response.headers())),
        Err(Error::Http(response)) => {
            let page = if is_html(response.headers()) {
                Some(page_start(tap, &response, timing.page).await)
            } else {
                None
            };
            let (status, headers) = (response.status().as_u16(), response.headers());
            Err(refused(status, headers, page.as_deref(), &config.url, signs_in_by_page))
        }
        Err(Error::Io(error)) => Err(broken_off(&error).into()),
        Err(error) => Err(unreadable(&error)),
    }
}

/// The start of a page that came instead of the upgrade, in lower case.
async fn page_start(stream: &mut (impl AsyncRead + Unpin), response: &Response, wait: Duration) -> String {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let most = length.unwrap_or(MOST_PAGE).min(MOST_PAGE);
    let mut page = Vec::new();
    let reading =
        async { while page.len() < most && stream.read_buf(&mut page).await.is_ok_and(|read| read > 0) {} };
    // What has come by then has to do.
    let _ = tokio::time::timeout(wait, reading).await;
    String::from_utf8_lossy(&page).to_ascii_lowercase()
}

/// How much of a page is looked at, bytes. Sign-in forms stand near the top.
const MOST_PAGE: usize = 16 * 1024;

/// The answer was neither a good 101 nor another status.
fn unreadable(error: &Error) -> DialFailure {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    if let Error::Protocol(ProtocolError::HandshakeIncomplete) = error {
        return Cause::Lost { detail: Detail::HungUp }.into();
    }
    Cause::NotAWebSocket { detail: Detail::of_answer(error) }.into()
}

/// What an answer other than 101 means.
fn refused(
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
        let mut response = Response::new(None);
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
