//! Every variable must get its value from somewhere: OPA calls one that does not unsafe.

use super::{
    Report,
    variables::{Names, Uses, parts},
};
use crate::rego::syntax::ast::{Body, Literal, Makes, Pos, Rule, Statement, Term, Tree};

pub(super) fn check(tree: &Tree, report: &mut Report) {
    for rule in &tree.rules {
        rule_of(rule, report);
    }
}

pub(super) fn check_query(body: &Body, report: &mut Report) {
    let _ = bound(body, &Names::new(), report);
}

fn rule_of(rule: &Rule, report: &mut Report) {
    let mut args = Uses::default();
    for arg in rule.head.args.iter().flatten() {
        args.pattern(arg);
    }
    let given = args.binds;
    let none = Body::new();
    let known = bound(rule.body.as_ref().unwrap_or(&none), &given, report);
    let head = &rule.head;
    let mut terms: Vec<&Term> = head.path.iter().skip(1).collect();
    if let Makes::Value(Some(term)) | Makes::Item(term) = &head.makes {
        terms.push(term);
    }
    for term in terms {
        wanted(term, &known, report);
    }
    for branch in &rule.elses {
        let known = bound(branch.body.as_ref().unwrap_or(&none), &given, report);
        if let Some(value) = &branch.value {
            wanted(value, &known, report);
        }
    }
}

/// A term outside of a body: all of it must be known.
fn wanted(term: &Term, known: &Names, report: &mut Report) {
    let mut uses = Uses::default();
    uses.value(term);
    for (name, pos) in &uses.needs {
        if !known.contains(name) {
            unsafe_variable(name, *pos, report);
        }
    }
    let inside = known.union(&uses.binds).cloned().collect();
    closures(term, &inside, report);
}

/// What is known after a body; reports what never gets a value.
fn bound(body: &Body, given: &Names, report: &mut Report) -> Names {
    let mut known = given.clone();
    let statements: Vec<Vec<Uses>> = body.iter().flat_map(parts).collect();
    // What this body itself can bind must be there before the closures that mention it.
    let mut own = Names::new();
    for way in statements.iter().flatten() {
        own.extend(way.binds.iter().cloned());
    }
    let mut waiting: Vec<&Vec<Uses>> = statements.iter().collect();
    for own in [&own, &Names::new()] {
        settle(&mut waiting, &mut known, own);
    }
    for ways in waiting {
        // The way that lacks least is the one that the author meant.
        let lacks = |way: &Uses| {
            let missing = way.needs.iter().filter(|(name, _)| !known.contains(name));
            missing.cloned().collect::<Vec<_>>()
        };
        if let Some(missing) = ways.iter().map(lacks).min_by_key(Vec::len) {
            for (name, pos) in missing {
                unsafe_variable(&name, pos, report);
            }
        }
    }
    for literal in body {
        inside(literal, &known, report);
    }
    known
}

/// Meets every statement that can be met, again and again.
fn settle(waiting: &mut Vec<&Vec<Uses>>, known: &mut Names, own: &Names) {
    loop {
        let before = waiting.len();
        waiting.retain(|ways| {
            let Some(way) = ways.iter().find(|way| ready(way, known, own)) else {
                return true;
            };
            known.extend(way.binds.iter().filter(|name| *name != "_").cloned());
            false
        });
        if waiting.len() == before {
            return;
        }
    }
}

fn ready(way: &Uses, known: &Names, own: &Names) -> bool {
    let closed = way
        .closed
        .iter()
        .all(|name| known.contains(name) || !own.contains(name) || way.binds.contains(name));
    // A variable may be bound by one part of a statement and needed by another.
    let met = |name: &String| known.contains(name) || name != "_" && way.binds.contains(name);
    closed && way.needs.iter().all(|(name, _)| met(name))
}

/// The closures of a statement have bodies of their own.
fn inside(literal: &Literal, known: &Names, report: &mut Report) {
    match &literal.kind {
        Statement::Expr(term) | Statement::Not(term) => closures(term, known, report),
        Statement::SomeIn(key, value, collection) => {
            for term in key.iter().chain([value, collection]) {
                closures(term, known, report);
            }
        }
        Statement::Every(every) => {
            closures(&every.domain, known, report);
            let mut inner = known.clone();
            let own = every.key.iter().chain([&every.value]).filter_map(Term::as_var);
            inner.extend(own.map(str::to_owned));
            let _ = bound(&every.body, &inner, report);
        }
        Statement::Some(_) | Statement::NotBody(_) | Statement::And(..) | Statement::Or(..) => {}
    }
    for with in &literal.with {
        closures(&with.value, known, report);
    }
}

fn closures(term: &Term, known: &Names, report: &mut Report) {
    if let Some(body) = term.body() {
        let mut outer = known.clone();
        for name in crate::rego::lower::declared(body) {
            outer.remove(&name);
        }
        let inner = bound(body, &outer, report);
        for value in term.inner() {
            wanted(value, &inner, report);
        }
        return;
    }
    for inner in term.inner() {
        closures(inner, known, report);
    }
}

fn unsafe_variable(name: &str, pos: Pos, report: &mut Report) {
    report.add(
        "rego_unsafe_var_error",
        pos,
        format!("var {name} is unsafe"),
        "give it a value first: bind it in this body, or check the spelling of a rule or import",
    );
}
