//! Runs the `test_*` rules of policies by the engine that decides. Who calls it measures how long each takes.

use regorus::Value;

use super::{
    evaluate::How,
    fault::{EvalFault, Place},
    snapshot::Snapshot,
};

/// A rule that is a test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Where it stands.
    pub place: Place,
    /// Its full name (`data.federation.access_test.test_empty_input`).
    pub name: String,
    /// Its path below `data`.
    pub path: Vec<String>,
    /// Whether its name begins with `todo_`: it is named and not run.
    pub todo: bool,
}

/// How a test went.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It gave `true`.
    Passed,
    /// It gave something else, or nothing.
    Failed(Option<Value>),
    /// It is a `todo_`.
    Skipped,
    /// It could not be evaluated.
    Error(EvalFault),
}

/// All tests, in the order of files and lines. A rule with several bodies is one test.
#[must_use]
pub fn tests(snapshot: &Snapshot) -> Vec<Test> {
    let mut found: Vec<Test> = snapshot
        .rules()
        .filter_map(|(path, place)| {
            let rule = path.last()?;
            let todo = rule.starts_with("todo_test_");
            (todo || rule.starts_with("test_")).then(|| Test {
                place: place.clone(),
                name: format!("data.{}", path.join(".")),
                path: path.to_vec(),
                todo,
            })
        })
        .collect();
    found.sort();
    found
}

/// Runs one test, with no input.
#[must_use]
pub fn run(snapshot: &Snapshot, test: &Test, how: &How) -> Outcome {
    if test.todo {
        return Outcome::Skipped;
    }
    let path: Vec<&str> = test.path.iter().map(String::as_str).collect();
    match snapshot.evaluate(&path, Some(Value::new_object()), how) {
        Ok(evaluated) => match evaluated.value {
            Some(Value::Bool(true)) => Outcome::Passed,
            other => Outcome::Failed(other),
        },
        Err(fault) => Outcome::Error(fault),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rego::{Module, Options, Version};

    #[test]
    fn each_test_has_its_outcome() {
        let text = "package t\ntest_a if 1 == 1\ntest_b if 1 == 2\ntodo_test_c if true\ntest_d := 7\ntest_e if x == 1\nx := 1 if input == {}\nx := 2 if input == {}";
        let module = Module {
            id: "t_test.rego".into(),
            text: text.into(),
            version: Version::V1,
        };
        let snapshot =
            Snapshot::build(vec![Arc::new(module)], Value::new_object(), &Options::default()).unwrap();
        let found = tests(&snapshot);
        assert_eq!(found.len(), 5);
        assert_eq!((found[1].name.as_str(), found[1].place.row), ("data.t.test_b", 3));
        let outcomes: Vec<_> = found
            .iter()
            .map(|test| run(&snapshot, test, &How::default()))
            .collect();
        assert_eq!(outcomes[0], Outcome::Passed);
        assert_eq!(outcomes[1], Outcome::Failed(None));
        assert_eq!(outcomes[2], Outcome::Skipped);
        assert_eq!(outcomes[3], Outcome::Failed(Some(Value::from(7))));
        assert!(matches!(outcomes[4], Outcome::Error(EvalFault::Failed(_))));
    }
}
