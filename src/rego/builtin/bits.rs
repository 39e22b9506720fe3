//! `bits.*` on numbers of any size. The engine knows no integers above 2^53 that were written as `1e21`, and would
//! shift by any distance: one call could take all memory.

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

/// Longest shift to the left, in bits.
const FARTHEST: u64 = 1 << 17;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "bits.and",
        arity: 2,
        call: |arguments| {
            both(arguments, |one, other| {
                one.as_number().ok()?.and(other.as_number().ok()?)
            })
        },
    },
    Builtin {
        name: "bits.lsh",
        arity: 2,
        call: left,
    },
    Builtin {
        name: "bits.negate",
        arity: 1,
        call: negate,
    },
    Builtin {
        name: "bits.or",
        arity: 2,
        call: |arguments| {
            both(arguments, |one, other| {
                one.as_number().ok()?.or(other.as_number().ok()?)
            })
        },
    },
    Builtin {
        name: "bits.rsh",
        arity: 2,
        call: right,
    },
    Builtin {
        name: "bits.xor",
        arity: 2,
        call: |arguments| {
            both(arguments, |one, other| {
                one.as_number().ok()?.xor(other.as_number().ok()?)
            })
        },
    },
];

/// The operand as an integer that has all of its digits.
fn whole(arguments: &Arguments<'_>, position: usize) -> Answer {
    let value = arguments.value(position);
    let Value::Number(number) = value else {
        return Err(Fault::kind(position, &["number"], value));
    };
    let said = "must be integer number but got floating-point number";
    exact(&number.format_decimal()).ok_or_else(|| Fault::operand(position, said))
}

/// An integer of any size by its digits. The engine's reader would make a float of a long one.
pub(super) fn exact(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut all = Value::from(0);
    for part in digits.as_bytes().chunks(18) {
        let scale = Value::from(10_i64.pow(u32::try_from(part.len()).ok()?));
        let part = Value::from(std::str::from_utf8(part).ok()?.parse::<i64>().ok()?);
        let above = all.as_number().ok()?.mul(scale.as_number().ok()?).ok()?;
        all = Value::from(above.add(part.as_number().ok()?).ok()?);
    }
    if text.starts_with('-') {
        all = Value::from(Value::from(0).as_number().ok()?.sub(all.as_number().ok()?).ok()?);
    }
    Some(all)
}

fn both<N>(arguments: &Arguments<'_>, join: impl Fn(&Value, &Value) -> Option<N>) -> Answer
where
    Value: From<N>,
{
    let (one, other) = (whole(arguments, 1)?, whole(arguments, 2)?);
    let joined = join(&one, &other).ok_or_else(|| Fault::from("the numbers have no bits"))?;
    Ok(Value::from(joined))
}

fn negate(arguments: &Arguments<'_>) -> Answer {
    let one = whole(arguments, 1)?;
    let negated = one.as_number().ok().and_then(|number| number.neg());
    negated
        .map(Value::from)
        .ok_or_else(|| Fault::from("the number has no bits"))
}

fn distance(arguments: &Arguments<'_>) -> Result<Value, Fault> {
    let distance = whole(arguments, 2)?;
    if distance < Value::from(0) {
        let said = "must be an unsigned integer number but got a negative integer";
        return Err(Fault::operand(2, said));
    }
    Ok(distance)
}

fn left(arguments: &Arguments<'_>) -> Answer {
    let distance = distance(arguments)?;
    if distance > Value::from(FARTHEST) {
        return Err(Fault::Limit(format!("a shift by more than {FARTHEST} bits")));
    }
    both(arguments, |one, _| {
        one.as_number().ok()?.lsh(distance.as_number().ok()?)
    })
}

fn right(arguments: &Arguments<'_>) -> Answer {
    // Behind the last bit there is only the sign.
    let distance = distance(arguments)?.min(Value::from(FARTHEST));
    both(arguments, |one, _| {
        one.as_number().ok()?.rsh(distance.as_number().ok()?)
    })
}
