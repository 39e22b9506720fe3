//! What the modules define: functions with their arguments, beside those of the engine, and the rules of packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::rego::{builtin, syntax::ast::Tree};

static BUILTINS: LazyLock<BTreeMap<&'static str, u8>> = LazyLock::new(builtin::functions);

/// Functions by their names, those of the modules from `data` on; and rules with values, below `data`.
#[derive(Debug, Default)]
pub(in crate::rego) struct Signatures {
    own: BTreeMap<Vec<String>, BTreeSet<usize>>,
    rules: BTreeSet<Vec<String>>,
    /// With the number of texts that the engine has for each.
    packages: BTreeMap<Vec<String>, usize>,
}

impl Signatures {
    pub(in crate::rego) fn of(trees: &[Tree]) -> Self {
        let mut own: BTreeMap<Vec<String>, BTreeSet<usize>> = BTreeMap::new();
        let (mut rules, mut packages) = (BTreeSet::new(), BTreeMap::new());
        for tree in trees {
            *packages.entry(tree.package.clone()).or_default() += super::print::parts(tree);
            for rule in &tree.rules {
                let (mut path, _) = tree.path_of(rule);
                let Some(args) = &rule.head.args else {
                    rules.insert(path);
                    continue;
                };
                path.insert(0, "data".to_owned());
                own.entry(path).or_default().insert(args.len());
            }
        }
        Self { own, rules, packages }
    }

    /// The rules of the packages at and below a path, and then the packages below it, the deepest first. Nothing if
    /// no package is there, or one in a single text: that is evaluated from one end to the other.
    pub(in crate::rego) fn below(&self, path: &[&str]) -> Option<Vec<&[String]>> {
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        let packages = self.packages.range(path.clone()..);
        let packages = packages.take_while(|(there, _)| there.starts_with(&path));
        let texts: usize = packages.clone().map(|(_, texts)| texts).sum();
        if path.is_empty() || texts < 2 {
            return None;
        }
        let deeper = packages.map(|(there, _)| there.as_slice());
        let mut deeper: Vec<&[String]> = deeper.filter(|there| **there != path).collect();
        deeper.sort_by_key(|there| std::cmp::Reverse(there.len()));
        let rules = self.rules.range(path.clone()..);
        let rules = rules
            .take_while(|rule| rule.starts_with(&path))
            .map(Vec::as_slice);
        Some(rules.chain(deeper).collect())
    }

    /// The arguments of a function; `None` if there is none of this name.
    pub(in crate::rego) fn arity(&self, names: &[&str]) -> Option<usize> {
        if names.first() == Some(&"data") {
            let path: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            return self.own.get(&path)?.first().copied();
        }
        // What templates and operators are lowered to; no author writes it.
        if let ["internal", name] = names {
            let operator = name.starts_with("operator_").then_some(2);
            return operator.or((*name == "template_string").then_some(1));
        }
        BUILTINS.get(names.join(".").as_str()).map(|&count| count.into())
    }
}
