//! Base documents are read beside the input, as `input.data`; the input itself is `input.in`.
//!
//! Behind every reference into `data` the engine looks for rules: it walks all modules, so that reading one entry
//! of a table costs more than the rest of a small rule. Where no package stands on the way, no rule can: such a
//! reference is written as one into the input, which the engine just follows. `with` replaces both.

use std::collections::BTreeSet;

use super::resolve::{declared, every_variable};
use crate::rego::syntax::ast::{Body, Kind, Literal, Makes, Part, Rule, Statement, Term, Tree, With};

/// The keys of what the engine is given as its input.
pub(in crate::rego) const INPUT: &str = "in";
/// Base documents beside it.
pub(in crate::rego) const DATA: &str = "data";

/// Writes a plain module's references so.
pub(super) fn module(tree: &mut Tree, packages: &[Vec<String>]) {
    for rule in &mut tree.rules {
        Documents::over(packages).rule(rule);
    }
}

/// Writes a plain query's references so.
pub(super) fn query(body: &mut Body, packages: &[Vec<String>]) {
    Documents::over(packages).body(body);
}

struct Documents<'a> {
    packages: &'a [Vec<String>],
    /// Variables that have a value here, from the outside in.
    known: Vec<BTreeSet<String>>,
    /// Below `not`, a call whose argument is undefined is not what it is elsewhere.
    negated: bool,
}

impl<'a> Documents<'a> {
    const fn over(packages: &'a [Vec<String>]) -> Self {
        Self {
            packages,
            known: Vec::new(),
            negated: false,
        }
    }

    fn rule(&mut self, rule: &mut Rule) {
        let mut args = BTreeSet::new();
        for arg in rule.head.args.iter().flatten() {
            every_variable(arg, &mut args);
        }
        self.known.push(args);
        self.part(rule.body.as_mut(), |documents| {
            for term in rule.head.path.iter_mut().skip(1) {
                documents.term(term);
            }
            if let Makes::Value(Some(term)) | Makes::Item(term) = &mut rule.head.makes {
                documents.term(term);
            }
        });
        for branch in &mut rule.elses {
            self.part(branch.body.as_mut(), |documents| {
                if let Some(value) = &mut branch.value {
                    documents.term(value);
                }
            });
        }
        self.known.pop();
    }

    /// A body, and what is evaluated where it holds.
    fn part(&mut self, body: Option<&mut Body>, then: impl FnOnce(&mut Self)) {
        self.known.push(BTreeSet::new());
        for literal in body.into_iter().flatten() {
            self.literal(literal);
        }
        then(self);
        self.known.pop();
    }

    fn body(&mut self, body: &mut Body) {
        self.part(Some(body), |_| ());
    }

    fn literal(&mut self, literal: &mut Literal) {
        match &mut literal.kind {
            Statement::Expr(term) => self.term(term),
            Statement::Not(term) => {
                let outer = std::mem::replace(&mut self.negated, true);
                self.term(term);
                self.negated = outer;
            }
            Statement::NotBody(body) => self.body(body),
            Statement::Some(_) => {}
            Statement::SomeIn(_, _, collection) => self.term(collection),
            Statement::Every(every) => {
                self.term(&mut every.domain);
                self.body(&mut every.body);
            }
            Statement::And(left, right) | Statement::Or(left, right) => {
                self.body(left);
                self.body(right);
            }
        }
        let mut both = Vec::with_capacity(literal.with.len());
        for mut with in std::mem::take(&mut literal.with) {
            self.term(&mut with.value);
            both.extend(self.targets(with));
        }
        literal.with = both;
        if let Some(known) = self.known.last_mut()
            && !matches!(literal.kind, Statement::Some(_))
        {
            known.extend(declared(std::slice::from_ref(literal)));
        }
    }

    fn term(&mut self, term: &mut Term) {
        if let Kind::ArrayOf(head, body) | Kind::SetOf(head, body) = &mut term.kind {
            return self.part(Some(body), |documents| documents.term(head));
        }
        if let Kind::ObjectOf(head, body) = &mut term.kind {
            return self.part(Some(body), |documents| {
                documents.term(&mut head.0);
                documents.term(&mut head.1);
            });
        }
        if let Kind::Template(parts) = &mut term.kind {
            for part in parts {
                if let Part::Expr(literal) = part {
                    self.literal(literal);
                }
            }
        }
        let base = self.base(term);
        for inner in term.inner_mut() {
            self.term(inner);
        }
        if base {
            entry(term);
        } else if term.as_var() == Some("input") {
            term.kind = Kind::Ref(vec![Term::var(term.pos, "input"), Term::text(term.pos, INPUT)]);
        } else if let Kind::Ref(parts) = &mut term.kind {
            flatten(parts);
        }
    }

    /// Whether it reads a base document, by keys that all have a value here.
    fn base(&self, term: &Term) -> bool {
        let Kind::Ref(parts) = &term.kind else {
            return false;
        };
        let keys: Vec<&str> = parts.iter().skip(1).map_while(Term::as_text).collect();
        let constant = keys.len() + 1 == parts.len();
        parts.first().and_then(Term::as_var) == Some("data")
            && !keys.is_empty()
            && !self.packages.iter().any(|package| meet(package, &keys))
            && (constant || !self.negated && parts.iter().skip(1).all(|part| self.has_value(part)))
    }

    fn has_value(&self, term: &Term) -> bool {
        match &term.kind {
            Kind::Number(_) | Kind::Text(_) => true,
            Kind::Var(name) => {
                matches!(name.as_str(), "input" | "data")
                    || self.known.iter().any(|names| names.contains(name))
            }
            Kind::Ref(parts) => parts.iter().all(|part| self.has_value(part)),
            _ => false,
        }
    }

    /// What a `with` replaces, in both places: what stands below `data` may be read in either.
    fn targets(&self, with: With) -> Vec<With> {
        let keys = match &with.target.kind {
            Kind::Ref(parts) => parts.iter().skip(1).map_while(Term::as_text).collect(),
            _ => Vec::new(),
        };
        let root = match &with.target.kind {
            Kind::Ref(parts) => parts.first().and_then(Term::as_var),
            _ => with.target.as_var(),
        };
        let mut beside = with.clone();
        match root {
            Some("data") => {
                let inside = |package: &Vec<String>| package.len() <= keys.len() && meet(package, &keys);
                if self.packages.iter().any(inside) {
                    return vec![with];
                }
                below(&mut beside.target, DATA);
                vec![with, beside]
            }
            Some("input") => {
                below(&mut beside.target, INPUT);
                vec![beside]
            }
            _ => vec![with],
        }
    }
}

/// Whether one leads to the other.
fn meet(package: &[String], keys: &[&str]) -> bool {
    package.iter().zip(keys).all(|(name, key)| name == key)
}

/// `data.x.y[k].z`, as far as its keys are constant names: `input.data.x.y`. Each further key is a call, since a
/// number names an entry of a base document as its text does.
fn entry(term: &mut Term) {
    let pos = term.pos;
    let Kind::Ref(parts) = &mut term.kind else { return };
    let constant = parts
        .iter()
        .skip(1)
        .take_while(|part| part.as_text().is_some())
        .count();
    let further = parts.split_off(constant + 1);
    below(term, DATA);
    for key in further {
        let parts = ["internal", "entry"].into_iter();
        let mut name = parts.enumerate().map(|(at, part)| match at {
            0 => Term::var(pos, part),
            _ => Term::text(pos, part),
        });
        let function = Term::new(pos, Kind::Ref(name.by_ref().collect()));
        let whole = std::mem::replace(&mut term.kind, Kind::Null);
        term.kind = Kind::Call(Box::new(function), vec![Term::new(pos, whole), key]);
    }
}

/// `data.x` as `input.data.x`, and `input.x` as `input.in.x`.
fn below(term: &mut Term, key: &str) {
    let head = [Term::var(term.pos, "input"), Term::text(term.pos, key)];
    if let Kind::Ref(parts) = &mut term.kind {
        parts.splice(..1, head);
    } else {
        term.kind = Kind::Ref(head.into());
    }
}

/// `(input.in).x` as `input.in.x`.
fn flatten(parts: &mut Vec<Term>) {
    if let Some(Term {
        kind: Kind::Ref(head),
        ..
    }) = parts.first()
    {
        let head = head.clone();
        parts.splice(..1, head);
    }
}
