//! Imports that hide one another, or names that hide the documents.

use std::collections::BTreeMap;

use super::Report;
use crate::rego::{
    module::{Module, Version},
    snapshot::Options,
    syntax::ast::Tree,
};

pub(super) fn check(module: &Module, tree: &Tree, options: &Options, report: &mut Report) {
    let v1 = module.version == Version::V1 || tree.imports.iter().any(|import| import.path == ["rego", "v1"]);
    if !v1 && !options.strict {
        return;
    }
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for import in &tree.imports {
        let root = import.path.first().map(String::as_str);
        let (Some("data" | "input"), Some(name)) = (root, import.alias.as_ref().or(import.path.last()))
        else {
            continue;
        };
        let path = import.path.join(".");
        if let Some(first) = seen.insert(name, path) {
            report.add(
                "rego_compile_error",
                import.pos,
                format!("import must not shadow import {first}"),
                "give one of them another name with `as`",
            );
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
