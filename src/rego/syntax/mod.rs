//! Reading Rego as OPA reads it: text to tree, with OPA's words for what is wrong.
//!
//! The engine's own reader is narrower (keywords as names, templates, logical operators), and what it accepts it
//! sometimes means differently. So modules are read here, checked, lowered to a plain form and written anew. The
//! formatter reads by itself, since it needs what this tree leaves out (see `format`).

pub(super) mod ast;
mod lexer;
mod literals;
mod parser;
mod rules;
mod terms;
pub(super) mod walk;

use ast::{Body, Tree};

use super::{fault::Issue, module::Version};

/// Reads a module.
pub(super) fn module(file: &str, text: &str, version: Version) -> Result<Tree, Issue> {
    let mut parser = parser::Parser::new(file, text, version)?;
    parser.tree()
}

/// Reads an ad-hoc query.
pub(super) fn query(file: &str, text: &str, version: Version) -> Result<Body, Issue> {
    let mut parser = parser::Parser::new(file, text, version)?;
    parser.whole_query()
}

/// Reads the package clause alone; the rest of the text may be wrong.
pub(super) fn package(text: &str) -> Option<Vec<String>> {
    let mut parser = parser::Parser::new("", text, Version::V1).ok()?;
    parser.package().ok().map(|(_, path)| path)
}
