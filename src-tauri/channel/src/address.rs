//! Where a channel connects.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// Where a channel connects: a `ws` or `wss` URL without user name and fragment, or an `mqtt` or `mqtts` one without a path, too,
/// encrypted or loopback unless plaintext was allowed (D6). `Display` and `Debug` hide the values of the query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelUrl {
    /// Of an MQTT address the same with `ws` or `wss`, and with its port.
    url: Url,
    is_mqtt: bool,
}

/// Why a text is no channel URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelUrlError {
    /// Not a URL at all.
    #[error("not a URL: write one such as wss://example.org/ws/user-channel")]
    Syntax(#[from] url::ParseError),
    /// An MQTT address with a path or a query.
    #[error("an address of an MQTT broker ends after its port: what is to be heard goes into `topics`")]
    MqttPath,
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
        "{host} would be reached without encryption: use {scheme}://, or set `allow_plaintext = true` for this channel"
    )]
    Plaintext {
        /// The host.
        host: String,
        /// The scheme that does the same with encryption.
        scheme: &'static str,
    },
}

impl ChannelUrl {
    /// Reads a URL. `http` and `https` are taken for `ws` and `wss`; `mqtt` and `mqtts` have the ports 1883 and 8883.
    ///
    /// # Errors
    /// Says what is wrong with the text and how to mend it.
    pub fn parse(text: &str, allow_plaintext: bool) -> Result<Self, ChannelUrlError> {
        let mut url = Url::parse(text.trim())?;
        let (scheme, encrypted, mqtt_port) = match url.scheme() {
            "ws" => ("ws", "wss", None),
            "http" => ("ws", "https", None),
            "wss" | "https" => ("wss", "wss", None),
            "mqtt" => ("ws", "mqtts", Some(url.port().unwrap_or(1883))),
            "mqtts" => ("wss", "mqtts", Some(url.port().unwrap_or(8883))),
            other => return Err(ChannelUrlError::Scheme(other.to_owned())),
        };
        if let Some(port) = mqtt_port {
            if !matches!(url.path(), "" | "/") || url.query().is_some() {
                return Err(ChannelUrlError::MqttPath);
            }
            // Only of a scheme that it knows does the library read the host.
            let (_, rest) = url.as_str().split_once(':').unwrap_or_default();
            url = Url::parse(&format!("{scheme}:{rest}"))?;
            if port != 0 && url.set_port(Some(port)).is_err() {
                return Err(ChannelUrlError::NoHost);
            }
        }
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
            return Err(ChannelUrlError::Plaintext { host: host.to_string(), scheme: encrypted });
        }
        Ok(Self { url, is_mqtt: mqtt_port.is_some() })
    }

    /// The URL with its query's values, which may be secret: for the dial, not for showing.
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The same as a web page's: `http` or `https`. With its query's values, too.
    #[must_use]
    pub fn web(&self) -> Url {
        let mut web = self.url.clone();
        // Between special schemes this can't fail.
        let _ = web.set_scheme(if self.is_tls() { "https" } else { "http" });
        web
    }

    /// The same server at this path, which may have a query.
    #[must_use]
    pub fn at(&self, path: &str) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        Self { url, is_mqtt: false }
    }

    /// The host as written, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether the host is this machine, by its name or address.
    pub fn is_loopback(&self) -> bool {
        self.url.host().is_some_and(|host| is_loopback(&host))
    }

    /// The origin of its site's pages, as a browser sends it.
    pub fn origin(&self) -> String {
        self.web().origin().ascii_serialization()
    }

    /// Whether it is an MQTT broker's, by its scheme: what goes there is no HTTP.
    pub fn is_mqtt(&self) -> bool {
        self.is_mqtt
    }

    /// Whether the link is encrypted.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "wss"
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
        if self.is_mqtt {
            let scheme = if self.is_tls() { "mqtts" } else { "mqtt" };
            let port = self.url.port_or_known_default().unwrap_or_default();
            return write!(f, "{scheme}://{}:{port}", self.host());
        }
        let mut shown = self.url.clone();
        if self.url.path().contains(';') {
            let hidden = |segment: &str| match segment.split_once(';') {
                Some((name, _)) => format!("{name};***"),
                None => segment.to_owned(),
            };
            shown.set_path(&self.url.path().split('/').map(hidden).collect::<Vec<_>>().join("/"));
        }
        if self.url.query().is_some() {
            // A part without `=` may itself be a token: it is hidden whole.
            let hidden: Vec<String> = self
                .url
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
    fn a_brokers_address_has_its_own_ports_and_nothing_behind_them() {
        for (text, shown) in [
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("mqtts://Broker.example/", "mqtts://broker.example:8883"),
            ("mqtt://127.1:80", "mqtt://127.0.0.1:80"),
            ("mqtts://broker.example:443", "mqtts://broker.example:443"),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884"),
        ] {
            let url = ChannelUrl::parse(text, false).expect(text);
            assert_eq!(url.to_string(), shown);
            assert!(url.is_mqtt());
            assert_eq!(url.is_tls(), text.starts_with("mqtts"));
        }
        for text in
            ["mqtts://broker.example/home/#", "mqtts://broker.example/home", "mqtts://broker.example?x=1"]
        {
            assert!(ChannelUrl::parse(text, false).is_err(), "{text}");
        }
        let refused = ChannelUrl::parse("mqtt://broker.example", false).expect_err("plaintext");
        assert!(matches!(refused, ChannelUrlError::Plaintext { .. }));
        assert!(ChannelUrl::parse("mqtts://user:s3cret@broker.example", false).is_err());
        assert!(ChannelUrl::parse("mqtts://broker.example:0", false).is_err());
        assert!(!ChannelUrl::parse("wss://broker.example/mqtt", false).expect("a URL").is_mqtt());
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
