//! `fedgate policy …`: the policy engine by itself.

mod serve;

use clap::Subcommand;

use super::Failed;

/// What one does with policies.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Run the engine alone, with OPA's REST interface, as `opa run --server` does.
    Serve(serve::Wanted),
}

pub(super) fn run(command: Policy) -> Result<(), Failed> {
    match command {
        Policy::Serve(wanted) => serve::run(wanted),
    }
}
