//! The agent's program: without a command the agent runs, and each command is one of `tidings-commands`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidings_commands::main(tidings_agent::start)
}
