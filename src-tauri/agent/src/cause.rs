//! Why a channel is not connected, in the user's language. The log has `tidings_channel`'s own words, which are these
//! in English.

use tidings_channel::{Cause, CloseInfo, Stage, plain};
use tidings_words::Words;

/// One calm line. Text of the peer in it is sanitised and cut.
pub(crate) fn told(cause: &Cause, words: Words) -> String {
    match cause {
        Cause::Closed(close) => closed(close, words),
        Cause::Lost { detail } => words.cause_lost(&plain(detail)),
        Cause::Silent { after } => words.cause_silent(after.as_secs_f64().round()),
        Cause::WriteStalled => words.cause_write_stalled(),
        Cause::Refused { code, detail } => match *code {
            1007 => words.cause_invalid_text(code),
            1009 => words.cause_too_big(code),
            _ => words.cause_protocol(code, &plain(detail)),
        },
        Cause::Lookup { detail } => words.cause_lookup(&plain(detail)),
        Cause::Unreachable { detail } => words.cause_unreachable(&plain(detail)),
        Cause::TimedOut { stage } => match stage {
            Stage::Credential => words.cause_timed_out_credential(),
            Stage::Lookup => words.cause_timed_out_lookup(),
            Stage::Tcp => words.cause_timed_out_tcp(),
            Stage::Tls => words.cause_timed_out_tls(),
            Stage::Upgrade => words.cause_timed_out_upgrade(),
        },
        Cause::Tls { detail } => words.cause_tls(&plain(detail)),
        Cause::Certificate { detail } => words.cause_certificate(&plain(detail)),
        Cause::WrongName { detail } => words.cause_wrong_name(&plain(detail)),
        Cause::Proxy { detail } => words.cause_proxy(&plain(detail)),
        Cause::Status { status } => answered(*status, words),
        Cause::WrongAddress { status } => words.cause_wrong_address(status),
        Cause::SignInRefused { status } => match *status {
            407 => words.cause_sign_in_proxy(status),
            401 | 403 => words.cause_sign_in_refused(status),
            _ => words.cause_sign_in_asked(status),
        },
        Cause::NotAWebSocket { detail } => words.cause_not_a_websocket(&plain(detail)),
        Cause::CaptivePortal => words.cause_captive_portal(),
        // Ours already.
        Cause::Owner { detail } => plain(detail),
        Cause::Local => words.cause_local(),
    }
}

fn closed(CloseInfo { code, reason }: &CloseInfo, words: Words) -> String {
    match *code {
        1001 => words.cause_close_1001(code),
        1002 => words.cause_close_1002(code),
        1003 => words.cause_close_1003(code),
        1005 => words.cause_close_1005(code),
        1006 => words.cause_close_1006(code),
        1007 => words.cause_close_1007(code),
        1008 => words.cause_close_1008(code),
        1009 => words.cause_close_1009(code),
        1010 => words.cause_close_1010(code),
        1011 => words.cause_close_1011(code),
        1012 => words.cause_close_1012(code),
        1013 => words.cause_close_1013(code),
        1014 => words.cause_close_1014(code),
        1015 => words.cause_close_1015(code),
        3000 => words.cause_close_3000(code),
        3003 => words.cause_close_3003(code),
        4500 => words.cause_close_4500(code),
        _ if *code == 1000 || reason.trim().is_empty() => words.cause_close_1000(code),
        _ => words.cause_close_reason(code, &plain(reason)),
    }
}

fn answered(status: u16, words: Words) -> String {
    match status {
        404 => words.cause_status_nothing(&status),
        429 => words.cause_status_too_many(&status),
        502 | 504 => words.cause_status_gateway(&status),
        503 => words.cause_status_busy(&status),
        300..=399 => words.cause_status_redirect(&status),
        400..=499 => words.cause_status_refused(&status),
        500..=599 => words.cause_status_error(&status),
        _ => words.cause_status_other(&status),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidings_words::Language;

    use super::*;

    fn every_cause() -> Vec<Cause> {
        let detail = || "what it was\u{202e}".to_owned();
        let close = |reason: &str| {
            let reason = reason.to_owned();
            move |code| Cause::Closed(CloseInfo { code, reason: reason.clone() })
        };
        let stages = [Stage::Credential, Stage::Lookup, Stage::Tcp, Stage::Tls, Stage::Upgrade];
        let mut causes = vec![
            Cause::Lost { detail: detail() },
            Cause::Silent { after: Duration::from_millis(44_600) },
            Cause::WriteStalled,
            Cause::Lookup { detail: detail() },
            Cause::Unreachable { detail: detail() },
            Cause::Tls { detail: detail() },
            Cause::Certificate { detail: detail() },
            Cause::WrongName { detail: detail() },
            Cause::Proxy { detail: detail() },
            Cause::WrongAddress { status: 404 },
            Cause::NotAWebSocket { detail: detail() },
            Cause::CaptivePortal,
            Cause::Owner { detail: detail() },
            Cause::Local,
        ];
        causes.extend(
            (1000..=1016)
                .chain([2999, 3000, 3003, 4500, 4501])
                .flat_map(|code| ["", " ", "lunch break"].map(|reason| close(reason)(code))),
        );
        causes.extend([1002, 1007, 1009].map(|code| Cause::Refused { code, detail: detail() }));
        causes.extend(stages.map(|stage| Cause::TimedOut { stage }));
        causes.extend((100..=600).map(|status| Cause::Status { status }));
        causes.extend([200, 302, 401, 403, 407].map(|status| Cause::SignInRefused { status }));
        causes
    }

    #[test]
    fn in_english_a_cause_is_told_as_in_the_log() {
        for cause in every_cause() {
            assert_eq!(told(&cause, Words::of(Language::English)), cause.to_string());
        }
    }

    #[test]
    fn in_chinese_every_cause_is_chinese_but_what_others_said() {
        for cause in every_cause() {
            let chinese = told(&cause, Words::of(Language::SimplifiedChinese));
            let others = matches!(cause, Cause::Owner { .. }) || chinese.starts_with("lunch break");
            let is_chinese = chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(is_chinese || others, "{cause:?}: {chinese}");
        }
        let restarting = Cause::Closed(CloseInfo { code: 1012, reason: String::new() });
        assert_eq!(told(&restarting, Words::of(Language::SimplifiedChinese)), "服务器正在重启 (1012)");
    }
}
