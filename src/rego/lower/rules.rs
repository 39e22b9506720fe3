//! Rules in the plain form.

use super::{signatures::Signatures, statements::Lower};
use crate::rego::syntax::ast::{Body, Kind, Literal, Makes, Op, Rule, Term, Tree};

/// Lowers every rule of a module.
pub(super) fn lower(tree: &mut Tree, signatures: &Signatures) {
    for rule in &mut tree.rules {
        let mut lower = Lower::new(signatures);
        rule_of(rule, &mut lower);
    }
}

fn rule_of(rule: &mut Rule, lower: &mut Lower<'_>) {
    for branch in &mut rule.elses {
        lower.enter(branch.body.as_deref().unwrap_or_default());
        if let Some(value) = &mut branch.value {
            lower.term(value);
        }
        branch.body = branch.body.take().map(|body| lower.statements(body));
        lower.leave();
    }
    lower.enter(rule.body.as_deref().unwrap_or_default());
    rule.body = rule.body.take().map(|body| lower.statements(body));
    for part in rule.head.path.iter_mut().skip(1) {
        lower.term(part);
    }
    for arg in rule.head.args.iter_mut().flatten() {
        lower.term(arg);
    }
    match &mut rule.head.makes {
        Makes::Value(Some(term)) | Makes::Item(term) => lower.term(term),
        Makes::Value(None) => {}
    }
    if !rule.default && rule.head.args.is_none() {
        into_body(rule, lower);
    }
    lower.leave();
}

/// The engine ends a rule's loop where one item's head is undefined; OPA goes on. So what may be undefined in the
/// head of a rule with many results is bound in the body.
fn into_body(rule: &mut Rule, lower: &mut Lower<'_>) {
    let open = rule
        .head
        .path
        .iter()
        .skip(1)
        .any(|part| !matches!(part.kind, Kind::Text(_)));
    let item = matches!(rule.head.makes, Makes::Item(_));
    if !open && !item {
        return;
    }
    let mut more: Body = Vec::new();
    for part in rule.head.path.iter_mut().skip(1) {
        bind(part, lower, &mut more);
    }
    match &mut rule.head.makes {
        Makes::Value(Some(term)) | Makes::Item(term) => bind(term, lower, &mut more),
        Makes::Value(None) => {}
    }
    if !more.is_empty() {
        rule.body.get_or_insert_default().append(&mut more);
    }
}

fn bind(term: &mut Term, lower: &mut Lower<'_>, more: &mut Body) {
    if sure(term) {
        return;
    }
    let value = lower.fresh(term.pos);
    let whole = std::mem::replace(term, value.clone());
    more.push(Literal::expr(Term::infix(whole.pos, Op::Assign, value, whole)));
}

/// Whether it has a value wherever the body holds.
fn sure(term: &Term) -> bool {
    match &term.kind {
        Kind::Var(name) => name != "input" && name != "data",
        Kind::Null
        | Kind::Bool(_)
        | Kind::Number(_)
        | Kind::Text(_)
        | Kind::ArrayOf(..)
        | Kind::SetOf(..)
        | Kind::ObjectOf(..) => true,
        Kind::Array(_) | Kind::Set(_) | Kind::Object(_) => term.inner().into_iter().all(sure),
        Kind::Ref(_) | Kind::Call(..) | Kind::Infix(..) | Kind::InKey(_) | Kind::Template(_) => false,
    }
}
