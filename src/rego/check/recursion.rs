//! Rules must not depend on themselves: their value would have no end.

use std::{collections::BTreeMap, sync::Arc};

use super::{kinds, place};
use crate::rego::{
    fault::{Issue, Place},
    module::Module,
    syntax::ast::{Body, Kind, Literal, Makes, Part, Rule, Statement, Term, Tree},
};

type Path = Vec<String>;
/// A reference below `data`; what is not a constant text matches any name, a number none.
type Ask = Vec<Option<String>>;

struct Node {
    place: Place,
    asks: Vec<Ask>,
}

pub(super) fn check(modules: &[Arc<Module>], trees: &[Tree]) -> Vec<Issue> {
    let mut nodes: BTreeMap<Path, Node> = BTreeMap::new();
    for (module, tree) in modules.iter().zip(trees) {
        for rule in &tree.rules {
            let (path, _) = kinds::path(tree, rule);
            let node = nodes.entry(path).or_insert_with(|| Node {
                place: place(&module.id, rule.pos),
                asks: Vec::new(),
            });
            asked(rule, &mut node.asks);
        }
    }
    let mut search = Search {
        nodes: &nodes,
        done: BTreeMap::new(),
        way: Vec::new(),
        found: Vec::new(),
    };
    for path in nodes.keys() {
        search.visit(path);
    }
    search.found
}

struct Search<'a> {
    nodes: &'a BTreeMap<Path, Node>,
    /// Whether a rule is finished; one that is not stands on the way.
    done: BTreeMap<&'a Path, bool>,
    way: Vec<&'a Path>,
    found: Vec<Issue>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, path: &'a Path) {
        match self.done.get(path) {
            Some(true) => return,
            Some(false) => return self.cycle(path),
            None => {}
        }
        // Far deeper than any policy; it bounds the stack.
        if self.way.len() > 500 {
            return;
        }
        self.done.insert(path, false);
        self.way.push(path);
        let asks = self
            .nodes
            .get(path)
            .map(|node| node.asks.as_slice())
            .unwrap_or_default();
        for ask in asks {
            for next in targets(self.nodes, ask) {
                self.visit(next);
            }
        }
        self.way.pop();
        self.done.insert(path, true);
    }

    fn cycle(&mut self, path: &'a Path) {
        let names: Vec<String> = self
            .way
            .iter()
            .skip_while(|there| **there != path)
            .chain([&path])
            .map(|path| format!("data.{}", path.join(".")))
            .collect();
        let Some(node) = self.nodes.get(path) else {
            return;
        };
        let name = names.first().cloned().unwrap_or_default();
        let message = format!("rule {name} is recursive: {}", names.join(" -> "));
        let issue = Issue::new("rego_recursion_error", message).at(node.place.clone());
        self.found.push(
            issue.instead("compute it without asking for itself, for example with walk or graph.reachable"),
        );
    }
}

/// The rules whose values a reference reads.
fn targets<'a>(nodes: &'a BTreeMap<Path, Node>, ask: &Ask) -> Vec<&'a Path> {
    let fixed: Path = ask.iter().map_while(Clone::clone).collect();
    let dynamic = ask.iter().skip(fixed.len()).any(Option::is_some);
    let above = (1..fixed.len())
        .filter_map(|end| fixed.get(..end))
        .filter_map(|part| nodes.get_key_value(part).map(|(path, _)| path));
    let below = nodes
        .range(fixed.clone()..)
        .map(|(path, _)| path)
        .take_while(|path| path.starts_with(&fixed))
        .filter(|path| !dynamic || meets(path, ask));
    above.chain(below).collect()
}

fn meets(path: &Path, ask: &Ask) -> bool {
    path.iter()
        .zip(ask)
        .all(|(name, asked)| asked.as_ref().is_none_or(|asked| asked == name))
}

fn asked(rule: &Rule, asks: &mut Vec<Ask>) {
    let head = &rule.head;
    for term in head.path.iter().skip(1).chain(head.args.iter().flatten()) {
        term_of(term, asks);
    }
    if let Makes::Value(Some(term)) | Makes::Item(term) = &head.makes {
        term_of(term, asks);
    }
    for body in rule
        .body
        .iter()
        .chain(rule.elses.iter().flat_map(|branch| &branch.body))
    {
        body_of(body, asks);
    }
    for value in rule.elses.iter().filter_map(|branch| branch.value.as_ref()) {
        term_of(value, asks);
    }
}

fn body_of(body: &Body, asks: &mut Vec<Ask>) {
    for literal in body {
        literal_of(literal, asks);
    }
}

fn literal_of(literal: &Literal, asks: &mut Vec<Ask>) {
    match &literal.kind {
        Statement::Expr(term) | Statement::Not(term) => term_of(term, asks),
        Statement::NotBody(body) => body_of(body, asks),
        Statement::And(left, right) | Statement::Or(left, right) => {
            body_of(left, asks);
            body_of(right, asks);
        }
        Statement::Some(_) => {}
        Statement::SomeIn(key, value, collection) => {
            for term in key.iter().chain([value, collection]) {
                term_of(term, asks);
            }
        }
        Statement::Every(every) => {
            term_of(&every.domain, asks);
            body_of(&every.body, asks);
        }
    }
    for with in &literal.with {
        term_of(&with.value, asks);
    }
}

fn term_of(term: &Term, asks: &mut Vec<Ask>) {
    if let Kind::Ref(parts) = &term.kind
        && let Some((head, rest)) = parts.split_first()
        && head.as_var() == Some("data")
    {
        let names = rest.iter().map(|part| match &part.kind {
            Kind::Text(text) => Some(text.clone()),
            // No rule has such a name.
            Kind::Number(text) => Some(format!("\0{text}")),
            _ => None,
        });
        asks.push(names.collect());
    }
    if let Kind::Template(parts) = &term.kind {
        for part in parts {
            if let Part::Expr(literal) = part {
                literal_of(literal, asks);
            }
        }
    }
    for inner in term.inner() {
        term_of(inner, asks);
    }
    if let Some(body) = term.body() {
        body_of(body, asks);
    }
}
