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
        let message = Text::refused_not_sent(&why, &message::host(&request)).said(words);
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Presses a button whose request goes to a server that answers this; what arrived there, and what became of it.
    async fn pressed(answer: &'static str) -> (String, Result<(), Refusal>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut arrived = Vec::new();
            while !arrived.ends_with(b"open=1") {
                let mut piece = [0; 1024];
                let count = stream.read(&mut piece).await.expect("read");
                assert!(count > 0, "ended early: {}", String::from_utf8_lossy(&arrived));
                arrived.extend_from_slice(&piece[..count]);
            }
            stream.write_all(answer.as_bytes()).await.expect("written");
            String::from_utf8(arrived).expect("text")
        });
        let own = ChannelUrl::parse("wss://ntfy.example/alerts/ws", false).expect("a channel");
        let request = HttpRequest {
            method: "PUT".to_owned(),
            url: format!("http://127.0.0.1:{port}/door?key=s3cret").parse().expect("an address"),
            headers: vec![("X-Key".to_owned(), "s3cret".to_owned())],
            body: "open=1".to_owned(),
            clear: false,
        };
        let ended = send(&Config::new(own), request, Words::default()).await;
        (served.await.expect("served"), ended)
    }

    #[tokio::test]
    async fn a_button_sends_what_its_message_says_and_hears_whether_it_was_taken() {
        let (arrived, ended) = pressed("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert!(arrived.starts_with("PUT /door?key=s3cret HTTP/1.1\r\n"), "{arrived}");
        assert!(arrived.to_ascii_lowercase().contains("\r\nx-key: s3cret\r\n"), "{arrived}");
        assert_eq!(ended, Ok(()));
        for answer in [
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
            "SSH-2.0\r\n",
        ] {
            let (_, ended) = pressed(answer).await;
            let refusal = ended.expect_err(answer);
            assert_eq!(refusal.code, ErrorCode::NotSent, "{answer}");
            assert!(refusal.message.starts_with("http://127.0.0.1:"), "{refusal}");
            assert!(!refusal.message.contains("s3cret"), "{refusal}");
        }
    }
}
