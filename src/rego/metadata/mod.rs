//! `rego.metadata.chain()` and `rego.metadata.rule()`: what annotations say of a rule, written into it as constants.
//!
//! As in OPA, annotations are read only where a module asks for them, and then in all modules: a rule's chain names
//! its own annotations first, then those of its document, of its package, and of the packages above. `read` makes
//! annotations of comments, `chain` finds those of a rule, `replace` puts them where the calls were.

mod chain;
mod read;
mod replace;

use std::sync::Arc;

use super::{
    fault::{Issue, Place},
    module::Module,
    syntax::ast::{Pos, Tree},
};

/// Replaces every call. The names are full paths already.
pub(super) fn annotate(modules: &[Arc<Module>], trees: &mut [Tree]) -> Result<(), Vec<Issue>> {
    let mut both = modules.iter().zip(&*trees);
    if !both.any(|(module, tree)| module.text.contains("metadata") && replace::asks(tree)) {
        return Ok(());
    }
    let mut found = Vec::new();
    let mut all = Vec::new();
    for (at, (module, tree)) in modules.iter().zip(&*trees).enumerate() {
        for block in read::blocks(tree) {
            match block {
                Ok(annotation) => all.push((at, annotation)),
                Err((pos, what)) => found.push(issue(module, pos, what)),
            }
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let set = chain::Set::of(trees, all).map_err(|(at, pos, what)| {
        modules
            .get(at)
            .map(|module| issue(module, pos, what))
            .into_iter()
            .collect::<Vec<_>>()
    })?;
    for (at, tree) in trees.iter_mut().enumerate() {
        let package = tree.package.clone();
        for index in 0..tree.rules.len() {
            let Some(path) = tree.path_at(index) else {
                continue;
            };
            let asked = chain::Asked {
                module: at,
                rule: index,
                package: &package,
                path: &path,
            };
            if let Some(rule) = tree.rules.get_mut(index) {
                replace::rule(rule, &set, &asked);
            }
        }
    }
    Ok(())
}

fn issue(module: &Module, pos: Pos, what: String) -> Issue {
    Issue::new("rego_parse_error", what)
        .at(Place {
            file: module.id.clone(),
            row: pos.row,
            col: pos.col,
        })
        .instead("annotations are YAML in the comment lines right below `# METADATA`")
}
