//! Sends what a button of a message sends, over the way of the channel that the message came by.

use tidings_api::{ErrorCode, Refusal};
use tidings_channel::{ChannelUrl, Config, DialParams, Fetch, Method, fetch};
use tidings_inbox::HttpRequest;
use tidings_state::{cause, message};
use tidings_words::{Text, Words};

/// Longest answer, bytes. Nobody reads it; too low: one that was taken looks as if it were not.
const MOST: usize = 256 << 10;

/// Sends it, with what it brings along and nothing else: neither the channel's secret nor its headers. The user has agreed to the
/// host, also to one that is reached without encryption.
pub(super) async fn send(config: &Config, request: HttpRequest, words: Words) -> Result<(), Refusal> {
    let refused = |why: String| {
        let message = Text::refused_not_sent(&message::host(&request), &why).said(words);
        Refusal::new(ErrorCode::NotSent, message)
    };
    // The inbox takes no other.
    let nothing = || Refusal::new(ErrorCode::UnknownMessage, Text::refused_no_action().said(words));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| nothing())?;
    let url = ChannelUrl::parse(request.url.as_str(), true).map_err(|_| nothing())?;
    let HttpRequest { headers, body, .. } = request.clone();
    let ask = Fetch { method, headers, body, most: MOST, ..Fetch::get(url) };
    let failed = match fetch(config, &DialParams::default(), ask).await {
        Ok(fetched) => fetched.failure(),
        Err(cause) => Some(cause),
    };
    match failed {
        None => Ok(()),
        Some(why) => {
            // The rest of the address, and the headers, may be secrets.
            tracing::info!(host = message::host(&request), ?why, "what a button sends was not taken");
            Err(refused(cause::told(&why, words)))
        }
    }
}
