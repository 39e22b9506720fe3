//! From a pattern's parts to what looks for it, in the order in which gobwas tries to say it shorter.
//!
//! The steps are not only about speed: what a pattern becomes decides what it matches in corners.

use super::{
    super::fault::Fault,
    matcher::{Matcher, Work},
    syntax::{self, Node},
    tree::Tree,
};

/// A pattern ready to be looked for; `*` and `?` stop at separators.
pub(super) fn compile(pattern: &str, separators: &[char]) -> Result<Matcher, Fault> {
    let mut compiler = Compiler {
        separators,
        work: Work::new(),
    };
    compiler.node(&syntax::parse(pattern)?)
}

struct Compiler<'a> {
    separators: &'a [char],
    work: Work,
}

impl Compiler<'_> {
    fn node(&mut self, node: &Node) -> Result<Matcher, Fault> {
        let matcher = match node {
            Node::AnyOf(alternatives) => {
                return match factored(alternatives) {
                    Some(shorter) => self.node(&shorter),
                    None => Ok(Matcher::AnyOf(self.all(alternatives)?)),
                };
            }
            Node::Pattern(parts) if parts.is_empty() => Matcher::Nothing,
            Node::Pattern(parts) => {
                let parts = self.all(parts)?;
                let parts = self.minimized(parts)?;
                self.joined(parts)?
            }
            Node::Nothing => Matcher::Nothing,
            Node::List { not, chars } => Matcher::List {
                list: chars.chars().collect(),
                not: *not,
            },
            Node::Range { not, low, high } => Matcher::Range {
                low: *low,
                high: *high,
                not: *not,
            },
            Node::Text(text) => Matcher::Text(text.clone()),
            Node::Any => Matcher::Any(self.separators.to_vec()),
            Node::Super => Matcher::Super,
            Node::Single => Matcher::Single(self.separators.to_vec()),
        };
        Ok(optimized(matcher))
    }

    fn all(&mut self, nodes: &[Node]) -> Result<Vec<Matcher>, Fault> {
        nodes.iter().map(|node| Ok(optimized(self.node(node)?))).collect()
    }

    /// The longest runs that are one matcher, glued until there is none.
    fn minimized(&mut self, mut parts: Vec<Matcher>) -> Result<Vec<Matcher>, Fault> {
        loop {
            let Some((from, to, glued)) = self.best_run(&parts)? else {
                return Ok(parts);
            };
            parts.splice(from..to, [glued]);
        }
    }

    fn best_run(&mut self, parts: &[Matcher]) -> Result<Option<(usize, usize, Matcher)>, Fault> {
        let mut best: Option<(usize, usize, Matcher)> = None;
        for from in 0..parts.len() {
            for to in (from + 1..=parts.len()).rev() {
                let run = parts.get(from..to).unwrap_or_default();
                self.work.spend(run.len())?;
                let Some(glued) = glued(run) else { continue };
                let better = best.as_ref().is_none_or(|(start, end, known)| {
                    let longer = matches!((known.len(), glued.len()), (Some(old), Some(new)) if new > old);
                    longer || end - start < to - from
                });
                if better {
                    best = Some((from, to, glued));
                }
            }
        }
        Ok(best)
    }

    /// Parts one behind the other: a tree around the longest of known length, or else around the first.
    fn joined(&mut self, mut parts: Vec<Matcher>) -> Result<Matcher, Fault> {
        self.work.spend(parts.len())?;
        if let Some(glued) = glued(&parts) {
            return Ok(glued);
        }
        let longest = parts
            .iter()
            .enumerate()
            .filter_map(|(at, part)| Some((part.len()?, at)))
            .max()
            .map_or(0, |(_, at)| at);
        let behind = parts.split_off((longest + 1).min(parts.len()));
        let Some(value) = parts.pop() else {
            return Err("compile error: need at least one matcher".into());
        };
        if parts.is_empty() && behind.is_empty() {
            return Ok(value);
        }
        let left = if parts.is_empty() {
            None
        } else {
            Some(self.joined(parts)?)
        };
        let right = if behind.is_empty() {
            None
        } else {
            Some(self.joined(behind)?)
        };
        Ok(Matcher::Tree(Box::new(Tree::new(value, left, right))))
    }
}

fn optimized(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::Any(separators) if separators.is_empty() => Matcher::Super,
        Matcher::AnyOf(mut parts) if parts.len() == 1 => parts.pop().unwrap_or(Matcher::Nothing),
        Matcher::List { list, not: false } if list.len() == 1 => Matcher::Text(list.into_iter().collect()),
        Matcher::Tree(tree) => optimized_tree(*tree),
        other => other,
    }
}

/// Text between what a shorter matcher knows.
fn optimized_tree(mut tree: Tree) -> Matcher {
    tree.left = tree.left.map(optimized);
    tree.right = tree.right.map(optimized);
    let Matcher::Text(text) = &tree.value else {
        return Matcher::Tree(Box::new(tree));
    };
    let bytes = text.clone().into_bytes();
    match (&tree.left, &tree.right) {
        (None, None) => Matcher::Text(text.clone()),
        (Some(Matcher::Super), Some(Matcher::Super)) => Matcher::Contains {
            needle: bytes,
            not: false,
        },
        (Some(Matcher::Super), None) => Matcher::Suffix(bytes),
        (None, Some(Matcher::Super)) => Matcher::Prefix(bytes),
        (None, Some(Matcher::Suffix(suffix))) => Matcher::PrefixSuffix(bytes, suffix.clone()),
        (Some(Matcher::Prefix(prefix)), None) => Matcher::PrefixSuffix(prefix.clone(), bytes),
        (Some(Matcher::Any(separators)), None) => Matcher::SuffixAny(bytes, separators.clone()),
        (None, Some(Matcher::Any(separators))) => Matcher::PrefixAny(bytes, separators.clone()),
        _ => Matcher::Tree(Box::new(tree)),
    }
}

fn glued(parts: &[Matcher]) -> Option<Matcher> {
    if parts.len() <= 1 {
        return None;
    }
    glued_as_every(parts).or_else(|| glued_as_row(parts))
}

fn glued_as_row(parts: &[Matcher]) -> Option<Matcher> {
    let len = parts.iter().map(Matcher::len).sum::<Option<usize>>()?;
    Some(Matcher::Row {
        parts: parts.to_vec(),
        len,
    })
}

/// `*`, `**`, `?` and `[!…]` with the same separators: so many letters, and no separator.
fn glued_as_every(parts: &[Matcher]) -> Option<Matcher> {
    let (mut any, mut all, mut least) = (false, false, 0);
    let mut common: Option<&[char]> = None;
    for part in parts {
        let separators: &[char] = match part {
            Matcher::Super => {
                all = true;
                &[]
            }
            Matcher::Any(separators) => {
                any = true;
                separators
            }
            Matcher::Single(separators)
            | Matcher::List {
                list: separators,
                not: true,
            } => {
                least += 1;
                separators
            }
            _ => return None,
        };
        if common.get_or_insert(separators) != &separators {
            return None;
        }
    }
    let separators = common.unwrap_or_default();
    match (any, all, least) {
        (false, true, 0) => return Some(Matcher::Super),
        (true, false, 0) => return Some(Matcher::Any(separators.to_vec())),
        (true, _, 1..) | (_, true, 1..) if separators.is_empty() => return Some(Matcher::Min(least)),
        _ => {}
    }
    let mut every = Vec::new();
    if least > 0 {
        every.push(Matcher::Min(least));
        if !any && !all {
            every.push(Matcher::Max(least));
        }
    }
    if !separators.is_empty() {
        // As it stands there: all separators one behind the other.
        let needle = separators.iter().collect::<String>().into_bytes();
        every.push(Matcher::Contains { needle, not: true });
    }
    Some(Matcher::EveryOf(every))
}

/// Alternatives with the parts that all begin and end with taken out, if there are such.
fn factored(alternatives: &[Node]) -> Option<Node> {
    let patterns: Option<Vec<&[Node]>> = alternatives
        .iter()
        .map(|node| match node {
            Node::Pattern(parts) => Some(parts.as_slice()),
            _ => None,
        })
        .collect();
    let patterns = patterns?;
    let (left, right) = common(&patterns);
    if left.is_empty() && right.is_empty() {
        return None;
    }
    let mut between: Vec<Node> = Vec::new();
    for parts in &patterns {
        let rest = parts
            .get(left.len()..parts.len() - right.len())
            .unwrap_or_default();
        let node = if rest.is_empty() {
            Node::Nothing
        } else {
            Node::Pattern(rest.to_vec())
        };
        if !between.contains(&node) {
            between.push(node);
        }
    }
    let middle = match between.as_slice() {
        [] | [Node::Nothing] => None,
        [one] => Some(one.clone()),
        _ => Some(Node::AnyOf(between)),
    };
    let around = |parts: &[Node]| (!parts.is_empty()).then(|| Node::Pattern(parts.to_vec()));
    let parts = [around(left), middle, around(right)];
    Some(Node::Pattern(parts.into_iter().flatten().collect()))
}

/// What all patterns begin with, and what they end with, measured by the shortest.
fn common<'a>(patterns: &[&'a [Node]]) -> (&'a [Node], &'a [Node]) {
    let none: (&[Node], &[Node]) = (&[], &[]);
    let Some((number, shortest)) = patterns.iter().enumerate().min_by_key(|(_, parts)| parts.len()) else {
        return none;
    };
    if patterns.len() <= 1 {
        return none;
    }
    let others = || {
        patterns
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != number)
            .map(|(_, parts)| parts)
    };
    let (mut left, mut right) = (0, 0);
    let (mut no_left, mut no_right) = (false, false);
    for at in 0..shortest.len() {
        let from_end = shortest.len() - 1 - at;
        if left + right >= shortest.len() || (no_left && no_right) {
            break;
        }
        for parts in others() {
            if no_left && no_right {
                break;
            }
            no_left |= parts.get(at) != shortest.get(at);
            // The left side has come here already.
            no_right |= !no_left && from_end <= at;
            no_right |= parts.get(from_end + parts.len() - shortest.len()) != shortest.get(from_end);
        }
        left += usize::from(!no_left);
        right += usize::from(!no_right);
    }
    let left = shortest.get(..left).unwrap_or_default();
    let right = shortest.get(shortest.len() - right..).unwrap_or_default();
    (left, right)
}
