//! A channel's own server, as pictures are had from it: from nowhere else, the way that the channel goes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tidings_channel::{Cause, ChannelUrl, Config, Credential, DialParams, Fetch, fetch};
use tidings_inbox::{Message, Show};
use tidings_picture::{Decoder, Size, Unusable, names_icon, names_pictures};
use tidings_settings::{ChannelSettings, Images, Kind, SessionJar};
use tokio::sync::{Mutex, watch};
use url::Url;

/// The longest picture, bytes. Too low: a phone's photo is left out; too high: a hostile server takes memory.
const MOST_BYTES: usize = 8 << 20;
/// The longest list of applications, bytes.
const MOST_LIST: usize = 1 << 20;
/// For one picture. Too low: slow networks show none; too high: an endless one keeps others waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is asked for, where a server has several.
const ACCEPT: &str = "image/png, image/webp, image/jpeg, image/gif";

/// One channel's.
#[derive(Clone)]
pub(super) struct Source {
    config: Config,
    /// What its last dial carried; the secret is in it.
    params: watch::Receiver<DialParams>,
    /// Its session's cookies, which may be others by now than those of the dial, and other ones for each path.
    session: Option<SessionJar>,
    images: Images,
    app_icons: bool,
    shows: Show,
    own: Own,
    /// Held by who asks for its applications.
    pub(super) asking: Arc<Mutex<()>>,
}

/// What its server is, as far as it matters where the sign-in goes.
#[derive(Clone)]
enum Own {
    /// Its messages are its own word, and so are the addresses in them.
    App,
    /// Anybody's messages may come, and a mere request does something there (`GET /TOPIC/publish`).
    Ntfy,
    /// Anybody's messages, too; beside its path there may be other servers.
    Gotify { base: String },
}

/// Why there is no picture. For the log, without an address.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPicture {
    #[error("{0}")]
    Unfetched(Cause),
    #[error("it is a web page")]
    Page,
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl Source {
    pub(super) fn new(
        settings: &ChannelSettings,
        config: Config,
        params: watch::Receiver<DialParams>,
        session: Option<SessionJar>,
    ) -> Self {
        let own = match settings.kind {
            Kind::Recipe | Kind::Dialogue(_) | Kind::Sse | Kind::Mqtt(_) => Own::App,
            Kind::Ntfy { .. } => Own::Ntfy,
            Kind::Gotify => Own::Gotify { base: settings.base().to_owned() },
        };
        let mut source = Self {
            config,
            params,
            session,
            images: Images::Never,
            app_icons: false,
            shows: Show::Nothing,
            own,
            asking: Arc::default(),
        };
        source.adopt(settings);
        source
    }

    pub(super) fn adopt(&mut self, settings: &ChannelSettings) {
        self.images = settings.images;
        self.shows = settings.show;
        self.app_icons = settings.app_icons && settings.kind == Kind::Gotify;
    }

    /// Where the picture is that this message names, if it is one to be fetched.
    pub(super) fn picture(&self, message: &Message) -> Option<ChannelUrl> {
        if self.images == Images::Never {
            return None;
        }
        let now = Timestamp::now();
        let can_be_had = |address: &str| {
            let mut of = message.attachments.iter().filter(|file| file.url.as_str() == address);
            of.all(|file| {
                file.expires.is_none_or(|expires| expires > now)
                    && file.size.is_none_or(|size| size <= MOST_BYTES as u64)
            })
        };
        names_pictures(message).filter(|address| can_be_had(address)).find_map(|address| self.at(address))
    }

    /// … and the icon.
    pub(super) fn icon(&self, message: &Message) -> Option<ChannelUrl> {
        match self.images {
            Images::Never => None,
            Images::OwnServer => names_icon(message).and_then(|address| self.at(address)),
        }
    }

    /// How much of a message its popup shows.
    pub(super) fn shows(&self) -> Show {
        self.shows
    }

    pub(super) fn asks_for_apps(&self) -> bool {
        self.app_icons
    }

    /// The place on the channel's own server that an address means; `None`: it is elsewhere. Scheme, host and port have to be
    /// the same: another port is another server, and what the link hides is not to be asked for in the open. A broker has no pictures.
    fn at(&self, address: &str) -> Option<ChannelUrl> {
        if self.config.url.is_mqtt() {
            return None;
        }
        let own = self.config.url.as_url();
        let mut url = match Url::parse(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Err(url::ParseError::RelativeUrlWithoutBase) if address.starts_with('/') => {
                own.join(address).ok()?
            }
            Ok(_) | Err(_) => return None,
        };
        url.set_fragment(None);
        let url = ChannelUrl::parse(url.as_str(), true).ok()?;
        (url.as_url().origin() == own.origin()).then_some(url)
    }

    /// An application's image, as the server's list names it.
    pub(super) fn app_image(&self, image: &str) -> Option<ChannelUrl> {
        let Own::Gotify { base } = &self.own else { return None };
        self.at(&format!("{base}/{}", image.trim_start_matches('/')))
    }

    /// Which server has its applications, if it is one that has some.
    pub(super) fn server(&self) -> Option<String> {
        let Own::Gotify { base } = &self.own else { return None };
        Some(self.config.url.at(base).to_string())
    }

    /// The server's list of applications.
    pub(super) async fn apps(&self) -> Result<Vec<u8>, Cause> {
        let Own::Gotify { base } = &self.own else { return Ok(Vec::new()) };
        let url = self.config.url.at(&format!("{base}/application"));
        self.ask(Fetch { most: MOST_LIST, ..Fetch::get(url) }).await
    }

    /// The picture there, small and ours.
    pub(super) async fn fetch(
        &self,
        decoder: &Decoder,
        url: ChannelUrl,
        size: Size,
    ) -> Result<Vec<u8>, NoPicture> {
        let headers = vec![("accept".to_owned(), ACCEPT.to_owned())];
        let ask = Fetch { headers, patience: PATIENCE, most: MOST_BYTES, ..Fetch::get(url) };
        let bytes = self.ask(ask).await.map_err(NoPicture::Unfetched)?;
        if bytes.trim_ascii_start().starts_with(b"<") {
            // A sign-in page, mostly. (An SVG is none of the kinds that are read.)
            return Err(NoPicture::Page);
        }
        Ok(decoder.small(bytes, size).await?)
    }

    async fn ask(&self, ask: Fetch) -> Result<Vec<u8>, Cause> {
        let DialParams { credential, headers, .. } = self.params.borrow().clone();
        let credential = match &self.session {
            None => credential,
            Some(session) => {
                let cookies = session.hold().await.header(&ask.url);
                cookies.map(|value| Credential::Header { name: "Cookie".to_owned(), value })
            }
        };
        let credential = credential.filter(|_| self.signs_in(&ask.url));
        let params = DialParams { credential, headers, ..DialParams::default() };
        let answer = fetch(&self.config, &params, ask).await?;
        match answer.failure() {
            Some(cause) => Err(cause),
            None => Ok(answer.body),
        }
    }

    /// Whether the channel's secret goes along. Whoever may send a message says the address; at a server where that may be
    /// anybody it goes to the places alone that need it, and that do nothing but answer.
    fn signs_in(&self, url: &ChannelUrl) -> bool {
        let path = url.as_url().path();
        match &self.own {
            Own::App => true,
            Own::Ntfy => path.strip_prefix("/file/").is_some_and(is_plain_name),
            Own::Gotify { base } => path
                .strip_prefix(base.as_str())
                .and_then(|below| below.strip_prefix('/'))
                .is_some_and(|below| below.split('/').all(is_plain_name)),
        }
    }
}

/// Whether every proxy on the way takes this part of a path for what it looks like: some decode a path, drop what stands behind a
/// `;`, or take `\` for `/`, and then go somewhere else.
fn is_plain_name(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~'))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn source(settings: &str) -> Source {
        let settings = tidings_settings::parse(settings.as_bytes(), std::path::Path::new("/c.toml"));
        let settings = settings.expect("good settings").channels.remove(0);
        let config = settings.config().expect("a way");
        let session = settings.jar();
        Source::new(&settings, config, watch::channel(DialParams::default()).1, session)
    }

    fn places(settings: &str, addresses: &[&str]) -> Vec<Option<String>> {
        let source = source(&format!("[[channel]]\nimages = \"own-server\"\n{settings}"));
        addresses.iter().map(|address| source.at(address).map(|url| url.as_url().to_string())).collect()
    }

    #[test]
    fn only_what_is_on_the_very_server_is_fetched() {
        let own = places(
            "url = \"wss://shop.example/ws\"",
            &[
                "https://shop.example/i.png",
                "HTTPS://SHOP.example:443/a?b#c",
                "/img/1.png",
                "https://shop.example/x/../i.png",
            ],
        );
        let wanted = ["/i.png", "/a?b", "/img/1.png", "/i.png"];
        assert_eq!(own, wanted.map(|path| Some(format!("wss://shop.example{path}"))));
        for elsewhere in [
            "https://evil.example/i.png",
            "https://shop.example.evil.example/i.png",
            "https://shop.example@evil.example/i.png",
            "https://me:pw@shop.example/i.png",
            "https://evil.example/?https://shop.example/",
            "https://shop.example:8443/i.png",
            "http://shop.example/i.png",
            "http://shop.example:443/i.png",
            "https://www.shop.example/i.png",
            "https://shop.example./i.png",
            "//evil.example/i.png",
            "/\\evil.example/i.png",
            "\\\\evil.example/i.png",
            "i.png",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "ws://shop.example/i.png",
            "javascript:alert(1)",
            "",
            "mail-unread",
        ] {
            assert_eq!(places("url = \"wss://shop.example/ws\"", &[elsewhere]), [None], "{elsewhere}");
        }
        // However a number is written, it is this machine; another name of it is another server.
        let local = "url = \"ws://127.0.0.1:8080/ws\"";
        let port = ":8080/i.png";
        let same = places(local, &["http://127.0.0.1:8080/i.png", "http://2130706433:8080/i.png"]);
        assert_eq!(same, [Some(format!("ws://127.0.0.1{port}")), Some(format!("ws://127.0.0.1{port}"))]);
        for other in ["http://localhost:8080/i.png", "http://127.0.0.2:8080/i.png", "http://[::1]:8080/i.png"]
        {
            assert_eq!(places(local, &[other]), [None], "{other}");
        }
    }

    #[tokio::test]
    async fn a_session_s_cookies_go_along_as_they_are_now_and_each_to_its_own_path() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let source = source(&format!(
            "[[channel]]\nurl = \"ws://{at}/ws\"\nauth = \"session\"\nimages = \"own-server\""
        ));
        let url = source.at("/img/1.png").expect("its own");
        let set = ["sid=fresh; Path=/; HttpOnly", "other=no; Path=/admin"].map(str::to_owned);
        source.session.as_ref().expect("a session").hold().await.set(&url, &set);
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("read"));
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("written");
            String::from_utf8(head).expect("text").to_lowercase()
        });
        assert_eq!(source.ask(Fetch::get(url)).await.expect("an answer"), b"ok");
        let head = served.await.expect("served");
        assert!(head.contains("\r\ncookie: sid=fresh\r\n"), "{head}");
    }

    #[test]
    fn the_secret_goes_where_it_can_do_nothing_else() {
        let signs_in = |settings: &str, address: &str| {
            let source = source(&format!("[[channel]]\nimages = \"own-server\"\n{settings}"));
            source.signs_in(&source.at(address).expect("its own"))
        };
        let ntfy = "kind = \"ntfy\"\nurl = \"https://ntfy.example\"\ntopics = [\"a\"]";
        assert!(signs_in(ntfy, "https://ntfy.example/file/abc.png"));
        assert!(!signs_in(ntfy, "https://ntfy.example/private/publish?message=x"));
        assert!(!signs_in(ntfy, "https://ntfy.example/file/../private/publish?message=x"));
        assert!(!signs_in(ntfy, "https://ntfy.example/file/%2e%2e/private/publish?message=x"));
        let gotify = "kind = \"gotify\"\nurl = \"https://push.example/gotify\"";
        assert!(signs_in(gotify, "https://push.example/gotify/image/a.png"));
        assert!(!signs_in(gotify, "https://push.example/gotify-other/a.png"));
        assert!(!signs_in(gotify, "https://push.example/elsewhere/a.png"));
        for dressed in [
            "..%2felsewhere",
            "%2e%2e%2felsewhere",
            "..;/elsewhere",
            "image/..%5c..%5celsewhere",
            "image//a.png",
            "",
        ] {
            assert!(!signs_in(gotify, &format!("https://push.example/gotify/{dressed}")), "{dressed}");
            assert!(!signs_in(ntfy, &format!("https://ntfy.example/file/{dressed}")), "{dressed}");
        }
        // Its link is at /stream/stream.
        let folder = "kind = \"gotify\"\nurl = \"https://push.example/stream/stream\"";
        assert!(signs_in(folder, "https://push.example/stream/image/a.png"));
        assert!(!signs_in(folder, "https://push.example/elsewhere/a.png"), "it is not the server's");
        assert!(signs_in("url = \"wss://shop.example/ws\"", "/i.png"));
    }
}
