//! Packages that are asked as documents, in several files and with packages below: each rule in them has the value
//! that it has alone, and that the real OPA gives it.

use std::{fs, process::Command, sync::Arc};

use fedgate::rego::{How, Module, Options, Snapshot, Value, Version};
use serde_json::{Value as Json, json};

/// Sets of modules below `ID`. Names are such that rules need others of later files, earlier files and other packages.
const SETS: [&[&str]; 8] = [
    &[
        "package ID.app\n\nready := true",
        "package ID.app\n\nallow if not blocked[input.user]\n\nblocked contains \"mallory\"",
    ],
    &[
        "package ID.app\n\nallow if not blocked[input.user]",
        "package ID.app\n\nblocked contains \"mallory\"",
    ],
    &[
        "package ID",
        "package ID.app\n\nallow if not data.ID.lib.blocked[input.user]",
        "package ID.lib\n\nblocked contains \"mallory\"",
    ],
    &[
        "package ID\n\nready := true",
        "package ID.app\n\nimport data.ID.lib\n\nallow if {\n\tdata.ID.ready\n\tnot lib.is_blocked(input.user)\n}",
        "package ID.lib\n\nis_blocked(user) if blocked[user]\n\nblocked contains \"mallory\"",
        "package ID.lib\n\nblocked contains \"eve\"",
    ],
    &[
        "package ID.app\n\nallow if not all.blocked[input.user]\n\nall := data.ID.lib",
        "package ID.lib\n\nready := true",
        "package ID.lib\n\nblocked contains name if some name in names\n\nnames := [\"mallory\"]",
        "package ID.lib.deep\n\nx := data.ID.other.y",
        "package ID.other\n\ny := input.user",
    ],
    &[
        "package ID.app\n\nnames contains name if {\n\tsome name\n\tdata.ID.lib[name]\n}\n\nnone if not data.ID.lib[input.user]",
        "package ID.lib\n\nmallory if other\n\nother if input.user",
        "package ID.lib\n\neve if mallory",
    ],
    &[
        "package ID.app\n\nallow if {\n\tx := data.ID.lib with input.user as \"eve\"\n\tnot x.blocked\n}\n\nshown := x if x := data.ID.lib.blocked with input.user as \"mallory\"\n\ncount_of := count(data.ID.lib)",
        "package ID.lib\n\nready := data.ID.lib.deep.z",
        "package ID.lib\n\nblocked if bad[input.user]\n\nbad contains \"mallory\"",
        "package ID.lib.deep\n\nz := 1 if input.user == \"eve\"",
    ],
    &[
        "package ID.app\n\na.b := 1\n\na.c[x] := y if some x, y in data.ID.lib.object\n\ndefault d := 7\n\nd := data.ID.lib.a.b",
        "package ID.lib\n\nobject[key] := value if {\n\tsome key, value in base\n}\n\nbase := {\"k\": data.ID.app.a.b}",
        "package ID.lib\n\na.b := x if x := base[input.user]\n\ne := {x | some x in data.ID.app.a}",
    ],
];

const ASKED: [&[&str]; 6] = [
    &[],
    &["app"],
    &["lib"],
    &["app", "allow"],
    &["lib", "blocked"],
    &["lib", "deep"],
];

/// A busy machine is no different answer.
fn patient() -> How {
    How {
        limit: std::time::Duration::from_secs(20),
        ..How::default()
    }
}

fn json_of(value: Option<&Value>) -> Json {
    value.map_or(Json::Null, |value| {
        serde_json::from_str(&value.to_string()).unwrap()
    })
}

fn modules(at: usize) -> Vec<String> {
    SETS[at]
        .iter()
        .map(|text| text.replace("ID", &format!("v{at}")))
        .collect()
}

#[test]
fn a_document_holds_what_its_rules_say() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for at in 0..SETS.len() {
        for (part, text) in modules(at).iter().enumerate() {
            fs::write(folder.path().join(format!("{at}-{part}.rego")), text).unwrap();
        }
    }
    for input in [json!({"user": "mallory"}), json!({"user": "eve"}), json!({})] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), input.to_string()).unwrap();
        let output = Command::new(&opa)
            .args(["eval", "--format", "json", "data", "--data"])
            .arg(folder.path())
            .arg("--input")
            .arg(file.path())
            .output()
            .unwrap();
        let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
        let theirs = &answer["result"][0]["expressions"][0]["value"];
        assert!(theirs.is_object(), "opa: {answer}");
        for at in 0..SETS.len() {
            let name = format!("v{at}");
            let forward = modules(at);
            let back: Vec<String> = forward.iter().rev().cloned().collect();
            for order in [forward, back] {
                let parts = order.iter().enumerate().map(|(part, text)| {
                    Arc::new(Module {
                        id: format!("{part}.rego"),
                        text: text.clone(),
                        version: Version::V1,
                    })
                });
                let snapshot =
                    Snapshot::build(parts.collect(), Value::new_object(), &Options::default()).unwrap();
                for path in ASKED {
                    let keys: Vec<&str> = std::iter::once(name.as_str())
                        .chain(path.iter().copied())
                        .collect();
                    let want = keys.iter().fold(theirs.clone(), |value, key| value[*key].clone());
                    let asked = Value::from_json_str(&input.to_string()).unwrap();
                    let got = snapshot.evaluate(&keys, Some(asked.clone()), &patient()).unwrap();
                    let text = order.join("\n---\n");
                    assert_eq!(
                        json_of(got.value.as_ref()),
                        want,
                        "{keys:?} with {input}:\n{text}"
                    );
                    let query = format!("x := data.{}", keys.join("."));
                    let rows = snapshot.query(&query, Some(asked), &patient()).unwrap();
                    let got = json_of(rows.first().and_then(|row| row.get("x")));
                    assert_eq!(got, want, "{query} with {input}:\n{text}");
                }
            }
        }
    }
}
