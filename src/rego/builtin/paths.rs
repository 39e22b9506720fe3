//! `json.filter` and `json.remove`: regorus takes a path that begins with a slash for another one, and so removes
//! nothing where OPA removes a secret.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::value::{Object, Set};

use super::arguments::{Arguments, items};
use super::fault::{Fault, kind};
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "json.filter",
        arity: 2,
        call: filter,
    },
    Builtin {
        name: "json.remove",
        arity: 2,
        call: remove,
    },
];

/// What paths lead to: a whole value, or parts of it.
#[derive(Debug, Default)]
struct Tree {
    whole: bool,
    parts: BTreeMap<Value, Self>,
}

impl Tree {
    fn of(arguments: &Arguments<'_>) -> Result<Self, Fault> {
        let mut root = Self::default();
        for path in arguments.collection(2)? {
            let segments = segments(path)?;
            let Some((last, first)) = segments.split_last() else {
                continue;
            };
            let mut node = &mut root;
            for segment in first {
                node = node.parts.entry(segment.clone()).or_default();
            }
            node.parts.entry(last.clone()).or_default().whole = true;
        }
        Ok(root)
    }

    /// Numbers of an array are texts in a path.
    fn at(&self, index: usize) -> Option<&Self> {
        self.parts.get(&Value::from(index.to_string()))
    }
}

/// Parts of a path: a text with slashes, or an array.
fn segments(path: &Value) -> Result<Vec<Value>, Fault> {
    match path {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => {
            let parts = text.trim_start_matches('/').split('/');
            Ok(parts
                .map(|part| Value::from(part.replace("~1", "/").replace("~0", "~")))
                .collect())
        }
        Value::Array(_) => Ok(items(path).unwrap_or_default().into_iter().cloned().collect()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Set(_)
        | Value::Object(_)
        | Value::Undefined => {
            let wanted = "must be one of {set, array} containing string paths or array of path segments";
            Err(Fault::operand(2, &format!("{wanted} but got {}", kind(path))))
        }
    }
}

fn filter(arguments: &Arguments<'_>) -> Answer {
    arguments.object(1)?;
    Ok(kept(arguments.value(1), &Tree::of(arguments)?))
}

fn remove(arguments: &Arguments<'_>) -> Answer {
    arguments.object(1)?;
    Ok(left(arguments.value(1), &Tree::of(arguments)?))
}

/// Only what the paths lead to.
fn kept(value: &Value, tree: &Tree) -> Value {
    if tree.whole {
        return value.clone();
    }
    match value {
        Value::Array(items) => {
            let parts = items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| Some((item, tree.at(at)?)));
            Value::from(parts.map(|(item, tree)| kept(item, tree)).collect::<Vec<_>>())
        }
        Value::Set(items) => {
            let parts = items
                .iter()
                .filter_map(|item| Some((item, tree.parts.get(item)?)));
            Value::from(parts.map(|(item, tree)| kept(item, tree)).collect::<Set>())
        }
        Value::Object(fields) => {
            let parts = fields
                .iter()
                .filter_map(|(key, value)| Some((key, value, tree.parts.get(key)?)));
            let parts = parts.map(|(key, value, tree)| (key.clone(), kept(value, tree)));
            Value::from(parts.collect::<Object>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Undefined => {
            value.clone()
        }
    }
}

/// All but what the paths lead to.
fn left(value: &Value, tree: &Tree) -> Value {
    let rest = |value: &Value, tree: Option<&Tree>| match tree {
        None => Some(value.clone()),
        Some(tree) if tree.whole => None,
        Some(tree) => Some(left(value, tree)),
    };
    match value {
        Value::Array(items) => {
            let parts = items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| rest(item, tree.at(at)));
            Value::from(parts.collect::<Vec<_>>())
        }
        Value::Set(items) => {
            let parts = items.iter().filter_map(|item| rest(item, tree.parts.get(item)));
            Value::from(parts.collect::<Set>())
        }
        Value::Object(fields) => {
            let parts = fields
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), rest(value, tree.parts.get(key))?)));
            Value::from(parts.collect::<Object>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Undefined => {
            value.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_slash_changes_nothing() {
        let document = Value::from_json_str(r#"{"secret": 1, "list": [{"a": 1, "b": 2}], "c": 3}"#).unwrap();
        let paths = Value::from_json_str(r#"["/secret", "list/0/a"]"#).unwrap();
        let arguments = [document, paths];
        let arguments = Arguments::of(&arguments);
        let wanted = Value::from_json_str(r#"{"list": [{"b": 2}], "c": 3}"#).unwrap();
        assert_eq!(remove(&arguments).unwrap(), wanted);
        let wanted = Value::from_json_str(r#"{"secret": 1, "list": [{"a": 1}]}"#).unwrap();
        assert_eq!(filter(&arguments).unwrap(), wanted);
    }
}
