//! One way through the syntax tree for all who look at every term, and the same for those who change it.
//!
//! A method for each node; one that is not written otherwise goes on inside. Heads come first, then bodies. Names that a statement only declares are no terms, and what a `with` replaces is not
//! looked at. Walks that need to know what is in scope go their own way (`lower/resolve.rs`, `check/locals.rs`).

use super::ast::{Every, Kind, Literal, Makes, Part, Pos, Rule, Statement, Term, With};

/// Looks at terms.
pub(in crate::rego) trait Visit {
    fn term(&mut self, term: &Term) {
        inside(self, term);
    }

    fn literal(&mut self, literal: &Literal) {
        statement(self, literal);
    }

    fn every(&mut self, every: &Every) {
        self.term(&every.domain);
        body(self, &every.body);
    }

    fn with(&mut self, with: &With) {
        self.term(&with.value);
    }

    /// A name that `some` declares without a value.
    fn some(&mut self, _name: &str, _pos: Pos) {}
}

/// All of a rule.
pub(in crate::rego) fn rule<V: Visit + ?Sized>(visit: &mut V, rule: &Rule) {
    let head = &rule.head;
    for term in head.path.iter().skip(1).chain(head.args.iter().flatten()) {
        visit.term(term);
    }
    if let Makes::Value(Some(term)) | Makes::Item(term) = &head.makes {
        visit.term(term);
    }
    let bodies = rule
        .body
        .iter()
        .chain(rule.elses.iter().flat_map(|branch| &branch.body));
    body(visit, bodies.flatten());
    for value in rule.elses.iter().filter_map(|branch| branch.value.as_ref()) {
        visit.term(value);
    }
}

/// Each literal of a body.
pub(in crate::rego) fn body<'t, V: Visit + ?Sized>(
    visit: &mut V,
    literals: impl IntoIterator<Item = &'t Literal>,
) {
    for literal in literals {
        visit.literal(literal);
    }
}

/// What stands in a literal.
pub(in crate::rego) fn statement<V: Visit + ?Sized>(visit: &mut V, literal: &Literal) {
    match &literal.kind {
        Statement::Expr(term) | Statement::Not(term) => visit.term(term),
        Statement::NotBody(inner) => body(visit, inner),
        Statement::And(left, right) | Statement::Or(left, right) => body(visit, left.iter().chain(right)),
        Statement::Some(names) => {
            for (pos, name) in names {
                visit.some(name, *pos);
            }
        }
        Statement::SomeIn(key, value, collection) => {
            for term in key.iter().chain([value, collection]) {
                visit.term(term);
            }
        }
        Statement::Every(every) => visit.every(every),
    }
    for with in &literal.with {
        visit.with(with);
    }
}

/// What stands in a term; the name of a called function is one of its terms.
pub(in crate::rego) fn inside<V: Visit + ?Sized>(visit: &mut V, term: &Term) {
    if let Kind::Template(parts) = &term.kind {
        for part in parts {
            if let Part::Expr(literal) = part {
                visit.literal(literal);
            }
        }
    }
    for inner in term.inner() {
        visit.term(inner);
    }
    body(visit, term.body().into_iter().flatten());
}

/// Changes terms.
pub(in crate::rego) trait Change {
    fn term(&mut self, term: &mut Term) {
        change_inside(self, term);
    }

    /// What comes now stands in an `else`.
    fn otherwise(&mut self) {}
}

/// All of a rule.
pub(in crate::rego) fn change_rule<C: Change + ?Sized>(change: &mut C, rule: &mut Rule) {
    let head = &mut rule.head;
    for term in head.path.iter_mut().skip(1).chain(head.args.iter_mut().flatten()) {
        change.term(term);
    }
    if let Makes::Value(Some(term)) | Makes::Item(term) = &mut head.makes {
        change.term(term);
    }
    change_body(change, rule.body.iter_mut().flatten());
    for branch in &mut rule.elses {
        change.otherwise();
        if let Some(value) = &mut branch.value {
            change.term(value);
        }
        change_body(change, branch.body.iter_mut().flatten());
    }
}

fn change_body<'t, C: Change + ?Sized>(change: &mut C, body: impl IntoIterator<Item = &'t mut Literal>) {
    for literal in body {
        change_literal(change, literal);
    }
}

fn change_literal<C: Change + ?Sized>(change: &mut C, literal: &mut Literal) {
    match &mut literal.kind {
        Statement::Expr(term) | Statement::Not(term) => change.term(term),
        Statement::NotBody(body) => change_body(change, body),
        Statement::And(left, right) | Statement::Or(left, right) => {
            change_body(change, left.iter_mut().chain(right));
        }
        Statement::Some(_) => {}
        Statement::SomeIn(key, value, collection) => {
            for term in key.iter_mut().chain([value, collection]) {
                change.term(term);
            }
        }
        Statement::Every(every) => {
            change.term(&mut every.domain);
            change_body(change, &mut every.body);
        }
    }
    for with in &mut literal.with {
        change.term(&mut with.value);
    }
}

/// What stands in a term; the name of a called function is one of its terms.
pub(in crate::rego) fn change_inside<C: Change + ?Sized>(change: &mut C, term: &mut Term) {
    if let Kind::Template(parts) = &mut term.kind {
        for part in parts {
            if let Part::Expr(literal) = part {
                change_literal(change, literal);
            }
        }
    }
    for inner in term.inner_mut() {
        change.term(inner);
    }
    change_body(change, term.body_mut().into_iter().flatten());
}
