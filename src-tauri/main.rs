//! The agent: see the crate `tidings-agent`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidings_agent::main()
}
