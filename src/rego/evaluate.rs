//! How one evaluation is bounded, and what it gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use regorus::{Engine, Value, utils::limits::monotonic_now};

use super::{
    engine::at_most,
    fault::EvalFault,
    load::Origins,
    lower::{DATA, INPUT},
    moment,
};

/// Most nesting of an input, as in the engine's own reader.
const DEEPEST: usize = 128;
/// Most values in an input.
const MOST_VALUES: usize = 1_000_000;
/// Most engines that wait for a question.
const MOST_IDLE: usize = 16;

/// How to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct How {
    /// Longest time.
    pub limit: Duration,
    /// Errors of builtins end the evaluation; otherwise they are undefined.
    pub strict_builtin_errors: bool,
    /// Report the lines that were used.
    pub coverage: bool,
    /// Give back what `print` wrote.
    pub prints: bool,
    /// The time that `time.now_ns` answers; without it there is none.
    pub now_ns: Option<i64>,
}

impl Default for How {
    fn default() -> Self {
        Self {
            limit: Duration::from_millis(200),
            strict_builtin_errors: false,
            coverage: false,
            prints: false,
            now_ns: None,
        }
    }
}

/// Lines of one file that were used and that were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCoverage {
    /// The module's id.
    pub file: String,
    /// Lines used, from 1.
    pub covered: BTreeSet<u32>,
    /// Lines not used.
    pub not_covered: BTreeSet<u32>,
}

/// Coverage per file.
pub type Coverage = Vec<FileCoverage>;

/// What an evaluation gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The document; none if it is undefined.
    pub value: Option<Value>,
    /// If it was asked for.
    pub coverage: Option<Coverage>,
    /// If they were asked for.
    pub prints: Vec<String>,
}

/// Refuses an input that costs more to look at than a decision may.
pub(super) fn bounded(input: &Value) -> Result<(), EvalFault> {
    let mut left = MOST_VALUES;
    if within(input, DEEPEST, &mut left) {
        return Ok(());
    }
    Err(EvalFault::TooLarge(format!(
        "the input is nested deeper than {DEEPEST} or holds more than {MOST_VALUES} values"
    )))
}

fn within(value: &Value, depth: usize, left: &mut usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter().all(|item| within(item, depth - 1, left)),
        Value::Set(items) => items.iter().all(|item| within(item, depth - 1, left)),
        Value::Object(object) => object
            .iter()
            .all(|(key, value)| within(key, depth - 1, left) && within(value, depth - 1, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Undefined => true,
    }
}

/// A prepared engine, its twin for which errors of builtins count otherwise, and clones that wait for a question:
/// a new clone costs as much as a small decision, and a changed one copies all that was compiled.
pub(super) struct Engines {
    ready: Engine,
    /// What stands beside every input.
    beside: Value,
    strict: bool,
    twin: OnceLock<Engine>,
    idle: [Mutex<Vec<Engine>>; 2],
}

impl Engines {
    /// `strict` is what most questions want; `ready` is set so.
    pub(super) fn of(ready: Engine, strict: bool, data: &Value) -> Self {
        let beside = BTreeMap::from([(Value::from(DATA), data.clone())]);
        Self {
            ready,
            beside: Value::from(beside),
            strict,
            twin: OnceLock::new(),
            idle: [const { Mutex::new(Vec::new()) }; 2],
        }
    }

    fn fresh(&self, strict: bool) -> Engine {
        if strict == self.strict {
            return self.ready.clone();
        }
        let turned = || {
            let mut twin = self.ready.clone();
            twin.set_strict_builtin_errors(strict);
            twin
        };
        self.twin.get_or_init(turned).clone()
    }

    fn idle(&self, strict: bool) -> MutexGuard<'_, Vec<Engine>> {
        let [plain, strictly] = &self.idle;
        let idle = if strict { strictly } else { plain };
        idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a clone of its own, which is given back.
    pub(super) fn once<R>(
        &self,
        input: Option<Value>,
        how: &How,
        ask: impl FnOnce(&mut Engine) -> anyhow::Result<R>,
    ) -> Result<(R, Engine), EvalFault> {
        let engine = self.fresh(how.strict_builtin_errors);
        run(engine, (&self.beside, input), how, ask)
    }

    /// Asks a clone that may have answered before. One that failed is not asked again.
    pub(super) fn ask<R>(
        &self,
        input: Option<Value>,
        how: &How,
        ask: impl FnOnce(&mut Engine) -> anyhow::Result<R>,
    ) -> Result<R, EvalFault> {
        let strict = how.strict_builtin_errors;
        let waiting = self.idle(strict).pop();
        let engine = waiting.unwrap_or_else(|| self.fresh(strict));
        let (answer, mut engine) = run(engine, (&self.beside, input), how, ask)?;
        // Nothing of this question is kept for the next.
        engine.set_input(Value::Undefined);
        drop(engine.take_prints());
        let mut idle = self.idle(strict);
        if idle.len() < MOST_IDLE {
            idle.push(engine);
        }
        Ok(answer)
    }
}

/// Runs one question on this engine.
fn run<R>(
    mut engine: Engine,
    (beside, input): (&Value, Option<Value>),
    how: &How,
    ask: impl FnOnce(&mut Engine) -> anyhow::Result<R>,
) -> Result<(R, Engine), EvalFault> {
    if let Some(input) = &input {
        bounded(input)?;
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        moment::during(how.now_ns, how.strict_builtin_errors, || {
            let began = monotonic_now();
            engine.set_execution_timer_config(at_most(how.limit));
            engine.set_enable_coverage(how.coverage);
            let mut whole = beside.clone();
            if let Some(input) = input {
                whole.as_object_mut()?.insert(Value::from(INPUT), input);
            }
            engine.set_input(whole);
            let asked = ask(&mut engine).map(|value| (value, engine));
            // By the engine's own clock, which has not started before `began`.
            let took = began
                .zip(monotonic_now())
                .map(|(began, now)| now.saturating_sub(began));
            asked.map(|(value, engine)| (value, engine, took))
        })
    }));
    match outcome {
        // In some places the engine takes its own timeout for "undefined" and goes on: `not` would make a permission of
        // that. Whatever it answers after the time is over, it did not decide.
        Ok(Ok((.., took))) if took.is_none_or(|took| took > how.limit) => Err(EvalFault::Timeout),
        Ok(Ok((value, engine, _))) => Ok((value, engine)),
        Ok(Err(error)) => Err(EvalFault::from_engine(&error)),
        Err(_) => Err(EvalFault::Panicked),
    }
}

/// The engine's coverage in our words. Its lines are the author's.
pub(super) fn coverage(engine: &Engine, origins: &Origins) -> Coverage {
    let report = engine.get_coverage_report().map(|report| report.files);
    let files = report.unwrap_or_default().into_iter().map(|file| FileCoverage {
        file: origins.file(&file.path).unwrap_or(&file.path).to_owned(),
        covered: file.covered,
        not_covered: file.not_covered,
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_the_engine_is_a_fault() {
        let engine = Engine::new();
        let fault = run(
            engine,
            (&Value::new_object(), None),
            &How::default(),
            |_| -> anyhow::Result<()> { panic!("x") },
        );
        assert_eq!(fault.err(), Some(EvalFault::Panicked));
    }

    #[test]
    fn an_answer_after_the_time_is_none() {
        let how = How {
            limit: Duration::from_millis(1),
            ..How::default()
        };
        let late = |_: &mut Engine| {
            std::thread::sleep(Duration::from_millis(3));
            Ok(Value::from(true))
        };
        let fault = run(Engine::new(), (&Value::new_object(), None), &how, late);
        assert_eq!(fault.err(), Some(EvalFault::Timeout));
    }
}
