//! The days by which messages age: those on which Tidings was seen to run.
//!
//! A clock on the wall may be wrong by years, and one reading of it must not cost an inbox. So a message's age is not
//! what the clock says, but how many days were opened since it came; each has a date of its own, whatever the clock
//! shows, and a run opens the next at most every [`SHORTEST`]. However far a clock jumps, the inbox is one day older.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use crate::database::Database;
use crate::gate::Now;
use crate::message::RowId;

/// One run opens no two days within this time, asleep or not. Too low: a clock that runs wild ages the inbox; too high:
/// a run of weeks opens fewer days than it sees.
const SHORTEST: Duration = Duration::from_secs(20 * 60 * 60);

/// Since 1970, in UTC.
const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// What one run knows of it.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// The last date that was seen to be in the file.
    date: Option<i64>,
    /// When this run opened its last day, by the clock that goes on in sleep.
    opened: Option<Duration>,
}

impl Calendar {
    /// Looks at the clock, and opens a day if there is one to open.
    pub(crate) fn look(&mut self, file: &Database, next: RowId, now: &Now) -> rusqlite::Result<()> {
        let date = date_of(now.wall.timestamp());
        let too_soon = self.opened.is_some_and(|opened| now.boot.saturating_sub(opened) < SHORTEST);
        if self.date == Some(date) || too_soon {
            return Ok(());
        }
        if file.open_day(date, next)? {
            self.opened = Some(now.boot);
        }
        self.date = Some(date);
        Ok(())
    }
}

fn date_of(time: Timestamp) -> i64 {
    time.as_second().div_euclid(SECONDS_OF_A_DAY)
}

impl Database {
    /// Opens a day of this date, unless there was one; messages from the row `next` on are of that day.
    fn open_day(&self, date: i64, next: RowId) -> rusqlite::Result<bool> {
        let opened = self
            .connection
            .prepare_cached("INSERT INTO day (date, first_row) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![date, next])?;
        Ok(opened > 0)
    }
}
