//! `numbers.*`: ranges, of numbers of any size and in bounds.

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
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
