//! Imports that hide one another, and rules that hide the documents.

use std::collections::BTreeMap;

use super::Report;
use crate::rego::syntax::{
    ast::{Import, Tree},
    names::{KEYWORDS, is_name},
};

pub(super) fn check(tree: &Tree, report: &mut Report) {
    if !report.v1 {
        return;
    }
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for import in &tree.imports {
        let Some(name) = import.alias.as_ref().or(import.path.last()) else {
            continue;
        };
        let text = shown(import);
        if let Some(first) = seen.get(name.as_str()) {
            report.add(
                "rego_compile_error",
                import.pos,
                format!("import must not shadow {first}"),
                "give one of them another name with `as`",
            );
        } else {
            seen.insert(name, text);
        }
    }
    for rule in &tree.rules {
        let name = rule.head.path.first().and_then(|first| first.as_var());
        if let Some(name @ ("data" | "input")) = name {
            report.add(
                "rego_compile_error",
                rule.pos,
                format!("rules must not shadow {name} (use a different rule name)"),
                "give the rule another name",
            );
        }
    }
}

/// The import as OPA writes it.
pub(super) fn shown(import: &Import) -> String {
    let mut text = "import ".to_owned();
    for (at, name) in import.path.iter().enumerate() {
        // OPA writes keywords in brackets.
        let plain = is_name(name) && !KEYWORDS.contains(&name.as_str());
        match (at, plain) {
            (0, _) => text.push_str(name),
            (_, true) => text.push_str(&format!(".{name}")),
            (_, false) => text.push_str(&format!("[{}]", serde_json::Value::from(name.as_str()))),
        }
    }
    if let Some(alias) = &import.alias {
        text.push_str(&format!(" as {alias}"));
    }
    text
}
