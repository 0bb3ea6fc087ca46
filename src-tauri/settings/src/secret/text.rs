//! From the bytes of a file or a program to the text of a secret.

use std::borrow::Cow;
use std::io;

use super::source::CredentialError;

/// Largest secret taken, in bytes.
pub(super) const LARGEST: usize = 64 * 1024;

/// The secret in what a source gave.
pub fn usable(source: &'static str, bytes: &[u8]) -> Result<String, CredentialError> {
    if bytes.len() > LARGEST {
        return Err(CredentialError::TooLarge(source));
    }
    let text = in_utf8(bytes);
    match str::from_utf8(&text).map(|text| text.trim_matches(|c: char| c.is_whitespace() || is_unseen(c))) {
        Ok("") => Err(CredentialError::Empty(source)),
        Ok(secret) if !secret.contains(|c: char| c.is_control() || is_unseen(c)) => Ok(secret.to_owned()),
        Ok(_) | Err(_) => Err(CredentialError::Unusable(source)),
    }
}

/// Reads until there is a first line: who writes it may keep the pipe open.
pub fn first_line(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut from = io::BufReader::new(from.take(LARGEST as u64 + 1));
    let mut read = Vec::new();
    while io::BufRead::read_until(&mut from, b'\n', &mut read)? > 0 && !in_utf8(&read).contains(&b'\n') {}
    Ok(read)
}

/// The secret in the first line of what a source gave.
pub fn usable_line(source: &'static str, bytes: &[u8]) -> Result<String, CredentialError> {
    usable(source, in_utf8(bytes).split(|byte| *byte == b'\n').next().unwrap_or_default())
}

/// The JSON in what a source gave, on one line: programs print a session on any number of them. `None`: it is none.
pub fn on_one_line(bytes: &[u8]) -> Option<String> {
    let bytes = Some(bytes).filter(|bytes| bytes.len() <= LARGEST)?;
    let json: serde_json::Value = serde_json::from_slice(&in_utf8(bytes)).ok()?;
    (json.is_array() || json.is_object()).then(|| json.to_string())
}

/// Without a byte order mark, and out of UTF-16 where the mark says so: that is what PowerShell writes. What is no
/// UTF-16 then is no UTF-8 afterwards.
pub(crate) fn in_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    const NO_UTF8: [u8; 1] = [0xFF];
    let (unit, bytes): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xEF, 0xBB, 0xBF, text @ ..] => return text.into(),
        [0xFF, 0xFE, units @ ..] => (u16::from_le_bytes, units),
        [0xFE, 0xFF, units @ ..] => (u16::from_be_bytes, units),
        text => return text.into(),
    };
    let (units, half) = bytes.as_chunks();
    let mut text = Vec::with_capacity(bytes.len());
    for c in char::decode_utf16(units.iter().copied().map(unit)) {
        match c {
            Ok(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(_) => text.extend(NO_UTF8),
        }
    }
    // A newline that another program appended.
    if !half.trim_ascii().is_empty() {
        text.extend(NO_UTF8);
    }
    text.into()
}

/// Marks that no screen shows and nobody types: they come along where a text is copied, and are never the secret's.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}
