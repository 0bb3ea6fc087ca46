//! When popups go out: floods, catch-up, pauses, quiet hours, what has expired or is gone.

use std::time::Duration;

use crate::support::{bodies, file, folder, open_well, open_with, orders, second_channel, text};
use jiff::{SignedDuration, Timestamp, Zoned};
use tidings_inbox::{Arrival, Policy, Popup, QuietHours, RowId, Weekdays};

/// Popup after popup that one may wait for in a test.
const REFILL: Duration = Duration::from_millis(20);

fn five() -> Policy {
    Policy { refill: REFILL, keep_days: 36_500, ..Policy::default() }
}

#[tokio::test]
async fn of_a_flood_five_pop_up_and_one_popup_counts_the_rest() {
    let folder = folder();
    let policy = Policy { refill: Duration::from_millis(500), ..five() };
    let (inbox, mut screen) = open_with(&file(&folder), policy);
    for number in 0..2_000 {
        inbox.receive(text(&orders(), &number.to_string())).await;
    }
    for number in 0..5 {
        assert_eq!(screen.next_body().await, number.to_string());
    }
    let mut counted = 0;
    while counted < 1_995 {
        let Popup::Summary { rows, count, newest, channels, more: true } = screen.next().await else {
            panic!("a counting popup")
        };
        counted += rows.len() as u64;
        assert_eq!((count, channels), (counted, vec![("orders".into(), counted)]), "it counts on");
        assert_eq!(newest.body, (counted + 4).to_string());
        inbox.shown(rows);
    }
    inbox.recent(0).await;
    assert!(screen.is_empty());
}

#[tokio::test]
async fn a_single_one_too_many_pops_up_as_itself() {
    let folder = folder();
    let (inbox, mut screen) = open_with(&file(&folder), Policy { burst: 1, ..five() });
    inbox.receive(text(&orders(), "first")).await;
    inbox.receive(text(&orders(), "second")).await;
    assert_eq!(screen.next_body().await, "first");
    assert_eq!(screen.next_body().await, "second");
}

#[tokio::test]
async fn what_a_server_sends_again_is_one_summary() {
    let folder = folder();
    let (inbox, mut screen) = open_well(&file(&folder));
    for number in 0..40 {
        let channel = if number % 4 == 0 { second_channel() } else { orders() };
        inbox.receive(Arrival { catch_up: true, ..text(&channel, &number.to_string()) }).await;
    }
    inbox.receive(text(&orders(), "news")).await;
    assert_eq!(screen.next_body().await, "news", "what is new waits for nothing");
    let Popup::Summary { count, channels, more: false, .. } = screen.next().await else {
        panic!("a summary")
    };
    assert_eq!((count, channels), (40, vec![("orders".into(), 30), ("other".into(), 10)]));
}

#[tokio::test]
async fn a_pause_ends_with_one_summary_and_critical_goes_through_it() {
    let folder = folder();
    let (inbox, mut screen) = open_with(&file(&folder), five());
    inbox.pause(true);
    for number in 0..20 {
        inbox.receive(text(&orders(), &number.to_string())).await;
    }
    inbox.receive(text(&orders(), r#"{"body": "fire", "priority": 5}"#)).await;
    assert_eq!(screen.next_body().await, "fire");
    inbox.show_pending();
    inbox.recent(0).await;
    assert!(screen.is_empty());
    inbox.pause(false);
    let Popup::Summary { count: 20, more: false, .. } = screen.next().await else { panic!("a summary") };
    inbox.pause(true);
    inbox.set_policy(Policy { critical_breaks_quiet: false, ..five() });
    inbox.receive(text(&orders(), r#"{"body": "fire", "priority": 5}"#)).await;
    inbox.recent(0).await;
    assert!(screen.is_empty(), "unless told not to");
}

#[tokio::test]
async fn quiet_hours_outlive_a_restart_and_end_with_one_summary() {
    let folder = folder();
    let now = Zoned::now().time();
    let hour = SignedDuration::from_hours(1);
    let hours = QuietHours { days: Weekdays::ALL, from: now.wrapping_sub(hour), to: now.wrapping_add(hour) };
    let policy = || Policy { quiet_hours: vec![hours], ..five() };
    let (inbox, mut screen) = open_with(&file(&folder), policy());
    inbox.receive(text(&orders(), "one")).await;
    inbox.recent(0).await;
    assert!(screen.is_empty());
    inbox.close().await;
    let (inbox, mut screen) = open_with(&file(&folder), policy());
    inbox.show_pending();
    inbox.receive(text(&orders(), "two")).await;
    inbox.recent(0).await;
    assert!(screen.is_empty());
    // As good as the end of the hours.
    inbox.set_policy(five());
    let Popup::Summary { count: 2, more: false, .. } = screen.next().await else { panic!("a summary") };
}

#[tokio::test]
async fn what_has_expired_or_is_deleted_does_not_pop_up_any_more() {
    let folder = folder();
    let (inbox, mut screen) = open_with(&file(&folder), five());
    inbox.receive(text(&orders(), r#"{"body": "too late", "expires": 1600000000}"#)).await;
    inbox.pause(true);
    let soon = Timestamp::now() + SignedDuration::from_millis(5);
    inbox.receive(text(&orders(), &format!(r#"{{"body": "soon too late", "expires": "{soon}"}}"#))).await;
    inbox.receive(text(&orders(), "to be deleted")).await;
    inbox.receive(text(&orders(), "to be shown")).await;
    inbox.delete(vec![RowId(3)]).await;
    while Timestamp::now() <= soon {
        inbox.recent(0).await;
    }
    inbox.pause(false);
    assert_eq!(screen.next_body().await, "to be shown");
    assert_eq!(bodies(&inbox).await, ["to be shown", "soon too late", "too late"]);
    inbox.show_pending();
    inbox.recent(0).await;
    assert!(screen.is_empty());
}
