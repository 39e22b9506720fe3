//! The commands of a policy's author: OPA's names, flags, output and exit codes, where OPA has the command.

use std::process::ExitCode;

use clap::Subcommand;

use super::{super::Failed, bench, check, eval, fmt, test};
use crate::rego::{Issue, Version};

/// The commands.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Author {
    /// Say everything that is wrong with policies. Says nothing and ends with 0 if they load.
    Check(check::Wanted),
    /// Run the rules `test_…`. Exit code 2 if one fails.
    Test(test::Wanted),
    /// Evaluate a query.
    Eval(eval::Wanted),
    /// Measure a query.
    Bench(bench::Wanted),
    /// Write policies in the one style of `opa fmt`. What a policy means is never changed.
    Fmt(fmt::Wanted),
}

/// How a command ended that did not do what was asked.
#[derive(Debug)]
pub(super) enum End {
    /// Policies are wrong.
    Issues(Vec<Issue>),
    /// Something else, a line each.
    Lines(Vec<String>),
}

impl<E: std::fmt::Display> From<E> for End {
    fn from(fault: E) -> Self {
        Self::Lines(vec![fault.to_string()])
    }
}

pub(in crate::cli) fn run(command: &Author) -> Result<ExitCode, Failed> {
    match command {
        Author::Check(wanted) => check::run(wanted),
        Author::Test(wanted) => test::run(wanted),
        Author::Eval(wanted) => eval::run(wanted),
        Author::Bench(wanted) => bench::run(wanted),
        Author::Fmt(wanted) => fmt::run(wanted),
    }
}

/// The language of a command's policies.
pub(super) const fn version(v0: bool) -> Version {
    if v0 { Version::V0 } else { Version::V1 }
}
