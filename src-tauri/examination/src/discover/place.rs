//! An address as people paste it: of a web page, a server, a topic, a WebSocket, with or without a scheme.

use std::fmt;

use tidings_channel::{ChannelUrl, ChannelUrlError};
use tidings_settings::reason;
use tidings_words::Text;
use url::Url;

/// Where to look: a host that may be asked, and what the address says beside it. `Display` shows no query, which may hold a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The whole address as a channel has it, without a fragment.
    whole: ChannelUrl,
    scheme: Scheme,
}

/// Why a text is no place, and how to mend it.
#[must_use]
pub fn why(error: &ChannelUrlError) -> Text {
    match error {
        ChannelUrlError::Plaintext { host, .. } => Text::discover_plaintext(host),
        ChannelUrlError::Syntax(_)
        | ChannelUrlError::Scheme(_)
        | ChannelUrlError::NoHost
        | ChannelUrlError::Port
        | ChannelUrlError::Userinfo
        | ChannelUrlError::MqttPath
        | ChannelUrlError::Fragment => reason::of_address(error),
    }
}

/// What was pasted in front of `://`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// Nothing.
    None,
    /// `http` or `https`.
    Web,
    /// `ws` or `wss`.
    WebSocket,
    /// `ntfy`.
    Ntfy,
    /// `mqtt` or `mqtts`, or what else brokers' addresses begin with; or their ports alone.
    Mqtt,
}

/// By these ports brokers are known where no scheme is given, and what they speak there.
const BROKERS: [(u16, &str); 2] = [(1883, "mqtt"), (8883, "mqtts")];

impl Place {
    /// Reads what was pasted. Where no scheme is given it is `https`, on this machine `http`, and at a broker's port MQTT.
    ///
    /// # Errors
    /// Where it is no address of a host, or would be reached without encryption and that isn't allowed.
    pub fn read(text: &str, allow_plaintext: bool) -> Result<Self, ChannelUrlError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), text),
        };
        let (scheme, address) = match scheme.as_str() {
            "" => {
                let secure = Url::parse(&format!("https://{rest}"))?;
                let address = secure.as_str().to_owned();
                let ours = ChannelUrl::parse(&address, true).is_ok_and(|url| url.is_loopback());
                match BROKERS.iter().find(|(port, _)| secure.port() == Some(*port)) {
                    Some((_, scheme)) => (Scheme::Mqtt, address.replacen("https", scheme, 1)),
                    None if ours => (Scheme::None, address.replacen("https", "http", 1)),
                    None => (Scheme::None, address),
                }
            }
            "ntfy" => {
                let url = Url::parse(&format!("https://{rest}"))?;
                // Its apps' own way to say so; where nothing is said, as of an address without a scheme.
                let secure = url.query_pairs().find(|(name, _)| name == "secure");
                let open = match secure {
                    Some((_, value)) => value == "false",
                    None => ChannelUrl::parse(url.as_str(), true).is_ok_and(|url| url.is_loopback()),
                };
                let mut url = url;
                url.set_query(None);
                let address = url.as_str().to_owned();
                (Scheme::Ntfy, if open { address.replacen("https", "http", 1) } else { address })
            }
            "ws" | "wss" => (Scheme::WebSocket, text.to_owned()),
            // Paho's clients and those made of them say it so, too.
            "mqtt" | "tcp" => (Scheme::Mqtt, format!("mqtt://{rest}")),
            "mqtts" | "ssl" | "tls" => (Scheme::Mqtt, format!("mqtts://{rest}")),
            _ => (Scheme::Web, text.to_owned()),
        };
        let mut url = Url::parse(&address)?;
        // Of a page that was open in a browser, such as Gotify's `/#/`.
        url.set_fragment(None);
        Ok(Self { whole: ChannelUrl::parse(url.as_str(), allow_plaintext)?, scheme })
    }

    /// Whether the address itself says that it is an ntfy server's.
    pub(super) fn is_ntfy(&self) -> bool {
        self.scheme == Scheme::Ntfy
    }

    /// Whether it was given as a WebSocket's.
    pub(super) fn is_websocket(&self) -> bool {
        self.scheme == Scheme::WebSocket
    }

    /// Whether it is an MQTT broker's, which can't be asked over HTTP.
    pub(super) fn is_mqtt(&self) -> bool {
        self.scheme == Scheme::Mqtt
    }

    /// Whether it is the usual path of a broker's WebSocket (EMQX, HiveMQ, VerneMQ; mosquitto takes any).
    pub(super) fn is_mqtt_websocket(&self) -> bool {
        self.pieces().last() == Some(&"mqtt")
    }

    /// Whether it says by itself how it is to be reached.
    pub(super) fn says_how(&self) -> bool {
        self.scheme != Scheme::None
    }

    /// With the port, where one is named.
    pub(super) fn host(&self) -> &str {
        let url = self.whole.as_url();
        &url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// The host's root, as a channel has it.
    #[must_use]
    pub fn server(&self) -> ChannelUrl {
        self.at("/")
    }

    /// A path and query of the same host.
    pub(super) fn at(&self, target: &str) -> ChannelUrl {
        let mut url = self.whole.as_url().clone();
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        url.set_path(path);
        url.set_query(query);
        // Of the same host and scheme, which were allowed.
        ChannelUrl::parse(url.as_str(), true).unwrap_or_else(|_| self.whole.clone())
    }

    /// What was pasted, as a channel has it.
    pub(super) fn whole(&self) -> &ChannelUrl {
        &self.whole
    }

    /// `https://host/path`, or without the `s`.
    pub(super) fn web(&self, path: &str) -> String {
        let at = self.at(path);
        let url = at.as_url().as_str();
        let url = url.strip_suffix('/').unwrap_or(url);
        match url.strip_prefix("wss") {
            Some(rest) => format!("https{rest}"),
            None => url.replacen("ws", "http", 1),
        }
    }

    /// The path's pieces that aren't empty.
    pub(super) fn pieces(&self) -> Vec<&str> {
        self.whole.as_url().path().split('/').filter(|piece| !piece.is_empty()).collect()
    }

    /// The path as it stands.
    pub(super) fn path(&self) -> &str {
        self.whole.as_url().path()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::WebSocket => self.at(self.path()).fmt(f),
            Scheme::Mqtt => self.whole.fmt(f),
            Scheme::None | Scheme::Web | Scheme::Ntfy => f.write_str(&self.web(self.path())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Place::read(text, false).expect(text).to_string()
    }

    #[test]
    fn an_address_is_read_as_people_paste_it() {
        for (text, place) in [
            ("https://ntfy.sh/alerts", "https://ntfy.sh/alerts"),
            (" ntfy.sh/alerts ", "https://ntfy.sh/alerts"),
            ("ntfy://ntfy.sh/alerts?display=Mine", "https://ntfy.sh/alerts"),
            ("NTFY://localhost:8080/alerts?secure=false", "http://localhost:8080/alerts"),
            ("ntfy://127.0.0.1:8080/alerts", "http://127.0.0.1:8080/alerts"),
            ("ntfy://127.0.0.1:8080/alerts?secure=true", "https://127.0.0.1:8080/alerts"),
            ("https://push.example/#/messages/3", "https://push.example"),
            ("https://push.example/gotify/", "https://push.example/gotify"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("192.168.1.5:8080", "https://192.168.1.5:8080"),
            ("wss://shop.example/ws?token=s3cret", "wss://shop.example/ws"),
            ("https://shop.example/ws?token=s3cret", "https://shop.example/ws"),
            ("bücher.example", "https://xn--bcher-kva.example"),
            ("mqtts://Broker.example", "mqtts://broker.example:8883"),
            ("mqtt://localhost", "mqtt://localhost:1883"),
            ("tcp://localhost:1884", "mqtt://localhost:1884"),
            ("ssl://broker.example:8883", "mqtts://broker.example:8883"),
            ("broker.example:8883", "mqtts://broker.example:8883"),
            ("127.0.0.1:1883", "mqtt://127.0.0.1:1883"),
            ("wss://broker.example/mqtt", "wss://broker.example/mqtt"),
        ] {
            assert_eq!(shown(text), place, "{text}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_a_mend_in_both_languages() {
        use tidings_words::{Language, Words};
        for text in [
            "",
            "   ",
            "https://",
            "ftp://a.example",
            "mqtt://a.example",
            "tcp://a.example",
            "a.example:1883",
            "mqtts://a.example/home",
            "mqtts://ann:s3cret@a.example",
            "http://shop.example/",
            "ws://10.0.0.1/",
            "ntfy://push.example/t?secure=false",
            "https://ann:s3cret@a.example/",
            "a b",
            "a:99999",
            "mailto:ann",
        ] {
            let refused = Place::read(text, false).expect_err(text);
            for language in Language::ALL {
                let told = why(&refused).said(Words::of(language));
                assert!(!told.is_empty() && !told.contains("s3cret"), "{text}: {told}");
            }
        }
        assert!(Place::read("http://shop.example/", true).is_ok());
    }
}
