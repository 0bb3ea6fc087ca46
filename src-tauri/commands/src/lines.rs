//! States and messages as `listen` and `tail` print them, a line each.

use jiff::Timestamp;
use serde::Serialize;
use tidings_api::{Line, MessageReport};
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
            let MessageReport { channel, title, body, received_at, .. } = message;
            format!("{} {channel}: {title}\n{body}", local_time(*received_at))
        }
    };
    plain(&told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_with_the_time_at_which_it_came_and_commands_no_terminal() {
        let received_at: Timestamp = "2001-02-03T12:00:00Z".parse().unwrap();
        let evil = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}";
        let message = MessageReport {
            channel: format!("O{evil}"),
            id: None,
            title: format!("T{evil}"),
            body: format!("two\nlines{evil}"),
            priority: 3,
            url: None,
            received_at,
            raw: tidings_api::Raw::Text(String::new()),
        };
        let time = local_time(received_at);
        assert!(time.starts_with("2001-02-0"), "{time}");
        let plain = " ]0;x  2J";
        assert_eq!(
            told(&Line::Message(message), Words::default()),
            format!("{time} O{plain}: T{plain}\ntwo\nlines{plain}")
        );
    }
}
