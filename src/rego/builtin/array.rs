//! `array.*`: what regorus does not have.

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "array.flatten",
    arity: 1,
    call: flatten,
}];

/// One level only, as in OPA.
fn flatten(arguments: &Arguments<'_>) -> Answer {
    let mut flat = Vec::new();
    for item in arguments.array(1)?.iter() {
        if let Value::Array(nested) = item {
            flat.extend(nested.iter().cloned());
        } else {
            flat.push(item.clone());
        }
    }
    Ok(Value::from(flat))
}
