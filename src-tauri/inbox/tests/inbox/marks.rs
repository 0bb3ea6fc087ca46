//! Servers that want to know what was read, and tell what was read elsewhere (`tidings.v1`).

use std::sync::Arc;

use tidings_inbox::{About, Arrival, ChannelProfile, Inbox, Payload};

use crate::support::{file, folder, open_well, orders, second_channel, text};

fn marked(channel: &Arc<ChannelProfile>, id: &str, says: &str) -> Arrival {
    let about = About { id: Some(id.to_owned()), is_marked: true, ..About::default() };
    Arrival { about, ..text(channel, says) }
}

async fn has(inbox: &Inbox, ids: &[&str]) {
    for id in ids {
        inbox.receive(marked(&orders(), id, &format!(r#"{{"id":"own","title":"t{id}"}}"#))).await;
    }
    inbox.recent(0).await;
}

#[tokio::test]
async fn what_is_read_or_deleted_here_is_owed_to_the_server_until_it_says_that_it_knows() {
    let folder = folder();
    let (mut inbox, _screen) = open_well(&file(&folder));
    let mut rung = inbox.read_here();
    has(&inbox, &["1", "2", "3", "4"]).await;
    inbox.receive(text(&orders(), "of the plain recipe")).await;
    inbox.receive(marked(&second_channel(), "9", "another's")).await;
    assert!(inbox.unsaid("orders").await.is_empty());
    let rows: Vec<_> = inbox.recent(10).await.iter().rev().map(|message| message.row).collect();
    rung.mark_unchanged();
    inbox.mark_read(vec![rows[0]]).await;
    assert!(rung.has_changed().expect("open"), "whoever tells the server is rung");
    inbox.delete(vec![rows[1]]).await;
    assert_eq!(inbox.unsaid("orders").await, ["1", "2"]);
    inbox.mark_all_read(None).await;
    assert_eq!(inbox.unsaid("orders").await, ["1", "2", "3", "4"], "what was read before isn't told again");
    assert_eq!(inbox.unsaid("other").await, ["9"]);
    inbox.close().await;
    (inbox, _) = open_well(&file(&folder));
    assert_eq!(inbox.unsaid("orders").await.len(), 4, "over restarts");
    inbox.read_elsewhere("orders", vec!["1".to_owned(), "3".to_owned()]).await;
    assert_eq!(inbox.unsaid("orders").await, ["2", "4"]);
}

#[tokio::test]
async fn what_was_read_elsewhere_is_read_here_and_its_popup_goes() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    has(&inbox, &["1", "2"]).await;
    let [first, _] = [screen.next().await, screen.next().await];
    inbox.read_elsewhere("orders", vec!["1".to_owned(), "unknown".to_owned()]).await;
    assert_eq!(screen.withdrawn().await, first.rows());
    assert_eq!(inbox.unread().borrow().total, 1);
    assert!(inbox.unsaid("orders").await.is_empty(), "what is told is not told back");
    inbox.mark_all_read(None).await;
    assert_eq!(inbox.unsaid("orders").await, ["2"]);
}

#[tokio::test]
async fn what_was_read_elsewhere_before_it_came_never_pops_up_whatever_clock_it_was_sent_by() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    inbox.read_elsewhere("orders", vec!["1".to_owned()]).await;
    inbox.receive(marked(&orders(), "1", r#"{"title":"late","time":"2126-01-01T00:00:00Z"}"#)).await;
    inbox.receive(marked(&orders(), "2", r#"{"title":"new"}"#)).await;
    inbox.recent(0).await;
    assert_eq!(screen.titles(), ["new"]);
    assert_eq!(inbox.unread().borrow().total, 1);
}

#[tokio::test]
async fn what_came_by_the_plain_recipe_comes_not_again_by_the_link_that_takes_its_place() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let says = r#"{"id":"7","title":"Order 7"}"#;
    inbox.receive(text(&orders(), says)).await;
    inbox.receive(marked(&orders(), "7", says)).await;
    inbox.receive(marked(&orders(), "8", r#"{"id":"8","title":"Order 8"}"#)).await;
    // Of another server, which begins at the same number.
    inbox.receive(marked(&orders(), "7", r#"{"id":"7","title":"Order 1007"}"#)).await;
    let titles: Vec<_> = inbox.recent(9).await.into_iter().map(|message| message.title).collect();
    assert_eq!(titles, ["Order 1007", "Order 8", "Order 7"]);
}

/// What is sent on a link of `tidings.v1` before it says that it has sent all that was missed.
fn missed(channel: &Arc<ChannelProfile>, id: &str, says: &str) -> Arrival {
    Arrival { catch_up: true, ..marked(channel, id, says) }
}

#[tokio::test]
async fn what_came_by_an_id_of_its_senders_comes_not_again_when_its_server_gives_it_another() {
    let folder = folder();
    let (mut inbox, _screen) = open_well(&file(&folder));
    let [open, shut] = [r#"{"id":"door","title":"Open"}"#, r#"{"id":"door","title":"Shut"}"#];
    for says in [open, shut, open] {
        inbox.receive(text(&orders(), says)).await;
    }
    inbox.receive(text(&second_channel(), open)).await;
    assert_eq!(inbox.last_id("orders").await.as_deref(), Some("door"));
    // The first of that id is what the server goes on from. It was open, shut, open, and once more while nobody heard it.
    for (id, says) in [("1", open), ("2", shut), ("3", open), ("4", open)] {
        inbox.receive(missed(&orders(), id, says)).await;
    }
    let titles = async |inbox: &Inbox| {
        let all = inbox.recent(9).await.into_iter().filter(|message| message.channel == "orders");
        all.map(|message| message.title).collect::<Vec<_>>()
    };
    assert_eq!(titles(&inbox).await, ["Open", "Open", "Shut", "Open"]);
    // From then on they are known by the server's id, over a restart, too.
    inbox.close().await;
    (inbox, _) = open_well(&file(&folder));
    for (id, says) in [("1", open), ("2", shut), ("3", open), ("4", open)] {
        inbox.receive(missed(&orders(), id, says)).await;
    }
    assert_eq!(titles(&inbox).await.len(), 4);
    inbox.mark_all_read(None).await;
    assert_eq!(inbox.unsaid("orders").await, ["1", "2", "3", "4"]);
    // What is new is new, whatever it says.
    inbox.receive(text(&orders(), shut)).await;
    inbox.receive(marked(&orders(), "5", shut)).await;
    assert_eq!(titles(&inbox).await.len(), 6);
}

#[tokio::test]
async fn an_id_that_the_server_gives_once_comes_once_and_an_id_of_the_senders_as_often_as_it_is_sent() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    has(&inbox, &["1", "2", "1"]).await;
    let stored = inbox.recent(10).await;
    assert_eq!(stored.iter().map(|message| message.title.as_str()).collect::<Vec<_>>(), ["t2", "t1"]);
    assert_eq!(inbox.last_id("orders").await.as_deref(), Some("1"));
    inbox.delete(stored.iter().map(|message| message.row).collect()).await;
    has(&inbox, &["1", "2"]).await;
    assert!(inbox.recent(10).await.is_empty(), "also once it is deleted");
}

#[tokio::test]
async fn a_frame_of_several_messages_is_marked_by_its_last() {
    let folder = folder();
    let (inbox, _screen) = open_well(&file(&folder));
    let payload = Payload::Text(r#"[{"title":"a"},{"title":"b"}]"#.to_owned());
    inbox.receive(Arrival { payload, ..marked(&orders(), "1", "") }).await;
    inbox.mark_all_read(Some("orders".to_owned())).await;
    assert_eq!(inbox.unsaid("orders").await, ["1"]);
}
