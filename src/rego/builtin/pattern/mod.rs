//! `regex.*`: regular expressions as Go reads them.
//!
//! regorus hands a pattern to the crate `regex` as it is, whose `\d`, `\w`, `\s` and `\b` take all of Unicode,
//! whose `\<` is a word's edge and whose `[a--b]` is a difference: an allow-list of `^\d+$` would let other digits
//! through that OPA refuses. So a pattern is first said in the crate's words ([`syntax`]).

mod glob;
mod syntax;
mod template;

use std::cell::RefCell;

use regex::{Regex, RegexBuilder};
use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::kept::Kept;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "regex.find_all_string_submatch_n",
        arity: 3,
        call: submatches,
    },
    Builtin {
        name: "regex.find_n",
        arity: 3,
        call: find_n,
    },
    Builtin {
        name: "regex.globs_match",
        arity: 2,
        call: glob::globs_match,
    },
    Builtin {
        name: "regex.is_valid",
        arity: 1,
        call: is_valid,
    },
    Builtin {
        name: "regex.match",
        arity: 2,
        call: matches,
    },
    Builtin {
        name: "regex.replace",
        arity: 3,
        call: replace,
    },
    Builtin {
        name: "regex.split",
        arity: 2,
        call: split,
    },
    Builtin {
        name: "regex.template_match",
        arity: 4,
        call: template::template_match,
    },
];

/// Bytes of a compiled pattern at most, so that `(\w{1000}){1000}` costs no memory.
const COMPILED: usize = 2 << 20;
thread_local! {
    static COMPILED_HERE: RefCell<Kept<String, Regex>> = const { RefCell::new(Kept::new()) };
}

/// The pattern compiled, or kept from the last time.
pub(super) fn compiled(pattern: &str) -> Result<Regex, Fault> {
    COMPILED_HERE.with_borrow_mut(|kept| {
        kept.or_made(pattern, |pattern| {
            let translated = syntax::translate(pattern)
                .map_err(|said| Fault::from(format!("error parsing regexp: {said}: `{pattern}`")))?;
            build(&translated)
        })
    })
}

fn build(translated: &str) -> Result<Regex, Fault> {
    match RegexBuilder::new(translated)
        .size_limit(COMPILED)
        .dfa_size_limit(COMPILED)
        .build()
    {
        Ok(regex) => Ok(regex),
        Err(regex::Error::CompiledTooBig(limit)) => Err(Fault::Limit(format!(
            "the pattern needs more than {limit} bytes; repeat less in it"
        ))),
        Err(error) => Err(Fault::from(format!("error parsing regexp: {error}"))),
    }
}

pub(super) fn matches(arguments: &Arguments<'_>) -> Answer {
    let (pattern, text) = (arguments.string(1)?, arguments.string(2)?);
    Ok(Value::from(compiled(pattern)?.is_match(text)))
}

fn is_valid(arguments: &Arguments<'_>) -> Answer {
    match arguments.string(1).and_then(compiled) {
        Ok(_) => Ok(Value::from(true)),
        Err(limit @ Fault::Limit(_)) => Err(limit),
        Err(Fault::Operand(_) | Fault::Failed(_)) => Ok(Value::from(false)),
    }
}

/// A number of matches; a negative one is all of them.
fn most(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn find_n(arguments: &Arguments<'_>) -> Answer {
    let (pattern, text, n) = (arguments.string(1)?, arguments.string(2)?, arguments.integer(3)?);
    let regex = compiled(pattern)?;
    let found = regex
        .find_iter(text)
        .take(most(n))
        .map(|found| Value::from(found.as_str()));
    Ok(Value::from(found.collect::<Vec<_>>()))
}

fn submatches(arguments: &Arguments<'_>) -> Answer {
    let (pattern, text, n) = (arguments.string(1)?, arguments.string(2)?, arguments.integer(3)?);
    let regex = compiled(pattern)?;
    let found = regex.captures_iter(text).take(most(n)).map(|captures| {
        let groups = captures
            .iter()
            .map(|group| Value::from(group.map_or("", |g| g.as_str())));
        Value::from(groups.collect::<Vec<_>>())
    });
    Ok(Value::from(found.collect::<Vec<_>>()))
}

fn replace(arguments: &Arguments<'_>) -> Answer {
    let (text, pattern, by) = (arguments.string(1)?, arguments.string(2)?, arguments.string(3)?);
    Ok(Value::from(compiled(pattern)?.replace_all(text, by).into_owned()))
}

/// Go's `Split`, which begins with no empty part when the pattern matches nothing at the start.
fn split(arguments: &Arguments<'_>) -> Answer {
    let (pattern, text) = (arguments.string(1)?, arguments.string(2)?);
    let regex = compiled(pattern)?;
    if text.is_empty() && !pattern.is_empty() {
        return Ok(Value::from(vec![Value::from("")]));
    }
    let (mut parts, mut from, mut end) = (Vec::new(), 0, 0);
    let part = |from, to| Value::from(text.get(from..to).unwrap_or_default());
    for found in regex.find_iter(text) {
        end = found.start();
        if found.end() != 0 {
            parts.push(part(from, end));
        }
        from = found.end();
    }
    if end != text.len() {
        parts.push(part(from, text.len()));
    }
    Ok(Value::from(parts))
}
