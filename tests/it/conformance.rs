//! OPA's own conformance cases on our engine, in this process. `tests/parts/opa.sh` fetches them.
//!
//! A case may pass, or fail with an error; it must never get a *different answer*: another result, or a result
//! where OPA has an error. Cases that fail with an error stand with their reason in
//! `tests/fixtures/rego-conformance.yaml`, so that a new one shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::catch_unwind,
    path::Path,
    sync::Arc,
    time::Duration,
};

use fedgate::rego::{EvalFault, How, Module, Options, Snapshot, Value, Version};
use serde_json::Value as Json;

/// Left out of the engine on purpose; their cases count apart.
const APART: [&str; 2] = ["graphql", "providers-aws"];

/// Least passes outside of those, by version: a floor to raise.
const FLOOR: [(&str, usize); 2] = [("v0", 1_778), ("v1", 2_093)];

struct Case {
    category: String,
    note: String,
    json: Json,
    version: Version,
}

enum Outcome {
    Passed,
    /// An error where OPA has a result, or another error.
    Errs(String),
    /// Another result, a result where OPA has an error, or a panic.
    Different(String),
}

fn read(folder: &Path, version: &str, found: &mut Vec<Case>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, version, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let file: Json =
            serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for json in file["cases"].as_array().into_iter().flatten() {
            found.push(Case {
                category: folder.file_name().unwrap().to_string_lossy().into_owned(),
                note: json["note"].as_str().unwrap().to_owned(),
                json: json.clone(),
                version: if version == "v0" { Version::V0 } else { Version::V1 },
            });
        }
    }
}

/// As OPA's runner writes results: sets as sorted arrays, keys as texts.
fn plain(value: &Value, sorted: bool) -> Value {
    match value {
        Value::Set(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| plain(item, false)).collect();
            items.sort();
            items.into()
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| plain(item, false)).collect();
            if sorted {
                items.sort();
            }
            items.into()
        }
        Value::Object(object) => {
            let pairs = object.iter().map(|(key, value)| {
                let key = match key {
                    Value::String(_) => key.clone(),
                    key => Value::from(plain(key, false).to_string()),
                };
                (key, plain(value, false))
            });
            Value::from(pairs.collect::<BTreeMap<_, _>>())
        }
        other => other.clone(),
    }
}

/// Some cases look at certificates that are valid today.
fn now() -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    i64::try_from(now.as_nanos()).unwrap()
}

fn value(json: &Json) -> Value {
    Value::from_json_str(&json.to_string()).unwrap()
}

fn run(case: &Case) -> Outcome {
    let json = &case.json;
    let modules = json["modules"].as_array().into_iter().flatten().enumerate();
    let modules: Vec<_> = modules
        .map(|(at, text)| {
            Arc::new(Module {
                id: format!("test-{at}.rego"),
                text: text.as_str().unwrap().to_owned(),
                version: case.version,
            })
        })
        .collect();
    let data = json.get("data").filter(|data| !data.is_null());
    let data = data.map_or_else(Value::new_object, value);
    let how = How {
        limit: Duration::from_secs(5),
        strict_builtin_errors: json["strict_error"] == true,
        now_ns: Some(now()),
        ..How::default()
    };
    let built = catch_unwind(|| Snapshot::build(modules, data, &Options::default()));
    let snapshot = match built {
        Ok(Ok(snapshot)) => snapshot,
        Ok(Err(refused)) => return Outcome::Errs(refused.to_string()),
        Err(_) => return Outcome::Different("a panic at load".into()),
    };
    let input = match json["input_term"].as_str() {
        Some(term) => match snapshot.query(&format!("x := {term}"), None, &how) {
            Ok(rows) => rows.into_iter().next().map(|mut row| row.remove("x").unwrap()),
            Err(fault) => return Outcome::Errs(format!("input_term: {fault}")),
        },
        None => json.get("input").map(value),
    };
    let got = snapshot.query(json["query"].as_str().unwrap(), input, &how);
    judge(json, got)
}

fn judge(json: &Json, got: Result<Vec<BTreeMap<String, Value>>, EvalFault>) -> Outcome {
    let code = json["want_error_code"].as_str().unwrap_or_default();
    let wants_error = !code.is_empty() || json["want_error"].is_string();
    let rows = match got {
        Err(EvalFault::Panicked) => return Outcome::Different("a panic".into()),
        // The code is the contract; the words are the engine's own.
        Err(fault) if wants_error && fault.to_string().contains(code) => return Outcome::Passed,
        Err(fault) => return Outcome::Errs(fault.to_string()),
        Ok(rows) => rows,
    };
    let sorted = json["sort_bindings"] == true;
    let rows: BTreeSet<Value> = rows
        .into_iter()
        .map(|row| {
            let row = row
                .iter()
                .map(|(name, bound)| (Value::from(name.as_str()), plain(bound, sorted)));
            Value::from(row.collect::<BTreeMap<_, _>>())
        })
        .collect();
    if wants_error {
        return Outcome::Different(format!("a result instead of {code}: {rows:?}"));
    }
    let want: BTreeSet<Value> = json["want_result"]
        .as_array()
        .into_iter()
        .flatten()
        .map(value)
        .collect();
    if rows == want {
        return Outcome::Passed;
    }
    let show = |rows: &BTreeSet<Value>| rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Outcome::Different(format!("wanted {}, got {}", show(&want), show(&rows)))
}

/// Every case, by as many threads as there are cores. Some cases nest deep.
fn outcomes(cases: &Arc<Vec<Case>>) -> Vec<(usize, Outcome)> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let work: Vec<_> = (0..threads)
        .map(|first| {
            let cases = Arc::clone(cases);
            let each = move || {
                let own = (first..cases.len()).step_by(threads);
                own.map(|at| (at, run(&cases[at]))).collect::<Vec<_>>()
            };
            std::thread::Builder::new()
                .stack_size(32 << 20)
                .spawn(each)
                .unwrap()
        })
        .collect();
    work.into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect()
}

fn check(version: &str) {
    let Some(folder) = crate::parts::opa::cases() else {
        return;
    };
    let known: BTreeMap<String, BTreeMap<String, String>> = {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rego-conformance.yaml");
        serde_norway::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let mut cases = Vec::new();
    read(&folder.join(version), version, &mut cases);
    let cases = Arc::new(cases);
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let (mut different, mut unknown, mut passed) = (Vec::new(), Vec::new(), 0);
    let mut errs = BTreeSet::new();
    for (at, outcome) in outcomes(&cases) {
        let case = &cases[at];
        let apart = APART.contains(&case.category.as_str());
        let count = counts.entry(&case.category).or_default();
        match outcome {
            Outcome::Passed => {
                count[0] += 1;
                passed += usize::from(!apart);
            }
            Outcome::Errs(text) => {
                count[1] += 1;
                errs.insert(&case.note);
                if !apart && !known[version].contains_key(&case.note) {
                    unknown.push(format!("{}: {text}", case.note));
                }
            }
            Outcome::Different(text) => {
                count[2] += 1;
                different.push(format!("{}: {text}", case.note));
            }
        }
    }
    for (category, [passed, errs, different]) in &counts {
        println!("{version} {category}: {passed} passed, {errs} with an error, {different} different");
    }
    let all = cases
        .iter()
        .filter(|case| !APART.contains(&case.category.as_str()))
        .count();
    println!(
        "{version}: {passed} of {all} passed outside graphql and providers.aws, {} different answers",
        different.len()
    );
    for note in known[version].keys().filter(|note| !errs.contains(note)) {
        println!(
            "{version}: '{note}' has no error any more and can leave tests/fixtures/rego-conformance.yaml"
        );
    }
    assert!(
        different.is_empty(),
        "different answers:\n{}",
        different.join("\n")
    );
    assert!(unknown.is_empty(), "new errors:\n{}", unknown.join("\n"));
    let floor = FLOOR.iter().find(|(name, _)| *name == version).unwrap().1;
    assert!(
        passed >= floor,
        "{version}: {passed} passed, the floor is {floor}"
    );
}

#[test]
fn version_1_has_no_different_answer() {
    check("v1");
}

#[test]
fn version_0_has_no_different_answer() {
    check("v0");
}

/// There are two readers of Rego: one for what is decided, one for what is formatted.
#[test]
fn the_formatter_reads_what_the_engine_reads() {
    let Some(folder) = crate::parts::opa::cases() else {
        return;
    };
    let (mut count, mut different) = (0, Vec::new());
    for version in ["v0", "v1"] {
        let mut cases = Vec::new();
        read(&folder.join(version), version, &mut cases);
        for case in &cases {
            for text in case.json["modules"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
            {
                // Logical operators are read and not formatted; a number may be too large to decide with.
                if text.contains("future.keywords") || case.note == "strings/sprintf: float too big" {
                    continue;
                }
                let module = Module {
                    id: "m.rego".to_owned(),
                    text: text.to_owned(),
                    version: case.version,
                };
                let built = Snapshot::build(vec![Arc::new(module)], Value::new_object(), &Options::default());
                let refused = built
                    .is_err_and(|refused| refused.0.iter().any(|issue| issue.code == "rego_parse_error"));
                let formatted = fedgate::rego::format::source("m.rego", text, case.version);
                let unread = formatted
                    .as_ref()
                    .is_err_and(|issue| issue.code == "rego_parse_error");
                count += 1;
                if refused != unread {
                    let why = formatted.err().map(|issue| issue.to_string());
                    different.push(format!(
                        "{}: engine refuses {refused}, formatter {why:?}",
                        case.note
                    ));
                }
            }
        }
    }
    different.sort();
    different.dedup();
    println!(
        "{count} modules, {} are read by one reader alone",
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
}
