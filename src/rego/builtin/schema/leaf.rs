//! The keywords that look at one value and at nothing in it.

use regorus::Value;

use super::super::fault::Fault;
use super::super::pattern;
use super::outcome::{Outcome, Place};
use super::{keyword, number};

pub(super) fn kind(value: &Value) -> &'static str {
    if matches!(value, Value::Number(_)) && number::whole(value) {
        return "integer";
    }
    super::super::fault::kind(value)
}

pub(super) fn size(schema: &Value, name: &str) -> Option<usize> {
    keyword(schema, name)
        .and_then(number::integer)
        .and_then(|size| usize::try_from(size).ok())
}

/// The types that are expected, if the value is of none of them.
pub(super) fn mistyped(schema: &Value, value: &Value) -> Option<String> {
    let types: Vec<&str> = match keyword(schema, "type")? {
        Value::String(one) => vec![one],
        Value::Array(many) => many
            .iter()
            .filter_map(|one| one.as_string().ok())
            .map(AsRef::as_ref)
            .collect(),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Set(_)
        | Value::Object(_)
        | Value::Undefined => return None,
    };
    let own = kind(value);
    let met = types
        .iter()
        .any(|name| *name == own || (*name == "number" && own == "integer"));
    if met || types.is_empty() {
        return None;
    }
    Some(match types.as_slice() {
        [one] => (*one).to_owned(),
        many => format!("[{}]", many.join(",")),
    })
}

pub(super) fn counted(schema: &Value, items: &[&Value], place: &Place, outcome: &mut Outcome) {
    if let Some(least) = size(schema, "minItems").filter(|least| items.len() < *least) {
        outcome.fail(
            "array_min_items",
            place,
            format!("Array must have at least {least} items"),
        );
    }
    if let Some(most) = size(schema, "maxItems").filter(|most| items.len() > *most) {
        outcome.fail(
            "array_max_items",
            place,
            format!("Array must have at most {most} items"),
        );
    }
    if keyword(schema, "uniqueItems") != Some(&Value::Bool(true)) {
        return;
    }
    let mut seen = std::collections::BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(before) = seen.insert(*item, at) {
            outcome.fail(
                "unique",
                place,
                format!("array items[{before},{at}] must be unique"),
            );
        }
    }
}

pub(super) fn texts(schema: &Value, text: &str, place: &Place, outcome: &mut Outcome) -> Result<(), Fault> {
    let length = text.chars().count();
    if let Some(least) = size(schema, "minLength").filter(|least| length < *least) {
        let said = format!("String length must be greater than or equal to {least}");
        outcome.fail("string_gte", place, said);
    }
    if let Some(most) = size(schema, "maxLength").filter(|most| length > *most) {
        let said = format!("String length must be less than or equal to {most}");
        outcome.fail("string_lte", place, said);
    }
    if let Some(Value::String(pattern)) = keyword(schema, "pattern")
        && !pattern::compiled(pattern)?.is_match(text)
    {
        outcome.fail("pattern", place, format!("Does not match pattern '{pattern}'"));
    }
    outcome.score += 1;
    Ok(())
}

pub(super) fn numbers(
    schema: &Value,
    value: &Value,
    place: &Place,
    outcome: &mut Outcome,
) -> Result<(), Fault> {
    if let Some(of) = keyword(schema, "multipleOf") {
        match number::multiple(value, of) {
            Some(true) => {}
            Some(false) => {
                let said = format!("Must be a multiple of {}", number::printed(of));
                outcome.fail("multiple_of", place, said);
            }
            None => return Err(Fault::from("numbers too large or too long for multipleOf")),
        }
    }
    let exclusive = |name: &str, limit: &str| {
        let value = keyword(schema, name)?;
        // Before draft 6 it says of the limit beside it that it is not part of the range.
        let limit = if *value == Value::Bool(true) {
            keyword(schema, limit)
        } else {
            Some(value)
        };
        limit.filter(|limit| matches!(limit, Value::Number(_)))
    };
    let inclusive = |name: &str, exclusive: &str| {
        keyword(schema, name).filter(|_| keyword(schema, exclusive) != Some(&Value::Bool(true)))
    };
    let limits = [
        (
            inclusive("maximum", "exclusiveMaximum"),
            "number_lte",
            "less than or equal to",
        ),
        (exclusive("exclusiveMaximum", "maximum"), "number_lt", "less than"),
        (
            inclusive("minimum", "exclusiveMinimum"),
            "number_gte",
            "greater than or equal to",
        ),
        (
            exclusive("exclusiveMinimum", "minimum"),
            "number_gt",
            "greater than",
        ),
    ];
    for (limit, kind, said) in limits {
        let Some(limit) = limit else { continue };
        let met = match kind {
            "number_lte" => value <= limit,
            "number_lt" => value < limit,
            "number_gte" => value >= limit,
            _ => value > limit,
        };
        if !met {
            outcome.fail(kind, place, format!("Must be {said} {}", number::printed(limit)));
        }
    }
    outcome.score += 1;
    Ok(())
}
