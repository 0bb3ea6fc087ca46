//! One HTTP request and its answer, over a channel's own way: the same names, addresses, proxy, certificates and secret as
//! a dial has. For what a server offers beside its WebSocket: messages that were missed, sending, what it is.

use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::sync::watch;

use crate::way::connect::Connect;
use crate::way::exchange::exchange;
use crate::way::meaning::{is_html, meaning, media_type, set_cookies};
use crate::way::patience::within;
use crate::way::request::plain_request;
use crate::way::tcp::Tcp;
use crate::{Cause, ChannelUrl, Config, Detail, DialParams, DialRefusal, Stage};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// Where. `ws` and `wss` stand for `http` and `https`.
    pub url: ChannelUrl,
    /// How.
    pub method: Method,
    /// Headers beside those of [`DialParams`].
    pub headers: Vec<(String, String)>,
    /// What is sent along; may be empty.
    pub body: String,
    /// For all of it, from the name lookup to the answer's last byte. Too low: slow networks get nothing; too high: who
    /// waits for it waits for long.
    pub patience: Duration,
    /// Longest body of an answer, bytes. Too low: what is asked for can't be had; too high: a hostile server takes memory.
    pub most: usize,
}

impl Fetch {
    /// How long a fetch may take unless somebody says otherwise. Below a dial's 30 s: people wait for most of them.
    pub const PATIENCE: Duration = Duration::from_secs(15);
    /// The longest body of an answer unless somebody says otherwise, bytes: as of a message (D2).
    pub const MOST: usize = 1024 * 1024;

    /// Asks for what is there.
    #[must_use]
    pub fn get(url: ChannelUrl) -> Self {
        let (method, headers, body) = (Method::GET, Vec::new(), String::new());
        Self { url, method, headers, body, patience: Self::PATIENCE, most: Self::MOST }
    }

    /// Sends JSON there.
    #[must_use]
    pub fn post_json(url: ChannelUrl, body: String) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: Method::POST, headers, body, ..Self::get(url) }
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The HTTP status; a redirect's is handed out like any other, for none is followed (D5).
    pub status: u16,
    headers: HeaderMap,
    /// What came along, whole; nothing of a stream of events.
    pub body: Vec<u8>,
    url: ChannelUrl,
}

impl Fetched {
    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it is a stream of events, of which nothing was read.
    #[must_use]
    pub fn is_events(&self) -> bool {
        media_type(&self.headers).is_some_and(|kind| kind == "text/event-stream")
    }

    /// Whether it is a web page, whatever was asked for.
    #[must_use]
    pub fn is_html(&self) -> bool {
        is_html(&self.headers)
    }

    /// Its `Set-Cookie` headers.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<String> {
        set_cookies(&self.headers)
    }

    /// Whether it is a sign-in page, or leads to one. `by_page`: whatever page or other path it leads to is one (S5).
    #[must_use]
    pub fn asks_to_sign_in(&self, by_page: bool) -> bool {
        let page = self.is_html().then(|| String::from_utf8_lossy(&self.body).to_ascii_lowercase());
        let meaning = meaning(self.status, &self.headers, page.as_deref(), &self.url, by_page);
        matches!(meaning, Cause::SignInRefused { status } if status != 403)
    }

    /// Why this isn't what was asked for, by the status alone; `None` for 2xx. A redirect is told by where it leads to, a
    /// sign-in as such.
    #[must_use]
    pub fn failure(&self) -> Option<Cause> {
        let status = self.status;
        if (200..=299).contains(&status) {
            return None;
        }
        let meaning = meaning(status, &self.headers, None, &self.url, false);
        // A dial's words speak of the upgrade.
        if let Cause::Status { .. } = meaning {
            return Some(Cause::NoGoodAnswer { detail: Detail::Status(status) });
        }
        Some(meaning)
    }
}

/// Asks for something over the channel's way. Nothing is kept, followed or cached: one connection, one request, one answer,
/// whatever its status. What `params` and the client certificate tell goes to the channel's own origin alone: a fetch
/// from elsewhere goes without them.
///
/// # Errors
/// Why there is no answer, as a dial would tell it. A [`Cause::NoGoodAnswer`] where one came that can't be read, or is longer
/// than [`Fetch::most`].
pub async fn fetch(config: &Config, params: &DialParams, ask: Fetch) -> Result<Fetched, Cause> {
    let Fetch { url, method, headers, body, patience, most } = ask;
    let own = url.as_url().origin() == config.url.as_url().origin();
    let nothing = DialParams::default();
    let request = plain_request(&url, if own { params } else { &nothing }, method, &headers, body);
    let request = request.map_err(|DialRefusal { message: detail, .. }| Cause::Owner { detail })?;
    let client_cert = config.client_cert.clone().filter(|_| own);
    let config = Config { url, client_cert, ..config.clone() };
    let (stage, at) = watch::channel(Stage::Lookup);
    let fetching = async {
        let stream = Tcp::default().connect(&config, &stage).await?.stream;
        stage.send_replace(Stage::Answer);
        exchange(stream, request, most).await
    };
    let ended = within(patience, Stage::Answer, fetching).await;
    let (status, headers, body) = ended.map_err(|_| Cause::TimedOut { stage: *at.borrow() })??;
    Ok(Fetched { status: status.as_u16(), headers, body, url: config.url })
}
