//! A rule of the own package is read by its name alone.
//!
//! At the first reference to each `data.…` rule the engine walks all modules for packages that could stand there,
//! which costs more than most rules do. A bare name it takes as this package's, without looking. So a name is bare
//! where nothing else can be meant: no package stands behind it, and no variable of the rule has it.

use std::collections::BTreeSet;

use super::resolve::KEYWORDS;
use crate::rego::syntax::ast::{Body, Kind, Literal, Makes, Part, Rule, Statement, Term, Tree};

/// The rules of each package that a bare name can mean.
#[derive(Debug)]
pub(super) struct Own<'a> {
    package: &'a [String],
    names: BTreeSet<&'a str>,
}

impl<'a> Own<'a> {
    /// Of this package among all modules.
    pub(super) fn of(package: &'a [String], trees: &'a [Tree]) -> Self {
        let mut names = BTreeSet::new();
        let mut more = BTreeSet::new();
        for rule in trees
            .iter()
            .filter(|tree| tree.package == package)
            .flat_map(|tree| &tree.rules)
        {
            let Some(name) = rule.head.path.first().and_then(Term::as_var) else {
                continue;
            };
            if rule.head.path.len() == 1 && rule.head.args.is_none() {
                names.insert(name);
            } else {
                more.insert(name);
            }
        }
        let behind = |name: &str| {
            trees.iter().any(|tree| {
                tree.package.starts_with(package)
                    && tree.package.get(package.len()).is_some_and(|part| part == name)
            })
        };
        names.retain(|name| {
            !more.contains(name)
                && !KEYWORDS.contains(name)
                && !matches!(*name, "data" | "input")
                && !behind(name)
        });
        Self { package, names }
    }

    /// Writes a rule's references so.
    pub(super) fn write(&self, rule: &mut Rule) {
        // A rule whose first name is a keyword stands in a module of its own, where bare names mean others.
        let odd = rule
            .head
            .path
            .first()
            .and_then(Term::as_var)
            .is_some_and(|name| KEYWORDS.contains(&name));
        if odd {
            return;
        }
        let mut variables = BTreeSet::new();
        each_term(rule, &mut |term| {
            if let Kind::Var(name) = &term.kind {
                variables.insert(name.clone());
            }
        });
        each_term(rule, &mut |term| {
            if let Some(name) = self.name(term)
                && !variables.contains(name)
            {
                let name = Term::var(term.pos, name);
                shorten(term, name, self.package.len());
            }
        });
    }

    fn name<'t>(&self, term: &'t Term) -> Option<&'t str> {
        let Kind::Ref(parts) = &term.kind else { return None };
        let (root, rest) = parts.split_first()?;
        let inside = root.as_var() == Some("data")
            && rest.len() > self.package.len()
            && rest
                .iter()
                .zip(self.package)
                .all(|(part, name)| part.as_text() == Some(name));
        let name = rest.get(self.package.len()).and_then(Term::as_text)?;
        (inside && self.names.contains(name)).then_some(name)
    }
}

/// `data.package.name[k]` as `name[k]`.
fn shorten(term: &mut Term, name: Term, package: usize) {
    let Kind::Ref(parts) = &mut term.kind else { return };
    parts.splice(..package + 2, [name]);
    if let [only] = parts.as_slice() {
        term.kind = only.kind.clone();
    }
}

/// Shows every term, the inner ones first, but the names of functions and what a `with` replaces.
fn each_term(rule: &mut Rule, see: &mut impl FnMut(&mut Term)) {
    let head = rule.head.path.iter_mut().skip(1);
    for term in head.chain(rule.head.args.iter_mut().flatten()) {
        in_term(term, see);
    }
    if let Makes::Value(Some(term)) | Makes::Item(term) = &mut rule.head.makes {
        in_term(term, see);
    }
    in_body(rule.body.iter_mut().flatten(), see);
    for branch in &mut rule.elses {
        if let Some(value) = &mut branch.value {
            in_term(value, see);
        }
        in_body(branch.body.iter_mut().flatten(), see);
    }
}

fn in_body<'t>(body: impl IntoIterator<Item = &'t mut Literal>, see: &mut impl FnMut(&mut Term)) {
    for literal in body {
        in_literal(literal, see);
    }
}

fn in_literal(literal: &mut Literal, see: &mut impl FnMut(&mut Term)) {
    match &mut literal.kind {
        Statement::Expr(term) | Statement::Not(term) => in_term(term, see),
        Statement::NotBody(body) => in_body(body, see),
        Statement::Some(names) => {
            for (pos, name) in names {
                see(&mut Term::var(*pos, name.clone()));
            }
        }
        Statement::SomeIn(key, value, collection) => {
            for term in key.iter_mut().chain([value, collection]) {
                in_term(term, see);
            }
        }
        Statement::Every(every) => {
            for term in every.key.iter_mut().chain([&mut every.value, &mut every.domain]) {
                in_term(term, see);
            }
            in_body(&mut every.body, see);
        }
        Statement::And(left, right) | Statement::Or(left, right) => {
            in_body(left, see);
            in_body(right, see);
        }
    }
    for with in &mut literal.with {
        in_term(&mut with.value, see);
    }
}

fn in_term(term: &mut Term, see: &mut impl FnMut(&mut Term)) {
    let body: Option<&mut Body> = term.body_mut();
    in_body(body.into_iter().flatten(), see);
    match &mut term.kind {
        Kind::Template(parts) => {
            for part in parts {
                if let Part::Expr(literal) = part {
                    in_literal(literal, see);
                }
            }
        }
        Kind::Call(_, args) => args.iter_mut().for_each(|arg| in_term(arg, see)),
        _ => term.inner_mut().into_iter().for_each(|inner| in_term(inner, see)),
    }
    see(term);
}
