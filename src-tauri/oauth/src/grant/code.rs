//! The authorization code grant with PKCE over loopback (RFC 8252): the person signs in in the browser of this machine, which
//! then brings a code to a port of ours.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenUrl,
};
use tidings_channel::{Config, plain};
use tidings_words::Words;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::Provider;
use crate::discover::Endpoints;
use crate::failure::{Failure, of};
use crate::tokens::Tokens;
use crate::way::Way;

/// How long a person may take to sign in. Too low: a second factor that has to be looked for comes too late; too high: a page that
/// was closed leaves a port open for long.
const PERSON: Duration = Duration::from_secs(15 * 60);
/// How long a browser may take to say what it wants. Too low: a busy machine's is turned away.
const REQUEST: Duration = Duration::from_secs(10);
/// Connections at once. Too low: those that a browser opens and doesn't use keep out the one that counts.
const KNOCKING: usize = 16;
/// Longest start of a request that is read, bytes: the code stands in its first line.
const LONGEST: usize = 16 * 1024;
/// Where the browser is sent back to.
const PATH: &str = "/tidings";

/// A sign-in that waits for the person's browser. Then [`Redirected::answered`] waits for what it brings.
#[derive(Debug)]
pub struct Redirected<'a> {
    /// The page that the person's browser is to open.
    pub page: Url,
    provider: &'a Provider,
    config: &'a Config,
    token: Url,
    listener: TcpListener,
    redirect: RedirectUrl,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

/// Makes ready for the person's browser.
///
/// # Errors
/// Why that can't be had.
pub async fn code<'a>(provider: &'a Provider, config: &'a Config) -> Result<Redirected<'a>, Failure> {
    let host = provider.host();
    let way = Way::of(config, provider);
    let Endpoints { authorization, token, .. } = Endpoints::find(provider, &way).await?;
    let authorization = authorization.ok_or_else(|| Failure::NotOffered { host: host.to_owned() })?;
    let bound = async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, provider.redirect_port.unwrap_or(0))).await?;
        let SocketAddr::V4(at) = listener.local_addr()? else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        Ok::<_, io::Error>((listener, at))
    };
    let (listener, at) = bound.await.map_err(|error| {
        tracing::warn!(%error, "no port of this machine for the browser to come back to");
        Failure::NoPort
    })?;
    // An address, not the name `localhost`, which may lead elsewhere (RFC 8252, section 8.3).
    let redirect = RedirectUrl::new(format!("http://{at}{PATH}")).map_err(|_| Failure::NoPort)?;
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(authorization))
        .set_redirect_uri(redirect.clone());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut request = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    if provider.scopes.iter().any(|scope| scope == "offline_access") {
        // OpenID Connect gives what outlives the browser only to who asks the person for it.
        request = request.add_extra_param("prompt", "consent");
    }
    if let Some(audience) = &provider.audience {
        request = request.add_extra_param("audience", audience);
    }
    let (page, state) = request.url();
    Ok(Redirected { page, provider, config, token, listener, redirect, state, verifier })
}

impl Redirected<'_> {
    /// Waits until the browser brings the person's answer. Dropped, the port is closed.
    ///
    /// # Errors
    /// The person said no, or took too long; or the provider refuses.
    pub async fn answered(self, words: Words) -> Result<Tokens, Failure> {
        let Self { provider, config, token, listener, redirect, state, verifier, .. } = self;
        let host = provider.host();
        let brought =
            timeout(PERSON, brought(&listener, &state, words)).await.map_err(|_| Failure::TooLate)?;
        drop(listener);
        let code = match brought {
            Brought::Code(code) => AuthorizationCode::new(code),
            Brought::Refused { error, .. } if error == "access_denied" => return Err(Failure::Declined),
            Brought::Refused { error, said } => {
                let said = plain(&if said.is_empty() { error } else { said });
                return Err(Failure::Refused { host: host.to_owned(), said });
            }
        };
        let way = Way::of(config, provider);
        let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(token))
            .set_redirect_uri(redirect);
        let answer = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&way).await;
        let response = answer.map_err(|error| {
            of(host, error, |refused| {
                matches!(refused.error(), BasicErrorResponseType::InvalidGrant).then_some(Failure::TooLate)
            })
        })?;
        Ok(Tokens::of(&response, None))
    }
}

/// What the browser brings.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    Code(String),
    Refused { error: String, said: String },
}

/// Answers browsers until one brings the answer to what we asked. Whatever else knocks at the port is turned away, and keeps nobody
/// waiting: browsers open connections that they may never use.
async fn brought(listener: &TcpListener, state: &CsrfToken, words: Words) -> Brought {
    let mut knocking = JoinSet::new();
    loop {
        tokio::select! {
            Some(knocked) = knocking.join_next() => {
                if let Ok(Some(found)) = knocked {
                    return found;
                }
            }
            accepted = listener.accept(), if knocking.len() < KNOCKING => match accepted {
                Ok((stream, _)) => drop(knocking.spawn(heard(stream, state.secret().clone(), words))),
                // Too many open files: others may be closed meanwhile.
                Err(_) => tokio::time::sleep(REQUEST).await,
            },
        }
    }
}

/// Answers one connection, and says what it brings.
async fn heard(mut stream: TcpStream, state: String, words: Words) -> Option<Brought> {
    let line = timeout(REQUEST, first_line(&mut stream)).await;
    let found = line.ok().and_then(Result::ok).and_then(|line| read(&line, &state));
    let (status, said) = match &found {
        Some(Brought::Code(_)) => ("200 OK", words.oauth_page_done()),
        Some(Brought::Refused { .. }) => ("200 OK", words.oauth_page_refused()),
        None => ("404 Not Found", words.oauth_page_nothing()),
    };
    // Whether the browser hears it or not.
    let _ = timeout(REQUEST, answer(&mut stream, status, &said)).await;
    found
}

async fn first_line(stream: &mut TcpStream) -> io::Result<String> {
    let mut read = Vec::new();
    let mut part = [0; 1024];
    // All of the head: a socket that is closed with unread bytes is reset, and the page lost.
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        let n = stream.read(&mut part).await?;
        if n == 0 || read.len() + n > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        read.extend_from_slice(&part[..n]);
    }
    let line = read.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8(line.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What the first line of a request brings, where it is the answer to what was asked with this state.
fn read(line: &str, state: &str) -> Option<Brought> {
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let url = Url::parse("http://127.0.0.1").and_then(|base| base.join(target)).ok()?;
    if url.path() != PATH {
        return None;
    }
    let one =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if one("state").as_deref() != Some(state) {
        return None;
    }
    if let Some(error) = one("error") {
        return Some(Brought::Refused { error, said: one("error_description").unwrap_or_default() });
    }
    one("code").map(Brought::Code)
}

async fn answer(stream: &mut TcpStream, status: &str, said: &str) -> io::Result<()> {
    let page = format!(
        "<!doctype html><meta charset=utf-8><title>Tidings</title><style>body{{font:1.2rem system-ui;margin:20vh auto;max-width:32rem;\
         padding:0 1rem;color-scheme:light dark}}</style><p>{said}"
    );
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_our_own_question_counts() {
        let code = |text: &str| Some(Brought::Code(text.to_owned()));
        assert_eq!(read("GET /tidings?code=a%20b&state=s HTTP/1.1", "s"), code("a b"));
        assert_eq!(read("GET /tidings?state=s&code=x&iss=https%3A%2F%2Fid HTTP/1.1", "s"), code("x"));
        let others = [
            "GET /tidings?code=x&state=other HTTP/1.1",
            "GET /tidings?code=x HTTP/1.1",
            "GET /tidings?code=x&state=other&state=s HTTP/1.1",
            "GET /tidings?state=s HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "GET /tidings/../x?code=x&state=s HTTP/1.1",
            "POST /tidings?code=x&state=s HTTP/1.1",
            "GET /tidings?code=x&state=s HTTP/1.0",
            "",
        ];
        for line in others {
            assert_eq!(read(line, "s"), None, "{line}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_keeps_nobody_waiting() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let asks = async {
            let _silent = TcpStream::connect(at).await.expect("connected");
            let mut other = TcpStream::connect(at).await.expect("connected");
            other.write_all(b"GET /favicon.ico HTTP/1.1\r\n\r\n").await.expect("sent");
            let mut told = String::new();
            other.read_to_string(&mut told).await.expect("answered");
            assert!(told.starts_with("HTTP/1.1 404"), "{told}");
            let mut browser = TcpStream::connect(at).await.expect("connected");
            browser.write_all(b"GET /tidings?code=x&state=s HTTP/1.1\r\n\r\n").await.expect("sent");
            let mut told = String::new();
            browser.read_to_string(&mut told).await.expect("answered");
            assert!(told.starts_with("HTTP/1.1 200") && told.contains("signed in"), "{told}");
        };
        let state = CsrfToken::new("s".to_owned());
        let both = async { tokio::join!(brought(&listener, &state, Words::default()), asks).0 };
        let found = timeout(REQUEST / 2, both).await.expect("the silent one is not waited for");
        assert_eq!(found, Brought::Code("x".to_owned()));
    }

    #[test]
    fn a_refusal_is_told_with_what_is_said_of_it() {
        let refused =
            read("GET /tidings?error=access_denied&error_description=no+thanks&state=s HTTP/1.1", "s");
        assert_eq!(
            refused,
            Some(Brought::Refused { error: "access_denied".into(), said: "no thanks".into() })
        );
    }
}
