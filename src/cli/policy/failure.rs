//! Why a test failed: which expression of its body did not hold, and what stood on both sides of it.

use std::{fmt::Write as _, sync::Arc};

use super::{data, diff, sources::Loaded};
use crate::rego::{
    How, Module, Options, Snapshot, Value, Version,
    format::{self, Expression, Sides},
    trial::Test,
};

/// Names of the probe's rules: no author writes them.
const HOLDS: &str = "author_probe_holds";
const LEFT: &str = "author_probe_left";
const RIGHT: &str = "author_probe_right";

/// The expression at which a test's body ended.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) row: u32,
    pub(super) text: String,
    pub(super) got: Option<String>,
    pub(super) expected: Option<String>,
    operator: &'static str,
}

impl Failure {
    /// For a person.
    pub(super) fn show(&self, file: &str) -> String {
        let mut out = format!("{file}:{}:", self.row);
        for line in self.text.lines() {
            let _ = write!(out, "\n    {line}");
        }
        let (Some(expected), Some(got)) = (&self.expected, &self.got) else {
            if let Some(got) = &self.got {
                let _ = write!(out, "\n  it is {got}");
            }
            return out;
        };
        if self.operator == "!=" {
            let _ = write!(out, "\n  both sides are {got}");
            return out;
        }
        out.push_str("\n  - expected\n  + got");
        for line in diff::lines(expected, got) {
            let _ = write!(out, "\n  {line}");
        }
        out
    }
}

/// Looks for it by running the body again, piece by piece, beside the policies. None if it cannot be told: the
/// body is the fault of another rule, or has a form of its own.
pub(super) fn of(loaded: &Loaded, test: &Test, how: &How) -> Option<Failure> {
    let module = loaded
        .modules
        .iter()
        .find(|module| module.id == test.place.file)?;
    let (imports, body) = format::rule_body(&module.text, module.version, test.place.row)?;
    let package = test.path.split_last()?.1;
    let probe = Probe {
        loaded,
        package,
        imports: &imports,
        module,
        how,
    };
    let first = (0..body.len()).find(|at| {
        let held = body.get(..=*at).unwrap_or_default();
        probe
            .ask(HOLDS, &format!("true if {{\n{}\n}}", joined(held)))
            .is_none()
    })?;
    let failed = body.get(first)?;
    let before = body.get(..first).unwrap_or_default();
    Some(probe.explain(failed, before))
}

struct Probe<'a> {
    loaded: &'a Loaded,
    package: &'a [String],
    imports: &'a str,
    module: &'a Module,
    how: &'a How,
}

impl Probe<'_> {
    /// The value of a rule written beside the test; none if it is undefined or does not load.
    fn ask(&self, name: &str, rule: &str) -> Option<Value> {
        let package = crate::rego::reference(self.package);
        let package = package.strip_prefix("data.").unwrap_or(&package);
        // In version 0 a body needs no `if`, and may not know the word.
        let rule = match self.module.version {
            Version::V0 => rule.replacen(" if {\n", " {\n", 1),
            Version::V1 => rule.to_owned(),
        };
        let text = format!("package {package}\n{}\n{name} := {rule}\n", self.imports);
        let module = Arc::new(Module {
            id: "probe".to_owned(),
            text,
            version: self.module.version,
        });
        let snapshot: Snapshot = self.loaded.build(&Options::default(), vec![module]).ok()?;
        let path: Vec<&str> = self.package.iter().map(String::as_str).chain([name]).collect();
        snapshot
            .evaluate(&path, Some(Value::new_object()), self.how)
            .ok()?
            .value
    }

    fn explain(&self, failed: &Expression, before: &[Expression]) -> Failure {
        let side = |name: &str, text: &str| {
            let value = format!("{name}_value");
            let steps = joined(before);
            let rule = format!("{value} if {{\n{steps}\n{value} := {text} {}\n}}", failed.with);
            match self.ask(name, &rule) {
                Some(value) => data::pretty(&data::json(&value)),
                None => "undefined".to_owned(),
            }
        };
        let mut failure = Failure {
            row: failed.row,
            text: failed.text.clone(),
            got: None,
            expected: None,
            operator: "",
        };
        match &failed.sides {
            Some(Sides {
                operator,
                left,
                right,
                expected_left,
            }) => {
                let (left, right) = (side(LEFT, left), side(RIGHT, right));
                let (expected, got) = if *expected_left {
                    (left, right)
                } else {
                    (right, left)
                };
                failure.operator = operator;
                failure.got = Some(got);
                failure.expected = Some(expected);
            }
            None if failed.valued => failure.got = Some(side(LEFT, &failed.bare)),
            None => {}
        }
        failure
    }
}

fn joined(expressions: &[Expression]) -> String {
    let texts: Vec<&str> = expressions.iter().map(|each| each.text.as_str()).collect();
    texts.join("\n")
}
