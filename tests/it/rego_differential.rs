//! Generated policies and inputs, answered by us and by the real OPA: no answer may differ.
//!
//! One `opa eval` per input for all policies at once. The seed is fixed, so that a difference can be run again;
//! `FEDGATE_SEED` takes another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use fedgate::rego::{How, Module, Options, Snapshot, Value, Version};
use serde_json::{Value as Json, json};

const POLICIES: usize = 1_200;

/// A small generator of numbers; the same seed gives the same policies everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    /// A term that may have no value.
    fn value(&mut self, locals: &[String], depth: usize) -> String {
        let sides = if depth == 0 { 4 } else { 9 };
        match self.roll(sides) {
            0 => self
                .pick(&[
                    "1", "2", "0", "\"a\"", "\"b\"", "true", "false", "null", "[]", "{}", "set()",
                ])
                .to_owned(),
            1 => self
                .pick(&[
                    "input.n",
                    "input.s",
                    "input.list",
                    "input.o",
                    "input.o.k",
                    "input.flag",
                    "input",
                ])
                .to_owned(),
            2 => self
                .pick(&[
                    "input.missing",
                    "input.o.missing",
                    "input.n.x",
                    "data.d.missing",
                    "input.list[7]",
                ])
                .to_owned(),
            3 if !locals.is_empty() => locals[self.roll(locals.len())].clone(),
            3 | 4 => self
                .pick(&[
                    "data.d.list",
                    "data.d.obj[input.s]",
                    "data.d.obj.a.n",
                    "data.d.obj[input.missing]",
                ])
                .to_owned(),
            5 => format!(
                "{}({})",
                self.pick(&[
                    "count",
                    "lower",
                    "sum",
                    "max",
                    "is_string",
                    "to_number",
                    "sort",
                    "helper"
                ]),
                self.value(locals, depth - 1)
            ),
            6 => format!(
                "({} {} {})",
                self.value(locals, depth - 1),
                self.pick(&["+", "-", "*", "/", "%", "|", "&"]),
                self.value(locals, depth - 1)
            ),
            7 => format!(
                "[{}, {}]",
                self.value(locals, depth - 1),
                self.value(locals, depth - 1)
            ),
            _ => format!(
                "[y | some y in {}; {}]",
                self.pick(&["input.list", "data.d.list", "input.missing"]),
                self.condition(&[locals, &["y".to_owned()]].concat(), depth - 1)
            ),
        }
    }

    fn condition(&mut self, locals: &[String], depth: usize) -> String {
        match self.roll(6) {
            0 | 1 => format!(
                "{} {} {}",
                self.value(locals, depth),
                self.pick(&["==", "!=", "<", "<=", ">", ">="]),
                self.value(locals, depth)
            ),
            2 => format!(
                "{} in {}",
                self.value(locals, depth),
                self.pick(&[
                    "input.list",
                    "data.d.list",
                    "input.o",
                    "input.missing",
                    "{1, \"a\"}"
                ])
            ),
            3 => format!(
                "{}({}, \"a\")",
                self.pick(&["startswith", "contains", "endswith"]),
                self.value(locals, depth)
            ),
            4 => format!("helper({})", self.value(locals, depth)),
            _ => self.value(locals, depth),
        }
    }

    fn body(&mut self) -> String {
        let (mut locals, mut lines) = (Vec::new(), Vec::new());
        for at in 0..=self.roll(3) {
            match self.roll(7) {
                0 => {
                    lines.push(format!("x{at} := {}", self.value(&locals, 2)));
                    locals.push(format!("x{at}"));
                }
                1 => {
                    lines.push(format!(
                        "some x{at} in {}; x{at} == x{at}",
                        self.pick(&["input.list", "data.d.list", "input.o", "input.missing"])
                    ));
                    locals.push(format!("x{at}"));
                }
                2 => {
                    // OPA takes a body of `not true` alone for an empty one.
                    let condition = self.condition(&locals, 2);
                    lines.push(format!("not {}", condition.replace("true", "false")));
                }
                3 => lines.push(format!(
                    "every e in {} {{ e == e; {} }}",
                    self.pick(&["input.list", "data.d.list"]),
                    self.condition(&[locals.clone(), vec!["e".into()]].concat(), 1)
                )),
                4 => {
                    lines.push(format!(
                        "x{at} = {}[_]",
                        self.pick(&["input.list", "data.d.obj", "input.missing"])
                    ));
                    locals.push(format!("x{at}"));
                }
                _ => lines.push(self.condition(&locals, 2)),
            }
        }
        lines.join("\n\t")
    }

    fn policy(&mut self, number: usize) -> String {
        let mut text = format!("package t.p{number}\n\nhelper(x) if x == \"a\"\n\nhelper(x) if x > 1\n\n");
        for rule in 0..4 {
            let written = match self.roll(6) {
                0 => format!("r{rule} if {{\n\t{}\n}}", self.body()),
                1 => format!(
                    "default r{rule} := \"none\"\n\nr{rule} := \"first\" if {{\n\t{}\n}} else := \"second\" if {{\n\t{}\n}}",
                    self.body(),
                    self.body()
                ),
                2 => format!(
                    "r{rule} contains {} if {{\n\t{}\n}}",
                    self.value(&[], 2),
                    self.body()
                ),
                3 => format!(
                    "r{rule} contains v if {{\n\tsome v in input.list\n\t{}\n}}",
                    self.body()
                ),
                4 => format!(
                    "r{rule}[k] := {} if {{\n\tsome k, v in input.o\n\tv == v\n\t{}\n}}",
                    self.value(&["k".into()], 1),
                    self.body()
                ),
                _ => format!(
                    "r{rule} := [{} | some x in input.list; {}]",
                    self.value(&["x".into()], 1),
                    self.condition(&["x".into()], 1)
                ),
            };
            let _ = writeln!(text, "{written}\n");
        }
        text
    }
}

fn inputs() -> [Json; 5] {
    [
        json!({"n": 1, "s": "a", "list": [1, 2, "a"], "o": {"k": 2, "j": "b"}, "flag": true}),
        json!({"n": 3, "s": "b", "list": [], "o": {}, "flag": false}),
        json!({"s": "nobody", "list": ["a", "ab", null, [1]], "o": {"k": [1, 2]}}),
        json!({}),
        json!({"n": "1", "s": 7, "list": {"z": 2}, "o": {"k": {"k": 1}}, "flag": null}),
    ]
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Set(items) => {
            let mut items: Vec<&Value> = items.iter().collect();
            items.sort();
            items.into_iter().map(plain).collect()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let key = key
                    .as_string()
                    .map_or_else(|_| plain(key).to_string(), |text| text.to_string());
                (key, plain(value))
            })
            .collect(),
        // Numbers compare by value, not by how they are written.
        other => match serde_json::from_str::<Json>(&other.to_string()).unwrap() {
            Json::Number(number) => json!(number.as_f64()),
            json => json,
        },
    }
}

fn numbers(json: Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.into_iter().map(numbers).collect(),
        Json::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, numbers(value)))
            .collect(),
        other => other,
    }
}

#[test]
fn no_generated_policy_is_answered_differently() {
    let Some(opa) = crate::parts::opa::binary() else {
        return;
    };
    let seed = std::env::var("FEDGATE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_125);
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = json!({"d": {"list": [1, "a", 3], "obj": {"a": {"n": 1}, "b": {"n": "x"}}}});
    fs::write(folder.path().join("data.json"), data.to_string()).unwrap();
    let data = Value::from_json_str(&data.to_string()).unwrap();
    let (mut ours, mut ours_alone) = (BTreeMap::new(), 0);
    for number in 0..POLICIES {
        let text = dice.policy(number);
        let id = format!("p{number}.rego");
        let path = folder.path().join(&id);
        let module = Module {
            id,
            text: text.clone(),
            version: Version::V1,
        };
        let built = Snapshot::build(vec![Arc::new(module)], data.clone(), &Options::default());
        match built {
            Ok(snapshot) => {
                ours.insert(format!("p{number}"), (text.clone(), snapshot));
                fs::write(path, text).unwrap();
            }
            // An error is no different answer; but OPA must know most of what is refused here.
            Err(refused) => {
                fs::write(&path, &text).unwrap();
                let check = Command::new(&opa).arg("check").arg(&path).output().unwrap();
                if check.status.success() {
                    println!("only we refuse: {refused}\n{text}");
                    ours_alone += 1;
                }
                fs::remove_file(path).unwrap();
            }
        }
    }
    let refused = refused_by_opa(&opa, folder.path());
    ours.retain(|name, _| !refused.contains(name));
    compare(&opa, folder.path(), &ours, seed);
    assert!(
        ours_alone * 50 < POLICIES,
        "{ours_alone} policies that OPA takes are refused"
    );
    assert!(ours.len() >= 200, "only {} policies are left", ours.len());
}

/// OPA's type checker refuses what could never hold; those policies are taken out of the folder.
fn refused_by_opa(opa: &Path, folder: &Path) -> BTreeSet<String> {
    let check = Command::new(opa)
        .args(["check", "--max-errors", "0", "--format", "json"])
        .arg(folder)
        .output()
        .unwrap();
    let text = [check.stdout, check.stderr].concat();
    let answer: Json = serde_json::from_slice(&text).unwrap_or_default();
    let mut names = BTreeSet::new();
    for error in answer["errors"].as_array().into_iter().flatten() {
        let path = PathBuf::from(error["location"]["file"].as_str().unwrap());
        names.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
        // A file may have several errors.
        let _ = fs::remove_file(path);
    }
    names
}

fn compare(opa: &Path, folder: &Path, ours: &BTreeMap<String, (String, Snapshot)>, seed: u64) {
    let (mut different, mut compared): (Vec<String>, usize) = (Vec::new(), 0);
    for (at, input) in inputs().iter().enumerate() {
        let file = folder.join("input.in");
        fs::write(&file, input.to_string()).unwrap();
        let answer = Command::new(opa)
            .args(["eval", "--format", "json", "--input"])
            .arg(&file)
            .arg("--data")
            .arg(folder)
            .arg("data.t")
            .output()
            .unwrap();
        let answer: Json = serde_json::from_slice(&answer.stdout).unwrap();
        let theirs = &answer["result"][0]["expressions"][0]["value"];
        assert!(theirs.is_object(), "opa: {answer}");
        let input = Value::from_json_str(&input.to_string()).unwrap();
        for (name, (text, snapshot)) in ours {
            let want = numbers(theirs[name].clone());
            let got = snapshot.evaluate(&["t", name], Some(input.clone()), &How::default());
            let got = got.map(|got| got.value.map_or(json!({}), |value| plain(&value)));
            compared += 1;
            match got {
                Ok(got) if got == want => {}
                Ok(got) => {
                    let keys = want
                        .as_object()
                        .into_iter()
                        .chain(got.as_object())
                        .flat_map(|of| of.keys());
                    let rules: BTreeSet<_> = keys.filter(|key| got[*key] != want[*key]).collect();
                    different.push(format!(
                        "input {at}, {name}, {rules:?}:\n ours {got}\n opa  {want}\n{text}"
                    ));
                }
                Err(fault) => different.push(format!("input {at}, {name}: {fault}\n{text}")),
            }
        }
    }
    println!(
        "{compared} answers of {} policies compared with OPA (seed {seed})",
        ours.len()
    );
    let first = different.iter().take(6).cloned().collect::<Vec<_>>().join("\n");
    assert!(
        different.is_empty(),
        "{} different answers, seed {seed}:\n{first}",
        different.len()
    );
}
