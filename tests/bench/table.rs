//! The table of all figures: each beside the bare program's and its goal, in Markdown, so that it can be read in
//! the terminal and put into the documentation as it is.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Machines are noisy: a run fails only from so many times a goal on.
const FAILS_AT: f64 = 2.0;

/// One line.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    what: String,
    unit: Unit,
    ours: f64,
    bare: Option<f64>,
    goal: Option<Goal>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// Memory or size, 1,048,576 bytes.
    Mib,
    /// Memory, 1,024 bytes.
    Kib,
    /// Time.
    Ms,
    /// Times of something else.
    Ratio,
    /// So many.
    Count,
}

/// What a figure should not pass.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Goal {
    AtMost(f64),
    TimesBare(f64),
}

/// How a figure stands to its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    Failed,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, unit: Unit, ours: f64) -> Self {
        Self { what: what.into(), unit, ours, bare: None, goal: None }
    }

    pub(crate) fn time(what: impl Into<String>, ours: Duration) -> Self {
        Self::new(what, Unit::Ms, ours.as_secs_f64() * 1e3)
    }

    /// The bare program's figure in the same run.
    pub(crate) fn beside(mut self, bare: f64) -> Self {
        self.bare = Some(bare);
        self
    }

    /// The same, where there is one.
    pub(crate) fn maybe_beside(self, bare: Option<f64>) -> Self {
        Self { bare, ..self }
    }

    /// The same for times.
    pub(crate) fn beside_time(self, bare: Duration) -> Self {
        self.beside(bare.as_secs_f64() * 1e3)
    }

    /// In the figure's own unit.
    pub(crate) fn goal(mut self, at_most: f64) -> Self {
        self.goal = Some(Goal::AtMost(at_most));
        self
    }

    /// At most so many times the bare program's figure.
    pub(crate) fn goal_times_bare(mut self, at_most: f64) -> Self {
        self.goal = Some(Goal::TimesBare(at_most));
        self
    }

    /// The medians of two builds' rounds, those of the second in the bare program's place and without goals.
    pub(crate) fn paired(ours: &[Vec<Self>], theirs: &[Vec<Self>]) -> Vec<Self> {
        let median = |rounds: &[Vec<Self>], what: &str| {
            let row = |round: &Vec<Self>| round.iter().find(|row| row.what == what).map(|row| row.ours);
            let mut figures: Vec<f64> = rounds.iter().filter_map(row).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied()
        };
        let row = |row: &Self| {
            let new = Self::new(&row.what, row.unit, median(ours, &row.what)?);
            Some(Self { bare: median(theirs, &row.what), ..new })
        };
        ours.first().into_iter().flatten().filter_map(row).collect()
    }

    fn ratio(&self) -> Option<f64> {
        self.bare.map(|bare| self.ours / bare)
    }

    fn verdict(&self) -> Option<Verdict> {
        let most = match self.goal? {
            Goal::AtMost(most) => most,
            Goal::TimesBare(times) => self.bare? * times,
        };
        Some(if self.ours <= most {
            Verdict::Met
        } else if self.ours <= FAILS_AT * most {
            Verdict::Missed
        } else {
            Verdict::Failed
        })
    }

    /// Beyond what noise explains.
    pub(crate) fn failed(&self) -> bool {
        self.verdict() == Some(Verdict::Failed)
    }

    fn cells(&self) -> [String; 6] {
        let unit = self.unit;
        let or_nothing = |text: Option<String>| text.unwrap_or_default();
        [
            self.what.clone(),
            unit.show(self.ours),
            or_nothing(self.bare.map(|bare| unit.show(bare))),
            or_nothing(self.ratio().map(|ratio| Unit::Ratio.show(ratio))),
            or_nothing(self.goal.map(|goal| match goal {
                Goal::AtMost(most) => format!("≤ {}", unit.show(most)),
                Goal::TimesBare(most) => format!("≤ {most} × bare"),
            })),
            or_nothing(self.verdict().map(|verdict| verdict.to_string())),
        ]
    }
}

impl Unit {
    fn show(self, figure: f64) -> String {
        match self {
            Self::Mib => format!("{figure:.1} MiB"),
            Self::Kib => format!("{figure:.1} KiB"),
            Self::Ms if figure < 10.0 => format!("{figure:.2} ms"),
            Self::Ms => format!("{figure:.0} ms"),
            Self::Ratio => format!("{figure:.2} ×"),
            Self::Count => format!("{figure:.1}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Failed => "**failed**",
        })
    }
}

/// The rows as a table whose columns stand below each other; `beside` is what Tidings is compared with.
pub(crate) fn table(rows: &[Row], beside: &str) -> String {
    let head = ["what", "Tidings", beside, "ratio", "goal", ""].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| {
        lines.iter().map(|line: &[String; 6]| line[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Words to the left, figures to the right.
            let _ = match column {
                0 | 5 => write!(text, "| {cell:width$} "),
                _ => write!(text, "| {cell:>width$} "),
            };
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.into_iter().enumerate() {
                let _ = match column {
                    0 | 5 => write!(text, "| {:-<width$} ", ""),
                    _ => write!(text, "| {:->1$} ", ":", width.max(2)),
                };
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Many measurements of one time.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        let place = self.0.partition_point(|other| *other <= time);
        self.0.insert(place, time);
    }

    pub(crate) fn median(&self) -> Duration {
        self.at(50)
    }

    pub(crate) fn p99(&self) -> Duration {
        self.at(99)
    }

    fn at(&self, percent: usize) -> Duration {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}
