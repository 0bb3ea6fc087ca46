//! How long a token lives, and when it is renewed.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The part of a token's life that is left when it is renewed. Too small: a provider that is slow or away for a moment
/// makes a gap; too large: more renewals than there need be.
const LEFT: u32 = 5;
/// At most so much of it, however long it lives.
const MOST_LEFT: Duration = Duration::from_secs(5 * 60);
/// No token is renewed sooner than this after it was had. Too low: one that lives for a moment has us dial all the time; too
/// high: none that lives shorter is renewed in time.
const SOONEST: Duration = Duration::from_secs(10);

/// What of a JWT's claims is of use here.
#[derive(Deserialize)]
struct Claims {
    /// NumericDate: seconds since 1970, possibly with a fraction.
    exp: Option<f64>,
}

/// When a token ends, where it says so itself: a JWT with `exp` (RFC 7519). It is not verified: who could, refuses it.
pub fn ends_at(token: &str) -> Option<SystemTime> {
    let mut parts = token.split('.');
    let (_head, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let exp = Duration::try_from_secs_f64(claims.exp?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(exp)
}

/// When a token that is had now and ends then is renewed; `None`: it has ended, or lives too short for it.
pub fn renewed_at(now: SystemTime, ends: SystemTime) -> Option<SystemTime> {
    let life = ends.duration_since(now).ok()?;
    let wait = life.saturating_sub((life / LEFT).min(MOST_LEFT)).max(SOONEST);
    now.checked_add(wait).filter(|at| *at < ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_that_tells_its_end_is_believed() {
        let at = |seconds: f64| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds));
        assert_eq!(ends_at(&jwt(r#"{"sub":"me","exp":1900000000}"#)), at(1_900_000_000.0));
        assert_eq!(ends_at(&jwt(r#"{"exp":1900000000.5}"#)), at(1_900_000_000.5));
    }

    #[test]
    fn what_tells_no_end_has_none() {
        let odd = [
            r#"{"exp":-1}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":"soon"}"#,
            r#"{"exp":null}"#,
            "{}",
            "[]",
            "{",
            "",
        ];
        for claims in odd {
            assert_eq!(ends_at(&jwt(claims)), None, "{claims}");
        }
        for token in ["", "tk_abc", "a.b", "a.b.c", "....", "e30.e30.e30.e30", "é.é.é"] {
            assert_eq!(ends_at(token), None, "{token}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends_and_never_at_once() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let wait = |life: u64| {
            renewed_at(now, now + Duration::from_secs(life))
                .map(|at| at.duration_since(now).unwrap_or_default().as_secs())
        };
        assert_eq!(wait(60), Some(48));
        assert_eq!(wait(300), Some(240));
        assert_eq!(wait(3600), Some(3300));
        assert_eq!(wait(11), Some(10));
        assert_eq!(wait(10), None);
        assert_eq!(renewed_at(now, now - Duration::from_secs(1)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_token_makes_it_panic(token in ".{0,200}", claims in ".{0,60}", exp: f64) {
            let _ = ends_at(&token);
            let _ = ends_at(&jwt(&claims));
            if let Some(ends) = ends_at(&jwt(&format!(r#"{{"exp":{exp}}}"#))) {
                let _ = renewed_at(SystemTime::UNIX_EPOCH, ends);
            }
        }
    }
}
