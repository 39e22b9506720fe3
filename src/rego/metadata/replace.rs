//! Finds the calls, and writes what they answer in their place.

use serde_json::Value;

use super::chain::{Asked, Set};
use crate::rego::syntax::ast::{Body, Kind, Literal, Makes, Op, Part, Pos, Rule, Statement, Term, Tree};

/// Whether a module calls one of the two functions.
pub(super) fn asks(tree: &Tree) -> bool {
    let mut found = false;
    // Looking needs the walk that changes; policies are small and few ask.
    let mut copy = tree.clone();
    for rule in &mut copy.rules {
        each(rule, &mut |call, _| {
            found |= called(call).is_some();
            None
        });
    }
    found
}

/// Replaces the calls of one rule.
pub(super) fn rule(rule: &mut Rule, set: &Set, asked: &Asked<'_>) {
    each(rule, &mut |call, is_else| {
        let value = match called(call)? {
            Called::Chain => set.chain(asked, is_else),
            Called::Rule if is_else => Value::Object(serde_json::Map::new()),
            Called::Rule => set.own(asked),
        };
        let constant = constant(call.pos, &value);
        Some(match &call.kind {
            // `f(x)` for `x = f()`.
            Kind::Call(_, args) => match args.first() {
                Some(output) => Term::infix(call.pos, Op::Unify, output.clone(), constant),
                None => constant,
            },
            _ => constant,
        })
    });
}

enum Called {
    Chain,
    Rule,
}

fn called(term: &Term) -> Option<Called> {
    let Kind::Call(function, args) = &term.kind else {
        return None;
    };
    if args.len() > 1 {
        return None;
    }
    match function.names()?.as_slice() {
        ["rego", "metadata", "chain"] => Some(Called::Chain),
        ["rego", "metadata", "rule"] => Some(Called::Rule),
        _ => None,
    }
}

/// A value as a term.
fn constant(pos: Pos, value: &Value) -> Term {
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(value) => Kind::Bool(*value),
        Value::Number(number) => Kind::Number(number.to_string()),
        Value::String(text) => Kind::Text(text.clone()),
        Value::Array(items) => Kind::Array(items.iter().map(|item| constant(pos, item)).collect()),
        Value::Object(members) => {
            let pair =
                |(name, value): (&String, &Value)| (Term::text(pos, name.clone()), constant(pos, value));
            Kind::Object(members.iter().map(pair).collect())
        }
    };
    Term::new(pos, kind)
}

/// What takes a term's place, if anything; whether it stands in an `else`.
type Instead<'a> = dyn FnMut(&Term, bool) -> Option<Term> + 'a;

fn each(rule: &mut Rule, instead: &mut Instead<'_>) {
    let mut walk = Walk {
        instead,
        is_else: false,
    };
    for part in rule.head.path.iter_mut().skip(1) {
        walk.term(part);
    }
    if let Makes::Value(Some(term)) | Makes::Item(term) = &mut rule.head.makes {
        walk.term(term);
    }
    if let Some(body) = &mut rule.body {
        walk.body(body);
    }
    walk.is_else = true;
    for branch in &mut rule.elses {
        if let Some(value) = &mut branch.value {
            walk.term(value);
        }
        if let Some(body) = &mut branch.body {
            walk.body(body);
        }
    }
}

struct Walk<'a, 'b> {
    instead: &'a mut Instead<'b>,
    is_else: bool,
}

impl Walk<'_, '_> {
    fn body(&mut self, body: &mut Body) {
        for literal in body {
            self.literal(literal);
        }
    }

    fn literal(&mut self, literal: &mut Literal) {
        match &mut literal.kind {
            Statement::Expr(term) | Statement::Not(term) => self.term(term),
            Statement::NotBody(body) => self.body(body),
            Statement::And(left, right) | Statement::Or(left, right) => {
                self.body(left);
                self.body(right);
            }
            Statement::Some(_) => {}
            Statement::SomeIn(key, value, collection) => {
                for term in key.iter_mut().chain([value, collection]) {
                    self.term(term);
                }
            }
            Statement::Every(every) => {
                self.term(&mut every.domain);
                self.body(&mut every.body);
            }
        }
        for with in &mut literal.with {
            self.term(&mut with.value);
        }
    }

    fn term(&mut self, term: &mut Term) {
        if let Some(other) = (self.instead)(term, self.is_else) {
            *term = other;
            return;
        }
        if let Kind::Template(parts) = &mut term.kind {
            for part in parts {
                if let Part::Expr(literal) = part {
                    self.literal(literal);
                }
            }
        }
        for inner in term.inner_mut() {
            self.term(inner);
        }
        if let Some(body) = term.body_mut() {
            self.body(body);
        }
    }
}
