//! Reading parsed modules: names, packages, imports, functions.

use std::collections::BTreeMap;

use regorus::unstable::{Expr, Module, Ref, Rule, RuleHead};

pub(super) fn package(module: &Module) -> String {
    ["data", &path(&module.package.refr).unwrap_or_default()].join(".")
}

/// What each imported name stands for.
pub(super) fn aliases(module: &Module) -> BTreeMap<String, String> {
    let imports = module.imports.iter().filter_map(|import| {
        let full = path(&import.refr)?;
        let last = full.rsplit('.').next()?.to_owned();
        let alias = import.r#as.as_ref().map_or(last, |span| span.text().to_owned());
        Some((alias, full))
    });
    imports.collect()
}

/// The functions that the policies define, by full name, with the number of their arguments.
pub(super) fn functions(modules: &[Ref<Module>]) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    for module in modules {
        for rule in &module.policy {
            let (refr, count) = match &**rule {
                Rule::Spec {
                    head: RuleHead::Func { refr, args, .. },
                    ..
                } => (refr, args.len()),
                Rule::Default { refr, args, .. } if !args.is_empty() => (refr, args.len()),
                Rule::Spec { .. } | Rule::Default { .. } => continue,
            };
            if let Some(name) = path(refr) {
                known.insert(format!("{}.{name}", package(module)), count);
            }
        }
    }
    known
}

/// The dotted path of a reference whose parts are all constant.
pub(super) fn path(expr: &Expr) -> Option<String> {
    if let Expr::Var { span, .. } = expr {
        return Some(span.text().to_owned());
    }
    if let Expr::RefDot { refr, field, .. } = expr {
        return Some(format!("{}.{}", path(refr)?, field.0.text()));
    }
    if let Expr::RefBrack { refr, index, .. } = expr
        && let Expr::String { value, .. } | Expr::RawString { value, .. } = &**index
    {
        return Some(format!("{}.{}", path(refr)?, value.as_string().ok()?));
    }
    None
}
