//! `urlquery.*` as Go escapes: `~` stays and `*` does not, the other way round than browsers do it.

use regorus::Value;

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "urlquery.encode",
        arity: 1,
        call: |arguments| Ok(Value::from(escaped(arguments.string(1)?))),
    },
    Builtin {
        name: "urlquery.encode_object",
        arity: 1,
        call: encode_object,
    },
];

/// Go's `url.QueryEscape`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Pairs in the order of their keys; a collection gives one for each of its texts.
fn encode_object(arguments: &Arguments<'_>) -> Answer {
    let mut pairs = Vec::new();
    for (key, value) in arguments.object(1)?.iter_sorted() {
        let values = if matches!(value, Value::String(_)) {
            vec![value]
        } else {
            items(value).ok_or_else(unfit)?
        };
        for value in values {
            let (Value::String(key), Value::String(value)) = (key, value) else {
                return Err(unfit());
            };
            pairs.push(format!("{}={}", escaped(key), escaped(value)));
        }
    }
    Ok(Value::from(pairs.join("&")))
}

fn unfit() -> Fault {
    Fault::operand(1, "values must be string, array[string], or set[string]")
}
