//! Rules of one name must be of one kind.

use std::{collections::BTreeMap, sync::Arc};

use super::place;
use crate::rego::{
    fault::{Issue, Place},
    module::Module,
    syntax::ast::{Makes, Rule, Tree},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Value,
    Set,
    Function(usize),
}

struct First {
    sort: Sort,
    place: Place,
    default: Option<Place>,
    open: bool,
}

pub(super) fn check(modules: &[Arc<Module>], trees: &[Tree]) -> Vec<Issue> {
    let mut known: BTreeMap<Vec<String>, First> = BTreeMap::new();
    let mut found = Vec::new();
    for (module, tree) in modules.iter().zip(trees) {
        for rule in &tree.rules {
            let place = place(&module.id, rule.pos);
            let (path, whole) = tree.path_of(rule);
            let name = format!("data.{}", path.join("."));
            let sort = sort(rule);
            let first = known.entry(path).or_insert_with(|| First {
                sort,
                place: place.clone(),
                default: None,
                open: !whole,
            });
            if first.sort != sort && !first.open && whole {
                found.push(conflict(&name, &first.place, &place));
            }
            if rule.default
                && let Some(earlier) = first.default.replace(place.clone())
            {
                let message = format!(
                    "multiple default rules {name} found at {}:{}, {}:{}",
                    earlier.file, earlier.row, place.file, place.row
                );
                let issue = Issue::new("rego_type_error", message).at(place);
                found.push(issue.instead("keep one of them"));
            }
        }
    }
    found.extend(packages(modules, trees, &known));
    found.extend(overlaps(&known));
    found
}

fn conflict(name: &str, first: &Place, place: &Place) -> Issue {
    let message = format!(
        "conflicting rules {name} found: another kind at {}:{}",
        first.file, first.row
    );
    Issue::new("rego_type_error", message)
        .at(place.clone())
        .instead("give them different names, or make both a value, a set or a function of as many arguments")
}

/// A set with a variable in its path and another rule below the same constant part: the engine would lose one.
fn overlaps(known: &BTreeMap<Vec<String>, First>) -> Vec<Issue> {
    let mut found = Vec::new();
    for (path, open) in known
        .iter()
        .filter(|(_, first)| first.open && first.sort == Sort::Set)
    {
        let below = known.iter().filter(|(other, first)| {
            !first.open && first.sort == Sort::Set && other.len() > path.len() && other.starts_with(path)
        });
        for (other, _) in below {
            let message = format!(
                "the set data.{}[…] and data.{} overlap, which this engine would answer differently from OPA",
                path.join("."),
                other.join(".")
            );
            let issue = Issue::new("rego_compile_error", message).at(open.place.clone());
            found.push(issue.instead("put the constant part into a rule of another name"));
        }
    }
    found
}

/// A package must not stand where a rule of another one has its value.
fn packages(modules: &[Arc<Module>], trees: &[Tree], known: &BTreeMap<Vec<String>, First>) -> Vec<Issue> {
    let mut found = Vec::new();
    for (module, tree) in modules.iter().zip(trees) {
        if let Some(first) = known.get(&tree.package)
            && !first.open
        {
            let package = tree.package.join(".");
            let message = format!(
                "package {package} conflicts with rule {} defined at {}:{}",
                tree.package.last().map(String::as_str).unwrap_or_default(),
                first.place.file,
                first.place.row
            );
            let issue = Issue::new("rego_type_error", message).at(place(&module.id, tree.pos));
            found.push(issue.instead("rename the package or the rule"));
        }
    }
    found
}

fn sort(rule: &Rule) -> Sort {
    match (&rule.head.args, &rule.head.makes) {
        (Some(args), _) => Sort::Function(args.len()),
        (None, Makes::Item(_)) => Sort::Set,
        (None, Makes::Value(_)) => Sort::Value,
    }
}
