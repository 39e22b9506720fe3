//! Making an engine out of modules and data, with every bound set.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use regorus::{Engine, PolicyLengthConfig, Value, utils::limits::ExecutionTimerConfig};

use super::{
    builtin,
    fault::Issue,
    module::{Module, Version},
};

/// Longest line: keys and tokens stand in policies as one literal.
const LONGEST_LINE: u32 = 1 << 16;
/// Largest module in bytes, and most lines.
const LARGEST_MODULE: usize = 4 << 20;
const MOST_LINES: usize = 100_000;

/// An engine that knows the builtins and the modules. Every module that is wrong is reported.
pub(super) fn with_modules(modules: &[Arc<Module>]) -> Result<Engine, Vec<Issue>> {
    let mut engine = Engine::new();
    let texts: Vec<&str> = modules.iter().map(|module| module.text.as_str()).collect();
    builtin::install(&mut engine, &texts);
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::new(LONGEST_LINE).unwrap_or(NonZeroU32::MAX),
        max_file_bytes: NonZeroUsize::new(LARGEST_MODULE).unwrap_or(NonZeroUsize::MAX),
        max_lines: NonZeroUsize::new(MOST_LINES).unwrap_or(NonZeroUsize::MAX),
    });
    let mut issues = Vec::new();
    for module in modules {
        engine.set_rego_v0(module.version == Version::V0);
        let added = catch_unwind(AssertUnwindSafe(|| {
            engine.add_policy(module.id.clone(), module.text.clone())
        }));
        match added {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => issues.push(parse_issue(&error.to_string(), module)),
            Err(_) => issues.push(parse_issue("the parser panicked", module)),
        }
    }
    engine.set_rego_v0(false);
    if issues.is_empty() {
        Ok(engine)
    } else {
        Err(issues)
    }
}

fn parse_issue(text: &str, module: &Module) -> Issue {
    let mut issue = Issue::from_engine(text);
    issue.code = "rego_parse_error";
    if issue.place.is_none() {
        issue.place = Some(super::Place {
            file: module.id.clone(),
            row: 1,
            col: 1,
        });
    }
    issue
}

/// Sets the base documents and compiles, so that no clone has to.
pub(super) fn prepare(engine: &mut Engine, data: &Value, limit: Duration) -> Result<(), Vec<Issue>> {
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        engine.clear_data();
        engine.add_data(data.clone())?;
        engine.set_execution_timer_config(at_most(limit));
        engine.eval_query("true".to_owned(), false)
    }));
    match prepared {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(vec![compile_issue(&error.to_string())]),
        Err(_) => Err(vec![Issue::new("rego_compile_error", "the compiler panicked")]),
    }
}

fn compile_issue(text: &str) -> Issue {
    let mut issue = Issue::from_engine(text);
    if issue.code.starts_with("eval_") {
        issue.code = "rego_compile_error";
    }
    issue
}

/// Ends an evaluation that takes longer.
pub(super) fn at_most(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::MIN.saturating_add(63),
    }
}

/// The path of the package that a text declares.
pub(super) fn package_of(text: &str) -> Option<Vec<String>> {
    let line = text
        .lines()
        .map(str::trim_start)
        .find(|line| line.starts_with("package"))?;
    // Only the clause: the rest of the module may be in either version of the language.
    let mut engine = Engine::new();
    let clause = line.split('#').next().unwrap_or(line);
    engine.add_policy(String::new(), clause.to_owned()).ok()?;
    let packages = engine.get_policy_package_components().ok()?;
    Some(
        packages
            .first()?
            .components
            .iter()
            .map(ToString::to_string)
            .collect(),
    )
}
