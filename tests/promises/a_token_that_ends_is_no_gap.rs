//! `tidings-server` ends a link when its JSON Web Token does. A fresh token takes its place before that, and one that comes
//! later is dialled with at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use tidings_api::StateName;
use tidings_server::{EventKind, Jwt, KeyFile, Options, Server, UNAUTHORIZED};
use tidings_tests::app::App;
use tidings_tests::scene::{Place, channel};

const KEY: &[u8] = b"a secret of thirty-two bytes, or more";

/// A token of ann's that is good for so long from now on.
fn token(good_for: Duration) -> anyhow::Result<String> {
    let exp = (SystemTime::now().duration_since(UNIX_EPOCH)? + good_for).as_secs();
    let claims = format!(r#"{{"sub":"ann","exp":{exp}}}"#);
    let signed = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(claims));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64.encode(signature)))
}

/// A server that knows those tokens, and a file with one of them.
async fn server(folder: &Path, good_for: Duration) -> anyhow::Result<(Place, PathBuf)> {
    let (key, file) = (folder.join("key"), folder.join("token"));
    fs::write(&key, KEY)?;
    fs::write(&file, token(good_for)?)?;
    let jwt = Some(Jwt { keys: KeyFile::One(key), audience: None, issuer: None });
    Ok((Place(Server::start(Options { jwt, ..Options::default() }).await?), file))
}

fn is_end(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Closing { code: Some(UNAUTHORIZED), .. })
}

#[tokio::test]
async fn a_link_is_renewed_before_its_token_ends() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Nothing is renewed within 10 s, whatever it says of its end.
    let (server, file) = server(folder.path(), Duration::from_secs(14)).await?;
    let url = format!("ws://{}/ws/user-channel", server.addr());
    let settings = format!("{}token_command = \"cat {}\"\n", channel("Orders", &url), file.display());
    let app = App::with_settings(settings).background().start().await?;
    server.opened(1).await?;
    fs::write(&file, token(Duration::from_secs(3600))?)?;
    server.opened(2).await?;
    server
        .seen(0, |kind| {
            matches!(kind, EventKind::Closed { code: Some(1000), .. } | EventKind::Replaced { .. })
        })
        .await?;
    assert!(server.all(is_end).is_empty(), "the server had no link to end");
    assert_eq!(app.status().await?.channels[0].state, StateName::Connected);
    Ok(())
}

#[tokio::test]
async fn a_token_that_comes_after_the_end_is_dialled_with_at_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, file) = server(folder.path(), Duration::from_secs(3)).await?;
    let url = format!("ws://{}/ws/user-channel", server.addr());
    let settings = format!("{}token_file = {:?}\n", channel("Orders", &url), file.display().to_string());
    let app = App::with_settings(settings).background().start().await?;
    server.opened(1).await?;
    server.seen(0, is_end).await?;
    let waits = |state| matches!(state, StateName::Waiting | StateName::NeedsUser);
    app.wait_for_status("waiting for another", |status| waits(status.channels[0].state)).await?;
    fs::write(&file, token(Duration::from_secs(3600))?)?;
    // Its own delay would be 30 s or more.
    server.opened(2).await?;
    Ok(())
}
