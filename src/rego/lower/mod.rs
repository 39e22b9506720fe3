//! From the author's tree to a plain form that the engine reads as OPA means it.
//!
//! `resolve` gives every name its full path; `statements` and `rules` write out what the engine lacks or takes
//! differently (negation, templates, logical operators, undefined heads); `print` writes the text, each part on
//! its author's line, and remembers where it came from.

mod print;
mod resolve;
mod rules;
mod signatures;
mod statements;

use super::syntax::ast::{Body, Tree};

pub(super) use print::{Origin, Printed};
pub(super) use resolve::{Names, declared};
pub(super) use signatures::Signatures;

/// A module in which every name is a full path.
pub(super) fn resolve(tree: &mut Tree, names: &Names) {
    resolve::module(tree, names);
}

/// A resolved module in the plain form.
pub(super) fn lower(tree: &Tree, signatures: &Signatures) -> Tree {
    let mut plain = tree.clone();
    rules::lower(&mut plain, signatures);
    plain
}

/// The text of a module in the plain form; keywords as a rule's first name need modules of their own.
pub(super) fn print(plain: &Tree) -> Vec<Printed> {
    print::modules(plain)
}

/// A query in the plain form, and its variables.
pub(super) fn query(mut body: Body, signatures: &Signatures) -> (Body, Vec<String>) {
    resolve::query(&mut body);
    let names = resolve::variables(&body);
    (statements::body(body, signatures), names)
}

/// A query as one array of its variables: `[{"x": x} | …]`.
pub(super) fn print_query(plain: &Body, names: &[String]) -> String {
    print::query(plain, names)
}
