//! The upgrade to a WebSocket, and what its answer means where it is none.

use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request};
use tidings_dialect::Offered;
use tidings_dialect::v1::SUBPROTOCOL;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::link::tap::Tap;
use crate::link::websocket::{WebSocket, websocket_config};
use crate::way::connect::{Connect, Connected};
use crate::way::dialled::{DialFailure, MOST_PAGE, refused};
use crate::way::exchange::exchange;
use crate::way::meaning::{broken_off, is_html, meaning, set_cookies};
use crate::way::patience::within;
use crate::way::request::plain_request;
use crate::{Cause, Config, Detail, DialParams, Owner, Route, Stage, Timing};

/// What is to be known of a link that opened.
pub(super) async fn hand_over<C: Connect>(
    owner: &Mutex<impl Owner>,
    connector: &C,
    route: Option<Route>,
    set_cookies: Vec<String>,
) {
    if !set_cookies.is_empty() {
        owner.lock().await.set_cookies(set_cookies).await;
    }
    if let Some(Route { to, .. }) = route {
        connector.serves(to);
    }
}

/// What a 101 said.
pub(super) struct Answer {
    /// The cookies that were set.
    pub(super) cookies: Vec<String>,
    /// What it said of `tidings.v1`.
    pub(super) v1: Offered,
}

/// In a 101: what the server speaks beside the plain recipe, to whoever asks for it.
const ANNOUNCES: &str = "tidings-protocol";

impl Answer {
    fn of(headers: &HeaderMap) -> Self {
        let says = |name: &str| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|word| word.trim() == SUBPROTOCOL)
        };
        // The library takes nothing that wasn't offered.
        let v1 = match (says("sec-websocket-protocol"), says(ANNOUNCES)) {
            (true, _) => Offered::Taken,
            (false, true) => Offered::Announced,
            (false, false) => Offered::Unheard,
        };
        Self { cookies: set_cookies(headers), v1 }
    }
}

/// Asks for an upgrade: the socket, its route, and what was said. `other_ways`: there is something else to try.
pub(super) async fn open<C: Connect>(
    config: &Config,
    connector: &C,
    params: DialParams,
    request: Request<()>,
    other_ways: bool,
    stage: &watch::Sender<Stage>,
) -> Result<(WebSocket<C::Stream>, Option<Route>, Answer), DialFailure> {
    let signs_in_by_page = config.session.is_some() || params.has_cookie();
    let Connected { stream, route, others } = connector.connect(config, stage).await?;
    stage.send_replace(Stage::Upgrade);
    // R3: a server that has read the request may never find out that we hung up, but many do where it was a reset.
    C::reset_on_drop(&stream, true);
    let mut tap = Tap::new(stream);
    let Timing { upgrade: brief, upgrade_patience: patience, .. } = config.timing;
    let limit = if others || other_ways { brief } else { patience };
    let answered = upgrade(request, &mut tap, limit, config, signs_in_by_page).await;
    if !matches!(answered, Err(DialFailure { cause: Cause::TimedOut { .. }, .. })) {
        C::reset_on_drop(tap.stream(), false);
    }
    match answered {
        Ok(answer) => {
            if answer.v1 == Offered::Taken {
                tap.expect_envelopes();
            }
            let socket = WebSocketStream::from_raw_socket(tap, Role::Client, Some(websocket_config())).await;
            Ok((WebSocket::new(socket), route, answer))
        }
        Err(failure) => {
            drop(tap);
            Err(reason(config, connector, params, failure, stage).await)
        }
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
        Ok(Ok((status, headers, body))) if matches!(status.as_u16(), 401 | 403 | 429) => {
            let meaning = || meaning(status.as_u16(), &headers, None, &url, false);
            let limit = config.dialect.limit(&body);
            DialFailure { cause: limit.map_or_else(meaning, |code| Cause::Limit { code }), ..failure }
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
) -> Result<Answer, DialFailure> {
    let timing = &config.timing;
    let asking = client_async_with_config(request, &mut *tap, Some(websocket_config()));
    let answered = within(limit, Stage::Upgrade, asking).await?.map(|(_, response)| response);
    match answered {
        Ok(response) => Ok(Answer::of(response.headers())),
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

/// The answer was neither a good 101 nor another status.
fn unreadable(error: &Error) -> DialFailure {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    if let Error::Protocol(ProtocolError::HandshakeIncomplete) = error {
        return Cause::Lost { detail: Detail::HungUp }.into();
    }
    Cause::NotAWebSocket { detail: Detail::of_answer(error) }.into()
}
