//! `tidings secret set|clear`: a channel's secret into the keyring and out of it again. The secret comes from a
//! terminal without echo or from stdin, never from the arguments, which every user of the machine can see.

use std::io::IsTerminal;
use std::process::ExitCode;

use tidings_api::Request;
use tidings_api::client::ClientError;
use tidings_ground::paths::Paths;
use tidings_ground::terminal::{ended, usage};
use tidings_ground::{exit, reason};
use tidings_settings::credential::{self, CredentialSource};
use tidings_settings::keyring;
use tidings_words::Words;

use crate::listen::choose;
use crate::{cli, remote};

pub(crate) async fn run(paths: &Paths, what: &cli::Secret, words: Words) -> anyhow::Result<ExitCode> {
    let (cli::Secret::Set { channel } | cli::Secret::Clear { channel }) = what;
    let id = match channel_id(paths, channel, words) {
        Ok(id) => id,
        Err(message) => return Ok(usage(&message)),
    };
    let person = std::io::stdin().is_terminal();
    let done = match what {
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

/// The id of the channel that is meant, whose secret must be the keyring's to give.
fn channel_id(paths: &Paths, name: &str, words: Words) -> Result<String, String> {
    let settings = tidings_settings::load(&paths.settings).map_err(|error| error.told(words))?;
    let channel =
        choose(&settings.channels, Some(name), &paths.settings).map_err(|message| message.said(words))?;
    let key = match &channel.credential {
        CredentialSource::Keyring => return Ok(channel.id.clone()),
        CredentialSource::None => "auth = \"none\"",
        CredentialSource::Env(_) => "token_env",
        CredentialSource::File(_) => "token_file",
        CredentialSource::Command(_) => "token_command",
    };
    Err(words.cli_secret_elsewhere(&key, &format_args!("{:?}", channel.name)))
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
