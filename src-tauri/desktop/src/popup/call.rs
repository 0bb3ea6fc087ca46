//! The call of a notification service that has a popup shown.

use std::collections::HashMap;

use notify_rust::Notification;
use tidings_inbox::Popup;
use zbus::Message;
use zbus::names::UniqueName;
use zbus::zvariant::Value;

pub(super) const NAME: &str = "org.freedesktop.Notifications";
pub(super) const PATH: &str = "/org/freedesktop/Notifications";

/// What `Notify` takes.
pub(super) type Arguments<'a> =
    (&'a str, u32, &'a str, &'a str, &'a str, &'a [String], HashMap<&'a str, Value<'a>>, i32);

/// What `Notify` is told of this popup.
pub(super) fn arguments(notification: &Notification, replaces: u32) -> Arguments<'_> {
    (
        &notification.appname,
        replaces,
        &notification.icon,
        &notification.summary,
        &notification.body,
        &notification.actions,
        notification.hints.iter().map(Into::into).collect(),
        notification.timeout.into(),
    )
}

/// The call that has it shown, in no other's place.
pub(super) fn call_of(service: &UniqueName<'_>, notification: &Notification) -> zbus::Result<Message> {
    let call = Message::method_call(PATH, "Notify")?.destination(service.as_ref())?.interface(NAME)?;
    call.build(&arguments(notification, 0))
}

/// The place of a popup on the screen, where a later one may take it.
pub(super) fn tag(popup: &Popup) -> Option<(String, String)> {
    match popup {
        Popup::Message(message) => message.place().map(|place| (message.channel.clone(), place.to_owned())),
        // The channel without an id is none, so this is no message's.
        Popup::Summary { more, .. } => more.then(|| (String::new(), "more".to_owned())),
    }
}

/// Whether it may take the place of one that is there.
pub(super) fn replaces(popup: &Popup) -> bool {
    match popup {
        Popup::Message(message) => message.tag.is_some() || message.is_update(),
        Popup::Summary { more, .. } => *more,
    }
}
