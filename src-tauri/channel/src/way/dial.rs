//! One dial: the owner's parameters, a connected stream, the upgrade. Each stage has its limit here; the
//! whole has its limit in the [`Machine`](crate::machine), which drops the dial where it is over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tidings_dialect::{Dialect, Given, Offered};
use tokio::sync::{Mutex, watch};

use crate::link::events::Format;
use crate::link::sockjs::framed::Framed;
use crate::link::stream::Stream;
use crate::machine::facts::End;
use crate::way::broker;
use crate::way::connect::{Connect, Connected};
use crate::way::dialled::{DialFailure, Dialled, MOST_PAGE, refused};
use crate::way::exchange::Wire;
use crate::way::meaning::{is_html, media_type, set_cookies};
use crate::way::patience::within;
use crate::way::request::{stream_request, upgrade_request};
use crate::way::resumed::{LAST_EVENT_ID, Resumed};
use crate::way::sockjs::Session;
use crate::way::upgrade::{hand_over, open};
use crate::{Carrier, Cause, Config, Detail, DialAsk, DialParams, Owner, Stage, Subscribed, Timing};

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
        Carrier::WebSocket => {
            let offers = ask.offers_v1.then(|| config.memory.with(|known| known.offer.device()));
            Box::pin(websocket(config, connector, owner, params, origin, offers, stage))
        }
        Carrier::EventStream | Carrier::Lines => {
            let format = if ask.carrier == Carrier::Lines { Format::Lines } else { Format::Events };
            let asked = Asked { format, by_mark: mark.is_some() };
            params.last = mark.or(params.last);
            Box::pin(listen(config, connector, owner, params, origin, asked, stage))
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
    mut params: DialParams,
    origin: Option<String>,
    device: Option<String>,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let given = params.given();
    // What the settings ask for themselves goes before.
    let asks = params.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
    let device = device.filter(|_| !asks);
    let offers = device.is_some();
    params.query.extend(device.map(|device| ("device".to_owned(), device)));
    let subprotocol = if offers { Dialect::V1.subprotocol() } else { config.dialect.subprotocol() };
    let request = upgrade_request(&config.url, &params, subprotocol, origin.as_deref())?;
    let (socket, route, answer) = open(&config, &*connector, params, request, false, &stage).await?;
    hand_over(&owner, &*connector, route, answer.cookies).await;
    // A dialogue may have asked for it by its own name.
    let v1 = if answer.v1 == Offered::Taken && !offers { Offered::Unheard } else { answer.v1 };
    Ok(Dialled { link: Box::new(socket), route, given: Given { v1, ..given } })
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
    let (socket, route, answer) = open(&config, &*connector, params, request, true, &stage).await?;
    let mut link = Framed::new(socket, config.memory.clone());
    within(config.timing.stream_start, Stage::Upgrade, link.begin()).await?.map_err(unsaid)?;
    hand_over(&owner, &*connector, route, [looked.set_cookies, answer.cookies].concat()).await;
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

/// A session of SockJS that ended before the server had said that it began.
fn unsaid(end: End) -> Cause {
    match end {
        End::Closed(close) => Cause::Closed(close),
        End::Told(cause) => cause,
        End::Lost { .. } => Cause::Lost { detail: Detail::HungUp },
        End::Violation { detail, .. } => Cause::NotAWebSocket { detail },
    }
}

/// Asks for a stream, and reads what the answer means.
/// What a stream is asked for.
struct Asked {
    format: Format,
    /// From after an event of which no message is stored.
    by_mark: bool,
}

async fn listen<C: Connect>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<impl Owner>>,
    params: DialParams,
    origin: Option<String>,
    Asked { format, by_mark }: Asked,
    stage: watch::Sender<Stage>,
) -> Result<Dialled, DialFailure> {
    let request = stream_request(&config.url, &params, origin.as_deref(), format == Format::Events)?;
    let after = request.headers().get(LAST_EVENT_ID).cloned();
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
    let mut link = Stream::new(answer.wire.work, answer.body, format);
    match Resumed::of(after.as_ref(), &head.headers) {
        Some(Resumed::Elsewhere(id)) => {
            if !config.memory.with(|memory| std::mem::replace(&mut memory.forgetful, true)) {
                owner.lock().await.subscribed(Subscribed { lost: true, ..Subscribed::default() }).await;
            }
            link.begin_after(id);
        }
        // That it knows what it said itself proves nothing.
        Some(Resumed::There) if !by_mark => config.memory.with(|memory| memory.forgetful = false),
        Some(Resumed::There) | None => {}
    }
    hand_over(&owner, &*connector, route, set_cookies(&head.headers)).await;
    Ok(Dialled { link: Box::new(link), route, given })
}

/// The origin of the page in whose place we are: of a session's site always; of the channel's own from the first 403 on, which
/// servers say that were made for browsers alone (D5).
fn origin(config: &Config, ask: DialAsk) -> Option<String> {
    match &config.session {
        Some(site) => Some(site.origin.clone()),
        None => ask.with_origin.then(|| config.url.origin()),
    }
}
