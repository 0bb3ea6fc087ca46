//! The routes: the upgrade, the push, and what this is.

mod push;
mod serve;

use std::sync::{Arc, PoisonError, atomic::Ordering::Relaxed};

use axum::{
    Json, Router,
    extract::{
        ConnectInfo, Query, State, WebSocketUpgrade, rejection::QueryRejection,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    access::{Denied, Guest},
    event::{EventKind, Request},
    link::{
        Link,
        v1::{self, SUBPROTOCOL},
    },
    metrics::Now,
    shared::{Refusal, Shared},
    tail::From,
    wire::{Peer, Wire},
};

pub(crate) use self::{
    push::{object_draft, text_draft},
    serve::serve,
};

/// The longest message taken from a client, which has nothing to say but `HeartBeat`.
const CLIENT_LIMIT: usize = 64 << 10;
/// Per link. Too low: what a client says takes many reads; too high: it is most of a link's memory (the library's default is
/// 128 KiB; an idle link takes 6 KiB with this, 13 with 8).
const READ_BUFFER: usize = 1 << 10;
/// In a 101: what is spoken beside the plain recipe.
const ANNOUNCES: &str = "tidings-protocol";
/// When to come back to a server that stops or is in trouble, in seconds. Too low: it still is; too high: the next one waits for its
/// clients.
const TROUBLE_RETRY: &str = "10";
/// When to come back to a server that is full, in seconds. Too low: it is busy saying no; too high: places stay empty.
const NO_PLACE_RETRY: &str = "30";
const TAKEN_AWAY: Denied = Denied::Unknown("this token is not known");

pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/ws/user-channel", get(upgrade))
        .route("/push", post(push::many))
        .route("/push/{user}", post(push::one))
        .route("/users/{user}", get(push::user))
        .route("/version", get(version))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .with_state(shared)
}

/// What is to be had where the metrics are.
pub(crate) fn operating(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(nothing_but_numbers)
        .method_not_allowed_fallback(other_method)
        .with_state(shared)
}

async fn nothing() -> (StatusCode, &'static str) {
    let mend = "nothing is here: a channel is at /ws/user-channel, a user at /push/NAME and /users/NAME, with a name's / as %2F\n";
    (StatusCode::NOT_FOUND, mend)
}

async fn nothing_but_numbers() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing is here: /metrics, /healthz and /readyz are\n")
}

async fn other_method() -> (StatusCode, &'static str) {
    (StatusCode::METHOD_NOT_ALLOWED, "this place takes what its `Allow` header says\n")
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let links = *shared.users.running.borrow() as u64;
    let now = Now { links, kept: shared.log.kept().await.ok(), ready: shared.ready().await.is_ok() };
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shared.events.metrics.text(&now)).into_response()
}

/// The process lives.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Links and pushes are taken.
async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    match shared.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// So that a client that was given the host alone finds the channel.
async fn version() -> Json<Value> {
    Json(json!({ "name": "tidings-server", "version": env!("CARGO_PKG_VERSION") }))
}

#[derive(Deserialize)]
struct Asked {
    user: Option<String>,
    since: Option<String>,
    device: Option<String>,
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Peer(wire)): ConnectInfo<Peer>,
    uri: Uri,
    headers: HeaderMap,
    query: Result<Query<Asked>, QueryRejection>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    shared.upgrades.fetch_add(1, Relaxed);
    let id = shared.users.next_link();
    let user = match &query {
        Ok(Query(asked)) => shared.access.user(&headers, wire.peer(), asked.user.as_deref()),
        Err(_) => Err(Denied::Unknown("the query is not readable")),
    };
    if let Err(denied) = &user {
        tracing::info!(peer = %wire.peer(), "an upgrade was refused: {}", denied.words());
    }
    let name = user.as_ref().map_or_else(|_| String::new(), |guest| guest.user.clone());
    shared.events.record(id, &name, EventKind::Requested(request(&uri, &headers)));

    let refusal = shared.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let refused = match (refusal, upgrade, user, query) {
        (Some(refusal), ..) => answer(refusal),
        (None, Err(rejection), ..) => no_upgrade(&rejection),
        (None, _, Err(denied), _) => denied.into_response(),
        (None, _, _, Err(_)) => (StatusCode::BAD_REQUEST, "the query is not readable\n").into_response(),
        (None, Ok(upgrade), Ok(guest), Ok(Query(asked))) => {
            let upgrade = upgrade.protocols([SUBPROTOCOL]);
            let speaks_v1 = upgrade.selected_protocol().is_some();
            match link(&shared, id, guest, asked, speaks_v1, &wire).await {
                Ok(link) => {
                    wire.upgrade();
                    let mut response = upgrade
                        .read_buffer_size(READ_BUFFER)
                        .max_message_size(CLIENT_LIMIT)
                        .max_frame_size(CLIENT_LIMIT)
                        .on_upgrade(move |socket| link.run(socket));
                    if shared.announce_v1 {
                        response.headers_mut().insert(ANNOUNCES, HeaderValue::from_static(SUBPROTOCOL));
                    }
                    return response;
                }
                Err(refused) => refused,
            }
        }
    };
    let status = refused.status().as_u16();
    shared.events.record(id, &name, EventKind::Refused { status });
    refused
}

/// The answer to what is no upgrade to a WebSocket of the one version there is (RFC 6455, sections 4.2.1 and 4.4).
fn no_upgrade(rejection: &WebSocketUpgradeRejection) -> Response {
    if matches!(rejection, WebSocketUpgradeRejection::WebSocketKeyHeaderMissing(_)) {
        return (StatusCode::BAD_REQUEST, "the upgrade lacks its Sec-WebSocket-Key\n").into_response();
    }
    let wanted = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
    ];
    let mend = "this is a channel, which wants an upgrade to a WebSocket of version 13: a GET with Connection and Upgrade, \
                which a proxy in between has to hand on\n";
    (StatusCode::UPGRADE_REQUIRED, wanted, mend).into_response()
}

/// A link that is entered in the tables, or why there is none.
async fn link(
    shared: &Arc<Shared>,
    id: u64,
    guest: Guest,
    asked: Asked,
    speaks_v1: bool,
    wire: &Arc<Wire>,
) -> Result<Link, Response> {
    let unavailable = |again: &'static str, why: &'static str| {
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, again)], why).into_response()
    };
    let Asked { since, device, .. } = asked;
    // A link by the plain recipe is of a device without a name.
    let device = device.filter(|_| speaks_v1);
    if device.as_deref().is_some_and(|device| !v1::is_device(device)) {
        let mend = "a device is 1 to 64 letters, digits, - and _\n";
        return Err((StatusCode::BAD_REQUEST, mend).into_response());
    }
    if shared.has_no_place(&guest.user, device.as_deref()) {
        return Err(unavailable(NO_PLACE_RETRY, "all places for links are taken\n"));
    }
    if !shared.log.is_connected() {
        return Err(unavailable(TROUBLE_RETRY, "messages can't be had at the moment\n"));
    }
    let (from, v1) = if speaks_v1 {
        let begun = v1::begin(&shared.log, &guest.user, device.clone().unwrap_or_default(), since).await;
        let (from, v1) =
            begun.map_err(|_| unavailable(TROUBLE_RETRY, "messages can't be read at the moment\n"))?;
        (from, Some(v1))
    } else {
        (since.map_or(From::Now, From::Since), None)
    };
    let by = guest.by;
    let opening = {
        let (shared, wire) = (Arc::clone(shared), Arc::clone(wire));
        move || {
            let opened = shared.users.open(id, &guest.user, device.as_deref(), from, guest.by)?;
            if let Some(device) = shared.users.claims(device.as_deref()) {
                shared.log.opened(&guest.user, device, id);
            }
            Some(Link::new(shared, opened, wire, guest.until, v1))
        }
    };
    match shared.complete(opening).await {
        // What it was let in by was taken away meanwhile, and nobody has told the link.
        Some(_) if !shared.access.stands(by) => Err(TAKEN_AWAY.into_response()),
        Some(link) => Ok(link),
        None => Err(unavailable(TROUBLE_RETRY, "the server is stopping\n")),
    }
}

fn request(uri: &Uri, headers: &HeaderMap) -> Request {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Request {
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    }
}

fn answer(Refusal { status, headers, body }: Refusal) -> Response {
    let response = Response::builder().status(status);
    let response = headers.into_iter().fold(response, |all, (name, value)| all.header(name, value));
    match response.body(body.into()) {
        Ok(response) => response,
        Err(error) => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("not an HTTP answer: {error}\n")).into_response()
        }
    }
}

impl Denied {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Unknown(_) => StatusCode::UNAUTHORIZED,
            Self::ForeignPage => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Unknown(mend) => mend,
            Self::ForeignPage => "without tokens, pages of other sites are refused",
            Self::TooMany(_) => "more is pushed than --push-rate allows",
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, body) = (self.status(), format!("{}\n", self.words()));
        match self {
            Self::Unknown(_) => (status, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response(),
            Self::ForeignPage => (status, body).into_response(),
            Self::TooMany(wait) => {
                // Whole seconds, and none too few.
                let after = [(header::RETRY_AFTER, wait.as_secs().saturating_add(1).to_string())];
                (status, after, body).into_response()
            }
        }
    }
}
