//! `docs/rego-builtins.json` is true: it lists every function that the engine has, and every other one of OPA with the
//! reason why it is missing.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

fn listed() -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/rego-builtins.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_list_names_what_the_engine_has() {
    let functions: BTreeMap<String, u8> = serde_json::from_value(listed()["functions"].clone()).unwrap();
    let own = fedgate::rego::functions().into_iter();
    assert_eq!(
        functions,
        own.map(|(name, arity)| (name.to_owned(), arity)).collect(),
        "docs/rego-builtins.json is not what the engine has"
    );
}

#[test]
fn the_list_answers_for_every_function_of_opa() {
    let Ok(text) = fs::read_to_string(crate::parts::home().join("opa/cases/capabilities.json")) else {
        eprintln!("skipped: OPA's capabilities are not here; tests/parts/opa.sh brings them");
        return;
    };
    let capabilities: Value = serde_json::from_str(&text).unwrap();
    let list = listed();
    let language: Vec<&str> = list["language"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut missing = Vec::new();
    for builtin in capabilities["builtins"].as_array().unwrap() {
        let name = builtin["name"].as_str().unwrap();
        let arity = builtin["decl"]["args"].as_array().map_or(0, Vec::len);
        let same = list["functions"][name].as_u64() == Some(arity as u64);
        let told = list["unsupported"][name].is_string() || language.contains(&name);
        if !same && !told {
            missing.push(format!("{name}/{arity}"));
        }
    }
    assert!(
        missing.is_empty(),
        "docs/rego-builtins.json says nothing of {missing:?}"
    );
}
