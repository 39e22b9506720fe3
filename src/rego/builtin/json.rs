//! `json.*`: what regorus answers differently.

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "json.is_valid",
    arity: 1,
    call: is_valid,
}];

/// What is no text is no JSON; regorus takes it for an error.
fn is_valid(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1);
    let valid = text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    Ok(Value::from(valid))
}
