//! What a provider gives, and how it is renewed.

use std::fmt;
use std::time::{Duration, SystemTime};

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{ClientId, RefreshToken, TokenResponse, TokenUrl};
use serde::{Deserialize, Serialize};
use tidings_channel::Config;

use crate::Provider;
use crate::discover::Endpoints;
use crate::failure::{Failure, of};
use crate::life::ends_at;
use crate::way::Way;

/// What a provider gave. Its JSON is what the keyring keeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What the server is shown.
    pub access_token: String,
    /// What a new one is had for; `None`: nothing, and so the person signs in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// When the access token ends, seconds since 1970; `None`: the provider doesn't tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
}

/// Without what is secret.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl Tokens {
    /// As they came, now.
    pub(crate) fn of(response: &BasicTokenResponse, before: Option<&Self>) -> Self {
        let ends = |life: Duration| SystemTime::now().checked_add(life);
        let access_token = response.access_token().secret().clone();
        let ends = response.expires_in().and_then(ends).or_else(|| ends_at(&access_token));
        Self {
            // One that isn't replaced goes on (RFC 6749, section 6).
            refresh_token: match response.refresh_token() {
                Some(token) => Some(token.secret().clone()),
                None => before.and_then(|tokens| tokens.refresh_token.clone()),
            },
            expires_at: ends
                .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok())
                .map(|at| at.as_secs()),
            access_token,
        }
    }

    /// When the access token ends, where that is known.
    pub fn ends_at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.expires_at?))
    }
}

/// Has new tokens for old ones.
///
/// # Errors
/// [`Failure::SignIn`] where only the person can get new ones.
pub async fn refresh(
    provider: &Provider,
    config: &Config,
    endpoints: &mut Option<Endpoints>,
    tokens: &Tokens,
) -> Result<Tokens, Failure> {
    let host = provider.host();
    let sign_in = || Failure::SignIn { host: host.to_owned() };
    let old = tokens.refresh_token.clone().map(RefreshToken::new).ok_or_else(sign_in)?;
    let way = Way::of(config, provider);
    let found = match endpoints {
        Some(found) => found,
        None => endpoints.insert(Endpoints::find(provider, &way).await?),
    };
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_token_uri(TokenUrl::from_url(found.token.clone()));
    let answer = client.exchange_refresh_token(&old).request_async(&way).await;
    match answer {
        Ok(response) => Ok(Tokens::of(&response, Some(tokens))),
        Err(error) => {
            // What it says of itself may be another thing by now.
            *endpoints = None;
            Err(of(host, error, |refused| {
                matches!(refused.error(), BasicErrorResponseType::InvalidGrant).then(sign_in)
            }))
        }
    }
}
