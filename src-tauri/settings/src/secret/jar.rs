//! The cookies of a channel's session, by RFC 6265: which of them an address gets, in which order, and what a server's
//! `Set-Cookie` does to them. Whatever prints a jar prints no value.
//!
//! Where it is kept it is JSON, a list of [`Cookie`]s; a whole `Cookie` header is read as well.

use std::fmt;

use cookie_store::{CookieExpiration, CookieStore};
use jiff::Timestamp;
use serde::Deserialize;
use tidings_api::Cookie;
use tidings_channel::ChannelUrl;

/// Cookies in one jar. Too low: a site that balances, counts and signs in by cookies loses some; too high: a hostile one makes
/// requests that no server takes.
const MOST: usize = 64;

/// Longest `Set-Cookie` that is taken, bytes; browsers take 4 KiB of a name and its value.
const LONGEST: usize = 8 * 1024;

/// See the module.
#[derive(Clone, Default)]
pub struct Jar(CookieStore);

/// What was given is no jar. Tells nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoJar;

impl Jar {
    /// Reads what is kept somewhere: the JSON of a jar, of which those cookies count that one of the addresses gets, or a whole
    /// `Cookie` header, whose cookies are the first one's own.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str, urls: &[ChannelUrl]) -> Result<Self, NoJar> {
        let text = text.trim();
        if text.starts_with(['[', '{']) {
            let json: serde_json::Value = serde_json::from_str(text).map_err(|_| NoJar)?;
            let list = json.get("cookies").unwrap_or(&json);
            let cookies = Vec::<Cookie>::deserialize(list).map_err(|_| NoJar)?;
            return Ok(Self::of(urls, cookies));
        }
        let url = urls.first().ok_or(NoJar)?;
        let header = match text.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("cookie") => value,
            Some(_) | None => text,
        };
        let mut jar = Self::default();
        for pair in header.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(NoJar)?;
            jar.put(url, &bare(name.trim(), value.trim()));
        }
        if jar.is_empty() { Err(NoJar) } else { Ok(jar) }
    }

    /// Those of these cookies that one of the addresses gets.
    pub fn of(urls: &[ChannelUrl], cookies: impl IntoIterator<Item = Cookie>) -> Self {
        let mut jar = Self::default();
        for cookie in cookies {
            let gets = |url: &&ChannelUrl| {
                let mut alone = Self::default();
                alone.put(url, &cookie);
                alone.header(url).is_some()
            };
            if let Some(url) = urls.iter().find(gets) {
                jar.put(url, &cookie);
            }
        }
        jar
    }

    /// The value of the `Cookie` header for an address, longest path first; `None`: it gets none.
    pub fn header(&self, url: &ChannelUrl) -> Option<String> {
        let mut cookies = self.0.matches(&url.web());
        cookies.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.name().cmp(b.name())));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Takes what a good answer from this address sets or deletes; whether anything is another now.
    pub fn take(&mut self, url: &ChannelUrl, set_cookies: &[String]) -> bool {
        let before = self.to_json();
        for text in set_cookies.iter().filter(|text| text.len() <= LONGEST) {
            let mut next = self.clone();
            // One that isn't for this address, or makes no sense, is passed over as in a browser.
            if next.0.parse(text, &url.web()).is_ok() && next.count() <= MOST {
                *self = next;
            }
        }
        self.to_json() != before
    }

    /// Whether these would give a cookie that ends with the session another value.
    pub fn renames(&self, url: &ChannelUrl, set_cookies: &[String]) -> bool {
        let ends_with_session = |jar: &Self| -> Vec<(String, String, String)> {
            let matching = jar.0.matches(&url.web()).into_iter().filter(|cookie| !cookie.is_persistent());
            let mut found: Vec<_> = matching
                .map(|cookie| (cookie.path.to_string(), cookie.name().to_owned(), cookie.value().to_owned()))
                .collect();
            found.sort();
            found
        };
        let mut after = self.clone();
        after.take(url, set_cookies);
        let after = ends_with_session(&after);
        // One that is new beside the others is a balancer's, or a counter's.
        ends_with_session(self).iter().any(|cookie| !after.contains(cookie))
    }

    fn count(&self) -> usize {
        self.0.iter_unexpired().count()
    }

    /// Whether there is no cookie that hasn't expired.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The form in which it is kept.
    pub fn to_json(&self) -> String {
        let mut cookies: Vec<Cookie> = self
            .0
            .iter_unexpired()
            .map(|cookie| {
                let host = cookie.domain.as_cow().unwrap_or_default();
                let suffix = matches!(cookie.domain, cookie_store::CookieDomain::Suffix(_));
                Cookie {
                    name: cookie.name().to_owned(),
                    value: cookie.value().to_owned(),
                    domain: if suffix { format!(".{host}") } else { host.into_owned() },
                    path: cookie.path.to_string(),
                    expires: match cookie.expires {
                        CookieExpiration::AtUtc(at) => Timestamp::from_second(at.unix_timestamp()).ok(),
                        CookieExpiration::SessionEnd => None,
                    },
                    secure: cookie.secure() == Some(true),
                    http_only: cookie.http_only() == Some(true),
                }
            })
            .collect();
        cookies.sort_by(|a, b| (&a.domain, &a.path, &a.name).cmp(&(&b.domain, &b.path, &b.name)));
        // Text and numbers alone: it can't fail.
        serde_json::to_string(&cookies).unwrap_or_default()
    }

    fn put(&mut self, url: &ChannelUrl, cookie: &Cookie) {
        let Cookie { name, value, domain, path, expires, secure, http_only } = cookie;
        let fits = |text: &str| !text.contains(|c: char| c == ';' || c.is_control());
        if !fits(name) || name.contains('=') || !fits(value) || !fits(path) || !fits(domain) {
            return;
        }
        if self.count() >= MOST || name.len() + value.len() > LONGEST {
            return;
        }
        let web = url.web();
        let host = web.host_str().unwrap_or_default();
        let mut text = format!("{name}={value}; Path={path}");
        // Web views tell of the host alone and of what is below it without the dot, too.
        let own = domain.is_empty() || domain.eq_ignore_ascii_case(host);
        if !own {
            text += &format!("; Domain={domain}");
        }
        if *secure {
            text += "; Secure";
        }
        if *http_only {
            text += "; HttpOnly";
        }
        if let Some(expires) = expires {
            let left = expires.duration_since(Timestamp::now()).as_secs();
            text += &format!("; Max-Age={}", left.max(0));
        }
        // What isn't for this address is not taken.
        let _ = self.0.parse(&text, &web);
    }
}

/// A cookie of a header.
fn bare(name: &str, value: &str) -> Cookie {
    Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: String::new(),
        path: "/".to_owned(),
        expires: None,
        secure: false,
        http_only: true,
    }
}

impl PartialEq for Jar {
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ChannelUrl {
        ChannelUrl::parse(text, true).expect("a good URL")
    }

    fn shop() -> ChannelUrl {
        url("wss://shop.example/ws/user-channel")
    }

    fn cookie(name: &str, domain: &str, path: &str) -> Cookie {
        Cookie { domain: domain.to_owned(), path: path.to_owned(), ..bare(name, "v") }
    }

    fn set(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn an_address_gets_all_its_cookies_longest_path_first() {
        let mut jar = Jar::default();
        jar.take(
            &shop(),
            &set(&[
                "JSESSIONID=a; Path=/; HttpOnly",
                "SRV=b; path=/ws",
                "JSESSIONID=c; Path=/ws/user-channel",
                "other=x; Path=/app",
                "wide=w; Domain=shop.example; Path=/",
            ]),
        );
        assert_eq!(jar.header(&shop()).as_deref(), Some("JSESSIONID=c; SRV=b; JSESSIONID=a; wide=w"));
        assert_eq!(
            jar.header(&url("wss://shop.example/app/x")).as_deref(),
            Some("other=x; JSESSIONID=a; wide=w")
        );
        assert_eq!(jar.header(&url("wss://live.shop.example/ws/x")).as_deref(), Some("wide=w"));
        assert_eq!(jar.header(&url("wss://evil.example/ws/user-channel")), None);
    }

    #[test]
    fn what_is_for_encrypted_connections_never_goes_in_plaintext() {
        let mut jar = Jar::default();
        jar.take(&shop(), &set(&["a=1; Secure; Path=/", "b=2; Path=/"]));
        assert_eq!(jar.header(&url("ws://shop.example/ws/user-channel")).as_deref(), Some("b=2"));
    }

    #[test]
    fn a_server_rotates_and_deletes_what_it_set() {
        let mut jar = Jar::parse("JSESSIONID=old; route=n1", &[shop()]).expect("a header");
        assert!(jar.take(&shop(), &set(&["JSESSIONID=new; Path=/; HttpOnly"])));
        assert_eq!(jar.header(&shop()).as_deref(), Some("JSESSIONID=new; route=n1"));
        assert!(!jar.take(&shop(), &set(&["JSESSIONID=new; Path=/; HttpOnly"])), "nothing is another now");
        assert!(jar.take(&shop(), &set(&["route=; Max-Age=0; Path=/"])));
        assert_eq!(jar.header(&shop()).as_deref(), Some("JSESSIONID=new"));
        assert!(jar.take(&shop(), &set(&["JSESSIONID=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"])));
        assert!(jar.is_empty());
    }

    #[test]
    fn only_another_value_of_what_ends_with_the_session_may_be_a_new_one() {
        let mut jar = Jar::parse("JSESSIONID=a", &[shop()]).expect("a header");
        jar.take(&shop(), &set(&["remember-me=1; Path=/; Max-Age=1000"]));
        for (text, renames) in [
            ("JSESSIONID=b; Path=/; HttpOnly", true),
            ("JSESSIONID=a; Path=/; HttpOnly", false),
            ("JSESSIONID=; Path=/; Max-Age=0", true),
            ("SRV=n1; Path=/", false),
            ("remember-me=2; Path=/; Max-Age=1000", false),
        ] {
            assert_eq!(jar.renames(&shop(), &set(&[text])), renames, "{text}");
        }
    }

    #[test]
    fn cookies_of_other_hosts_stay_out() {
        let cookies = [
            cookie("own", "shop.example", "/"),
            cookie("dotted", ".shop.example", "/"),
            cookie("above", ".example", "/"),
            cookie("below", "login.shop.example", "/"),
            cookie("foreign", "evil.example", "/"),
            cookie("elsewhere", "", "/app"),
            Cookie { expires: Some(Timestamp::UNIX_EPOCH), ..cookie("over", "", "/") },
            cookie("a=b", "", "/"),
            Cookie { value: "x; Path=/".to_owned(), ..cookie("injected", "", "/") },
        ];
        let jar = Jar::of(&[shop()], cookies);
        assert_eq!(jar.header(&shop()).as_deref(), Some("above=v; dotted=v; own=v"));
    }

    /// What ends the session, and what keeps it alive, may lie below another path than the channel.
    #[test]
    fn each_address_that_is_asked_for_has_its_cookies() {
        let urls = [shop(), url("wss://shop.example/app/page"), url("wss://shop.example/account/logout")];
        let cookies = ["/ws", "/app", "/account", "/admin"].map(|path| cookie(&path[1..], "", path));
        let jar = Jar::of(&urls, cookies);
        for jar in [&jar, &Jar::parse(&jar.to_json(), &urls).expect("its own form")] {
            let headers = urls.each_ref().map(|url| jar.header(url));
            assert_eq!(headers, ["ws=v", "app=v", "account=v"].map(|header| Some(header.to_owned())));
            assert_eq!(jar.header(&url("wss://shop.example/admin/")), None);
        }
    }

    #[test]
    fn what_is_kept_is_read_again_as_it_was() {
        let mut jar = Jar::default();
        jar.take(
            &shop(),
            &set(&["a=1; Path=/ws; Secure; HttpOnly", "b=\"q\"; Domain=shop.example; Path=/; Max-Age=1000"]),
        );
        let again = Jar::parse(&jar.to_json(), &[shop()]).expect("its own form");
        assert_eq!(again.header(&shop()), jar.header(&shop()));
        assert_eq!(jar.header(&shop()).as_deref(), Some("a=1; b=\"q\""));
        let wrapped = format!("{{\"cookies\": {}}}", jar.to_json());
        assert_eq!(
            Jar::parse(&wrapped, &[shop()]).expect("a list in an object").header(&shop()),
            jar.header(&shop())
        );
    }

    #[test]
    fn a_whole_header_is_a_jar_and_a_token_is_none() {
        for text in ["Cookie: a=1; b=2=3", "a=1;b=2=3;", " a=1 ; b=2=3"] {
            let jar = Jar::parse(text, &[shop()]).expect(text);
            assert_eq!(jar.header(&shop()).as_deref(), Some("a=1; b=2=3"), "{text}");
        }
        for text in ["", "s3cret", "{\"token\": 1}", "[1]", "[{}]", "{"] {
            assert_eq!(Jar::parse(text, &[shop()]), Err(NoJar), "{text}");
        }
    }

    #[test]
    fn a_hostile_site_fills_no_jar() {
        let mut jar = Jar::parse("JSESSIONID=good", &[shop()]).expect("a header");
        let many: Vec<String> = (0..500).map(|n| format!("c{n}=x; Path=/")).collect();
        jar.take(&shop(), &many);
        jar.take(&shop(), &[format!("big={}; Path=/", "x".repeat(9000))]);
        let header = jar.header(&shop()).expect("cookies");
        assert_eq!(header.split("; ").count(), MOST);
        assert!(header.contains("JSESSIONID=good") && !header.contains("big="));
    }

    #[test]
    fn a_jar_shows_no_value() {
        let jar = Jar::parse("sid=s3cret", &[shop()]).expect("a header");
        assert_eq!(format!("{jar:?}"), "Jar(1 cookies)");
        assert!(!format!("{:?}", bare("sid", "s3cret")).contains("s3cret"));
    }
}
