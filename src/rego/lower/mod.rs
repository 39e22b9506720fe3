//! From the author's tree to a plain form that the engine reads as OPA means it.
//!
//! `resolve` gives every name its full path; `statements` and `rules` write out what the engine lacks or takes
//! differently (negation, templates, logical operators, undefined heads); `documents` says where base documents are
//! read and `own` what is read by its bare name; `every` says what that statement waits for; `packages` has the rules of packages evaluated; `print` writes the
//! text, each part on its author's line, and remembers where it came from.

mod documents;
mod every;
mod own;
mod packages;
mod print;
mod resolve;
mod rules;
mod signatures;
mod statements;

use super::syntax::ast::{Body, Kind, Pos, Term, Tree};

pub(super) use documents::{DATA, INPUT};
pub(super) use print::{Origin, Printed};
pub(super) use resolve::{Names, declared, every_variable};
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

/// Puts documents where the engine is given them, and reads rules by the names that it finds fastest.
pub(super) fn place(plain: &mut [Tree], packages: &[Vec<String>]) {
    let own: Vec<_> = packages
        .iter()
        .map(|package| own::Own::of(package, plain))
        .collect();
    for (tree, own) in plain.iter_mut().zip(own) {
        documents::module(tree, packages);
        for rule in &mut tree.rules {
            own.write(rule);
        }
    }
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

/// The query for a document: an array of its value, where a package is asked; none where the path is enough.
pub(super) fn document(path: &[String], signatures: &Signatures) -> Option<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    signatures.below(&path)?;
    let pos = Pos { row: 1, col: 1 };
    let names = path.iter().map(|name| Term::text(pos, *name));
    let mut term = Term::new(
        pos,
        Kind::Ref(std::iter::once(Term::var(pos, "data")).chain(names).collect()),
    );
    packages::whole(&mut term, &mut statements::Lower::new(signatures));
    Some(print::term(&term))
}

/// A query as one array of its variables: `[{"x": x} | …]`.
pub(super) fn print_query(mut plain: Body, names: &[String], packages: &[Vec<String>]) -> String {
    documents::query(&mut plain, packages);
    print::query(&plain, names)
}
