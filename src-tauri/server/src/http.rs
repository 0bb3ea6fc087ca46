//! The routes: the upgrade, the push, and what this is.

mod serve;

use std::sync::{Arc, PoisonError, atomic::Ordering::Relaxed};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        ConnectInfo, DefaultBodyLimit, Path, Query, State, WebSocketUpgrade, rejection::QueryRejection,
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    access::Denied,
    event::{EventKind, Request},
    link::Link,
    log::{Draft, Form, NotKept},
    shared::{Refusal, Shared},
    wire::Peer,
};

pub(crate) use self::serve::serve;

/// The longest body of a push. Clients refuse messages above 1 MiB.
const PUSH_LIMIT: usize = 1 << 20;
/// The longest message taken from a client, which has nothing to say but `HeartBeat`.
const CLIENT_LIMIT: usize = 64 << 10;
/// Per link; the library's default of 128 KiB would be most of a link's memory.
const READ_BUFFER: usize = 8 << 10;
/// When a push is to be tried again that can't be kept now, in seconds. Too low: all come at once when it's over; too
/// high: messages wait.
const RETRY_AFTER: &str = "2";

/// When to come back to a server that is full, in seconds. Too low: it is busy saying no; too high: places stay empty.
const NO_PLACE_RETRY: &str = "30";
const TAKEN_AWAY: Denied = Denied::Unknown("this token is not known");

pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/ws/user-channel", get(upgrade))
        .route("/push/{user}", post(push))
        .route("/version", get(version))
        .layer(DefaultBodyLimit::max(PUSH_LIMIT))
        .with_state(shared)
}

/// So that a client that was given the host alone finds the channel.
async fn version() -> Json<Value> {
    Json(json!({ "name": "tidings-server", "version": env!("CARGO_PKG_VERSION") }))
}

#[derive(Deserialize)]
struct Asked {
    user: Option<String>,
    since: Option<String>,
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
    let name = user.as_ref().map_or_else(|_| String::new(), |guest| guest.user.clone());
    shared.events.record(id, &name, EventKind::Requested(request(&uri, &headers)));

    let refusal = shared.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let refused = match (refusal, upgrade, user, query) {
        (Some(refusal), ..) => answer(refusal),
        (None, Err(rejection), ..) => rejection.into_response(),
        (None, _, Err(denied), _) => denied.into_response(),
        (None, _, _, Err(rejection)) => rejection.into_response(),
        (None, Ok(_), Ok(guest), Ok(_)) if shared.has_no_place(&guest.user) => {
            let again = [(header::RETRY_AFTER, NO_PLACE_RETRY)];
            (StatusCode::SERVICE_UNAVAILABLE, again, "all places for links are taken\n").into_response()
        }
        (None, Ok(upgrade), Ok(guest), Ok(Query(asked))) => {
            let by = guest.by;
            let opening = {
                let (shared, wire) = (Arc::clone(&shared), Arc::clone(&wire));
                move || {
                    let opened = shared.users.open(id, &guest.user, asked.since, guest.by)?;
                    Some(Link::new(shared, opened, wire, guest.until))
                }
            };
            match shared.complete(opening).await {
                // What it was let in by was taken away meanwhile, and nobody has told the link.
                Some(_) if !shared.access.stands(by) => TAKEN_AWAY.into_response(),
                Some(link) => {
                    wire.upgrade();
                    return upgrade
                        .read_buffer_size(READ_BUFFER)
                        .max_message_size(CLIENT_LIMIT)
                        .max_frame_size(CLIENT_LIMIT)
                        .on_upgrade(move |socket| link.run(socket));
                }
                None => (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n").into_response(),
            }
        }
    };
    let status = refused.status().as_u16();
    shared.events.record(id, &name, EventKind::Refused { status });
    refused
}

fn request(uri: &Uri, headers: &HeaderMap) -> Request {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
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

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown(mend) => {
                let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
                (StatusCode::UNAUTHORIZED, challenge, format!("{mend}\n")).into_response()
            }
            Self::ForeignPage => {
                (StatusCode::FORBIDDEN, "without tokens, pages of other sites are refused\n").into_response()
            }
            Self::TooMany(wait) => {
                // Whole seconds, and none too few.
                let after = [(header::RETRY_AFTER, wait.as_secs().saturating_add(1).to_string())];
                (StatusCode::TOO_MANY_REQUESTS, after, "more is pushed than --push-rate allows\n")
                    .into_response()
            }
        }
    }
}

async fn push(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Peer(wire)): ConnectInfo<Peer>,
    Path(user): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let pusher = shared.access.push(&headers, wire.peer());
    if let Err(denied) = pusher.and_then(|pusher| shared.access.count(pusher, 1)) {
        return denied.into_response();
    }
    if !shared.access.knows(&user) {
        return (StatusCode::NOT_FOUND, "no such user\n").into_response();
    }
    let Ok(text) = str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not UTF-8\n").into_response();
    };
    let draft = match is_json(&headers) {
        false => Ok(text_draft(text.to_owned())),
        true => object_draft(text),
    };
    match draft {
        Ok(draft) => match shared.push(&user, draft).await {
            Ok(pushed) => Json(pushed).into_response(),
            Err(not_kept) => not_kept.into_response(),
        },
        Err(error) => {
            (StatusCode::BAD_REQUEST, format!("the body is not a JSON object: {error}\n")).into_response()
        }
    }
}

impl IntoResponse for NotKept {
    fn into_response(self) -> Response {
        let body = format!("{self}\n");
        match self {
            Self::Full => (StatusCode::INSUFFICIENT_STORAGE, body).into_response(),
            Self::Unavailable => {
                let again = [(header::RETRY_AFTER, RETRY_AFTER)];
                (StatusCode::SERVICE_UNAVAILABLE, again, body).into_response()
            }
        }
    }
}

/// What `curl -d` sends by itself, a form, is taken as text too.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// A text that goes out as it is.
pub(crate) fn text_draft(text: String) -> Draft {
    Draft { own_id: None, form: Form::Text, payload: text.into() }
}

/// A JSON object. One without an `id` gets one, as its first member; what else it holds goes out as it was written,
/// order and numbers included.
pub(crate) fn object_draft(text: &str) -> Result<Draft, serde_json::Error> {
    let mut object: Map<String, Value> = serde_json::from_str(text)?;
    let own_id = object.remove("id").map(|id| match id {
        Value::String(id) => id,
        id @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            id.to_string()
        }
    });
    let form = if own_id.is_some() { Form::Text } else { Form::Unnamed };
    Ok(Draft { own_id, form, payload: Bytes::copy_from_slice(text.as_bytes()) })
}
