//! A session of SockJS: what stands at its address, and the requests that are made of it. A session is one link's: another link has
//! another one.

use std::sync::Arc;

use http::header::CONNECTION;
use http::{Method, Request};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::link::sockjs::posts::{Ask, Asking, Posts, Refused};
use crate::way::connect::{Connect, Connected};
use crate::way::dialled::{DialFailure, MOST_PAGE, refused};
use crate::way::exchange::{Answer, Wire};
use crate::way::jar::Jar;
use crate::way::meaning::{is_html, set_cookies};
use crate::way::patience::within;
use crate::way::request::{add_origin, plain_request, upgrade_request};
use crate::{Carrier, Cause, Config, Detail, DialParams, DialRefusal, Route, Stage};

/// Longest answer to what stands at an address, bytes; it has about 100. Too low: a server that says more isn't understood; too high: a
/// hostile one's is read.
const MOST_INFO: usize = 16 * 1024;

/// What a body has to be said to be, whatever it is, so that a page may send it to another site.
const KIND: (&str, &str) = ("content-type", "text/plain;charset=UTF-8");

/// See the module.
pub(crate) struct Session<C> {
    config: Arc<Config>,
    connector: Arc<C>,
    params: DialParams,
    origin: Option<String>,
    stage: watch::Sender<Stage>,
    /// Below which path everything is.
    prefix: String,
    /// The session's own folder there.
    folder: String,
    jar: Jar,
    streaming: bool,
}

/// What was said of an address, and over what.
pub(crate) struct Looked {
    pub(crate) set_cookies: Vec<String>,
    wire: Option<Wire>,
    route: Option<Route>,
    websocket: bool,
}

/// The path of a prefix, of which a person may have the address of the plain WebSocket below.
fn prefix(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.strip_suffix("/websocket").unwrap_or(path)
}

impl<C: Connect> Session<C> {
    pub(crate) fn new(
        config: Arc<Config>,
        connector: Arc<C>,
        params: DialParams,
        origin: Option<String>,
        carrier: Carrier,
        stage: watch::Sender<Stage>,
    ) -> Self {
        let mut rng = SmallRng::from_os_rng();
        let prefix = prefix(params.path.as_deref().unwrap_or(config.url.as_url().path())).to_owned();
        let folder = format!("{prefix}/{:03}/{:032x}", rng.random_range(0..1000), rng.random::<u128>());
        let jar = Jar::at(&folder);
        let streaming = carrier == Carrier::SockJsStreaming;
        Self { config, connector, params, origin, stage, prefix, folder, jar, streaming }
    }

    fn at(&self, path: String) -> DialParams {
        DialParams { path: Some(path), ..self.params.clone() }
    }

    /// A request below the prefix. `last`: nothing more is asked over its connection.
    fn request(
        &self,
        method: Method,
        params: &DialParams,
        (name, value): (&str, &str),
        body: String,
        last: bool,
    ) -> Result<Request<String>, DialRefusal> {
        let more = [(name.to_owned(), value.to_owned())];
        let mut request = plain_request(&self.config.url, params, method, &more, body)?;
        add_origin(request.headers_mut(), self.origin.as_deref())?;
        self.jar.add_to(request.headers_mut());
        if !last {
            request.headers_mut().remove(CONNECTION);
        }
        Ok(request)
    }

    /// Asks what stands at the address: never what stood there, for that may have been in another network.
    pub(crate) async fn look(&mut self) -> Result<Looked, DialFailure> {
        let mut params = self.at(format!("{}/info", self.prefix));
        params.query.push(("t".to_owned(), SmallRng::from_os_rng().random::<u32>().to_string()));
        let request =
            self.request(Method::GET, &params, ("cache-control", "no-cache"), String::new(), false)?;
        let Connected { stream, route, others } = self.connector.connect(&self.config, &self.stage).await?;
        self.stage.send_replace(Stage::Answer);
        let timing = &self.config.timing;
        let limit = if others { timing.upgrade } else { timing.upgrade_patience };
        let asking = async {
            let mut answer = Wire::over(stream).await?.ask(request).await?;
            let is_info = answer.head.status == 200 && !is_html(&answer.head.headers);
            let info = if is_info { answer.whole(MOST_INFO).await? } else { Vec::new() };
            Ok::<_, Cause>((answer, info))
        };
        let (answer, info) = within(limit, Stage::Answer, asking).await??;
        let set_cookies = set_cookies(&answer.head.headers);
        self.jar.take(&set_cookies);
        let Some(websocket) = offers_websocket(&info) else { return Err(self.absent(answer).await) };
        let wire = answer.wire.again().await;
        Ok(Looked { set_cookies, wire, route, websocket })
    }

    /// Why an answer is none of SockJS's.
    async fn absent(&self, answer: Answer) -> DialFailure {
        let (status, headers) = (answer.head.status.as_u16(), answer.head.headers.clone());
        let page = match is_html(&headers) {
            true => Some(answer.start(MOST_PAGE, self.config.timing.page).await),
            false => None,
        };
        let by_page = self.config.session.is_some() || self.params.has_cookie();
        let failure = refused(status, &headers, page.as_deref(), &self.config.url, by_page);
        let Config { carrier, fallbacks, .. } = &*self.config;
        let may_be_websocket =
            std::iter::once(carrier).chain(fallbacks).any(|way| *way == Carrier::WebSocket);
        let cause = if let Cause::Status { status } = failure.cause {
            // Somebody in front of the server says so, or the server itself.
            let is_away = matches!(status, 408 | 429 | 502..=504) || (status >= 500 && !may_be_websocket);
            if is_away { Cause::Answered { status } } else { Cause::NoSockJs { status } }
        } else if may_be_websocket && !matches!(failure.cause, Cause::CaptivePortal | Cause::Busy { .. }) {
            // It may be that all else is refused there. The WebSocket has its own words for it.
            Cause::NoSockJs { status }
        } else {
            failure.cause
        };
        DialFailure { cause, ..failure }
    }

    /// The request for the session's WebSocket, once it is known what stands there.
    pub(crate) fn upgrade(&self, looked: &Looked) -> Result<Request<()>, DialFailure> {
        if !looked.websocket {
            return Err(Cause::NotAWebSocket { detail: Detail::NotOffered }.into());
        }
        let params = self.at(format!("{}/websocket", self.folder));
        // SockJS knows no subprotocols.
        let mut request = upgrade_request(&self.config.url, &params, None, self.origin.as_deref())?;
        self.jar.add_to(request.headers_mut());
        Ok(request)
    }

    /// Begins the session over HTTP: the link, its route, and the cookies that were set.
    pub(crate) async fn hold(mut self) -> Result<(Posts, Option<Route>, Vec<String>), DialFailure> {
        let Looked { mut set_cookies, wire, route, .. } = self.look().await?;
        let (config, params) = (self.config.clone(), self.params.clone());
        self.stage.send_replace(Stage::Stream);
        let mut posts = Posts::new(Box::new(self), wire);
        match within(config.timing.stream_start, Stage::Stream, posts.begin()).await? {
            Ok(cookies) => {
                set_cookies.extend(cookies);
                Ok((posts, route, set_cookies))
            }
            Err(Refused::Failed(cause)) => Err(cause.into()),
            Err(Refused::Answered(answer)) => {
                let (status, headers) = (answer.head.status.as_u16(), answer.head.headers.clone());
                let page = match is_html(&headers) {
                    true => Some(answer.start(MOST_PAGE, config.timing.page).await),
                    false => None,
                };
                let by_page = config.session.is_some() || params.has_cookie();
                let failure = refused(status, &headers, page.as_deref(), &config.url, by_page);
                // A dial's words speak of the upgrade.
                let Cause::Status { status } = failure.cause else { return Err(failure) };
                Err(DialFailure { cause: Cause::Answered { status }, ..failure })
            }
        }
    }
}

/// Whether a WebSocket may be had, if these are the words of SockJS.
fn offers_websocket(info: &[u8]) -> Option<bool> {
    let Ok(Value::Object(info)) = serde_json::from_slice(info) else { return None };
    let is_info =
        ["websocket", "entropy", "origins", "cookie_needed"].iter().any(|key| info.contains_key(*key));
    is_info.then(|| info.get("websocket") != Some(&Value::Bool(false)))
}

impl<C: Connect> Ask for Session<C> {
    fn hear(&mut self, wire: Option<Wire>, at: Option<Instant>) -> Asking {
        let what = if self.streaming { "xhr_streaming" } else { "xhr" };
        let params = self.at(format!("{}/{what}", self.folder));
        let request = self.request(Method::POST, &params, KIND, String::new(), false);
        let (config, connector, stage) = (self.config.clone(), self.connector.clone(), self.stage.clone());
        Box::pin(async move {
            let request = request.map_err(|refusal| DialFailure::from(refusal).cause)?;
            if let Some(at) = at {
                sleep_until(at).await;
            }
            let wire = match wire {
                Some(wire) => wire.again().await,
                None => None,
            };
            let wire = match wire {
                Some(wire) => wire,
                None => Wire::over(connector.connect(&config, &stage).await?.stream).await?,
            };
            wire.ask(request).await
        })
    }

    fn say(&mut self, body: String) -> Asking {
        let params = self.at(format!("{}/xhr_send", self.folder));
        let request = self.request(Method::POST, &params, KIND, body, true);
        let (config, connector, stage) = (self.config.clone(), self.connector.clone(), self.stage.clone());
        Box::pin(async move {
            let request = request.map_err(|refusal| DialFailure::from(refusal).cause)?;
            Wire::over(connector.connect(&config, &stage).await?.stream).await?.ask(request).await
        })
    }

    fn answered(&mut self, answer: &Answer) {
        self.jar.take(&set_cookies(&answer.head.headers));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_a_prefix_is_known_by_what_it_says() {
        for (info, websocket) in [
            (r#"{"entropy":1,"origins":["*:*"],"cookie_needed":true,"websocket":true}"#, Some(true)),
            (r#"{"websocket":false,"base_url":"https://elsewhere.example"}"#, Some(false)),
            (r#"{"entropy":1}"#, Some(true)),
            (r#"{"name":"shop"}"#, None),
            ("[]", None),
            ("", None),
            ("<html>", None),
        ] {
            assert_eq!(offers_websocket(info.as_bytes()), websocket, "{info}");
        }
    }

    #[test]
    fn the_address_of_the_plain_websocket_means_the_prefix_above() {
        for path in ["/sockjs/user", "/sockjs/user/", "/sockjs/user/websocket", "/sockjs/user/websocket/"] {
            assert_eq!(prefix(path), "/sockjs/user", "{path}");
        }
        assert_eq!(prefix("/"), "");
    }
}
