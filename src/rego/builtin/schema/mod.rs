//! `json.match_schema` and `json.verify_schema`: JSON Schema, drafts 4, 6 and 7, with the words of OPA's validator.
//!
//! A schema may refer to places in itself and to nothing else: fetching another one would be I/O. Formats that are
//! not checked as OPA checks them are refused when the schema is read, and not passed over.

mod check;
mod combine;
mod format;
mod leaf;
mod number;
mod outcome;
mod validate;

use regorus::Value;

use super::arguments::{Arguments, field};
use super::fault::Fault;
use super::{Answer, Builtin};
use check::Schema;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "json.match_schema",
        arity: 2,
        call: match_schema,
    },
    Builtin {
        name: "json.verify_schema",
        arity: 1,
        call: verify_schema,
    },
];

/// A document or a schema: a value, or its JSON.
fn loaded(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::String(text) => Value::from_json_str(text).map_err(|_| Fault::from("invalid JSON string")),
        Value::Object(_) | Value::Array(_) => Ok(plain(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Set(_) | Value::Undefined => {
            Err(Fault::from("wrong type, expected string or object"))
        }
    }
}

/// Without sets: JSON has none, they are arrays.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::from(items.iter().map(plain).collect::<Vec<_>>()),
        Value::Set(items) => Value::from(items.iter_sorted().map(plain).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), plain(value)));
            Value::from(fields.collect::<regorus::value::Object>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Undefined => {
            value.clone()
        }
    }
}

fn verify_schema(arguments: &Arguments<'_>) -> Answer {
    let checked = loaded(arguments.value(1)).and_then(|schema| Schema::of(&schema).map(drop));
    let (valid, said) = match checked {
        Ok(()) => (true, Value::Null),
        Err(limit @ Fault::Limit(_)) => return Err(limit),
        Err(Fault::Failed(said) | Fault::Operand(said)) => {
            (false, Value::from(format!("jsonschema: {said}")))
        }
    };
    Ok(Value::from(vec![Value::from(valid), said]))
}

fn match_schema(arguments: &Arguments<'_>) -> Answer {
    let document = loaded(arguments.value(1))?;
    let schema = loaded(arguments.value(2))?;
    let outcome = validate::validate(&Schema::of(&schema)?, &document)?;
    let valid = Value::from(outcome.valid());
    Ok(Value::from(vec![valid, outcome.document()]))
}

/// A keyword of a schema.
fn keyword<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    let Value::Object(fields) = schema else {
        return None;
    };
    field(fields, name)
}
