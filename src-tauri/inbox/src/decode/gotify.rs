//! Gotify's messages, as its stream and `GET /message` have them (servers 2 and 3).
//!
//! One object a frame, with its number as `id`; what has none (an error's body, say) is ignored. The server has filled in the
//! application's name where there was no title, and the application's priority where there was none. `android::action` and
//! whatever else is meant for other devices stays in the raw text.

use serde_json::value::RawValue;

use super::reading::{Reading, Said};
use super::value::{Json, Object, filled, hush, lines, one_line};
use crate::message::{Priority, Raw};
use crate::text::{bare, is_blank, link};

/// Digits of an id: they are numbers of 64 bits.
const DIGITS: usize = 20;

/// What this frame says; `None`: nothing.
pub(super) fn read(reading: &Reading<'_>, text: &str) -> Option<Said> {
    let object = Object::parse(bare(text))?;
    let mut message = reading.blank(Raw::Text(text.to_owned()));
    let id = object.first(&["id"], number)?;
    message.series = Some(id.clone());
    message.id = Some(id);
    message.app = object.first(&["appid"], number);
    message.body = lines(&object.first(&["message"], Json::text)?);
    message.priority = priority(&object);
    message.urgency = message.priority.into();
    message.sent_at = object.first(&["date"], Json::time);
    let extras = object.first(&["extras"], |value| Object::parse(value.0));
    if let Some(notification) = extras.as_ref().and_then(|extras| part(extras, "client::notification")) {
        let click = part(&notification, "click");
        message.url = click.and_then(|click| click.first(&["url"], |value| link(&value.scalar()?)));
        message.image = notification.line("bigImageUrl");
    }
    let display = extras.as_ref().and_then(|extras| part(extras, "client::display"));
    message.format = reading.format(display.and_then(|display| display.line("contentType")).as_deref());
    match object.first(&["title"], |value| filled(one_line(&value.text()?))) {
        Some(title) => message.title = title,
        None if is_blank(&message.body) && message.url.is_none() => hush(&mut message),
        None => {}
    }
    Some(Said::Message(Box::new(message)))
}

/// By the bands of Gotify's own clients: 1 to 3 is low, 4 to 7 normal, 8 to 10 high, and nothing is above high. Without a number
/// it is 0, the lowest.
fn priority(object: &Object<'_>) -> Priority {
    let number = object.first(&["priority"], |value| value.scalar()?.trim().parse::<f64>().ok());
    match number.unwrap_or(0.0) {
        number if number >= 8.0 => Priority::HIGH,
        number if number >= 4.0 => Priority::NORMAL,
        number if number >= 1.0 => Priority::LOW,
        _ => Priority::LOWEST,
    }
}

fn number(value: Json<'_>) -> Option<String> {
    let digits = value.scalar()?;
    ((1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(digits)
}

fn part<'a>(object: &Object<'a>, name: &str) -> Option<Object<'a>> {
    object.0.get(name).copied().map(RawValue::get).and_then(Object::parse)
}
