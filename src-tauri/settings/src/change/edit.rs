//! Changes of the settings file's text: what an edit does not name stays byte for byte as it was, line ends and
//! comments included.
//!
//! Each change is a splice at a place that `toml_edit` finds; the text is read anew for the next one, since the
//! file is small. Whether the outcome makes settings is not known here: [`parse`](crate::parse()) is asked
//! afterwards.

use std::ops::Range;

use serde_json::Value as Json;
use tidings_api::{Edit, Values};
use toml_edit::{Array, ArrayOfTables, Document, InlineTable, Item, Key, Table, TableLike, Value};

use super::place::{
    Splice, all_tables, end, header_start, insert_line, key_start, line_end, line_start, lines, paragraph,
    table_end, without_table,
};
use super::value::{EditError, json, parsed, table_json, toml};
use crate::read::{CHANNEL_KEYS, default_id};
use crate::reason;

/// What has a header of its own when it is new.
const TABLES: [&str; 8] =
    ["notifications", "inbox", "heartbeat", "liveness", "backoff", "mapping", "dialogue", "oauth"];
/// Lists of tables in which each has a header of its own when it is new.
const LISTS: [&str; 2] = ["rule", "on"];

/// The text after all of the edits.
pub(crate) fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let (mark, text) = text.strip_prefix('\u{feff}').map_or(("", text), |text| ("\u{feff}", text));
    let mut text = Text(text.to_owned());
    for edit in edits {
        match edit {
            Edit::Set { channel: None, key, .. } if key.split('.').next() == Some("channel") => {
                let why = tidings_words::Text::value_not_channels();
                return Err(EditError::Value { key: key.clone(), why });
            }
            Edit::Set { channel: None, key, value } => text.set(None, key, value)?,
            Edit::Set { channel: Some(id), key, value } => {
                let at = text.channel(id)?;
                text.set(Some(at), key, value)?;
                // The inbox and the secret hang on it.
                if matches!(key.as_str(), "name" | "url") && text.channel(id).is_err() {
                    text.set(Some(at), "id", &Json::String(id.clone()))?;
                }
            }
            Edit::AddChannel { values, .. } => text.add_channel(values)?,
            Edit::RemoveChannel { channel } => {
                let at = text.channel(channel)?;
                text.remove_channel(at)?;
            }
        }
    }
    Ok(format!("{mark}{}", text.0))
}

/// The ids of the channels in the order of the file; `None` where none can be told.
pub(crate) fn ids(text: &str) -> Result<Vec<Option<String>>, EditError> {
    Ok(elements(document(text)?.get("channel")).into_iter().map(id).collect())
}

fn id(channel: &dyn TableLike) -> Option<String> {
    let word = |key| channel.get(key).and_then(Item::as_str);
    word("id").map(str::to_owned).or_else(|| default_id(word("name"), word("url")))
}

fn document(text: &str) -> Result<Document<&str>, EditError> {
    Document::parse(text)
        .map_err(|error| EditError::Syntax(reason::of_toml(error.message(), text, error.span())))
}

/// A list of tables in either of its two forms.
fn elements(list: Option<&Item>) -> Vec<&dyn TableLike> {
    match list {
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| table as &dyn TableLike).collect(),
        Some(Item::Value(Value::Array(values))) => {
            values.iter().filter_map(Value::as_inline_table).map(|table| table as &dyn TableLike).collect()
        }
        Some(Item::Value(_) | Item::Table(_) | Item::None) | None => Vec::new(),
    }
}

struct Text(String);

impl Text {
    fn channel(&self, id: &str) -> Result<usize, EditError> {
        let found = ids(&self.0)?.iter().position(|known| known.as_deref() == Some(id));
        found.ok_or_else(|| EditError::UnknownChannel(id.to_owned()))
    }

    /// `owner`: the channel's place; the file itself without.
    fn set(&mut self, owner: Option<usize>, key: &str, value: &Json) -> Result<(), EditError> {
        let (first, rest) = match key.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (key, None),
        };
        let document = document(&self.0)?;
        let table = match (owner, document.get("channel")) {
            (None, _) => document.as_table(),
            (Some(at), Some(Item::ArrayOfTables(channels))) => match channels.get(at) {
                Some(table) => table,
                None => return Ok(()),
            },
            // The channels are one value: changed as one.
            (Some(at), Some(Item::Value(channels))) => {
                let span = channels.span().unwrap_or_default();
                let mut channels = parsed(&self.0[span.clone()])?;
                if let Some(channel) = channels
                    .as_array_mut()
                    .and_then(|all| all.get_mut(at))
                    .and_then(Value::as_inline_table_mut)
                {
                    set_inline(channel, first, rest, value, key)?;
                }
                self.replace(span, &channels.to_string());
                return Ok(());
            }
            (Some(_), Some(Item::Table(_) | Item::None) | None) => return Ok(()),
        };
        let splices = set_in_table(&self.0, owner.map(|_| "channel"), table, (first, rest), value, key)?;
        self.splice(splices);
        Ok(())
    }

    fn add_channel(&mut self, values: &Values) -> Result<(), EditError> {
        let known = CHANNEL_KEYS.iter().filter_map(|key| values.get_key_value(*key));
        let unknown = values.iter().filter(|(key, _)| !CHANNEL_KEYS.contains(&key.as_str()));
        let values: Vec<(&String, &Json)> =
            known.chain(unknown).filter(|(_, value)| !value.is_null()).collect();
        let document = document(&self.0)?;
        if let Some(Item::Value(channels)) = document.get("channel") {
            let span = channels.span().unwrap_or_default();
            let mut channels = parsed(&self.0[span.clone()])?;
            if let Some(channels) = channels.as_array_mut() {
                let mut channel = InlineTable::new();
                for (key, value) in values {
                    channel.insert(key, toml(value, key)?);
                }
                channels.push(channel);
            }
            self.replace(span, &channels.to_string());
            return Ok(());
        }
        let mut lines = "[[channel]]\n".to_owned();
        let mut tables = String::new();
        for (key, value) in values {
            match entry(Some("channel"), key, value, key)? {
                Entry::Line(line) => lines += &line,
                Entry::Table(table) => tables += &format!("\n{table}"),
            }
        }
        let at = match document.get("channel") {
            Some(channels @ Item::ArrayOfTables(_)) => {
                line_end(&self.0, end(channels).unwrap_or(self.0.len()))
            }
            Some(Item::Table(_) | Item::Value(_) | Item::None) | None => self.0.len(),
        };
        let splice = paragraph(&self.0, at, &(lines + &tables));
        self.splice(vec![splice]);
        Ok(())
    }

    fn remove_channel(&mut self, at: usize) -> Result<(), EditError> {
        let document = document(&self.0)?;
        match document.get("channel") {
            Some(Item::ArrayOfTables(channels)) => {
                if let Some(channel) = channels.get(at) {
                    let splices = without_table(&self.0, &document, channel);
                    self.splice(splices);
                }
            }
            Some(Item::Value(channels)) => {
                let span = channels.span().unwrap_or_default();
                let mut channels = parsed(&self.0[span.clone()])?;
                if let Some(channels) = channels.as_array_mut() {
                    channels.remove(at);
                }
                self.replace(span, &channels.to_string());
            }
            Some(Item::Table(_) | Item::None) | None => {}
        }
        Ok(())
    }

    fn replace(&mut self, span: Range<usize>, new: &str) {
        self.splice(vec![(span, new.to_owned())]);
    }

    /// New lines end as the first one of the file does.
    fn splice(&mut self, mut splices: Vec<Splice>) {
        let crlf = self.0.find('\n').is_some_and(|end| self.0[..end].ends_with('\r'));
        splices.sort_by_key(|(span, _)| span.start);
        let mut rest = self.0.len();
        for (span, new) in splices.into_iter().rev() {
            let new = if crlf { new.replace("\r\n", "\n").replace('\n', "\r\n") } else { new };
            // Two tables that go may claim the empty line between them.
            self.0.replace_range(span.start..span.end.min(rest), &new);
            rest = span.start;
        }
    }
}

/// `name` is the table's header without brackets; `None`: the file itself.
fn set_in_table(
    text: &str,
    name: Option<&str>,
    table: &Table,
    (first, rest): (&str, Option<&str>),
    value: &Json,
    key: &str,
) -> Result<Vec<Splice>, EditError> {
    let header = name.is_some() && !table.is_dotted();
    match (table.get(first), rest) {
        (Some(Item::None) | None, _) if value.is_null() => Ok(Vec::new()),
        (Some(Item::None) | None, None) => Ok(vec![match entry(name, first, value, key)? {
            // Only tables below it have headers: it gets its own above them.
            Entry::Line(line) if header && table.is_implicit() => {
                let below = all_tables(table).into_iter().map(|table| header_start(text, table)).min();
                let own = format!("[{}]\n{line}\n", name.unwrap_or_default());
                let at = below.unwrap_or(text.len());
                (at..at, own)
            }
            Entry::Line(line) => insert_line(text, table, header, &line),
            Entry::Table(new) => paragraph(text, table_end(text, table), &new),
        }]),
        (Some(Item::None) | None, Some(rest)) => {
            let inner = Json::Object(Values::from_iter([(rest.to_owned(), value.clone())]));
            set_in_table(text, name, table, (first, None), &inner, key)
        }
        (Some(Item::Value(old)), None) => {
            let span = old.span().unwrap_or_default();
            if json(old) == *value {
                return Ok(Vec::new());
            }
            if value.is_null() {
                return Ok(vec![(lines(text, key_start(table, first, span.start), span.end), String::new())]);
            }
            if let (Value::Array(old), Json::Array(new)) = (old, value) {
                return set_array(text, old, new, key);
            }
            Ok(vec![(span, toml(value, key)?.to_string())])
        }
        (Some(Item::Value(old)), Some(rest)) => {
            let span = old.span().unwrap_or_default();
            let mut new = parsed(&text[span.clone()])?;
            match new.as_inline_table_mut() {
                Some(inline) => set_inline(inline, rest, None, value, key)?,
                None => {
                    let mut inline = InlineTable::new();
                    set_inline(&mut inline, rest, None, value, key)?;
                    new = inline.into();
                }
            }
            Ok(vec![(span, new.to_string())])
        }
        (Some(Item::Table(inner)), Some(rest)) if inner.is_dotted() => match inner.get(rest) {
            None if value.is_null() => Ok(Vec::new()),
            None => {
                let line = format!("{}.{} = {}\n", name_of(first), name_of(rest), toml(value, key)?);
                Ok(vec![insert_line(text, inner, false, &line)])
            }
            Some(_) => set_in_table(text, Some(&below(name, first)), inner, (rest, None), value, key),
        },
        (Some(Item::Table(inner)), Some(rest)) => {
            set_in_table(text, Some(&below(name, first)), inner, (rest, None), value, key)
        }
        (Some(Item::Table(inner)), None) if value.is_null() && !inner.is_dotted() => {
            Ok(without_table(text, &document(text)?, inner))
        }
        (Some(Item::Table(inner)), None) => {
            let mut splices = Vec::new();
            let empty = Values::new();
            let new = value.as_object().unwrap_or(&empty);
            if !(value.is_null() || value.is_object()) {
                // Something else in the table's place.
                splices.push(insert_line(
                    text,
                    table,
                    header,
                    &format!("{} = {}\n", name_of(first), toml(value, key)?),
                ));
                if !inner.is_dotted() {
                    splices.extend(without_table(text, &document(text)?, inner));
                    return Ok(splices);
                }
            }
            let gone = inner.iter().map(|(key, _)| key).filter(|key| !new.contains_key(*key));
            for (rest, value) in gone.map(|key| (key, &Json::Null)) {
                splices.extend(set_in_table(text, name, table, (first, Some(rest)), value, key)?);
            }
            for (rest, value) in new {
                splices.extend(set_in_table(text, name, table, (first, Some(rest)), value, key)?);
            }
            Ok(splices)
        }
        (Some(Item::ArrayOfTables(tables)), _) => set_tables(text, name, first, tables, value, key),
    }
}

/// The elements of a list that has a header for each: those that stay are left alone as far as their order lets
/// them; what stands between the first and the last that changed is written anew.
fn set_tables(
    text: &str,
    name: Option<&str>,
    first: &str,
    tables: &ArrayOfTables,
    value: &Json,
    key: &str,
) -> Result<Vec<Splice>, EditError> {
    let empty = Vec::new();
    let new = match value {
        Json::Array(new) => new,
        Json::Null => &empty,
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
            return Err(EditError::Value { key: key.to_owned(), why: tidings_words::Text::value_list() });
        }
    };
    let old: Vec<&Table> = tables.iter().collect();
    let Changed { head, goes, comes } = Changed::between(&old, new, |old, new| table_json(*old) == *new);
    let mut splices = Vec::new();
    for (old, new) in goes.iter().zip(comes) {
        let Some(new) = new.as_object() else {
            return Err(EditError::Value { key: key.to_owned(), why: tidings_words::Text::value_tables() });
        };
        let null = Json::Null;
        let keys = old.iter().map(|(key, _)| key).filter(|key| !new.contains_key(*key));
        let changes =
            keys.map(|key| (key, &null)).chain(new.iter().map(|(key, value)| (key.as_str(), value)));
        for (inner, value) in changes {
            splices.extend(set_in_table(text, Some(&below(name, first)), old, (inner, None), value, key)?);
        }
    }
    let document = document(text)?;
    for old in goes.iter().skip(comes.len()) {
        splices.extend(without_table(text, &document, old));
    }
    if let Some(more) = comes.get(goes.len()..).filter(|more| !more.is_empty()) {
        let last = head + goes.len();
        let at = match last.checked_sub(1).and_then(|before| old.get(before)) {
            Some(before) => table_end(text, before),
            None => old.first().map_or(text.len(), |first| header_start(text, first)),
        };
        let Entry::Table(more) = entry(name, first, &Json::Array(more.to_vec()), key)? else {
            return Err(EditError::Value { key: key.to_owned(), why: tidings_words::Text::value_tables() });
        };
        splices.push(paragraph(text, at, &more));
    }
    Ok(splices)
}

/// How something new is written: on a line, or under a header.
enum Entry {
    Line(String),
    Table(String),
}

/// `owner` is the header, without brackets, of the table that it stands in.
fn entry(owner: Option<&str>, name: &str, value: &Json, key: &str) -> Result<Entry, EditError> {
    let header = below(owner, name);
    let with = |title: String, table: &Values| {
        let (mut lines, mut tables) = (title, String::new());
        let mut entries: Vec<_> = table.iter().filter(|(_, value)| !value.is_null()).collect();
        // A rule is read from its condition on.
        entries.sort_by_key(|(name, _)| name.as_str() != "when");
        for (name, value) in entries {
            match entry(Some(&header), name, value, key)? {
                Entry::Line(line) => lines += &line,
                Entry::Table(table) => tables += &format!("\n{table}"),
            }
        }
        Ok(lines + &tables)
    };
    Ok(match value {
        Json::Object(table) if TABLES.contains(&name) => Entry::Table(with(format!("[{header}]\n"), table)?),
        Json::Array(list)
            if LISTS.contains(&name) && !list.is_empty() && list.iter().all(Json::is_object) =>
        {
            let tables: Result<Vec<String>, EditError> = list
                .iter()
                .filter_map(Json::as_object)
                .map(|table| with(format!("[[{header}]]\n"), table))
                .collect();
            Entry::Table(tables?.join("\n"))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Entry::Line(format!("{} = {}\n", name_of(name), toml(value, key)?))
        }
    })
}

/// The header of a table that stands in another.
fn below(owner: Option<&str>, name: &str) -> String {
    match owner {
        Some(owner) => format!("{owner}.{}", name_of(name)),
        None => name_of(name),
    }
}

fn set_inline(
    table: &mut InlineTable,
    first: &str,
    rest: Option<&str>,
    value: &Json,
    key: &str,
) -> Result<(), EditError> {
    if let Some(rest) = rest {
        if !table.get(first).is_some_and(Value::is_inline_table) {
            if value.is_null() {
                return Ok(());
            }
            table.insert(first, InlineTable::new().into());
            space(table);
        }
        if let Some(inner) = table.get_mut(first).and_then(Value::as_inline_table_mut) {
            set_inline(inner, rest, None, value, key)?;
        }
        return Ok(());
    }
    if value.is_null() {
        if table.remove(first).is_some() {
            space(table);
        }
        return Ok(());
    }
    match (table.get_mut(first), value) {
        (Some(old), value) if json(old) == *value => {}
        (Some(old), value) => {
            let decor = old.decor().clone();
            *old = toml(value, key)?;
            *old.decor_mut() = decor;
        }
        (None, value) => {
            table.insert(first, toml(value, key)?);
            space(table);
        }
    }
    Ok(())
}

/// The usual spaces, where there are other elements than before.
fn space(table: &mut InlineTable) {
    for (_, value) in table.iter_mut() {
        value.decor_mut().clear();
    }
    table.set_trailing("");
    table.fmt();
}

/// Elements that stay are left alone, and so are the comments behind them, where each has a line of its own.
fn set_array(text: &str, array: &Array, new: &[Json], key: &str) -> Result<Vec<Splice>, EditError> {
    let spans: Vec<Range<usize>> = array.iter().filter_map(Value::span).collect();
    let old: Vec<Json> = array.iter().map(json).collect();
    let Changed { head, goes, comes } = Changed::between(&old, new, |old, new| old == new);
    let alone = |span: &Range<usize>| {
        let behind =
            text[span.end..line_end(text, span.end)].trim_start().trim_start_matches(',').trim_start();
        text[line_start(text, span.start)..span.start].trim().is_empty()
            && (behind.is_empty() || behind.starts_with('#'))
    };
    if spans.is_empty() || new.is_empty() || !(goes.len() == comes.len() || spans.iter().all(alone)) {
        let span = array.span().unwrap_or_default();
        return Ok(vec![(span, toml(&Json::Array(new.to_vec()), key)?.to_string())]);
    }
    let mut splices = Vec::new();
    for (span, new) in spans[head..].iter().zip(&comes[..goes.len().min(comes.len())]) {
        splices.push((span.clone(), toml(new, key)?.to_string()));
    }
    for span in spans[head..head + goes.len()].iter().skip(comes.len()) {
        splices.push((lines(text, span.start, span.end), String::new()));
    }
    let mut more = String::new();
    let last = spans[(head + goes.len()).saturating_sub(1)].clone();
    for new in comes.iter().skip(goes.len()) {
        let indent = &text[line_start(text, last.start)..last.start];
        more += &format!("{indent}{},\n", toml(new, key)?);
    }
    if !more.is_empty() {
        let first = head + goes.len() == 0;
        if !first && !text[last.end..].trim_start().starts_with(',') {
            splices.push((last.end..last.end, ",".to_owned()));
        }
        let at = if first { line_start(text, last.start) } else { line_end(text, last.end) };
        splices.push((at..at, more));
    }
    Ok(splices)
}

/// Where two lists differ: what stands between the same beginning and the same end.
struct Changed<'a, Old, New> {
    /// How many are the same at the beginning.
    head: usize,
    goes: &'a [Old],
    comes: &'a [New],
}

impl<'a, Old, New> Changed<'a, Old, New> {
    fn between(old: &'a [Old], new: &'a [New], same: impl Fn(&Old, &New) -> bool) -> Self {
        let head = old.iter().zip(new).take_while(|(old, new)| same(old, new)).count();
        let most = old.len().min(new.len()) - head;
        let pairs = old.iter().rev().zip(new.iter().rev()).take(most);
        let tail = pairs.take_while(|(old, new)| same(old, new)).count();
        Self { head, goes: &old[head..old.len() - tail], comes: &new[head..new.len() - tail] }
    }
}

fn name_of(key: &str) -> String {
    Key::new(key).display_repr().into_owned()
}
