//! Who is who: whom an upgrade speaks for, and who may push.
//!
//! ```text
//! header of a trusted proxy ─┐
//! bearer token of a file  ───┼─> Guest: the user, until when, and by what
//! JSON Web Token          ───┘
//! none of these is set up, and on loopback only: ?user=NAME
//! ```
//!
//! What stands in files is read again when they change. A file that can't be used leaves what was read before in force.

pub(crate) mod files;
pub(crate) mod guest;
pub(crate) mod jwt;
pub(crate) mod proxy;
pub(crate) mod rate;
pub(crate) mod tokens;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Instant, SystemTime},
};

use axum::http::{HeaderMap, Uri, header};

pub(crate) use self::guest::{By, Denied, Guest};
use self::{
    files::{FileError, Files, Known},
    guest::{check, is_user},
    jwt::Rules,
    proxy::UserHeader,
    rate::{Buckets, Pusher},
};
use crate::options::{Options, StartError};

/// Who may connect and push: the options, checked.
pub(crate) struct Access {
    files: Files,
    known: RwLock<Arc<Known>>,
    rules: Rules,
    header: Option<UserHeader>,
    /// Nothing is set up by which users could be told: they are taken at their word.
    open: bool,
    buckets: Buckets,
    reading: Mutex<()>,
}

impl Access {
    pub(crate) fn of(options: &Options) -> Result<Self, StartError> {
        let Options { listen, user_header, jwt, push_rate, .. } = options;
        check(&options.tokens, options.push_token.as_deref())?;
        let files = Self::files(options);
        let known = files.read_all()?;
        let open = options.tokens.is_empty() && !files.tell_users() && user_header.is_none();
        if !listen.ip().is_loopback() {
            if open {
                return Err(StartError::NoTokens(*listen));
            }
            if known.anybody_pushes() {
                return Err(StartError::NoPushToken(*listen));
            }
        }
        let rules = jwt.as_ref().map_or_else(Rules::default, |jwt| Rules {
            audience: jwt.audience.clone(),
            issuer: jwt.issuer.clone(),
        });
        Ok(Self {
            files,
            known: RwLock::new(Arc::new(known)),
            rules,
            header: user_header.clone(),
            open,
            buckets: Buckets::new(*push_rate),
            reading: Mutex::default(),
        })
    }

    /// The files that the options name.
    pub(crate) fn files(options: &Options) -> Files {
        Files {
            own_tokens: options.tokens.clone(),
            own_push_token: options.push_token.clone(),
            tokens: options.token_file.clone(),
            push_tokens: options.push_token_file.clone(),
            keys: options.jwt.as_ref().map(|jwt| jwt.keys.clone()),
        }
    }

    /// The user that an upgrade request speaks for.
    pub(crate) fn user(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        asked: Option<&str>,
    ) -> Result<Guest, Denied> {
        if self.open {
            let asked =
                asked.filter(|user| is_user(user)).ok_or(Denied::Unknown("name a user: ?user=NAME"))?;
            let guest = Guest { user: asked.to_owned(), until: None, by: By::Word };
            return if from_here(headers) { Ok(guest) } else { Err(Denied::ForeignPage) };
        }
        if let Some(told) = self.header.as_ref().and_then(|header| header.user(headers, peer)) {
            return told;
        }
        let known = self.known();
        if !known.takes_tokens() {
            return Err(Denied::Unknown("come by the proxy that says who you are"));
        }
        let given = bearer(headers).ok_or(Denied::Unknown("send a bearer token"))?;
        if let Some(guest) = known.user(given) {
            return Ok(guest);
        }
        match known.keys() {
            Some(keys) if given.contains('.') => keys.read(given, &self.rules, SystemTime::now()),
            Some(_) | None => Err(Denied::Unknown("this token is not known")),
        }
    }

    /// Whether a request may push, and in whose name.
    pub(crate) fn push(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Pusher, Denied> {
        let known = self.known();
        if known.anybody_pushes() {
            return if from_here(headers) { Ok(Pusher::at(peer)) } else { Err(Denied::ForeignPage) };
        }
        let name = bearer(headers).and_then(|given| known.pusher(given));
        let name = name.ok_or(Denied::Unknown("a push needs the push token as bearer token"))?;
        Ok(Pusher::Token(name.to_owned()))
    }

    /// Counts so many messages against what the pusher may send.
    pub(crate) fn count(&self, pusher: &Pusher, messages: usize) -> Result<(), Denied> {
        self.buckets.take(pusher, messages, Instant::now()).map_err(Denied::TooMany)
    }

    /// Whether anybody could ever connect as this user.
    pub(crate) fn knows(&self, user: &str) -> bool {
        // Who an issuer or a proxy knows isn't known here.
        let any = || self.open || self.header.is_some();
        is_user(user)
            && (any() || {
                let known = self.known();
                known.keys().is_some() || known.names(user)
            })
    }

    /// Whether who was let in by this would be let in again.
    pub(crate) fn stands(&self, by: By) -> bool {
        match by {
            By::Word => true,
            By::Token(mark) => self.known().has_token(mark),
            By::Key(mark) => self.known().keys().is_some_and(|keys| keys.has(mark)),
        }
    }

    /// Reads the files again. Those that can't be used are told, and what they said before stays in force.
    pub(crate) fn read_again(&self) -> Result<(), Vec<FileError>> {
        let _one_at_a_time = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, errors) = self.files.read_again(&self.known());
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The one bearer token of a request; where there are two, none: a proxy and we might look at different ones.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
mod tests;
