//! Signing in, at a web app or an OAuth provider: where its page is, what comes of it, and how the sign-in does.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A cookie on its way from the page that the user signed in on. Goes one way only, and its value shows nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, as the server wrote it: quotes are part of it.
    pub value: String,
    /// Whose it is: with a leading dot that host and all below it, else that host alone; empty: the channel's host.
    #[serde(default)]
    pub domain: String,
    /// Below which path it is sent.
    #[serde(default = "root")]
    pub path: String,
    /// Until when; absent: as long as the session lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Sent over encrypted connections alone.
    #[serde(default)]
    pub secure: bool,
    /// Not for scripts.
    #[serde(default)]
    pub http_only: bool,
}

fn root() -> String {
    "/".to_owned()
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// Where and how a channel's user signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInPage {
    /// The channel's id.
    pub channel: String,
    /// Its name for people.
    pub name: String,
    /// Where its link goes, `ws` or `wss`, without a query: the cookies that this address gets are the channel's.
    pub url: String,
    /// What else is asked for by the session, in the same form: what keeps it alive, and what ends it.
    pub also: Vec<String>,
    /// The page that the sign-in begins on, `http` or `https`.
    pub sign_in: String,
    /// `ca_file`, whose certificates the view has to trust.
    pub ca_file: Option<String>,
    /// The proxy to go through, without a password.
    pub proxy: Option<String>,
    /// Hosts that are reached without it: names (with a dot before them: what is below), addresses and networks.
    pub direct: Vec<String>,
    /// Why the last sign-in is of no use, for people; absent where there was none.
    pub refused: Option<String>,
}

/// What the user does in a browser anywhere, to sign in at a channel's provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeCode {
    /// The page to open.
    pub page: String,
    /// The same with the code in it already, where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_with_code: Option<String>,
    /// What is typed there.
    pub code: String,
    /// How long the code is good, seconds.
    pub valid_s: u64,
}

/// Who keeps a session's cookies, or a provider's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SessionKept {
    /// The desktop's keyring.
    Keyring,
    /// This process's memory alone: they are gone when Tidings ends.
    Memory,
    /// What the settings name, such as `token_command`.
    Settings,
}

/// How a channel's sign-in does: the session of a web app, or the one at an OAuth provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionReport {
    /// The page that the sign-in begins on, or the provider.
    pub sign_in: String,
    /// Which setting gives the session, such as `token_command`; absent where the user signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub given_by: Option<String>,
    /// Who keeps the cookies or tokens; absent while there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub kept: Option<SessionKept>,
    /// The provider is none, or doesn't want Tidings: who signs in gets nothing by that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub in_vain: bool,
    /// The shortest time after which the site was seen to end a session that asked for no page, seconds; `null` until that
    /// was seen.
    pub life_s: Option<f64>,
    /// A page is asked for every so many seconds, so that the session lives on; `null` where it isn't.
    pub kept_alive_s: Option<f64>,
    /// When the session was last seen to live.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub alive_at: Option<Timestamp>,
}
