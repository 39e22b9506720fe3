//! `numbers.*`: ranges, of numbers of any size and in bounds; `format_int` with all digits.

use num_bigint::BigInt;
use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "format_int",
        arity: 2,
        call: format_int,
    },
    Builtin {
        name: "numbers.range",
        arity: 2,
        call: range,
    },
    Builtin {
        name: "numbers.range_step",
        arity: 3,
        call: range_step,
    },
];

/// Numbers of one range at most. OPA goes on until its time is over.
const MOST: usize = 1_000_000;

/// Cut at the point, towards zero.
fn format_int(arguments: &Arguments<'_>) -> Answer {
    let value = arguments.value(1);
    let Value::Number(number) = value else {
        return Err(Fault::kind(1, &["number"], value));
    };
    let base = arguments
        .integer(2)
        .ok()
        .filter(|base| matches!(base, 2 | 8 | 10 | 16));
    let base = base.and_then(|base| u32::try_from(base).ok());
    let base = base.ok_or_else(|| Fault::operand(2, "must be one of {2, 8, 10, 16}"))?;
    let digits = number.format_decimal();
    let whole = digits.split_once('.').map_or(digits.as_str(), |(whole, _)| whole);
    let whole: BigInt = whole
        .parse()
        .map_err(|_| Fault::from("the number has no digits"))?;
    Ok(Value::from(whole.to_str_radix(base)))
}

fn range(arguments: &Arguments<'_>) -> Answer {
    numbers(arguments, &Value::from(1))
}

fn range_step(arguments: &Arguments<'_>) -> Answer {
    let step = whole(arguments, 3)?;
    if *step <= Value::from(0) {
        return Err(Fault::from("numbers.range_step: step must be a positive integer"));
    }
    numbers(arguments, step)
}

fn whole<'a>(arguments: &Arguments<'a>, position: usize) -> Result<&'a Value, Fault> {
    let value = arguments.value(position);
    let Value::Number(number) = value else {
        return Err(Fault::kind(position, &["integer"], value));
    };
    if !number.is_integer() {
        let said = "must be integer number but got floating-point number";
        return Err(Fault::operand(position, said));
    }
    Ok(value)
}

fn numbers(arguments: &Arguments<'_>, step: &Value) -> Answer {
    let (first, last) = (whole(arguments, 1)?, whole(arguments, 2)?);
    let (Value::Number(end), Value::Number(step), Value::Number(start)) = (last, step, first) else {
        return Err(Fault::from("the range has no numbers"));
    };
    let up = first <= last;
    let mut numbers = Vec::new();
    let mut next = start.clone();
    while (up && next <= *end) || (!up && next >= *end) {
        if numbers.len() == MOST {
            return Err(Fault::Limit(format!("a range of more than {MOST} numbers")));
        }
        numbers.push(Value::from(next.clone()));
        let moved = if up { next.add(step) } else { next.sub(step) };
        next = moved.map_err(|error| Fault::from(error.to_string()))?;
    }
    Ok(Value::from(numbers))
}
