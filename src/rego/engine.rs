//! An engine with every bound set, over base documents.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use regorus::{Engine, PolicyLengthConfig, Value, utils::limits::ExecutionTimerConfig};

use super::{builtin, fault::Issue, snapshot::Options};

/// Longest line: keys and tokens stand in policies as one literal, and what is written out may stand on one line.
const LONGEST_LINE: u32 = 4 << 20;
/// Largest module in bytes, and most lines.
const LARGEST_MODULE: usize = 4 << 20;
const MOST_LINES: usize = 100_000;

/// An engine that knows its bounds and the builtins that these texts may call.
pub(super) fn bounded(texts: &[&str]) -> Engine {
    let mut engine = Engine::new();
    builtin::install(&mut engine, texts);
    engine.set_gather_prints(true);
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::new(LONGEST_LINE).unwrap_or(NonZeroU32::MAX),
        max_file_bytes: NonZeroUsize::new(LARGEST_MODULE).unwrap_or(NonZeroUsize::MAX),
        max_lines: NonZeroUsize::new(MOST_LINES).unwrap_or(NonZeroUsize::MAX),
    });
    engine
}

/// Sets the base documents and compiles, so that no clone has to.
pub(super) fn prepare(engine: &mut Engine, data: &Value, options: &Options) -> Result<(), Vec<Issue>> {
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        engine.clear_data();
        engine.add_data(data.clone())?;
        engine.set_execution_timer_config(at_most(options.limit));
        engine.set_strict_builtin_errors(options.strict_builtin_errors);
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
