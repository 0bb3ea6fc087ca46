//! `tidings send`: a message by a channel whose kind can, by the running Tidings or without it.

use std::io::Read as _;
use std::process::ExitCode;

use tidings_api::client::{Client, ClientError};
use tidings_api::{Outgoing, Request};
use tidings_ground::paths::Paths;
use tidings_ground::reason::{self, Failed};
use tidings_ground::terminal::usage;
use tidings_words::{Text, Words};

use crate::cli;
use crate::listen::choose;

/// Longest text that is read from stdin, bytes: no server takes a longer one.
const MOST: u64 = 1024 * 1024;

pub(crate) async fn run(paths: &Paths, args: &cli::Send, words: Words) -> anyhow::Result<ExitCode> {
    let message = Outgoing {
        channel: args.channel.clone(),
        text: if args.text == "-" { typed()? } else { args.text.clone() },
        title: args.title.clone(),
        priority: args.priority,
        tags: args.tags.clone(),
        topic: args.topic.clone(),
    };
    match Client::connect(&paths.socket()).await {
        Ok(mut client) => {
            client.ask_in_time(&Request::Send(message)).await?;
        }
        Err(ClientError::NotRunning) => {
            let settings = match tidings_settings::load(&paths.settings) {
                Ok(settings) => settings,
                Err(error) => return Ok(usage(&error.told(words))),
            };
            let channel = match choose(&settings.channels, Some(&message.channel), &paths.settings) {
                Ok(channel) => channel,
                Err(why) => return Ok(usage(&why.said(words))),
            };
            tidings_publish::send(channel, None, &message, words).await.map_err(ClientError::Refused)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// What stdin says, without the line break at its end.
fn typed() -> Result<String, Failed> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|why| Failed(Text::cli_not_read(&"stdin", &reason::of_io(&why))))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
