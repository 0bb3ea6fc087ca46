//! Dials that lead nowhere, and answers that are no upgrade.

use std::time::SystemTime;

use tidings_channel::Stage;

use super::*;

#[tokio::test]
async fn a_port_where_nobody_listens_is_told() {
    let (listener, port) = listen().await;
    drop(listener);
    let (cause, _) = Desk::new(config("ws", port)).trouble().await;
    assert_eq!(cause.to_string(), "server not reachable (connection refused)");
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    // RFC 6761: no such name, ever.
    let url = ChannelUrl::parse("wss://no-such-host.invalid/ws", false).expect("a good URL");
    let (cause, _) = Desk::new(Config { url, ..config("ws", 1) }).trouble().await;
    assert!(matches!(cause, Cause::Lookup { .. }), "{cause}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up() {
    for (scheme, stage) in [("ws", Stage::Upgrade), ("wss", Stage::Tls)] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(config(scheme, port));
        let _black_hole = dialled(&listener).await;
        assert_eq!(desk.trouble().await.0, Cause::TimedOut { stage });
        dialled(&listener).await;
    }
}

#[tokio::test]
async fn half_a_tls_handshake_is_given_up() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("wss", port));
    let mut stream = dialled(&listener).await;
    // The start of a ServerHello's record.
    stream.write_all(&[22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3]).await.expect("sent");
    assert_eq!(desk.trouble().await.0, Cause::TimedOut { stage: Stage::Tls });
}

#[tokio::test]
async fn plaintext_where_tls_was_to_be_is_told() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("wss", port));
    let mut stream = dialled(&listener).await;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("sent");
    let (cause, _) = desk.trouble().await;
    assert!(matches!(cause, Cause::Tls { .. }), "{cause}");
}

#[tokio::test]
async fn an_endless_response_head_is_cut_off_at_16_kib() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    let mut stream = dialled(&listener).await;
    head(&mut stream).await;
    let endless = async {
        stream.write_all(b"HTTP/1.1 101 \r\nX-Filler: ").await?;
        loop {
            stream.write_all(&[b'a'; 100]).await?;
        }
    };
    let (cause, _) = tokio::select! {
        trouble = desk.trouble() => trouble,
        ended = endless => {
            let _: std::io::Result<()> = ended;
            desk.trouble().await
        }
    };
    assert!(cause.to_string().contains("16 KiB"), "{cause}");
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed_and_no_credential_goes_there() {
    let (listener, port) = listen().await;
    let (elsewhere, other_port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    let redirect = format!("HTTP/1.1 302 \r\nLocation: http://127.0.0.1:{other_port}/ws\r\n\r\n");
    let asked = answer(&listener, &redirect).await;
    assert!(asked.to_lowercase().contains("authorization: bearer s3cret"), "the right server gets it");
    let (cause, status) = desk.trouble().await;
    assert_eq!(
        cause.to_string(),
        format!("the server redirects elsewhere (302): ws://127.0.0.1:{other_port}/ws")
    );
    assert!(!format!("{status:?}").contains("s3cret"));
    assert!(tokio::time::timeout(millis(200), elsewhere.accept()).await.is_err(), "it was followed");
}

#[tokio::test]
async fn an_expired_session_needs_the_user_after_one_more_try() {
    let page = "HTTP/1.1 200 \r\nContent-Type: text/html\r\nContent-Length: 40\r\n\r\n\
                <form action='j_security_check'></form> ";
    for refusal in [
        "HTTP/1.1 302 \r\nLocation: /login\r\n\r\n",
        page,
        "HTTP/1.1 401 \r\nWWW-Authenticate: Bearer\r\n\r\n",
    ] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(config("ws", port));
        answer(&listener, refusal).await;
        answer(&listener, refusal).await;
        let cause = desk.needs_user().await;
        assert!(matches!(cause, Cause::SignInRefused { .. }), "{refusal}: {cause}");
    }
}

#[tokio::test]
async fn a_403_has_the_secret_read_once_more_and_then_needs_the_user() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    answer(&listener, "HTTP/1.1 403 \r\n\r\n").await;
    answer(&listener, "HTTP/1.1 403 \r\n\r\n").await;
    assert_eq!(desk.needs_user().await, Cause::SignInRefused { status: 403 });
    assert_eq!(desk.status.borrow().generation, 2);
}

#[tokio::test]
async fn a_redirect_that_only_adds_a_slash_is_no_sign_in_and_is_named() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    answer(&listener, "HTTP/1.1 307 \r\nLocation: /ws/user-channel/?x=1\r\n\r\n").await;
    let (cause, _) = desk.trouble().await;
    assert_eq!(
        cause.to_string(),
        format!("the address moved to ws://localhost:{port}/ws/user-channel/ (307)")
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_each_time_is_probably_at_another_address() {
    let (listener, port) = listen().await;
    let mut desk = Desk::new(config("ws", port));
    for _ in 0..3 {
        let mut stream = dialled(&listener).await;
        head(&mut stream).await;
    }
    let told = |status: &Status| status.to_string().contains("probably a wrong address");
    assert!(desk.until("told", told).await.persistent);
}

#[tokio::test]
async fn a_429_is_obeyed_in_both_forms_of_retry_after() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    for after in ["100", &date] {
        let (listener, port) = listen().await;
        let mut desk = Desk::new(config("ws", port));
        answer(&listener, &format!("HTTP/1.1 429 \r\nRetry-After: {after}\r\n\r\n")).await;
        let (cause, status) = desk.trouble().await;
        assert_eq!(cause, Cause::Status { status: 429 });
        let wait = status.state.retry_at().expect("it waits").duration_since(SystemTime::now());
        let seconds = wait.expect("to come").as_secs();
        assert!((97..=125).contains(&seconds), "{after}: {seconds} s");
    }
}

#[tokio::test]
async fn what_the_owner_gives_is_sent() {
    let (listener, port) = listen().await;
    let text = str::to_owned;
    let params = DialParams {
        credential: Some(Credential::Query { name: text("token"), value: text("a b") }),
        headers: vec![(text("Origin"), text("https://shop.example"))],
        query: vec![(text("since"), text("41"))],
        ..DialParams::default()
    };
    let _desk = Desk::with(config("ws", port), params);
    let asked = head(&mut dialled(&listener).await).await;
    assert!(asked.starts_with("GET /ws/user-channel?since=41&token=a+b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("\r\norigin: https://shop.example\r\n"), "{asked}");
}

#[tokio::test]
async fn an_upgrade_that_is_given_up_is_reset_and_one_that_is_answered_is_not() {
    // Many servers find out by a reset alone that nobody waits for an upgrade any more.
    let (listener, port) = listen().await;
    let _desk = Desk::new(config("ws", port));
    let mut given_up = dialled(&listener).await;
    head(&mut given_up).await;
    let end = given_up.read(&mut [0]).await;
    assert_eq!(end.expect_err("a reset").kind(), std::io::ErrorKind::ConnectionReset);
    let mut refused = dialled(&listener).await;
    head(&mut refused).await;
    refused.write_all(b"HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n").await.expect("sent");
    assert_eq!(refused.read(&mut [0]).await.expect("no reset"), 0);
}
