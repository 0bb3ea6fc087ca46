//! Looking messages up: every question is a [`Query`], for the file and for what waits in memory.
//!
//! Without a search an index has the messages in their order. With one there are two ways: through the search's
//! matches, looking at each for the rest of the query, or through the index of the rest, looking whether each
//! matches. Which one is short nobody knows before, so both are gone, in turns, from the same end.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Statement, ToSql};

use crate::database::Database;
use crate::message::{Message, RowId};
use crate::{schema, search};

/// Matches of a search that are looked at in one turn, and messages of a channel, or unread ones. A look at the
/// latter costs about as much as ten at the former. Too few: a turn's beginning costs more than its looks. Too
/// many: what the other way would find at once is found late.
const MATCHES: usize = 2_000;
const CANDIDATES: usize = 200;

/// So many messages since a time are no narrowing worth its price.
const SINCE: i64 = 20_000;

/// Which stored messages are wanted, newest first unless `after` says otherwise. [`Query::newest`] is the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only those stored before this row.
    pub before: Option<RowId>,
    /// Only those stored after this row; the oldest of them come first then.
    pub after: Option<RowId>,
    /// At most so many.
    pub limit: usize,
    /// Only those that hold all of these words. English is found by the beginnings of words, Chinese by any part. A
    /// text without a word is in no message.
    pub search: Option<String>,
    /// Id: only this channel's.
    pub channel: Option<String>,
    /// Only those that nobody has looked at yet.
    pub unread: bool,
    /// Only those received at or after this time.
    pub since: Option<Timestamp>,
}

impl Query {
    /// The newest `limit` messages.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { before: None, after: None, limit, search: None, channel: None, unread: false, since: None }
    }

    /// Whether the message is wanted, but for the search.
    fn wants(&self, message: &Message) -> bool {
        self.before.is_none_or(|row| message.row < row)
            && self.after.is_none_or(|row| message.row > row)
            && self.channel.as_ref().is_none_or(|channel| *channel == message.channel)
            && (message.unread || !self.unread)
            && self.since.is_none_or(|since| message.received_at >= since)
    }

    /// The wanted ones of these, which come newest first; in the query's order.
    pub(crate) fn pick<'a>(&self, messages: impl Iterator<Item = &'a Message> + Clone) -> Vec<&'a Message> {
        let found = self.search.as_deref().map(|text| {
            matching(text, messages.clone()).unwrap_or_else(|error| {
                tracing::warn!("what waits in memory could not be searched: {error}");
                HashSet::new()
            })
        });
        let wanted = |message: &&Message| {
            self.wants(message) && found.as_ref().is_none_or(|found| found.contains(&message.row))
        };
        let mut picked: Vec<&Message> = messages.filter(wanted).collect();
        if self.after.is_some() {
            picked.reverse();
        }
        picked.truncate(self.limit);
        picked
    }

    /// The index that has the wanted messages in their order.
    fn index(&self) -> &'static str {
        match (&self.channel, self.unread) {
            (None, false) => "NOT INDEXED",
            (None, true) => "INDEXED BY message_unread",
            (Some(_), false) => "INDEXED BY message_channel",
            (Some(_), true) => "INDEXED BY message_channel_unread",
        }
    }

    fn order(&self) -> &'static str {
        if self.after.is_some() { "ASC" } else { "DESC" }
    }

    /// What is asked of a message's columns, to follow another condition.
    fn conditions(&self) -> String {
        let mut text = String::new();
        for (asked, condition) in [
            (self.channel.is_some(), " AND channel = :channel"),
            (self.unread, " AND unread = 1"),
            (self.since.is_some(), " AND received_at >= :since"),
        ] {
            text += if asked { condition } else { "" };
        }
        text
    }

    fn bind(&self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        bind(statement, ":channel", &self.channel)?;
        bind(statement, ":since", self.since.map(Timestamp::as_millisecond))
    }

    /// The statement for the rows of what is wanted, but for the search.
    fn rows_text(&self) -> String {
        let (index, conditions, order) = (self.index(), self.conditions(), self.order());
        format!(
            "SELECT row FROM message {index} WHERE row > :least AND row < :most{conditions} \
             ORDER BY row {order} LIMIT :limit"
        )
    }
}

/// Which of these hold all words of the text: by an index of their own, so that it is what the file's would find.
fn matching<'a>(text: &str, messages: impl Iterator<Item = &'a Message>) -> rusqlite::Result<HashSet<RowId>> {
    let memory = Connection::open_in_memory()?;
    memory.execute_batch(search::TABLES)?;
    for Message { row, title, body, .. } in messages {
        schema::index(&memory, *row, title, body)?;
    }
    let Some(terms) = in_terms(&memory, text) else { return Ok(HashSet::new()) };
    let mut rows = memory.prepare("SELECT rowid FROM search WHERE search MATCH ?1")?;
    rows.query_map([terms], |row| row.get(0).map(RowId))?.collect()
}

/// The text in the search's language; `None` if it has no word.
fn in_terms(file: &Connection, text: &str) -> Option<String> {
    search::query(text, |beginning| terms(file, beginning).unwrap_or_default())
}

/// The index's terms that begin so; `None` if they are too many. (FTS5's own search for a beginning lists
/// all its messages, however few are asked for.)
fn terms(file: &Connection, beginning: &str) -> rusqlite::Result<Option<Vec<String>>> {
    let mut next = file.prepare_cached("SELECT term FROM search_term WHERE term >= ?1 LIMIT 1")?;
    let mut terms: Vec<String> = Vec::new();
    let mut from = beginning.to_owned();
    while let Some(term) = next.query_row([&from], |row| row.get::<_, String>(0)).optional()? {
        if !term.starts_with(beginning) {
            break;
        }
        if terms.len() == search::EXPANSIONS {
            return Ok(None);
        }
        // No term holds a control character, so this is past all of this one's instances.
        from = format!("{term}\u{1}");
        terms.push(term);
    }
    Ok(Some(terms))
}

/// The rows that are looked at, both ends exclusive.
#[derive(Clone, Copy)]
struct Stretch {
    least: i64,
    most: i64,
}

impl Stretch {
    /// What is left once all up to this row were looked at, in the query's order.
    fn beyond(self, row: RowId, query: &Query) -> Self {
        if query.after.is_some() { Self { least: row.0, ..self } } else { Self { most: row.0, ..self } }
    }
}

impl Database {
    /// What is wanted.
    pub(crate) fn find(&self, query: &Query) -> rusqlite::Result<Vec<Message>> {
        if query.limit == 0 {
            return Ok(Vec::new());
        }
        let mut stretch = Stretch {
            least: query.after.map_or(i64::MIN, |row| row.0),
            most: query.before.map_or(i64::MAX, |row| row.0),
        };
        if let Some(since) = query.since {
            stretch.least = stretch.least.max(self.first_since(since)?.saturating_sub(1));
        }
        let rows = match &query.search {
            None => self.wanted(query, stretch, query.limit)?,
            Some(text) => match in_terms(&self.connection, text) {
                Some(terms) => self.search(query, &terms, stretch)?,
                None => Vec::new(),
            },
        };
        let messages = rows.into_iter().map(|row| self.message(row));
        messages.filter_map(Result::transpose).collect()
    }

    /// The newest message of this id; of several channels that have one, the oldest of theirs.
    pub(crate) fn row_of(&self, id: &str) -> rusqlite::Result<Option<RowId>> {
        // With a list of channels the index of (channel, id) serves an id alone.
        const ROW: &str = "SELECT min(newest) FROM (SELECT max(row) AS newest FROM message \
                           WHERE id = ?1 AND channel IN (SELECT channel FROM tally) GROUP BY channel)";
        let row = self.connection.prepare_cached(ROW)?.query_row([id], |row| row.get::<_, Option<i64>>(0))?;
        Ok(row.map(RowId))
    }

    /// A row that none received since then comes before. (Rows are in the order of time but where a clock was put
    /// back.)
    fn first_since(&self, since: Timestamp) -> rusqlite::Result<i64> {
        const FIRST: &str = "SELECT count(*), min(row) FROM (SELECT row FROM message INDEXED BY message_age \
                             WHERE unread IN (0, 1) AND received_at >= ?1 LIMIT ?2)";
        let (count, first): (i64, Option<i64>) = self
            .connection
            .prepare_cached(FIRST)?
            .query_row((since.as_millisecond(), SINCE), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(if count == SINCE { i64::MIN } else { first.unwrap_or(i64::MAX) })
    }

    /// The first of those that match and are wanted.
    fn search(&self, query: &Query, terms: &str, mut stretch: Stretch) -> rusqlite::Result<Vec<RowId>> {
        let all = query.conditions().is_empty();
        let narrow = query.channel.is_some() || query.unread;
        let at_a_time = if all { query.limit } else { MATCHES };
        let mut found = Vec::new();
        loop {
            let matches = self.matches(query, terms, stretch, at_a_time)?;
            for row in &matches {
                if all || self.is_wanted(query, *row)? {
                    found.push(*row);
                }
                if found.len() >= query.limit {
                    return Ok(found);
                }
            }
            let Some(last) = matches.get(at_a_time - 1) else { return Ok(found) };
            stretch = stretch.beyond(*last, query);
            if !narrow {
                continue;
            }
            let candidates = self.wanted(query, stretch, CANDIDATES)?;
            for row in &candidates {
                if self.matches_row(terms, *row)? {
                    found.push(*row);
                }
                if found.len() >= query.limit {
                    return Ok(found);
                }
            }
            let Some(last) = candidates.get(CANDIDATES - 1) else { return Ok(found) };
            stretch = stretch.beyond(*last, query);
        }
    }

    /// The first in this stretch that are wanted, but for the search.
    fn wanted(&self, query: &Query, stretch: Stretch, limit: usize) -> rusqlite::Result<Vec<RowId>> {
        let mut statement = self.connection.prepare_cached(&query.rows_text())?;
        query.bind(&mut statement)?;
        rows(&mut statement, stretch, limit)
    }

    /// The first in this stretch that match.
    fn matches(
        &self,
        query: &Query,
        terms: &str,
        stretch: Stretch,
        limit: usize,
    ) -> rusqlite::Result<Vec<RowId>> {
        let text = format!(
            "SELECT rowid FROM search WHERE search MATCH :terms AND rowid > :least AND rowid < :most \
             ORDER BY rowid {} LIMIT :limit",
            query.order()
        );
        let mut statement = self.connection.prepare_cached(&text)?;
        bind(&mut statement, ":terms", terms)?;
        rows(&mut statement, stretch, limit)
    }

    fn is_wanted(&self, query: &Query, row: RowId) -> rusqlite::Result<bool> {
        let text = format!("SELECT 1 FROM message WHERE row = :row{}", query.conditions());
        let mut statement = self.connection.prepare_cached(&text)?;
        query.bind(&mut statement)?;
        bind(&mut statement, ":row", row)?;
        Ok(statement.raw_query().next()?.is_some())
    }

    fn matches_row(&self, terms: &str, row: RowId) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM search WHERE search MATCH ?1 AND rowid = ?2")?
            .exists((terms, row))
    }
}

fn rows(statement: &mut Statement<'_>, stretch: Stretch, limit: usize) -> rusqlite::Result<Vec<RowId>> {
    bind(statement, ":least", stretch.least)?;
    bind(statement, ":most", stretch.most)?;
    bind(statement, ":limit", i64::try_from(limit).unwrap_or(i64::MAX))?;
    statement.raw_query().mapped(|row| row.get(0).map(RowId)).collect()
}

/// Gives a parameter its value, where the statement has it.
fn bind(statement: &mut Statement<'_>, name: &str, value: impl ToSql) -> rusqlite::Result<()> {
    match statement.parameter_index(name)? {
        Some(index) => statement.raw_bind_parameter(index, value),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use proptest::prelude::*;

    use super::*;
    use crate::database::State;
    use crate::{ChannelProfile, Payload, decode};

    fn database(messages: &[Message]) -> Database {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (opened, _) = crate::open::open_or_set_aside(&folder.path().join("inbox.db"));
        let (mut database, _) = opened.expect("a file");
        database.write(messages.iter().map(|message| (message, State::Shown)), &[], &[]).expect("written");
        database.index(messages.len()).expect("indexed");
        database
    }

    /// More than one turn has, in a common and a rare channel, with common and rare words, and a clock that was put
    /// back once.
    fn messages() -> Vec<Message> {
        let count = 3 * i64::try_from(MATCHES).expect("small");
        let message = |row: i64| {
            let channel = if row % 37 == 0 { "rare" } else { "common" };
            let word = if row % 41 == 0 { "单号 seldom" } else { "often" };
            let late = if row > count / 2 { 1_000 } else { 0 };
            let profile = ChannelProfile::new(channel, channel);
            let text = Payload::Text(format!("{word} number{}", row % 10));
            let mut message = decode(&profile, text, Timestamp::from_second(row - late).expect("a time"))
                .messages
                .pop()
                .expect("a message");
            message.row = RowId(row);
            message.unread = row % 53 == 0 || row > count - 20;
            message
        };
        (1..=count).map(message).collect()
    }

    fn queries() -> impl Strategy<Value = Query> {
        let row = || prop::option::of((0..7_000_i64).prop_map(RowId));
        let search = prop::option::of(prop::sample::select(vec![
            "often",
            "seldom",
            "单",
            "seldom often",
            "number3",
            "",
        ]));
        let channel = prop::option::of(prop::sample::select(vec!["rare", "common", "none"]));
        let since = prop::option::of(-10..7_000_i64);
        (row(), row(), 0..300_usize, search, channel, any::<bool>(), since).prop_map(
            |(before, after, limit, search, channel, unread, since)| Query {
                before,
                after,
                limit,
                search: search.map(str::to_owned),
                channel: channel.map(str::to_owned),
                unread,
                since: since.map(|since| Timestamp::from_second(since).expect("a time")),
            },
        )
    }

    /// What is to be found.
    fn looked_at<'a>(query: &Query, messages: &'a [Message]) -> Vec<&'a Message> {
        let words: Option<Vec<&str>> = query.search.as_deref().map(|text| text.split_whitespace().collect());
        let holds = |message: &&Message| {
            words
                .as_ref()
                .is_none_or(|words| !words.is_empty() && words.iter().all(|word| message.body.contains(word)))
        };
        let mut wanted: Vec<&Message> =
            messages.iter().filter(|message| query.wants(message)).filter(holds).collect();
        if query.after.is_none() {
            wanted.reverse();
        }
        wanted.truncate(query.limit);
        wanted
    }

    thread_local! {
        static STORED: OnceLock<(Vec<Message>, Database)> = const { OnceLock::new() };
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn file_and_memory_find_what_looking_at_each_message_finds(query in queries()) {
            STORED.with(|stored| {
                let (messages, database) = stored.get_or_init(|| {
                    let messages = messages();
                    let database = database(&messages);
                    (messages, database)
                });
                let rows = |messages: &[&Message]| messages.iter().map(|message| message.row).collect::<Vec<_>>();
                let found = database.find(&query).expect("found");
                prop_assert_eq!(rows(&found.iter().collect::<Vec<_>>()), rows(&looked_at(&query, messages)));
                // Few, as they are in memory.
                let few = &messages[messages.len() - 100..];
                prop_assert_eq!(rows(&query.pick(few.iter().rev())), rows(&looked_at(&query, few)));
                Ok(())
            })?;
        }
    }

    #[test]
    fn no_question_reads_the_whole_file_or_sorts() {
        let database = database(&[]);
        let channel = || Some("orders".to_owned());
        let newest = || Query::newest(9);
        for query in [
            newest(),
            Query { unread: true, ..newest() },
            Query { channel: channel(), ..newest() },
            Query { channel: channel(), unread: true, since: Some(Timestamp::UNIX_EPOCH), ..newest() },
            Query { channel: channel(), unread: true, after: Some(RowId(1)), ..newest() },
        ] {
            let text = format!("EXPLAIN QUERY PLAN {}", query.rows_text());
            let mut plan = database.connection.prepare(&text).expect("a plan");
            let mut steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
            let step = steps.next().expect("a step").expect("words");
            assert!(step.starts_with("SEARCH message USING"), "{query:?}: {step}");
            assert!(steps.next().is_none(), "and no sorting: {query:?}");
        }
    }
}
