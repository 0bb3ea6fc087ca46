//! What a provider says of itself.

use http::{Method, Request};
use serde::Deserialize;
use url::Url;

use crate::Provider;
use crate::failure::Failure;
use crate::way::{Unanswered, Way};

/// Where a provider is asked for what. Each is an address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Where people sign in.
    pub(crate) authorization: Option<Url>,
    /// Where tokens are had.
    pub(crate) token: Url,
    /// Where a device asks for a code that a person types.
    pub(crate) device: Option<Url>,
}

/// As it stands in its description, as far as it is of use.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Url,
    device_authorization_endpoint: Option<Url>,
}

impl Endpoints {
    /// Whether people can sign in without a browser on this machine.
    pub fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// Whether people can sign in by the browser of this machine.
    pub fn has_code(&self) -> bool {
        self.authorization.is_some()
    }

    /// Asks a provider what it offers, as OpenID Connect Discovery says, and then as RFC 8414 says.
    pub(crate) async fn find(provider: &Provider, way: &Way) -> Result<Self, Failure> {
        let host = provider.host().to_owned();
        for address in addresses(&provider.issuer) {
            let request = Request::builder()
                .method(Method::GET)
                .uri(address.as_str())
                .header("accept", "application/json");
            let Ok(request) = request.body(Vec::new()) else { continue };
            let answer = match way.ask(request).await {
                Ok(answer) => answer,
                Err(Unanswered(why)) => return Err(Failure::Away { host, why: Box::new(why) }),
            };
            // Some answer every path with a page of theirs.
            if let Some(found) = read(answer.body(), provider, way).filter(|_| answer.status().is_success()) {
                return Ok(found);
            }
        }
        Err(Failure::NoProvider { host })
    }
}

/// A description, where it is this provider's own and names only what may be asked.
fn read(body: &[u8], provider: &Provider, way: &Way) -> Option<Endpoints> {
    let Description { issuer, authorization_endpoint, token_endpoint, device_authorization_endpoint } =
        serde_json::from_slice(body).ok()?;
    // Who could put another's description here would have the token sent there.
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    let all =
        [Some(&token_endpoint), authorization_endpoint.as_ref(), device_authorization_endpoint.as_ref()];
    (same(&issuer, provider.issuer.as_str()) && all.into_iter().flatten().all(|url| way.may(url))).then_some(
        Endpoints {
            authorization: authorization_endpoint,
            token: token_endpoint,
            device: device_authorization_endpoint,
        },
    )
}

/// Where the description may be.
fn addresses(issuer: &Url) -> [Url; 2] {
    let folder = issuer.path().trim_end_matches('/');
    [
        format!("{folder}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{folder}"),
    ]
    .map(|path| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url.set_query(None);
        url
    })
}

#[cfg(test)]
mod tests {
    use tidings_channel::Config;

    use super::*;

    fn described(issuer: &str, more: &str, allow_plaintext: bool) -> Option<Endpoints> {
        let provider = Provider {
            issuer: Url::parse("https://id.example/realms/shop").expect("a URL"),
            client_id: "tidings".into(),
            scopes: Vec::new(),
            audience: None,
            redirect_port: None,
            allow_plaintext,
        };
        let config = Config::new("wss://shop.example/ws".parse().expect("a URL"));
        let body = format!(r#"{{"issuer":"{issuer}",{more}}}"#);
        read(body.as_bytes(), &provider, &Way::of(&config, &provider))
    }

    #[test]
    fn a_description_is_looked_for_where_both_standards_put_it() {
        let issuer = Url::parse("https://id.example/realms/shop/").expect("a URL");
        let [oidc, oauth] = addresses(&issuer);
        assert_eq!(oidc.as_str(), "https://id.example/realms/shop/.well-known/openid-configuration");
        assert_eq!(oauth.as_str(), "https://id.example/.well-known/oauth-authorization-server/realms/shop");
        let [oidc, oauth] = addresses(&Url::parse("https://id.example").expect("a URL"));
        assert_eq!(oidc.as_str(), "https://id.example/.well-known/openid-configuration");
        assert_eq!(oauth.as_str(), "https://id.example/.well-known/oauth-authorization-server");
    }

    #[test]
    fn a_description_counts_where_it_is_the_issuers_own() {
        let token = r#""token_endpoint":"https://id.example/token""#;
        assert!(described("https://id.example/realms/shop", token, false).is_some());
        assert!(described("https://id.example/realms/shop/", token, false).is_some());
        assert_eq!(described("https://evil.example/realms/shop", token, false), None);
    }

    #[test]
    fn no_address_without_encryption_is_taken_from_a_description() {
        let token = r#""token_endpoint":"http://id.example/token""#;
        assert_eq!(described("https://id.example/realms/shop", token, false), None);
        assert!(described("https://id.example/realms/shop", token, true).is_some());
        let odd = r#""token_endpoint":"https://id.example/token","device_authorization_endpoint":"file:///etc/passwd""#;
        assert_eq!(described("https://id.example/realms/shop", odd, true), None);
    }
}
