//! What `$"…{x}…"` is lowered to: texts, and sets of the one value of each expression.

use regorus::Value;

use super::{Answer, Builtin, arguments::Arguments, fault::Fault};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "internal.template_string",
    arity: 1,
    call: template_string,
}];

fn template_string(arguments: &Arguments<'_>) -> Answer {
    let mut out = String::new();
    for part in arguments.array(1)?.iter() {
        let Value::Set(values) = part else {
            out.push_str(&shown(part));
            continue;
        };
        match (values.len(), values.first()) {
            (0, _) | (_, None) => out.push_str("<undefined>"),
            (1, Some(value)) => out.push_str(&shown(value)),
            _ => {
                return Err(Fault::Failed(
                    "template-strings must not produce multiple outputs".into(),
                ));
            }
        }
    }
    Ok(out.into())
}

/// A text as it is, everything else as Rego writes it.
fn shown(value: &Value) -> String {
    match value.as_string() {
        Ok(text) => text.to_string(),
        Err(_) => written(value),
    }
}

pub(super) fn written(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Array(items) => format!("[{}]", list(items.iter().map(written).collect())),
        Value::Set(items) if items.is_empty() => "set()".to_owned(),
        Value::Set(items) => format!("{{{}}}", list(items.iter_sorted().map(written).collect())),
        Value::Object(object) => {
            let pairs = object
                .iter_sorted()
                .map(|(key, value)| format!("{}: {}", written(key), written(value)));
            format!("{{{}}}", list(pairs.collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Undefined => {
            value.to_string()
        }
    }
}
