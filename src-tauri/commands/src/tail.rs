//! `tidings tail`: the running agent's messages as they arrive, and stored ones before them.
//!
//! What arrives is only the bell: each time it rings, all that the inbox has behind the last row told is read from
//! there. So there is no gap and no double between stored and new ones, the search means the same for both, and a reader
//! too slow for the events misses nothing.

use std::path::Path;
use std::process::ExitCode;

use tidings_api::client::{Client, ClientError};
use tidings_api::{Event, HistoryQuery, Line, Reply, Request, StoredMessage};
use tidings_ground::paths::Paths;
use tidings_words::Words;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Tail;
use crate::lines::Out;

/// Messages asked for at a time. Too few: many questions; too many: the first line comes late.
const PAGE: u16 = 200;

pub(crate) async fn run(paths: &Paths, args: &Tail, words: Words) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let out = Out { stdout: tokio::io::stdout(), json: args.json, words };
    let socket = paths.socket();
    tokio::select! {
        ended = follow(&socket, args, out) => ended.map(|()| ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
    }
}

/// Prints until the reader or the agent is gone, or, where it is not to go on, all that is stored is told.
async fn follow(socket: &Path, args: &Tail, out: Out) -> anyhow::Result<()> {
    // Listening comes first: what is stored from here on rings.
    let mut bell = Client::connect(socket).await?;
    bell.ask_in_time(&Request::Subscribe { window: false }).await?;
    let mut reader = Reader {
        agent: Client::connect(socket).await?,
        query: HistoryQuery { limit: PAGE, search: args.search.clone(), ..HistoryQuery::default() },
        out,
    };
    let newest = reader.newest().await?;
    match &args.since {
        Some(since) => since.ask(&mut reader.query),
        None if args.search.is_some() => reader.query.after = Some(0),
        None => reader.query.after = Some(newest),
    }
    reader.print().await?;
    if reader.query.after_id.take().is_some() {
        // There was nothing behind that message, and its id may be given again.
        reader.query.after = Some(newest);
    }
    if args.no_follow {
        return Ok(());
    }
    loop {
        let rung = match bell.event().await? {
            Event::Message(message) => Some(message.row) > reader.query.after,
            // Also told in place of messages, to a reader that is too slow for each.
            Event::Snapshot(_) => true,
            // What is printed stays so; what is not yet is not there any more.
            Event::State(_)
            | Event::Raise { .. }
            | Event::Gone { .. }
            | Event::Read { .. }
            | Event::Pictures { .. } => false,
        };
        if rung {
            reader.print().await?;
        }
    }
}

struct Reader {
    agent: Client,
    /// What is not told yet.
    query: HistoryQuery,
    out: Out,
}

impl Reader {
    /// The newest row, or the one before the first.
    async fn newest(&mut self) -> Result<i64, ClientError> {
        let newest = self.ask(HistoryQuery { limit: 1, ..HistoryQuery::default() }).await?;
        Ok(newest.first().map_or(0, |message| message.row))
    }

    /// Prints all that is there.
    async fn print(&mut self) -> anyhow::Result<()> {
        loop {
            let messages = self.ask(self.query.clone()).await?;
            let Some(last) = messages.last() else { return Ok(()) };
            self.query =
                HistoryQuery { after: Some(last.row), after_id: None, ..std::mem::take(&mut self.query) };
            for stored in messages {
                self.out.line(&Line::Message(stored.message)).await?;
            }
        }
    }

    async fn ask(&mut self, query: HistoryQuery) -> Result<Vec<StoredMessage>, ClientError> {
        let reply = self.agent.ask_in_time(&Request::History(query)).await?;
        let Reply::History { messages } = reply else {
            return Err(ClientError::Malformed(format!("{reply:?}")));
        };
        Ok(messages)
    }
}
