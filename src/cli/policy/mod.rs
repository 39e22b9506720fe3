//! `fedgate policy …`: the engine by itself, and the policies of a running gateway.

mod operate;
mod serve;

use clap::Subcommand;

use super::Failed;

/// What one does with policies.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Run the engine alone, with OPA's REST interface, as `opa run --server` does.
    Serve(serve::Wanted),
    /// Of a running gateway, and of what it has decided.
    #[command(flatten)]
    Operate(operate::Operate),
}

pub(super) fn run(command: Policy) -> Result<(), Failed> {
    match command {
        Policy::Serve(wanted) => serve::run(wanted),
        Policy::Operate(operate) => operate::run(operate),
    }
}
