//! `every` after what its body needs.
//!
//! The engine orders a body's statements by the variables they need, and does not look for them in the body of an
//! `every`: `x := y; every e in xs { e >= x }` was asked with an `x` that had no value yet. So those variables are
//! named in its domain, `every e in [xs, x][0] { … }`, where the engine does look.

use std::collections::BTreeSet;

use super::own::Variables;
use crate::rego::syntax::{
    ast::{Every, Kind, Literal, Statement, Term},
    walk::{self, Visit},
};

/// The variables of a body itself, without those of closures in it: each has a value there.
pub(super) fn variables(body: &[Literal]) -> BTreeSet<String> {
    let mut level = Level(BTreeSet::new());
    walk::body(&mut level, body);
    level.0
}

/// Names what the body takes from bodies around it in the domain.
pub(super) fn tie(every: &mut Every, around: &[BTreeSet<String>]) {
    let mut used = Variables::default();
    walk::body(&mut used, &every.body);
    let taken: Vec<Term> = used
        .names()
        .filter(|name| around.iter().any(|names| names.contains(*name)))
        .map(|name| Term::var(every.domain.pos, name))
        .collect();
    if taken.is_empty() {
        return;
    }
    let pos = every.domain.pos;
    let domain = std::mem::replace(&mut every.domain, Term::new(pos, Kind::Null));
    let all = Term::new(pos, Kind::Array(std::iter::once(domain).chain(taken).collect()));
    let first = Term::new(pos, Kind::Number("0".into()));
    every.domain = Term::new(pos, Kind::Ref(vec![all, first]));
}

struct Level(BTreeSet<String>);

impl Visit for Level {
    fn term(&mut self, term: &Term) {
        match &term.kind {
            Kind::Var(name) if !matches!(name.as_str(), "_" | "input" | "data") => {
                self.0.insert(name.clone());
            }
            Kind::Call(_, args) => args.iter().for_each(|arg| self.term(arg)),
            Kind::Template(_) => {}
            _ if term.body().is_some() => {}
            _ => walk::inside(self, term),
        }
    }

    fn literal(&mut self, literal: &Literal) {
        let closed = matches!(
            literal.kind,
            Statement::NotBody(_) | Statement::And(..) | Statement::Or(..)
        );
        if !closed {
            walk::statement(self, literal);
        }
    }

    fn every(&mut self, every: &Every) {
        self.term(&every.domain);
    }
}
