//! `fedgate policy test`: `opa test` on the engine that decides.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::ValueEnum;
use regex::Regex;

use super::{
    super::{Failed, say},
    author::{End, version},
    check::complain,
    coverage::Covered,
    failure::{self, Failure},
    report, results,
    sources::{self, Loaded, Named},
};
use crate::{
    app::{clock::SystemClock, stopwatch::measured},
    port::clock::Clock as _,
    rego::{
        EvalFault, How, Options, Snapshot, Value,
        trial::{self, Outcome, Test},
    },
};

/// The command line.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    /// Files and folders with policies, tests and data.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The paths are bundles: archives or folders.
    #[arg(long, short)]
    bundle: bool,
    /// Name every test.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// How results are shown. With --coverage it is OPA's JSON report.
    #[arg(long, short, default_value = "pretty")]
    pub(super) format: Format,
    /// Only tests whose name (data.package.test_name) matches this expression.
    #[arg(long, short)]
    run: Option<Regex>,
    /// Report which lines of the policies the tests use.
    #[arg(long, short)]
    coverage: bool,
    /// The same as a list of files with the lines that no test uses.
    #[arg(long)]
    uncovered: bool,
    /// Exit code 2 if fewer percent of the lines are used.
    #[arg(long, default_value_t = 0.0)]
    threshold: f64,
    /// The longest that one test may take, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    timeout_ms: u64,
    /// Tests that are skipped (todo_test_…) are no failure.
    #[arg(long, short = 'z')]
    exit_zero_on_skipped: bool,
    /// No test at all is a failure.
    #[arg(long)]
    fail_on_empty: bool,
    /// Names to leave out.
    #[arg(long)]
    ignore: Vec<String>,
    /// The policies are Rego version 0.
    #[arg(long)]
    v0_compatible: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Pretty,
    Json,
}

/// One test and how it went.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) test: Test,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    pub(super) prints: Vec<String>,
    pub(super) failure: Option<Failure>,
}

impl Ran {
    pub(super) const fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Passed)
    }
}

pub(super) fn run(wanted: &Wanted) -> Result<ExitCode, Failed> {
    if !(0.0..=100.0).contains(&wanted.threshold) {
        return Err("--threshold: write a number from 0 to 100".into());
    }
    let (files, bundles) = sources::split(&wanted.paths, wanted.bundle);
    let named = Named {
        files,
        bundles,
        ignore: &wanted.ignore,
        version: version(wanted.v0_compatible),
        data: true,
    };
    let loaded = match Loaded::read(&named) {
        Ok(loaded) => loaded,
        Err(End::Lines(lines)) => return Err(Failed(lines)),
        Err(End::Issues(issues)) => {
            complain(&report::pretty(&issues, &std::collections::BTreeMap::new()))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let snapshot = match loaded.build(&Options::default(), Vec::new()) {
        Ok(snapshot) => snapshot,
        Err(issues) => {
            complain(&report::pretty(&issues, &loaded.texts()))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut covered = Covered::default();
    let ran = each(wanted, &loaded, &snapshot, &mut covered);
    show(wanted, &ran, &covered)
}

fn each(wanted: &Wanted, loaded: &Loaded, snapshot: &Snapshot, covered: &mut Covered) -> Vec<Ran> {
    let reports = wanted.coverage || wanted.uncovered || wanted.threshold > 0.0;
    let how = How {
        limit: Duration::from_millis(wanted.timeout_ms),
        coverage: reports,
        prints: true,
        now_ns: Some(SystemClock.now_ns()),
        ..How::default()
    };
    let chosen = trial::tests(snapshot).into_iter().filter(|test| {
        wanted
            .run
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(&test.name))
    });
    chosen
        .map(|test| {
            let (mut ran, coverage) = once(snapshot, test, &how);
            covered.add(coverage);
            if matches!(ran.outcome, Outcome::Failed(_)) {
                let how = How {
                    coverage: false,
                    ..how.clone()
                };
                ran.failure = failure::of(loaded, &ran.test, &how);
            }
            ran
        })
        .collect()
}

fn once(snapshot: &Snapshot, test: Test, how: &How) -> (Ran, crate::rego::Coverage) {
    let mut ran = Ran {
        test,
        outcome: Outcome::Skipped,
        took: Duration::ZERO,
        prints: Vec::new(),
        failure: None,
    };
    if ran.test.todo {
        return (ran, Vec::new());
    }
    let path: Vec<&str> = ran.test.path.iter().map(String::as_str).collect();
    let (evaluated, took) = measured(|| snapshot.evaluate(&path, None, how));
    ran.took = took;
    let mut coverage = Vec::new();
    ran.outcome = match evaluated {
        Ok(evaluated) => {
            ran.prints = evaluated.prints;
            coverage = evaluated.coverage.unwrap_or_default();
            match evaluated.value {
                Some(Value::Bool(true)) => Outcome::Passed,
                // Which cases did not hold cannot be told from those that did: no guess.
                Some(Value::Object(_)) => Outcome::Error(EvalFault::TooLarge(
                    "a rule of several cases (test_x[case]) is not run: write a rule for each case"
                        .to_owned(),
                )),
                other => Outcome::Failed(other),
            }
        }
        Err(fault) => Outcome::Error(fault),
    };
    (ran, coverage)
}

fn show(wanted: &Wanted, ran: &[Ran], covered: &Covered) -> Result<ExitCode, Failed> {
    let broken = |ran: &Ran| match ran.outcome {
        Outcome::Passed => false,
        Outcome::Skipped => !wanted.exit_zero_on_skipped,
        Outcome::Failed(_) | Outcome::Error(_) => true,
    };
    let failed = ran
        .iter()
        .any(|ran| matches!(ran.outcome, Outcome::Failed(_) | Outcome::Error(_)));
    let reports = wanted.coverage || wanted.uncovered || wanted.threshold > 0.0;
    if reports && !failed {
        return report_coverage(wanted, covered);
    }
    if wanted.format == Format::Json && !reports {
        say(&results::json(ran))?;
    } else {
        say(results::pretty(ran, wanted.verbose).trim_end())?;
    }
    if ran.is_empty() && wanted.fail_on_empty {
        return Err("no tests were run".into());
    }
    Ok(if reports {
        ExitCode::FAILURE
    } else if ran.iter().any(broken) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn report_coverage(wanted: &Wanted, covered: &Covered) -> Result<ExitCode, Failed> {
    let percent = covered.percent();
    if percent < wanted.threshold {
        let mut text = format!(
            "Code coverage threshold not met: got {percent:.2} instead of {:.2}",
            wanted.threshold
        );
        if wanted.verbose || wanted.uncovered {
            text.push_str("\nLines not covered:");
            for line in covered.uncovered() {
                text.push_str("\n\t");
                text.push_str(&line);
            }
        }
        complain(&text)?;
        return Ok(ExitCode::from(2));
    }
    if wanted.uncovered {
        let mut lines = covered.summary();
        lines.extend(covered.uncovered());
        say(&lines.join("\n"))?;
    } else {
        say(&covered.json())?;
    }
    Ok(ExitCode::SUCCESS)
}
