//! Notes about channels: kept for a day, and the last lasting one for ever.

use jiff::{SignedDuration, Timestamp};
use tidings_inbox::Note;

use crate::support::{file, folder, open_well};

fn note(at: Timestamp, lasting: bool, data: &str) -> Note {
    Note { channel: "orders".to_owned(), at, lasting, data: data.to_owned() }
}

#[tokio::test]
async fn notes_outlive_the_agent_and_old_ones_go_but_for_the_last_that_holds() {
    let folder = folder();
    let (inbox, _) = open_well(&file(&folder));
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let ago = |hours| now - SignedDuration::from_hours(hours);
    let old = [note(ago(80), true, "before"), note(ago(70), true, "up"), note(ago(60), false, "12 ms")];
    inbox.note(old.to_vec());
    let other = Note { channel: "other".to_owned(), ..note(ago(90), false, "alone") };
    inbox.note(vec![other.clone()]);
    inbox.close().await;

    let (inbox, _) = open_well(&file(&folder));
    let new = [note(ago(20), false, "13 ms"), note(now, true, "down")];
    inbox.note(new.to_vec());
    let kept = inbox.journal("orders").await;
    assert_eq!(kept, [old[1].clone(), new[0].clone(), new[1].clone()]);
    assert_eq!(inbox.journal("other").await, [other]);
    assert_eq!(inbox.journal("nobody").await, []);
}

#[tokio::test]
async fn a_channel_that_comes_and_goes_is_noted_within_bounds() {
    let folder = folder();
    let (inbox, _) = open_well(&file(&folder));
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let notes = (0..12_000).map(|number| note(now, true, &number.to_string())).collect();
    inbox.note(notes);
    let kept = inbox.journal("orders").await;
    assert_eq!((kept.len(), kept[0].data.as_str()), (10_000, "2000"));
}

#[tokio::test]
async fn what_was_noted_by_a_clock_that_ran_ahead_hides_nothing_once_it_is_right() {
    let folder = folder();
    let (inbox, _) = open_well(&file(&folder));
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    inbox.note(vec![note(now + SignedDuration::from_hours(24 * 365), true, "in a year")]);
    inbox.note(vec![note(now, true, "now")]);
    assert_eq!(inbox.journal("orders").await, [note(now, true, "now")]);
}
