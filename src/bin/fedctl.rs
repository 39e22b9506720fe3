//! `fedctl`: the user's program. Everything is in the room `client`.

use std::process::ExitCode;

fn main() -> ExitCode {
    fedgate::client::run()
}
