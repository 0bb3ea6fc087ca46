//! Values between TOML, in which they stand in the file, and JSON, in which the window has them.

use serde_json::Value as Json;
use toml_edit::{Array, InlineTable, Item, TableLike, Value};

use crate::reason;

/// Why edits can't be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum EditError {
    /// The text is not TOML.
    #[error("this is not TOML: {0}")]
    Syntax(tidings_words::Text),
    /// No channel of this id.
    #[error("there is no channel with the id `{0}` in the settings")]
    UnknownChannel(String),
    /// Nothing that can stand at this key.
    #[error("`{key}` can't be set to that: {why}")]
    Value { key: String, why: tidings_words::Text },
}

/// JSON's values are TOML's but for `null` and very large numbers.
pub(super) fn toml(value: &Json, key: &str) -> Result<Value, EditError> {
    let refused = |why| EditError::Value { key: key.to_owned(), why };
    Ok(match value {
        Json::Null => return Err(refused(tidings_words::Text::value_null())),
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(number)) if !value.is_u64() => number.into(),
            (None, _) => return Err(refused(tidings_words::Text::value_too_large())),
        },
        // On one line: over several its line ends would be the file's, which may be others than the text's.
        Json::String(text) if text.contains(['\n', '\r']) => {
            parsed(&value.to_string().replace('\u{7f}', "\\u007f"))?
        }
        Json::String(text) => text.into(),
        Json::Array(list) => {
            Value::Array(list.iter().map(|value| toml(value, key)).collect::<Result<Array, _>>()?)
        }
        Json::Object(table) => {
            let mut inline = InlineTable::new();
            for (name, value) in table.iter().filter(|(_, value)| !value.is_null()) {
                inline.insert(name, toml(value, key)?);
            }
            inline.into()
        }
    })
}

pub(super) fn json(value: &Value) -> Json {
    match value {
        Value::String(text) => text.value().as_str().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => (*number.value()).into(),
        Value::Boolean(truth) => (*truth.value()).into(),
        Value::Datetime(time) => time.value().to_string().into(),
        Value::Array(list) => list.iter().map(json).collect(),
        Value::InlineTable(table) => table_json(table),
    }
}

pub(super) fn table_json(table: &dyn TableLike) -> Json {
    table.iter().map(|(key, item)| (key.to_owned(), item_json(item))).collect()
}

pub(super) fn item_json(item: &Item) -> Json {
    match item {
        Item::None => Json::Null,
        Item::Value(value) => json(value),
        Item::Table(table) => table_json(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table_json(table)).collect(),
    }
}

pub(super) fn parsed(text: &str) -> Result<Value, EditError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        EditError::Syntax(reason::of_toml(error.message(), text, error.span()))
    })
}
