//! Whether a document is as a schema wants it.

use regorus::Value;

use super::super::encoding::go_json;
use super::super::fault::Fault;
use super::super::pattern;
use super::check::{Draft, Schema};
use super::leaf::{counted, kind, mistyped, numbers, size, texts};
use super::outcome::{Outcome, Place};
use super::{format, keyword};

/// Schemas that are applied at most, and how deep: a schema may refer to itself.
const APPLIED: u32 = 200_000;
const DEPTH: u32 = 200;

pub(super) fn validate(schema: &Schema<'_>, document: &Value) -> Result<Outcome, Fault> {
    let mut validation = Validation {
        schema,
        left: APPLIED,
        depth: 0,
    };
    validation.apply(schema.root, document, &Place::default())
}

pub(super) struct Validation<'v, 's> {
    pub(super) schema: &'v Schema<'s>,
    left: u32,
    depth: u32,
}

impl<'s> Validation<'_, 's> {
    pub(super) fn apply(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
    ) -> Result<Outcome, Fault> {
        self.left = self
            .left
            .checked_sub(1)
            .filter(|_| self.depth < DEPTH)
            .ok_or_else(|| Fault::Limit("the schema is applied too often or too deep".to_owned()))?;
        self.depth += 1;
        let outcome = self.applied(schema, value, place);
        self.depth -= 1;
        outcome
    }

    fn applied(&mut self, schema: &'s Value, value: &Value, place: &Place) -> Result<Outcome, Fault> {
        let mut outcome = Outcome::default();
        if let Value::Bool(pass) = schema {
            if !pass {
                outcome.fail("false", place, "False always fails validation".to_owned());
            }
            return Ok(outcome);
        }
        if let Some(Value::String(reference)) = keyword(schema, "$ref") {
            let target = self.schema.at(reference)?;
            return self.apply(target, value, place);
        }
        if let Some(expected) = mistyped(schema, value) {
            let given = kind(value);
            outcome.fail(
                "invalid_type",
                place,
                format!("Invalid type. Expected: {expected}, given: {given}"),
            );
            return Ok(outcome);
        }
        self.combined(schema, value, place, &mut outcome)?;
        if let Value::Number(_) = value {
            numbers(schema, value, place, &mut outcome)?;
        } else if let Value::Array(items) = value {
            let items: Vec<&Value> = items.iter().collect();
            self.array(schema, &items, place, &mut outcome)?;
        } else {
            self.object(schema, value, place, &mut outcome)?;
        }
        self.common(schema, value, place, &mut outcome)?;
        if let Value::String(text) = value {
            texts(schema, text, place, &mut outcome)?;
        }
        if let (Value::Object(_), Some(Value::Object(properties))) = (value, keyword(schema, "properties")) {
            for (name, inner) in properties.iter_sorted() {
                let Value::String(name) = name else { continue };
                let Some(member) = keyword(value, name) else {
                    continue;
                };
                outcome.merge(self.apply(inner, member, &place.within(name))?);
            }
        }
        outcome.score += 1;
        Ok(outcome)
    }

    fn common(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        if let Some(wanted) = keyword(schema, "const").filter(|_| self.schema.draft >= Draft::Six)
            && wanted != value
        {
            let (field, wanted) = (place.field(), go_json(wanted)?);
            outcome.fail("const", place, format!("{field} does not match: {wanted}"));
        }
        if let Some(Value::Array(allowed)) = keyword(schema, "enum")
            && !allowed.contains(value)
        {
            let allowed = allowed
                .iter()
                .map(go_json)
                .collect::<Result<Vec<_>, _>>()?
                .join(", ");
            let field = place.field();
            outcome.fail(
                "enum",
                place,
                format!("{field} must be one of the following: {allowed}"),
            );
        }
        if let (Some(Value::String(name)), Value::String(text)) = (keyword(schema, "format"), value) {
            if format::UNKNOWN.contains(&name.as_ref()) {
                return Err(Fault::from(format!(
                    "the format {name} is not supported; use a pattern"
                )));
            }
            if !format::met(name, text) {
                outcome.fail("format", place, format!("Does not match format '{name}'"));
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn array(
        &mut self,
        schema: &'s Value,
        items: &[&Value],
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let listed: Vec<&'s Value> = match keyword(schema, "items") {
            Some(Value::Array(schemas)) => schemas.iter().collect(),
            Some(single) => std::iter::repeat_n(single, items.len()).collect(),
            None => Vec::new(),
        };
        for (at, (inner, item)) in listed.iter().zip(items).enumerate() {
            outcome.merge(self.apply(inner, item, &place.within(&at.to_string()))?);
        }
        if !listed.is_empty() && listed.len() < items.len() {
            match keyword(schema, "additionalItems") {
                Some(Value::Bool(false)) => {
                    outcome.fail(
                        "array_no_additional_items",
                        place,
                        "No additional items allowed on array".to_owned(),
                    );
                }
                Some(inner @ Value::Object(_)) => {
                    for (at, item) in items.iter().enumerate().skip(listed.len()) {
                        outcome.merge(self.apply(inner, item, &place.within(&at.to_string()))?);
                    }
                }
                _ => {}
            }
        }
        counted(schema, items, place, outcome);
        if let Some(inner) = keyword(schema, "contains").filter(|_| self.schema.draft >= Draft::Six) {
            self.contains(inner, items, place, outcome)?;
        }
        outcome.score += 1;
        Ok(())
    }

    fn contains(
        &mut self,
        inner: &'s Value,
        items: &[&Value],
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let mut nearest = None::<Outcome>;
        for (at, item) in items.iter().enumerate() {
            let each = self.apply(inner, item, &place.within(&at.to_string()))?;
            if each.valid() {
                return Ok(());
            }
            if nearest.as_ref().is_none_or(|nearest| each.score > nearest.score) {
                nearest = Some(each);
            }
        }
        outcome.fail(
            "contains",
            place,
            "At least one of the items must match".to_owned(),
        );
        outcome.merge(nearest.unwrap_or_default());
        Ok(())
    }

    fn object(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let Value::Object(members) = value else {
            return Ok(());
        };
        if let Some(least) = size(schema, "minProperties").filter(|least| members.len() < *least) {
            outcome.fail(
                "array_min_properties",
                place,
                format!("Must have at least {least} properties"),
            );
        }
        if let Some(most) = size(schema, "maxProperties").filter(|most| members.len() > *most) {
            outcome.fail(
                "array_max_properties",
                place,
                format!("Must have at most {most} properties"),
            );
        }
        if let Some(Value::Array(required)) = keyword(schema, "required") {
            for name in required.iter() {
                let Value::String(name) = name else { continue };
                if keyword(value, name).is_some() {
                    outcome.score += 1;
                } else {
                    outcome.fail("required", place, format!("{name} is required"));
                }
            }
        }
        for (name, member) in members.iter_sorted() {
            let Value::String(name) = name else { continue };
            self.member(schema, (name, member), place, outcome)?;
        }
        self.names(schema, value, place, outcome)?;
        outcome.score += 1;
        Ok(())
    }

    fn member(
        &mut self,
        schema: &'s Value,
        (name, member): (&str, &Value),
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let mut matched = false;
        if let Some(Value::Object(patterns)) = keyword(schema, "patternProperties") {
            for (pattern, inner) in patterns.iter_sorted() {
                let Value::String(pattern) = pattern else { continue };
                if pattern::compiled(pattern)?.is_match(name) {
                    matched = true;
                    outcome.merge(self.apply(inner, member, &place.within(name))?);
                }
            }
            outcome.score += i64::from(matched);
        }
        let known = keyword(schema, "properties").and_then(|properties| keyword(properties, name));
        if matched || known.is_some() {
            return Ok(());
        }
        match keyword(schema, "additionalProperties") {
            Some(Value::Bool(false)) => {
                let said = format!("Additional property {name} is not allowed");
                outcome.fail("additional_property_not_allowed", place, said);
            }
            Some(inner @ Value::Object(_)) => {
                outcome.merge(self.apply(inner, member, &place.within(name))?);
            }
            _ => {}
        }
        Ok(())
    }

    fn names(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let inner = keyword(schema, "propertyNames").filter(|_| self.schema.draft >= Draft::Six);
        let (Some(inner), Value::Object(members)) = (inner, value) else {
            return Ok(());
        };
        for (name, _) in members.iter_sorted() {
            let each = self.apply(inner, name, place)?;
            let Value::String(name) = name else { continue };
            if !each.valid() {
                let said = format!("Property name of \"{name}\" does not match");
                outcome.fail("invalid_property_name", place, said);
                outcome.merge(each);
            }
        }
        Ok(())
    }
}
