//! What a close and an upgrade's answer mean: the two tables of the specification, as functions from a
//! [`Cause`] to a [`Verdict`]. Who waits how long for it is [`delay`](crate::end::delay)'s business.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::end::cause::{Cause, Stage};
use crate::end::close::{CloseInfo, INVALID_TEXT, PROTOCOL, TOO_BIG};
use crate::end::detail::Detail;
use crate::timing::Timing;

/// What follows from the end of a link or a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ordinary delay (B1) whose first is at most the setting.
    Ordinary,
    /// The same after so many links in a row that were ended because nothing came: each longer than the one before.
    Unanswered(u32),
    /// Ordinary delay after a local cause.
    Local,
    /// Ordinary delay, but with its first of at least this.
    GoingAway,
    /// Back at some time between 5 and 30 s.
    Restart,
    /// At least this long (B2).
    Floor(Duration),
    /// At least this long and ever longer, with the credential read again.
    FloorAndRefresh(Duration),
    /// The credential may be over: it is read again for an ordinary delay, and for floors that grow after that.
    Refresh,
    /// 404: slow, and ever slower.
    WrongAddress,
    /// The server said when.
    RetryAfter(Duration),
    /// The credential is read once more; refused again, the user is needed.
    SignIn,
    /// Only the user can mend it.
    NeedsUser,
    /// Another instance has the channel.
    Quiet,
}

/// Whether a link that its peer ended so may have been ended for its silence (L5).
pub(crate) fn is_ordinary(cause: &Cause, quiet: &BTreeSet<u16>, timing: &Timing) -> bool {
    let verdict = verdict(cause, None, quiet, timing);
    matches!(verdict, Verdict::Ordinary | Verdict::GoingAway)
}

/// What follows from `cause`; `retry_after` is what the server's answer asked for.
pub(crate) fn verdict(
    cause: &Cause,
    retry_after: Option<Duration>,
    quiet: &BTreeSet<u16>,
    timing: &Timing,
) -> Verdict {
    let after = retry_after.map(|after| after.clamp(timing.retry_after_least, timing.retry_after_most));
    match (cause, after) {
        // It is honoured wherever a server says it; who has to sign in, or is behind a portal, isn't helped by it alone.
        (Cause::Status { status: 511 }, _) => Verdict::Floor(timing.portal_floor),
        (
            Cause::Status { .. }
            | Cause::Answered { .. }
            | Cause::Busy { .. }
            | Cause::Limit { .. }
            | Cause::Moved { .. }
            | Cause::WrongAddress { .. }
            | Cause::NoSockJs { .. }
            | Cause::NotAWebSocket { .. },
            Some(after),
        ) => Verdict::RetryAfter(after),
        _ => of_cause(cause, quiet, timing),
    }
}

fn of_cause(cause: &Cause, quiet: &BTreeSet<u16>, timing: &Timing) -> Verdict {
    match cause {
        Cause::Closed(close) => after_close(close, quiet, timing),
        Cause::Refused { code: TOO_BIG, .. } => Verdict::Floor(timing.too_big_floor),
        Cause::Refused { .. } => Verdict::Floor(timing.refused_floor),
        Cause::Lost { .. }
        | Cause::Silent { .. }
        | Cause::Unanswered { .. }
        | Cause::WriteStalled
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::TimedOut { .. }
        | Cause::Proxy { .. }
        | Cause::ProxyAway(_)
        | Cause::Tls { .. }
        // The clock is set by itself soon after a start.
        | Cause::Clock { .. }
        | Cause::StreamOver
        | Cause::Overtaken => Verdict::Ordinary,
        Cause::Certificate { .. } | Cause::WrongName { .. } => Verdict::Floor(timing.certificate_floor),
        Cause::Status { status } | Cause::Answered { status } | Cause::NoSockJs { status } => {
            after_status(*status, timing)
        }
        Cause::Busy { .. } | Cause::Limit { .. } => Verdict::Ordinary,
        // Waiting may mend it where something in front hangs up for a server that is not there yet.
        Cause::WrongAddress { status: None } => Verdict::Ordinary,
        Cause::WrongAddress { status: Some(_) } => Verdict::WrongAddress,
        Cause::SignInRefused { .. } | Cause::Denied { .. } | Cause::SessionOver { .. } => Verdict::SignIn,
        Cause::RoleMissing { .. } | Cause::NoMore => Verdict::NeedsUser,
        Cause::TakenOver => Verdict::Quiet,
        Cause::Broker { code, .. } => after_reason(*code, timing),
        Cause::Moved { .. } | Cause::NotAWebSocket { .. } | Cause::NoGoodAnswer { .. } | Cause::Foreign { .. } => {
            Verdict::Floor(timing.not_websocket_floor)
        }
        Cause::CaptivePortal => Verdict::Floor(timing.portal_floor),
        Cause::ProviderAway { .. } => Verdict::Ordinary,
        Cause::Owner { .. } => Verdict::NeedsUser,
        Cause::Local => Verdict::Local,
    }
}

/// What a broker's reason code means (MQTT 5.0, section 2.4).
fn after_reason(code: u8, timing: &Timing) -> Verdict {
    match code {
        0x8E => Verdict::Quiet,
        // Every client of that broker hears it.
        0x88 | 0x8B => Verdict::GoingAway,
        0x89 | 0x96 | 0x9F => Verdict::Restart,
        0x86 | 0x87 | 0x8A | 0x8C => Verdict::SignIn,
        // The settings, or who runs the broker.
        0x85 | 0x8F..=0x91 | 0x98..=0x9B | 0x9E | 0xA1 | 0xA2 => Verdict::NeedsUser,
        0x84 | 0x9C | 0x9D => Verdict::Floor(timing.not_websocket_floor),
        0x95 | 0x97 => Verdict::Floor(timing.too_big_floor),
        0x81 | 0x82 | 0x93 | 0x94 => Verdict::Floor(timing.refused_floor),
        _ => Verdict::Ordinary,
    }
}

/// Whether waiting hardly mends it, so that it is shown as an error once it comes again and again.
pub(crate) fn is_in_vain(cause: &Cause) -> bool {
    match cause {
        Cause::Closed(close) => {
            !close.is_of_sockjs() && matches!(close.code, PROTOCOL | 1003 | INVALID_TEXT | 1010)
        }
        Cause::Refused { code, .. } => *code != TOO_BIG,
        Cause::Status { status } | Cause::Answered { status } | Cause::NoSockJs { status } => {
            matches!(status, 404 | 410)
        }
        Cause::Lost { detail } => *detail == Detail::HungUp,
        Cause::Moved { .. } | Cause::WrongAddress { .. } | Cause::Foreign { .. } => true,
        Cause::Busy { .. }
        | Cause::Limit { .. }
        | Cause::Silent { .. }
        | Cause::Unanswered { .. }
        | Cause::WriteStalled
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::TimedOut { .. }
        | Cause::Tls { .. }
        | Cause::Clock { .. }
        | Cause::Certificate { .. }
        | Cause::WrongName { .. }
        | Cause::Proxy { .. }
        | Cause::ProxyAway(_)
        | Cause::SignInRefused { .. }
        | Cause::SessionOver { .. }
        | Cause::RoleMissing { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::NoGoodAnswer { .. }
        | Cause::StreamOver
        | Cause::NoMore
        | Cause::CaptivePortal
        | Cause::Owner { .. }
        | Cause::ProviderAway { .. }
        | Cause::Denied { .. }
        | Cause::TakenOver
        | Cause::Broker { .. }
        | Cause::Overtaken
        | Cause::Local => false,
    }
}

/// Whether it is a certificate for the right host of somebody whom nobody here knows.
pub(crate) fn is_untrusted(cause: &Cause) -> bool {
    let Cause::Certificate { detail } = cause else { return false };
    matches!(detail, Detail::SelfSigned | Detail::ComesAlone { .. } | Detail::UnknownAuthority { .. })
}

/// Whether an upgrade that was asked for and failed so after `took` may still be completed by the server (R3).
pub(crate) fn may_be_completed(cause: &Cause, took: Duration, timing: &Timing) -> bool {
    match cause {
        Cause::TimedOut { stage } => stage.may_be_late(),
        // A proxy's word that it waits no longer. (524 is Cloudflare's.)
        Cause::Status { status: 504 | 524 } => true,
        Cause::Lost { .. } => took >= timing.ghost_broken_off,
        Cause::Closed(_)
        | Cause::Silent { .. }
        | Cause::Unanswered { .. }
        | Cause::WriteStalled
        | Cause::Refused { .. }
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::Tls { .. }
        | Cause::Certificate { .. }
        | Cause::Clock { .. }
        | Cause::WrongName { .. }
        | Cause::Proxy { .. }
        | Cause::ProxyAway(_)
        | Cause::Status { .. }
        | Cause::Answered { .. }
        | Cause::Busy { .. }
        | Cause::Limit { .. }
        | Cause::Moved { .. }
        | Cause::WrongAddress { .. }
        | Cause::SignInRefused { .. }
        | Cause::SessionOver { .. }
        | Cause::RoleMissing { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::NoGoodAnswer { .. }
        | Cause::NoSockJs { .. }
        | Cause::StreamOver
        | Cause::NoMore
        | Cause::CaptivePortal
        | Cause::Owner { .. }
        | Cause::ProviderAway { .. }
        | Cause::Denied { .. }
        | Cause::TakenOver
        | Cause::Broker { .. }
        | Cause::Foreign { .. }
        | Cause::Overtaken
        | Cause::Local => false,
    }
}

/// Whether this end, however soon it comes, has nothing to do with the credential.
pub(crate) fn explains_itself(cause: &Cause) -> bool {
    let Cause::Closed(CloseInfo { code, .. }) = cause else { return false };
    matches!(*code, 1001..=1003 | INVALID_TEXT | TOO_BIG | 1010 | 1012 | 1013)
}

/// Whether the peer ended the link over the credential, as far as its close says.
pub(crate) fn is_over_credential(cause: &Cause) -> bool {
    let Cause::Closed(close) = cause else { return false };
    let CloseInfo { code, reason } = close;
    !close.is_of_sockjs() && matches!(*code, 1008 | 3000 | 3003)
        || SIGN_IN_CODES.contains(code)
        || is_about_credential(reason)
}

/// Whether the server is not there, by its own or its proxy's word or by none.
pub(crate) fn is_away(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Unreachable { .. }
            | Cause::Lost { .. }
            | Cause::Busy { .. }
            | Cause::TimedOut { stage: Stage::Tcp | Stage::Tls | Stage::Upgrade }
            | Cause::Status { status: 500..=599 }
            | Cause::Answered { status: 500..=599 }
    )
}

/// Whether waiting hardly mends it, since somebody has to change something: the secret, the settings, this machine, or the
/// server. Of what may be either, such as a name that isn't found, nobody can tell.
pub fn needs_a_person(cause: &Cause) -> bool {
    match cause {
        Cause::Closed(_) => is_over_credential(cause),
        Cause::Tls { detail } => matches!(
            detail,
            Detail::NoTls
                | Detail::NothingInCommon
                | Detail::UnknownHere
                | Detail::NoEncryption
                | Detail::Alert(_)
        ),
        Cause::Proxy { detail } => {
            matches!(detail, Detail::ProxyAddress | Detail::ProxyHost | Detail::ProxyForbids)
        }
        Cause::Status { status } | Cause::Answered { status } | Cause::NoSockJs { status } => {
            matches!(status, 501 | 505 | 506 | 510 | 511) || (*status < 500 && !passes(*status))
        }
        // More subscriptions than there may be.
        Cause::Limit { code } => *code == 42903,
        Cause::Broker { code, .. } => {
            matches!(code, 0x84..=0x87 | 0x8A | 0x8C | 0x8F..=0x91 | 0x98..=0x9E | 0xA1 | 0xA2)
        }
        Cause::Clock { .. }
        | Cause::Certificate { .. }
        | Cause::WrongName { .. }
        | Cause::Moved { .. }
        | Cause::WrongAddress { .. }
        | Cause::SignInRefused { .. }
        | Cause::SessionOver { .. }
        | Cause::RoleMissing { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::NoGoodAnswer { .. }
        | Cause::NoMore
        | Cause::CaptivePortal
        | Cause::Owner { .. }
        | Cause::Denied { .. }
        | Cause::Foreign { .. } => true,
        Cause::Lost { .. }
        | Cause::Silent { .. }
        | Cause::Unanswered { .. }
        | Cause::WriteStalled
        | Cause::Refused { .. }
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::TimedOut { .. }
        | Cause::ProxyAway(_)
        | Cause::Busy { .. }
        | Cause::StreamOver
        | Cause::ProviderAway { .. }
        | Cause::TakenOver
        | Cause::Overtaken
        | Cause::Local => false,
    }
}

/// Whether another credential may mend it, so that one that changes is tried at once.
pub(crate) fn may_be_the_credential(cause: &Cause) -> bool {
    is_over_credential(cause)
        || matches!(
            cause,
            Cause::SignInRefused { .. }
                | Cause::SessionOver { .. }
                | Cause::RoleMissing { .. }
                | Cause::Denied { .. }
                | Cause::Owner { .. }
                | Cause::ProviderAway { .. }
                | Cause::CaptivePortal
                | Cause::Moved { .. }
                | Cause::WrongAddress { status: Some(_) }
                | Cause::NotAWebSocket { .. }
        )
        || matches!(cause, Cause::Status { status: status @ 200..=499 } | Cause::Answered { status: status @ 200..=499 } | Cause::NoSockJs { status: status @ 200..=499 } if !passes(*status))
}

/// Codes by which applications say that the credential is over, since browsers can't be told by a status.
const SIGN_IN_CODES: [u16; 4] = [4001, 4003, 4401, 4403];

fn after_close(close: &CloseInfo, quiet: &BTreeSet<u16>, timing: &Timing) -> Verdict {
    let CloseInfo { code, reason } = close;
    if quiet.contains(code) && close.other_meaning().is_none() {
        return Verdict::Quiet;
    }
    match *code {
        _ if close.is_of_sockjs() => Verdict::Ordinary,
        1001 => Verdict::GoingAway,
        1012 | 1013 => Verdict::Restart,
        PROTOCOL | 1003 | INVALID_TEXT | 1010 => Verdict::Floor(timing.refused_floor),
        1008 | 3000 | 3003 => Verdict::FloorAndRefresh(timing.refused_floor),
        TOO_BIG => Verdict::Floor(timing.too_big_floor),
        code if SIGN_IN_CODES.contains(&code) || is_about_credential(reason) => Verdict::Refresh,
        _ => Verdict::Ordinary,
    }
}

fn is_about_credential(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| reason.contains(mark));
    // A token alone may be one of a grammar: "Unexpected token < in JSON".
    let is_over = has(&["expire", "invalid", "revoke", "missing", "required", "wrong", "bad "]);
    has(&["unauthori", "unauthenti", "credential", "jwt"]) || (has(&["token", "session"]) && is_over)
}

/// By one question: does waiting mend it?
fn after_status(status: u16, timing: &Timing) -> Verdict {
    match status {
        401 | 403 | 407 => Verdict::SignIn,
        404 | 410 => Verdict::WrongAddress,
        // The server can't do what was asked, and won't soon.
        501 | 505 | 506 | 510 => Verdict::Floor(timing.not_websocket_floor),
        status if passes(status) => Verdict::Ordinary,
        _ => Verdict::Floor(timing.not_websocket_floor),
    }
}

/// What a server, or a balancer in its place, says of this moment: a time-out (408, 460, 499), a conflict with something that goes
/// on (409, 423), a connection that was the wrong one (421), too early (425), too often (420, 429), something else that failed
/// (424), try again (449), and whatever is its own fault.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 409 | 420 | 421 | 423 | 424 | 425 | 429 | 449 | 460 | 499 | 500..=599)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::close::REPLACED;

    fn close(code: u16) -> Verdict {
        let cause = Cause::Closed(CloseInfo { code, reason: String::new() });
        verdict(&cause, None, &BTreeSet::from([REPLACED]), &Timing::default())
    }

    fn answer(status: u16, retry_after: Option<u64>) -> Verdict {
        let after = retry_after.map(Duration::from_secs);
        verdict(&Cause::Status { status }, after, &BTreeSet::new(), &Timing::default())
    }

    const FLOOR_30: Verdict = Verdict::Floor(Duration::from_secs(30));
    const REFRESH_30: Verdict = Verdict::FloorAndRefresh(Duration::from_secs(30));

    #[test]
    fn every_close_code_does_what_the_table_says() {
        for (code, expected) in [
            (0, Verdict::Ordinary),
            (999, Verdict::Ordinary),
            (1000, Verdict::Ordinary),
            (1001, Verdict::GoingAway),
            (1002, FLOOR_30),
            (1003, FLOOR_30),
            (1004, Verdict::Ordinary),
            (1005, Verdict::Ordinary),
            (1006, Verdict::Ordinary),
            (1007, FLOOR_30),
            (1008, REFRESH_30),
            (1009, Verdict::Floor(Duration::from_secs(60))),
            (1010, FLOOR_30),
            (1011, Verdict::Ordinary),
            (1012, Verdict::Restart),
            (1013, Verdict::Restart),
            (1014, Verdict::Ordinary),
            (1015, Verdict::Ordinary),
            (2999, Verdict::Ordinary),
            (3000, REFRESH_30),
            (3001, Verdict::Ordinary),
            (3002, Verdict::Ordinary),
            (3003, REFRESH_30),
            (3004, Verdict::Ordinary),
            (4000, Verdict::Ordinary),
            (4001, Verdict::Refresh),
            (4002, Verdict::Ordinary),
            (4003, Verdict::Refresh),
            (4004, Verdict::Ordinary),
            (4400, Verdict::Ordinary),
            (4401, Verdict::Refresh),
            (4402, Verdict::Ordinary),
            (4403, Verdict::Refresh),
            (4404, Verdict::Ordinary),
            (4499, Verdict::Ordinary),
            (4500, Verdict::Quiet),
            (4501, Verdict::Ordinary),
            (5000, Verdict::Ordinary),
            (u16::MAX, Verdict::Ordinary),
        ] {
            assert_eq!(close(code), expected, "close code {code}");
        }
    }

    #[test]
    fn a_reason_about_the_credential_has_it_read_again_whatever_the_code() {
        let after = |code, reason: &str| {
            let cause = Cause::Closed(CloseInfo { code, reason: reason.to_owned() });
            verdict(&cause, None, &BTreeSet::from([REPLACED]), &Timing::default())
        };
        for reason in
            ["Token expired", "unauthorized", "JWT is over", "invalid credentials", "Session expired"]
        {
            for code in [1000, 1011, 4100] {
                assert_eq!(after(code, reason), Verdict::Refresh, "{code} {reason}");
            }
            assert_eq!(after(1001, reason), Verdict::GoingAway, "all clients hear it");
            assert_eq!(after(REPLACED, reason), Verdict::Quiet);
        }
        for other in ["Connection Idle Timeout", "Unexpected token < in JSON at position 0", "session moved"]
        {
            assert_eq!(after(1011, other), Verdict::Ordinary, "{other}");
        }
    }

    #[test]
    fn a_4500_that_gives_another_reason_is_no_take_over() {
        for (code, reason, expected) in [
            (4500, "", Verdict::Quiet),
            (4500, "replaced by a newer connection", Verdict::Quiet),
            (4500, "Failed to send message within the configured send limit", Verdict::Ordinary),
            (4500, "failed to send message within the configured send limit.", Verdict::Ordinary),
            (4500, "Internal server error", Verdict::Ordinary),
            (4500, "Another session", Verdict::Quiet),
            (4501, "Failed to send message within the configured send limit", Verdict::Ordinary),
        ] {
            let cause = Cause::Closed(CloseInfo { code, reason: reason.to_owned() });
            let verdict = verdict(&cause, None, &BTreeSet::from([REPLACED]), &Timing::default());
            assert_eq!(verdict, expected, "{code} {reason}");
        }
    }

    #[test]
    fn which_codes_mean_replaced_is_a_setting() {
        let cause = |code| Cause::Closed(CloseInfo { code, reason: String::new() });
        let quiet = BTreeSet::from([4000]);
        let timing = Timing::default();
        assert_eq!(verdict(&cause(4000), None, &quiet, &timing), Verdict::Quiet);
        assert_eq!(verdict(&cause(REPLACED), None, &quiet, &timing), Verdict::Ordinary);
    }

    #[test]
    fn every_upgrade_answer_does_what_the_table_says() {
        let slow = Verdict::Floor(Duration::from_secs(300));
        let passing = Verdict::Ordinary;
        for (status, expected) in [
            (200, slow),
            (301, slow),
            (400, slow),
            (401, Verdict::SignIn),
            (402, slow),
            (403, Verdict::SignIn),
            (404, Verdict::WrongAddress),
            (405, slow),
            (406, slow),
            (407, Verdict::SignIn),
            (408, passing),
            (409, passing),
            (410, Verdict::WrongAddress),
            (411, slow),
            (419, slow),
            (420, passing),
            (421, passing),
            (422, slow),
            (423, passing),
            (424, passing),
            (425, passing),
            (426, slow),
            (428, slow),
            (429, passing),
            (430, slow),
            (448, slow),
            (449, passing),
            (451, slow),
            (460, passing),
            (461, slow),
            (498, slow),
            (499, passing),
            (500, passing),
            (501, slow),
            (502, passing),
            (503, passing),
            (504, passing),
            (505, slow),
            (506, slow),
            (507, passing),
            (510, slow),
            (511, Verdict::Floor(Duration::from_secs(15))),
            (512, passing),
            (520, passing),
            (527, passing),
            (530, passing),
            (599, passing),
            (600, slow),
        ] {
            assert_eq!(answer(status, None), expected, "status {status}");
        }
    }

    #[test]
    fn a_servers_retry_after_is_kept_within_bounds() {
        assert_eq!(answer(503, Some(120)), Verdict::RetryAfter(Duration::from_secs(120)));
        assert_eq!(answer(429, Some(0)), Verdict::RetryAfter(Duration::from_secs(1)));
        assert_eq!(answer(503, Some(u64::MAX)), Verdict::RetryAfter(Duration::from_secs(3600)));
        let two_minutes = Verdict::RetryAfter(Duration::from_secs(120));
        for status in [200, 302, 400, 404, 408, 425, 426, 500, 501, 502, 504, 520] {
            assert_eq!(answer(status, Some(120)), two_minutes, "{status}");
        }
        assert_eq!(
            answer(511, Some(120)),
            Verdict::Floor(Duration::from_secs(15)),
            "a portal's, not the server's"
        );
    }

    #[test]
    fn a_person_is_needed_where_waiting_does_not_mend_it() {
        let closed = |code, reason: &str| Cause::Closed(CloseInfo { code, reason: reason.to_owned() });
        for (cause, needed) in [
            (Cause::SignInRefused { status: 401 }, true),
            (Cause::WrongAddress { status: Some(404) }, true),
            (Cause::Certificate { detail: Detail::SelfSigned }, true),
            (Cause::CaptivePortal, true),
            (Cause::Status { status: 418 }, true),
            (Cause::Status { status: 429 }, false),
            (Cause::Status { status: 501 }, true),
            (Cause::Status { status: 502 }, false),
            (Cause::Tls { detail: Detail::NoTls }, true),
            (Cause::Tls { detail: Detail::Reset }, false),
            (Cause::Lookup { detail: Detail::NoSuchName }, false),
            (closed(4401, ""), true),
            (closed(1011, "token expired"), true),
            (closed(1011, ""), false),
            (Cause::Broker { code: 0x87, said: String::new() }, true),
            (Cause::Broker { code: 0x8B, said: String::new() }, false),
        ] {
            assert_eq!(needs_a_person(&cause), needed, "{cause}");
        }
    }
}
