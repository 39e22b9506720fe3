//! The functions of a template.

use std::cmp::Ordering;

use regorus::Value;

use super::super::{fault::Fault, query};
use super::eval::Item;

fn wrong(name: &str, said: &str) -> Fault {
    Fault::from(format!("template: template: error calling {name}: {said}"))
}

pub(super) fn call(name: &str, items: Vec<Item>) -> Result<Item, Fault> {
    match name {
        "and" | "or" => items
            .into_iter()
            .next_back()
            .ok_or_else(|| wrong(name, "missing argument")),
        "not" => match items.as_slice() {
            [one] => Ok(Item::truth(!one.true_())),
            _ => Err(wrong(name, "wants 1 argument")),
        },
        "len" => length(&items),
        "index" => index(items),
        "print" => Ok(Item::text(print(&items))),
        "println" => {
            let items: Vec<String> = items.iter().map(Item::printed).collect();
            Ok(Item::text(format!("{}\n", items.join(" "))))
        }
        "printf" => printf(&items).map(Item::text),
        "html" => Ok(Item::text(html(&print(&items)))),
        "urlquery" => Ok(Item::text(query::escaped(&print(&items)))),
        "eq" => equal(&items).map(Item::truth),
        "ne" => match items.len() {
            2 => equal(&items).map(|same| Item::truth(!same)),
            _ => Err(wrong(name, "wants 2 arguments")),
        },
        "lt" => compared(name, &items).map(|order| Item::truth(order.is_lt())),
        "le" => compared(name, &items).map(|order| Item::truth(order.is_le())),
        "gt" => compared(name, &items).map(|order| Item::truth(order.is_gt())),
        "ge" => compared(name, &items).map(|order| Item::truth(order.is_ge())),
        "call" | "js" | "slice" => Err(wrong(name, "the function is not supported here")),
        other => Err(Fault::from(format!(
            "template: template: function {other:?} not defined"
        ))),
    }
}

/// Go's `Sprint`: a space between two operands of which none is a text.
fn print(items: &[Item]) -> String {
    let texts = |item: &Item| matches!(item, Item::Data(Value::String(_) | Value::Number(_)));
    let mut out = String::new();
    let mut before: Option<&Item> = None;
    for item in items {
        if before.is_some_and(|before| !texts(before) && !texts(item)) {
            out.push(' ');
        }
        out.push_str(&item.printed());
        before = Some(item);
    }
    out
}

fn html(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, sign| {
            match sign {
                '"' => out.push_str("&#34;"),
                '\'' => out.push_str("&#39;"),
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '\0' => out.push('\u{fffd}'),
                other => out.push(other),
            }
            out
        })
}

/// The verbs that mean the same for every value here; any other is an error.
fn printf(items: &[Item]) -> Result<String, Fault> {
    let mut items = items.iter();
    let Some(Item::Data(Value::String(format))) = items.next() else {
        return Err(wrong("printf", "wants a format"));
    };
    let (mut out, mut signs) = (String::new(), format.chars());
    while let Some(sign) = signs.next() {
        if sign != '%' {
            out.push(sign);
            continue;
        }
        let verb = signs.next();
        if verb == Some('%') {
            out.push('%');
            continue;
        }
        let item = items.next().ok_or_else(|| wrong("printf", "missing argument"))?;
        match (verb, item) {
            (Some('v'), item) => out.push_str(&item.printed()),
            (Some('s'), Item::Data(Value::String(_) | Value::Number(_))) | (Some('d'), Item::Int(_)) => {
                out.push_str(&item.printed());
            }
            (Some('t'), Item::Data(Value::Bool(truth))) => out.push_str(&truth.to_string()),
            _ => return Err(wrong("printf", "this verb is not supported for this value")),
        }
    }
    match items.next() {
        None => Ok(out),
        Some(_) => Err(wrong("printf", "more arguments than verbs")),
    }
}

fn length(items: &[Item]) -> Result<Item, Fault> {
    let [Item::Data(value)] = items else {
        return Err(wrong("len", "len of this value"));
    };
    let length = match value {
        Value::String(text) => text.len(),
        Value::Number(number) => number.format_decimal().len(),
        Value::Array(items) => items.iter().count(),
        Value::Set(items) => items.len(),
        Value::Object(fields) => fields.len(),
        Value::Null | Value::Bool(_) | Value::Undefined => return Err(wrong("len", "len of this value")),
    };
    Ok(Item::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(items: Vec<Item>) -> Result<Item, Fault> {
    let mut items = items.into_iter();
    let mut item = items.next().ok_or_else(|| wrong("index", "missing argument"))?;
    for key in items {
        item = match (&item, &key) {
            (Item::Data(Value::Object(fields)), Item::Data(key @ Value::String(_))) => {
                fields.get(key).cloned().map_or(Item::Missing, Item::Data)
            }
            (Item::Data(Value::Array(items)), Item::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at).cloned());
                Item::Data(found.ok_or_else(|| wrong("index", &format!("index out of range: {at}")))?)
            }
            _ => return Err(wrong("index", "can't index this value with this key")),
        };
    }
    Ok(item)
}

/// What two values can be compared as; numbers of the data are texts.
enum Basic {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

fn basic(item: &Item) -> Option<Basic> {
    match item {
        Item::Int(number) => Some(Basic::Int(*number)),
        Item::Float(number) => Some(Basic::Float(*number)),
        Item::Data(Value::Bool(truth)) => Some(Basic::Bool(*truth)),
        Item::Data(Value::String(_) | Value::Number(_)) => Some(Basic::Text(item.printed())),
        Item::Missing | Item::Data(_) => None,
    }
}

fn nothing(item: &Item) -> bool {
    matches!(item, Item::Missing | Item::Data(Value::Null))
}

/// Whether the first is equal to one of the others.
fn equal(items: &[Item]) -> Result<bool, Fault> {
    let [first, others @ ..] = items else {
        return Err(wrong("eq", "missing argument for comparison"));
    };
    if others.is_empty() {
        return Err(wrong("eq", "missing argument for comparison"));
    }
    for other in others {
        let same = match (basic(first), basic(other)) {
            (Some(Basic::Bool(a)), Some(Basic::Bool(b))) => a == b,
            (Some(Basic::Int(a)), Some(Basic::Int(b))) => a == b,
            (Some(Basic::Float(a)), Some(Basic::Float(b))) => a.total_cmp(&b).is_eq(),
            (Some(Basic::Text(a)), Some(Basic::Text(b))) => a == b,
            _ if nothing(first) || nothing(other) => nothing(first) && nothing(other),
            _ => return Err(wrong("eq", "incompatible types for comparison")),
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compared(name: &str, items: &[Item]) -> Result<Ordering, Fault> {
    let [first, second] = items else {
        return Err(wrong(name, "wants 2 arguments"));
    };
    match (basic(first), basic(second)) {
        (Some(Basic::Int(a)), Some(Basic::Int(b))) => Ok(a.cmp(&b)),
        (Some(Basic::Float(a)), Some(Basic::Float(b))) => Ok(a.total_cmp(&b)),
        (Some(Basic::Text(a)), Some(Basic::Text(b))) => Ok(a.cmp(&b)),
        _ => Err(wrong(name, "incompatible types for comparison")),
    }
}
