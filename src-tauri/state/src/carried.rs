//! What carries a channel's messages, and why it is that.

use tidings_api::{CarrierName, InsteadOf};
use tidings_channel::{Carrier, Instead, Status};
use tidings_words::Words;

use crate::cause;

/// A carrier in the words of the contract.
#[must_use]
pub fn name(carrier: Carrier) -> CarrierName {
    match carrier {
        Carrier::WebSocket => CarrierName::Websocket,
        Carrier::EventStream => CarrierName::Sse,
        Carrier::Lines => CarrierName::JsonLines,
        Carrier::Mqtt => CarrierName::Mqtt,
        Carrier::SockJs => CarrierName::Sockjs,
        Carrier::SockJsStreaming => CarrierName::SockjsStreaming,
        Carrier::SockJsPolling => CarrierName::SockjsPolling,
    }
}

/// What carries a channel, for people.
#[must_use]
pub fn told(carrier: CarrierName, words: Words) -> String {
    match carrier {
        CarrierName::Websocket => words.carried_websocket(),
        CarrierName::Sse => words.carried_sse(),
        CarrierName::JsonLines => words.carried_json_lines(),
        CarrierName::Mqtt => words.carried_mqtt(),
        CarrierName::Sockjs => words.carried_sockjs(),
        CarrierName::SockjsStreaming => words.carried_sockjs_streaming(),
        CarrierName::SockjsPolling => words.carried_sockjs_polling(),
    }
}

/// Why another carrier is in use, for people.
#[must_use]
pub fn why_instead(instead: &InsteadOf, words: Words) -> String {
    let of = told(instead.carrier, words);
    match &instead.cause {
        Some(cause) => words.carried_instead(cause, &of, instead.failed),
        None => words.carried_instead_known(&of),
    }
}

/// Which carrier another one is in the place of.
#[must_use]
pub fn instead_of(status: &Status, words: Words) -> Option<InsteadOf> {
    let Instead { of, failed, by } = status.instead.as_ref()?;
    let cause = by.as_ref().map(|by| cause::told(by, words));
    Some(InsteadOf { carrier: name(*of), failed: *failed, cause })
}
