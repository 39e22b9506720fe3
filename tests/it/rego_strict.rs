//! OPA's strict mode and its rules for local names: the same modules are refused by the real `opa check`, with the
//! same words at the same lines.

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::Arc};

use fedgate::rego::{Module, Options, Snapshot, Value, Version};
use serde_json::Value as Json;

/// What stands below `package p`. A line `---` begins another file.
const MODULES: [&str; 92] = [
    // Imports.
    "import data.lib\n\nallow if lib.x",
    "import data.lib\n\nallow if input.x",
    "import data.lib as l\n\nallow if lib",
    "import data.lib as l\n\nallow if l.x",
    "import input.user\n\nallow if input.user == \"a\"",
    "import input.user\n\nallow if user == \"a\"",
    "import input.user as u\nimport data.lib.u\n\nallow if u == \"a\"",
    "import data.a.x\nimport data.b.x\n\nallow if x",
    "import data.a.x\nimport data.b.x as y\n\nallow if x == y",
    "import data.a.x\nimport data.a.x\n\nallow if x",
    "import rego.v1\nimport rego.v1\n\nallow if input.x",
    "import future.keywords.in\nimport future.keywords.in\n\nallow if 1 in input.x",
    "import future.keywords.if\nimport data.x[\"if\"] as y\n\nallow if y",
    "import data.lib\n\nallow if [lib | lib := 1][0] == 1",
    "import data.lib\n\nallow if {\n\tlib := 1\n\tlib == 1\n}",
    "import data.lib\n\nf(lib) := lib",
    "import data.lib\n\nallow if f(1) with data.lib as 1\nf(_) if true",
    "import data.lib\n\nallow if input.x with input.x as lib.y",
    "import data.lib\n\nx := {\"a\": lib.y}",
    "import data.lib\n\nx[lib.y] := 1",
    "import data.lib\n\nx contains lib.y if input.x",
    "import data.lib\n\nallow if input.x[lib.y]",
    "import data.lib\n\nallow if $\"{lib.y}\" == \"1\"",
    "import data.lib\n\nallow if every x in lib.xs { x > 1 }",
    "import data.lib\n\nallow if true else := lib.x",
    "import data.lib\n\nx := lib.f(1)\n---\npackage lib\n\nf(x) := x",
    // Names of the documents.
    "input := 1",
    "data.x := 1",
    "allow if {\n\tinput := 1\n\tinput == 1\n}",
    "allow if {\n\tdata := 1\n\tdata == 1\n}",
    "f(input) := 1",
    "f(data) := 1",
    "f(x, [input]) := x",
    "f({\"a\": input}) := 1",
    // Assigned and declared.
    "allow if {\n\tx := 1\n}",
    "allow if {\n\tx := 1\n\ty := 2\n\ty > 1\n}",
    "allow if {\n\tx := input.x\n\ty := x\n}",
    "allow if {\n\tx := 1\n\tx := 2\n}",
    "allow if {\n\tx == 1\n\tx := 1\n}",
    "allow if {\n\tsome x\n\tx := 1\n}",
    "allow if {\n\tsome x\n\tsome x\n\tinput[x]\n}",
    "allow if {\n\tsome x\n\tinput.y\n}",
    "allow if {\n\tsome x, y\n\tinput[x]\n}",
    "allow if {\n\tsome x in input.xs\n}",
    "allow if {\n\tsome k, v in input.xs\n\tv > 1\n}",
    "allow if {\n\tsome x in input.xs\n\tsome x in input.ys\n}",
    "allow if {\n\tx := 1\n\tsome x in input.xs\n}",
    "allow if {\n\tevery x in input.xs { input.y }\n}",
    "allow if {\n\tevery k, v in input.xs { v > 1 }\n}",
    "allow if {\n\tevery _, v in input.xs { v > 1 }\n}",
    "allow if {\n\tevery x in input.xs {\n\t\ty := x\n\t}\n}",
    "allow if {\n\tevery x in input.xs {\n\t\tx := 1\n\t\tx > 1\n\t}\n}",
    "allow if {\n\tx := 1\n\tevery x in input.xs { x > 1 }\n}",
    "allow if {\n\tx := 1\n\t[y | y := x] == [1]\n}",
    "allow if {\n\tx := 1\n\t[x | x := 2] == [1]\n}",
    "allow if {\n\tcount([1 | x := input.x]) > 0\n}",
    "allow if {\n\tcount({x: 1 | x := input.x}) > 0\n}",
    "allow if {\n\tcount({x | some x}) > 0\n}",
    "allow if {\n\t[x, y] := input.xs\n\tx > 1\n}",
    "allow if {\n\t[x, _] := input.xs\n\tx > 1\n}",
    "allow if {\n\t{\"a\": x} := input.xs\n}",
    "allow if {\n\t[x, 1] := input.xs\n\tx > 1\n}",
    "allow if {\n\tinput.x := 1\n}",
    "allow if {\n\t1 := 1\n}",
    "allow if {\n\tcount(input.x) := 1\n}",
    "allow if {\n\tnot x := 1\n}",
    "x := y if {\n\ty := 1\n}",
    "x[y] := 1 if {\n\ty := 1\n}",
    "x contains y if {\n\ty := 1\n}",
    "x contains 1 if {\n\ty := 1\n}",
    "x := [y | y := 1; z := 2]",
    "x := y if {\n\ty := 1\n} else := y if {\n\ty := 2\n}",
    "x := 1 if {\n\tinput.a\n} else := 2 if {\n\ty := 2\n}",
    "allow if {\n\tx := 1\n\tinput.a with input.b as x\n}",
    "allow if {\n\tx := 1\n\t$\"{x}\" == \"1\"\n}",
    "allow if {\n\tx := 1\n\tnot input.xs[x]\n}",
    "allow if {\n\tstartswith := 1\n\tstartswith == 1\n}",
    "allow if {\n\tlower := input.x\n\tlower(lower) == \"a\"\n}",
    // Arguments.
    "f(x) := 1",
    "f(x, y) := x",
    "f(_, y) := y",
    "f(x) if {\n\tx > 1\n}",
    "f(x) := [y | y := x]",
    "f(x) if {\n\tx := 1\n}",
    "f([x, y]) := x",
    "f({\"a\": x}) := 1",
    "f(x) := 1 if {\n\tinput.y\n} else := x",
    "f(x) := 1 if {\n\tinput.y\n} else := 2 if {\n\tx > 1\n}",
    "default f(x) := 1\n\nf(x) := x",
    "f(x, x) := 1",
    "f(g) := g(1)\ng(x) := x",
    // Functions of old.
    "allow if any([input.x])",
];

const OLD: [&str; 7] = [
    "allow { any([input.x]) }",
    "allow { re_match(\"a\", input.x) }",
    "allow { x := 1 }",
    "allow { some x; input.y }",
    "import data.a.x\nimport data.b.x\n\nallow { x }",
    "import data.lib\n\nallow { input.x }",
    "f(x) = 1 { input.y }",
];

type Findings = BTreeSet<(String, u64, String)>;

fn theirs(opa: &Path, folder: &Path, files: &[String], (old, strict): (bool, bool)) -> Findings {
    let mut command = Command::new(opa);
    command.args(["check", "--max-errors", "0", "--format", "json"]);
    if strict {
        command.arg("--strict");
    }
    if old {
        command.arg("--v0-compatible");
    }
    let output = command.args(files).current_dir(folder).output().unwrap();
    let answer: Json = serde_json::from_slice(&[output.stdout, output.stderr].concat()).unwrap_or_default();
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let finding = |error: &Json| {
        (
            error["code"].as_str().unwrap_or_default().to_owned(),
            error["location"]["row"].as_u64().unwrap_or_default(),
            error["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    errors.iter().map(finding).collect()
}

fn ours(texts: &[String], (old, strict): (bool, bool)) -> Findings {
    let modules = texts.iter().enumerate().map(|(at, text)| {
        Arc::new(Module {
            id: format!("{at}.rego"),
            text: text.clone(),
            version: if old { Version::V0 } else { Version::V1 },
        })
    });
    let options = Options {
        strict,
        ..Options::default()
    };
    let Err(refused) = Snapshot::build(modules.collect(), Value::new_object(), &options) else {
        return Findings::new();
    };
    let finding = |issue: &fedgate::rego::Issue| {
        let row = issue.place.as_ref().map_or(0, |place| place.row.into());
        (issue.code.to_owned(), row, issue.message.clone())
    };
    refused.0.iter().map(finding).collect()
}

fn compare(opa: &Path, text: &str, (old, strict): (bool, bool)) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = text
        .split("---\n")
        .enumerate()
        .map(|(at, text)| {
            if at == 0 {
                format!("package p\n\n{text}\n")
            } else {
                text.to_owned()
            }
        })
        .collect();
    let files: Vec<String> = (0..texts.len()).map(|at| format!("{at}.rego")).collect();
    for (file, text) in files.iter().zip(&texts) {
        fs::write(folder.path().join(file), text).unwrap();
    }
    let want = theirs(opa, folder.path(), &files, (old, strict));
    let got = ours(&texts, (old, strict));
    (got != want).then(|| format!("strict {strict}:\n{text}\n ours {got:?}\n opa  {want:?}"))
}

#[test]
fn the_same_modules_are_refused_with_the_same_words() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let cases = MODULES.iter().map(|text| (*text, false));
    let cases: Vec<_> = cases.chain(OLD.iter().map(|text| (*text, true))).collect();
    let half = cases.len().div_ceil(2);
    let check = |cases: &[(&str, bool)]| {
        let both = cases
            .iter()
            .flat_map(|(text, old)| [(*text, *old, false), (*text, *old, true)]);
        both.filter_map(|(text, old, strict)| compare(&opa, text, (old, strict)))
            .collect::<Vec<_>>()
    };
    let different: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = cases
            .chunks(half)
            .map(|part| scope.spawn(|| check(part)))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    println!("{} modules, each strict and not", cases.len());
    assert!(
        different.is_empty(),
        "{} are checked differently:\n{}",
        different.len(),
        different.join("\n\n")
    );
}
