//! Rules must not stand where base documents do: which of both would be read is nobody's guess (OPA refuses it).

use std::{collections::BTreeMap, ops::Bound};

use regorus::{
    Engine, Value,
    unstable::{Expr, Rule, RuleHead, Span},
};

use super::{
    document,
    fault::{Issue, Place},
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
    pub(super) fn of(engine: &mut Engine) -> Self {
        let (mut paths, mut packages) = (BTreeMap::new(), Vec::new());
        for module in engine.get_modules() {
            let (package, _) = parts(&module.package.refr);
            packages.push((package.clone(), place(&module.package.span)));
            for rule in &module.policy {
                let (head, function) = head(rule);
                let (name, whole) = parts(head);
                let place = place(rule.span());
                let path: Vec<String> = package.iter().cloned().chain(name).collect();
                paths.entry(path).or_insert(Found {
                    place,
                    function,
                    whole,
                });
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

fn place(span: &Span) -> Place {
    Place {
        file: span.source.get_path().clone(),
        row: span.line,
        col: span.col,
    }
}

fn head(rule: &Rule) -> (&Expr, bool) {
    match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } => (refr, false),
            RuleHead::Func { refr, .. } => (refr, true),
        },
        Rule::Default { refr, args, .. } => (refr, !args.is_empty()),
    }
}

/// The constant parts that a reference begins with, and whether that is all of it.
fn parts(expr: &Expr) -> (Vec<String>, bool) {
    if let Expr::Var { span, .. } = expr {
        return (vec![span.text().to_owned()], true);
    }
    if let Expr::RefDot { refr, field, .. } = expr {
        let (mut path, whole) = parts(refr);
        if whole {
            path.push(field.0.text().to_owned());
        }
        return (path, whole);
    }
    if let Expr::RefBrack { refr, index, .. } = expr {
        let (mut path, whole) = parts(refr);
        if whole
            && let Expr::String { value, .. } | Expr::RawString { value, .. } = &**index
            && let Ok(text) = value.as_string()
        {
            path.push(text.to_string());
            return (path, true);
        }
        return (path, false);
    }
    (Vec::new(), false)
}
