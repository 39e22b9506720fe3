//! Every variable that a term mentions, also in its closures.

use std::collections::BTreeSet;

use crate::rego::syntax::ast::{Kind, Literal, Part, Statement, Term};

/// The variables of a term, wherever they stand in it.
pub(super) fn anywhere(term: &Term, found: &mut BTreeSet<String>) {
    if let Kind::Var(name) = &term.kind {
        found.insert(name.clone());
    }
    if let Kind::Template(parts) = &term.kind {
        for part in parts {
            if let Part::Expr(literal) = part {
                in_literal(literal, found);
            }
        }
    }
    for inner in term.inner() {
        anywhere(inner, found);
    }
    for literal in term.body().into_iter().flatten() {
        in_literal(literal, found);
    }
}

fn in_literal(literal: &Literal, found: &mut BTreeSet<String>) {
    match &literal.kind {
        Statement::Expr(term) | Statement::Not(term) => anywhere(term, found),
        Statement::NotBody(body) => body.iter().for_each(|literal| in_literal(literal, found)),
        Statement::And(left, right) | Statement::Or(left, right) => {
            left.iter()
                .chain(right)
                .for_each(|literal| in_literal(literal, found));
        }
        Statement::Some(names) => found.extend(names.iter().map(|(_, name)| name.clone())),
        Statement::SomeIn(key, value, collection) => {
            key.iter()
                .chain([value, collection])
                .for_each(|term| anywhere(term, found));
        }
        Statement::Every(every) => {
            anywhere(&every.domain, found);
            every.body.iter().for_each(|literal| in_literal(literal, found));
        }
    }
    for with in &literal.with {
        anywhere(&with.target, found);
        anywhere(&with.value, found);
    }
}
