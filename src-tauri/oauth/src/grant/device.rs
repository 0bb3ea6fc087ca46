//! The device authorization grant (RFC 8628): the person types a code into a browser anywhere.

use std::time::Duration;

use oauth2::basic::BasicClient;
use oauth2::{
    ClientId, DeviceAuthorizationUrl, DeviceCodeErrorResponseType as Said, Scope,
    StandardDeviceAuthorizationResponse, TokenUrl,
};
use tidings_channel::{Config, plain};
use url::Url;

use crate::Provider;
use crate::discover::Endpoints;
use crate::failure::{Failure, of};
use crate::tokens::Tokens;
use crate::way::Way;

/// How often the provider is asked at most, whatever it wants: a hostile one must not make us ask without a pause.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);
/// The longest that it may want between two questions, and that a code may live. Too low: honest ones are refused.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the person is asked to do. Then [`Asked::answered`] waits until that is done.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The page that the person opens, on any machine.
    pub page: Url,
    /// The same with the code in it, where the provider has one.
    pub page_with_code: Option<Url>,
    /// What the person types there.
    pub code: String,
    /// How long the code is good.
    pub life: Duration,
    provider: &'a Provider,
    config: &'a Config,
    token: Url,
    details: StandardDeviceAuthorizationResponse,
}

/// Asks the provider for a code that the person types.
///
/// # Errors
/// Why there is none.
pub async fn device<'a>(provider: &'a Provider, config: &'a Config) -> Result<Asked<'a>, Failure> {
    let host = provider.host();
    let way = Way::of(config, provider);
    let Endpoints { token, device, .. } = Endpoints::find(provider, &way).await?;
    let device = device.ok_or_else(|| Failure::NotOffered { host: host.to_owned() })?;
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_device_authorization_url(DeviceAuthorizationUrl::from_url(device));
    let mut request =
        client.exchange_device_code().add_scopes(provider.scopes.iter().cloned().map(Scope::new));
    if let Some(audience) = &provider.audience {
        request = request.add_extra_param("audience", audience);
    }
    let details: StandardDeviceAuthorizationResponse =
        request.request_async(&way).await.map_err(|error| of(host, error, |_| None))?;
    let no_provider = || Failure::NoProvider { host: host.to_owned() };
    let web = |text: &str| Url::parse(text).ok().filter(|url| way.may(url));
    if details.interval() > LONGEST || details.expires_in() > LONGEST {
        return Err(no_provider());
    }
    Ok(Asked {
        page: web(details.verification_uri()).ok_or_else(no_provider)?,
        page_with_code: details.verification_uri_complete().and_then(|uri| web(uri.secret())),
        code: plain(details.user_code().secret()),
        life: details.expires_in(),
        provider,
        config,
        token,
        details,
    })
}

impl Asked<'_> {
    /// Waits until the person has done so. Dropped, it asks no more.
    ///
    /// # Errors
    /// The person said no, or took too long; or the provider wants us no more.
    pub async fn answered(self) -> Result<Tokens, Failure> {
        let Self { provider, config, token, details, .. } = self;
        let host = provider.host();
        let way = Way::of(config, provider);
        let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
            .set_token_uri(TokenUrl::from_url(token));
        let sleep = |wait: Duration| tokio::time::sleep(wait.max(LEAST_INTERVAL));
        let answer = client.exchange_device_access_token(&details).request_async(&way, sleep, None).await;
        let response = answer.map_err(|error| {
            of(host, error, |refused| match refused.error() {
                Said::AccessDenied => Some(Failure::Declined),
                Said::ExpiredToken => Some(Failure::TooLate),
                Said::AuthorizationPending | Said::SlowDown | Said::Basic(_) => None,
            })
        })?;
        Ok(Tokens::of(&response, None))
    }
}
