//! Accepts connections and speaks HTTP over them, each in a task of its own until it is upgraded.
//!
//! What a stranger can hold is bounded: a request's head has a time and a size, an answer has a time to be read in, and
//! connections that are not upgraded have a number. Where there are as many, those that have waited longest for a request
//! make room: whoever opens and says nothing keeps nobody out.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    sync::watch,
    task::{AbortHandle, Id, JoinSet},
};
use tower_service::Service as _;

use crate::wire::{Door, Peer, Stream, Wire};

/// The longest head of a request. Too low: long cookies and tokens are refused; too high: memory for whoever asks.
const LONGEST_HEAD: usize = 16 << 10;
/// How long a connection may wait for its next request. Too low: proxies find theirs closed in the moment in which they
/// use them (nginx keeps them for 60 s); too high: sockets for nothing.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(75);
/// How many connections may be served that are not upgraded. Too low: a fleet that comes back waits; too high: memory,
/// about 20 KiB each, for whoever opens many and says nothing.
const MOST_REQUESTS: usize = 4096;
/// How many make room at once. Too low: all are looked through for each that comes; too high: slow ones that mean well
/// have to come again.
const MAKE_ROOM: usize = MOST_REQUESTS / 16;
/// What those are told, and the next to come where all are being answered.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 21\r\n\r\ntoo many connections\n";

/// Serves until `closed` ends, then until the requests under way are answered.
pub(crate) async fn serve(mut door: Door, app: Router, closed: impl Future<Output = ()>) -> io::Result<()> {
    let (closing, _) = watch::channel(false);
    let mut serving = Serving::default();
    let mut closed = pin!(closed);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut closed => break,
            true = serving.ended() => continue,
            stream = door.accept() => stream,
        };
        let wire = stream.wire();
        if serving.has_room() {
            serving.add(&wire, connection(stream, app.clone(), closing.subscribe()));
        } else {
            wire.turn_away(BUSY);
        }
    }
    drop(door);
    closing.send_replace(true);
    while serving.ended().await {}
    Ok(())
}

/// The connections that are not upgraded.
#[derive(Default)]
struct Serving {
    tasks: JoinSet<()>,
    wires: HashMap<Id, (Weak<Wire>, AbortHandle)>,
}

impl Serving {
    fn add(&mut self, wire: &Arc<Wire>, connection: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(connection);
        self.wires.insert(task.id(), (Arc::downgrade(wire), task));
    }

    /// Waits until one has ended; `false` if there is none.
    async fn ended(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next_with_id().await else { return false };
        self.wires.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
        true
    }

    /// Whether one more may be served, if need be in the place of those that wait.
    fn has_room(&mut self) -> bool {
        if self.wires.len() < MOST_REQUESTS {
            return true;
        }
        let mut waiting: Vec<_> = self
            .wires
            .iter()
            .filter_map(|(id, (wire, task))| {
                let wire = wire.upgrade()?;
                Some((wire.waits_since()?, *id, wire, task.clone()))
            })
            .collect();
        waiting.sort_unstable_by_key(|(since, ..)| *since);
        for (_, id, wire, task) in waiting.into_iter().take(MAKE_ROOM) {
            wire.turn_away(BUSY);
            task.abort();
            self.wires.remove(&id);
        }
        self.wires.len() < MOST_REQUESTS
    }
}

async fn connection(stream: Stream, app: Router, mut closing: watch::Receiver<bool>) {
    let wire = stream.wire();
    let service = service_fn(move |request: Request<Incoming>| {
        wire.answering(true);
        let (mut request, wire, mut app) = (request.map(Body::new), Arc::clone(&wire), app.clone());
        request.extensions_mut().insert(ConnectInfo(Peer(Arc::clone(&wire))));
        async move {
            let response = app.call(request).await;
            wire.answering(false);
            response.map_err(|never: Infallible| never)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(BETWEEN_REQUESTS)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        biased;
        result = connection.as_mut() => result,
        () = async { drop(closing.wait_for(|closing| *closing).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}
