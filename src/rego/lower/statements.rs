//! Statements in the plain form.

use std::collections::BTreeSet;

use super::{every, packages, signatures::Signatures};
use crate::rego::syntax::ast::{Body, Kind, Literal, Op, Part, Pos, Statement, Term, With};

/// Lowers a body.
pub(super) fn body(body: Body, signatures: &Signatures) -> Body {
    let mut lower = Lower::new(signatures);
    lower.body(body)
}

/// Makes new names and gathers the statements that must stand before the present one.
#[derive(Debug)]
pub(super) struct Lower<'a> {
    made: usize,
    /// The variables of the bodies around, from the outside in.
    around: Vec<BTreeSet<String>>,
    pub(super) signatures: &'a Signatures,
}

impl<'a> Lower<'a> {
    pub(super) const fn new(signatures: &'a Signatures) -> Self {
        Self {
            made: 0,
            around: Vec::new(),
            signatures,
        }
    }

    /// A new variable.
    pub(super) fn fresh(&mut self, pos: Pos) -> Term {
        self.made += 1;
        Term::var(pos, format!("n{}__", self.made))
    }

    pub(super) fn body(&mut self, body: Body) -> Body {
        self.enter(&body);
        let out = self.statements(body);
        self.leave();
        out
    }

    /// A body that was entered.
    pub(super) fn statements(&mut self, body: Body) -> Body {
        let mut out = Vec::with_capacity(body.len());
        for literal in body {
            self.literal(literal, &mut out);
        }
        out
    }

    /// What is lowered next may use the variables of a body.
    pub(super) fn enter(&mut self, body: &[Literal]) {
        self.around.push(every::variables(body));
    }

    pub(super) fn leave(&mut self) {
        self.around.pop();
    }

    fn literal(&mut self, mut literal: Literal, out: &mut Body) {
        for with in &mut literal.with {
            self.term(&mut with.value);
        }
        let (pos, with) = (literal.pos, literal.with);
        let kind = match literal.kind {
            Statement::Expr(mut term) => {
                self.term(&mut term);
                self.output(&mut term);
                self.keyed(&mut term);
                Statement::Expr(term)
            }
            Statement::Not(mut term) => {
                self.term(&mut term);
                // Its operands first: the call itself may be undefined.
                self.before_not(&mut term, &with, out);
                self.output(&mut term);
                self.keyed(&mut term);
                Statement::Not(term)
            }
            Statement::NotBody(body) => empty(pos, self.body(body)),
            Statement::And(left, right) => {
                let left = some(pos, self.body(left));
                out.push(Literal {
                    pos,
                    kind: left,
                    with: with.clone(),
                });
                some(pos, self.body(right))
            }
            Statement::Or(left, right) => {
                let (left, right) = (self.body(left), self.body(right));
                let neither = vec![
                    Literal::new(pos, empty(pos, left)),
                    Literal::new(pos, empty(pos, right)),
                ];
                empty(pos, neither)
            }
            Statement::Some(names) => Statement::Some(names),
            Statement::SomeIn(mut key, mut value, mut collection) => {
                for term in key.iter_mut().chain([&mut value, &mut collection]) {
                    self.term(term);
                }
                Statement::SomeIn(key, value, collection)
            }
            Statement::Every(mut every) => {
                self.term(&mut every.domain);
                every.body = self.body(std::mem::take(&mut every.body));
                every::tie(&mut every, &self.around);
                Statement::Every(every)
            }
        };
        out.push(Literal { pos, kind, with });
    }

    /// `f(x, y)` for `y = f(x)`: the engine knows this form of its own functions alone.
    fn output(&self, term: &mut Term) {
        if let Kind::Infix(Op::Assign | Op::Unify, left, right) = &mut term.kind
            && let Kind::Call(function, args) = &mut right.kind
            && function.as_var() == Some("walk")
            && args.len() == 1
        {
            // The other way round: the engine runs over what `walk` finds in this form alone.
            args.push((**left).clone());
            *term = (**right).clone();
            return;
        }
        let Kind::Call(function, args) = &mut term.kind else {
            return;
        };
        let names = function.names().unwrap_or_default();
        if names == ["walk"] {
            return;
        }
        if self.signatures.arity(&names) == args.len().checked_sub(1)
            && let Some(last) = args.pop()
        {
            let call = Term::new(term.pos, Kind::Call(function.clone(), std::mem::take(args)));
            *term = Term::infix(term.pos, Op::Unify, last, call);
        }
    }

    /// `k, v in xs` as `xs[k] == v`, which holds of sets too.
    fn keyed(&self, term: &mut Term) {
        if let Kind::InKey(parts) = &term.kind
            && let [key, value, collection] = &**parts
            && matches!(
                collection.kind,
                Kind::Var(_) | Kind::Ref(_) | Kind::Array(_) | Kind::Set(_) | Kind::Object(_)
            )
        {
            let found = Kind::Ref(vec![collection.clone(), key.clone()]);
            *term = Term::infix(term.pos, Op::Equal, Term::new(term.pos, found), value.clone());
        }
    }

    /// Templates and bodies inside a term.
    pub(super) fn term(&mut self, term: &mut Term) {
        if let Kind::Call(_, args) = &mut term.kind {
            for arg in args {
                self.term(arg);
            }
        } else {
            for inner in term.inner_mut() {
                self.term(inner);
            }
            packages::whole(term, self);
        }
        if let Some(body) = term.body_mut() {
            *body = self.body(std::mem::take(body));
        }
        let pos = term.pos;
        operator(term);
        if let Kind::Template(parts) = &mut term.kind {
            let parts = std::mem::take(parts);
            let items = parts.into_iter().map(|part| match part {
                Part::Text(text) => Term::text(pos, text),
                Part::Expr(literal) => self.shown(*literal),
            });
            let items = Term::new(pos, Kind::Array(items.collect()));
            let function = Term::new(
                pos,
                Kind::Ref(vec![
                    Term::var(pos, "internal"),
                    Term::text(pos, "template_string"),
                ]),
            );
            term.kind = Kind::Call(Box::new(function), vec![items]);
        }
    }

    /// An expression of a template: the set of its one value, so that one without a value can be shown.
    fn shown(&mut self, mut literal: Literal) -> Term {
        let pos = literal.pos;
        let value = self.fresh(pos);
        if let Statement::Expr(term) = literal.kind {
            literal.kind = Statement::Expr(Term::infix(pos, Op::Assign, value.clone(), term));
        }
        let body = self.body(vec![literal]);
        Term::new(pos, Kind::SetOf(Box::new(value), body))
    }

    /// OPA takes the operands out of a negated call: where one is missing, the whole body is undefined. The
    /// engine would take `not` of it for true: `not input.age >= 18` would let in whoever gives no age.
    fn before_not(&mut self, term: &mut Term, with: &[With], out: &mut Body) {
        match &mut term.kind {
            Kind::Infix(Op::Equal | Op::Unify, left, right) => {
                for side in [left, right] {
                    self.side(side, with, out);
                }
            }
            Kind::Infix(_, left, right) => {
                for side in [left, right] {
                    self.operand(side, with, out);
                }
            }
            Kind::InKey(parts) => {
                for part in parts.iter_mut() {
                    self.operand(part, with, out);
                }
            }
            Kind::Call(_, args) => {
                for arg in args {
                    self.operand(arg, with, out);
                }
            }
            _ => self.side(term, with, out),
        }
    }

    /// What is called by the negated expression.
    fn operand(&mut self, term: &mut Term, with: &[With], out: &mut Body) {
        match &term.kind {
            Kind::Ref(_) | Kind::Call(..) | Kind::Infix(..) | Kind::InKey(_) => {
                self.hoist(term, with, out);
            }
            Kind::Var(name) if name == "input" || name == "data" => self.hoist(term, with, out),
            Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => {
                for inner in term.inner_mut() {
                    self.operand(inner, with, out);
                }
            }
            _ => {}
        }
    }

    /// A reference stays, but what it is indexed by is an operand; so are the items of collections.
    fn side(&mut self, term: &mut Term, with: &[With], out: &mut Body) {
        match &mut term.kind {
            Kind::Ref(parts) => {
                for (at, part) in parts.iter_mut().enumerate() {
                    if at > 0 || !matches!(part.kind, Kind::Var(_)) {
                        self.operand(part, with, out);
                    }
                }
            }
            Kind::Call(..) | Kind::Infix(..) | Kind::InKey(_) => self.hoist(term, with, out),
            Kind::Array(_) | Kind::Object(_) | Kind::Set(_) => {
                for inner in term.inner_mut() {
                    self.operand(inner, with, out);
                }
            }
            _ => {}
        }
    }

    fn hoist(&mut self, term: &mut Term, with: &[With], out: &mut Body) {
        let value = self.fresh(term.pos);
        let whole = std::mem::replace(term, value.clone());
        let mut literal = Literal::expr(Term::infix(whole.pos, Op::Assign, value, whole));
        literal.with = with.to_vec();
        out.push(literal);
    }
}

/// An operator on what may be of a wrong type is a call, which may be undefined.
fn operator(term: &mut Term) {
    let Kind::Infix(op, left, right) = &term.kind else {
        return;
    };
    let computes = matches!(op, Op::Plus | Op::Minus | Op::Times | Op::Divide | Op::Remainder);
    let joins = matches!(op, Op::Union | Op::Intersection);
    let number = |side: &Term| matches!(side.kind, Kind::Number(_));
    // Of a number or a text the engine's order is OPA's.
    let plain = |side: &Term| matches!(side.kind, Kind::Number(_) | Kind::Text(_));
    let orders = matches!(op, Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual);
    let called =
        joins || computes && !(number(left) && number(right)) || orders && !plain(left) && !plain(right);
    if !called {
        return;
    }
    let Kind::Infix(op, left, right) = std::mem::replace(&mut term.kind, Kind::Null) else {
        return;
    };
    let name = format!("operator_{}", op.names().1);
    let function = Kind::Ref(vec![Term::var(term.pos, "internal"), Term::text(term.pos, name)]);
    term.kind = Kind::Call(Box::new(Term::new(term.pos, function)), vec![*left, *right]);
}

/// `[1 | …] == []`: the body does not hold. A closure, so nothing of it is seen outside.
fn empty(pos: Pos, body: Body) -> Statement {
    Statement::Expr(compared(pos, Op::Equal, body))
}

/// `[1 | …] != []`: the body holds.
fn some(pos: Pos, body: Body) -> Statement {
    Statement::Expr(compared(pos, Op::NotEqual, body))
}

fn compared(pos: Pos, op: Op, body: Body) -> Term {
    let one = Term::new(pos, Kind::Number("1".into()));
    let all = Term::new(pos, Kind::ArrayOf(Box::new(one), body));
    let none = Term::new(pos, Kind::Array(Vec::new()));
    Term::infix(pos, op, all, none)
}
