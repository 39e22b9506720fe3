//! Which variables a term needs, which it can bind, and which stand inside its closures.

use std::collections::BTreeSet;

use crate::rego::{
    lower::{Signatures, declared},
    syntax::ast::{Body, Kind, Literal, Op, Pos, Statement, Term},
};

pub(super) type Names = BTreeSet<String>;

/// What a statement asks of its variables.
#[derive(Debug, Default, Clone)]
pub(super) struct Uses {
    /// Must have a value before; with a place for the message.
    pub(super) needs: Vec<(String, Pos)>,
    /// Get one, once the needs are met.
    pub(super) binds: Names,
    /// Stand in closures: if the body around binds them, that comes first.
    pub(super) closed: Names,
}

impl Uses {
    /// A term whose value is wanted.
    pub(super) fn value(&mut self, term: &Term) {
        match &term.kind {
            Kind::Var(name) => self.need(name, term.pos),
            Kind::Ref(parts) => self.reference(parts),
            Kind::Call(_, args) => {
                for arg in args {
                    self.value(arg);
                }
            }
            Kind::ArrayOf(..) | Kind::SetOf(..) | Kind::ObjectOf(..) => closed(term, &mut self.closed),
            Kind::Infix(..)
            | Kind::InKey(_)
            | Kind::Array(_)
            | Kind::Set(_)
            | Kind::Object(_)
            | Kind::Template(_)
            | Kind::Null
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::Text(_) => {
                for inner in term.inner() {
                    self.value(inner);
                }
            }
        }
    }

    /// A replacement; it may be the name of a builtin.
    fn with(&mut self, term: &Term) {
        let function = Signatures::default();
        let names = term.names().unwrap_or_default();
        if function.arity(&names).is_none() {
            self.value(term);
        }
    }

    fn need(&mut self, name: &str, pos: Pos) {
        if name != "data" && name != "input" {
            self.needs.push((name.to_owned(), pos));
        }
    }

    /// What stands in brackets runs over the keys, where it has no value yet.
    fn reference(&mut self, parts: &[Term]) {
        for (at, part) in parts.iter().enumerate() {
            if at == 0 {
                self.value(part);
            } else {
                self.pattern(part);
            }
        }
    }

    /// A term that another is matched with: its variables get values.
    pub(super) fn pattern(&mut self, term: &Term) {
        match &term.kind {
            Kind::Var(name) => {
                if name != "data" && name != "input" {
                    self.binds.insert(name.clone());
                }
            }
            Kind::Array(items) => {
                for item in items {
                    self.pattern(item);
                }
            }
            Kind::Object(pairs) => {
                for (key, value) in pairs {
                    self.value(key);
                    self.pattern(value);
                }
            }
            _ => self.value(term),
        }
    }
}

/// One statement as parts that can be met one after the other, each in one of several ways.
pub(super) fn parts(literal: &Literal) -> Vec<Vec<Uses>> {
    if let Statement::Expr(Term {
        kind: Kind::Infix(Op::Assign | Op::Unify, left, right),
        ..
    }) = &literal.kind
    {
        let mut base = Uses::default();
        for with in &literal.with {
            base.with(&with.value);
        }
        let mut parts = Vec::new();
        unified(left, right, &base, &mut parts);
        return parts;
    }
    vec![ways(literal)]
}

/// The ways of a statement that is no unification: each binds what the other side knows.
fn ways(literal: &Literal) -> Vec<Uses> {
    let mut base = Uses::default();
    for with in &literal.with {
        base.with(&with.value);
    }
    match &literal.kind {
        Statement::Expr(Term {
            kind: Kind::Call(function, args),
            ..
        }) if function.as_var() == Some("walk") && args.len() == 2 => {
            if let [of, found] = args.as_slice() {
                base.value(of);
                base.pattern(found);
            }
            vec![base]
        }
        Statement::Expr(term) => {
            base.value(term);
            vec![base]
        }
        Statement::Not(term) => {
            base.value(term);
            // Nothing gets a value by what does not hold.
            let pos = term.pos;
            let binds = std::mem::take(&mut base.binds);
            base.needs.extend(binds.into_iter().map(|name| (name, pos)));
            vec![base]
        }
        Statement::Some(_) => vec![base],
        Statement::SomeIn(key, value, collection) => {
            base.value(collection);
            for term in key.iter().chain([value]) {
                base.pattern(term);
            }
            vec![base]
        }
        Statement::Every(every) => {
            base.value(&every.domain);
            let mut inner = Names::new();
            all(&every.body, &mut inner);
            for name in every.key.iter().chain([&every.value]).filter_map(Term::as_var) {
                inner.remove(name);
            }
            base.closed.extend(inner);
            vec![base]
        }
        // Lowered before.
        Statement::NotBody(_) | Statement::And(..) | Statement::Or(..) => vec![base],
    }
}

/// Both ways of a unification; arrays of one length are matched item by item, objects by their constant keys.
fn unified(left: &Term, right: &Term, base: &Uses, parts: &mut Vec<Vec<Uses>>) {
    match (&left.kind, &right.kind) {
        (Kind::Array(lefts), Kind::Array(rights)) if lefts.len() == rights.len() => {
            for (left, right) in lefts.iter().zip(rights) {
                unified(left, right, base, parts);
            }
        }
        (Kind::Object(lefts), Kind::Object(rights)) if same_keys(lefts, rights) => {
            for (key, left) in lefts {
                let other = rights.iter().find(|(name, _)| name.as_text() == key.as_text());
                if let Some((_, right)) = other {
                    unified(left, right, base, parts);
                }
            }
        }
        _ => {
            let mut rightward = base.clone();
            rightward.value(right);
            rightward.pattern(left);
            let mut leftward = base.clone();
            leftward.value(left);
            leftward.pattern(right);
            parts.push(vec![rightward, leftward]);
        }
    }
}

fn same_keys(lefts: &[(Term, Term)], rights: &[(Term, Term)]) -> bool {
    lefts.len() == rights.len()
        && lefts.iter().all(|(key, _)| {
            key.as_text().is_some() && rights.iter().any(|(name, _)| name.as_text() == key.as_text())
        })
}

/// The variables of a closure, wherever they stand in it.
fn closed(term: &Term, found: &mut Names) {
    for inner in term.inner() {
        anywhere(inner, found);
    }
    if let Some(body) = term.body() {
        all(body, found);
    }
    found.remove("_");
    // What it declares is its own.
    if let Some(body) = term.body() {
        for name in declared(body) {
            found.remove(&name);
        }
    }
}

fn all(body: &Body, found: &mut Names) {
    let mut inner = Names::new();
    for literal in body {
        for way in parts(literal).into_iter().flatten() {
            inner.extend(way.needs.into_iter().map(|(name, _)| name));
            inner.extend(way.binds);
            inner.extend(way.closed);
        }
    }
    for name in declared(body) {
        inner.remove(&name);
    }
    inner.remove("_");
    found.extend(inner);
}

fn anywhere(term: &Term, found: &mut Names) {
    let mut uses = Uses::default();
    uses.value(term);
    found.extend(uses.needs.into_iter().map(|(name, _)| name));
    found.extend(uses.binds);
    found.extend(uses.closed);
}
