//! `tidings secret set|clear|export|import`: a channel's secret into the keyring and out of it again. The secret comes from a
//! terminal without echo or from stdin, never from the arguments, which every user of the machine can see.

use std::io::{IsTerminal, Read as _};
use std::path::Path;
use std::process::ExitCode;

use tidings_api::Request;
use tidings_api::client::ClientError;
use tidings_ground::exit;
use tidings_ground::file::write_new;
use tidings_ground::paths::Paths;
use tidings_ground::reason::{self, Failed};
use tidings_ground::terminal::{ended, print, usage};
use tidings_settings::credential::{self, CredentialSource};
use tidings_settings::keyring::{self, Entry};
use tidings_settings::{Jar, SessionJar};
use tidings_words::{Text, Words};

use crate::listen::choose;
use crate::{cli, remote};

pub(crate) async fn run(paths: &Paths, what: &cli::Secret, words: Words) -> anyhow::Result<ExitCode> {
    let (cli::Secret::Set { channel }
    | cli::Secret::Clear { channel }
    | cli::Secret::Export { channel, .. }
    | cli::Secret::Import { channel, .. }) = what;
    let (id, jar) = match channel_id(paths, channel, words) {
        Ok(found) => found,
        Err(message) => return Ok(usage(&message)),
    };
    let person = std::io::stdin().is_terminal();
    let done = match what {
        cli::Secret::Export { file, .. } => return export(&id, file.as_deref(), words).await,
        cli::Secret::Import { file, .. } => {
            let secret = match given(file.as_deref(), jar.as_ref(), words) {
                Ok(secret) => secret,
                Err(message) => return Ok(usage(&message)),
            };
            keyring::write(&id, &secret, person).await.map(|()| words.cli_secret_kept())
        }
        cli::Secret::Set { .. } => {
            let secret = match typed(&id, person, words) {
                Ok(secret) => secret,
                Err(message) => return Ok(usage(&message)),
            };
            keyring::write(&id, &secret, person).await.map(|()| words.cli_secret_kept())
        }
        cli::Secret::Clear { .. } => keyring::remove(&id, person).await.map(|removed| match removed {
            0 => words.cli_secret_none(),
            count => words.cli_secret_removed(count),
        }),
    };
    match done {
        Ok(done) => {
            ended(0, &done);
            Ok(tell_agent(paths, id, words).await)
        }
        Err(error) => Ok(ended(exit::FAILED, &error.told(words))),
    }
}

/// Writes a secret where it is asked for: into a new file that its owner alone can read, or to a program that reads stdout. On no screen.
async fn export(id: &str, file: Option<&Path>, words: Words) -> anyhow::Result<ExitCode> {
    if file.is_none() && std::io::stdout().is_terminal() {
        return Ok(usage(&words.cli_secret_export_where()));
    }
    let secret = match keyring::read(id).await {
        Ok(Entry::Secret(secret)) => secret,
        Ok(Entry::None) => return Ok(ended(exit::FAILED, &words.cli_secret_none())),
        Ok(Entry::Locked) => return Ok(ended(exit::FAILED, &words.keyring_locked())),
        Err(error) => return Ok(ended(exit::FAILED, &error.told(words))),
    };
    let Some(file) = file else {
        print(&String::from_utf8_lossy(&secret))?;
        return Ok(ExitCode::SUCCESS);
    };
    let written = write_new(file, &secret);
    written.map_err(|why| Failed(Text::cli_not_written(&file.display(), &reason::of_io(&why))))?;
    Ok(ended(0, &words.cli_secret_exported(&file.display())))
}

/// What `export` wrote, from a file or stdin.
fn given(file: Option<&Path>, jar: Option<&SessionJar>, words: Words) -> Result<String, String> {
    let failed = |error: std::io::Error| words.cli_secret_unreadable(&reason::of_io(&error));
    let from = if file.is_some() { "file" } else { "stdin" };
    let mut bytes = Vec::new();
    match file {
        Some(file) => std::fs::File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes)),
        None => std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes),
    }
    .map_err(failed)?;
    let json = jar.and_then(|_| credential::on_one_line(&bytes)).map(String::into_bytes);
    let secret = credential::usable(from, &json.unwrap_or(bytes)).map_err(|error| error.told(words))?;
    match jar {
        Some(jar) if Jar::parse(&secret, jar.addresses()).is_err() => Err(words.credential_no_cookies(&from)),
        Some(_) | None => Ok(secret),
    }
}

/// More than any secret has, bytes: what is longer is told as that.
const LARGEST: u64 = 1024 * 1024;

/// The id of the channel that is meant, whose secret must be the keyring's to give, and its session, if it is one.
fn channel_id(paths: &Paths, name: &str, words: Words) -> Result<(String, Option<SessionJar>), String> {
    let settings = tidings_settings::load(&paths.settings).map_err(|error| error.told(words))?;
    let channel =
        choose(&settings.channels, Some(name), &paths.settings).map_err(|message| message.said(words))?;
    match &channel.credential {
        CredentialSource::Keyring => Ok((channel.id.clone(), channel.jar())),
        elsewhere @ (CredentialSource::None
        | CredentialSource::Env(_)
        | CredentialSource::File(_)
        | CredentialSource::Command(_)
        | CredentialSource::Provider(_)) => {
            Err(words.cli_secret_elsewhere(&elsewhere.key(), &format_args!("{:?}", channel.name)))
        }
    }
}

fn typed(id: &str, person: bool, words: Words) -> Result<String, String> {
    let failed = |error: std::io::Error| words.cli_secret_unreadable(&reason::of_io(&error));
    let text = if person {
        rpassword::prompt_password(format!("{} ", words.cli_secret_prompt(&id))).map_err(failed)?.into_bytes()
    } else {
        credential::first_line(std::io::stdin().lock()).map_err(failed)?
    };
    credential::usable_line("stdin", &text).map_err(|error| error.told(words))
}

/// The one that runs dials anew by the new secret.
async fn tell_agent(paths: &Paths, channel: String, words: Words) -> ExitCode {
    match remote::answer(paths, &Request::CredentialChanged { channel }).await {
        Ok(_) | Err(ClientError::NotRunning) => ExitCode::SUCCESS,
        Err(error) => ended(0, &words.cli_secret_not_told(&remote::told(&error, words))),
    }
}
