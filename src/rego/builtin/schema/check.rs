//! Whether a schema is one. Everything that validation relies on is looked at here, once.

use std::collections::BTreeSet;

use regorus::Value;

use super::super::fault::Fault;
use super::super::pattern;
use super::{keyword, number};

/// Schemas inside of one another at most.
const DEPTH: u32 = 100;

/// Which draft: the hybrid takes what any of them has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    Hybrid,
}

/// A schema that was checked.
#[derive(Debug)]
pub(super) struct Schema<'s> {
    pub(super) root: &'s Value,
    pub(super) draft: Draft,
}

impl<'s> Schema<'s> {
    pub(super) fn of(root: &'s Value) -> Result<Self, Fault> {
        let draft = match keyword(root, "$schema") {
            None => Draft::Hybrid,
            Some(Value::String(url)) => match url.trim_end_matches('#') {
                "http://json-schema.org/draft-04/schema" => Draft::Four,
                "http://json-schema.org/draft-06/schema" => Draft::Six,
                "http://json-schema.org/draft-07/schema" => Draft::Seven,
                _ => Draft::Hybrid,
            },
            Some(_) => return Err(Fault::from("$schema must be of type string")),
        };
        let schema = Self { root, draft };
        let mut check = Check {
            schema: &schema,
            followed: BTreeSet::new(),
            depth: 0,
        };
        check.schema(root, false)?;
        Ok(schema)
    }

    /// The place in the schema that a reference names.
    pub(super) fn at(&self, reference: &str) -> Result<&'s Value, Fault> {
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(Fault::from(format!(
                "the reference {reference} leaves the schema; it is not fetched"
            )));
        };
        let lost = || Fault::from(format!("the reference {reference} leads nowhere"));
        if pointer.is_empty() {
            return Ok(self.root);
        }
        let mut place = self.root;
        for part in pointer.strip_prefix('/').ok_or_else(lost)?.split('/') {
            let part = part.replace("%25", "%").replace("~1", "/").replace("~0", "~");
            place = match place {
                Value::Object(_) => {
                    keyword(place, &part).ok_or_else(|| Fault::from(format!("Object has no key '{part}'")))?
                }
                Value::Array(items) => part
                    .parse()
                    .ok()
                    .and_then(|at: usize| items.get(at))
                    .ok_or_else(lost)?,
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Set(_)
                | Value::Undefined => return Err(lost()),
            };
        }
        Ok(place)
    }
}

fn kind(expected: &str, given: &str) -> Fault {
    Fault::from(format!("Invalid type. Expected: {expected}, given: {given}"))
}

struct Check<'c, 's> {
    schema: &'c Schema<'s>,
    followed: BTreeSet<String>,
    depth: u32,
}

impl<'s> Check<'_, 's> {
    /// `based`: a schema around it has a name of its own, which references would be relative to.
    fn schema(&mut self, schema: &'s Value, based: bool) -> Result<(), Fault> {
        if matches!(schema, Value::Bool(_)) && self.schema.draft >= Draft::Six {
            return Ok(());
        }
        if !matches!(schema, Value::Object(_)) {
            let said = if self.depth == 0 {
                "schema is invalid"
            } else {
                "Expected: Valid Schema, given: Invalid JSON"
            };
            return Err(Fault::from(said));
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::Limit(format!("schemas nested deeper than {DEPTH}")));
        }
        let names = ["id", "$id"].map(|name| keyword(schema, name));
        let named = names
            .into_iter()
            .flatten()
            .any(|name| matches!(name, Value::String(_)));
        let based = based || (named && !std::ptr::eq(schema, self.schema.root));
        self.many(schema, "definitions", based)?;
        for name in ["title", "description"] {
            text(schema, name)?;
        }
        if let Some(reference) = text(schema, "$ref")? {
            if based {
                return Err(Fault::from(
                    "references inside of a named part of a schema are not supported",
                ));
            }
            if self.followed.insert(reference.to_owned()) {
                self.schema(self.schema.at(reference)?, based)?;
            }
        } else {
            types(schema)?;
            self.structure(schema, based)?;
            self.combinations(schema, based)?;
            numbers(schema, self.schema.draft)?;
            sizes(schema)?;
            texts(schema)?;
            lists(schema)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// A schema for each name.
    fn many(&mut self, schema: &'s Value, name: &str, based: bool) -> Result<(), Fault> {
        let inner = match keyword(schema, name) {
            None => return Ok(()),
            Some(Value::Object(inner)) => inner,
            Some(_) if name == "properties" => {
                return Err(Fault::from("Properties must be of type object"));
            }
            Some(_) if name == "definitions" => return Err(kind("Array Of Schemas", name)),
            Some(_) => return Err(kind("Valid Schema", name)),
        };
        for (key, inner) in inner.iter_sorted() {
            if let (Value::String(key), "patternProperties") = (key, name) {
                pattern::compiled(key).map_err(|fault| match fault {
                    Fault::Limit(_) => fault,
                    Fault::Failed(_) | Fault::Operand(_) => {
                        Fault::from(format!("Invalid regex pattern '{key}'"))
                    }
                })?;
            }
            self.schema(inner, based)?;
        }
        Ok(())
    }

    fn structure(&mut self, schema: &'s Value, based: bool) -> Result<(), Fault> {
        self.many(schema, "properties", based)?;
        self.many(schema, "patternProperties", based)?;
        for name in ["additionalProperties", "additionalItems"] {
            match keyword(schema, name) {
                None | Some(Value::Bool(_)) => {}
                Some(inner @ Value::Object(_)) => self.schema(inner, based)?,
                Some(_) => return Err(kind("boolean/Valid Schema", name)),
            }
        }
        match keyword(schema, "items") {
            None => {}
            Some(Value::Array(items)) => {
                for inner in items.iter() {
                    self.inner(inner, based, || kind("Valid Schema/Array Of Schemas", "items"))?;
                }
            }
            Some(inner) => {
                self.inner(inner, based, || kind("Valid Schema/Array Of Schemas", "items"))?;
            }
        }
        self.dependencies(schema, based)
    }

    fn inner(&mut self, inner: &'s Value, based: bool, wrong: impl Fn() -> Fault) -> Result<(), Fault> {
        if matches!(inner, Value::Object(_) | Value::Bool(_)) {
            return self.schema(inner, based);
        }
        Err(wrong())
    }

    fn dependencies(&mut self, schema: &'s Value, based: bool) -> Result<(), Fault> {
        let dependencies = match keyword(schema, "dependencies") {
            None => return Ok(()),
            Some(Value::Object(dependencies)) => dependencies,
            Some(_) => return Err(Fault::from("dependencies must be of type object")),
        };
        let wrong = || Fault::from("Dependency must be of type Schema Or Array Of Strings");
        for (_, dependency) in dependencies.iter_sorted() {
            let Value::Array(names) = dependency else {
                self.inner(dependency, based, wrong)?;
                continue;
            };
            if !names.iter().all(|name| matches!(name, Value::String(_))) {
                return Err(wrong());
            }
        }
        Ok(())
    }

    fn combinations(&mut self, schema: &'s Value, based: bool) -> Result<(), Fault> {
        for name in ["oneOf", "anyOf", "allOf"] {
            match keyword(schema, name) {
                None => {}
                Some(Value::Array(items)) => {
                    for inner in items.iter() {
                        self.schema(inner, based)?;
                    }
                }
                Some(_) => return Err(Fault::from(format!("{name} must be of an array"))),
            }
        }
        let conditions = [
            ("not", Draft::Four),
            ("propertyNames", Draft::Six),
            ("contains", Draft::Six),
            ("if", Draft::Seven),
            ("then", Draft::Seven),
            ("else", Draft::Seven),
        ];
        for (name, since) in conditions {
            let Some(inner) = keyword(schema, name).filter(|_| self.schema.draft >= since) else {
                continue;
            };
            self.inner(inner, based, || {
                Fault::from(format!("{name} must be of an object"))
            })?;
        }
        Ok(())
    }
}

fn text<'s>(schema: &'s Value, name: &str) -> Result<Option<&'s str>, Fault> {
    match keyword(schema, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(kind("string", name)),
    }
}

fn types(schema: &Value) -> Result<(), Fault> {
    const KNOWN: [&str; 7] = [
        "array", "boolean", "integer", "number", "null", "object", "string",
    ];
    let wrong = || kind("type", "string/Array Of Strings");
    let many: Vec<&Value> = match keyword(schema, "type") {
        None => return Ok(()),
        Some(Value::Array(many)) => many.iter().collect(),
        Some(one) => vec![one],
    };
    let mut seen = BTreeSet::new();
    for one in many {
        let Value::String(name) = one else {
            return Err(wrong());
        };
        if !KNOWN.contains(&name.as_ref()) {
            let known = KNOWN.join(" ");
            return Err(Fault::from(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{known}]"
            )));
        }
        if !seen.insert(name.as_ref()) {
            return Err(Fault::from(format!("{name} type is duplicated")));
        }
    }
    Ok(())
}

fn numbers(schema: &Value, draft: Draft) -> Result<(), Fault> {
    match keyword(schema, "multipleOf") {
        None => {}
        Some(value @ Value::Number(_)) if *value <= Value::from(0) => {
            return Err(Fault::from("multipleOf must be strictly greater than 0"));
        }
        Some(Value::Number(_)) => {}
        Some(_) => return Err(kind("Number", "multipleOf")),
    }
    for (name, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        let limit = keyword(schema, name);
        if limit.is_some_and(|limit| !matches!(limit, Value::Number(_))) {
            return Err(Fault::from(format!("{name} must be of a Number")));
        }
        match (keyword(schema, exclusive), draft) {
            (None, _) => {}
            (Some(Value::Bool(_)), Draft::Four | Draft::Hybrid) if limit.is_none() => {
                return Err(Fault::from(format!("{exclusive} cannot be used without {name}")));
            }
            (Some(Value::Bool(_)), Draft::Four | Draft::Hybrid)
            | (Some(Value::Number(_)), Draft::Six | Draft::Seven | Draft::Hybrid) => {}
            (Some(_), Draft::Four) => return Err(kind("boolean", exclusive)),
            (Some(_), Draft::Hybrid) => return Err(kind("boolean/number", exclusive)),
            (Some(_), Draft::Six | Draft::Seven) => return Err(kind("number", exclusive)),
        }
    }
    Ok(())
}

fn sizes(schema: &Value) -> Result<(), Fault> {
    let size = |name: &str| match keyword(schema, name) {
        None => Ok(None),
        Some(value) => match number::integer(value) {
            None => Err(Fault::from(format!("{name} must be of an integer"))),
            Some(size) if size < 0 => Err(Fault::from(format!("{name} must be greater than or equal to 0"))),
            Some(size) => Ok(Some(size)),
        },
    };
    for (least, most) in [
        ("minLength", "maxLength"),
        ("minProperties", "maxProperties"),
        ("minItems", "maxItems"),
    ] {
        if let (Some(low), Some(high)) = (size(least)?, size(most)?)
            && low > high
            && least != "minItems"
        {
            return Err(Fault::from(format!("{least} cannot be greater than {most}")));
        }
    }
    Ok(())
}

fn texts(schema: &Value) -> Result<(), Fault> {
    if let Some(pattern) = text(schema, "pattern")? {
        pattern::compiled(pattern).map_err(|fault| match fault {
            Fault::Limit(_) => fault,
            Fault::Failed(_) | Fault::Operand(_) => Fault::from("pattern must be a valid regex"),
        })?;
    }
    text(schema, "format").map(drop)
}

fn lists(schema: &Value) -> Result<(), Fault> {
    if keyword(schema, "uniqueItems").is_some_and(|value| !matches!(value, Value::Bool(_))) {
        return Err(Fault::from("uniqueItems must be of a boolean"));
    }
    for name in ["required", "enum"] {
        let items = match keyword(schema, name) {
            None => continue,
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Fault::from(format!("{name} must be of an array"))),
        };
        let mut seen = BTreeSet::new();
        for item in items.iter() {
            if name == "required" && !matches!(item, Value::String(_)) {
                return Err(kind("string", "required"));
            }
            if !seen.insert(item) {
                return Err(Fault::from(format!("{name} items must be unique")));
            }
        }
    }
    Ok(())
}
