//! Signs a channel in by OAuth 2.0, and keeps it signed in: the authorization code grant with PKCE over loopback (RFC 8252,
//! RFC 7636), the device authorization grant (RFC 8628), the provider's own description (OpenID Connect Discovery, RFC 8414), and
//! refreshing. All of it goes over the channel's own way; none of it knows where tokens are kept.
//!
//! Tidings is a public client: it has no secret of its own, as no program on people's machines has.

mod discover;
mod failure;
mod grant;
mod life;
mod tokens;
mod way;

pub use discover::Endpoints;
pub use failure::Failure;
pub use grant::code::{Redirected, code};
pub use grant::device::{Asked, device};
pub use life::{ends_at, renewed_at};
pub use tokens::{Tokens, refresh};

use url::Url;

/// Who signs people in, and what we are called there: `[channel.oauth]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `issuer`: where the provider's description of itself is found.
    pub issuer: Url,
    /// `client_id`, as the provider knows us.
    pub client_id: String,
    /// `scopes`.
    pub scopes: Vec<String>,
    /// `audience`: whom the token is for, where the provider wants to be told.
    pub audience: Option<String>,
    /// `redirect_port`: the port of this machine that the provider sends the browser back to; `None`: any.
    pub redirect_port: Option<u16>,
    /// Whether the channel may go without encryption to other machines.
    pub allow_plaintext: bool,
}

impl Provider {
    /// Its host, for people.
    pub fn host(&self) -> &str {
        self.issuer.host_str().unwrap_or_default()
    }
}
