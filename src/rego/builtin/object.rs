//! `object.*`: what regorus answers differently or breaks on.

use regorus::Value;
use regorus::value::Object;

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "object.subset",
    arity: 2,
    call: subset,
}];

fn subset(arguments: &Arguments<'_>) -> Answer {
    let (whole, part) = (arguments.value(1), arguments.value(2));
    let inside = match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => objects(whole, part),
        (Value::Set(_), Value::Set(_)) | (Value::Array(_), Value::Array(_)) => nested(whole, part),
        (Value::Array(whole), Value::Set(part)) => part.iter().all(|item| whole.contains(item)),
        _ => {
            let said = "both arguments object.subset must be of the same type or array and set";
            return Err(Fault::Operand(said.to_owned()));
        }
    };
    Ok(Value::from(inside))
}

fn objects(whole: &Object, part: &Object) -> bool {
    part.iter().all(|(key, part)| {
        whole
            .get(key)
            .is_some_and(|whole| whole == part || nested(whole, part))
    })
}

fn nested(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => objects(whole, part),
        (Value::Set(whole), Value::Set(part)) => part.is_subset(whole),
        (Value::Array(_), Value::Array(_)) => {
            let (whole, part) = (items(whole).unwrap_or_default(), items(part).unwrap_or_default());
            // Nothing is a part of everything; without this line a window has no size.
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        }
        _ => false,
    }
}
