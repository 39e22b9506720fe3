//! One immutable set of policies and data, and one decision by it.

use std::{
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use regorus::{Engine, LimitError, Value, utils::limits::ExecutionTimerConfig};

use super::{fault::Problem, source::Source};
use crate::{domain::access::Answer, port::policy::PolicyFault};

/// The rule that is asked.
const ENTRY: &str = "data.federation.access.decision";
/// Longest decision. One costs well under a millisecond; this ends what a policy gets wrong.
const LONGEST: Duration = Duration::from_millis(50);
/// The engine counts time by the clock on the wall, so on a machine that is overloaded a sound decision can
/// be stopped. It is then asked once more, with this much time, before it counts as failed.
const LONGEST_AGAIN: Duration = Duration::from_millis(200);
/// Longest evaluation while policies are checked: nobody waits for it.
pub(super) const LONGEST_CHECK: Duration = Duration::from_secs(2);
/// Longest input, in bytes of JSON: twice what the most and longest groups make.
const LARGEST_INPUT: usize = 1 << 20;
/// Longest reason code.
const LONGEST_REASON: usize = 64;

/// An engine that is cloned for each decision. Clones share policies and data, so one costs less than 1 µs.
pub(super) struct Snapshot {
    template: Engine,
    pub(super) revision: String,
}

/// An engine with these files and this data; time-limited.
pub(super) fn engine<'a>(
    files: impl Iterator<Item = &'a Source>,
    data: &str,
    limit: Duration,
) -> Result<Engine, Vec<Problem>> {
    let mut engine = Engine::new();
    let mut problems = Vec::new();
    engine.set_strict_builtin_errors(true);
    engine.set_execution_timer_config(at_most(limit));
    for file in files {
        if let Err(error) = engine.add_policy(file.name.clone(), file.text.clone()) {
            let mut problem = Problem::from_engine(&error.to_string(), "write Rego version 1");
            if let Problem::Policy {
                file: named, line: 0, ..
            } = &mut problem
            {
                named.clone_from(&file.name);
            }
            problems.push(problem);
        }
    }
    if let Err(error) = engine.add_data_json(data) {
        problems.push(Problem::from_engine(
            &error.to_string(),
            "report this as a fault of the gateway",
        ));
    }
    if problems.is_empty() {
        Ok(engine)
    } else {
        Err(problems)
    }
}

fn at_most(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::MIN.saturating_add(63),
    }
}

impl Snapshot {
    /// Prepares the engine and asks it once with an empty input: that must be answered, with a refusal.
    pub(super) fn prove(mut template: Engine, revision: String) -> Result<Self, Problem> {
        template.set_input(Value::new_object());
        let instead = "give package federation.access a rule `decision` that refuses where facts are missing";
        // This evaluation also prepares the template, so that no clone has to.
        let outcome = catch_unwind(AssertUnwindSafe(|| template.eval_rule(ENTRY.to_owned())));
        let value = match outcome {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => return Err(Problem::from_engine(&error.to_string(), instead)),
            Err(_) => {
                return Err(Problem::from_engine(
                    "the engine panicked over an empty input",
                    instead,
                ));
            }
        };
        match answer(&value) {
            Ok(answer) if !answer.allow => Ok(Self { template, revision }),
            Ok(_) => Err(Problem::from_engine("an empty input is allowed", instead)),
            Err(fault) => Err(Problem::from_engine(&fault.0, instead)),
        }
    }

    /// One decision.
    pub(super) fn decide(&self, input: &str) -> Result<Answer, PolicyFault> {
        if input.len() > LARGEST_INPUT {
            return Err(PolicyFault("the decision input is too large".into()));
        }
        let value = match self.evaluate(input, LONGEST) {
            Err(Stopped::Late(_)) => self.evaluate(input, LONGEST_AGAIN),
            first => first,
        };
        match value {
            Ok(value) => answer(&value),
            Err(Stopped::Late(detail) | Stopped::Failed(detail)) => Err(PolicyFault(detail)),
        }
    }

    fn evaluate(&self, input: &str, limit: Duration) -> Result<Value, Stopped> {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut engine = self.template.clone();
            engine.set_execution_timer_config(at_most(limit));
            engine.set_input_json(input)?;
            engine.eval_rule(ENTRY.to_owned())
        }));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(match error.downcast_ref::<LimitError>() {
                Some(LimitError::TimeLimitExceeded { .. }) => Stopped::Late(error.to_string()),
                Some(_) | None => Stopped::Failed(error.to_string()),
            }),
            Err(_) => Err(Stopped::Failed("the engine panicked".into())),
        }
    }
}

/// Why there is no output.
enum Stopped {
    /// The time was up.
    Late(String),
    /// Anything else.
    Failed(String),
}

/// The output, if it has exactly the shape of an answer.
fn answer(value: &Value) -> Result<Answer, PolicyFault> {
    if *value == Value::Undefined {
        return Err(PolicyFault("the decision is undefined".into()));
    }
    let shape =
        |error: &dyn std::fmt::Display| PolicyFault(format!("the decision has another shape: {error}"));
    let json = value.to_json_str().map_err(|error| shape(&error))?;
    let answer: Answer = serde_json::from_str(&json).map_err(|error| shape(&error))?;
    if answer.allow && !answer.reasons.is_empty() {
        return Err(shape(&"it allows and gives reasons against it"));
    }
    if let Some(reason) = answer.reasons.iter().find(|reason| !is_code(reason)) {
        return Err(shape(&format_args!("the reason {reason:?} is not a code")));
    }
    Ok(answer)
}

/// Reasons are shown to people and counted: codes only, so that no claim can travel in them.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_REASON
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(text: &str) -> Result<Snapshot, Problem> {
        let files = [Source {
            name: "t.rego".into(),
            text: format!("package federation.access\n{text}"),
        }];
        Snapshot::prove(engine(files.iter(), "{}", LONGEST_CHECK).unwrap(), "r".into())
    }
    const REFUSAL: &str = r#"default decision := {"allow": false, "reasons": [], "rule": "t"}"#;

    fn faults(body: &str) -> String {
        let built = snapshot(&format!("{REFUSAL}\n{body}")).unwrap();
        built.decide(r#"{"go": true}"#).unwrap_err().0
    }

    #[test]
    fn output_of_another_shape_is_a_fault() {
        for (output, part) in [
            ("true", "shape"),
            (r#"{"allow": true}"#, "shape"),
            (r#"{"allow": "true", "reasons": [], "rule": "t"}"#, "shape"),
            (
                r#"{"allow": true, "reasons": [], "rule": "t", "extra": 1}"#,
                "extra",
            ),
            (r#"{"allow": true, "reasons": ["x"], "rule": "t"}"#, "against"),
            (
                r#"{"allow": false, "reasons": ["<b>"], "rule": "t"}"#,
                "not a code",
            ),
            (
                r#"{"allow": true, "reasons": [], "rule": "t", "lifetime_s": -1}"#,
                "shape",
            ),
            (
                r#"{"allow": true, "reasons": [], "rule": "t", "grants": [{"rule": "r", "entitlement": {"kind": "root"}}]}"#,
                "root",
            ),
        ] {
            let fault = faults(&format!("decision := {output} if input.go"));
            assert!(fault.contains(part), "{output}: {fault}");
        }
    }

    #[test]
    fn an_error_a_conflict_and_an_endless_rule_are_faults() {
        let grow = "decision := n if { input.go; n := count([1 | some a in numbers.range(1, 3000); some b in numbers.range(1, 3000); a == b]) }";
        // It is asked once more, with more time, before it counts as failed.
        assert!(faults(grow).contains("limit=200000000ns"), "{}", faults(grow));
        let conflict = "decision := 1 if input.go\ndecision := 2 if input.go";
        assert!(!faults(conflict).is_empty());
        let error = "decision := to_number({}) if input.go";
        assert!(!faults(error).is_empty());
    }

    #[test]
    fn a_panic_in_the_engine_is_a_fault() {
        // `strings.count` with an empty text panics in this engine; `guard` refuses it at load.
        let fault = faults(r#"decision := strings.count("x", "") if input.go"#);
        assert!(fault.contains("panicked"), "{fault}");
    }

    #[test]
    fn what_allows_an_empty_input_or_answers_nothing_is_not_taken_into_use() {
        let open = snapshot(r#"decision := {"allow": true, "reasons": [], "rule": "t"}"#);
        assert!(open.err().unwrap().to_string().contains("empty input is allowed"));
        let silent = snapshot("decision := 1 if input.go");
        assert!(silent.err().unwrap().to_string().contains("undefined"));
        assert!(snapshot("other := 1").is_err());
    }

    #[test]
    fn an_input_beyond_the_bound_is_a_fault() {
        let built = snapshot(REFUSAL).unwrap();
        let large = format!("{{\"x\": \"{}\"}}", "a".repeat(LARGEST_INPUT));
        assert!(built.decide(&large).unwrap_err().0.contains("too large"));
        assert!(built.decide("not json").is_err());
    }
}
