//! What OPA refuses when it compiles, refused here at load: with the place and what to write instead.
//!
//! The engine would find most of it only at the decision that first gets there, or never.

mod calls;
mod imports;
mod kinds;
mod locals;
mod mentions;
mod recursion;
mod safety;
mod variables;

use std::sync::Arc;

use super::{
    fault::{Issue, Place},
    lower::{Names, Signatures},
    module::{Module, Version},
    snapshot::Options,
    syntax::ast::{Body, Pos, Tree},
};

/// What is wrong with the names of one module as its author wrote it. Where there is something, OPA looks no further.
pub(super) fn names(module: &Module, tree: &Tree, names: &Names, options: &Options) -> Vec<Issue> {
    let mut report = Report::of(&module.id);
    report.v1 = is_v1(module, tree, options);
    imports::check(tree, &mut report);
    locals::check(tree, names, options.strict, &mut report);
    sorted(report.issues)
}

/// Whether the rules of version 1 hold for a module.
fn is_v1(module: &Module, tree: &Tree, options: &Options) -> bool {
    options.strict
        || module.version == Version::V1
        || tree.imports.iter().any(|import| import.path == ["rego", "v1"])
}

/// Everything that is wrong with modules whose names are full paths (`resolved`) and in the plain form (`lowered`).
pub(super) fn issues(
    modules: &[Arc<Module>],
    resolved: &[Tree],
    lowered: &[Tree],
    signatures: &Signatures,
    options: &Options,
) -> Vec<Issue> {
    let mut found = Vec::new();
    for ((module, tree), plain) in modules.iter().zip(resolved).zip(lowered) {
        let mut report = Report::of(&module.id);
        report.v1 = is_v1(module, tree, options);
        calls::check(plain, signatures, options, &mut report);
        // A call that is not known hides what it would bind.
        if report.issues.is_empty() {
            safety::check(plain, &mut report);
        }
        found.extend(report.issues);
    }
    found.extend(kinds::check(modules, resolved));
    if found.is_empty() {
        found.extend(recursion::check(modules, resolved));
    }
    sorted(found)
}

/// By place, without what is said twice of one line.
fn sorted(mut found: Vec<Issue>) -> Vec<Issue> {
    found.sort_by(|one, other| (&one.place, &one.message).cmp(&(&other.place, &other.message)));
    found.dedup_by(|later, first| {
        let line = |issue: &Issue| issue.place.as_ref().map(|place| (place.file.clone(), place.row));
        later.message == first.message && line(later) == line(first)
    });
    found
}

/// The same for a query in the plain form.
pub(super) fn query(body: &Body, signatures: &Signatures, options: &Options) -> Vec<Issue> {
    let mut report = Report::of("query");
    locals::query(body, &mut report);
    calls::check_body(body, signatures, options, &mut report);
    safety::check_query(body, &mut report);
    report.issues
}

/// Findings in one file.
struct Report {
    file: String,
    /// Whether version 1 or the strict mode is in force.
    v1: bool,
    issues: Vec<Issue>,
}

impl Report {
    fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            v1: false,
            issues: Vec::new(),
        }
    }

    fn add(&mut self, code: &'static str, pos: Pos, message: impl Into<String>, instead: &str) {
        let issue = Issue::new(code, message)
            .at(place(&self.file, pos))
            .instead(instead);
        self.issues.push(issue);
    }
}

fn place(file: &str, pos: Pos) -> Place {
    Place {
        file: file.to_owned(),
        row: pos.row,
        col: pos.col,
    }
}

#[cfg(test)]
mod tests {
    use regorus::Value;

    use super::*;
    use crate::rego::{How, Snapshot, Version};

    fn build(text: &str, changing: bool) -> Result<Snapshot, Vec<String>> {
        let module = |id: &str, text: String| {
            Arc::new(Module {
                id: id.into(),
                text,
                version: Version::V1,
            })
        };
        let modules = vec![
            module("p.rego", format!("package p\nimport data.lib.texts\n{text}")),
            module(
                "lib.rego",
                "package lib.texts\nshort(x) := y if y := lower(x)".into(),
            ),
        ];
        let options = Options {
            refuse_nondeterminism: changing,
            ..Options::default()
        };
        let data = Value::from_json_str(r#"{"q": {"anna": {"n": 1}}}"#).unwrap();
        Snapshot::build(modules, data, &options)
            .map_err(|refused| refused.0.iter().map(ToString::to_string).collect())
    }
    fn refusals(text: &str) -> Vec<String> {
        build(text, true).err().unwrap_or_default()
    }

    #[test]
    fn unknown_functions_are_refused_also_behind_guards() {
        for text in [
            "allow if { false; no.such(1) }",
            "f(x) := [y | y := nowhere(x)]",
            "allow if { every x in [1] { nowhere(x) } }",
            "allow if { x := {\"k\": nowhere(1)}; x }",
            "allow if { false } else := nowhere(1)",
            "allow if true with input as nowhere(1)",
            "s contains nowhere(1) if false",
            "allow if texts.long(\"a\")",
            "allow if $\"{nowhere(1)}\" == \"x\"",
        ] {
            let found = refusals(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(
                found[0].starts_with("p.rego:3: rego_type_error: undefined function"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn calls_and_clocks_are_refused_by_name() {
        for text in [
            "allow if http.send({\"url\": \"http://x\"}).body.ok",
            "allow if true with http.send as {}",
            "allow if time.now_ns() > 1",
            "allow if print(1)",
        ] {
            let found = refusals(text);
            assert!(
                found.iter().any(|line| line.contains("is refused")),
                "{text}: {found:?}"
            );
        }
        assert!(build("allow if time.now_ns() > 1", false).is_ok());
        assert!(build("allow if http.send({}).body.ok", false).is_err());
    }

    #[test]
    fn a_wrong_number_of_arguments_is_refused() {
        assert_eq!(refusals("allow if startswith(\"a\")").len(), 1);
        assert_eq!(refusals("allow if texts.short(\"a\", 1, 2)").len(), 1);
        assert_eq!(
            refusals("allow if texts.short(\"A\", \"a\")"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_opa_refuses_at_compile_time_is_refused_with_its_place() {
        for (text, part) in [
            (
                "allow if x > 1",
                "p.rego:3: rego_unsafe_var_error: var x is unsafe",
            ),
            ("allow if { not x }", "var x is unsafe"),
            ("allow if { every x in y { x } }", "var y is unsafe"),
            ("p contains x if true", "var x is unsafe"),
            ("f(x) := y", "var y is unsafe"),
            ("allow if count([y | z := 1]) > 0", "var y is unsafe"),
            (
                "a if b\nb if c\nc if a",
                "rego_recursion_error: rule data.p.a is recursive: data.p.a -> data.p.b -> data.p.c -> data.p.a",
            ),
            ("a if data.p.a", "rego_recursion_error"),
            ("a := 1\na contains 2", "conflicting rules data.p.a found"),
            ("a := 1\na(x) := x", "conflicting rules data.p.a found"),
            (
                "default a := 1\ndefault a := 2",
                "multiple default rules data.p.a",
            ),
            (
                "import data.other.texts",
                "import must not shadow import data.lib.texts",
            ),
            ("allow {\n  true\n}", "`if` keyword is required before rule body"),
        ] {
            let found = refusals(text).join("\n");
            assert!(found.contains(part), "{text}: {found}");
        }
    }

    #[test]
    fn sound_policies_pass() {
        for text in [
            "allow if texts.short(\"A\") == \"a\"\ng(x) := count(x)\nh := g([1])",
            "allow if { y > 1; [x, y] = [1, 2]; x }",
            "s contains k if some k, _ in input\nallow if s[_]",
            "a := {y | x := [1, 2]; some y in x}",
            "a := [y | y := b[_]]\nb := [1]",
            "a[x] := y if some x, y in input",
            "f(x, [y, {\"z\": z}]) := x + y + z",
            "allow if { every k, v in input { v > k } }",
            "a := $\"{input.x} and {texts.short(\"A\")}\"",
            "test_a if { allow with input.x as 1 with texts.short as \"x\" }\nallow if input.x",
            "n := count([x | x := data.q[_].n]) > 0",
        ] {
            assert_eq!(refusals(text), Vec::<String>::new(), "{text}");
        }
    }

    /// policy.md §3.1: the forms in which the bare engine says `true` where OPA says nothing.
    #[test]
    fn negation_over_a_missing_fact_is_undefined_as_in_opa() {
        let missing = Value::new_object();
        for operand in [
            "input.age >= 18",
            "input.a != 1",
            "input.a in {1}",
            "1 in input.a",
            "startswith(input.a, \"x\")",
            "count(input.a) > 0",
            "texts.short(input.a)",
            "data.q[input.id]",
            "data.q[input.id].n >= 1",
            "glob.match(\"a*\", [], input.a)",
            "net.cidr_contains(\"10.0.0.0/8\", input.a)",
        ] {
            let snapshot = build(&format!("allow if not {operand}"), true).unwrap();
            let answer = snapshot.evaluate(&["p", "allow"], Some(missing.clone()), &How::default());
            assert_eq!(answer.unwrap().value, None, "{operand}");
        }
        for operand in ["input.a", "input.a.b == 1", "data.q.n", "other"] {
            let snapshot = build(&format!("other if false\nallow if not {operand}"), true).unwrap();
            let answer = snapshot.evaluate(&["p", "allow"], Some(missing.clone()), &How::default());
            assert_eq!(answer.unwrap().value, Some(Value::from(true)), "{operand}");
        }
    }

    #[test]
    fn an_undefined_head_does_not_end_the_loop() {
        let text = "s contains x.a if some x in input.xs\nm[x.b] := x.a if some x in input.xs";
        let snapshot = build(text, true).unwrap();
        let input = Value::from_json_str(r#"{"xs": [{"b": 1}, {"a": 2, "b": 2}, {"a": 3}]}"#).unwrap();
        let ask = |name: &str| {
            let answer = snapshot.evaluate(&["p", name], Some(input.clone()), &How::default());
            answer.unwrap().value.unwrap().to_string()
        };
        assert_eq!(ask("s"), "[2,3]");
        assert_eq!(ask("m"), "{\"2\":2}");
    }
}
