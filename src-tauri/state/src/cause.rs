//! Why a channel is not connected, in the user's language. The log has `tidings_channel`'s own words, which are these
//! in English.

use tidings_channel::{Cause, CloseInfo, Detail, OtherMeaning, SessionEnd, Stage, day, plain};
use tidings_settings::credential::CredentialError;
use tidings_words::Words;

/// One calm line. Text of the peer in it is sanitised and cut.
pub fn told(cause: &Cause, words: Words) -> String {
    match cause {
        Cause::Closed(close) => closed(close, words),
        Cause::Lost { detail } => words.cause_lost(&detailed(detail, words)),
        Cause::Silent { after } => words.cause_silent(after.as_secs_f64().round()),
        Cause::Unanswered { after } => words.cause_unanswered(after.as_secs_f64().round()),
        Cause::WriteStalled => words.cause_write_stalled(),
        Cause::Refused { code, detail } => match *code {
            1007 => words.cause_invalid_text(code),
            1009 => words.cause_too_big(code),
            _ => words.cause_protocol(code, &detailed(detail, words)),
        },
        Cause::Lookup { detail } => words.cause_lookup(&detailed(detail, words)),
        Cause::Unreachable { detail } => words.cause_unreachable(&detailed(detail, words)),
        Cause::TimedOut { stage } => match stage {
            Stage::Credential => words.cause_timed_out_credential(),
            Stage::Lookup => words.cause_timed_out_lookup(),
            Stage::Tcp => words.cause_timed_out_tcp(),
            Stage::Tls => words.cause_timed_out_tls(),
            Stage::Upgrade => words.cause_timed_out_upgrade(),
            Stage::Answer => words.cause_timed_out_answer(),
            Stage::Stream => words.cause_timed_out_stream(),
            Stage::SignIn => words.cause_timed_out_sign_in(),
            Stage::Subscribe => words.cause_timed_out_subscribe(),
        },
        Cause::Tls { detail } => words.cause_tls(&detailed(detail, words)),
        Cause::Clock { says, begins } => words.cause_clock(&day(*begins), &day(*says)),
        Cause::Certificate { detail } => words.cause_certificate(&detailed(detail, words)),
        Cause::WrongName { detail } => words.cause_wrong_name(&detailed(detail, words)),
        Cause::Proxy { detail } => words.cause_proxy(&detailed(detail, words)),
        Cause::ProxyAway(cause) => words.cause_proxy(&told(cause, words)),
        Cause::Status { status } => answered(*status, words),
        Cause::Answered { status } => match *status {
            404 | 410 => words.cause_status_nothing_there(status),
            400 | 405 | 426 | 501 | 505 => words.cause_status_refused(status),
            status => answered(status, words),
        },
        Cause::Busy { status } => words.cause_status_busy(status),
        Cause::Limit { code: code @ 42903 } => words.cause_limit_subscriptions(code),
        Cause::Limit { code: code @ 42909 } => words.cause_limit_locked(code),
        Cause::Limit { code } => words.cause_status_too_many(code),
        Cause::Moved { status, same_host: true, to } => words.cause_moved(status, &plain(to)),
        Cause::Moved { status, same_host: false, to } => words.cause_moved_elsewhere(status, &plain(to)),
        Cause::WrongAddress { status: Some(status) } => words.cause_wrong_address(status),
        Cause::WrongAddress { status: None } => words.cause_hangs_up(),
        Cause::SignInRefused { status } => match *status {
            407 => words.cause_sign_in_proxy(status),
            401 | 403 => words.cause_sign_in_refused(status),
            _ => words.cause_sign_in_asked(status),
        },
        Cause::SessionOver { site, end } => match end {
            SessionEnd::Over => words.cause_session_over(&plain(site)),
            SessionEnd::Early => words.cause_session_early(&plain(site)),
            SessionEnd::Restarted => words.cause_session_restarted(&plain(site)),
        },
        Cause::RoleMissing { site } => words.cause_role_missing(&plain(site), &403),
        Cause::NotAWebSocket { detail } => words.cause_not_a_websocket(&detailed(detail, words)),
        Cause::NoGoodAnswer { detail } => words.cause_no_good_answer(&detailed(detail, words)),
        Cause::NoSockJs { status } => words.cause_no_sockjs(status),
        Cause::StreamOver => words.cause_stream_over(),
        Cause::NoMore => words.cause_no_more(&204),
        Cause::CaptivePortal => words.cause_captive_portal(),
        // Ours already.
        Cause::Owner { detail } => plain(detail),
        Cause::ProviderAway { host, why } => words.oauth_away(&told(why, words), &plain(host)),
        Cause::Denied { said } => match plain(said) {
            said if said.is_empty() => words.cause_denied(),
            said => words.cause_denied_saying(&said),
        },
        Cause::TakenOver => words.cause_taken_over(),
        Cause::Broker { code, said } => broker(*code, said, words),
        Cause::Foreign { dialect } if dialect.is_empty() => words.cause_foreign_nameless(),
        Cause::Foreign { dialect } => words.cause_foreign(&plain(dialect)),
        Cause::Overtaken => words.cause_overtaken(),
        Cause::Local => words.cause_local(),
    }
}

/// What is wrong with where a secret comes from, and how to mend it.
pub fn credential(error: &CredentialError, words: Words) -> String {
    if let CredentialError::Provider(failure) = error {
        return failure.told(words, |cause| told(cause, words));
    }
    error.told(words)
}

/// What exactly went wrong.
fn detailed(detail: &Detail, words: Words) -> String {
    match detail {
        Detail::Refused => words.detail_refused(),
        Detail::Reset => words.detail_reset(),
        Detail::Aborted => words.detail_aborted(),
        Detail::Gone => words.detail_gone(),
        Detail::Finished => words.detail_finished(),
        Detail::EndOfStream => words.detail_end_of_stream(),
        Detail::TimedOut => words.detail_timed_out(),
        Detail::HostUnreachable => words.detail_host_unreachable(),
        Detail::NetworkUnreachable => words.detail_network_unreachable(),
        Detail::NetworkDown => words.detail_network_down(),
        Detail::Forbidden => words.detail_forbidden(),
        Detail::NoLocalAddress => words.detail_no_local_address(),
        Detail::System(number) => words.detail_system(number),
        Detail::Unknown => words.detail_unknown(),
        Detail::NoSuchName => words.detail_no_such_name(),
        Detail::NameServerSilent => words.detail_name_server_silent(),
        Detail::NoAddress => words.detail_no_address(),
        Detail::LookupFailed => words.detail_lookup_failed(),
        Detail::HungUp => words.detail_hung_up(),
        Detail::NoHttp => words.detail_no_http(),
        Detail::HeadTooLong => words.detail_head_too_long(),
        Detail::NoUpgrade => words.detail_no_upgrade(),
        Detail::NoConnectionUpgrade => words.detail_no_connection_upgrade(),
        Detail::WrongAcceptKey => words.detail_wrong_accept_key(),
        Detail::ForeignSubprotocol => words.detail_foreign_subprotocol(),
        Detail::BrokenAnswer => words.detail_broken_answer(),
        Detail::Status(status) => words.detail_status(status),
        Detail::NoStream => words.detail_no_stream(),
        Detail::BeatUnanswered => words.detail_beat_unanswered(),
        Detail::SessionGone => words.detail_session_gone(),
        Detail::NotOffered => words.detail_not_offered(),
        Detail::NoMqtt => words.detail_no_mqtt(),
        Detail::TooLong => words.detail_too_long(),
        Detail::MaskedFrame => words.detail_masked_frame(),
        Detail::ReservedBits => words.detail_reserved_bits(),
        Detail::UnknownFrame => words.detail_unknown_frame(),
        Detail::BrokenControlFrame => words.detail_broken_control_frame(),
        Detail::BrokenFragments => words.detail_broken_fragments(),
        Detail::BrokenClose => words.detail_broken_close(),
        Detail::AfterClose => words.detail_after_close(),
        Detail::TooBig => words.detail_too_big(),
        Detail::InvalidText => words.detail_invalid_text(),
        Detail::BrokenFrame => words.detail_broken_frame(),
        Detail::NoTls => words.detail_no_tls(),
        Detail::NothingInCommon => words.detail_nothing_in_common(),
        Detail::UnknownHere => words.detail_unknown_here(),
        Detail::OursRefused => words.detail_ours_refused(),
        Detail::Alert(alert) => words.detail_alert(alert),
        Detail::BrokenTls => words.detail_broken_tls(),
        Detail::NoEncryption => words.detail_no_encryption(),
        Detail::Expired { ended, clock } => words.detail_expired(&day(*clock), &day(*ended)),
        Detail::SelfSigned => words.detail_self_signed(),
        Detail::ComesAlone { issuer } => words.detail_comes_alone(&plain(issuer)),
        Detail::UnknownAuthority { issuer } => words.detail_unknown_authority(&plain(issuer)),
        Detail::AuthorityAsServer => words.detail_authority_as_server(),
        Detail::WrongPurpose => words.detail_wrong_purpose(),
        Detail::Revoked => words.detail_revoked(),
        Detail::BadSignature => words.detail_bad_signature(),
        Detail::UnsupportedSignature => words.detail_unsupported_signature(),
        Detail::BrokenCertificate => words.detail_broken_certificate(),
        Detail::NoCertificate => words.detail_no_certificate(),
        Detail::NotTrusted => words.detail_not_trusted(),
        Detail::OtherNames(names) if names.is_empty() => words.detail_other_names_none(),
        Detail::OtherNames(names) => words.detail_other_names(&plain(&names.join(", "))),
        Detail::UnnameableHost => words.detail_unnameable_host(),
        Detail::CaEmpty => words.detail_ca_empty(),
        Detail::CaBroken => words.detail_ca_broken(),
        Detail::NoAuthorities => words.detail_no_authorities(),
        Detail::ProxyAddress => words.detail_proxy_address(),
        Detail::ProxyHost => words.detail_proxy_host(),
        Detail::ProxySilent => words.detail_proxy_silent(),
        Detail::ProxyHungUp => words.detail_proxy_hung_up(),
        Detail::ProxyBroken => words.detail_proxy_broken(),
        Detail::ProxyRefused => words.detail_proxy_refused(),
        Detail::ProxyForbids => words.detail_proxy_forbids(),
        Detail::ProxyFailed => words.detail_proxy_failed(),
    }
}

/// What a close code means, and what the server adds to that.
fn closed(close: &CloseInfo, words: Words) -> String {
    let code = &close.code;
    let meaning = match (close.code, close.said()) {
        _ if close.is_of_sockjs() => return words.cause_close(code, &words.cause_close_1000()),
        (3000 | 3003, Some(reason)) => return words.cause_close(code, &reason),
        (1000, _) => words.cause_close_1000(),
        (1001, _) => words.cause_close_1001(),
        (1002, _) => words.cause_close_1002(),
        (1003, _) => words.cause_close_1003(),
        (1005, _) => words.cause_close_1005(),
        (1006, _) => words.cause_close_1006(),
        (1007, _) => words.cause_close_1007(),
        (1008, _) => words.cause_close_1008(),
        (1009, _) => words.cause_close_1009(),
        (1010, _) => words.cause_close_1010(),
        (1011, _) => words.cause_close_1011(),
        (1012, _) => words.cause_close_1012(),
        (1013, _) => words.cause_close_1013(),
        (1014, _) => words.cause_close_1014(),
        (1015, _) => words.cause_close_1015(),
        (3000, None) => words.cause_close_3000(),
        (3003, None) => words.cause_close_3003(),
        (4500, _) => match close.other_meaning() {
            // One that is a take-over is told as that, and by no cause.
            None => words.cause_close_1000(),
            Some(OtherMeaning::SlowLink) => words.cause_close_slow_link(),
            Some(OtherMeaning::ServerError) => words.cause_close_1011(),
        },
        (_, Some(reason)) => return words.cause_close(code, &reason),
        (_, None) => words.cause_close_1000(),
    };
    match close.said() {
        Some(reason) => words.cause_close_said(code, &meaning, &reason),
        None => words.cause_close(code, &meaning),
    }
}

/// What a broker's reason code means, and what the broker adds to that.
fn broker(code: u8, said: &str, words: Words) -> String {
    let meaning = match code {
        0x00 => words.cause_broker_ended(),
        0x81 | 0x82 | 0x91..=0x94 => words.cause_broker_protocol(),
        0x84 => words.cause_broker_version(),
        0x85 => words.cause_broker_client_id(),
        0x86 => words.cause_broker_password(),
        0x87 => words.cause_broker_not_allowed(),
        0x88 => words.cause_broker_unavailable(),
        0x89 => words.cause_broker_busy(),
        0x8A => words.cause_broker_banned(),
        0x8B => words.cause_broker_going(),
        0x8C => words.cause_broker_method(),
        0x8D => words.cause_broker_silent(),
        0x8E => words.cause_close_4500(),
        0x8F | 0x90 => words.cause_broker_topic(),
        0x95 => words.cause_broker_too_big(),
        0x96 => words.cause_broker_too_many(),
        0x97 => words.cause_broker_quota(),
        0x98 => words.cause_broker_by_hand(),
        0x99 => words.cause_broker_content(),
        0x9A | 0x9B | 0xA1 => words.cause_broker_cannot(),
        0x9C | 0x9D => words.cause_broker_elsewhere(),
        0x9E => words.cause_broker_unshared(),
        0x9F => words.cause_broker_too_often(),
        0xA0 => words.cause_broker_time_over(),
        0xA2 => words.cause_broker_wildcard(),
        _ => words.cause_broker_refused(),
    };
    let code = format_args!("0x{code:02X}");
    match plain(said) {
        said if said.is_empty() => words.cause_close(&code, &meaning),
        said => words.cause_close_said(&code, &meaning, &said),
    }
}

fn answered(status: u16, words: Words) -> String {
    match status {
        404 | 410 => words.cause_status_nothing(&status),
        400 | 405 | 426 => words.cause_status_no_upgrade(&status),
        501 | 505 => words.cause_status_cannot(&status),
        408 | 409 | 421 | 423 | 425 => words.cause_status_not_now(&status),
        429 => words.cause_status_too_many(&status),
        502 | 504 | 521..=524 | 530 => words.cause_status_gateway(&status),
        503 => words.cause_status_unavailable(&status),
        300..=399 => words.cause_status_redirect(&status),
        400..=499 => words.cause_status_refused(&status),
        500..=599 => words.cause_status_error(&status),
        _ => words.cause_status_other(&status),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use tidings_words::Language;

    use super::*;

    fn every_cause() -> Vec<Cause> {
        let detail = || Detail::UnknownAuthority { issuer: "Ann's own\u{202e}".to_owned() };
        let close = |reason: &str| {
            let reason = reason.to_owned();
            move |code| Cause::Closed(CloseInfo { code, reason: reason.clone() })
        };
        let stages = [
            Stage::Credential,
            Stage::Lookup,
            Stage::Tcp,
            Stage::Tls,
            Stage::Upgrade,
            Stage::Answer,
            Stage::Stream,
            Stage::SignIn,
            Stage::Subscribe,
        ];
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
            Cause::WrongAddress { status: Some(404) },
            Cause::WrongAddress { status: None },
            Cause::Busy { status: 503 },
            Cause::Limit { code: 42901 },
            Cause::Limit { code: 42903 },
            Cause::Limit { code: 42909 },
            Cause::Clock { says: SystemTime::UNIX_EPOCH, begins: SystemTime::UNIX_EPOCH },
            Cause::Moved { status: 301, same_host: true, to: "wss://shop.example/ws/".to_owned() },
            Cause::Moved { status: 301, same_host: false, to: "wss://www.example/\u{202e}".to_owned() },
            Cause::NotAWebSocket { detail: detail() },
            Cause::NoGoodAnswer { detail: detail() },
            Cause::NoGoodAnswer { detail: Detail::Status(500) },
            Cause::NoGoodAnswer { detail: Detail::TooLong },
            Cause::NoSockJs { status: 404 },
            Cause::NotAWebSocket { detail: Detail::NotOffered },
            Cause::Lost { detail: Detail::SessionGone },
            close("Go away!")(3000),
            Cause::CaptivePortal,
            Cause::Owner { detail: "what it was\u{202e}".to_owned() },
            Cause::Denied { said: String::new() },
            Cause::Denied { said: "lunch\u{202e} break".to_owned() },
            Cause::TakenOver,
            Cause::Foreign { dialect: String::new() },
            Cause::Foreign { dialect: "ntfy".to_owned() },
            Cause::Local,
        ];
        causes.extend(
            (1000..=1016)
                .chain([2999, 3000, 3003, 4500, 4501])
                .flat_map(|code| ["", " ", "bye", "lunch break"].map(|reason| close(reason)(code))),
        );
        causes.extend([1002, 1007, 1009].map(|code| Cause::Refused { code, detail: detail() }));
        causes.extend(stages.map(|stage| Cause::TimedOut { stage }));
        causes.extend((100..=600).map(|status| Cause::Status { status }));
        causes.extend([200, 302, 401, 403, 407].map(|status| Cause::SignInRefused { status }));
        let site = || "shop.example".to_owned();
        causes.extend(
            [SessionEnd::Over, SessionEnd::Early, SessionEnd::Restarted]
                .map(|end| Cause::SessionOver { site: site(), end }),
        );
        causes.push(Cause::RoleMissing { site: site() });
        causes.extend((0..=u8::MAX).flat_map(|code| {
            ["", "lunch\u{202e} break"].map(|said| Cause::Broker { code, said: said.to_owned() })
        }));
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
            let others = matches!(cause, Cause::Owner { .. })
                || chinese.starts_with("lunch break")
                || chinese.starts_with("bye");
            let is_chinese = chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(is_chinese || others, "{cause:?}: {chinese}");
        }
        let closed = Cause::Closed(CloseInfo { code: 4500, reason: String::new() });
        assert_eq!(
            told(&closed, Words::default()),
            "closed by the server (4500)",
            "a take-over is none of these"
        );
        let restarting = Cause::Closed(CloseInfo { code: 1012, reason: String::new() });
        assert_eq!(told(&restarting, Words::of(Language::SimplifiedChinese)), "服务器正在重启 (1012)");
    }
}
