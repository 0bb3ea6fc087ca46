//! Pushes, to one user and to many, and what is known of a user to those who push.

use std::{
    collections::BTreeSet,
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures_util::{StreamExt as _, future::join_all};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, json, value::RawValue};
use tokio::time::timeout;

use crate::{
    access::{Denied, rate::Pusher},
    log::{Draft, Form, NotKept},
    shared::{Pushed, Shared},
    wire::Peer,
};

/// How much of a body that is too long is read all the same, and forgotten. Too low: who sends it hears a broken connection
/// instead of the answer, since that comes before the end of the request; too high: traffic for nothing.
const FORGOTTEN: usize = 64 << 20;
/// How many users one push may be for. Too low: many requests; too high: one request holds up the others.
const MOST_USERS: usize = 1000;
/// How many bytes their names may take in the body: each at its longest, escaped.
const USERS_BYTES: usize = MOST_USERS * 256;
/// The longest id of a sender's own, bytes: longer ones no client takes.
const LONGEST_ID: usize = 512;
/// When a push is to be tried again that can't be kept now, in seconds. Too low: all come at once when it's over; too
/// high: messages wait.
const RETRY_AFTER: &str = "2";

/// Why a message for one user, or the whole push, goes to nobody.
enum Refused {
    Denied(Denied),
    NotKept(NotKept),
    NoUser,
    TooLong(usize),
    TooSlow,
    Stopping(&'static str),
    /// In words, with what was wrong.
    Bad(String),
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Denied(denied) => denied.status(),
            Self::NotKept(NotKept::Full) => StatusCode::INSUFFICIENT_STORAGE,
            Self::NotKept(NotKept::Unavailable) | Self::Stopping(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoUser => StatusCode::NOT_FOUND,
            Self::TooLong(_) | Self::NotKept(NotKept::TooLong(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => f.write_str(denied.words()),
            Self::NotKept(why) => why.fmt(f),
            Self::NoUser => f.write_str("no such user"),
            Self::TooLong(most) => write!(f, "the message is longer than {most} bytes (--max-message)"),
            Self::TooSlow => f.write_str("the message took too long to come"),
            Self::Stopping(why) => f.write_str(why),
            Self::Bad(why) => f.write_str(why),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, body) = (self.status(), format!("{self}\n"));
        match self {
            Self::Denied(denied) => denied.into_response(),
            Self::NotKept(NotKept::Unavailable) | Self::Stopping(_) => {
                (status, [(header::RETRY_AFTER, RETRY_AFTER)], body).into_response()
            }
            Self::NotKept(NotKept::Full | NotKept::TooLong(_))
            | Self::NoUser
            | Self::TooLong(_)
            | Self::TooSlow
            | Self::Bad(_) => (status, body).into_response(),
        }
    }
}

/// `POST /push/USER`
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Peer(wire)): ConnectInfo<Peer>,
    Path(user): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let pushed = async {
        let pusher = pusher(&shared, &headers, wire.peer()).map_err(Refused::Denied)?;
        let body = read(&shared, &pusher, body, shared.max_message).await?;
        let draft = draft(&body, is_json(&headers))?;
        shared.access.count(&pusher, 1).map_err(Refused::Denied)?;
        keep(&shared, &user, draft).await
    };
    match pushed.await {
        Ok(pushed) => Json(pushed).into_response(),
        Err(refused) => {
            note(&shared, &refused);
            refused.into_response()
        }
    }
}

/// `POST /push`: a JSON object whose `users` are those that get it; they get it without `users`. The answer tells of each
/// what became of it: 200 if all was kept, 207 if some of it was, else what the first of them is told.
pub(super) async fn many(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Peer(wire)): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let to = async {
        let pusher = pusher(&shared, &headers, wire.peer()).map_err(Refused::Denied)?;
        let body = read(&shared, &pusher, body, shared.max_message.saturating_add(USERS_BYTES)).await?;
        let (users, text) = divide(&body)?;
        if text.len() > shared.max_message {
            return Err(Refused::TooLong(shared.max_message));
        }
        let draft = draft(text.as_bytes(), true)?;
        shared.access.count(&pusher, users.len()).map_err(Refused::Denied)?;
        Ok((users, draft))
    };
    let (users, draft) = match to.await {
        Ok(to) => to,
        Err(refused) => {
            note(&shared, &refused);
            return refused.into_response();
        }
    };
    let each = users.iter().map(async |user| (user, keep(&shared, user, draft.clone()).await));
    let (mut answer, mut kept, mut first) = (Map::new(), 0, None);
    for (user, pushed) in join_all(each).await {
        let told = match pushed {
            Ok(pushed) => {
                kept += 1;
                json!(pushed)
            }
            Err(refused) => {
                note(&shared, &refused);
                first.get_or_insert(refused.status());
                json!({ "status": refused.status().as_u16(), "error": refused.to_string() })
            }
        };
        answer.insert(user.clone(), told);
    }
    let status = match first {
        None => StatusCode::OK,
        Some(_) if kept > 0 => StatusCode::MULTI_STATUS,
        Some(status) => status,
    };
    (status, Json(json!({ "users": answer }))).into_response()
}

/// What is known of a user.
#[derive(Serialize)]
struct Seen {
    user: String,
    /// The number of live links.
    links: usize,
    /// Since when the oldest of them is there.
    connected_since: Option<String>,
    /// Messages that are kept and have not gone out to the link that lacks most; without one, that no device has acknowledged.
    pending: usize,
}

/// `GET /users/USER`
pub(super) async fn user(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(Peer(wire)): ConnectInfo<Peer>,
    Path(user): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(denied) = pusher(&shared, &headers, wire.peer()) {
        return denied.into_response();
    }
    if !shared.access.knows(&user) {
        return Refused::NoUser.into_response();
    }
    let links = shared.users.live(&user);
    let since = shared.users.since(&user).map(|since| humantime::format_rfc3339_seconds(since).to_string());
    match shared.pending(&user).await {
        Ok(pending) => Json(Seen { user, links, connected_since: since, pending }).into_response(),
        Err(error) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], format!("{error}\n"))
                .into_response()
        }
    }
}

/// Who asks. A refusal is told in the log, since whoever pushes may tell nobody.
fn pusher(shared: &Shared, headers: &HeaderMap, peer: IpAddr) -> Result<Pusher, Denied> {
    shared.access.push(headers, peer).inspect_err(|denied| {
        tracing::info!(%peer, "a push was refused: {}", denied.words());
    })
}

/// The body, if there is room for it and it comes in time.
async fn read(shared: &Shared, pusher: &Pusher, body: Body, most: usize) -> Result<Bytes, Refused> {
    // Who has pushed too much isn't even listened to.
    shared.access.count(pusher, 0).map_err(Refused::Denied)?;
    // Where nothing can be kept, that may be over in a moment.
    shared.goes_on().map_err(Refused::Stopping)?;
    match timeout(shared.body_timeout, collect(body, most)).await {
        Ok(Some(body)) => body,
        Ok(None) => Err(Refused::TooLong(shared.max_message)),
        Err(_) => Err(Refused::TooSlow),
    }
}

/// `None`: it is too long.
async fn collect(body: Body, most: usize) -> Option<Result<Bytes, Refused>> {
    let (mut stream, mut length, mut kept) = (body.into_data_stream(), 0_usize, BytesMut::new());
    while let Some(piece) = stream.next().await {
        // Whoever sent it has gone, or doesn't speak HTTP: there is nobody to tell.
        let Ok(piece) = piece else { return Some(Err(Refused::Bad("the body broke off".to_owned()))) };
        length = length.saturating_add(piece.len());
        if length > most.saturating_add(FORGOTTEN) {
            break;
        }
        if length > most {
            kept = BytesMut::new();
        } else {
            kept.extend_from_slice(&piece);
        }
    }
    (length <= most).then(|| Ok(kept.freeze()))
}

fn draft(body: &[u8], is_json: bool) -> Result<Draft, Refused> {
    let text = str::from_utf8(body).map_err(|_| Refused::Bad("the body is not UTF-8".to_owned()))?;
    match is_json {
        false => Ok(text_draft(text.to_owned())),
        true => object_draft(text).map_err(|error| no_object(&error)),
    }
}

async fn keep(shared: &Shared, user: &str, draft: Draft) -> Result<Pushed, Refused> {
    if !shared.access.knows(user) {
        return Err(Refused::NoUser);
    }
    let (start, bytes) = (Instant::now(), draft.payload.len());
    let pushed = shared.push(user, draft).await.map_err(Refused::NotKept)?;
    shared.events.metrics.push(StatusCode::OK.as_u16(), bytes, start.elapsed());
    Ok(pushed)
}

fn note(shared: &Shared, refused: &Refused) {
    shared.events.metrics.push(refused.status().as_u16(), 0, Duration::ZERO);
}

/// What `curl -d` sends by itself, a form, is taken as text too.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// An object's members in their order, each as it was written.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Where a body stops being what it has to be.
fn no_object(error: &serde_json::Error) -> Refused {
    let what = if error.is_eof() { "ends too early" } else { "is not a JSON object" };
    // Of a whole value of another kind each place is as wrong.
    let place = match error.is_data() {
        true => String::new(),
        false => format!(": line {}, column {}", error.line(), error.column()),
    };
    Refused::Bad(format!("the body {what}{place}"))
}

/// Whom a push is for, each once, and the object that they get.
fn divide(body: &[u8]) -> Result<(BTreeSet<String>, String), Refused> {
    let bad = |why: String| Refused::Bad(why);
    let Members(members) = serde_json::from_slice(body).map_err(|error| no_object(&error))?;
    let (users, rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name == "users");
    let [(_, users)] = &users[..] else {
        return Err(bad("name whom it is for, once: {\"users\": [\"ann\", \"bob\"], …}".to_owned()));
    };
    let users: Vec<String> =
        serde_json::from_str(users.get()).map_err(|_| bad("`users` is no list of names".to_owned()))?;
    if users.is_empty() || users.len() > MOST_USERS {
        return Err(bad(format!("`users` has to name 1 to {MOST_USERS} users")));
    }
    Ok((users.into_iter().collect(), object_of(&rest)))
}

/// A text that goes out as it is.
pub(crate) fn text_draft(text: String) -> Draft {
    Draft { own_id: None, form: Form::Text, payload: text.into() }
}

/// A JSON object. One without an `id` gets one, as its first member; what else it holds goes out as it was written,
/// order and numbers included. An `id` that no client could use is none: were it taken for one, two messages that say the same
/// might be taken for one.
pub(crate) fn object_draft(text: &str) -> Result<Draft, serde_json::Error> {
    let object: Map<String, Value> = serde_json::from_str(text)?;
    let own_id = match object.get("id") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let own_id = own_id.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    let form = if own_id.is_some() { Form::Text } else { Form::Unnamed };
    let payload = match own_id.is_none() && object.contains_key("id") {
        true => {
            let Members(mut members) = serde_json::from_str(text)?;
            members.retain(|(name, _)| name != "id");
            object_of(&members).into()
        }
        false => Bytes::copy_from_slice(text.as_bytes()),
    };
    Ok(Draft { own_id, form, payload })
}

/// An object of these members, each as it was written.
fn object_of(members: &[(String, Box<RawValue>)]) -> String {
    let members = members.iter().map(|(name, value)| format!("{}:{}", json!(name), value.get()));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
