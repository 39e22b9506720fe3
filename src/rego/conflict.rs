//! Rules must not stand where base documents do: which of both would be read is nobody's guess (OPA refuses it).

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use regorus::Value;

use super::{
    document,
    fault::{Issue, Place},
    module::Module,
    syntax::ast::{Pos, Tree},
};

/// Paths of rules below `data`, as far as their parts are constant.
#[derive(Debug, Default)]
pub(super) struct Rules {
    paths: BTreeMap<Vec<String>, Found>,
    packages: Vec<(Vec<String>, Place)>,
}

#[derive(Debug)]
struct Found {
    place: Place,
    function: bool,
    /// Whether the whole head is constant, so that the path names the rule's value.
    whole: bool,
}

impl Rules {
    pub(super) fn of(modules: &[Arc<Module>], trees: &[Tree]) -> Self {
        let (mut paths, mut packages) = (BTreeMap::new(), Vec::new());
        for (module, tree) in modules.iter().zip(trees) {
            let place = |pos: Pos| Place {
                file: module.id.clone(),
                row: pos.row,
                col: pos.col,
            };
            packages.push((tree.package.clone(), place(tree.pos)));
            for rule in &tree.rules {
                let (path, whole) = tree.path_of(rule);
                let function = rule.head.args.is_some();
                let found = || Found {
                    place: place(rule.pos),
                    function,
                    whole,
                };
                paths.entry(path).or_insert_with(found);
            }
        }
        Self { paths, packages }
    }

    /// Whether the path names a rule's whole value.
    pub(super) fn names(&self, path: &[String]) -> bool {
        self.paths
            .get(path)
            .is_some_and(|found| found.whole && !found.function)
    }

    /// Whether a rule or package stands at, above or below the path.
    pub(super) fn touch(&self, path: &[String]) -> bool {
        let below = (Bound::Included(path), Bound::Unbounded);
        let next = self.paths.range::<[String], _>(below).next();
        next.is_some_and(|(rule, _)| rule.starts_with(path))
            || (0..path.len())
                .filter_map(|end| path.get(..end))
                .any(|above| self.paths.contains_key(above))
            || self.packages.iter().any(|(package, _)| package.starts_with(path))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[String], &Place)> {
        self.paths
            .iter()
            .map(|(path, found)| (path.as_slice(), &found.place))
    }

    /// One for each module.
    pub(super) fn packages(&self) -> &[(Vec<String>, Place)] {
        &self.packages
    }

    /// Whether a rule stands at the path or above it.
    pub(super) fn define(&self, path: &[String]) -> bool {
        (1..=path.len()).any(|depth| {
            path.get(..depth)
                .is_some_and(|above| self.paths.contains_key(above))
        })
    }

    /// Rules that stand where a base document does.
    pub(super) fn conflicts(&self, data: &Value) -> Vec<Issue> {
        let clash = self
            .paths
            .iter()
            .filter(|(path, _)| document::get(data, path).is_some());
        clash
            .map(|(path, found)| {
                let message = format!("conflicting rule for data path {} found", path.join("/"));
                Issue::new("rego_compile_error", message)
                    .at(found.place.clone())
                    .instead("keep data outside the packages: rename the package, the rule or the data")
            })
            .collect()
    }
}
