//! Proxies (D4): which one a channel goes through, and the tunnel through it. The tunnels' protocols are
//! `hyper-util`'s.

use std::fmt;
use std::future::{Ready, ready};
use std::str::FromStr;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use url::{Host, Url};

use crate::way::no_proxy;
use crate::way::patience::within;
use crate::{Cause, ChannelUrl, Detail, Stage, Timing};

/// The address of a proxy: `http://host:port` (CONNECT) or `socks5://host:port`, with `user:password@` where it
/// asks for a sign-in. A channel's host name is looked up by the proxy, never here, so `socks5h` means the
/// same as `socks5`. `Display` and `Debug` hide user and password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ProxyUrl(Url);

/// Why a text is no proxy's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// Not a URL at all.
    #[error("not a proxy's URL: write one such as socks5://127.0.0.1:1080")]
    Syntax(#[from] url::ParseError),
    /// Another kind of proxy.
    #[error("the proxy scheme {0:?} is not known: use http://, socks5:// or socks5h://")]
    Scheme(String),
    /// No host.
    #[error("the proxy's URL names no host: write one such as http://proxy.example:3128")]
    NoHost,
    /// User or password that can't be sent.
    #[error("the proxy's user name or password is too long: each has at most 255 bytes")]
    Userinfo,
}

/// Longest user name or password (RFC 1929).
const LONGEST_USERINFO: usize = 255;

impl ProxyUrl {
    /// Reads a proxy's address. What has no scheme is an `http` proxy.
    ///
    /// # Errors
    /// Says what is wrong with the text and how to mend it.
    pub fn parse(text: &str) -> Result<Self, ProxyUrlError> {
        let text = text.trim();
        let url =
            if text.contains("://") { Url::parse(text)? } else { Url::parse(&format!("http://{text}"))? };
        if !matches!(url.scheme(), "http" | "socks5" | "socks5h") {
            return Err(ProxyUrlError::Scheme(url.scheme().to_owned()));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(ProxyUrlError::NoHost);
        }
        let proxy = Self(url);
        let too_long = |text: &str| text.len() > LONGEST_USERINFO;
        match proxy.intercept() {
            Some(intercept)
                if intercept
                    .raw_auth()
                    .is_some_and(|(user, password)| too_long(user) || too_long(password)) =>
            {
                Err(ProxyUrlError::Userinfo)
            }
            Some(_) => Ok(proxy),
            None => Err(ProxyUrlError::NoHost),
        }
    }

    /// The proxy that the environment names for `url`: `HTTPS_PROXY` (for `wss`), else `ALL_PROXY`, unless
    /// `NO_PROXY` excepts the host; each also in lower case. This machine itself is reached directly.
    /// `variable` reads one, as `|name| std::env::var(name).ok()` does.
    ///
    /// # Errors
    /// A variable that names no usable proxy. Going without would be a surprise.
    pub fn from_env(
        url: &ChannelUrl,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyUrlError> {
        let Some(named) = named(url, &variable) else { return Ok(None) };
        let port = url.as_url().port_or_known_default().unwrap_or(443);
        let excepts =
            |list: String| url.as_url().host().is_some_and(|host| no_proxy::excepts(&list, &host, port));
        if url.is_loopback() || read("NO_PROXY", &variable).is_some_and(excepts) {
            return Ok(None);
        }
        Self::parse(&named).map(Some)
    }

    /// The same for a web view that begins beside `url` and may go anywhere from there: the proxy, and whom GLib's
    /// `GSimpleProxyResolver` has to reach without it.
    pub fn for_view(
        url: &ChannelUrl,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<(Self, Vec<String>)> {
        let proxy = Self::parse(&named(url, &variable)?).ok()?;
        let mut direct: Vec<String> = ["localhost", "127.0.0.0/8", "::1"].map(str::to_owned).into();
        direct.extend(no_proxy::for_glib(&read("NO_PROXY", &variable).unwrap_or_default())?);
        Some((proxy, direct))
    }

    pub(crate) fn host(&self) -> Host<&str> {
        // The host of a scheme that the URL standard doesn't know is read as a name, even if it is an address.
        match self.0.host() {
            Some(Host::Domain(name)) => match name.parse() {
                Ok(address) => Host::Ipv4(address),
                Err(_) => Host::Domain(name),
            },
            Some(host) => host,
            None => Host::Domain(""),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port().unwrap_or(if self.is_socks() { 1080 } else { 80 })
    }

    fn is_socks(&self) -> bool {
        self.0.scheme() != "http"
    }

    fn intercept(&self) -> Option<Intercept> {
        let matcher = Matcher::builder().all(self.0.as_str()).build();
        matcher.intercept(&http::Uri::from_static("https://any.invalid/"))
    }

    /// A tunnel to the host of `url` over `stream`, which leads to this proxy.
    pub(crate) async fn tunnel(
        &self,
        stream: TcpStream,
        url: &ChannelUrl,
        timing: &Timing,
    ) -> Result<TcpStream, Cause> {
        let failed = |detail| Cause::Proxy { detail };
        let intercept = self.intercept().ok_or_else(|| failed(Detail::ProxyAddress))?;
        let port = url.as_url().port_or_known_default().unwrap_or(443);
        let target = format!("https://{}:{port}/", url.host());
        let target: http::Uri = target.parse().map_err(|_| failed(Detail::ProxyHost))?;
        let (proxy, stream) = (intercept.uri().clone(), Connected(Some(stream)));
        let tunnel = async {
            if self.is_socks() {
                let mut socks = SocksV5::new(proxy, stream);
                if let Some((user, password)) = intercept.raw_auth() {
                    socks = socks.with_auth(user.to_owned(), password.to_owned());
                }
                return socks.call(target).await.map_err(|error| refused(&error.to_string()));
            }
            let mut tunnel = Tunnel::new(proxy, stream);
            if let Some(auth) = intercept.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            tunnel.call(target).await.map_err(|error| refused(&error.to_string()))
        };
        match within(timing.proxy, Stage::Tcp, tunnel).await {
            Ok(tunnelled) => tunnelled.map(TokioIo::into_inner),
            Err(_) => Err(failed(Detail::ProxySilent)),
        }
    }
}

/// What a failed handshake with a proxy means. The library's errors have no name outside of it, only words.
fn refused(words: &str) -> Cause {
    let words = words.strip_prefix("SOCKS error: ").or_else(|| words.strip_prefix("tunnel error: "));
    let detail = match words.unwrap_or_default() {
        // The same as HTTP's 407, which people know.
        "proxy authorization required"
        | "credentials not accepted"
        | "server does not support user/pass authentication"
        | "server implements authentication incorrectly" => return Cause::SignInRefused { status: 407 },
        "unsuccessful" => Detail::ProxyRefused,
        "connection not allowed" => Detail::ProxyForbids,
        "network unreachable" => Detail::NetworkUnreachable,
        "host unreachable" | "ttl expired" => Detail::HostUnreachable,
        "connection refused" => Detail::Refused,
        "unexpected end of file" | "io error establishing tunnel" | "io error during SOCKS handshake" => {
            Detail::ProxyHungUp
        }
        "proxy response headers too long" | "failed parsing server response" => Detail::ProxyBroken,
        "missing destination host"
        | "missing destination port"
        | "host address is more than 255 characters"
        | "could not resolve to acceptable address type"
        | "address type not supported" => Detail::ProxyHost,
        _ => Detail::ProxyFailed,
    };
    Cause::Proxy { detail }
}

/// Hands a stream that is already connected to the tunnels, which would connect it themselves.
struct Connected(Option<TcpStream>);

impl Service<http::Uri> for Connected {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| std::io::ErrorKind::NotConnected.into()))
    }
}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}:{}", self.0.scheme(), self.port())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

/// A variable of the environment, which may be in lower case.
fn read(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = [name.to_owned(), name.to_lowercase()];
    set.iter().filter_map(|name| variable(name)).find(|value| !value.trim().is_empty())
}

/// The proxy that the environment names.
fn named(url: &ChannelUrl, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let named = if url.is_tls() { read("HTTPS_PROXY", &variable) } else { None };
    named.or_else(|| read("ALL_PROXY", &variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_address_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://me:s3cret@proxy.example:9050/", "socks5h://proxy.example:9050"),
            ("http://me:s3cret@proxy.example", "http://proxy.example:80"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://[::1]:3128", "http://[::1]:3128"),
        ] {
            let proxy = ProxyUrl::parse(text).expect(text);
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), format!("ProxyUrl({shown})"));
        }
        assert_eq!(
            ProxyUrl::parse("socks5://127.0.0.1").expect("fine").host(),
            Host::<&str>::Ipv4([127, 0, 0, 1].into())
        );
    }

    #[test]
    fn what_is_no_proxy_is_refused_with_a_mend() {
        for text in
            ["", "https://proxy.example", "socks4://a", "ftp://a", "http://", "socks5://", "socks5:///x"]
        {
            let refused = ProxyUrl::parse(text).expect_err(text).to_string();
            assert!(refused.contains("://"), "{text}: {refused}");
        }
        let long = format!("socks5://{}@a", "s".repeat(256));
        let refused = ProxyUrl::parse(&long).expect_err("too long").to_string();
        assert!(!refused.contains("sss"), "{refused}");
    }

    /// The proxy for `url` in an environment.
    fn found(url: &str, environment: &[(&str, &str)]) -> Option<String> {
        let url = ChannelUrl::parse(url, true).expect("a good URL");
        let variable = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let proxy = ProxyUrl::from_env(&url, variable).expect("good proxies");
        proxy.map(|proxy| proxy.host().to_string())
    }

    #[test]
    fn the_environment_names_the_proxy_as_it_does_for_other_programs() {
        let both = [("HTTPS_PROXY", "http://one"), ("ALL_PROXY", "socks5://two")];
        for (url, environment, expected) in [
            ("wss://shop.example/", &both[..], Some("one")),
            ("ws://shop.example/", &both, Some("two")),
            ("wss://shop.example/", &[("all_proxy", "three")], Some("three")),
            ("wss://shop.example/", &[("https_proxy", "http://four"), ("HTTPS_PROXY", " ")], Some("four")),
            ("wss://shop.example/", &[("HTTP_PROXY", "http://five")], None),
            ("wss://shop.example/", &[], None),
            ("wss://localhost/", &both, None),
            ("wss://127.0.0.1/", &both, None),
            ("wss://[::1]/", &both, None),
        ] {
            assert_eq!(found(url, environment).as_deref(), expected, "{url} {environment:?}");
        }
    }

    #[test]
    fn no_proxy_excepts_in_either_case_and_the_upper_one_counts() {
        for (environment, direct) in [
            (&[("ALL_PROXY", "http://proxy"), ("no_proxy", "*")][..], true),
            (&[("HTTPS_PROXY", "http://proxy"), ("NO_PROXY", "10.1.2.3:443")], true),
            (&[("all_proxy", "http://proxy"), ("NO_PROXY", "other"), ("no_proxy", "*")], false),
            (&[("ALL_PROXY", "http://proxy"), ("NO_PROXY", " "), ("no_proxy", "*")], true),
            (&[("ALL_PROXY", "http://proxy"), ("NO_PROXY", "")], false),
        ] {
            assert_eq!(found("wss://10.1.2.3/", environment).is_none(), direct, "{environment:?}");
        }
    }

    #[test]
    fn a_broken_proxy_in_the_environment_is_told_and_not_ignored() {
        let url = ChannelUrl::parse("wss://shop.example/", false).expect("a good URL");
        let variable = |name: &str| (name == "ALL_PROXY").then(|| "gopher://x".to_owned());
        assert_eq!(ProxyUrl::from_env(&url, variable), Err(ProxyUrlError::Scheme("gopher".to_owned())));
    }

    #[test]
    fn a_view_goes_by_the_environment_wherever_it_goes_from_there() {
        let seen = |url: &str, set: &[(&str, &str)]| {
            let url = ChannelUrl::parse(url, true).expect("a good URL");
            let variable =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            ProxyUrl::for_view(&url, variable)
                .map(|(proxy, mut direct)| (proxy.to_string(), direct.split_off(3)))
        };
        let through = |direct: &[&str]| {
            let direct = direct.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>();
            Some(("http://proxy:80".to_owned(), direct))
        };
        let proxy = ("HTTPS_PROXY", "http://proxy");
        assert_eq!(seen("wss://a.example", &[proxy]), through(&[]));
        let no = ("NO_PROXY", "a.example:443");
        assert_eq!(
            seen("wss://a.example", &[proxy, no]),
            through(&["a.example:443"]),
            "its provider may be elsewhere"
        );
        let blank = [proxy, ("NO_PROXY", " "), ("no_proxy", "\t.c.example")];
        assert_eq!(seen("wss://a.example", &blank), through(&["c.example"]), "an empty one is none");
        assert_eq!(seen("wss://a.example", &[proxy, ("NO_PROXY", "*")]), None);
        assert_eq!(seen("ws://a.example", &[proxy]), None);
        assert_eq!(seen("wss://a.example", &[]), None);
    }
}
