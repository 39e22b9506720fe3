//! Runs the `test_*` rules of `*_test.rego` by the engine that decides.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::{Engine, Value};

use super::{
    config::Config,
    fault::{PolicyLoadFault, Problem},
    modules,
    snapshot::{LONGEST_CHECK, engine},
    source::{self, Source},
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
    trials(&files).map_err(|problems| PolicyLoadFault { problems })
}

/// Problems for the tests that fail.
pub(super) fn failures(files: &[Source]) -> Result<Vec<Problem>, Vec<Problem>> {
    let failed = trials(files)?.into_iter().filter_map(|trial| {
        trial.failure.map(|what| Problem::Test {
            file: trial.file,
            line: trial.line,
            test: trial.test,
            what,
        })
    });
    Ok(failed.collect())
}

fn trials(files: &[Source]) -> Result<Vec<Trial>, Vec<Problem>> {
    let mut template = engine(files.iter(), "{}", LONGEST_CHECK)?;
    let tests = modules::tests(template.get_modules());
    Ok(tests
        .into_iter()
        .map(|(file, line, test)| {
            let failure = run(&template, &test);
            Trial {
                file,
                line,
                test,
                failure,
            }
        })
        .collect())
}

fn run(template: &Engine, test: &str) -> Option<String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut engine = template.clone();
        engine.set_input(Value::new_object());
        engine.eval_rule(test.to_owned())
    }));
    match outcome {
        Ok(Ok(Value::Bool(true))) => None,
        Ok(Ok(Value::Undefined)) => Some("undefined".into()),
        Ok(Ok(value)) => Some(value.to_string()),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("a panic".into()),
    }
}
