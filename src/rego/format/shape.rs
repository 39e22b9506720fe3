//! What a module says, without how it is laid out: two texts of one shape mean the same.

use std::fmt::Write as _;

use super::tree::{Head, Kind, Literal, Otherwise, Part, Rule, Term, Tree, Value};

/// Everything but places, the order of imports and the spelling of references; and the comments.
pub(super) fn of(tree: &Tree) -> String {
    let mut out = String::new();
    term(&tree.package, &mut out);
    let mut imports: Vec<String> = tree
        .imports
        .iter()
        .filter(|import| !matches!(import.path.names().as_slice(), ["future", "keywords", ..]))
        .map(|import| {
            let mut line = String::new();
            term(&import.path, &mut line);
            let _ = write!(line, " as {:?}", import.alias);
            line
        })
        .collect();
    imports.sort();
    out.push_str(&imports.join("\n"));
    for each in &tree.rules {
        rule(each, &mut out);
    }
    let mut comments: Vec<&str> = tree
        .comments
        .iter()
        .map(|comment| comment.text.as_str())
        .collect();
    comments.sort_unstable();
    let _ = write!(out, "\n# {comments:?}");
    out
}

fn rule(rule: &Rule, out: &mut String) {
    let _ = write!(out, "\nrule {} ", rule.default);
    head(&rule.head, out);
    condition(rule.body.as_deref(), out);
    let mut next = rule.otherwise.as_deref();
    while let Some(Otherwise {
        value,
        body,
        otherwise,
        ..
    }) = next
    {
        out.push_str(" else ");
        outcome(value.as_ref(), out);
        condition(body.as_deref(), out);
        next = otherwise.as_deref();
    }
}

fn head(head: &Head, out: &mut String) {
    for part in &head.path {
        term(part, out);
        out.push('.');
    }
    if let Some(args) = &head.args {
        list("args", args, out);
    }
    match &head.item {
        Some(item) => {
            out.push_str(" item ");
            term(item, out);
        }
        None => outcome(head.value.as_ref(), out),
    }
}

/// No value and `true` are the same, as are no body and the body `true`; `=` and `:=` are in a head.
fn outcome(value: Option<&Term>, out: &mut String) {
    out.push_str(" := ");
    match value {
        Some(value) => term(value, out),
        None => out.push_str("true"),
    }
}

fn condition(literals: Option<&[Literal]>, out: &mut String) {
    out.push_str(" if ");
    match literals {
        Some(literals) => body(literals, out),
        None => out.push_str("{true;}"),
    }
}

fn body(literals: &[Literal], out: &mut String) {
    out.push('{');
    for each in literals {
        literal(each, out);
        out.push(';');
    }
    out.push('}');
}

fn literal(literal: &Literal, out: &mut String) {
    if literal.negated {
        out.push_str("not ");
    }
    match &literal.kind {
        Kind::Expr(inner) => term(inner, out),
        Kind::Some(names) => list("some", names, out),
        Kind::SomeIn(inner) => {
            out.push_str("some ");
            term(inner, out);
        }
        Kind::Every(every) => {
            out.push_str("every ");
            if let Some(key) = &every.key {
                term(key, out);
                out.push(',');
            }
            term(&every.value, out);
            out.push_str(" in ");
            term(&every.domain, out);
            body(&every.body, out);
        }
    }
    for with in &literal.with {
        out.push_str(" with ");
        term(&with.target, out);
        out.push_str(" as ");
        term(&with.value, out);
    }
}

fn list(name: &str, terms: &[Term], out: &mut String) {
    out.push_str(name);
    out.push('(');
    for each in terms {
        term(each, out);
        out.push(',');
    }
    out.push(')');
}

fn term(each: &Term, out: &mut String) {
    match &each.value {
        Value::Scalar(text) | Value::Var(text) => out.push_str(text),
        Value::Text(_, content) => {
            let _ = write!(out, "{content:?}");
        }
        Value::Template(raw, parts) => template(*raw, parts, out),
        Value::Ref(parts) => list("ref", parts, out),
        Value::Call(name, args) => {
            term(name, out);
            list("", args, out);
        }
        Value::Infix(sign, left, right) => {
            let _ = write!(out, "({sign} ");
            term(left, out);
            out.push(' ');
            term(right, out);
            out.push(')');
        }
        Value::InKey(parts) => list("in", parts.as_slice(), out),
        Value::Array(items) => list("array", items, out),
        Value::Set(items) => list("set", items, out),
        Value::Object(members) => {
            out.push_str("object");
            for (key, value) in members {
                term(key, out);
                out.push(':');
                term(value, out);
                out.push(',');
            }
            out.push_str("end");
        }
        Value::ArrayOf(item, literals) | Value::SetOf(item, literals) => {
            out.push_str(if matches!(each.value, Value::ArrayOf(..)) {
                "each["
            } else {
                "each{"
            });
            term(item, out);
            body(literals, out);
        }
        Value::ObjectOf(pair, literals) => {
            out.push_str("each:");
            term(&pair.0, out);
            out.push(':');
            term(&pair.1, out);
            body(literals, out);
        }
    }
}

/// A constant in braces is the same as its text.
fn template(raw: bool, parts: &[Part], out: &mut String) {
    out.push_str("$`");
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expr(inner) => {
                if let Some(text) = inner.in_template(raw) {
                    out.push_str(&text);
                    continue;
                }
                out.push('{');
                literal(inner, out);
                out.push('}');
            }
        }
    }
    out.push('`');
}
