//! Names: locals hide rules, rules hide nothing else. What is left is a builtin or a variable.

use std::collections::{BTreeMap, BTreeSet};

use crate::rego::syntax::{
    ast::{Body, Every, Head, Kind, Literal, Makes, Op, Part, Rule, Statement, Term, Tree},
    names::KEYWORDS,
};

/// What the names of one module stand for, from `data` or `input` on.
#[derive(Debug, Default)]
pub(in crate::rego) struct Names {
    paths: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// Of a module among all modules: the rules of its package, and its imports.
    pub(in crate::rego) fn of(tree: &Tree, packages: &BTreeMap<Vec<String>, BTreeSet<String>>) -> Self {
        let mut paths = BTreeMap::new();
        for name in packages.get(&tree.package).into_iter().flatten() {
            let path = std::iter::once("data".to_owned())
                .chain(tree.package.iter().cloned())
                .chain([name.clone()]);
            paths.insert(name.clone(), path.collect());
        }
        for import in &tree.imports {
            let root = import.path.first().map(String::as_str);
            let name = import.alias.as_ref().or_else(|| import.path.last());
            if let (Some("data" | "input"), Some(name)) = (root, name) {
                paths.insert(name.clone(), import.path.clone());
            }
        }
        Self { paths }
    }

    /// Whether a short name stands for a rule or an import.
    pub(in crate::rego) fn knows(&self, name: &str) -> bool {
        self.paths.contains_key(name)
    }

    /// The first names of the rules of each package.
    pub(in crate::rego) fn packages<'a>(
        trees: impl Iterator<Item = &'a Tree>,
    ) -> BTreeMap<Vec<String>, BTreeSet<String>> {
        let mut packages: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
        for tree in trees {
            let known = packages.entry(tree.package.clone()).or_default();
            let first = |rule: &Rule| Some(rule.head.path.first()?.as_var()?.to_owned());
            known.extend(tree.rules.iter().filter_map(first));
        }
        packages
    }
}

pub(super) fn module(tree: &mut Tree, names: &Names) {
    for rule in &mut tree.rules {
        let mut scope = Scope {
            names,
            locals: Vec::new(),
            made: 0,
        };
        scope.rule(rule);
    }
}

pub(super) fn query(body: &mut Body) {
    let names = Names::default();
    let mut scope = Scope {
        names: &names,
        locals: Vec::new(),
        made: 0,
    };
    scope.body(body);
}

struct Scope<'a> {
    names: &'a Names,
    /// Declared names, from the outside in, each with the name it is written by.
    locals: Vec<BTreeMap<String, String>>,
    made: usize,
}

impl Scope<'_> {
    fn rule(&mut self, rule: &mut Rule) {
        let mut args = BTreeSet::new();
        for arg in rule.head.args.iter().flatten() {
            every_variable(arg, &mut args);
        }
        self.enter(args);
        self.enter(rule.body.as_deref().map(declared).unwrap_or_default());
        self.head(&mut rule.head);
        if let Some(body) = &mut rule.body {
            self.statements(body);
        }
        self.locals.pop();
        for branch in &mut rule.elses {
            self.enter(branch.body.as_deref().map(declared).unwrap_or_default());
            if let Some(value) = &mut branch.value {
                self.term(value);
            }
            if let Some(body) = &mut branch.body {
                self.statements(body);
            }
            self.locals.pop();
        }
        self.locals.pop();
    }

    /// Opens a scope. A name that hides one outside is written by a new one: the engine knows no hiding.
    fn enter(&mut self, names: BTreeSet<String>) {
        let mut scope = BTreeMap::new();
        for name in names {
            let written = if self.locals.iter().any(|outer| outer.contains_key(&name)) {
                self.made += 1;
                format!("{name}_{}__", self.made)
            } else {
                local(&name)
            };
            scope.insert(name, written);
        }
        self.locals.push(scope);
    }

    fn written(&self, name: &str) -> String {
        let inner = self.locals.iter().rev().find_map(|names| names.get(name));
        inner.cloned().unwrap_or_else(|| local(name))
    }

    fn head(&mut self, head: &mut Head) {
        for part in head.path.iter_mut().skip(1) {
            self.term(part);
        }
        for arg in head.args.iter_mut().flatten() {
            self.term(arg);
        }
        match &mut head.makes {
            Makes::Value(Some(term)) | Makes::Item(term) => self.term(term),
            Makes::Value(None) => {}
        }
    }

    /// A body with names of its own.
    fn body(&mut self, body: &mut Body) {
        self.enter(declared(body));
        self.statements(body);
        self.locals.pop();
    }

    fn statements(&mut self, body: &mut Body) {
        for literal in body {
            self.literal(literal);
        }
    }

    fn literal(&mut self, literal: &mut Literal) {
        match &mut literal.kind {
            Statement::Expr(term) | Statement::Not(term) => self.term(term),
            Statement::NotBody(body) => self.body(body),
            Statement::Some(names) => {
                for (_, name) in names {
                    *name = self.written(name);
                }
            }
            Statement::SomeIn(key, value, collection) => {
                if let Some(key) = key {
                    self.term(key);
                }
                self.term(value);
                self.term(collection);
            }
            Statement::Every(every) => self.every(every),
            Statement::And(left, right) | Statement::Or(left, right) => {
                self.body(left);
                self.body(right);
            }
        }
        for with in &mut literal.with {
            self.term(&mut with.target);
            self.term(&mut with.value);
        }
    }

    fn every(&mut self, every: &mut Every) {
        self.term(&mut every.domain);
        let own = every.key.iter().chain([&every.value]);
        let own = own.filter_map(Term::as_var).map(str::to_owned);
        self.enter(own.collect());
        for name in every.key.iter_mut().chain([&mut every.value]) {
            self.term(name);
        }
        self.body(&mut every.body);
        self.locals.pop();
    }

    fn term(&mut self, term: &mut Term) {
        if let Some(body) = term.body() {
            self.enter(declared(body));
            for inner in term.inner_mut() {
                self.term(inner);
            }
            if let Some(body) = term.body_mut() {
                self.statements(body);
            }
            self.locals.pop();
            return;
        }
        match &mut term.kind {
            Kind::Var(name) => {
                if let Some(path) = self.path(name) {
                    term.kind = reference(term, &path);
                } else {
                    *name = self.written(name);
                }
            }
            Kind::Ref(_) => {
                for inner in term.inner_mut() {
                    self.term(inner);
                }
                flatten(term);
            }
            Kind::Call(function, args) => {
                self.function(function);
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
                for inner in term.inner_mut() {
                    self.term(inner);
                }
            }
        }
    }

    /// What is called is a rule or a builtin, never a local.
    fn function(&self, function: &mut Term) {
        let Some(names) = function.names() else {
            return;
        };
        let first = names.first().copied().unwrap_or_default().to_owned();
        if let Some(path) = self.names.paths.get(&first) {
            let head = Term::new(function.pos, reference(function, path));
            match &mut function.kind {
                Kind::Ref(parts) => {
                    if let Some(first) = parts.first_mut() {
                        *first = head;
                    }
                    flatten(function);
                }
                _ => *function = head,
            }
        }
    }

    fn path(&self, name: &str) -> Option<Vec<String>> {
        if self.locals.iter().any(|names| names.contains_key(name)) {
            return None;
        }
        self.names.paths.get(name).cloned()
    }
}

/// A local name that the engine takes.
fn local(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        return format!("{name}__");
    }
    name.to_owned()
}

fn reference(at: &Term, path: &[String]) -> Kind {
    let mut parts = path.iter();
    let head = parts.next().map(|root| Term::var(at.pos, root.clone()));
    let rest: Vec<Term> = parts.map(|name| Term::text(at.pos, name.clone())).collect();
    match (head, rest.is_empty()) {
        (Some(head), true) => head.kind,
        (head, _) => Kind::Ref(head.into_iter().chain(rest).collect()),
    }
}

/// A reference whose head is a reference is one reference.
fn flatten(term: &mut Term) {
    if let Kind::Ref(parts) = &mut term.kind
        && let Some(Term {
            kind: Kind::Ref(inner),
            ..
        }) = parts.first()
    {
        let whole = inner.iter().chain(parts.iter().skip(1)).cloned().collect();
        term.kind = Kind::Ref(whole);
    }
}

/// The names that a body declares, for all of it.
pub(in crate::rego) fn declared(body: &[Literal]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for literal in body {
        match &literal.kind {
            Statement::Some(names) => found.extend(names.iter().map(|(_, name)| name.clone())),
            Statement::SomeIn(key, value, _) => {
                for term in key.iter().chain([value]) {
                    every_variable(term, &mut found);
                }
            }
            Statement::Expr(Term {
                kind: Kind::Infix(Op::Assign, left, _),
                ..
            }) => every_variable(left, &mut found),
            _ => {}
        }
    }
    found.remove("_");
    found
}

/// The variables of a pattern: not those inside references, calls and closures.
pub(in crate::rego) fn every_variable(pattern: &Term, found: &mut BTreeSet<String>) {
    match &pattern.kind {
        Kind::Var(name) if name != "data" && name != "input" => {
            found.insert(name.clone());
        }
        Kind::Array(items) => {
            for item in items {
                every_variable(item, found);
            }
        }
        Kind::Object(pairs) => {
            for (_, value) in pairs {
                every_variable(value, found);
            }
        }
        _ => {}
    }
}

/// The variables of a query in their order, without those of closures and those that begin with `_`.
pub(in crate::rego) fn variables(body: &Body) -> Vec<String> {
    let mut found = Vec::new();
    for literal in body {
        let mut terms: Vec<&Term> = Vec::new();
        match &literal.kind {
            Statement::Expr(term) => terms.push(term),
            Statement::SomeIn(key, value, collection) => {
                terms.extend(key.iter().chain([value, collection]));
            }
            _ => {}
        }
        for term in terms {
            gather(term, &mut found);
        }
    }
    found
}

fn gather(term: &Term, found: &mut Vec<String>) {
    if term.body().is_some() {
        return;
    }
    if let Kind::Var(name) = &term.kind
        && !name.starts_with('_')
        && name != "data"
        && name != "input"
        && !found.contains(name)
    {
        found.push(name.clone());
    }
    if let Kind::Call(_, args) = &term.kind {
        for arg in args {
            gather(arg, found);
        }
        return;
    }
    for inner in term.inner() {
        gather(inner, found);
    }
}
