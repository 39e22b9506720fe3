//! A template's text and actions, and the words of an action.

use super::super::fault::Fault;

/// A part of a template: text, or the words between `{{` and `}}`.
#[derive(Debug)]
pub(super) enum Part<'t> {
    Text(&'t str),
    Action(Vec<Word>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// `.`, or `.a` with its name.
    Dot(String),
    /// `$` or `$x`.
    Variable(String),
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Comma,
    Open,
    Close,
    Declare,
    Assign,
    /// What separates operands.
    Space,
}

fn wrong(said: &str) -> Fault {
    Fault::from(format!("template: template: {said}"))
}

pub(super) fn parts(mut text: &str) -> Result<Vec<Part<'_>>, Fault> {
    let mut parts = Vec::new();
    let mut trim = false;
    loop {
        let (before, after) = match text.split_once("{{") {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        let before = if trim {
            before.trim_start_matches(white)
        } else {
            before
        };
        let Some(after) = after else {
            push(&mut parts, before);
            return Ok(parts);
        };
        let (left, inside) = match after.strip_prefix('-').filter(|rest| rest.starts_with(white)) {
            Some(rest) => (before.trim_end_matches(white), rest),
            None => (before, after),
        };
        push(&mut parts, left);
        let rest = if let Some(comment) = inside.trim_start_matches(white).strip_prefix("/*") {
            let (_, rest) = comment
                .split_once("*/")
                .ok_or_else(|| wrong("unclosed comment"))?;
            rest
        } else {
            let (words, rest) = words(inside)?;
            parts.push(Part::Action(words));
            rest
        };
        let marked = rest.trim_start_matches(white);
        let (closed, trims) = match marked.strip_prefix("-}}") {
            Some(closed) if marked.len() < rest.len() => (closed, true),
            _ => (
                rest.strip_prefix("}}").ok_or_else(|| wrong("unclosed action"))?,
                false,
            ),
        };
        (text, trim) = (closed, trims);
    }
}

fn push<'t>(parts: &mut Vec<Part<'t>>, text: &'t str) {
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

fn white(sign: char) -> bool {
    matches!(sign, ' ' | '\t' | '\r' | '\n')
}

fn named(sign: char) -> bool {
    sign == '_' || sign.is_alphanumeric()
}

/// The words up to the end of the action, and the text from there on.
fn words(mut text: &str) -> Result<(Vec<Word>, &str), Fault> {
    let mut words = Vec::new();
    loop {
        let ahead = text.trim_start_matches(white);
        let spaced = ahead.len() < text.len();
        if ahead.starts_with("}}") || (spaced && ahead.starts_with("-}}")) {
            let rest = if ahead.starts_with('-') { text } else { ahead };
            return Ok((words, rest));
        }
        if spaced {
            words.push(Word::Space);
            text = ahead;
            continue;
        }
        let (word, rest) = word(text)?;
        words.push(word);
        text = rest;
    }
}

fn word(text: &str) -> Result<(Word, &str), Fault> {
    let mut signs = text.chars();
    let first = signs.next().ok_or_else(|| wrong("unclosed action"))?;
    let rest = signs.as_str();
    let name = |from: &str| {
        let end = from.find(|sign| !named(sign)).unwrap_or(from.len());
        let (name, rest) = from.split_at(end);
        (name.to_owned(), rest.len())
    };
    let after = |length: usize| text.get(text.len() - length..).unwrap_or_default();
    match first {
        '|' => Ok((Word::Pipe, rest)),
        ',' => Ok((Word::Comma, rest)),
        '(' => Ok((Word::Open, rest)),
        ')' => Ok((Word::Close, rest)),
        '=' => Ok((Word::Assign, rest)),
        ':' => match rest.strip_prefix('=') {
            Some(rest) => Ok((Word::Declare, rest)),
            None => Err(wrong("expected :=")),
        },
        '.' if !rest.starts_with(|sign: char| sign.is_ascii_digit()) => {
            let (name, left) = name(rest);
            Ok((Word::Dot(name), after(left)))
        }
        '$' => {
            let (name, left) = name(rest);
            Ok((Word::Variable(name), after(left)))
        }
        '"' => quoted(text),
        '`' => {
            let (raw, rest) = rest
                .split_once('`')
                .ok_or_else(|| wrong("unterminated raw quoted string"))?;
            Ok((Word::Text(raw.to_owned()), rest))
        }
        '+' | '-' | '.' | '0'..='9' => number(text),
        sign if named(sign) => {
            let (name, left) = name(text);
            Ok((Word::Name(name), after(left)))
        }
        other => Err(wrong(&format!("unexpected {other:?} in operand"))),
    }
}

/// A text in double quotes, with the escapes that JSON and Go have in common.
fn quoted(text: &str) -> Result<(Word, &str), Fault> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, sign)| {
        let ends = *sign == '"' && !escaped;
        escaped = *sign == '\\' && !escaped;
        ends
    });
    let (end, _) = end.ok_or_else(|| wrong("unterminated quoted string"))?;
    let (literal, rest) = text.split_at(end + 1);
    let literal = serde_json::from_str(literal).map_err(|_| wrong("invalid quoted string"))?;
    Ok((Word::Text(literal), rest))
}

fn number(text: &str) -> Result<(Word, &str), Fault> {
    let part = |sign: char| named(sign) || matches!(sign, '+' | '-' | '.');
    let (literal, rest) = text.split_at(text.find(|sign| !part(sign)).unwrap_or(text.len()));
    let word = match (literal.parse(), literal.parse()) {
        (Ok(whole), _) => Word::Int(whole),
        (Err(_), Ok(float)) => Word::Float(float),
        (Err(_), Err(_)) => return Err(wrong(&format!("bad number syntax: {literal:?}"))),
    };
    Ok((word, rest))
}
