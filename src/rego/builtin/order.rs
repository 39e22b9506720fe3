//! `< <= > >=` in OPA's order of all values. The engine puts sets before objects; OPA after them.

use std::cmp::Ordering;

use regorus::Value;

use super::{Answer, Builtin, arguments::Arguments};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "internal.operator_lt",
        arity: 2,
        call: |arguments| compared(arguments, Ordering::is_lt),
    },
    Builtin {
        name: "internal.operator_lte",
        arity: 2,
        call: |arguments| compared(arguments, Ordering::is_le),
    },
    Builtin {
        name: "internal.operator_gt",
        arity: 2,
        call: |arguments| compared(arguments, Ordering::is_gt),
    },
    Builtin {
        name: "internal.operator_gte",
        arity: 2,
        call: |arguments| compared(arguments, Ordering::is_ge),
    },
];

fn compared(arguments: &Arguments<'_>, holds: fn(Ordering) -> bool) -> Answer {
    Ok(Value::from(holds(order(arguments.value(1), arguments.value(2)))))
}

/// OPA's order.
fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => items(left.iter(), right.iter()),
        (Value::Set(left), Value::Set(right)) => {
            items(sorted(left.iter()).into_iter(), sorted(right.iter()).into_iter())
        }
        (Value::Object(left), Value::Object(right)) => {
            let (left_keys, right_keys) = (sorted(left.keys()), sorted(right.keys()));
            for (one, other) in left_keys.iter().zip(&right_keys) {
                let keys = order(one, other);
                let values = || {
                    let none = Value::Undefined;
                    order(left.get(one).unwrap_or(&none), right.get(other).unwrap_or(&none))
                };
                let both = keys.then_with(values);
                if both.is_ne() {
                    return both;
                }
            }
            left_keys.len().cmp(&right_keys.len())
        }
        _ => rank(left).cmp(&rank(right)).then_with(|| left.cmp(right)),
    }
}

fn items<'a>(
    mut left: impl Iterator<Item = &'a Value>,
    mut right: impl Iterator<Item = &'a Value>,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => {
                let each = order(one, other);
                if each.is_ne() {
                    return each;
                }
            }
        }
    }
}

fn sorted<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut all: Vec<&Value> = values.collect();
    all.sort_by(|one, other| order(one, other));
    all
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Undefined => 0,
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
        Value::Set(_) => 7,
    }
}
