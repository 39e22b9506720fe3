//! Runs the `test_*` rules of `*_test.rego` by the engine that decides.

use super::{
    config::Config,
    fault::{PolicyLoadFault, Problem},
    snapshot::{self, LONGEST_CHECK},
    source::{self, Source},
};
use crate::rego::{
    EvalFault, How, Value,
    trial::{self, Outcome},
};

/// One test and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The file, relative to the policy folder.
    pub file: String,
    /// The line of the rule.
    pub line: u32,
    /// The rule's full name (`data.federation.access_test.test_empty_input`).
    pub test: String,
    /// What it gave instead of `true`; none if it passed.
    pub failure: Option<String>,
}

/// Runs every test of the configured policies, in the order of files and lines.
pub fn run_tests(config: &Config) -> Result<Vec<Trial>, PolicyLoadFault> {
    let files = source::read(config).map_err(|problem| PolicyLoadFault {
        problems: vec![problem],
    })?;
    let all = snapshot::build(files.iter(), Value::new_object())
        .map_err(|problems| PolicyLoadFault { problems })?;
    Ok(trials(&all))
}

/// Problems for the tests that fail.
pub(super) fn failures(all: &crate::rego::Snapshot) -> Vec<Problem> {
    let failed = trials(all).into_iter().filter_map(|trial| {
        trial.failure.map(|what| Problem::Test {
            file: trial.file,
            line: trial.line,
            test: trial.test,
            what,
        })
    });
    failed.collect()
}

fn trials(all: &crate::rego::Snapshot) -> Vec<Trial> {
    let how = How {
        limit: LONGEST_CHECK,
        strict_builtin_errors: true,
        ..How::default()
    };
    trial::tests(all)
        .into_iter()
        .filter(|test| Source::holds_tests(&test.place.file))
        .map(|test| Trial {
            failure: failure(trial::run(all, &test, &how)),
            file: test.place.file,
            line: test.place.row,
            test: test.name,
        })
        .collect()
}

fn failure(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Passed | Outcome::Skipped => None,
        Outcome::Failed(None) => Some("undefined".into()),
        Outcome::Failed(Some(value)) => Some(value.to_string()),
        Outcome::Error(EvalFault::Panicked) => Some("a panic".into()),
        Outcome::Error(fault) => Some(fault.to_string()),
    }
}
