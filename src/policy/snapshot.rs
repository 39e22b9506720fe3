//! One immutable set of policies and data, and one decision by it.

use std::{sync::Arc, time::Duration};

use super::{entries, fault::Problem, source::Source};
use crate::{
    port::policy::{Entry, PolicyFault},
    rego::{self, EvalFault, How, Module, Options, Value, Version},
};

/// Longest decision. One costs well under a millisecond; this ends what a policy gets wrong.
const LONGEST: Duration = Duration::from_millis(50);
/// The engine counts time by the clock on the wall, so on a machine that is overloaded a sound decision can
/// be stopped. It is then asked once more, with this much time, before it counts as failed.
const LONGEST_AGAIN: Duration = Duration::from_millis(200);
/// Longest evaluation while policies are checked: nobody waits for it.
pub(super) const LONGEST_CHECK: Duration = Duration::from_secs(2);
/// Longest input, in bytes of JSON: twice what the most and longest groups make.
const LARGEST_INPUT: usize = 1 << 20;

/// What decides, and its name in logs.
pub(super) struct Snapshot {
    pub(super) rego: Arc<rego::Snapshot>,
    pub(super) revision: String,
}

/// These files over this data, checked as what decides is checked.
pub(super) fn build<'a>(
    files: impl Iterator<Item = &'a Source>,
    data: Value,
) -> Result<rego::Snapshot, Vec<Problem>> {
    let modules = files.map(|file| {
        Arc::new(Module {
            id: file.name.clone(),
            text: file.text.clone(),
            version: Version::V1,
        })
    });
    let options = Options {
        // The same question must get the same answer, today and when it is replayed.
        refuse_nondeterminism: true,
        strict_builtin_errors: true,
        limit: LONGEST_CHECK,
        ..Options::default()
    };
    let built = rego::Snapshot::build(modules.collect(), data, &options);
    built.map_err(|refused| refused.0.into_iter().map(Problem::from_issue).collect())
}

impl Snapshot {
    /// Asks each entry once with an empty input: that must be answered, with a refusal.
    pub(super) fn prove(
        rego: rego::Snapshot,
        revision: String,
        entries: &[Entry],
    ) -> Result<Self, Vec<Problem>> {
        let own = Self {
            rego: Arc::new(rego),
            revision,
        };
        let mut problems = Vec::new();
        for entry in entries {
            if let Err(problem) = own.asked_nothing(*entry) {
                problems.push(problem);
                if *entry == Entry::Access {
                    // Others rest on it and would only repeat it.
                    break;
                }
            }
        }
        if problems.is_empty() {
            Ok(own)
        } else {
            Err(problems)
        }
    }

    fn asked_nothing(&self, entry: Entry) -> Result<(), Problem> {
        let package = entries::package(entry);
        let instead =
            format!("give package {package} a rule `decision` that refuses where facts are missing");
        let place = |what: &str| Problem::Policy {
            file: "policies".to_owned(),
            line: 0,
            what: what.to_owned(),
            instead: instead.clone(),
        };
        match self.evaluate(entry, Value::new_object(), LONGEST_CHECK) {
            Ok(value) => {
                let refused = written(value.as_ref()).and_then(|output| entries::refuses(entry, &output));
                match refused {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(place("an empty input is allowed")),
                    Err(fault) => Err(place(&fault.0)),
                }
            }
            Err(EvalFault::Failed(issues)) => Err(issues.into_iter().next().map_or_else(
                || place("it fails over an empty input"),
                |issue| Problem::from_issue(issue.or_instead(&instead)),
            )),
            Err(fault) => Err(place(&fault.to_string())),
        }
    }

    /// What decides, for explanations.
    pub(super) fn rego(&self) -> &rego::Snapshot {
        &self.rego
    }

    /// One decision.
    pub(super) fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
        if input.len() > LARGEST_INPUT {
            return Err(PolicyFault("the decision input is too large".into()));
        }
        let input = Value::from_json_str(input)
            .map_err(|error| PolicyFault(format!("the question cannot be read: {error}")))?;
        match self.patiently(entry, input, (LONGEST, LONGEST_AGAIN)) {
            Ok(value) => written(value.as_ref()),
            Err(fault) => Err(PolicyFault(fault.to_string())),
        }
    }

    /// Once more, with more time, where the first was not enough.
    fn patiently(
        &self,
        entry: Entry,
        input: Value,
        (first, again): (Duration, Duration),
    ) -> Result<Option<Value>, EvalFault> {
        match self.evaluate(entry, input.clone(), first) {
            Err(EvalFault::Timeout) => self.evaluate(entry, input, again),
            decided => decided,
        }
    }

    fn evaluate(&self, entry: Entry, input: Value, limit: Duration) -> Result<Option<Value>, EvalFault> {
        let how = How {
            limit,
            strict_builtin_errors: true,
            ..How::default()
        };
        let path: Vec<&str> = entries::path(entry).split('.').skip(1).collect();
        let evaluated = self.rego.evaluate(&path, Some(input), &how)?;
        Ok(evaluated.value)
    }
}

/// The output as JSON; who asked knows the type it must have.
fn written(value: Option<&Value>) -> Result<String, PolicyFault> {
    let value = value.ok_or_else(|| PolicyFault("the decision is undefined".into()))?;
    value
        .to_json_str()
        .map_err(|error| PolicyFault(format!("the decision has another shape: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::access::Answer, port::policy::read};

    fn snapshot(text: &str) -> Result<Snapshot, Vec<Problem>> {
        let files = [Source {
            name: "t.rego".into(),
            text: format!("package federation.access\n{text}"),
        }];
        let built = build(files.iter(), Value::new_object()).unwrap();
        Snapshot::prove(built, "r".into(), &[Entry::Access])
    }
    const REFUSAL: &str = r#"default decision := {"allow": false, "reasons": [], "rule": "t"}"#;

    fn faults(body: &str) -> String {
        let built = snapshot(&format!("{REFUSAL}\n{body}")).unwrap();
        let output = built.decide(Entry::Access, r#"{"go": true}"#);
        output.and_then(|text| read::<Answer>(&text)).unwrap_err().0
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
        assert!(
            faults(grow).contains("time for the evaluation was up"),
            "{}",
            faults(grow)
        );
        let conflict = "decision := 1 if input.go\ndecision := 2 if input.go";
        assert!(!faults(conflict).is_empty());
        let error = "decision := to_number({}) if input.go";
        assert!(!faults(error).is_empty());
    }

    #[test]
    fn what_allows_an_empty_input_or_answers_nothing_is_not_taken_into_use() {
        let open = snapshot(r#"decision := {"allow": true, "reasons": [], "rule": "t"}"#);
        assert!(
            open.err().unwrap()[0]
                .to_string()
                .contains("empty input is allowed")
        );
        let silent = snapshot("decision := 1 if input.go");
        assert!(silent.err().unwrap()[0].to_string().contains("undefined"));
        assert!(snapshot("other := 1").is_err());
    }

    #[test]
    fn an_input_beyond_the_bound_is_a_fault() {
        let built = snapshot(REFUSAL).unwrap();
        let large = format!("{{\"x\": \"{}\"}}", "a".repeat(LARGEST_INPUT));
        assert!(
            built
                .decide(Entry::Access, &large)
                .unwrap_err()
                .0
                .contains("too large")
        );
        assert!(built.decide(Entry::Access, "not json").is_err());
    }

    /// Wherever the time runs out, also where the engine takes it for "undefined", the second try decides.
    #[test]
    fn a_timeout_that_the_engine_loses_counts_as_one() {
        let rules: Vec<crate::policy::AccessRule> = serde_json::from_value(serde_json::json!([
            { "rule": "r", "tenant": "acme", "group": "developers", "target": "openstack", "lifetime_s": 8,
              "projects": [{ "domain": "acme", "project": "webshop", "roles": ["member"] }] }
        ]))
        .unwrap();
        let tenants: Vec<crate::domain::tenant::Tenant> = serde_json::from_value(
            serde_json::json!([{ "id": "acme", "name": "ACME", "domains": ["acme"] }]),
        )
        .unwrap();
        let config = crate::policy::Config::default();
        let snapshot = crate::policy::engine::build(&config, &rules, &tenants, None).unwrap();
        let text = serde_json::json!({ "v": 1,
            "subject": { "sub": "k", "username": "alice", "name": null, "email": null, "email_verified": false,
                "tenant": "acme", "upstream": "staff", "issuer": "i",
                "groups": [{ "name": "developers", "rule": "all" }], "acr": null, "amr": [],
                "authenticated_at": 1_800_000_000, "client": false, "extras": {} },
            "context": { "time_s": 1_800_000_000, "client_ip": null, "reference": "x" },
            "request": { "target": "openstack", "kind": "keystone", "client": null, "only": null },
            "login": { "claims": {}, "tenant": "acme", "upstream": "staff", "groups": [] } })
        .to_string();
        for entry in [Entry::Access, Entry::Login, Entry::Mapping] {
            for micros in 1..2500 {
                let limits = (Duration::from_micros(micros), LONGEST_CHECK);
                let input = Value::from_json_str(&text).unwrap();
                let decided = snapshot.patiently(entry, input, limits);
                assert!(
                    matches!(decided, Ok(Some(_))),
                    "{entry:?} after {micros}: {decided:?}"
                );
            }
        }
    }
}
