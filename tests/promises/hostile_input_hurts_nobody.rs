//! Whatever a server sends, or whatever sits where a server should be: no panic, no hang, a word in the log,
//! the delays that the connection's rules name, and what is valid is kept.

use tidings_server::{Options, Server};
use tidings_tests::desktop::Signal;
use tidings_tests::listen::{Home, Program};

mod answers;
mod frames;
mod messages;

/// The longest message that is taken.
const MIB: usize = 1 << 20;

/// The first byte of a whole text frame.
const TEXT: u8 = 0x81;

/// Seconds of an ordinary first delay.
const ORDINARY: (f64, f64) = (0.0, 3.0);

async fn server() -> Server {
    let options = Options { backlog: 10_000, backlog_bytes: 64 * MIB, ..Options::default() };
    Server::start(options).await.expect("a server")
}

/// A frame as a server sends it, whatever its first byte says.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(short.to_be_bytes()[1]),
        Ok(medium) => {
            frame.push(126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// A listener of its own for one user or address.
struct Listener {
    _home: Home,
    listen: Program,
}

impl Listener {
    fn start(url: &str) -> Self {
        let home = Home::new("").expect("a home folder");
        let arguments = ["listen", "--json", "--url", url];
        let listen = home.start(&arguments).expect("it starts");
        Self { _home: home, listen }
    }

    async fn connected(server: &Server, user: &str) -> Self {
        let mut listener = Self::start(&server.url(user));
        listener.listen.state("connected").await.expect("connected");
        listener
    }

    /// The end of a link or dial as it is printed: the cause, and the drawn delay in seconds.
    async fn lost(&mut self) -> (String, f64) {
        loop {
            let line = self.listen.state("waiting").await.expect("a state");
            // How it starts.
            if line["cause"] != "reconnecting" {
                let time = |key: &str| -> jiff::Timestamp {
                    line[key].as_str().expect("a time").parse().expect("RFC 3339")
                };
                let cause = line["cause"].as_str().expect("a cause").to_owned();
                return (cause, time("retry_at").duration_since(time("since")).as_secs_f64());
            }
        }
    }

    /// It is still there, ends when asked to, and has not panicked.
    async fn ends_well(self) -> String {
        self.listen.signal(Signal::TERM).expect("it runs");
        let ended = self.listen.ended().await.expect("an end");
        assert_eq!(ended.code, 0, "{}", ended.log);
        assert!(!ended.log.contains("panicked"), "{}", ended.log);
        ended.log
    }
}

/// Whether a delay was drawn from this range; it is looked at a moment after it was drawn.
fn drawn_from(delay: f64, (from, to): (f64, f64)) -> bool {
    (from - 1.0..=to).contains(&delay)
}

/// A line that does nothing to the terminal or the eye that reads it.
fn is_plain(line: &str) -> bool {
    !line.contains(|c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}
