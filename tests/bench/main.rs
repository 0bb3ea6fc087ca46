//! All budgets in one table, each beside its goal and, where it makes sense, beside a bare program in the same run:
//! `cargo xtask bench [NAME…]`. What each figure means stands in `docs/performance.md`.
//!
//! Machines are noisy, so a run fails only where a figure is beyond twice its goal.

use std::process::ExitCode;

use crate::table::{Row, table};

mod idle;
mod inbox;
mod links;
mod machine;
mod messages;
mod million;
mod packages;
mod process;
mod stage;
mod table;
mod window;

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Idle,
    Start,
    Notify,
    Burst,
    Links,
    Window,
    Page,
    Million,
    Packages,
}

/// By the names that a person types.
const GROUPS: [(&str, Group, &str); 9] = [
    ("idle", Group::Idle, "memory and wake-ups of an agent that waits for messages"),
    ("start", Group::Start, "from the start of the agent to its open link"),
    ("notify", Group::Notify, "from the server's send to the desktop's popup"),
    ("burst", Group::Burst, "5,000 messages in a second"),
    ("links", Group::Links, "memory per idle link with many in one process"),
    ("window", Group::Window, "how soon the window is there, and what of it stays"),
    ("page", Group::Page, "how soon the window shows the first page of 100,000 messages"),
    ("million", Group::Million, "search, paging and start with a million messages"),
    ("packages", Group::Packages, "sizes of programs and packages"),
];

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let groups = match chosen(&args) {
        Ok(groups) => groups,
        Err(help) => {
            say(&help);
            return ExitCode::from(2);
        }
    };
    let (mut rows, mut well) = (Vec::new(), true);
    for (name, group, what) in groups {
        say(&format!("{name}: {what} …"));
        match measure(group).await {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                say(&format!("{name} could not be measured: {error:#}"));
                well = false;
            }
        }
    }
    if rows.iter().any(Row::failed) {
        say("a figure is beyond twice its goal");
        well = false;
    }
    print(&format!("{}\n\n{}", machine::facts(), table(&rows)));
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All groups, or those named; the help where a name is unknown.
fn chosen(args: &[String]) -> Result<Vec<(&'static str, Group, &'static str)>, String> {
    let unknown = args.iter().any(|arg| GROUPS.iter().all(|(name, ..)| name != arg));
    if unknown {
        let lines = GROUPS.map(|(name, _, what)| format!("  {name:<10}{what}"));
        return Err(format!(
            "cargo xtask bench [NAME…]: all of these, or those named\n\n{}",
            lines.join("\n")
        ));
    }
    Ok(GROUPS
        .into_iter()
        .filter(|(name, ..)| args.is_empty() || args.iter().any(|arg| arg == name))
        .collect())
}

async fn measure(group: Group) -> anyhow::Result<Vec<Row>> {
    match group {
        Group::Idle => idle::measure().await,
        Group::Start => messages::start().await,
        Group::Notify => messages::notify().await,
        Group::Burst => messages::burst().await,
        Group::Links => links::measure().await,
        Group::Window => window::measure().await,
        Group::Page => window::first_page().await,
        Group::Million => million::measure().await,
        Group::Packages => packages::measure(),
    }
}

/// How it goes on, beside the table.
#[expect(clippy::print_stderr, reason = "a person waits for minutes")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(text: &str) {
    println!("{text}");
}
