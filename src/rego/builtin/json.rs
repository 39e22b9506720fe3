//! `json.*`: what regorus answers differently.

use regorus::Value;

use super::arguments::Arguments;
use super::encoding::go_json;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "json.is_valid",
        arity: 1,
        call: is_valid,
    },
    Builtin {
        name: "json.marshal",
        arity: 1,
        call: |arguments| Ok(Value::from(go_json(arguments.value(1))?)),
    },
    Builtin {
        name: "json.marshal_with_options",
        arity: 2,
        call: marshal_with_options,
    },
];

/// What is no text is no JSON; regorus takes it for an error.
fn is_valid(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1);
    let valid = text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    Ok(Value::from(valid))
}

/// `prefix` and `indent` ask for lines, unless `pretty` says otherwise.
fn marshal_with_options(arguments: &Arguments<'_>) -> Answer {
    let (mut prefix, mut indent, mut implied, mut pretty) = ("", "\t", false, None);
    for (key, value) in arguments.object(2)?.iter_sorted() {
        match (key, value) {
            (Value::String(key), Value::String(text)) if &**key == "prefix" => {
                (prefix, implied) = (text, true);
            }
            (Value::String(key), Value::String(text)) if &**key == "indent" => {
                (indent, implied) = (text, true);
            }
            (Value::String(key), Value::Bool(wanted)) if &**key == "pretty" => pretty = Some(*wanted),
            _ => {
                let said = format!("object contained unknown key {key}, or one of a wrong type");
                return Err(Fault::operand(2, &said));
            }
        }
    }
    let text = go_json(arguments.value(1))?;
    if pretty.unwrap_or(implied) {
        return Ok(Value::from(format!("{prefix}{}", lines(&text, prefix, indent))));
    }
    Ok(Value::from(text))
}

/// Go's `json.Indent` of compact JSON.
fn lines(text: &str, prefix: &str, indent: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut within, mut escaped) = (0_usize, false, false);
    let mut signs = text.chars().peekable();
    let line = |depth: usize| format!("\n{prefix}{}", indent.repeat(depth));
    while let Some(sign) = signs.next() {
        if within {
            out.push(sign);
            within = escaped || sign != '"';
            escaped = !escaped && sign == '\\';
            continue;
        }
        match sign {
            '{' | '[' if signs.next_if(|next| matches!(next, '}' | ']')).is_some() => {
                out.push_str(if sign == '{' { "{}" } else { "[]" });
            }
            '{' | '[' => {
                depth += 1;
                out.push(sign);
                out.push_str(&line(depth));
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                out.push_str(&line(depth));
                out.push(sign);
            }
            ',' => {
                out.push(sign);
                out.push_str(&line(depth));
            }
            ':' => out.push_str(": "),
            _ => {
                within = sign == '"';
                out.push(sign);
            }
        }
    }
    out
}
