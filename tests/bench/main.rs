//! All budgets in one table, each beside its goal and, where it makes sense, beside a bare program in the same run:
//! `cargo xtask bench [NAME…]`; with `--against COMMIT` beside that build's instead. What each figure means stands in `docs/performance.md`.
//!
//! Machines are noisy, so a run fails only where a figure is beyond twice its goal.

use std::process::ExitCode;

use crate::groups::Group;
use crate::progress::say;
use crate::table::{Row, table};

mod groups;
mod idle;
mod inbox;
mod links;
mod machine;
mod messages;
mod million;
mod packages;
mod pair;
mod process;
mod progress;
mod server;
mod stage;
mod storm;
mod table;
mod turmoil;
mod window;

#[tokio::main]
async fn main() -> ExitCode {
    let mut typed: Vec<String> = std::env::args().skip(1).collect();
    let for_a_pair = typed.first().is_some_and(|word| word == pair::FIGURES);
    typed.drain(..usize::from(for_a_pair));
    let asked = match groups::Asked::of(&typed) {
        Ok(asked) => asked,
        Err(why) => {
            say(&format!("{why}; these are there:\n{}", groups::list()));
            return ExitCode::from(2);
        }
    };
    let (mut rows, mut well) = (Vec::new(), true);
    for (name, group, what) in asked.groups {
        say(&format!("{name}: {what} …"));
        let measured = match &asked.against {
            Some(agent) => pair::measure(name, agent),
            None => measure(group).await,
        };
        match measured {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                say(&format!("{name} could not be measured: {error:#}"));
                well = false;
            }
        }
    }
    if for_a_pair {
        print(&serde_json::to_string(&rows).unwrap_or_default());
        return if well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if rows.iter().any(Row::failed) {
        say("a figure is beyond twice its goal");
        well = false;
    }
    let beside = if asked.against.is_some() { "before" } else { "bare" };
    print(&format!("{}\n\n{}", machine::facts(), table(&rows, beside)));
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(group: Group) -> anyhow::Result<Vec<Row>> {
    match group {
        Group::Idle => idle::measure().await,
        Group::Start => messages::start().await,
        Group::Notify => messages::notify().await,
        Group::Mqtt => messages::mqtt().await,
        Group::Burst => messages::burst().await,
        Group::Links => links::measure().await,
        Group::Window => window::measure().await,
        Group::Page => window::first_page().await,
        Group::Million => million::measure().await,
        Group::Server => {
            let mut rows = server::measure().await?;
            rows.extend(storm::measure().await?);
            Ok(rows)
        }
        Group::Kills => turmoil::kills().await,
        Group::Turmoil => turmoil::measure().await,
        Group::Packages => packages::measure(),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(text: &str) {
    println!("{text}");
}
