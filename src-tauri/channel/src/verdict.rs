//! What a close and an upgrade's answer mean: the two tables of the specification, as functions from a
//! [`Cause`] to a [`Verdict`]. Who waits how long for it is [`delay`](crate::delay)'s business.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{Cause, Timing};

/// Close code with which a server ends the older of two connections of one user.
pub(crate) const REPLACED: u16 = 4500;
/// Normal closure: ours, when the user disconnects or quits.
pub(crate) const NORMAL: u16 = 1000;
/// Protocol error.
pub(crate) const PROTOCOL: u16 = 1002;
/// A close frame without a code. Never on the wire.
pub(crate) const NO_CODE: u16 = 1005;
/// Text that is no UTF-8.
pub(crate) const INVALID_TEXT: u16 = 1007;
/// Message too big.
pub(crate) const TOO_BIG: u16 = 1009;

/// What follows from the end of a link or a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ordinary delay (B1) whose first is at most the setting.
    Ordinary,
    /// Ordinary delay after a local cause.
    Local,
    /// Ordinary delay, but with its first of at least this.
    GoingAway,
    /// Back at some time between 5 and 30 s.
    Restart,
    /// At least this long (B2).
    Floor(Duration),
    /// At least this long, with the credential read again.
    FloorAndRefresh(Duration),
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

/// What follows from `cause`; `retry_after` is what the server's answer asked for.
pub(crate) fn verdict(
    cause: &Cause,
    retry_after: Option<Duration>,
    quiet: &BTreeSet<u16>,
    timing: &Timing,
) -> Verdict {
    match cause {
        Cause::Closed(close) => after_close(close.code, quiet, timing),
        Cause::Refused { code: TOO_BIG, .. } => Verdict::Floor(timing.too_big_floor),
        Cause::Refused { .. } => Verdict::Floor(timing.refused_floor),
        Cause::Lost { .. }
        | Cause::Silent { .. }
        | Cause::WriteStalled
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::TimedOut { .. }
        | Cause::Proxy { .. }
        | Cause::Tls { .. }
        // The clock is set by itself soon after a start.
        | Cause::Clock { .. } => Verdict::Ordinary,
        Cause::Certificate { .. } | Cause::WrongName { .. } => Verdict::Floor(timing.certificate_floor),
        Cause::Status { status } => after_status(*status, retry_after, timing),
        Cause::WrongAddress { .. } => Verdict::WrongAddress,
        Cause::SignInRefused { status: 403 } => Verdict::NeedsUser,
        Cause::SignInRefused { .. } => Verdict::SignIn,
        Cause::NotAWebSocket { .. } => Verdict::Floor(timing.not_websocket_floor),
        Cause::CaptivePortal => Verdict::Floor(timing.portal_floor),
        Cause::Owner { .. } => Verdict::NeedsUser,
        Cause::Local => Verdict::Local,
    }
}

/// Whether waiting hardly mends it, so that it is shown as an error once it comes again and again.
pub(crate) fn is_in_vain(cause: &Cause) -> bool {
    match cause {
        Cause::Closed(close) => matches!(close.code, PROTOCOL | 1003 | INVALID_TEXT | 1010),
        Cause::Refused { code, .. } => *code != TOO_BIG,
        Cause::Status { status } => *status == 404,
        Cause::WrongAddress { .. } => true,
        Cause::Lost { .. }
        | Cause::Silent { .. }
        | Cause::WriteStalled
        | Cause::Lookup { .. }
        | Cause::Unreachable { .. }
        | Cause::TimedOut { .. }
        | Cause::Tls { .. }
        | Cause::Clock { .. }
        | Cause::Certificate { .. }
        | Cause::WrongName { .. }
        | Cause::Proxy { .. }
        | Cause::SignInRefused { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::CaptivePortal
        | Cause::Owner { .. }
        | Cause::Local => false,
    }
}

fn after_close(code: u16, quiet: &BTreeSet<u16>, timing: &Timing) -> Verdict {
    if quiet.contains(&code) {
        return Verdict::Quiet;
    }
    match code {
        1001 => Verdict::GoingAway,
        1012 | 1013 => Verdict::Restart,
        PROTOCOL | 1003 | INVALID_TEXT | 1010 => Verdict::Floor(timing.refused_floor),
        1008 | 3000 | 3003 => Verdict::FloorAndRefresh(timing.refused_floor),
        TOO_BIG => Verdict::Floor(timing.too_big_floor),
        _ => Verdict::Ordinary,
    }
}

fn after_status(status: u16, retry_after: Option<Duration>, timing: &Timing) -> Verdict {
    match (status, retry_after) {
        (401 | 407, _) => Verdict::SignIn,
        (403, _) => Verdict::NeedsUser,
        (404, _) => Verdict::WrongAddress,
        (429 | 503, Some(after)) => {
            Verdict::RetryAfter(after.clamp(timing.retry_after_least, timing.retry_after_most))
        }
        (511, _) => Verdict::Floor(timing.portal_floor),
        (429 | 500..=599, _) => Verdict::Ordinary,
        _ => Verdict::Floor(timing.not_websocket_floor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CloseInfo;

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
        for (status, expected) in [
            (200, slow),
            (301, slow),
            (400, slow),
            (401, Verdict::SignIn),
            (402, slow),
            (403, Verdict::NeedsUser),
            (404, Verdict::WrongAddress),
            (405, slow),
            (407, Verdict::SignIn),
            (426, slow),
            (429, Verdict::Ordinary),
            (499, slow),
            (500, Verdict::Ordinary),
            (502, Verdict::Ordinary),
            (503, Verdict::Ordinary),
            (511, Verdict::Floor(Duration::from_secs(15))),
            (599, Verdict::Ordinary),
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
        assert_eq!(answer(502, Some(120)), Verdict::Ordinary, "only 429 and 503 are asked");
    }
}
