//! `+ - * / % & |` as OPA has them: operands of a wrong type are undefined unless the asker wants strict errors. The
//! engine's own operators would end the whole evaluation.

use regorus::{Value, value::Set};

use super::{Answer, Builtin, arguments::Arguments, fault::Fault};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "internal.operator_plus",
        arity: 2,
        call: plus,
    },
    Builtin {
        name: "internal.operator_minus",
        arity: 2,
        call: minus,
    },
    Builtin {
        name: "internal.operator_mul",
        arity: 2,
        call: times,
    },
    Builtin {
        name: "internal.operator_div",
        arity: 2,
        call: divide,
    },
    Builtin {
        name: "internal.operator_rem",
        arity: 2,
        call: remainder,
    },
    Builtin {
        name: "internal.operator_and",
        arity: 2,
        call: intersection,
    },
    Builtin {
        name: "internal.operator_or",
        arity: 2,
        call: union,
    },
];

/// Both operands, once they are known to be numbers.
fn numbers<'a>(arguments: &Arguments<'a>) -> Result<(&'a Value, &'a Value), Fault> {
    for position in [1, 2] {
        let value = arguments.value(position);
        if !matches!(value, Value::Number(_)) {
            return Err(Fault::kind(position, &["number"], value));
        }
    }
    Ok((arguments.value(1), arguments.value(2)))
}

fn sets<'a>(arguments: &Arguments<'a>) -> Result<(&'a Set, &'a Set), Fault> {
    Ok((arguments.set(1)?, arguments.set(2)?))
}

fn answer<N>(outcome: anyhow::Result<N>) -> Answer
where
    Value: From<N>,
{
    outcome.map(Value::from).map_err(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> Fault {
    Fault::Failed(error.to_string())
}

fn plus(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = numbers(arguments)?;
    let right = right.as_number().map_err(|error| failed(&error))?;
    answer(left.as_number().and_then(|left| left.add(right)))
}

fn minus(arguments: &Arguments<'_>) -> Answer {
    let set = |position| matches!(arguments.value(position), Value::Set(_));
    if set(1) || set(2) {
        let (left, right) = sets(arguments)?;
        return Ok(left.difference(right).into_value());
    }
    let (left, right) = numbers(arguments)?;
    let right = right.as_number().map_err(|error| failed(&error))?;
    answer(left.as_number().and_then(|left| left.sub(right)))
}

fn times(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = numbers(arguments)?;
    let right = right.as_number().map_err(|error| failed(&error))?;
    answer(left.as_number().and_then(|left| left.mul(right)))
}

fn divide(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = numbers(arguments)?;
    if *right == Value::from(0) {
        return Err(Fault::Failed("divide by zero".into()));
    }
    let right = right.as_number().map_err(|error| failed(&error))?;
    answer(left.as_number().and_then(|left| left.clone().divide(right)))
}

fn remainder(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = numbers(arguments)?;
    let zero = *right == Value::from(0);
    let right = right.as_number().map_err(|error| failed(&error))?;
    let left = left.as_number().map_err(|error| failed(&error))?;
    if !left.is_integer() || !right.is_integer() {
        return Err(Fault::Failed("modulo on floating-point number".into()));
    }
    if zero {
        return Err(Fault::Failed("modulo by zero".into()));
    }
    answer(left.clone().modulo(right))
}

fn intersection(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = sets(arguments)?;
    Ok(left.intersection(right).into_value())
}

fn union(arguments: &Arguments<'_>) -> Answer {
    let (left, right) = sets(arguments)?;
    Ok(left.union(right).into_value())
}
