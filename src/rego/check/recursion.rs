//! Rules must not depend on themselves: their value would have no end.

use std::{collections::BTreeMap, sync::Arc};

use super::place;
use crate::rego::{
    fault::{Issue, Place},
    module::Module,
    syntax::{
        ast::{Kind, Term, Tree},
        walk::{self, Visit},
    },
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
            let (path, _) = tree.path_of(rule);
            let node = nodes.entry(path).or_insert_with(|| Node {
                place: place(&module.id, rule.pos),
                asks: Vec::new(),
            });
            walk::rule(&mut Asks(&mut node.asks), rule);
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

/// Every reference below `data` that a rule reads.
struct Asks<'a>(&'a mut Vec<Ask>);

impl Visit for Asks<'_> {
    fn term(&mut self, term: &Term) {
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
            self.0.push(names.collect());
        }
        walk::inside(self, term);
    }
}
