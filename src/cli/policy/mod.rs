//! `fedgate policy …`: writing policies, the engine by itself, and the policies of a running gateway.

mod author;
mod bench;
mod check;
mod coverage;
mod data;
mod diff;
mod eval;
mod failure;
mod fmt;
pub(super) mod operate;
mod query;
mod report;
mod results;
mod serve;
mod sources;
mod table;
mod test;

use std::process::ExitCode;

use clap::Subcommand;

use super::Failed;

/// What one does with policies.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Writing them: on the engine that decides, without a gateway.
    #[command(flatten)]
    Author(author::Author),
    /// Run the engine alone, with OPA's REST interface, as `opa run --server` does.
    Serve(Box<serve::Wanted>),
    /// Of a running gateway, and of what it has decided.
    #[command(flatten)]
    Operate(operate::Operate),
}

pub(super) fn run(command: Policy) -> Result<ExitCode, Failed> {
    match command {
        Policy::Author(command) => author::run(&command),
        Policy::Serve(wanted) => serve::run(*wanted).map(|()| ExitCode::SUCCESS),
        Policy::Operate(operate) => operate::run(operate),
    }
}
