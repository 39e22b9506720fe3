//! `base64.*`: regorus refuses unused bits and missing padding that Go passes over.

use regorus::Value;

use super::arguments::Arguments;
use super::encoding::{self, Alphabet};
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "base64.decode",
        arity: 1,
        call: |arguments| Ok(text(&encoding::base64(Alphabet::Standard, arguments.string(1)?)?)),
    },
    Builtin {
        name: "base64.is_valid",
        arity: 1,
        call: is_valid,
    },
    Builtin {
        name: "base64url.decode",
        arity: 1,
        call: |arguments| Ok(text(&encoding::base64url(arguments.string(1)?)?)),
    },
];

/// Bytes as text. OPA writes those that are none as U+FFFD when the answer becomes JSON.
fn text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes).as_ref())
}

/// What is no text is no base64.
fn is_valid(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1);
    let valid = text.is_ok_and(|text| encoding::base64(Alphabet::Standard, text).is_ok());
    Ok(Value::from(valid))
}
