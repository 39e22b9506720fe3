//! `graph.reachable_paths`: a node whose edges are no collection ends its path; regorus takes that for an error.

use std::collections::BTreeSet;

use regorus::{
    Value,
    value::{Array, Object},
};

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin};

/// Paths at most: their number doubles with each node of some graphs.
const PATHS: usize = 100_000;
/// Nodes of a path at most: each is one of the stack.
const LONGEST: usize = 1_000;

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "graph.reachable_paths",
    arity: 2,
    call: reachable_paths,
}];

fn reachable_paths(arguments: &Arguments<'_>) -> Answer {
    let mut walk = Walk {
        graph: arguments.object(1)?,
        path: Vec::new(),
        found: BTreeSet::new(),
        ended: 0,
    };
    for node in arguments.collection(2)? {
        let Some(edges) = walk.graph.get(node) else {
            continue;
        };
        walk.path.push(node);
        match items(edges).filter(|neighbours| !neighbours.is_empty()) {
            // As it stands there: a node may be its own neighbour once, at the start.
            Some(neighbours) => neighbours
                .into_iter()
                .try_for_each(|neighbour| walk.go(neighbour))?,
            None => walk.end()?,
        }
        walk.path.pop();
    }
    Ok(Value::from(walk.found))
}

struct Walk<'a> {
    graph: &'a Object,
    path: Vec<&'a Value>,
    found: BTreeSet<Value>,
    ended: usize,
}

impl<'a> Walk<'a> {
    fn go(&mut self, node: &'a Value) -> Result<(), Fault> {
        let Some(edges) = self.graph.get(node) else {
            return self.end();
        };
        if self.path.len() >= LONGEST {
            return Err(Fault::Limit(format!("a path of more than {LONGEST} nodes")));
        }
        self.path.push(node);
        match items(edges).filter(|neighbours| !neighbours.is_empty()) {
            None => self.end()?,
            Some(neighbours) => {
                for neighbour in neighbours {
                    if self.path.contains(&neighbour) {
                        self.end()?;
                    } else {
                        self.go(neighbour)?;
                    }
                }
            }
        }
        self.path.pop();
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.ended += 1;
        if self.ended > PATHS {
            return Err(Fault::Limit(format!("more than {PATHS} paths")));
        }
        let path: Array = self.path.iter().map(|node| (*node).clone()).collect();
        self.found.insert(path.into_value());
        Ok(())
    }
}
