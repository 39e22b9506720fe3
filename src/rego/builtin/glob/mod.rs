//! `glob.*`: patterns as OPA reads them, which is as the Go library gobwas/glob does.
//!
//! regorus hands a pattern to the crate `globset`, where `**` is a folder's, `?` is a byte and a delimiter is written
//! into pattern and text: `/?` with the delimiter `:` matched `/:` there, and let through what OPA refuses. So gobwas
//! is followed here, with what is odd in it: a pattern that is odd alike is a policy that decides alike.
//! `syntax` reads, `compile` chooses matchers, `matcher` and `tree` look; work is bounded in each.

mod compile;
mod matcher;
mod syntax;
mod tree;
mod utf8;

use std::{cell::RefCell, rc::Rc};

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::kept::Kept;
use super::{Answer, Builtin};
use matcher::{Matcher, Work};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "glob.match",
        arity: 3,
        call: matches,
    },
    Builtin {
        name: "glob.quote_meta",
        arity: 1,
        call: quote_meta,
    },
];

type Compiled = Kept<(String, Vec<char>), Rc<Matcher>>;

thread_local! {
    static COMPILED_HERE: RefCell<Compiled> = const { RefCell::new(Kept::new()) };
}

fn matches(arguments: &Arguments<'_>) -> Answer {
    let pattern = arguments.string(1)?;
    let separators = separators(arguments.value(2))?;
    let text = arguments.string(3)?;
    let matcher = compiled(pattern, separators)?;
    Ok(Value::from(matcher.matches(text.as_bytes(), &mut Work::new())?))
}

/// Null is none, and an empty array is the dot.
fn separators(value: &Value) -> Result<Vec<char>, Fault> {
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        other => return Err(Fault::kind(2, &["array", "null"], other)),
    };
    if items.is_empty() {
        return Ok(vec!['.']);
    }
    let letter = |item: &Value| {
        let Value::String(text) = item else { return None };
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    };
    let letters: Option<Vec<char>> = items.iter().map(letter).collect();
    letters.ok_or_else(|| Fault::operand(2, "must be array of characters"))
}

fn compiled(pattern: &str, separators: Vec<char>) -> Result<Rc<Matcher>, Fault> {
    COMPILED_HERE.with_borrow_mut(|kept| {
        kept.or_made(&(pattern.to_owned(), separators), |(pattern, separators)| {
            compile::compile(pattern, separators).map(Rc::new)
        })
    })
}

fn quote_meta(arguments: &Arguments<'_>) -> Answer {
    let mut quoted = String::new();
    for letter in arguments.string(1)?.chars() {
        if "*?\\[]{}".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    Ok(Value::from(quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pattern: &str, separators: &str, text: &str) -> bool {
        let matcher = compiled(pattern, separators.chars().collect()).unwrap();
        matcher.matches(text.as_bytes(), &mut Work::new()).unwrap()
    }

    /// Each answer is OPA 1.20.2's.
    #[test]
    fn answers_are_those_of_opa() {
        let right = [
            ("*.example.org", ".", "a.example.org"),
            ("a**b", ".", "a.x.b"),
            ("?", "", "é"),
            ("?", "", ""),
            ("[é-ü]", "", "ö"),
            ("é**", ".", "éa.b"),
            ("{a,b?}c", "/", "bxc"),
            ("?**", ".", "b.bb"),
        ];
        for (pattern, separators, text) in right {
            assert!(asked(pattern, separators, text), "{pattern} {text}");
        }
        let wrong = [
            ("*.example.org", ".", "a.b.example.org"),
            ("/?", ".:", "/:"),
            ("é?", "", "éx"),
            ("é[a]", "", "éa"),
            ("[!a]", "", "a"),
            ("", "", "a"),
        ];
        for (pattern, separators, text) in wrong {
            assert!(!asked(pattern, separators, text), "{pattern} {text}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let pattern = "*a".repeat(150);
        let matcher = compiled(&pattern, vec!['.']).unwrap();
        let text = format!("{}b", "a".repeat(4_000));
        let asked = matcher.matches(text.as_bytes(), &mut Work::new());
        assert!(matches!(asked, Err(Fault::Limit(_))));
        let long = "a?".repeat(300);
        assert!(matches!(compiled(&long, vec![]), Err(Fault::Limit(_))));
    }
}
