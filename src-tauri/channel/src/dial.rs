//! One dial: the owner's parameters, a connected stream, the upgrade. Each stage has its limit here; the
//! whole has its limit in the [`Machine`](crate::machine), which drops the dial where it is over.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{LOCATION, RETRY_AFTER};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use url::Url;

use crate::link::{Link, websocket_config, words};
use crate::request::upgrade_request;
use crate::tap::Tap;
use crate::{Cause, Config, DialAsk, DialRefusal, Owner, Stage};

/// Makes the stream under a link: TCP with TLS in real life, memory in tests.
pub(crate) trait Connect: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// A stream to the URL's host, encrypted if it says so.
    fn connect(
        &self,
        config: &Config,
        stage: &watch::Sender<Stage>,
    ) -> impl Future<Output = Result<Connected<Self::Stream>, Cause>> + Send;
}

/// A connected stream and the address of this machine that it goes out from, where it has one (W3).
#[derive(Debug)]
pub(crate) struct Connected<S> {
    pub(crate) stream: S,
    pub(crate) local: Option<SocketAddr>,
}

/// Why a dial failed.
#[derive(Debug)]
pub(crate) struct DialFailure {
    pub(crate) cause: Cause,
    pub(crate) retry_after: Option<Duration>,
}

impl From<Cause> for DialFailure {
    fn from(cause: Cause) -> Self {
        Self { cause, retry_after: None }
    }
}

impl From<DialRefusal> for DialFailure {
    fn from(refusal: DialRefusal) -> Self {
        Cause::Owner { detail: refusal.message }.into()
    }
}

/// Waits at most `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    stage: Stage,
    what: impl Future<Output = T>,
) -> Result<T, Cause> {
    tokio::time::timeout(limit, what).await.map_err(|_| Cause::TimedOut { stage })
}

/// Dials once. Dropping the future gives up at once and leaves nothing behind.
pub(crate) async fn dial<C: Connect, O: Owner>(
    config: Arc<Config>,
    connector: Arc<C>,
    owner: Arc<Mutex<O>>,
    ask: DialAsk,
    stage: watch::Sender<Stage>,
) -> Result<Connected<Box<Link<C::Stream>>>, DialFailure> {
    let params = owner.lock().await.dial_params(ask).await?;
    let request = upgrade_request(&config.url, &params)?;
    let Connected { stream, local } = connector.connect(&config, &stage).await?;
    stage.send_replace(Stage::Upgrade);
    let upgrade = client_async_with_config(request, Tap::new(stream), Some(websocket_config()));
    match within(config.timing.upgrade, Stage::Upgrade, upgrade).await? {
        Ok((socket, _)) => Ok(Connected { stream: Box::new(Link::new(socket)), local }),
        Err(Error::Http(response)) => Err(refused(&response, config.url.as_url())),
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Cause::NotAWebSocket { detail: words(&error) }.into())
        }
        Err(Error::Io(error)) => Err(Cause::Lost { detail: words(&error) }.into()),
        Err(error) => Err(unreadable(&error)),
    }
}

/// The answer was neither a good 101 nor another status.
fn unreadable(error: &Error) -> DialFailure {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    if let Error::Protocol(ProtocolError::HandshakeIncomplete) = error {
        return Cause::Lost { detail: "closed during the upgrade".to_owned() }.into();
    }
    Cause::NotAWebSocket { detail: error.to_string() }.into()
}

/// What an answer other than 101 means. No redirect is ever followed (D5).
fn refused(response: &Response, url: &Url) -> DialFailure {
    let status = response.status().as_u16();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let cause = match status {
        401 | 403 | 407 => Cause::SignInRefused { status },
        300..=399 => match header(LOCATION).and_then(|location| web_url(url).join(location).ok()) {
            Some(to) if to.host() == url.host() => Cause::SignInRefused { status },
            Some(_) if url.scheme() == "ws" => Cause::CaptivePortal,
            Some(_) | None => Cause::Status { status },
        },
        511 => Cause::CaptivePortal,
        _ => Cause::Status { status },
    };
    let retry_after = header(RETRY_AFTER).and_then(|value| retry_after(value, SystemTime::now()));
    DialFailure { cause, retry_after }
}

/// The URL as redirects speak of it.
fn web_url(url: &Url) -> Url {
    let mut web = url.clone();
    // Between special schemes this can't fail, and a ws base would do as well.
    let _ = web.set_scheme(if url.scheme() == "wss" { "https" } else { "http" });
    web
}

/// Seconds or an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value).ok().map(|at| at.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
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
            ("99999999999999999999999", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
    }

    fn answer(status: u16, location: &str, url: &str) -> Cause {
        let mut response = Response::new(None);
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        response.headers_mut().insert(LOCATION, http::HeaderValue::from_str(location).expect("plain"));
        refused(&response, &Url::parse(url).expect("a URL")).cause
    }

    #[test]
    fn a_redirect_is_a_sign_in_or_a_portal_or_just_wrong() {
        let url = "wss://shop.example/ws";
        assert_eq!(answer(302, "/login", url), Cause::SignInRefused { status: 302 });
        assert_eq!(answer(302, "https://shop.example/x", url), Cause::SignInRefused { status: 302 });
        assert_eq!(answer(302, "https://sso.example/x", url), Cause::Status { status: 302 });
        assert_eq!(answer(302, "http://portal.example/", "ws://shop.example/"), Cause::CaptivePortal);
        assert_eq!(answer(511, "/", url), Cause::CaptivePortal);
    }
}
