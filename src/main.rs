//! `fedgate`: the gateway and its operator commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    fedgate::cli::run()
}
