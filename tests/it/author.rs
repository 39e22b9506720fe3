//! The policy author's commands, beside the real `opa` on the same files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bundles::opa;

/// Exit code, standard output and error.
type Done = (i32, String, String);

fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Done {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn ours(folder: &Path, arguments: &[&str]) -> Done {
    let all: Vec<&str> = std::iter::once("policy")
        .chain(arguments.iter().copied())
        .collect();
    run(Path::new(env!("CARGO_BIN_EXE_fedgate")), folder, &all)
}

const POLICY: &str = "package p

allow if {
	input.x == 1
	y := data.d.n
	y > 2
}

f(x) := 3 if x > 1

never if input.zz
";

const TESTS: &str = "package p_test

import data.p

test_ok if p.allow with input as {\"x\": 1} with data.d.n as 3

test_bad if {
	x := {\"a\": [1, p.f(2)]}
	x == {\"a\": [1, 4]}
}

todo_test_later if false

test_undefined if {
	not p.allow
	p.never with input.zz as false
}
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    opa::write(
        folder.path(),
        &[
            ("p.rego", POLICY),
            ("p_test.rego", TESTS),
            ("d/data.json", "{\"n\": 1}"),
        ],
    );
    folder
}

/// Results by name, without times and our own members.
fn outcomes(text: &str) -> Vec<Value> {
    let mut all: Vec<Value> = serde_json::from_str(text).unwrap();
    for each in &mut all {
        let members = each.as_object_mut().unwrap();
        members.retain(|name, _| name != "duration" && name != "failure");
    }
    all.sort_by_key(|each| each["name"].to_string());
    all
}

#[test]
fn tests_are_told_as_opa_tells_them() {
    let folder = folder();
    let at = folder.path();
    let mine = ours(at, &["test", ".", "--format", "json"]);
    assert_eq!(mine.0, 2, "{mine:?}");
    if let Some(opa) = crate::parts::opa::binary() {
        let theirs = run(&opa, at, &["test", ".", "--format", "json"]);
        assert_eq!(theirs.0, 2);
        assert_eq!(outcomes(&mine.1), outcomes(&theirs.1));
        for arguments in [
            vec!["test", ".", "--run", "test_ok"],
            vec!["test", ".", "--run", "later"],
            vec!["test", ".", "--run", "later", "-z"],
            vec!["test", "p.rego"],
            vec!["test", ".", "--run", "test_ok", "--threshold", "99"],
        ] {
            assert_eq!(
                ours(at, &arguments).0,
                run(&opa, at, &arguments).0,
                "{arguments:?}"
            );
        }
    }
    let (_, text, _) = ours(at, &["test", ".", "-v"]);
    for part in [
        "p_test.rego:5:\ndata.p_test.test_ok: PASS (",
        "data.p_test.todo_test_later: SKIPPED\n",
        "PASS: 1/4\nFAIL: 2/4\nSKIPPED: 1/4",
        // What was expected and what came, line by line.
        "p_test.rego:9:\n      x == {\"a\": [1, 4]}\n    - expected\n    + got\n",
        "-     4\n",
        "+     3\n",
        "p_test.rego:16:\n      p.never with input.zz as false\n    it is undefined",
    ] {
        assert!(text.contains(part), "{part}\n---\n{text}");
    }
}

#[test]
fn coverage_counts_lines_as_opa_does() {
    let folder = folder();
    let arguments = ["test", ".", "--coverage", "--run", "test_ok"];
    let (code, text, err) = ours(folder.path(), &arguments);
    assert_eq!(code, 0, "{err}");
    let mine: Value = serde_json::from_str(&text).unwrap();
    let rows = |report: &Value, part: &str| -> Vec<u64> {
        let spans = report["files"]["p.rego"][part].as_array().unwrap();
        let mut rows: Vec<u64> = spans
            .iter()
            .flat_map(|span| span["start"]["row"].as_u64().unwrap()..=span["end"]["row"].as_u64().unwrap())
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    };
    // The engine counts expressions; OPA heads as well.
    assert_eq!(rows(&mine, "covered"), [4, 5, 6]);
    assert_eq!(rows(&mine, "not_covered"), [9, 11]);
    if let Some(opa) = crate::parts::opa::binary() {
        let (_, text, _) = run(&opa, folder.path(), &arguments);
        let theirs: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(rows(&theirs, "covered"), [3, 4, 5, 6]);
        assert_eq!(rows(&mine, "not_covered"), rows(&theirs, "not_covered"));
    }
    let (_, text, _) = ours(folder.path(), &["test", ".", "--uncovered", "--run", "test_ok"]);
    assert!(
        text.contains(" % p.rego\n") && text.contains("\np.rego:9\np.rego:11\n"),
        "{text}"
    );
}

#[test]
fn a_mistake_is_shown_with_its_place_and_what_to_write_instead() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (text, place, instead) in [
        (
            "package bad\n\nallow if {\n\t1 > x\n}\n",
            "bad.rego:4:6: rego_unsafe_var_error",
            "\n\t\t1 > x\n\t\t    ^",
        ),
        ("package bad\n\nallow if {", "bad.rego:3:", "close each `{`"),
        ("package bad\n\nallow if nope(1)\n", "bad.rego:3:", "instead: "),
        (
            "package bad\n\nallow { true }\n",
            "bad.rego:3:",
            "write `if` before the braces",
        ),
    ] {
        fs::write(at.join("bad.rego"), text).unwrap();
        let (code, out, err) = ours(at, &["check", "bad.rego"]);
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        for part in [place, instead, "instead: "] {
            assert!(err.contains(part), "{part}: {err}");
        }
        if let Some(opa) = crate::parts::opa::binary() {
            assert_eq!(run(&opa, at, &["check", "bad.rego"]).0, 1, "{text}");
        }
        let (_, _, err) = ours(at, &["check", "--format", "json", "bad.rego"]);
        let errors: Value = serde_json::from_str(&err).unwrap();
        assert_eq!(
            errors["errors"][0]["location"]["file"],
            json!("bad.rego"),
            "{err}"
        );
    }
    fs::write(at.join("bad.rego"), POLICY).unwrap();
    assert_eq!(ours(at, &["check", "."]), (0, String::new(), String::new()));
}

#[test]
fn queries_are_answered_as_opa_answers_them() {
    let folder = folder();
    let at = folder.path();
    opa::write(at, &[("input.json", "{\"x\": 1}")]);
    let Some(opa) = crate::parts::opa::binary() else {
        let (code, out, _) = ours(at, &["eval", "1 + 2", "-f", "raw"]);
        assert_eq!((code, out.as_str()), (0, "3\n"));
        return;
    };
    for query in [
        "x := data.p.f(2); x > 1",
        "data.p",
        "data.nope",
        "data.p.f(2)",
        "1 > 2",
        "1 > 2; x := 3",
        "x := [1, {\"b\": {1, 2}}][_]; y := 2",
        "1 + 2; \"x\"",
        "some x in [1, 2, 3]; x > 1",
        "data.p.allow with data.d.n as 4",
    ] {
        for format in ["json", "values", "bindings", "pretty", "raw"] {
            let arguments = [
                "eval",
                "-d",
                "p.rego",
                "-d",
                "d",
                "-i",
                "input.json",
                "-f",
                format,
                query,
            ];
            let (mine, theirs) = (ours(at, &arguments), run(&opa, at, &arguments));
            assert_eq!(
                (mine.0, mine.1),
                (theirs.0, theirs.1),
                "{query} {format}: {}",
                mine.2
            );
        }
        for flag in ["--fail", "--fail-defined"] {
            let arguments = ["eval", "-d", "p.rego", flag, query];
            assert_eq!(
                ours(at, &arguments).0,
                run(&opa, at, &arguments).0,
                "{query} {flag}"
            );
        }
    }
    for query in ["x := 1 +", "nope(1)", "data.p.f(1, 2, 3)"] {
        let arguments = ["eval", "-d", "p.rego", query];
        assert_eq!(ours(at, &arguments).0, run(&opa, at, &arguments).0, "{query}");
    }
}

#[test]
fn a_bundle_of_opa_build_is_tested_and_asked() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let folder = folder();
    let at = folder.path();
    opa::run(&opa, at, &["build", "-b", ".", "-o", "b.tar.gz"]);
    let (code, out, err) = ours(at, &["eval", "-b", "b.tar.gz", "data.p.f(2)", "-f", "raw"]);
    assert_eq!((code, out.as_str()), (0, "3\n"), "{err}");
    assert_eq!(ours(at, &["test", "-b", "b.tar.gz", "-r", "test_ok"]).0, 0);
    assert_eq!(ours(at, &["check", "-b", "b.tar.gz"]).0, 0);
    let (code, out, err) = ours(at, &["bench", "-d", "p.rego", "data.p.f(2)", "--time-ms", "20"]);
    assert!(code == 0 && out.contains("│ ns/op"), "{out}{err}");
}

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

#[test]
fn our_policies_are_in_opas_style() {
    let (code, out, err) = ours(&policies(), &["fmt", "--check", "."]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    if let Some(opa) = crate::parts::opa::binary() {
        let (code, out, err) = run(&opa, &policies(), &["fmt", "--list", "--fail", "."]);
        assert_eq!((code, out.as_str()), (0, ""), "{err}");
    }
}

#[test]
fn what_is_formatted_is_formatted_as_opa_does_or_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = "package   a\nimport data.z\nimport data.b\n# about x\nx:=[1,\n2] # two\np contains  y if {  some y in {1,2,}\n y>1 }\nq if {\n not x[0]\n}else := 3 if { f({\"a\":1,\n\"b\" : 2}) }\nf(_)=1\n";
    fs::write(at.join("a.rego"), text).unwrap();
    fs::write(
        at.join("left.rego"),
        "package l\n\nimport future.keywords.and\n\nx if a and b\n",
    )
    .unwrap();
    let (code, out, _) = ours(at, &["fmt", "a.rego"]);
    assert_eq!(code, 0);
    if let Some(opa) = crate::parts::opa::binary() {
        assert_eq!(out, run(&opa, at, &["fmt", "a.rego"]).1);
    }
    let (code, out, err) = ours(at, &["fmt", "--check", "."]);
    assert_eq!((code, out.as_str()), (2, "./a.rego\n"), "{err}");
    assert!(
        err.contains("left.rego:3:") && err.contains("future.keywords.and"),
        "{err}"
    );
    assert_eq!(ours(at, &["fmt", "-w", "a.rego"]).0, 0);
    assert_eq!(
        ours(at, &["fmt", "--check", "a.rego"]),
        (0, String::new(), String::new())
    );
    let (code, out, _) = ours(at, &["check", "a.rego"]);
    assert_eq!((code, out.as_str()), (0, ""));
}

/// OPA's own test files of its formatter, where Go's module cache has them.
#[test]
fn opas_format_tests_agree_or_are_left_alone() {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let files = home.join("go/pkg/mod/github.com/open-policy-agent/opa@v1.20.2/v1/format/testfiles");
    for (version, least) in [("v1", 58), ("v0", 39)] {
        let Ok(entries) = fs::read_dir(files.join(version)) else {
            eprintln!("skipped: there is no {}", files.display());
            return;
        };
        let language = if version == "v1" {
            fedgate::rego::Version::V1
        } else {
            fedgate::rego::Version::V0
        };
        let (mut agree, mut left) = (0, 0);
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|extension| extension != "rego") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let mut wanted = path.clone().into_os_string();
            wanted.push(".formatted");
            let wanted = fs::read_to_string(wanted).ok();
            match fedgate::rego::format::source("x.rego", &text, language) {
                Ok(written) => {
                    assert_eq!(Some(written), wanted, "{}", path.display());
                    agree += 1;
                }
                Err(_) if wanted.is_none() => agree += 1,
                Err(_) => left += 1,
            }
        }
        println!("{version}: {agree} of OPA's format tests agree, {left} are left alone, none differs");
        assert!(agree >= least, "{version}: {agree}");
    }
}
