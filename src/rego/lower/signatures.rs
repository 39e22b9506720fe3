//! How many arguments each function takes: those of the modules and the builtins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::rego::{builtin, syntax::ast::Tree};

static BUILTINS: LazyLock<BTreeMap<&'static str, u8>> = LazyLock::new(builtin::functions);

/// Functions by their names, those of the modules from `data` on.
#[derive(Debug, Default)]
pub(in crate::rego) struct Signatures {
    own: BTreeMap<Vec<String>, BTreeSet<usize>>,
}

impl Signatures {
    pub(in crate::rego) fn of(trees: &[Tree]) -> Self {
        let mut own: BTreeMap<Vec<String>, BTreeSet<usize>> = BTreeMap::new();
        for tree in trees {
            for rule in &tree.rules {
                let Some(args) = &rule.head.args else { continue };
                let names = rule.head.path.iter().enumerate().filter_map(|(at, part)| {
                    let name = if at == 0 { part.as_var() } else { part.as_text() };
                    name.map(str::to_owned)
                });
                let path = std::iter::once("data".to_owned())
                    .chain(tree.package.iter().cloned())
                    .chain(names);
                own.entry(path.collect()).or_default().insert(args.len());
            }
        }
        Self { own }
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
