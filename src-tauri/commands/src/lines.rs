//! States and messages as `listen` and `tail` print them, a line each.

use jiff::Timestamp;
use serde::Serialize;
use tidings_api::{Format, Line, MessageReport};
use tidings_ground::terminal::{Unwritten, plain};
use tidings_words::Words;
use tokio::io::{AsyncWriteExt, Stdout};

use crate::remote::local_time;

/// Stdout, flushed per line. Written from a thread of its own, so that a slow reader doesn't stall the link's timers.
pub(crate) struct Out {
    pub stdout: Stdout,
    pub json: bool,
    pub words: Words,
}

impl Out {
    pub(crate) async fn lines(&mut self, lines: impl IntoIterator<Item = Line>) -> Result<(), Unwritten> {
        for line in lines {
            self.line(&line).await?;
        }
        Ok(())
    }

    pub(crate) async fn line(&mut self, line: &Line) -> Result<(), Unwritten> {
        let mut text = if self.json { json(line)? } else { told(line, self.words) };
        text.push('\n');
        self.stdout.write_all(text.as_bytes()).await?;
        Ok(self.stdout.flush().await?)
    }
}

fn json(value: &impl Serialize) -> std::io::Result<String> {
    Ok(serde_json::to_string(value)?)
}

fn told(line: &Line, words: Words) -> String {
    let told = match line {
        Line::State(line) => {
            let now = local_time(Timestamp::now());
            let mut told = words.cli_listen_state(&line.channel, &now, &line.state.as_str());
            if let Some(at) = line.retry_at {
                told = words.cli_listen_until(&told, &local_time(at));
            }
            line.cause.as_ref().map_or_else(|| told.clone(), |cause| words.cli_status_cause(cause, &told))
        }
        Line::Message(message) => {
            let MessageReport { channel, title, body, format, received_at, .. } = message;
            let read = match format {
                Format::Plain => None,
                Format::Markdown => tidings_markdown::plain(body),
            };
            let body = read.as_ref().unwrap_or(body);
            format!("{} {channel}: {title}\n{body}", local_time(*received_at))
        }
    };
    plain(&told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(title: &str, body: &str) -> MessageReport {
        MessageReport {
            channel: "Orders".to_owned(),
            id: None,
            topic: None,
            app: None,
            title: title.to_owned(),
            body: body.to_owned(),
            format: Format::Plain,
            priority: 3,
            url: None,
            actions: Vec::new(),
            attachments: Vec::new(),
            tags: Vec::new(),
            received_at: "2001-02-03T12:00:00Z".parse().unwrap(),
            raw: tidings_api::Raw::Text(String::new()),
        }
    }

    #[test]
    fn markdown_is_told_as_text_and_kept_as_it_was_sent_for_programs() {
        let source = "**Two**&#7;[lamps](https://shop.example/41)";
        let message = MessageReport { format: Format::Markdown, ..message("*Order*", source) };
        let told = told(&Line::Message(message.clone()), Words::default());
        assert!(told.ends_with("Orders: *Order*\nTwo lamps (https://shop.example/41)"), "{told:?}");
        let json = json(&Line::Message(message)).unwrap();
        assert!(json.contains(r#""format":"markdown""#) && json.contains("**Two**&#7;[lamps]"), "{json}");
    }

    #[test]
    fn a_message_is_told_with_the_time_at_which_it_came_and_commands_no_terminal() {
        let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}";
        let message = MessageReport {
            channel: format!("O{evil}"),
            ..message(&format!("T{evil}"), &format!("two\nlines{evil}"))
        };
        let time = local_time(message.received_at);
        assert!(time.starts_with("2001-02-0"), "{time}");
        let plain = " ]0;x  2J";
        assert_eq!(
            told(&Line::Message(message), Words::default()),
            format!("{time} O{plain}: T{plain}\ntwo\nlines{plain}")
        );
    }
}
