//! Why a decision came out as it did: which rules fired and which failed, with file and line. Changes nothing.
//!
//! The decision is evaluated once more with coverage; every rule of a file that was touched is then asked for its
//! value. A rule with several bodies is shown once for each, so that an unmet requirement has a line of its own.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::{entries, snapshot::Snapshot};
use crate::{
    port::policy::{Entry, PolicyFault},
    rego::{FileCoverage, How, Value},
};

/// Longest value shown, in bytes of JSON: enough for a person, too little for a dump of data.
const LONGEST_SHOWN: usize = 400;

/// What a rule did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// Its body held.
    Fired,
    /// Something in its body did not hold.
    Failed,
    /// It was not asked.
    NotAsked,
}

/// One body of a rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleSeen {
    /// The file, relative to the policy folder.
    pub file: String,
    /// The line of its head.
    pub line: u32,
    /// The rule's full name.
    pub rule: String,
    /// What the head adds to a set, where it names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adds: Option<String>,
    /// What it did.
    pub did: Did,
    /// The rule's value, where it is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
}

/// The rules of the files that the decision touched, in the order of files and lines.
pub(super) fn rules_seen(
    snapshot: &Snapshot,
    entry: Entry,
    input: &str,
    how: &How,
) -> Result<Vec<RuleSeen>, PolicyFault> {
    let input = Value::from_json_str(input)
        .map_err(|error| PolicyFault(format!("the question cannot be read: {error}")))?;
    let rego = snapshot.rego();
    let path: Vec<&str> = entries::path(entry).split('.').skip(1).collect();
    let covering = How {
        coverage: true,
        ..how.clone()
    };
    let touched = rego
        .evaluate(&path, Some(input.clone()), &covering)
        .map_err(|fault| PolicyFault(fault.to_string()))?
        .coverage
        .unwrap_or_default();
    let texts: BTreeMap<&str, &str> = rego
        .modules()
        .iter()
        .map(|module| (module.id.as_str(), module.text.as_str()))
        .collect();
    let mut seen = Vec::new();
    for (path, place) in rego.rules() {
        let Some(lines) = touched
            .iter()
            .find(|file| file.file == place.file && !file.covered.is_empty())
        else {
            continue;
        };
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        // A function has no value of its own; what it gave shows in the rules that call it.
        let Ok(evaluated) = rego.evaluate(&keys, Some(input.clone()), how) else {
            continue;
        };
        let value = evaluated.value.and_then(|value| value.to_json_str().ok());
        let value: Option<Json> = value.and_then(|text| serde_json::from_str(&text).ok());
        let text = texts.get(place.file.as_str()).copied().unwrap_or_default();
        let name = path.last().map(String::as_str).unwrap_or_default();
        for (line, adds) in bodies(text, name) {
            seen.push(RuleSeen {
                file: place.file.clone(),
                line,
                rule: path.join("."),
                did: did(lines, line, adds.as_deref(), value.as_ref()),
                adds,
                value: value
                    .clone()
                    .filter(|value| value.to_string().len() <= LONGEST_SHOWN),
            });
        }
    }
    seen.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    Ok(seen)
}

/// The lines at which bodies of a rule begin, with the text that each adds to a set.
fn bodies(text: &str, name: &str) -> Vec<(u32, Option<String>)> {
    let heads = (1_u32..).zip(text.lines()).filter(|(_, line)| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '[']))
    });
    heads
        .map(|(number, line)| {
            let adds = line
                .split_once(" contains \"")
                .and_then(|(_, rest)| rest.split_once('"'))
                .map(|(adds, _)| adds.to_owned());
            (number, adds)
        })
        .collect()
}

fn did(lines: &FileCoverage, line: u32, adds: Option<&str>, value: Option<&Json>) -> Did {
    let held = match (value, adds) {
        (None | Some(Json::Bool(false) | Json::Null), _) => false,
        (Some(Json::Array(items)), Some(adds)) => items.iter().any(|item| item == adds),
        (Some(Json::Array(items)), None) => !items.is_empty(),
        (Some(Json::Object(members)), None) => !members.is_empty(),
        (Some(_), _) => true,
    };
    // A body's first statement stands on the head's line or on the one after it.
    let asked = lines.covered.contains(&line) || lines.covered.contains(&line.saturating_add(1));
    match (held, asked) {
        (true, _) => Did::Fired,
        (false, true) => Did::Failed,
        (false, false) => Did::NotAsked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_found_by_name_alone() {
        let text =
            "package p\nmet contains \"a\" if x\n\nmetal := 1\nmet contains \"b\" if {\n\ty\n}\nmet[k] := 1";
        assert_eq!(
            bodies(text, "met"),
            [(2, Some("a".to_owned())), (5, Some("b".to_owned())), (8, None)]
        );
    }
}
