//! Formatting Rego as `opa fmt` does, and reading the author's own expressions.
//!
//! For: one style for all policies, that of OPA. A formatter must never change what a policy means: what it
//! writes is read again and compared, comments included, and a module that would differ is left alone. The
//! tree here keeps the author's text of every part; the engine's own tree has lost it.
//!
//! Why there is a second reader beside `syntax`: it is the other half of a port. OPA's formatter looks at the *text* of
//! each part (where a bracket closes, what stands on its row, which quotes were used, `:=` or `=`), and its parser
//! gives a part more or less text than it has in ways that show in what is written. The tree that decides keeps none
//! of that, and must not: each of its parts is a place where an error could open something. So `syntax` says what is
//! Rego and what it means, and this reader what the author typed. Neither takes what the other does not: a test reads
//! all of OPA's cases with both.
//!
//! Start at [`source`]; `read` makes the tree, `write` writes it.

mod bodies;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "reading concerns a few kinds of tokens and terms at each place"
)]
mod read;
mod shape;
mod token;
mod tree;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule of layout concerns a few kinds of terms"
)]
mod write;

pub use bodies::{Expression, Sides, expressions, rule_body};

use super::{
    fault::{Issue, Place},
    module::Version,
};
use tree::Loc;

/// What a text is not read for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    row: usize,
    col: usize,
    what: String,
}

impl Trouble {
    fn new(loc: Loc, what: &str) -> Self {
        Self {
            row: loc.row,
            col: loc.col,
            what: what.to_owned(),
        }
    }

    fn issue(self, code: &'static str, file: &str) -> Issue {
        Issue::new(code, self.what).at(Place {
            file: file.to_owned(),
            row: u32::try_from(self.row).unwrap_or(u32::MAX),
            col: u32::try_from(self.col).unwrap_or(u32::MAX),
        })
    }
}

/// The text of a module in OPA's style. An issue says why it is left as it is.
pub fn source(file: &str, text: &str, version: Version) -> Result<String, Issue> {
    let tree = read::module(text, version).map_err(|trouble| trouble.issue("rego_parse_error", file))?;
    let written = write::module(text, &tree, version).map_err(|what| refusal(file, &what))?;
    let again = read::module(&written, version);
    let same = again.is_ok_and(|again| shape::of(&again) == shape::of(&tree));
    if !same {
        return Err(refusal(
            file,
            "it would come out with another meaning or without one of its comments",
        ));
    }
    Ok(written)
}

fn refusal(file: &str, what: &str) -> Issue {
    let message = format!("it is left as it is: {what}");
    Issue::new("format_error", message)
        .at(Place {
            file: file.to_owned(),
            row: 1,
            col: 1,
        })
        .instead("move comments out of the middle of lists and calls, or format it by hand")
}
