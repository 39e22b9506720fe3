//! `fedgate policy check`: `opa check`, with what a snapshot refuses beyond OPA.

use std::{path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use serde_json::json;

use super::{
    super::{Failed, say},
    author::{End, version},
    data, report,
    sources::{self, Loaded, Named},
};
use crate::rego::{Issue, Options};

/// The command line.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Wanted {
    /// Rego files and folders with such.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The paths are bundles: archives or folders.
    #[arg(long, short)]
    bundle: bool,
    /// OPA's strict mode: also unused imports and variables, and more.
    #[arg(long, short = 'S')]
    strict: bool,
    /// Also refuse what a decision of the gateway may not use: functions that do not depend on input and data alone.
    #[arg(long)]
    decisions: bool,
    /// Names to leave out, for example '*_test.rego'.
    #[arg(long)]
    ignore: Vec<String>,
    /// How errors are shown.
    #[arg(long, short, default_value = "pretty")]
    format: Format,
    /// The most errors to show; 0 is all.
    #[arg(long, short, default_value_t = 10)]
    max_errors: usize,
    /// The policies are Rego version 0.
    #[arg(long)]
    v0_compatible: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
}

pub(super) fn run(wanted: &Wanted) -> Result<ExitCode, Failed> {
    let (files, bundles) = sources::split(&wanted.paths, wanted.bundle);
    let named = Named {
        files,
        bundles,
        ignore: &wanted.ignore,
        version: version(wanted.v0_compatible),
        data: false,
    };
    let loaded = match Loaded::read(&named) {
        Ok(loaded) => loaded,
        Err(End::Lines(lines)) => return Err(Failed(lines)),
        Err(End::Issues(issues)) => return show(wanted, issues, None),
    };
    let options = Options {
        strict: wanted.strict,
        refuse_nondeterminism: wanted.decisions,
        ..Options::default()
    };
    match loaded.build(&options, Vec::new()) {
        Ok(_) if wanted.format == Format::Json => say("{}").map(|()| ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(issues) => show(wanted, issues, Some(&loaded)),
    }
}

fn show(wanted: &Wanted, mut issues: Vec<Issue>, loaded: Option<&Loaded>) -> Result<ExitCode, Failed> {
    let found = issues.len();
    if wanted.max_errors > 0 {
        issues.truncate(wanted.max_errors);
    }
    if wanted.format == Format::Json {
        complain(&data::pretty(&json!({"errors": report::errors(&issues)})))?;
    } else {
        let texts = loaded.map(Loaded::texts).unwrap_or_default();
        let mut text = report::pretty(&issues, &texts);
        if issues.len() < found {
            text.push_str("\nrego_compile_error: error limit reached; see more with --max-errors 0");
        }
        complain(&text)?;
    }
    Ok(ExitCode::FAILURE)
}

/// On standard error.
pub(super) fn complain(text: &str) -> Result<(), Failed> {
    use std::io::Write as _;
    writeln!(std::io::stderr().lock(), "{text}")?;
    Ok(())
}
