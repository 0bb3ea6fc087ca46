//! `tidings secret set|clear`: a channel's secret into the keyring and out of it again. The secret comes from a
//! terminal without echo or from stdin, never from the arguments, which every user of the machine can see.

use std::io::{BufRead, IsTerminal, Read};
use std::process::ExitCode;

use tidings_api::Request;
use tidings_api::client::{Client, ClientError};

use crate::cli::{self, exit};
use crate::credential::{self, CredentialSource};
use crate::keyring;
use crate::listen::choose;
use crate::paths::Paths;
use crate::settings;

pub(crate) async fn run(paths: &Paths, what: &cli::Secret) -> anyhow::Result<ExitCode> {
    let (cli::Secret::Set { channel } | cli::Secret::Clear { channel }) = what;
    let id = match channel_id(paths, channel) {
        Ok(id) => id,
        Err(message) => return Ok(said(exit::USAGE, &message)),
    };
    let person = std::io::stdin().is_terminal();
    let done = match what {
        cli::Secret::Set { .. } => {
            let secret = match typed(&id, person) {
                Ok(secret) => secret,
                Err(message) => return Ok(said(exit::USAGE, &message)),
            };
            keyring::write(&id, &secret, person).await.map(|()| "the secret is kept in the keyring")
        }
        cli::Secret::Clear { .. } => keyring::remove(&id, person).await.map(|removed| match removed {
            true => "the secret is removed from the keyring",
            false => "the keyring has no secret of this channel",
        }),
    };
    match done {
        Ok(words) => {
            said(0, words);
            Ok(tell_agent(paths, id).await)
        }
        Err(error) => Ok(said(exit::FAILED, &error.to_string())),
    }
}

/// The id of the channel that is meant, whose secret must be the keyring's to give.
fn channel_id(paths: &Paths, name: &str) -> Result<String, String> {
    let settings = settings::load(&paths.settings).map_err(|error| error.to_string())?;
    let channel = choose(&settings.channels, Some(name), &paths.settings)?;
    let key = match &channel.credential {
        CredentialSource::Keyring => return Ok(channel.id.clone()),
        CredentialSource::None => "auth = \"none\"",
        CredentialSource::Env(_) => "token_env",
        CredentialSource::File(_) => "token_file",
        CredentialSource::Command(_) => "token_command",
    };
    Err(format!("the channel {:?} has {key} in the settings; remove that to use the keyring", channel.name))
}

fn typed(id: &str, person: bool) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("the secret can't be read: {error}");
    let text = if person {
        rpassword::prompt_password(format!("Secret of {id}: ")).map_err(failed)?
    } else {
        let mut line = String::new();
        let input = std::io::stdin().lock().take(credential::LARGEST as u64 + 1);
        std::io::BufReader::new(input).read_line(&mut line).map_err(failed)?;
        line
    };
    credential::usable("stdin", text.as_bytes()).map_err(|error| error.to_string())
}

/// The one that runs dials anew by the new secret.
async fn tell_agent(paths: &Paths, channel: String) -> ExitCode {
    let asked =
        async { Client::connect(&paths.socket()).await?.ask(&Request::CredentialChanged { channel }).await };
    match asked.await {
        Ok(_) | Err(ClientError::NotRunning) => ExitCode::SUCCESS,
        Err(error) => {
            said(0, &format!("the running Tidings was not told ({error}); it learns of it when it dials"))
        }
    }
}

#[expect(clippy::print_stderr, reason = "a word to the person who typed the command")]
fn said(code: u8, text: &str) -> ExitCode {
    eprintln!("tidings: {text}");
    ExitCode::from(code)
}
