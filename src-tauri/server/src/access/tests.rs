use std::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::access::tokens::parse_tokens;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

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
        closed.user(&HeaderMap::new(), HERE, Some("ann")),
        Err(Denied::Unknown("send a bearer token")),
        "?user= is no credential there"
    );
}

#[test]
fn only_the_whole_right_token_opens() {
    let access = Access::of(&with_token()).expect("good options");
    let user = |value| {
        access.user(&headers(&[(header::AUTHORIZATION, value)]), HERE, None).ok().map(|guest| guest.user)
    };
    assert_eq!(user("Bearer s3cret").as_deref(), Some("ann"));
    assert_eq!(user("bearer s3cret").as_deref(), Some("ann"));
    for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Bearer", "Basic s3cret", "s3cret"] {
        assert_eq!(user(wrong), None, "{wrong}");
    }
    let twice = ["Bearer s3cret", "Bearer s3cret"].map(|value| (header::AUTHORIZATION, value));
    let twice = headers(&twice[..1]).into_iter().chain(headers(&twice[1..])).fold(
        HeaderMap::new(),
        |mut all, (name, value)| {
            all.append(name.expect("each has one"), value);
            all
        },
    );
    assert!(access.user(&twice, HERE, None).is_err(), "a proxy might have looked at the other one");
}

#[test]
fn a_foreign_page_finds_the_open_door_shut() {
    let access = Access::of(&Options::default()).expect("good options");
    let from = |origin| access.push(&headers(&[(header::ORIGIN, origin)]), HERE).map(|_| ());
    for own in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"] {
        assert_eq!(from(own), Ok(()), "{own}");
    }
    for foreign in ["https://evil.example", "null", "http://localhost.evil.example", "file://"] {
        assert_eq!(from(foreign), Err(Denied::ForeignPage), "{foreign}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let options = Options { push_token: Some("push-s3cret".into()), ..with_token() };
    assert!(!format!("{options:?}").contains("s3cret"));
    let bad = Options { push_token: Some("s3cret mit space".into()), ..Options::default() };
    let error = Access::of(&bad).err().expect("refused");
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}
