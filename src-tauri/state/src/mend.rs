//! What to do about it, where a channel is not connected. `tidings doctor` and the window's test say so of every step, a popup of
//! what only a person can mend.

use tidings_api::ChannelKind;
use tidings_channel::{Cause, Config, Detail, Stage, needs_a_person};
use tidings_words::Words;

use crate::snapshot::ChannelView;

/// By what its server is spoken to, as far as a mend depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// MQTT over TCP.
    Mqtt,
    /// MQTT in a WebSocket's frames.
    MqttOverWebSocket,
    /// Whatever goes over HTTP.
    Web,
}

impl Spoken {
    /// To a channel's.
    pub fn of(config: &Config) -> Self {
        Self::to(config.url.is_mqtt(), config.mqtt.is_some())
    }

    fn of_view(channel: &ChannelView) -> Self {
        Self::to(channel.url.starts_with("mqtt"), channel.kind == ChannelKind::Mqtt)
    }

    fn to(over_tcp: bool, broker: bool) -> Self {
        match (over_tcp, broker) {
            (true, _) => Self::Mqtt,
            (false, true) => Self::MqttOverWebSocket,
            (false, false) => Self::Web,
        }
    }
}

/// What a channel's user does about it; `None` where waiting may be enough, or the cause says it itself.
pub fn of_users(cause: &Cause, channel: &ChannelView, words: Words) -> Option<String> {
    let signs_in = is_of_a_sign_in(cause) && channel.offers_sign_in();
    let says_itself = matches!(cause, Cause::Owner { .. } | Cause::SessionOver { .. });
    if !needs_a_person(cause) || says_itself {
        return None;
    }
    Some(if signs_in { words.mend_session() } else { told(cause, Spoken::of_view(channel), words) })
}

/// Whether another sign-in is what helps, where a person signs in.
pub fn is_of_a_sign_in(cause: &Cause) -> bool {
    matches!(cause, Cause::Closed(_) | Cause::SignInRefused { .. } | Cause::Broker { code: 0x86, .. })
        && !matches!(cause, Cause::SignInRefused { status: 403 | 407 })
        && needs_a_person(cause)
}

/// What to do about it.
pub fn told(cause: &Cause, spoken: Spoken, words: Words) -> String {
    match cause {
        Cause::Lookup { .. } => words.mend_lookup(),
        Cause::Unreachable { .. } => words.mend_unreachable(),
        // What waits for a request of HTTP's says nothing at all.
        Cause::TimedOut { stage: Stage::SignIn } if spoken == Spoken::Mqtt => words.mend_no_mqtt(),
        // It is there, and says nothing that the channel waits for.
        Cause::TimedOut { stage: Stage::SignIn | Stage::Subscribe } => words.mend_foreign(),
        Cause::TimedOut { .. } => words.mend_timed_out(),
        Cause::Proxy { .. } | Cause::ProxyAway(_) => words.mend_proxy(),
        Cause::Tls { .. } => words.mend_tls(),
        Cause::Clock { .. } => words.mend_clock(),
        Cause::Certificate { detail } => certificate_mend(detail, words),
        Cause::WrongName { .. } => words.mend_wrong_name(),
        Cause::SignInRefused { status: 407 } => words.mend_proxy_sign_in(),
        Cause::SignInRefused { status: 403 } => words.mend_forbidden(),
        Cause::SignInRefused { .. } => words.mend_sign_in(),
        Cause::SessionOver { .. } => words.mend_session(),
        Cause::RoleMissing { .. } => words.mend_role(),
        Cause::WrongAddress { status: None }
        | Cause::Lost { detail: Detail::HungUp }
        | Cause::NoGoodAnswer { .. }
            if spoken == Spoken::Mqtt =>
        {
            words.mend_no_mqtt()
        }
        Cause::WrongAddress { status: None } | Cause::Lost { detail: Detail::HungUp }
            if spoken == Spoken::MqttOverWebSocket =>
        {
            words.mend_broker_websocket()
        }
        Cause::WrongAddress { status: None } | Cause::Lost { detail: Detail::HungUp } => words.mend_hung_up(),
        Cause::WrongAddress { .. }
        | Cause::NotAWebSocket { .. }
        | Cause::NoGoodAnswer { .. }
        | Cause::NoSockJs { .. }
        | Cause::Status { status: 400 | 404 | 405 | 410 | 426 | 501 | 505 } => words.mend_address(),
        Cause::Answered { status: 400 | 404 | 405 | 410 | 426 | 501 | 505 } | Cause::NoMore => {
            words.mend_stream_address()
        }
        Cause::Moved { to, same_host: true, .. } => words.mend_moved(&tidings_channel::plain(to)),
        Cause::Moved { .. } => words.mend_status(),
        Cause::Limit { code: 42903 } => words.mend_limit_subscriptions(),
        Cause::Busy { .. }
        | Cause::Limit { .. }
        | Cause::Status { status: 408 | 409 | 421 | 423 | 425 | 429 } => words.mend_busy(),
        Cause::Answered { status: 408 | 409 | 421 | 423 | 425 | 429 } => words.mend_busy(),
        Cause::Status { status: 502..=504 | 521..=524 | 530 }
        | Cause::Answered { status: 502..=504 | 521..=524 | 530 } => words.mend_behind(),
        Cause::Status { status: 500.. } | Cause::Answered { status: 500.. } => words.mend_server_error(),
        Cause::Status { .. } | Cause::Answered { .. } => words.mend_status(),
        Cause::CaptivePortal => words.mend_captive_portal(),
        Cause::Closed(_) if needs_a_person(cause) => words.mend_sign_in(),
        Cause::Closed(_) | Cause::Lost { .. } | Cause::Refused { .. } | Cause::StreamOver => {
            words.mend_closed()
        }
        Cause::Unanswered { .. } => words.mend_busy(),
        Cause::Silent { .. } | Cause::WriteStalled => words.mend_silent(),
        Cause::Owner { .. } | Cause::ProviderAway { .. } => words.mend_owner(),
        Cause::Denied { .. } => words.mend_denied(),
        Cause::Broker { code, .. } => broker_mend(*code, words),
        Cause::Foreign { .. } => words.mend_foreign(),
        Cause::TakenOver | Cause::Overtaken | Cause::Local => words.mend_local(),
    }
}

/// What to do about a broker's reason.
fn broker_mend(code: u8, words: Words) -> String {
    match code {
        0x84 => words.mend_broker_version(),
        0x85 => words.mend_broker_client_id(),
        0x86 | 0x8C => words.mend_broker_password(),
        // Some say so of a wrong password, too (mosquitto 2).
        0x87 => words.mend_broker_not_allowed(),
        0x88 | 0x89 | 0x8B | 0x96 | 0x97 | 0x9F | 0xA0 => words.mend_busy(),
        0x8D => words.mend_silent(),
        0x8E => words.mend_broker_taken(),
        0x8F | 0x90 | 0x9E | 0xA2 => words.mend_broker_topics(),
        0x9C | 0x9D => words.mend_broker_elsewhere(),
        _ => words.mend_broker_log(),
    }
}

/// What to do about a refused certificate.
fn certificate_mend(detail: &Detail, words: Words) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "about certificates there are a few only")]
    match detail {
        Detail::Expired { .. } => words.mend_expired(),
        Detail::SelfSigned | Detail::AuthorityAsServer => words.mend_self_signed(),
        Detail::ComesAlone { .. } => words.mend_intermediate(),
        Detail::UnknownAuthority { .. } => words.mend_authority(),
        Detail::OursRefused => words.mend_ours_refused(),
        Detail::CaEmpty | Detail::CaBroken => words.mend_ca_file(),
        _ => words.mend_certificate(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Words = Words::of(tidings_words::Language::English);

    #[test]
    fn every_reason_of_a_broker_has_its_mend_in_both_languages() {
        for (code, part) in [
            (0x84, "MQTT 5 or 3.1.1"),
            (0x85, "`client_id`"),
            (0x86, "`username`"),
            (0x87, "(ACL)"),
            (0x8B, "wait"),
            (0x8C, "`username`"),
            (0x8D, "the network"),
            (0x8E, "`client_id`"),
            (0x8F, "`topics`"),
            (0x98, "its log"),
            (0x9D, "`url`"),
            (0xA2, "`topics`"),
            (0xFF, "its log"),
        ] {
            let cause = Cause::Broker { code, said: String::new() };
            let told = told(&cause, Spoken::Mqtt, ENGLISH);
            assert!(told.contains(part), "{code:#X}: {told}");
        }
        for code in 0..=u8::MAX {
            let told = broker_mend(code, Words::of(tidings_words::Language::SimplifiedChinese));
            assert!(told.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{code:#X}: {told}");
        }
    }

    #[test]
    fn what_is_no_broker_is_told_by_its_port() {
        for cause in [
            Cause::NoGoodAnswer { detail: Detail::NoMqtt },
            Cause::Lost { detail: Detail::HungUp },
            Cause::WrongAddress { status: None },
            Cause::TimedOut { stage: Stage::SignIn },
        ] {
            let told = told(&cause, Spoken::Mqtt, ENGLISH);
            assert!(told.contains("speaks no MQTT") && !told.contains("WebSocket"), "{told}");
        }
    }

    #[test]
    fn who_hangs_up_on_a_request_is_told_by_what_the_channel_is() {
        let cause = Cause::Lost { detail: Detail::HungUp };
        let web = told(&cause, Spoken::Web, ENGLISH);
        assert!(!web.contains("WebSocket"), "it may be a stream of events: {web}");
        let broker = told(&cause, Spoken::MqttOverWebSocket, ENGLISH);
        assert!(broker.contains("mqtt://"), "{broker}");
    }
}
