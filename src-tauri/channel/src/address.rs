//! Where a channel connects.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Where a channel connects: a `ws` or `wss` URL without user name and fragment, encrypted or loopback
/// unless plaintext was allowed (D6). `Display` and `Debug` hide the values of the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelUrl(Url);

/// Why a text is no channel URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelUrlError {
    /// Not a URL at all.
    #[error("not a URL: write one such as wss://example.org/ws/user-channel")]
    Syntax(#[from] url::ParseError),
    /// Another scheme.
    #[error("the scheme {0:?} can't carry a channel: use wss:// (or ws:// on this machine)")]
    Scheme(String),
    /// No host.
    #[error("the URL names no host: write one such as wss://example.org/ws/user-channel")]
    NoHost,
    /// Port 0 can't be connected to.
    #[error("port 0 can't be connected to: name the server's port, or leave it out")]
    Port,
    /// A user name or password in it.
    #[error("the URL holds a user name or password: take it out, and set `auth = \"basic\"` and `username`")]
    Userinfo,
    /// A `#…` in it.
    #[error("the URL has a fragment (`#…`), which no server sees: take it out")]
    Fragment,
    /// Plaintext to another machine.
    #[error(
        "{host} would be reached without encryption: use wss://, or set `allow_plaintext = true` for this channel"
    )]
    Plaintext {
        /// The host.
        host: String,
    },
}

impl ChannelUrl {
    /// Reads a URL. `http` and `https` are taken for `ws` and `wss`.
    ///
    /// # Errors
    /// Says what is wrong with the text and how to mend it.
    pub fn parse(text: &str, allow_plaintext: bool) -> Result<Self, ChannelUrlError> {
        let mut url = Url::parse(text.trim())?;
        let scheme = match url.scheme() {
            "ws" | "http" => "ws",
            "wss" | "https" => "wss",
            other => return Err(ChannelUrlError::Scheme(other.to_owned())),
        };
        // Between special schemes this can't fail.
        if url.set_scheme(scheme).is_err() {
            return Err(ChannelUrlError::Scheme(url.scheme().to_owned()));
        }
        let Some(host) = url.host() else { return Err(ChannelUrlError::NoHost) };
        if url.port() == Some(0) {
            return Err(ChannelUrlError::Port);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ChannelUrlError::Userinfo);
        }
        if url.fragment().is_some() {
            return Err(ChannelUrlError::Fragment);
        }
        if scheme == "ws" && !allow_plaintext && !is_loopback(&host) {
            return Err(ChannelUrlError::Plaintext { host: host.to_string() });
        }
        Ok(Self(url))
    }

    /// The URL with its query's values, which may be secret: for the dial, not for showing.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The same as a web page's: `http` or `https`. With its query's values, too.
    #[must_use]
    pub fn web(&self) -> Url {
        let mut web = self.0.clone();
        // Between special schemes this can't fail.
        let _ = web.set_scheme(if self.is_tls() { "https" } else { "http" });
        web
    }

    /// The same server at this path, which may have a query.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.0.clone();
        url.set_path(path);
        url.set_query(query);
        Self(url)
    }

    /// The host as written, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether the host is this machine, by its name or address.
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(|host| is_loopback(&host))
    }

    /// The origin of its site's pages, as a browser sends it.
    pub fn origin(&self) -> String {
        self.web().origin().ascii_serialization()
    }

    /// Whether the link is encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "wss"
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        // Not `*.localhost`: some resolvers ask the network for those.
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|a| a.is_loopback())
        }
    }
}

/// As [`ChannelUrl::parse`] without plaintext to other machines.
impl FromStr for ChannelUrl {
    type Err = ChannelUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text, false)
    }
}

impl fmt::Display for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if self.0.path().contains(';') {
            let hidden = |segment: &str| match segment.split_once(';') {
                Some((name, _)) => format!("{name};***"),
                None => segment.to_owned(),
            };
            shown.set_path(&self.0.path().split('/').map(hidden).collect::<Vec<_>>().join("/"));
        }
        if self.0.query().is_some() {
            // A part without `=` may itself be a token: it is hidden whole.
            let hidden: Vec<String> = self
                .0
                .query()
                .unwrap_or_default()
                .split('&')
                .map(|pair| pair.split_once('=').map_or("***".to_owned(), |(name, _)| format!("{name}=***")))
                .collect();
            shown.set_query(Some(&hidden.join("&")));
        }
        shown.fmt(f)
    }
}

impl fmt::Debug for ChannelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_becomes_a_channel_url() {
        let url = ChannelUrl::parse(" https://shop.example/ws/user-channel ", false).expect("a good URL");
        assert_eq!(url.to_string(), "wss://shop.example/ws/user-channel");
        assert!(url.is_tls());
        assert_eq!(url.host(), "shop.example");
    }

    #[test]
    fn plaintext_stays_on_this_machine_unless_allowed() {
        for local in ["ws://localhost/x", "ws://127.0.0.9:80/x", "ws://[::1]/x", "ws://127.1/"] {
            assert!(ChannelUrl::parse(local, false).is_ok(), "{local}");
        }
        for remote in [
            "ws://shop.example/",
            "http://10.0.0.1/",
            "ws://localhost.example/",
            "ws://a.localhost/",
            "ws://[::2]/",
        ] {
            let refused = ChannelUrl::parse(remote, false).expect_err(remote);
            assert!(refused.to_string().contains("allow_plaintext"), "{refused}");
            assert!(ChannelUrl::parse(remote, true).is_ok(), "{remote}");
        }
    }

    #[test]
    fn what_is_no_channel_url_is_refused_with_a_mend() {
        for text in
            ["", "shop.example", "ftp://a/", "wss://", "wss://u:secret@a/", "wss://a/#x", "wss://a:0/"]
        {
            let refused = ChannelUrl::parse(text, true).expect_err(text).to_string();
            assert!(refused.contains(':'), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_shown_url_tells_no_query_value() {
        let url = ChannelUrl::parse("wss://a.example/ws?token=s3cret&s3cret2&x=", false).expect("a good URL");
        for shown in [url.to_string(), format!("{url:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("token=***"), "{shown}");
        }
        let url = ChannelUrl::parse("wss://a.example/ws;jsessionid=s3cret/x", false).expect("a good URL");
        assert_eq!(url.to_string(), "wss://a.example/ws;***/x");
        assert!(url.as_url().as_str().contains("s3cret"));
    }
}
