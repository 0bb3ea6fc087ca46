//! What a server is started with, and who may do what under it.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::http::{HeaderMap, Uri, header};

/// How long a link may be silent before the server ends it. It is what the proxy in front would do; lower
/// than a client's heartbeat interval (60 s) cuts healthy clients, higher keeps dead ones.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// What a server is started with.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Beyond loopback, `tokens` and `push_token` are needed.
    pub listen: SocketAddr,
    /// A link without any inbound frame for this long is ended without a close frame, as a proxy does it.
    /// `None`: never.
    pub idle_timeout: Option<Duration>,
    /// How many messages per user are kept for `?since=`. 0 turns replay off.
    pub backlog: usize,
    /// … and how many bytes of them.
    pub backlog_bytes: usize,
    /// Bearer token to user. While there are any, `?user=` is not taken: a proxy in front would make the
    /// whole world look like loopback.
    pub tokens: BTreeMap<String, String>,
    /// The bearer token that a push needs; `None`: any program on this machine may push.
    pub push_token: Option<String>,
    /// How many events are kept for [`Server::wait_for`](crate::Server::wait_for). 0: none, for a server
    /// that runs for long.
    pub events: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            idle_timeout: Some(IDLE_TIMEOUT),
            backlog: 1000,
            backlog_bytes: 4 << 20,
            tokens: BTreeMap::new(),
            push_token: None,
            events: 100_000,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("idle_timeout", &self.idle_timeout)
            .field("backlog", &self.backlog)
            .field("users", &self.tokens.values())
            .finish_non_exhaustive()
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken.
    #[error("{0} is in use by another program: stop that one, or listen elsewhere (--listen)")]
    InUse(SocketAddr),
    /// The address can't be listened on for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Beyond loopback nobody could connect.
    #[error(
        "{0} is reachable from other machines, where users need tokens: name a token file (--token-file)"
    )]
    NoTokens(SocketAddr),
    /// Beyond loopback anybody could push.
    #[error("{0} is reachable from other machines: set a token for pushes (--push-token)")]
    NoPushToken(SocketAddr),
    /// A token that can't be sent in a header, or none at all.
    #[error("a token must be printable ASCII without spaces; that of {0} is not")]
    BadToken(String),
    /// A name that can't be a user.
    #[error("{0:?} is no user name: 1 to 128 characters, no control characters")]
    BadUser(String),
}

/// A line of a token file that is not "user token".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFileError {
    /// Not two words.
    #[error("line {0}: expected a user and a token, divided by a space")]
    Line(usize),
    /// The same token twice: it would name two users.
    #[error("line {0}: this token is already taken by an earlier line")]
    Twice(usize),
}

/// Reads a token file: a user and a token per line; empty lines and lines that start with `#` are skipped.
///
/// # Errors
/// The first line that is not of this form. The message holds no token.
pub fn parse_tokens(text: &str) -> Result<BTreeMap<String, String>, TokenFileError> {
    let mut tokens = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            [user, token] => {
                if tokens.insert(token.to_owned(), user.to_owned()).is_some() {
                    return Err(TokenFileError::Twice(number));
                }
            }
            _ => return Err(TokenFileError::Line(number)),
        }
    }
    Ok(tokens)
}

/// A text that can name a user.
pub(crate) fn is_user(name: &str) -> bool {
    (1..=128).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

/// Who may connect and push: the options, checked.
pub(crate) struct Access {
    tokens: BTreeMap<String, String>,
    push_token: Option<String>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// 401, with what to do about it.
    Unknown(&'static str),
    /// 403: a web page of somewhere else, at a door that is open to this machine's programs.
    ForeignPage,
}

impl Access {
    pub(crate) fn of(options: &Options) -> Result<Self, StartError> {
        let Options { listen, tokens, push_token, .. } = options;
        if let Some(user) = tokens.values().find(|user| !is_user(user)) {
            return Err(StartError::BadUser(user.clone()));
        }
        let named = tokens.iter().map(|(token, user)| (token.as_str(), user.as_str()));
        let pushing = push_token.iter().map(|token| (token.as_str(), "pushes"));
        for (token, owner) in named.chain(pushing) {
            if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(StartError::BadToken(owner.to_owned()));
            }
        }
        if !listen.ip().is_loopback() {
            if tokens.is_empty() {
                return Err(StartError::NoTokens(*listen));
            }
            if push_token.is_none() {
                return Err(StartError::NoPushToken(*listen));
            }
        }
        Ok(Self { tokens: tokens.clone(), push_token: push_token.clone() })
    }

    /// The user that an upgrade request speaks for.
    pub(crate) fn user(&self, headers: &HeaderMap, asked: Option<&str>) -> Result<String, Denied> {
        if self.tokens.is_empty() {
            let asked =
                asked.filter(|user| is_user(user)).ok_or(Denied::Unknown("name a user: ?user=NAME"))?;
            return if from_here(headers) { Ok(asked.to_owned()) } else { Err(Denied::ForeignPage) };
        }
        let given = bearer(headers).ok_or(Denied::Unknown("send a bearer token"))?;
        // All are looked at, so that the time taken does not tell how much of a token was right.
        let mut user = Err(Denied::Unknown("this token is not known"));
        for (token, owner) in &self.tokens {
            if same(token, given) {
                user = Ok(owner.clone());
            }
        }
        user
    }

    /// Whether a request may push.
    pub(crate) fn push(&self, headers: &HeaderMap) -> Result<(), Denied> {
        match &self.push_token {
            None if from_here(headers) => Ok(()),
            None => Err(Denied::ForeignPage),
            Some(token) if bearer(headers).is_some_and(|given| same(token, given)) => Ok(()),
            Some(_) => Err(Denied::Unknown("a push needs the push token as bearer token")),
        }
    }

    /// Whether anybody could ever connect as this user.
    pub(crate) fn knows(&self, user: &str) -> bool {
        is_user(user) && (self.tokens.is_empty() || self.tokens.values().any(|known| known == user))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares without stopping at the first difference.
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |all, (l, r)| all | (l ^ r)) == 0
}

/// Not from a web page, or from one of this machine: any page in a browser may reach loopback.
fn from_here(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Some(uri) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
    uri.host().is_some_and(|host| {
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), header::HeaderValue::from_static(value))).collect()
    }

    fn with_token() -> Options {
        Options { tokens: parse_tokens("ann s3cret").expect("a good file"), ..Options::default() }
    }

    #[test]
    fn beyond_loopback_tokens_for_users_and_for_pushes_are_needed() {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080));
        let open = Options { listen: everywhere, ..Options::default() };
        assert!(matches!(Access::of(&open), Err(StartError::NoTokens(_))));
        let half = Options { listen: everywhere, ..with_token() };
        assert!(matches!(Access::of(&half), Err(StartError::NoPushToken(_))));
        let closed = Access::of(&Options { push_token: Some("p".into()), ..half }).expect("enough");
        assert_eq!(
            closed.user(&HeaderMap::new(), Some("ann")),
            Err(Denied::Unknown("send a bearer token")),
            "?user= is no credential there"
        );
    }

    #[test]
    fn only_the_whole_right_token_opens() {
        let access = Access::of(&with_token()).expect("good options");
        let user = |value| access.user(&headers(&[(header::AUTHORIZATION, value)]), None).ok();
        assert_eq!(user("Bearer s3cret").as_deref(), Some("ann"));
        assert_eq!(user("bearer s3cret").as_deref(), Some("ann"));
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Bearer", "Basic s3cret", "s3cret"] {
            assert_eq!(user(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_foreign_page_finds_the_open_door_shut() {
        let access = Access::of(&Options::default()).expect("good options");
        let from = |origin| access.push(&headers(&[(header::ORIGIN, origin)]));
        for own in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"] {
            assert_eq!(from(own), Ok(()), "{own}");
        }
        for foreign in ["https://evil.example", "null", "http://localhost.evil.example", "file://"] {
            assert_eq!(from(foreign), Err(Denied::ForeignPage), "{foreign}");
        }
    }

    #[test]
    fn a_token_file_tells_the_line_that_is_wrong_and_no_token() {
        let good = parse_tokens("# who  what\n\nann  one\nbob\ttwo\n").expect("a good file");
        assert_eq!(good.get("two").map(String::as_str), Some("bob"));
        assert_eq!(parse_tokens("ann one\nbob"), Err(TokenFileError::Line(2)));
        assert_eq!(parse_tokens("ann one two"), Err(TokenFileError::Line(1)));
        assert_eq!(parse_tokens("ann one\nbob one"), Err(TokenFileError::Twice(2)));
    }

    #[test]
    fn secrets_are_not_shown() {
        let options = Options { push_token: Some("push-s3cret".into()), ..with_token() };
        assert!(!format!("{options:?}").contains("s3cret"));
        let bad = Options { push_token: Some("s3cret mit space".into()), ..Options::default() };
        let error = Access::of(&bad).err().expect("refused");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
