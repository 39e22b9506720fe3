//! The operator's own rules: what is masked (`data.system.log.mask`), what is left out (`data.system.log.drop`).
//!
//! They are asked of the policies in force, with the event as input. A rule that fails loses the event, as in
//! OPA: what should have been masked must not be written.

use serde_json::Value;

use crate::rego::{self, EvalFault, How};

/// One thing to mask.
#[derive(Debug, PartialEq)]
enum Rule {
    Remove(Vec<String>),
    Upsert(Vec<String>, Value),
}

/// Asks for a document. None is undefined.
pub(super) fn ask(
    snapshot: &rego::Snapshot,
    path: &str,
    event: &Value,
    how: &How,
) -> Result<Option<Value>, String> {
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let input = rego::Value::from_json_str(&event.to_string()).map_err(|error| error.to_string())?;
    let evaluated = snapshot
        .evaluate(&path, Some(input), how)
        .map_err(|fault: EvalFault| fault.to_string())?;
    evaluated
        .value
        .map(|value| serde_json::to_value(&value).map_err(|error| error.to_string()))
        .transpose()
}

/// Masks an event by the answer of the mask rule. A single rule that does not fit the event changes nothing.
pub(super) fn apply(event: &mut Value, answer: &Value) -> Result<(), String> {
    let rules = answer
        .as_array()
        .ok_or_else(|| format!("unexpected rule format {answer}"))?
        .iter()
        .map(rule)
        .collect::<Result<Vec<_>, _>>()?;
    for rule in rules {
        match rule {
            Rule::Remove(path) => {
                if remove(event, &path) {
                    note(event, "erased", &path);
                }
            }
            Rule::Upsert(path, value) => {
                if upsert(event, &path, value) {
                    note(event, "masked", &path);
                }
            }
        }
    }
    Ok(())
}

fn rule(value: &Value) -> Result<Rule, String> {
    match value {
        Value::String(path) => Ok(Rule::Remove(parts(path)?)),
        Value::Object(members) => {
            let path = members
                .get("path")
                .and_then(Value::as_str)
                .ok_or("invalid \"path\" value")?;
            let path = parts(path)?;
            match members.get("op").and_then(Value::as_str) {
                Some("remove") => Ok(Rule::Remove(path)),
                Some("upsert") => {
                    let value = members.get("value").cloned().unwrap_or(Value::Null);
                    Ok(Rule::Upsert(path, value))
                }
                Some(other) => Err(format!(
                    "mask op is not supported: {other}; write remove or upsert"
                )),
                None => Err("invalid \"op\" value".to_owned()),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(format!("invalid mask rule format encountered: {value}"))
        }
    }
}

fn parts(path: &str) -> Result<Vec<String>, String> {
    let rest = path.strip_prefix('/').ok_or("mask must be slash-prefixed")?;
    let parts: Vec<String> = rest.split('/').map(str::to_owned).collect();
    match parts.first().map(String::as_str) {
        Some("input" | "result" | "nd_builtin_cache") => Ok(parts),
        Some(other) => Err(format!(
            "mask prefix not allowed: {other}; begin with /input or /result"
        )),
        None => Err("mask must be non-empty".to_owned()),
    }
}

fn step<'a>(at: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match at {
        Value::Object(members) => members.get_mut(key),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn remove(event: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    match parents.iter().try_fold(event, |at, key| step(at, key)) {
        Some(Value::Object(members)) => members.remove(last).is_some(),
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => {
                items.remove(index);
                true
            }
            Ok(_) | Err(_) => false,
        },
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => false,
    }
}

fn upsert(event: &mut Value, path: &[String], value: Value) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let Some((root, below)) = parents.split_first() else {
        return event.as_object_mut().is_some_and(|event| {
            let there = event.contains_key(last);
            if there {
                event.insert(last.clone(), value);
            }
            there
        });
    };
    let Some(mut at) = step(event, root) else {
        return false;
    };
    for key in below {
        if let Value::Object(members) = at {
            at = members
                .entry(key.clone())
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
        } else {
            match step(at, key) {
                Some(next) => at = next,
                None => return false,
            }
        }
    }
    match at {
        Value::Object(members) => {
            members.insert(last.clone(), value);
            true
        }
        Value::Array(items) => match last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
            Some(place) => {
                *place = value;
                true
            }
            None => false,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn note(event: &mut Value, list: &str, path: &[String]) {
    let pointer = Value::from(format!("/{}", path.join("/")));
    if let Some(event) = event.as_object_mut()
        && let Some(list) = event
            .entry(list)
            .or_insert_with(|| Value::Array(Vec::new()))
            .as_array_mut()
        && !list.contains(&pointer)
    {
        list.push(pointer);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(mut event: Value, rules: Value) -> Value {
        apply(&mut event, &rules).unwrap();
        event
    }

    #[test]
    fn pointers_remove_and_objects_set() {
        let event = json!({"input": {"a": {"b": 1, "c": 2}, "l": [1, 2, 3]}, "result": {"x": 1}});
        let rules = json!([
            "/input/a/b",
            "/input/nope/b",
            "/input/l/1",
            {"op": "upsert", "path": "/input/new/deep", "value": "***"},
            {"op": "upsert", "path": "/result/x", "value": {"y": 2}},
            {"op": "remove", "path": "/input/l/9"},
        ]);
        assert_eq!(
            masked(event, rules),
            json!({
                "input": {"a": {"c": 2}, "l": [1, 3], "new": {"deep": "***"}},
                "result": {"x": {"y": 2}},
                "erased": ["/input/a/b", "/input/l/1"],
                "masked": ["/input/new/deep", "/result/x"],
            })
        );
        let whole = masked(
            json!({"input": {"a": 1}, "result": true}),
            json!(["/input", {"op": "upsert", "path": "/result", "value": 0}]),
        );
        assert_eq!(
            whole,
            json!({"result": 0, "erased": ["/input"], "masked": ["/result"]})
        );
    }

    #[test]
    fn rules_that_mean_nothing_are_errors() {
        for (rules, part) in [
            (json!("/input"), "unexpected rule format"),
            (json!(["input"]), "slash-prefixed"),
            (json!(["/labels/id"]), "prefix not allowed"),
            (json!([{"op": "replace", "path": "/input"}]), "not supported"),
            (json!([{"path": "/input"}]), "\"op\""),
            (json!([{"op": "remove"}]), "\"path\""),
            (json!([1]), "invalid mask rule"),
        ] {
            let fault = apply(&mut json!({}), &rules).unwrap_err();
            assert!(fault.contains(part), "{rules}: {fault}");
        }
    }
}
