//! Data of the author's commands: reading, merging, and OPA's way of writing it.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::rego::Value;

/// JSON, or YAML by its name.
pub(super) fn parse(path: &Path, text: &str) -> Result<Json, String> {
    let yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(_) if yaml => serde_norway::from_str(text).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// The engine's value of a JSON document.
pub(super) fn value(json: Json) -> Value {
    Value::from(json)
}

/// Adds documents beside those that are there; two values for one path are a conflict.
pub(super) fn merge(into: &mut Map<String, Json>, below: &[String], value: Json) -> Result<(), String> {
    if let Some((first, rest)) = below.split_first() {
        let inner = into
            .entry(first.clone())
            .or_insert_with(|| Json::Object(Map::new()));
        let Json::Object(inner) = inner else {
            return Err(format!("merge error: `{first}` is set twice"));
        };
        return merge(inner, rest, value);
    }
    let Json::Object(members) = value else {
        return Err("expected an object: name the values, for example {\"name\": …}".to_owned());
    };
    for (key, value) in members {
        match (into.get_mut(&key), value) {
            (None, value) => {
                into.insert(key, value);
            }
            (Some(Json::Object(there)), Json::Object(members)) => {
                merge(there, &[], Json::Object(members))?;
            }
            (Some(_), _) => return Err(format!("merge error: `{key}` is set twice")),
        }
    }
    Ok(())
}

/// As JSON; sets are lists.
pub(super) fn json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// Indented by two, as OPA's commands print, with the letters that it escapes.
pub(super) fn pretty(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// On one line.
pub(super) fn compact(value: &Json) -> String {
    escaped(&value.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}
