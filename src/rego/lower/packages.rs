//! Packages as documents: every rule below is evaluated first, one by one.
//!
//! The bare engine evaluates the modules of such a document one after the other and takes every name below a package
//! for evaluated as soon as the first of its modules is. A rule of a later module that looks at another then finds
//! nothing there, and `not` over nothing lets somebody in.

use super::statements::Lower;
use crate::rego::syntax::ast::{Kind, Literal, Op, Pos, Term};

/// Replaces a reference to a package, or to what stands above packages, by one to its whole value.
pub(super) fn whole(term: &mut Term, lower: &mut Lower<'_>) {
    let pos = term.pos;
    let Kind::Ref(parts) = &mut term.kind else {
        return;
    };
    let Some((head, rest)) = parts.split_first() else {
        return;
    };
    if head.as_var() != Some("data") {
        return;
    }
    let path: Vec<&str> = rest.iter().map_while(Term::as_text).collect();
    let Some(rules) = lower.signatures.below(&path) else {
        return;
    };
    let constant = path.len() + 1;
    let rules: Vec<Term> = rules.into_iter().map(|rule| reference(pos, rule)).collect();
    let document = Term::new(pos, Kind::Ref(parts.iter().take(constant).cloned().collect()));
    let mut whole = vec![
        value(document, &rules, lower),
        Term::new(pos, Kind::Number("0".into())),
    ];
    whole.extend(parts.drain(constant..));
    term.kind = Kind::Ref(whole);
}

/// `[d | a := [v | v := data.p.q]; …; d := data.p]`
fn value(document: Term, rules: &[Term], lower: &mut Lower<'_>) -> Term {
    let pos = document.pos;
    let mut body = Vec::with_capacity(rules.len() + 1);
    for rule in rules {
        let (each, found) = (lower.fresh(pos), lower.fresh(pos));
        let inner = Literal::expr(Term::infix(pos, Op::Assign, found.clone(), rule.clone()));
        let all = Term::new(pos, Kind::ArrayOf(Box::new(found), vec![inner]));
        body.push(Literal::expr(Term::infix(pos, Op::Assign, each, all)));
    }
    let name = lower.fresh(pos);
    body.push(Literal::expr(Term::infix(
        pos,
        Op::Assign,
        name.clone(),
        document,
    )));
    Term::new(pos, Kind::ArrayOf(Box::new(name), body))
}

fn reference(pos: Pos, path: &[String]) -> Term {
    let names = path.iter().map(|name| Term::text(pos, name.clone()));
    Term::new(
        pos,
        Kind::Ref(std::iter::once(Term::var(pos, "data")).chain(names).collect()),
    )
}
