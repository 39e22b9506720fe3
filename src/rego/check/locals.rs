//! Local names: declared once, not behind their first use, used at all, and never what is called.
//!
//! OPA notes for each name how it was met first and how often, as it goes through a body from left to right, the
//! right side of an assignment first. The order matters for what it refuses, so it is the same here. It looks at the
//! author's tree: the names are still his.

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, mentions::anywhere};
use crate::rego::{
    lower::{Names, declared, every_variable},
    syntax::ast::{Body, Every, Import, Kind, Literal, Makes, Op, Part, Pos, Rule, Statement, Term, Tree},
};

/// How a name was met first in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Argument,
    Seen,
    Assigned,
    Declared,
}

#[derive(Debug, Clone, Copy)]
struct Local {
    met: Met,
    count: usize,
    pos: Pos,
}

type Scope = BTreeMap<String, Local>;

/// Checks every rule of a module; with `strict` also that nothing is unused.
pub(super) fn check(tree: &Tree, names: &Names, strict: bool, report: &mut Report) {
    let mut walk = Walk::new(names, strict, report);
    for rule in &tree.rules {
        walk.rule(rule);
    }
    if strict {
        let used = std::mem::take(&mut walk.used);
        for import in &tree.imports {
            unused_import(import, &used, report);
        }
    }
}

/// The same for a query.
pub(super) fn query(body: &Body, report: &mut Report) {
    let names = Names::default();
    Walk::new(&names, false, report).body(body, &BTreeSet::new());
}

fn unused_import(import: &Import, used: &BTreeSet<String>, report: &mut Report) {
    let root = import.path.first().map(String::as_str);
    let (Some("data" | "input"), Some(name)) = (root, import.alias.as_ref().or(import.path.last())) else {
        return;
    };
    if !used.contains(name) {
        let what = format!("{} unused", super::imports::shown(import));
        report.add("rego_compile_error", import.pos, what, "take the import away");
    }
}

struct Walk<'a> {
    names: &'a Names,
    strict: bool,
    report: &'a mut Report,
    scopes: Vec<Scope>,
    /// What the bodies around declare: no import or rule is meant by these, wherever they stand.
    own: Vec<BTreeSet<String>>,
    /// Imports and rules that are meant by a short name.
    used: BTreeSet<String>,
    /// Whether this rule has a fault: then OPA does not look for what is unused.
    wrong: bool,
}

impl<'a> Walk<'a> {
    fn new(names: &'a Names, strict: bool, report: &'a mut Report) -> Self {
        Self {
            names,
            strict,
            report,
            scopes: vec![Scope::new()],
            own: Vec::new(),
            used: BTreeSet::new(),
            wrong: false,
        }
    }

    fn fault(&mut self, pos: Pos, what: impl Into<String>, instead: &str) {
        self.wrong = true;
        self.report.add("rego_compile_error", pos, what, instead);
    }

    fn rule(&mut self, rule: &Rule) {
        self.wrong = false;
        let mut args = Scope::new();
        let mut bound = BTreeSet::new();
        for arg in rule.head.args.iter().flatten() {
            self.argument(arg, &mut args);
            every_variable(arg, &mut bound);
        }
        bound.remove("_");
        let mut unused = bound.clone();
        self.own = vec![bound];
        let head = &rule.head;
        let mut terms: Vec<&Term> = head.path.iter().skip(1).collect();
        if let Makes::Value(Some(term)) | Makes::Item(term) = &head.makes {
            terms.push(term);
        }
        self.branch(&terms, rule.body.as_ref(), &args, &mut unused);
        for branch in &rule.elses {
            let value: Vec<&Term> = branch.value.iter().collect();
            self.branch(&value, branch.body.as_ref(), &args, &mut unused);
        }
        if self.strict {
            for name in unused {
                let what = format!("unused argument {name}. (hint: use _ (wildcard variable) instead)");
                self.fault(head.pos, what, "write `_` for an argument that is not needed");
            }
        }
        self.own.clear();
    }

    /// A body with the terms of its head.
    fn branch(&mut self, head: &[&Term], body: Option<&Body>, args: &Scope, unused: &mut BTreeSet<String>) {
        let mut used = BTreeSet::new();
        for term in head {
            anywhere(term, &mut used);
        }
        unused.retain(|name| !used.contains(name));
        self.own
            .push(body.map(Vec::as_slice).map(declared).unwrap_or_default());
        for term in head {
            self.head(term);
        }
        self.scopes = vec![args.clone()];
        if let Some(body) = body {
            self.body(body, &used);
        }
        let scope = self.scopes.pop().unwrap_or_default();
        unused.retain(|name| scope.get(name).is_none_or(|local| local.count < 2));
        self.own.pop();
    }

    fn argument(&mut self, term: &Term, args: &mut Scope) {
        match &term.kind {
            Kind::Var(name) if name == "data" || name == "input" => {
                let what = format!("args must not shadow {name} (use a different variable name)");
                self.fault(term.pos, what, "give the argument another name");
            }
            Kind::Var(name) if name != "_" => {
                let local = Local {
                    met: Met::Argument,
                    count: 0,
                    pos: term.pos,
                };
                args.entry(name.clone()).or_insert(local).count += 1;
            }
            Kind::Array(items) => items.iter().for_each(|item| self.argument(item, args)),
            Kind::Object(pairs) => pairs.iter().for_each(|(_, value)| self.argument(value, args)),
            Kind::Call(..) | Kind::Infix(..) => {
                let what = "rule arguments cannot contain calls";
                self.fault(term.pos, what, "compare with it in the body");
            }
            _ => {}
        }
    }

    /// A term of a head: only its closures have names of their own.
    fn head(&mut self, term: &Term) {
        if term.body().is_some() {
            self.scopes = vec![Scope::new()];
            self.term(term);
            return;
        }
        if let Kind::Var(name) = &term.kind {
            self.global(name);
        }
        if let Kind::Call(function, _) = &term.kind
            && let Some(names) = function.names()
            && let Some(first) = names.first()
            && self.own.iter().any(|own| own.contains(*first))
        {
            let what = format!("undefined function {}", names.join("."));
            let instead = "give the variable or argument another name";
            self.report.add("rego_type_error", function.pos, what, instead);
        }
        if let Kind::Template(_) = &term.kind {
            self.scopes = vec![Scope::new()];
            self.term(term);
        }
        for inner in term.inner() {
            self.head(inner);
        }
    }

    /// Statements in the innermost scope; `used` are names that what stands around needs.
    fn body(&mut self, body: &Body, used: &BTreeSet<String>) {
        for literal in body {
            self.literal(literal);
        }
        for (met, word) in [(Met::Assigned, "assigned"), (Met::Declared, "declared")] {
            if self.wrong || met == Met::Assigned && !self.strict {
                continue;
            }
            let scope = self.scopes.last().into_iter().flatten();
            let unused =
                scope.filter(|(name, local)| local.met == met && local.count < 2 && !used.contains(*name));
            let unused: Vec<(String, Pos)> = unused.map(|(name, local)| (name.clone(), local.pos)).collect();
            for (name, pos) in unused {
                let what = format!("{word} var {name} unused");
                self.fault(
                    pos,
                    what,
                    "use it, or take it away; a value that is not needed is `_`",
                );
            }
        }
    }

    /// A body with a scope of its own.
    fn inner(&mut self, body: &Body, used: &BTreeSet<String>, terms: &[&Term]) {
        self.own.push(declared(body));
        self.scopes.push(Scope::new());
        self.body(body, used);
        for term in terms {
            self.term(term);
        }
        self.scopes.pop();
        self.own.pop();
    }

    fn literal(&mut self, literal: &Literal) {
        match &literal.kind {
            Statement::Expr(Term {
                kind: Kind::Infix(Op::Assign, left, right),
                ..
            }) => {
                self.term(right);
                for with in &literal.with {
                    self.term(&with.value);
                }
                self.assigned(left, literal.pos);
                return;
            }
            Statement::Expr(term) => self.term(term),
            Statement::Not(term) => {
                if let Kind::Infix(Op::Assign, ..) = &term.kind {
                    let what = "cannot assign vars inside negated expression";
                    self.fault(literal.pos, what, "assign before the `not`");
                    return;
                }
                self.term(term);
            }
            Statement::NotBody(body) => self.inner(body, &BTreeSet::new(), &[]),
            Statement::And(left, right) | Statement::Or(left, right) => {
                self.inner(left, &BTreeSet::new(), &[]);
                self.inner(right, &BTreeSet::new(), &[]);
            }
            Statement::Some(names) => {
                for (_, name) in names {
                    self.declare(name, Met::Declared, literal.pos);
                }
            }
            Statement::SomeIn(key, value, collection) => {
                let mut found = BTreeSet::new();
                for term in key.iter().chain([value]) {
                    every_variable(term, &mut found);
                }
                for name in &found {
                    self.declare(name, Met::Declared, literal.pos);
                }
                for term in key.iter().chain([value, collection]) {
                    self.term(term);
                }
            }
            Statement::Every(every) => self.every(every, literal.pos),
        }
        for with in &literal.with {
            self.term(&with.target);
            self.term(&with.value);
        }
    }

    fn every(&mut self, every: &Every, pos: Pos) {
        self.term(&every.domain);
        let names = every.key.iter().chain([&every.value]).filter_map(Term::as_var);
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        self.scopes.push(Scope::new());
        for name in &names {
            self.declare(name, Met::Declared, pos);
        }
        self.own.push(names);
        self.own.push(declared(&every.body));
        self.body(&every.body, &BTreeSet::new());
        self.own.truncate(self.own.len().saturating_sub(2));
        self.scopes.pop();
    }

    /// The left side of `:=`.
    fn assigned(&mut self, pattern: &Term, pos: Pos) {
        match &pattern.kind {
            Kind::Var(name) if name == "data" || name == "input" => {
                if self.report.v1 {
                    let what = format!("variables must not shadow {name} (use a different variable name)");
                    self.fault(pos, what, "give the variable another name");
                }
            }
            Kind::Var(name) => self.declare(name, Met::Assigned, pos),
            Kind::Array(items) => items.iter().for_each(|item| self.assigned(item, pos)),
            Kind::Object(pairs) => pairs.iter().for_each(|(_, value)| self.assigned(value, pos)),
            other => {
                let what = format!("cannot assign to {}", kind(other));
                self.fault(pattern.pos, what, "compare with `==`, or assign to a name");
            }
        }
    }

    fn declare(&mut self, name: &str, met: Met, pos: Pos) {
        if name == "_" {
            return;
        }
        let before = self.scopes.last().and_then(|scope| scope.get(name));
        let what = match before.map(|local| local.met) {
            Some(Met::Seen) => format!("var {name} referenced above"),
            Some(Met::Assigned) => format!("var {name} assigned above"),
            Some(Met::Declared) => format!("var {name} declared above"),
            Some(Met::Argument) => format!("arg {name} redeclared"),
            None => {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.insert(name.to_owned(), Local { met, count: 1, pos });
                }
                return;
            }
        };
        self.fault(pos, what, "give one of them another name, or compare with `==`");
    }

    fn term(&mut self, term: &Term) {
        if let Some(body) = term.body() {
            let terms = term.inner();
            let mut used = BTreeSet::new();
            for inner in &terms {
                anywhere(inner, &mut used);
            }
            self.inner(body, &used, &terms);
            return;
        }
        match &term.kind {
            Kind::Var(name) => self.met(name, term.pos),
            Kind::Call(function, args) => {
                self.called(function);
                for arg in args {
                    self.term(arg);
                }
            }
            Kind::Template(parts) => {
                for part in parts {
                    if let Part::Expr(literal) = part {
                        self.literal(literal);
                    }
                }
            }
            _ => {
                for inner in term.inner() {
                    self.term(inner);
                }
            }
        }
    }

    /// Functions are no values: a local of the name cannot be called.
    fn called(&mut self, function: &Term) {
        let names = function.names().unwrap_or_default();
        let Some(first) = names.first() else {
            return;
        };
        let local = self.scopes.iter().rev().find_map(|scope| scope.get(*first));
        let shadowed = local.is_some_and(|local| local.met != Met::Seen);
        if shadowed && !self.is_global(first) {
            let what = format!("called function {} shadowed", names.join("."));
            self.fault(function.pos, what, "give the variable or argument another name");
        }
        self.met(first, function.pos);
    }

    fn met(&mut self, name: &str, pos: Pos) {
        if name == "_" || name == "data" || name == "input" && !self.names.knows(name) || self.global(name) {
            return;
        }
        let known = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name));
        if let Some(local) = known {
            local.count += 1;
        } else if let Some(scope) = self.scopes.last_mut() {
            let met = Met::Seen;
            scope.insert(name.to_owned(), Local { met, count: 1, pos });
        }
    }

    fn is_global(&self, name: &str) -> bool {
        self.names.knows(name) && !self.own.iter().any(|names| names.contains(name))
    }

    /// Whether a rule or an import is meant; it is used then.
    fn global(&mut self, name: &str) -> bool {
        let global = self.is_global(name);
        if global {
            self.used.insert(name.to_owned());
        }
        global
    }
}

/// OPA's name of what cannot be assigned to.
const fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool(_) => "boolean",
        Kind::Number(_) => "number",
        Kind::Text(_) => "string",
        Kind::Template(_) => "templatestring",
        Kind::Var(_) => "var",
        Kind::Ref(_) => "ref",
        Kind::Call(..) | Kind::Infix(..) | Kind::InKey(_) => "call",
        Kind::Array(_) => "array",
        Kind::Object(_) => "object",
        Kind::Set(_) => "set",
        Kind::ArrayOf(..) => "arraycomprehension",
        Kind::SetOf(..) => "setcomprehension",
        Kind::ObjectOf(..) => "objectcomprehension",
    }
}
