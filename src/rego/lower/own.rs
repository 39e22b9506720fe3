//! A rule of the own package is read by its name alone.
//!
//! At the first reference to each `data.…` rule the engine walks all modules for packages that could stand there,
//! which costs more than most rules do. A bare name it takes as this package's, without looking. So a name is bare
//! where nothing else can be meant: no package stands behind it, and no variable of the rule has it.

use std::collections::BTreeSet;

use crate::rego::syntax::{
    ast::{Every, Kind, Pos, Rule, Term, Tree},
    names::KEYWORDS,
    walk::{self, Change, Visit},
};

/// The rules of each package that a bare name can mean.
#[derive(Debug)]
pub(super) struct Own<'a> {
    package: &'a [String],
    names: BTreeSet<String>,
}

impl<'a> Own<'a> {
    /// Of this package among all modules.
    pub(super) fn of(package: &'a [String], trees: &[Tree]) -> Self {
        let mut names = BTreeSet::new();
        let mut more = BTreeSet::new();
        for rule in trees
            .iter()
            .filter(|tree| tree.package == package)
            .flat_map(|tree| &tree.rules)
        {
            let Some(name) = rule.head.path.first().and_then(Term::as_var) else {
                continue;
            };
            if rule.head.path.len() == 1 && rule.head.args.is_none() {
                names.insert(name);
            } else {
                more.insert(name);
            }
        }
        let behind = |name: &str| {
            trees.iter().any(|tree| {
                tree.package.starts_with(package)
                    && tree.package.get(package.len()).is_some_and(|part| part == name)
            })
        };
        names.retain(|name| {
            !more.contains(name)
                && !KEYWORDS.contains(name)
                && !matches!(*name, "data" | "input")
                && !behind(name)
        });
        Self {
            package,
            names: names.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Writes a rule's references so.
    pub(super) fn write(&self, rule: &mut Rule) {
        // A rule whose first name is a keyword stands in a module of its own, where bare names mean others.
        let odd = rule
            .head
            .path
            .first()
            .and_then(Term::as_var)
            .is_some_and(|name| KEYWORDS.contains(&name));
        if odd {
            return;
        }
        let mut variables = Variables::default();
        walk::rule(&mut variables, rule);
        let variables = &variables.0;
        walk::change_rule(&mut Shorten { own: self, variables }, rule);
    }

    fn name<'t>(&self, term: &'t Term) -> Option<&'t str> {
        let Kind::Ref(parts) = &term.kind else { return None };
        let (root, rest) = parts.split_first()?;
        let inside = root.as_var() == Some("data")
            && rest.len() > self.package.len()
            && rest
                .iter()
                .zip(self.package)
                .all(|(part, name)| part.as_text() == Some(name));
        let name = rest.get(self.package.len()).and_then(Term::as_text)?;
        (inside && self.names.contains(name)).then_some(name)
    }
}

/// `data.package.name[k]` as `name[k]`.
fn shorten(term: &mut Term, name: Term, package: usize) {
    let Kind::Ref(parts) = &mut term.kind else { return };
    parts.splice(..package + 2, [name]);
    if let [only] = parts.as_slice() {
        term.kind = only.kind.clone();
    }
}

/// Every name that a rule uses for something of its own; called functions have none.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeSet<String>);

impl Variables {
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

impl Visit for Variables {
    fn term(&mut self, term: &Term) {
        match &term.kind {
            Kind::Var(name) => {
                self.0.insert(name.clone());
            }
            Kind::Call(_, args) => args.iter().for_each(|arg| self.term(arg)),
            _ => walk::inside(self, term),
        }
    }

    fn every(&mut self, every: &Every) {
        for term in every.key.iter().chain([&every.value, &every.domain]) {
            self.term(term);
        }
        walk::body(self, &every.body);
    }

    fn some(&mut self, name: &str, _pos: Pos) {
        self.0.insert(name.to_owned());
    }
}

/// Writes references, the inner ones first; called functions keep their whole names.
struct Shorten<'a> {
    own: &'a Own<'a>,
    variables: &'a BTreeSet<String>,
}

impl Change for Shorten<'_> {
    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            Kind::Call(_, args) => args.iter_mut().for_each(|arg| self.term(arg)),
            _ => walk::change_inside(self, term),
        }
        if let Some(name) = self.own.name(term)
            && !self.variables.contains(name)
        {
            let name = Term::var(term.pos, name);
            shorten(term, name, self.own.package.len());
        }
    }
}
