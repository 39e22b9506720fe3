//! The arguments of a call, taken by position and type with OPA's messages when the type is another.

use regorus::Value;
use regorus::value::{Array, Object, Set};

use super::fault::Fault;

/// Positions count from 1, as in OPA's messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a>(&'a [Value]);

impl<'a> Arguments<'a> {
    pub(super) fn of(values: &'a [Value]) -> Self {
        Self(values)
    }

    /// regorus checks the number of arguments, so one that is missing is never seen by a policy.
    pub(super) fn value(self, position: usize) -> &'a Value {
        self.0
            .get(position.saturating_sub(1))
            .unwrap_or(&Value::Undefined)
    }

    pub(super) fn string(self, position: usize) -> Result<&'a str, Fault> {
        let value = self.value(position);
        let Value::String(text) = value else {
            return Err(Fault::kind(position, &["string"], value));
        };
        Ok(text)
    }

    pub(super) fn array(self, position: usize) -> Result<&'a Array, Fault> {
        let value = self.value(position);
        let Value::Array(items) = value else {
            return Err(Fault::kind(position, &["array"], value));
        };
        Ok(items)
    }

    pub(super) fn set(self, position: usize) -> Result<&'a Set, Fault> {
        let value = self.value(position);
        let Value::Set(items) = value else {
            return Err(Fault::kind(position, &["set"], value));
        };
        Ok(items)
    }

    pub(super) fn object(self, position: usize) -> Result<&'a Object, Fault> {
        let value = self.value(position);
        let Value::Object(fields) = value else {
            return Err(Fault::kind(position, &["object"], value));
        };
        Ok(fields)
    }

    pub(super) fn integer(self, position: usize) -> Result<i64, Fault> {
        let value = self.value(position);
        if !matches!(value, Value::Number(_)) {
            return Err(Fault::kind(position, &["number"], value));
        }
        value
            .as_i64()
            .map_err(|_| Fault::operand(position, "must be integer number but got floating-point number"))
    }

    /// An array or a set, in order.
    pub(super) fn collection(self, position: usize) -> Result<Vec<&'a Value>, Fault> {
        items(self.value(position))
            .ok_or_else(|| Fault::kind(position, &["set", "array"], self.value(position)))
    }
}

/// The elements of an array or a set, in order.
pub(super) fn items(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Set(items) => Some(items.iter_sorted().collect()),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)
        | Value::Undefined => None,
    }
}

/// The value of a text key.
pub(super) fn field<'a>(fields: &'a Object, name: &str) -> Option<&'a Value> {
    fields.get(&Value::from(name))
}

/// A number to the nearest double; `as_f64` has none for integers between two doubles.
pub(super) fn float(value: &Value) -> Option<f64> {
    value.as_number().ok()?.format_decimal().parse().ok()
}
