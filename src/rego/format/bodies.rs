//! The expressions of a query or of a rule, as their author wrote them.

use super::{
    super::module::Version,
    read,
    tree::{Kind, Literal, Loc, Value},
};
use crate::rego::fault::Issue;

/// One expression of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// The text before any `with`.
    pub bare: String,
    /// Its `with` clauses.
    pub with: String,
    /// Its line, counted from 1.
    pub row: u32,
    /// Its column, counted from 1.
    pub col: u32,
    /// Whether it has a value of its own: it is no assignment, declaration or negation.
    pub valued: bool,
    /// What it compares, if it is a comparison.
    pub sides: Option<Sides>,
}

/// Both sides of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// `==`, `!=` or `=`.
    pub operator: &'static str,
    /// The text on the left.
    pub left: String,
    /// The text on the right.
    pub right: String,
    /// Whether the left side alone is a constant: then it is what was expected.
    pub expected_left: bool,
}

/// The expressions of a query.
pub fn expressions(text: &str) -> Result<Vec<Expression>, Issue> {
    let body = read::query(text).map_err(|trouble| trouble.issue("rego_parse_error", ""))?;
    Ok(all(text, &body))
}

/// The imports of a module as text, and the expressions of the rule that begins on this line.
#[must_use]
pub fn rule_body(text: &str, version: Version, row: u32) -> Option<(String, Vec<Expression>)> {
    let tree = read::module(text, version).ok()?;
    let rule = tree.rules.iter().find(|rule| index(rule.loc.row) == row)?;
    let lines: Vec<&str> = text.lines().collect();
    let imports: Vec<&str> = tree
        .imports
        .iter()
        .filter_map(|import| lines.get(import.loc.row.checked_sub(1)?).copied())
        .collect();
    Some((imports.join("\n"), all(text, rule.body.as_ref()?)))
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn all(text: &str, body: &[Literal]) -> Vec<Expression> {
    body.iter().map(|literal| expression(text, literal)).collect()
}

fn expression(text: &str, literal: &Literal) -> Expression {
    let slice = |loc: Loc| text.get(loc.start..loc.end).unwrap_or_default().to_owned();
    let first = literal.with.first();
    let bare_end = first.map_or(literal.loc.end, |with| with.loc.start);
    let bare = Loc {
        end: bare_end,
        ..literal.loc
    };
    let with = Loc {
        start: bare_end,
        ..literal.loc
    };
    let valued = match &literal.kind {
        Kind::Expr(term) => !literal.negated && !matches!(term.value, Value::Infix("=" | ":=", ..)),
        Kind::Some(_) | Kind::SomeIn(_) | Kind::Every(_) => false,
    };
    Expression {
        text: slice(literal.loc),
        bare: slice(bare).trim_end().to_owned(),
        with: slice(with),
        row: index(literal.loc.row),
        col: index(literal.loc.col),
        valued,
        sides: sides(literal, slice),
    }
}

fn sides(literal: &Literal, slice: impl Fn(Loc) -> String) -> Option<Sides> {
    let Kind::Expr(term) = &literal.kind else {
        return None;
    };
    let Value::Infix(operator @ ("==" | "=" | "!="), left, right) = &term.value else {
        return None;
    };
    (!literal.negated).then(|| Sides {
        operator,
        left: slice(left.loc),
        right: slice(right.loc),
        expected_left: constant(&left.value) && !constant(&right.value),
    })
}

fn constant(value: &Value) -> bool {
    match value {
        Value::Scalar(_) | Value::Text(..) => true,
        Value::Array(items) | Value::Set(items) => items.iter().all(|item| constant(&item.value)),
        Value::Object(members) => members
            .iter()
            .all(|(key, value)| constant(&key.value) && constant(&value.value)),
        Value::Template(..)
        | Value::Var(_)
        | Value::Ref(_)
        | Value::Call(..)
        | Value::Infix(..)
        | Value::InKey(_)
        | Value::ArrayOf(..)
        | Value::SetOf(..)
        | Value::ObjectOf(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_know_their_text_and_sides() {
        let found = expressions("x := f(1)[0]; [x] == {1: 2}.a with input.y as 3\nnot q").unwrap();
        assert_eq!(found.len(), 3);
        assert!(!found[0].valued && found[1].valued && !found[2].valued);
        assert_eq!(found[1].bare, "[x] == {1: 2}.a");
        assert_eq!(found[1].with, "with input.y as 3");
        assert_eq!(found[1].sides.as_ref().unwrap().left, "[x]");
        assert_eq!((found[2].row, found[2].col), (2, 1));
    }
}
