//! Every variable that a term mentions, also in its closures.

use std::collections::BTreeSet;

use crate::rego::syntax::{
    ast::{Kind, Pos, Term, With},
    walk::{self, Visit},
};

/// The variables of a term, wherever they stand in it.
pub(super) fn anywhere(term: &Term, found: &mut BTreeSet<String>) {
    Mentions(found).term(term);
}

struct Mentions<'a>(&'a mut BTreeSet<String>);

impl Visit for Mentions<'_> {
    fn term(&mut self, term: &Term) {
        if let Kind::Var(name) = &term.kind {
            self.0.insert(name.clone());
        }
        walk::inside(self, term);
    }

    fn with(&mut self, with: &With) {
        self.term(&with.target);
        self.term(&with.value);
    }

    fn some(&mut self, name: &str, _pos: Pos) {
        self.0.insert(name.to_owned());
    }
}
