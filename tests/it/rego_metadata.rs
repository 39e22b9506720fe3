//! `rego.metadata.chain()` and `rego.metadata.rule()` say of a rule what the real OPA says.

use std::{fs, path::Path, process::Command, sync::Arc};

use fedgate::rego::{How, Module, Options, Snapshot, Version};
use serde_json::{Value, json};

const FILES: [(&str, &str); 4] = [
    (
        "root.rego",
        r#"# METADATA
# scope: subpackages
# title: everything below
# organizations:
# - cloud one
# - 2
package t
"#,
    ),
    (
        "a.rego",
        r#"# METADATA
# scope: subpackages
# title: below a
# METADATA
# description: |
#   the package
#   in two lines
# related_resources:
# - https://example.org/a?b=c
# - ref: https://example.org/b
#   description: more
# authors:
# - Anna Alt <anna@example.org>
# - name: Bert
# - email: c@example.org
package t.a

import data.t.b

# METADATA
# scope: document
# custom:
#   level: 3
#   nested: {x: [1, true, null, "y"], z: 1.5}
# labels:
#   team: blue

# METADATA
# title: the first
# schemas:
# - input.x: schema.x
# - data.y: {type: object}
p := rego.metadata.chain() if input.first

# METADATA
# title: the second
p := x if {
	not input.first
	x := rego.metadata.chain()
} else := rego.metadata.chain() if false

# a comment between

none := rego.metadata.rule()

# METADATA
# title: of both bodies
branch := 1 if {
	false
} else := [rego.metadata.rule(), rego.metadata.chain()]

# METADATA
# title: twice
# METADATA
# description: and again
twice := [rego.metadata.chain(), rego.metadata.rule()]

# METADATA
# entrypoint: true
entry := rego.metadata.chain()

# METADATA
# title: a function
f(x) := rego.metadata.rule().title if x > 1

f(x) := rego.metadata.rule() if x <= 1

calls := [f(2), f(1), b.name]

# METADATA
# title: a set
s contains m.title if some m in [rego.metadata.rule()]

s contains title if title := [m.annotations.title | some m in rego.metadata.chain(); m.annotations.title][_]

# METADATA
# title: below a key
q.r.k := rego.metadata.chain()

quiet if rego.metadata.rule(x)

output := x if {
	input.first
	rego.metadata.rule(x)
}

either := 1 if {
	false
} else := rego.metadata.rule()
"#,
    ),
    (
        "b.rego",
        r#"package t.a

more := rego.metadata.chain()
"#,
    ),
    (
        "c.rego",
        r#"package t.b

# METADATA
# title: of b
name := [link.annotations.title | some link in rego.metadata.chain()]
"#,
    ),
];

fn theirs(opa: &Path, files: &[(&str, &str)], input: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), input.to_string()).unwrap();
    let output = Command::new(opa)
        .args(["eval", "--format", "json", "--input"])
        .arg(file.path())
        .arg("--data")
        .arg(folder.path())
        .arg("data.t")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn modules(files: &[(&str, &str)]) -> Vec<Arc<Module>> {
    let module = |(id, text): &(&str, &str)| {
        Arc::new(Module {
            id: (*id).to_owned(),
            text: (*text).to_owned(),
            version: Version::V1,
        })
    };
    files.iter().map(module).collect()
}

#[test]
fn annotations_are_what_opa_says() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let none = || fedgate::rego::Value::new_object();
    let snapshot = Snapshot::build(modules(&FILES), none(), &Options::default()).unwrap();
    for input in [json!({"first": true}), json!({"first": false}), json!({})] {
        let want = theirs(&opa, &FILES, &input);
        let want = &want["result"][0]["expressions"][0]["value"];
        assert!(want.is_object(), "{want}");
        let asked = fedgate::rego::Value::from_json_str(&input.to_string()).unwrap();
        let got = snapshot.evaluate(&["t"], Some(asked), &How::default()).unwrap();
        let got: Value = serde_json::from_str(&got.value.unwrap().to_string()).unwrap();
        for (name, want) in want["a"].as_object().unwrap() {
            assert_eq!(&got["a"][name], want, "{name} with {input}");
        }
        assert_eq!(&got, want, "{input}");
    }
}

#[test]
fn annotations_that_opa_refuses_are_refused_with_their_line() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    for block in [
        "# title: [",
        "# scope: everywhere",
        "# scope: package",
        "# entrypoint: true\n# scope: rule",
        "# authors:\n# - 7",
        "# related_resources:\n# - description: no ref",
        "# custom: text",
        "#",
    ] {
        let text = format!("package t\n\n# METADATA\n{block}\np := rego.metadata.rule()\n");
        let files = [("t.rego", text.as_str())];
        let answer = theirs(&opa, &files, &json!({}));
        let errors = answer["errors"].as_array();
        let row = errors
            .and_then(|errors| errors.first())
            .map(|error| error["location"]["row"].as_u64());
        assert!(row.is_some(), "{block}: {answer}");
        let refused = Snapshot::build(
            modules(&files),
            fedgate::rego::Value::new_object(),
            &Options::default(),
        );
        let refused = refused.err().unwrap_or_else(|| panic!("{block} is taken"));
        assert!(refused.0.iter().all(|issue| issue.place.is_some()), "{refused}");
    }
    // Where nobody asks, nobody reads.
    let files = [("t.rego", "package t\n\n# METADATA\n# title: [\np := 1\n")];
    assert!(
        Snapshot::build(
            modules(&files),
            fedgate::rego::Value::new_object(),
            &Options::default()
        )
        .is_ok()
    );
}
