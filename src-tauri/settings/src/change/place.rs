//! Where things stand in the settings file's text: lines, headers with their comments, and where a new line goes.

use std::ops::Range;

use toml_edit::{Document, Item, Key, Table};

/// What stands in a range of the text from now on.
pub(crate) type Splice = (Range<usize>, String);

pub(crate) fn key_start(table: &Table, key: &str, value: usize) -> usize {
    table.key(key).and_then(Key::span).map_or(value, |span| span.start)
}

/// Where the last of an item's own lines holds its last value or header.
pub(crate) fn end(item: &Item) -> Option<usize> {
    match item {
        Item::None => None,
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(table) => table_last(table),
        Item::ArrayOfTables(tables) => tables.iter().filter_map(table_last).max(),
    }
}

pub(crate) fn table_last(table: &Table) -> Option<usize> {
    let own = table.span().filter(|_| !table.is_dotted()).map(|span| span.end);
    table.iter().filter_map(|(_, item)| end(item)).chain(own).max()
}

/// Behind the last line of a table and all below it.
pub(crate) fn table_end(text: &str, table: &Table) -> usize {
    line_end(text, table_last(table).unwrap_or(text.len()))
}

/// Behind the line of the byte `at`.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// The whole lines from the one of `first` to the one of `last`.
pub(crate) fn lines(text: &str, first: usize, last: usize) -> Range<usize> {
    line_start(text, first)..line_end(text, last)
}

/// Where a table's header begins, with the comment that stands right above it.
pub(crate) fn header_start(text: &str, table: &Table) -> usize {
    let mut start = line_start(text, table.span().map_or(0, |span| span.start));
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// Puts a line behind the last of the table's own. `header`: the table has one.
pub(crate) fn insert_line(text: &str, table: &Table, header: bool, line: &str) -> Splice {
    let own = table.iter().filter_map(|(_, item)| match item {
        Item::Value(_) => end(item),
        Item::Table(inner) if inner.is_dotted() => end(item),
        Item::Table(_) | Item::ArrayOfTables(_) | Item::None => None,
    });
    let header = table.span().filter(|_| header);
    match own.max().or(header.map(|span| span.end)) {
        Some(last) => {
            let at = line_end(text, last);
            let new = if text[..at].ends_with('\n') { line.to_owned() } else { format!("\n{line}") };
            (at..at, new)
        }
        // The file has no key of its own yet: below the head comment, above the first table and its comment.
        None => {
            let headers = all_tables(table);
            let at = headers.iter().map(|table| header_start(text, table)).min().unwrap_or(text.len());
            let (range, mut new) = paragraph(text, at, line);
            if range.end < text.len() && !new.ends_with("\n\n") {
                new.push('\n');
            }
            (range, new)
        }
    }
}

/// Sets lines apart from what stands above and below.
pub(crate) fn paragraph(text: &str, at: usize, lines: &str) -> Splice {
    let gap = match &text[..at] {
        "" => "",
        above if above.ends_with("\n\n") || above.ends_with("\n\r\n") => "",
        above if above.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let below = text[at..].trim_start_matches('\r');
    let end = if below.is_empty() || below.starts_with('\n') { "" } else { "\n" };
    (at..at, format!("{gap}{lines}{end}"))
}

/// Every table below this one that has a header.
pub(crate) fn all_tables(table: &Table) -> Vec<&Table> {
    let mut all = Vec::new();
    for (_, item) in table {
        match item {
            Item::None | Item::Value(_) => {}
            Item::Table(inner) => {
                let has_header = inner.span().is_some() && !inner.is_dotted() && !inner.is_implicit();
                all.extend(has_header.then_some(inner));
                all.extend(all_tables(inner));
            }
            Item::ArrayOfTables(tables) => {
                for inner in tables {
                    all.push(inner);
                    all.extend(all_tables(inner));
                }
            }
        }
    }
    all
}

/// Removes a table with all below it and with the comment right above it; comments set apart by an empty line stay.
pub(crate) fn without_table(text: &str, document: &Document<&str>, table: &Table) -> Vec<Splice> {
    let span_start = |table: &&Table| table.span().map_or(0, |span| span.start);
    let mut own: Vec<&Table> = all_tables(table);
    // One that only the headers below it name has none itself.
    own.extend((!table.is_implicit()).then_some(table));
    let own: Vec<usize> = own.iter().map(span_start).collect();
    let mut headers = all_tables(document.as_table());
    headers.sort_by_key(span_start);
    let mut splices: Vec<Splice> = Vec::new();
    let mut follows = false;
    for header in headers {
        if !own.contains(&span_start(&header)) {
            follows = false;
            continue;
        }
        let own_end = header.iter().filter_map(|(_, item)| match item {
            Item::Value(_) => end(item),
            Item::Table(inner) if inner.is_dotted() => end(item),
            Item::Table(_) | Item::ArrayOfTables(_) | Item::None => None,
        });
        let last = own_end.max().or(header.span().map(|span| span.end)).unwrap_or_default();
        let range = header_start(text, header)..line_end(text, last);
        match splices.last_mut().filter(|_| follows) {
            Some((before, _)) => before.end = range.end,
            None => splices.push((range, String::new())),
        }
        follows = true;
    }
    for (range, _) in &mut splices {
        let empty = |line: &str| line.trim().is_empty();
        let above = line_start(text, range.start.saturating_sub(1));
        let set_apart = range.start == 0 || empty(&text[above..range.start]);
        if range.end < text.len() {
            let below = line_end(text, range.end);
            if set_apart && empty(&text[range.end..below]) {
                range.end = below;
            }
        } else if set_apart {
            range.start = above.min(range.start);
        }
    }
    splices
}
