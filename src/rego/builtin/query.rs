//! `urlquery.*` as Go escapes: `~` stays and `*` does not, the other way round than browsers do it.

use std::collections::BTreeMap;

use regorus::Value;

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "urlquery.decode",
        arity: 1,
        call: decode,
    },
    Builtin {
        name: "urlquery.decode_object",
        arity: 1,
        call: decode_object,
    },
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

fn decode(arguments: &Arguments<'_>) -> Answer {
    unescape(arguments.string(1)?)
}

/// Go's `url.ParseQuery`: a broken part breaks the whole.
fn decode_object(arguments: &Arguments<'_>) -> Answer {
    let mut fields: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for part in arguments.string(1)?.split('&').filter(|part| !part.is_empty()) {
        if part.contains(';') {
            return Err(Fault::from("invalid semicolon separator in query"));
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        fields.entry(unescape(key)?).or_default().push(unescape(value)?);
    }
    let fields = fields.into_iter().map(|(key, values)| (key, Value::from(values)));
    Ok(Value::from(fields.collect::<regorus::value::Object>()))
}

fn unescape(text: &str) -> Result<Value, Fault> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => plain.push(b' '),
            b'%' => {
                let mut nibble = || bytes.next().and_then(|sign| char::from(sign).to_digit(16));
                let value = nibble()
                    .zip(nibble())
                    .and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                plain.push(value.ok_or_else(|| Fault::from(format!("invalid URL escape in {text:?}")))?);
            }
            other => plain.push(other),
        }
    }
    Ok(Value::from(String::from_utf8_lossy(&plain).into_owned()))
}

/// Go's `url.QueryEscape`.
pub(super) fn escaped(text: &str) -> String {
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
