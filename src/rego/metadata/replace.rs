//! Finds the calls, and writes what they answer in their place.

use serde_json::Value;

use super::chain::{Asked, Set};
use crate::rego::syntax::{
    ast::{Kind, Op, Pos, Rule, Term, Tree},
    walk::{self, Change, Visit},
};

/// Whether a module calls one of the two functions.
pub(super) fn asks(tree: &Tree) -> bool {
    struct Asks(bool);
    impl Visit for Asks {
        fn term(&mut self, term: &Term) {
            self.0 |= called(term).is_some();
            walk::inside(self, term);
        }
    }
    let mut asks = Asks(false);
    for rule in &tree.rules {
        walk::rule(&mut asks, rule);
    }
    asks.0
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
    struct Each<'a, 'b> {
        instead: &'a mut Instead<'b>,
        is_else: bool,
    }
    impl Change for Each<'_, '_> {
        fn term(&mut self, term: &mut Term) {
            match (self.instead)(term, self.is_else) {
                Some(other) => *term = other,
                None => walk::change_inside(self, term),
            }
        }

        fn otherwise(&mut self) {
            self.is_else = true;
        }
    }
    let is_else = false;
    walk::change_rule(&mut Each { instead, is_else }, rule);
}
