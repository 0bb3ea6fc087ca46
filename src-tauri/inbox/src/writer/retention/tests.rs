//! What is kept, over days that are invented.

use jiff::{SignedDuration, Zoned};
use proptest::prelude::*;
use rusqlite::StatementStatus;

use crate::writer::*;
use crate::{About, ChannelProfile, Payload};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Nobody;

impl Notifier for Nobody {
    fn show(&mut self, _: Popup) {}
}

/// An inbox, and the clocks of its machine.
struct Desk {
    folder: tempfile::TempDir,
    policy: Policy,
    now: Now,
    writer: Option<Writer>,
}

impl Desk {
    fn new(keep_days: u32, keep_messages: u32) -> Self {
        let wall: Zoned = "2026-11-23T12:00:00+01:00[+01:00]".parse().expect("a time");
        let mut desk = Self {
            folder: tempfile::tempdir().expect("a folder"),
            policy: Policy { keep_days, keep_messages, burst: u32::MAX, ..Policy::default() },
            now: Now { steady: Instant::now(), boot: Duration::ZERO, wall },
            writer: None,
        };
        desk.start();
        desk
    }

    /// Ends and starts again, with the clock as it is.
    fn start(&mut self) {
        drop(self.writer.take());
        let path = self.folder.path().join("inbox.db");
        let (unread, dropped) = (watch::channel(Unread::default()).0, watch::channel(BTreeMap::new()).0);
        let (policy, events) = (self.policy.clone(), broadcast::channel(1).0);
        let (writer, notices) =
            Writer::open(&path, policy, Box::new(Nobody), unread, dropped, events, watch::channel(()).0);
        assert_eq!(notices, []);
        self.writer = Some(writer);
        self.rest();
    }

    fn writer(&mut self) -> &mut Writer {
        let now = self.now.clone();
        let writer = self.writer.as_mut().expect("it runs");
        writer.clock = Box::new(move || now.clone());
        writer
    }

    /// Nothing comes, so what is too old goes.
    fn rest(&mut self) {
        let writer = self.writer();
        writer.flush();
        while writer.retire() {}
    }

    /// The clock on the wall jumps by so many days.
    fn jump(&mut self, days: i64) {
        self.now.wall = &self.now.wall + SignedDuration::from_hours(24 * days);
        self.rest();
    }

    fn pass(&mut self, time: Duration) {
        self.now.steady += time;
        self.now.boot += time;
        self.now.wall = &self.now.wall + SignedDuration::try_from(time).expect("short");
        self.rest();
    }

    fn receive(&mut self, text: &str) {
        let received_at = self.now.wall.timestamp();
        let channel = Arc::new(ChannelProfile::new("orders", "Orders"));
        let payload = Payload::Text(text.to_owned());
        self.writer().take_in(vec![Arrival {
            channel,
            payload,
            about: About::default(),
            received_at,
            catch_up: false,
            receipt: None,
        }]);
        self.rest();
    }

    fn kept(&mut self) -> Vec<String> {
        let found = self.writer().find(&Query::newest(1_000));
        found.into_iter().rev().map(|message| message.body).collect()
    }
}

#[test]
fn a_message_is_kept_for_its_days_and_no_longer() {
    let mut desk = Desk::new(3, 1_000);
    for day in 0..8 {
        desk.receive(&day.to_string());
        desk.pass(DAY);
    }
    assert_eq!(desk.kept(), ["5", "6", "7"]);
}

#[test]
fn days_count_over_starts_and_two_starts_on_one_day_are_one() {
    let mut desk = Desk::new(3, 1_000);
    for day in 0..8 {
        desk.receive(&day.to_string());
        for _ in 0..3 {
            desk.pass(HOUR);
            desk.start();
        }
        desk.pass(DAY - 3 * HOUR);
        desk.start();
    }
    assert_eq!(desk.kept(), ["5", "6", "7"]);
}

#[test]
fn a_clock_that_jumps_ages_the_inbox_by_a_day_however_far() {
    for far in [365, -365, 20_000] {
        let mut desk = Desk::new(3, 1_000);
        desk.receive("before");
        // By a start, there and back, again and again.
        for _ in 0..10 {
            desk.jump(far);
            desk.start();
            desk.receive("meanwhile");
            desk.jump(-far);
            desk.start();
        }
        assert_eq!(desk.kept().len(), 11, "by {far} days");
        // And in the midst of a run.
        for _ in 0..10 {
            desk.jump(far);
            desk.jump(-far);
        }
        assert_eq!(desk.kept().len(), 11, "by {far} days, while it runs");
    }
}

#[test]
fn what_came_while_the_clock_was_slow_stays_once_it_is_right() {
    let mut desk = Desk::new(3, 1_000);
    desk.jump(-200);
    desk.start();
    desk.receive("slow");
    desk.jump(200);
    desk.start();
    desk.receive("right");
    assert_eq!(desk.kept(), ["slow", "right"]);
    desk.pass(2 * DAY);
    assert_eq!(desk.kept(), ["slow", "right"]);
}

#[test]
fn a_clock_that_runs_wild_ages_the_inbox_by_a_day_a_day() {
    let mut desk = Desk::new(3, 1_000);
    desk.receive("before");
    for _ in 0..100 {
        desk.pass(Duration::from_secs(600));
        desk.jump(1);
    }
    assert_eq!(desk.kept(), ["before"]);
}

#[test]
fn a_laptop_that_sleeps_most_of_its_days_counts_them_all() {
    let mut desk = Desk::new(3, 1_000);
    for day in 0..8 {
        desk.receive(&day.to_string());
        desk.pass(2 * HOUR);
        // The clock of the time awake stands still.
        let awake = desk.now.steady;
        desk.pass(22 * HOUR);
        desk.now.steady = awake;
    }
    assert_eq!(desk.kept(), ["5", "6", "7"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_are_kept_and_of_those_too_old_the_read_go_first(
        messages in prop::collection::vec((0..6_u32, any::<bool>()), 1..40),
        keep_days in 1..7_u32,
        keep_messages in 1..50_u32,
    ) {
        let mut messages = messages;
        messages.sort_by_key(|(day, _)| *day);
        let mut desk = Desk::new(36_500, 1_000);
        let mut today = 0;
        for (number, (day, read)) in messages.iter().enumerate() {
            while today < *day {
                desk.pass(DAY);
                today += 1;
            }
            desk.receive(&number.to_string());
            if *read {
                let row = desk.writer().next_row - 1;
                desk.writer().mark_read(&Read::Rows(vec![RowId(row)]), By::User);
            }
        }
        let policy = Policy { keep_days, keep_messages, ..desk.policy.clone() };
        let now = desk.now.clone();
        desk.writer().gate.set_policy(policy, &now);
        let young: Vec<usize> = (0..messages.len()).filter(|number| messages[*number].0 + keep_days >= today).collect();
        // One step: whatever goes first is read.
        let before = desk.kept();
        let old_read = messages.iter().any(|(day, read)| day + keep_days < today && *read);
        desk.writer().retire();
        let after = desk.kept();
        let gone = before.iter().filter(|body| !after.contains(body));
        for body in gone {
            let number: usize = body.parse().expect("a number");
            prop_assert!(!old_read || messages[number].1, "{number} was unread, and read ones were too old");
        }
        desk.rest();
        let kept: Vec<usize> = desk.kept().iter().map(|body| body.parse().expect("a number")).collect();
        prop_assert_eq!(&kept[..], &young[young.len().saturating_sub(keep_messages as usize)..]);
    }
}

#[test]
fn what_is_young_enough_is_not_looked_at_however_much_it_is() {
    let mut desk = Desk::new(30, u32::MAX);
    let mut steps_with = |count: usize| {
        for number in 0..count {
            desk.receive(&number.to_string());
        }
        desk.writer().mark_read(&Read::All, By::User);
        let steps = |desk: &mut Desk| {
            let connection = &desk.writer().database.as_ref().expect("a file").connection;
            let looked = connection.prepare_cached(crate::database::OF_AGE).expect("the statement");
            looked.reset_status(StatementStatus::VmStep)
        };
        steps(&mut desk);
        desk.rest();
        steps(&mut desk)
    };
    let few = steps_with(3);
    assert!(few > 0, "it is the statement that is used");
    assert_eq!(steps_with(300), few);
}
