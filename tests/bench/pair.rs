//! Two builds in one run: this program measures each in turn by a copy of itself, whose agent is the one that
//! `TIDINGS_BIN` names.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::progress::say;
use crate::table::Row;

/// Asks for the figures alone, for the other copy to read.
pub(crate) const FIGURES: &str = "--figures";

/// How often each is measured. Too few: what else the machine does counts; too many: it takes long.
const ROUNDS: usize = 5;

/// A group's figures of this build beside those of the other: the median of the rounds.
pub(crate) fn measure(group: &str, other: &str) -> anyhow::Result<Vec<Row>> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        say(&format!("  round {round} of {ROUNDS} …"));
        // Each goes first as often, but for one round.
        for of_ours in [round % 2 == 1, round % 2 == 0] {
            let agent = (!of_ours).then_some(other);
            if of_ours { &mut ours } else { &mut theirs }.push(once(group, agent)?);
        }
    }
    Ok(Row::paired(&ours, &theirs))
}

fn once(group: &str, agent: Option<&str>) -> anyhow::Result<Vec<Row>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([FIGURES, group]).stderr(Stdio::piped());
    if let Some(agent) = agent {
        command.env("TIDINGS_BIN", agent);
    }
    let output = command.output().context("cannot start the benchmark again")?;
    let (of, why) = (agent.map_or("new", |_| "other"), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the {of} build could not be measured: {}", why.trim());
    serde_json::from_slice(&output.stdout).context("its figures can't be read")
}
