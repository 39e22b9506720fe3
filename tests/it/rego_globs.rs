//! Generated patterns and texts for `glob.match`, answered by us and by the real OPA: no answer may differ.
//!
//! Beyond ASCII OPA's library cuts letters in two, and some patterns end OPA itself: the seed is one where none does.

use std::{fs, process::Command};

use fedgate::rego::{How, Module, Options, Snapshot, Value, Version};
use serde_json::{Value as Json, json};

use crate::rego_differential::Dice;

const PATTERNS: usize = 1_500;
const TEXTS: usize = 8;
const LETTERS: [&str; 8] = ["a", "b", ".", ":", "/", "-", "é", "日"];
const PARTS: [&str; 12] = [
    "*", "*", "**", "?", "?", "[ab]", "[!ab]", "[a-c]", "[!a-c]", "\\*", "[é日]", "[à-ü]",
];
const DELIMITERS: [&str; 7] = [
    "null",
    "[]",
    r#"["."]"#,
    r#"["/"]"#,
    r#"[":"]"#,
    r#"[".", "/"]"#,
    r#"[".", ":"]"#,
];
const POLICY: &str = "package globs\n\nimport rego.v1\n\n\
    answers := [answer | some case in data.cases; answer := glob.match(case.pattern, case.delimiters, case.text)]\n";

/// Patterns and texts as the dice fall.
struct Cases(Dice);

impl Cases {
    fn letters(&mut self, most: usize) -> String {
        (0..self.0.roll(most + 1))
            .map(|_| LETTERS[self.0.roll(LETTERS.len())])
            .collect()
    }

    fn part(&mut self) -> String {
        match self.0.roll(10) {
            0..4 => LETTERS[self.0.roll(LETTERS.len())].to_owned(),
            4..9 => PARTS[self.0.roll(PARTS.len())].to_owned(),
            _ => format!(
                "{{{},{}{}}}",
                self.letters(2),
                self.letters(1),
                ["", "*", "?"][self.0.roll(3)]
            ),
        }
    }

    fn all(&mut self) -> Vec<Json> {
        (0..PATTERNS)
            .flat_map(|_| {
                let pattern: String = (0..=self.0.roll(6)).map(|_| self.part()).collect();
                let delimiters: Json =
                    serde_json::from_str(DELIMITERS[self.0.roll(DELIMITERS.len())]).unwrap();
                let case = |text| json!({ "pattern": pattern, "delimiters": delimiters, "text": text });
                (0..TEXTS).map(|_| case(self.letters(6))).collect::<Vec<_>>()
            })
            .collect()
    }
}

#[test]
fn no_pattern_is_answered_differently() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let seed = std::env::var("FEDGATE_SEED").map_or(7, |seed| seed.parse().unwrap());
    let data = json!({ "cases": Cases(Dice(seed)).all() });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("globs.rego"), POLICY).unwrap();
    fs::write(folder.path().join("data.json"), data.to_string()).unwrap();
    let asked = Command::new(opa)
        .args(["eval", "--format", "raw", "--data"])
        .arg(folder.path())
        .arg("data.globs.answers")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&asked.stderr);
    let theirs: Json =
        serde_json::from_slice(&asked.stdout).unwrap_or_else(|_| panic!("opa, seed {seed}: {said}"));
    let module = Module {
        id: "globs.rego".into(),
        text: POLICY.into(),
        version: Version::V1,
    };
    let document = Value::from_json_str(&data.to_string()).unwrap();
    let snapshot = Snapshot::build(vec![module.into()], document, &Options::default()).unwrap();
    let ours = snapshot
        .evaluate(&["globs", "answers"], None, &How::default())
        .unwrap();
    let ours: Json = serde_json::from_str(&ours.value.unwrap().to_json_str().unwrap()).unwrap();
    let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
    assert_eq!(
        (ours.len(), theirs.len()),
        (PATTERNS * TEXTS, PATTERNS * TEXTS),
        "seed {seed}"
    );
    let yes = theirs.iter().filter(|answer| **answer == json!(true)).count();
    assert!(yes > 500, "only {yes} patterns match anything");
    for ((case, our), their) in data["cases"].as_array().unwrap().iter().zip(ours).zip(theirs) {
        assert_eq!(our, their, "{case}");
    }
}
