//! What only policies of Rego v0 may call: OPA 1.x keeps it for them and refuses it in v1.

use regorus::Value;
use regorus::value::Set;

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin, pattern};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "all",
        arity: 1,
        call: all,
    },
    Builtin {
        name: "any",
        arity: 1,
        call: any,
    },
    Builtin {
        name: "cast_array",
        arity: 1,
        call: cast_array,
    },
    Builtin {
        name: "cast_boolean",
        arity: 1,
        call: cast_boolean,
    },
    Builtin {
        name: "cast_null",
        arity: 1,
        call: cast_null,
    },
    Builtin {
        name: "cast_object",
        arity: 1,
        call: cast_object,
    },
    Builtin {
        name: "cast_set",
        arity: 1,
        call: cast_set,
    },
    Builtin {
        name: "cast_string",
        arity: 1,
        call: cast_string,
    },
    Builtin {
        name: "re_match",
        arity: 2,
        call: pattern::matches,
    },
    Builtin {
        name: "set_diff",
        arity: 2,
        call: set_diff,
    },
];

fn either<'a>(arguments: &Arguments<'a>) -> Result<Vec<&'a Value>, Fault> {
    let value = arguments.value(1);
    items(value).ok_or_else(|| Fault::kind(1, &["array", "set"], value))
}

fn all(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        either(arguments)?
            .into_iter()
            .all(|item| *item == Value::Bool(true)),
    ))
}

fn any(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        either(arguments)?
            .into_iter()
            .any(|item| *item == Value::Bool(true)),
    ))
}

fn cast_array(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        either(arguments)?.into_iter().cloned().collect::<Vec<_>>(),
    ))
}

fn cast_set(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        either(arguments)?.into_iter().cloned().collect::<Set>(),
    ))
}

fn cast_string(arguments: &Arguments<'_>) -> Answer {
    arguments.string(1)?;
    Ok(arguments.value(1).clone())
}

fn cast_object(arguments: &Arguments<'_>) -> Answer {
    arguments.object(1)?;
    Ok(arguments.value(1).clone())
}

fn cast_boolean(arguments: &Arguments<'_>) -> Answer {
    let value = arguments.value(1);
    let Value::Bool(_) = value else {
        return Err(Fault::kind(1, &["boolean"], value));
    };
    Ok(value.clone())
}

fn cast_null(arguments: &Arguments<'_>) -> Answer {
    let Value::Null = arguments.value(1) else {
        return Err(Fault::kind(1, &["null"], arguments.value(1)));
    };
    Ok(Value::Null)
}

fn set_diff(arguments: &Arguments<'_>) -> Answer {
    let (one, other) = (arguments.set(1)?, arguments.set(2)?);
    Ok(Value::from(one.difference(other)))
}
