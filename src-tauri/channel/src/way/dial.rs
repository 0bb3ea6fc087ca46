//! One dial: the owner's parameters, a connected stream, the upgrade. Each stage has its limit here; the
//! whole has its limit in the [`Machine`](crate::machine), which drops the dial where it is over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{Method, Request};
use tidings_dialect::Given;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::link::events::Format;
use crate::link::sockjs::framed::Framed;
use crate::link::stream::Stream;
use crate::link::tap::Tap;
use crate::link::websocket::{WebSocket, websocket_config};
use crate::machine::facts::End;
use crate::way::broker;
use crate::way::connect::{Connect, Connected};
use crate::way::dialled::{DialFailure, Dialled, MOST_PAGE, refused};
use crate::way::exchange::{Wire, exchange};
use crate::way::meaning::{broken_off, is_html, meaning, media_type, set_cookies};
use crate::way::patience::within;
use crate::way::request::{plain_request, stream_request, upgrade_request};
use crate::way::sockjs::Session;
use crate::{Carrier, Cause, Config, Detail, DialAsk, DialParams, Owner, Route, Stage, Timing};

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
    let dialled = dial_address(config, connector.clone(), owner, ask, mark, stage).await;
    dialled.map_err(|failure| DialFailure { elsewhere: is_direct && connector.has_another(), ..failure })
}

/// Dials one address of the host.
async fn dial_address<C: Connect, O: Owner>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<O>>,
    ask: DialAsk,
    mark: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let mut params = owner.lock().await.dial_params(ask).await?;
    let origin = origin(&config, ask);
    let given = params.given();
    // Each in a box of its own, or every dial would be as large as the largest.
    let dialled: Pin<Box<dyn Future<Output = _> + Send>> = match ask.carrier {
        Carrier::WebSocket => Box::pin(websocket(config, connector, owner, params, origin, stage)),
        Carrier::EventStream | Carrier::Lines => {
            let format = if ask.carrier == Carrier::Lines { Format::Lines } else { Format::Events };
            params.last = mark.or(params.last);
            Box::pin(listen(config, connector, owner, params, origin, format, stage))
        }
        Carrier::SockJs => Box::pin(framed(config, connector, owner, params, origin, stage)),
        Carrier::SockJsStreaming | Carrier::SockJsPolling => {
            let session = Session::new(config, connector.clone(), params, origin, ask.carrier, stage);
            Box::pin(held(session, connector, owner, given))
        }
        Carrier::Mqtt => Box::pin(broker::dial(config, connector, owner, params, stage)),
    };
    dialled.await
}

async fn websocket<C: Connect>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<impl Owner>>,
    params: DialParams,
    origin: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let given = params.given();
    let request = upgrade_request(&config.url, &params, config.dialect.subprotocol(), origin.as_deref())?;
    let (socket, route, cookies) = open(&config, &*connector, params, request, false, &stage).await?;
    hand_over(&owner, &*connector, route, cookies).await;
    Ok(Dialled { link: Box::new(socket), route, given })
}

/// SockJS in a WebSocket's frames.
async fn framed<C: Connect>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<impl Owner>>,
    params: DialParams,
    origin: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let given = params.given();
    let parts = (params.clone(), origin, Carrier::SockJs, stage.clone());
    let mut session = Session::new(config.clone(), connector.clone(), parts.0, parts.1, parts.2, parts.3);
    let looked = session.look().await?;
    let request = session.upgrade(&looked)?;
    let (socket, route, cookies) = open(&config, &*connector, params, request, true, &stage).await?;
    let mut link = Framed::new(socket, config.memory.clone());
    within(config.timing.stream_start, Stage::Upgrade, link.begin()).await?.map_err(unsaid)?;
    hand_over(&owner, &*connector, route, [looked.set_cookies, cookies].concat()).await;
    Ok(Dialled { link: Box::new(link), route, given })
}

/// SockJS in answers.
async fn held<C: Connect>(
    session: Session<C>,
    connector: Arc<C>,
    owner: Arc<Mutex<impl Owner>>,
    given: Given,
) -> Result<Dialled, DialFailure> {
    let (link, route, cookies) = session.hold().await?;
    hand_over(&owner, &*connector, route, cookies).await;
    Ok(Dialled { link: Box::new(link), route, given })
}

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

/// A session of SockJS that ended before the server had said that it began.
fn unsaid(end: End) -> Cause {
    match end {
        End::Closed(close) => Cause::Closed(close),
        End::Told(cause) => cause,
        End::Lost { .. } => Cause::Lost { detail: Detail::HungUp },
        End::Violation { detail, .. } => Cause::NotAWebSocket { detail },
    }
}

/// Asks for an upgrade: the socket, its route, and the cookies that were set. `others`: there is something else to try.
pub(super) async fn open<C: Connect>(
    config: &Config,
    connector: &C,
    params: DialParams,
    request: Request<()>,
    other_ways: bool,
    stage: &watch::Sender<Stage>,
) -> Result<(WebSocket<C::Stream>, Option<Route>, Vec<String>), DialFailure> {
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
        Ok(set_cookies) => {
            let socket = WebSocketStream::from_raw_socket(tap, Role::Client, Some(websocket_config())).await;
            Ok((WebSocket::new(socket), route, set_cookies))
        }
        Err(failure) => {
            drop(tap);
            Err(reason(config, connector, params, failure, stage).await)
        }
    }
}

/// Asks for a stream, and reads what the answer means.
async fn listen<C: Connect>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<impl Owner>>,
    params: DialParams,
    origin: Option<String>,
    format: Format,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let request = stream_request(&config.url, &params, origin.as_deref(), format == Format::Events)?;
    let signs_in_by_page = config.session.is_some() || params.has_cookie();
    let given = params.given();
    let Connected { stream, route, others } = connector.connect(&config, &stage).await?;
    stage.send_replace(Stage::Answer);
    let Timing { upgrade: brief, upgrade_patience: patience, .. } = config.timing;
    let limit = if others { brief } else { patience };
    let asking = async { Wire::over(stream).await?.ask(request).await };
    let answer = within(limit, Stage::Answer, asking).await??;
    let head = &answer.head;
    let is_events = media_type(&head.headers).is_some_and(|kind| kind == "text/event-stream");
    match head.status.as_u16() {
        200 if is_events || format == Format::Lines && !is_html(&head.headers) => {}
        204 => return Err(Cause::NoMore.into()),
        status => {
            let headers = head.headers.clone();
            let page = match is_html(&headers) {
                true => Some(answer.start(MOST_PAGE, config.timing.page).await),
                false => None,
            };
            let failure = refused(status, &headers, page.as_deref(), &config.url, signs_in_by_page);
            let Cause::Status { status } = failure.cause else { return Err(failure) };
            // A dial's words speak of the upgrade.
            let cause = match status {
                200 => Cause::NoGoodAnswer { detail: Detail::NoStream },
                _ => Cause::Answered { status },
            };
            return Err(DialFailure { cause, ..failure });
        }
    }
    hand_over(&owner, &*connector, route, set_cookies(&head.headers)).await;
    Ok(Dialled { link: Box::new(Stream::new(answer.wire.work, answer.body, format)), route, given })
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

/// The answer was neither a good 101 nor another status.
fn unreadable(error: &Error) -> DialFailure {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    if let Error::Protocol(ProtocolError::HandshakeIncomplete) = error {
        return Cause::Lost { detail: Detail::HungUp }.into();
    }
    Cause::NotAWebSocket { detail: Detail::of_answer(error) }.into()
}
