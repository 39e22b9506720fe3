//! `every` after the variables that its body needs, wherever they get their values: the same rules are answered by us
//! and by the real OPA.

use std::{fs, process::Command, sync::Arc};

use fedgate::rego::{How, Module, Options, Snapshot, Value, Version};
use serde_json::{Value as Json, json};

/// A rule's head and value, and its body.
const RULES: [(&str, &str); 12] = [
    (
        "HEAD contains 1",
        "x := input.list[0]\n\tevery e in input.list { e >= x }",
    ),
    (
        "HEAD contains x",
        "some y in input.o\n\tx := y\n\tevery e in input.list { e >= x }",
    ),
    (
        "HEAD",
        "x = y\n\tevery e in input.list { e >= x }\n\ty = input.o.k",
    ),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tevery i, e in input.list { e + i >= x; e + i > i }",
    ),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tevery e in input.list { every f in input.list { f + e > x } }",
    ),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tcount([1 | every e in input.list { e >= x }]) == 1",
    ),
    (
        "HEAD := [1 | every e in input.list { e >= x }]",
        "some y in input.o\n\tx := y",
    ),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tevery e in input.missing { e >= x }",
    ),
    ("HEAD", "y := input.o.k\n\tx := y\n\tevery e in [] { e == x }"),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tevery k, v in input.o { k == \"k\"; v == x }",
    ),
    (
        "HEAD",
        "y := input.o.k\n\tx := y\n\tnot [1 | every e in input.list { e > x }] == []",
    ),
    (
        "HEAD",
        "input.missing\n} else := x if {\n\tx := y\n\tevery e in input.list { e >= x }\n\ty = input.o.k",
    ),
];

#[test]
fn every_waits_for_what_its_body_needs() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let mut text = "package t\n\nimport rego.v1\n".to_owned();
    for (at, (head, body)) in RULES.iter().enumerate() {
        let head = head.replace("HEAD", &format!("r{at}"));
        text.push_str(&format!("\n{head} if {{\n\t{body}\n}}\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    let (module, asked) = (folder.path().join("t.rego"), folder.path().join("input.json"));
    fs::write(&module, &text).unwrap();
    let snapshot = Snapshot::build(
        vec![Arc::new(Module {
            id: "t.rego".into(),
            text: text.clone(),
            version: Version::V1,
        })],
        Value::new_object(),
        &Options::default(),
    );
    let snapshot = snapshot.unwrap();
    for list in [json!([1, 2]), json!([0, 1]), json!([])] {
        let input = json!({"list": list, "o": {"k": 1}});
        fs::write(&asked, input.to_string()).unwrap();
        let mut command = Command::new(&opa);
        command
            .args(["eval", "--format", "raw", "data.t", "--data"])
            .arg(&module);
        let output = command.arg("--input").arg(&asked).output().unwrap();
        let theirs: Json = serde_json::from_slice(&output.stdout).unwrap();
        let value = Value::from_json_str(&input.to_string()).unwrap();
        let ours = snapshot.evaluate(&["t"], Some(value), &How::default()).unwrap();
        let ours: Json = serde_json::from_str(&ours.value.unwrap().to_json_str().unwrap()).unwrap();
        assert_eq!(ours, theirs, "{input}\n{text}");
    }
}
