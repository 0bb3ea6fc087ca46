//! What an MQTT broker sends: acknowledged once it is in the file, and known where it is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_inbox::{About, Arrival, Field, Inbox, Payload, Published, Receipt, Source};

use crate::support::{file, folder, open_well, orders, text};

/// Of this topic, by this delivery, over the link of this number; `again`: the broker doesn't know that it is stored. Its numbers
/// are those of a session that began before the link.
fn sent(link: u64, number: u16, again: bool, says: &str) -> Arrival {
    sent_at(link, u64::from(number) + 100, number, again, says)
}

/// Likewise, as the delivery of this place.
fn sent_at(link: u64, place: u64, number: u16, again: bool, says: &str) -> Arrival {
    let published = Published { number: Some(number), place, again, link, ..Published::default() };
    let about = About { topic: Some("news/door".to_owned()), published: Some(published), ..About::default() };
    Arrival { about, ..text(&orders(), says) }
}

fn delivered(number: u16, again: bool, says: &str) -> Arrival {
    sent(u64::from(again), number, again, says)
}

async fn taken(inbox: &Inbox, arrivals: impl IntoIterator<Item = Arrival>) -> usize {
    for arrival in arrivals {
        inbox.receive(arrival).await;
    }
    inbox.recent(100).await.len()
}

#[tokio::test]
async fn a_delivery_that_is_sent_again_is_known_and_an_equal_message_is_not() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    assert_eq!(taken(&inbox, [sent(1, 7, false, "open"), sent(1, 8, false, "shut")]).await, 2);
    assert_eq!(taken(&inbox, [sent(1, 7, true, "open")]).await, 2, "over the same link");
    assert_eq!(taken(&inbox, [sent(2, 7, true, "open"), sent(2, 8, true, "shut")]).await, 2);
    // The same was published twice, and the second never came; or it is another message.
    assert_eq!(taken(&inbox, [sent(2, 9, true, "open"), sent(2, 10, true, "ajar")]).await, 4);
    assert_eq!(taken(&inbox, [sent(2, 11, false, "open")]).await, 5);
}

/// As RabbitMQ has it.
#[tokio::test]
async fn a_broker_that_gives_new_numbers_is_seen_through_and_loses_nothing() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let first = ["open", "shut", "open"].into_iter().zip(71..);
    assert_eq!(taken(&inbox, first.map(|(says, number)| sent(1, number, false, says))).await, 3);
    // All three once more, and a third "open" that never came.
    let again = ["open", "shut", "open", "open"].into_iter().zip(1..);
    assert_eq!(taken(&inbox, again.map(|(says, number)| sent(2, number, true, says))).await, 4);
    assert_eq!(taken(&inbox, [sent(3, 1, true, "shut")]).await, 4, "once more after another lost link");
}

/// Such a broker's numbers begin anew with each link.
#[tokio::test]
async fn a_number_that_is_the_same_by_chance_is_no_sign_that_the_broker_keeps_them() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let first = [sent_at(1, 1, 1, false, "open"), sent_at(2, 1, 1, false, "shut")];
    assert_eq!(taken(&inbox, first).await, 2);
    let again = [sent_at(3, 1, 1, true, "open"), sent_at(3, 2, 2, true, "shut")];
    assert_eq!(taken(&inbox, again).await, 2);
}

/// A broker may answer pings before it has sent all again (RabbitMQ).
#[tokio::test]
async fn what_is_settled_over_one_link_is_not_what_came_over_another() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let first = ["open", "shut", "ajar"].into_iter().zip(7..);
    assert_eq!(taken(&inbox, first.map(|(says, number)| sent(1, number, false, says))).await, 3);
    assert_eq!(taken(&inbox, [sent_at(2, 1, 1, true, "open")]).await, 3);
    inbox.settle_deliveries("orders", 2, 1);
    inbox.settle_deliveries("orders", 1, 3);
    let again = [sent_at(2, 2, 2, true, "shut"), sent_at(2, 3, 3, true, "ajar")];
    assert_eq!(taken(&inbox, again).await, 3);
    assert_eq!(taken(&inbox, [sent_at(3, 1, 1, true, "open")]).await, 4, "it was known to be stored");
}

#[tokio::test]
async fn what_came_behind_the_last_that_is_settled_is_not() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let first = [sent_at(1, 1, 1, false, "open"), sent_at(1, 2, 2, false, "shut")];
    assert_eq!(taken(&inbox, first).await, 2);
    inbox.settle_deliveries("orders", 1, 1);
    inbox.close().await;
    let (inbox, _screen) = open_well(&file(&folder));
    assert_eq!(taken(&inbox, [sent_at(2, 1, 2, true, "shut")]).await, 2);
    assert_eq!(taken(&inbox, [sent_at(2, 2, 1, true, "open")]).await, 3, "also over a restart");
}

#[tokio::test]
async fn a_delivery_is_known_over_a_restart_until_it_is_settled() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    taken(&inbox, [sent(1, 7, false, "open"), sent(1, 8, false, "shut")]).await;
    inbox.close().await;
    let (inbox, _screen) = open_well(&file(&folder));
    assert_eq!(taken(&inbox, [sent(1, 7, true, "open")]).await, 2);
    inbox.settle_all_deliveries("orders");
    assert_eq!(taken(&inbox, [sent(1, 8, true, "shut")]).await, 3, "it was known to be stored");
    inbox.close().await;
}

#[tokio::test]
async fn a_receipt_is_given_once_all_is_in_the_file() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let given = Arc::new(AtomicUsize::new(0));
    let receipt = || {
        let given = given.clone();
        Some(Receipt::new(move || {
            given.fetch_add(1, Ordering::SeqCst);
        }))
    };
    let arrivals = [delivered(7, false, "open"), delivered(7, true, "open"), delivered(8, false, "")];
    taken(&inbox, arrivals.map(|arrival| Arrival { receipt: receipt(), ..arrival })).await;
    assert_eq!(given.load(Ordering::SeqCst), 3, "what is known, or nothing to read, too");
}

#[tokio::test]
async fn what_is_retained_is_stored_in_silence_and_once_for_each_thing_said() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    let retained = |says: &str| {
        let mut arrival = delivered(1, false, says);
        arrival.about.published = Some(Published { retained: true, ..Published::default() });
        arrival
    };
    assert_eq!(taken(&inbox, [retained("on"), retained("on"), retained("off")]).await, 2);
    assert_eq!(inbox.unread().borrow().total, 0);
    assert!(screen.titles().is_empty());
}

#[tokio::test]
async fn a_template_reads_what_stands_beside_a_message_whatever_that_is() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let source = |text: &str| Source::parse(text).expect("a source");
    let mut profile = (*orders()).clone();
    profile.mapping = [
        (Field::Title, source("{{ about.topic | upper }} ({{ about.user.room }})")),
        (Field::Body, source("{{ raw }} °C")),
    ]
    .into();
    let mut arrival = delivered(7, false, "21.5");
    let published = arrival.about.published.get_or_insert_default();
    published.user.insert("room".to_owned(), "hall".to_owned());
    inbox.receive(Arrival { channel: Arc::new(profile), ..arrival }).await;
    let message = inbox.recent(1).await.remove(0);
    assert_eq!((message.title.as_str(), message.body.as_str()), ("NEWS/DOOR (hall)", "21.5 °C"));
    let plain = Arrival { payload: Payload::Text("22".to_owned()), ..delivered(8, false, "") };
    inbox.receive(plain).await;
    let message = inbox.recent(1).await.remove(0);
    assert_eq!((message.title.as_str(), message.body.as_str()), ("news/door", "22"), "without a mapping");
}
