//! How a builtin fails. The texts are OPA's, because policy authors search for them.

use regorus::Value;

/// Why a builtin gave no value.
#[derive(Debug)]
pub(super) enum Fault {
    /// An operand of a wrong type: OPA's `eval_type_error`.
    Operand(String),
    /// The operands have the right types and no answer: OPA's `eval_builtin_error`.
    Failed(String),
    /// The work would be without bound. Never undefined, in no mode.
    Limit(String),
}

impl Fault {
    pub(super) fn operand(position: usize, said: &str) -> Self {
        Self::Operand(format!("operand {position} {said}"))
    }

    pub(super) fn kind(position: usize, wanted: &[&str], got: &Value) -> Self {
        let got = kind(got);
        match wanted {
            [one] => Self::operand(position, &format!("must be {one} but got {got}")),
            many => {
                let many = many.join(", ");
                Self::operand(position, &format!("must be one of {{{many}}} but got {got}"))
            }
        }
    }
}

impl From<&str> for Fault {
    fn from(said: &str) -> Self {
        Self::Failed(said.to_owned())
    }
}

impl From<String> for Fault {
    fn from(said: String) -> Self {
        Self::Failed(said)
    }
}

/// The name that OPA's messages give to a value's type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Set(_) => "set",
        Value::Object(_) => "object",
        Value::Undefined => "undefined",
    }
}
