//! The provider is asked over the channel's own way: its proxy, its authorities, its bounds.

use std::fmt;
use std::pin::Pin;

use http::{Request, Response};
use oauth2::AsyncHttpClient;
use tidings_channel::{Cause, ChannelUrl, Config, Detail, DialParams, Fetch, fetch};
use url::Url;

use crate::Provider;

/// Longest answer that is read, bytes: tokens with many claims take some KiB, descriptions of providers about ten.
const MOST: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Unanswered(pub(crate) Cause);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unanswered {}

/// The way to a provider.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    config: Config,
    allow_plaintext: bool,
}

impl<'c> AsyncHttpClient<'c> for Way {
    type Error = Unanswered;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Unanswered>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

impl Way {
    /// The channel's own.
    pub(crate) fn of(config: &Config, provider: &Provider) -> Self {
        Self { config: config.clone(), allow_plaintext: provider.allow_plaintext }
    }

    /// Whether this address may be asked at all.
    pub(crate) fn may(&self, url: &Url) -> bool {
        self.address(url).is_some()
    }

    fn address(&self, url: &Url) -> Option<ChannelUrl> {
        let web = matches!(url.scheme(), "http" | "https");
        ChannelUrl::parse(url.as_str(), self.allow_plaintext).ok().filter(|_| web)
    }

    /// One request, one answer. That the provider is busy or broken counts as none: it passes.
    pub(crate) async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Unanswered> {
        let bad = || Unanswered(Cause::NoGoodAnswer { detail: Detail::BrokenAnswer });
        let (parts, body) = request.into_parts();
        let url =
            Url::parse(&parts.uri.to_string()).ok().and_then(|url| self.address(&url)).ok_or_else(bad)?;
        let headers = parts.headers.iter().filter_map(|(name, value)| {
            value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
        });
        let ask = Fetch {
            method: parts.method,
            headers: headers.collect(),
            body: String::from_utf8(body).map_err(|_| bad())?,
            most: MOST,
            ..Fetch::get(url.clone())
        };
        // What the channel's server is told is not meant for the provider, not even where the two are one.
        let config = Config {
            url,
            client_cert: self.config.client_cert.clone().filter(|_| self.is_own(&ask)),
            ..self.config.clone()
        };
        let answer = fetch(&config, &DialParams::default(), ask).await.map_err(Unanswered)?;
        if answer.status == 429 || answer.status >= 500 {
            return Err(Unanswered(answer.failure().unwrap_or(Cause::Busy { status: answer.status })));
        }
        let kind = answer.header("content-type").map(str::to_owned);
        let mut response = Response::builder().status(answer.status);
        if let Some(kind) = kind {
            response = response.header("content-type", kind);
        }
        response.body(answer.body).map_err(|_| bad())
    }

    fn is_own(&self, ask: &Fetch) -> bool {
        ask.url.as_url().origin() == self.config.url.as_url().origin()
    }
}
