//! `tidings sign-in`: the running Tidings does it, and what a person has to do is told here.

use std::process::ExitCode;

use tidings_api::client::{Client, ClientError};
use tidings_api::{ErrorCode, Reply, Request, TypeCode};
use tidings_ground::paths::Paths;
use tidings_ground::terminal::tell;
use tidings_words::Words;

use crate::remote;

/// Where one of these is set, there is a screen to sign in on.
const DISPLAYS: [&str; 2] = ["WAYLAND_DISPLAY", "DISPLAY"];

/// `code`: by a browser anywhere.
pub(crate) async fn run(paths: &Paths, channel: &str, code: bool, words: Words) -> anyhow::Result<ExitCode> {
    let shown = DISPLAYS.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if code || !shown {
        match by_code(paths, channel, words).await {
            // It signs in in another way, for which the screen may be somewhere else.
            Err(ClientError::Refused(refusal)) if !code && refusal.code == ErrorCode::NoSession => {}
            Ok(()) => return Ok(ExitCode::SUCCESS),
            Err(error) => return Ok(remote::failed(&error, words)),
        }
    }
    remote::sign_in(paths, channel, words).await
}

/// Tells the code and the page that it is typed on, and waits until that is done.
async fn by_code(paths: &Paths, channel: &str, words: Words) -> Result<(), ClientError> {
    let mut client = Client::connect(&paths.socket()).await?;
    let channel = channel.to_owned();
    let asked = client.ask_in_time(&Request::SignInByCode { channel: channel.clone() }).await?;
    let Reply::TypeCode(TypeCode { page, page_with_code, code, valid_s }) = asked else {
        return Err(ClientError::Malformed(format!("{asked:?}")));
    };
    let minutes = valid_s.div_ceil(60);
    let told = match page_with_code {
        Some(whole) => words.cli_sign_in_code_or_page(&code, &minutes, &page, &whole),
        None => words.cli_sign_in_code(&code, &minutes, &page),
    };
    // A closed terminal wants no words; the sign-in goes on.
    let _ = tell(&told);
    client.ask_in_time(&Request::SignInEnded { channel }).await?;
    let _ = tell(&words.cli_signed_in());
    Ok(())
}
