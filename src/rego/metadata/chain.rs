//! Which annotations are a rule's, from the nearest to the farthest.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::read::Annotation;
use crate::rego::syntax::ast::{Pos, Tree};

type Path = Vec<String>;

/// Where something is wrong: the module's number, the place, and what.
type Wrong = (usize, Pos, String);

/// All annotations, by what they are for.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// By module and rule.
    rules: BTreeMap<(usize, usize), Vec<Found>>,
    packages: BTreeMap<Path, Found>,
    /// Of documents, and of packages with those below; OPA keeps both together.
    paths: BTreeMap<Path, Found>,
}

#[derive(Debug, Clone)]
struct Found {
    pos: Pos,
    path: Path,
    shown: Value,
}

/// A rule that asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) module: usize,
    pub(super) rule: usize,
    pub(super) package: &'a [String],
    pub(super) path: &'a [String],
}

/// What stands below an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Package,
    Import,
    Rule(usize),
}

impl Set {
    pub(super) fn of(trees: &[Tree], all: Vec<(usize, Annotation)>) -> Result<Self, Wrong> {
        let mut set = Self::default();
        for (module, annotation) in all {
            let pos = annotation.pos;
            if let Some(tree) = trees.get(module) {
                set.add((module, tree), annotation)
                    .map_err(|what| (module, pos, what))?;
            }
        }
        Ok(set)
    }

    fn add(&mut self, (module, tree): (usize, &Tree), annotation: Annotation) -> Result<(), String> {
        let node = below(tree, annotation.pos.row);
        let scope = annotation.scope.unwrap_or_else(|| {
            let scope = match node {
                Some(Node::Rule(_)) if annotation.entrypoint => "document",
                Some(Node::Rule(_)) => "rule",
                Some(Node::Package) => "package",
                Some(Node::Import) => "import",
                None => "",
            };
            scope.to_owned()
        });
        if annotation.entrypoint && !matches!(scope.as_str(), "document" | "package") {
            return Err(format!(
                "annotation entrypoint applied to non-document or package scope '{scope}'"
            ));
        }
        let mut shown = annotation.members;
        shown.insert("scope".to_owned(), scope.clone().into());
        if annotation.entrypoint {
            shown.insert("entrypoint".to_owned(), true.into());
        }
        let mut found = Found {
            pos: annotation.pos,
            path: tree.package.clone(),
            shown: shown.into(),
        };
        let attached = format!("annotation scope '{scope}' must be applied to");
        let (map, key) = match (scope.as_str(), node) {
            ("rule", Some(Node::Rule(index))) => {
                found.path = tree.path_at(index).unwrap_or_default();
                self.rules.entry((module, index)).or_default().push(found);
                return Ok(());
            }
            ("document", Some(Node::Rule(index))) => {
                found.path = tree.path_at(index).unwrap_or_default();
                (&mut self.paths, found.path.clone())
            }
            ("package", Some(Node::Package)) => (&mut self.packages, tree.package.clone()),
            ("subpackages", Some(Node::Package)) => (&mut self.paths, tree.package.clone()),
            ("rule" | "document", _) => return Err(format!("{attached} rule")),
            ("package" | "subpackages", _) => return Err(format!("{attached} package")),
            (other, _) => {
                return Err(format!(
                    "invalid annotation scope '{other}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
                ));
            }
        };
        let row = map.get(&key).map(|first| first.pos.row);
        match row {
            Some(row) => Err(format!(
                "{scope} annotation redeclared: the first is in line {row}"
            )),
            None => {
                map.insert(key, found);
                Ok(())
            }
        }
    }

    /// `rego.metadata.rule()`: the first annotation of the rule itself.
    pub(super) fn own(&self, asked: &Asked<'_>) -> Value {
        let own = self.rules.get(&(asked.module, asked.rule));
        let first = own.and_then(|all| all.iter().min_by_key(|found| found.pos));
        first.map_or_else(|| json!({}), |found| found.shown.clone())
    }

    /// `rego.metadata.chain()`. An `else` has none of its rule's own.
    pub(super) fn chain(&self, asked: &Asked<'_>, is_else: bool) -> Value {
        let none = Vec::new();
        let own = self.rules.get(&(asked.module, asked.rule)).filter(|_| !is_else);
        let mut own: Vec<&Found> = own.unwrap_or(&none).iter().collect();
        own.sort_by_key(|found| std::cmp::Reverse(found.pos));
        let mut links: Vec<Value> = own.into_iter().map(Found::link).collect();
        if links.is_empty() {
            links.push(json!({"path": asked.path}));
        }
        links.extend(self.paths.get(asked.path).map(Found::link));
        links.extend(self.packages.get(asked.package).map(Found::link));
        let above = (1..=asked.package.len())
            .rev()
            .filter_map(|length| asked.package.get(..length));
        links.extend(above.filter_map(|path| self.paths.get(path)).map(Found::link));
        links.into()
    }
}

impl Found {
    fn link(&self) -> Value {
        json!({"path": self.path, "annotations": self.shown})
    }
}

/// The first statement below a line.
fn below(tree: &Tree, row: u32) -> Option<Node> {
    let imports = tree.imports.iter().map(|import| (import.pos.row, Node::Import));
    let rules = tree.rules.iter().enumerate();
    let rules = rules.map(|(index, rule)| (rule.pos.row, Node::Rule(index)));
    std::iter::once((tree.pos.row, Node::Package))
        .chain(imports)
        .chain(rules)
        .filter(|(at, _)| *at > row)
        .min_by_key(|(at, _)| *at)
        .map(|(_, node)| node)
}
