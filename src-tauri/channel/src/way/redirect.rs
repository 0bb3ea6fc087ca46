//! What a redirect in an upgrade's place means. None is ever followed (D5).

use std::collections::BTreeSet;

use url::{Host, Url};

use crate::Cause;

/// What an answer that sends us from `from` to `to` means. `open`: anybody on the way could have answered. `by_page`: the server
/// knows us by a cookie, so that whatever it sends us to for now, other than this very path, is where one gets it (S5).
pub(crate) fn meaning(status: u16, from: &Url, to: &Url, open: bool, by_page: bool) -> Cause {
    if open && !same_site(from, to) {
        return Cause::CaptivePortal;
    }
    let for_good = matches!(status, 301 | 308);
    if is_sign_in(from, to) || (by_page && !for_good && !same_path(from, to)) {
        return Cause::SignInRefused { status };
    }
    Cause::Moved { status, same_host: from.host() == to.host(), to: shown(to) }
}

/// Whether `to` looks like a place to sign in, by what it says and `from` doesn't; `/auth/ws` is not one because a
/// slash was added.
fn is_sign_in(from: &Url, to: &Url) -> bool {
    let known = tokens(from);
    let leads_back = to.query_pairs().any(|(_, value)| from.path().len() > 1 && value.contains(from.path()));
    leads_back || tokens(to).difference(&known).any(|token| is_sign_in_word(token))
}

fn is_sign_in_word(token: &str) -> bool {
    const WHOLE: [&str; 7] = ["auth", "sso", "cas", "adfs", "idp", "oidc", "jsecuritycheck"];
    const PART: [&str; 10] = [
        "login",
        "logon",
        "signin",
        "signon",
        "oauth",
        "openid",
        "saml",
        "authoriz",
        "authenticat",
        "redirecturi",
    ];
    WHOLE.contains(&token) || PART.iter().any(|part| token.starts_with(part) || token.ends_with(part))
}

/// The words of a host, a path and a query's names; `sign-in` and `sign_in` are one.
fn tokens(url: &Url) -> BTreeSet<String> {
    let names = url.query_pairs().map(|(name, _)| name.into_owned());
    let texts = names.chain([url.host_str().unwrap_or_default().to_owned(), url.path().to_owned()]);
    let joined = texts.map(|text| text.replace(['-', '_'], "").to_lowercase());
    joined
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// `/ws/` for `/ws`, on whatever host.
fn same_path(from: &Url, to: &Url) -> bool {
    bare_path(from).trim_end_matches('/') == bare_path(to).trim_end_matches('/')
}

/// Without the parameters of its segments, in which servlet containers write the session's id (`;jsessionid=…`).
fn bare_path(url: &Url) -> String {
    let segments = url.path().split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

/// As the settings would have it, without what may be a secret.
fn shown(to: &Url) -> String {
    let mut shown = to.clone();
    shown.set_path(&bare_path(to));
    shown.set_query(None);
    shown.set_fragment(None);
    // Of a URL without a host: nothing to hide then.
    let _ = shown.set_username("").and_then(|()| shown.set_password(None));
    match shown.as_str().split_once("://") {
        Some(("https", rest)) => format!("wss://{rest}"),
        Some(("http", rest)) => format!("ws://{rest}"),
        _ => shown.to_string(),
    }
}

/// Whether two hosts are the same, or share a domain of at least two labels, as `login.shop.example` and
/// `ws.shop.example` do.
fn same_site(one: &Url, other: &Url) -> bool {
    let (Some(one), Some(other)) = (one.host(), other.host()) else { return false };
    let (Host::Domain(a), Host::Domain(b)) = (&one, &other) else { return one == other };
    let shared = a.rsplit('.').zip(b.rsplit('.')).take_while(|(a, b)| a == b).count();
    a == b || shared >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(location: &str, from: &str, open: bool) -> String {
        told(307, location, from, open, false)
    }

    fn told(status: u16, location: &str, from: &str, open: bool, by_page: bool) -> String {
        let from = Url::parse(from).expect("a URL");
        let to = from.join(location).expect("a good location");
        meaning(status, &from, &to, open, by_page).to_string()
    }

    #[test]
    fn whoever_is_known_by_a_cookie_is_sent_to_where_one_gets_it() {
        let sign_in = |status| format!("the server asks for a sign-in ({status})");
        for (status, location, from, open) in [
            (302, "https://id.example/start", "https://shop.example/ws", false),
            (303, "/welcome", "https://shop.example/ws", false),
            (302, "/welcome;jsessionid=s3cret", "http://shop.example/ws", true),
            (302, "http://127.0.0.1:9/x", "http://127.0.0.1:8/ws", false),
            (301, "/login", "https://shop.example/ws", false),
        ] {
            assert_eq!(told(status, location, from, open, true), sign_in(status), "{location}");
        }
        for (status, location, from) in [
            (302, "https://shop.example/ws", "http://shop.example/ws"),
            (307, "/ws/;jsessionid=s3cret", "https://shop.example/ws"),
            (301, "/v2/ws", "https://shop.example/ws"),
        ] {
            let told = told(status, location, from, false, true);
            assert!(told.starts_with("the address moved to wss://shop.example/"), "{location}: {told}");
        }
        let foreign = told(302, "http://portal.example/", "http://shop.example/ws", true, true);
        assert_eq!(foreign, "this network asks for a sign-in first");
    }

    #[test]
    fn a_sessions_id_in_a_path_is_told_to_nobody() {
        for location in [
            "/v2/ws;jsessionid=s3cret",
            "/a;jsessionid=s3cret/ws",
            "https://b.example/ws;JSESSIONID=s3cret;x=s3cret?y",
        ] {
            let told = of(location, "https://shop.example/ws", false);
            assert!(told.contains("/ws") && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn only_what_looks_like_a_sign_in_is_one() {
        for location in [
            "/login",
            "/accounts/login/?next=/ws",
            "/users/sign_in",
            "/Account/LogOn",
            "/sso/start",
            "/auth/realms/x",
            "/j_security_check",
            "/?returnUrl=%2Fws",
            "/saml2/idp",
            "https://login.shop.example/",
            "https://accounts.google.com/o/oauth2/v2/auth?client_id=x",
            "https://team.cloudflareaccess.com/cdn-cgi/access/login/x",
            "/welcome?redirect_uri=x",
        ] {
            assert_eq!(
                of(location, "https://shop.example/ws", false),
                "the server asks for a sign-in (307)",
                "{location}"
            );
        }
        for (location, from, moved) in [
            ("/ws/", "https://shop.example/ws", "wss://shop.example/ws/"),
            ("/auth/ws/", "https://shop.example/auth/ws", "wss://shop.example/auth/ws/"),
            ("https://sso.shop.example/ws", "http://sso.shop.example/ws", "wss://sso.shop.example/ws"),
            (
                "//shop.example:8443/ws?token=s3cret#x",
                "https://shop.example/ws",
                "wss://shop.example:8443/ws",
            ),
            ("https://ann:s3cret@shop.example/v2/ws", "https://shop.example/ws", "wss://shop.example/v2/ws"),
            ("/author/ws", "https://shop.example/ws", "wss://shop.example/author/ws"),
            ("/blog", "https://shop.example/ws", "wss://shop.example/blog"),
        ] {
            assert_eq!(
                of(location, from, false),
                format!("the address moved to {moved} (307)"),
                "{location}"
            );
        }
        assert_eq!(
            of("https://www.example/ws", "https://shop.example/ws", false),
            "the server redirects elsewhere (307): wss://www.example/ws"
        );
    }

    #[test]
    fn over_plaintext_a_foreign_host_is_a_portal() {
        let portal = "this network asks for a sign-in first";
        assert_eq!(of("http://portal.example/login", "http://shop.example/", true), portal);
        assert_eq!(of("http://10.0.0.1/", "http://shop.example/", true), portal);
        assert_eq!(of("/login", "http://shop.example/ws", true), "the server asks for a sign-in (307)");
    }
}
