//! The keywords that combine schemas.

use regorus::Value;

use super::super::fault::Fault;
use super::check::Draft;
use super::keyword;
use super::outcome::{Outcome, Place};
use super::validate::Validation;

impl<'s> Validation<'_, 's> {
    pub(super) fn combined(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let inner = |name: &str| match keyword(schema, name) {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => Vec::new(),
        };
        let (any, one, all) = (inner("anyOf"), inner("oneOf"), inner("allOf"));
        if !any.is_empty() {
            let (met, nearest) = self.nearest(&any, value, place, true)?;
            if met == 0 {
                outcome.fail(
                    "number_any_of",
                    place,
                    "Must validate at least one schema (anyOf)".to_owned(),
                );
                outcome.merge(nearest.unwrap_or_default());
            }
        }
        if !one.is_empty() {
            let (met, nearest) = self.nearest(&one, value, place, false)?;
            if met != 1 {
                outcome.fail(
                    "number_one_of",
                    place,
                    "Must validate one and only one schema (oneOf)".to_owned(),
                );
                if met == 0 {
                    outcome.merge(nearest.unwrap_or_default());
                }
            }
        }
        let mut met = 0;
        for inner in &all {
            let each = self.apply(inner, value, place)?;
            met += usize::from(each.valid());
            outcome.merge(each);
        }
        if met != all.len() {
            outcome.fail(
                "number_all_of",
                place,
                "Must validate all the schemas (allOf)".to_owned(),
            );
        }
        if let Some(not) = keyword(schema, "not")
            && self.apply(not, value, place)?.valid()
        {
            outcome.fail(
                "number_not",
                place,
                "Must not validate the schema (not)".to_owned(),
            );
        }
        self.dependencies(schema, value, place, outcome)?;
        self.conditions(schema, value, place, outcome)?;
        outcome.score += 1;
        Ok(())
    }

    /// How many of the schemas are met, and of those that are not the one that came nearest.
    fn nearest(
        &mut self,
        schemas: &[&'s Value],
        value: &Value,
        place: &Place,
        one_is_enough: bool,
    ) -> Result<(usize, Option<Outcome>), Fault> {
        let (mut met, mut nearest) = (0, None::<Outcome>);
        for schema in schemas {
            let each = self.apply(schema, value, place)?;
            if each.valid() {
                met += 1;
                if one_is_enough {
                    break;
                }
            } else if met == 0 && nearest.as_ref().is_none_or(|nearest| each.score > nearest.score) {
                nearest = Some(each);
            }
        }
        Ok((met, nearest))
    }

    fn dependencies(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let (Value::Object(_), Some(Value::Object(dependencies))) = (value, keyword(schema, "dependencies"))
        else {
            return Ok(());
        };
        for (name, dependency) in dependencies.iter_sorted() {
            let Value::String(name) = name else { continue };
            if keyword(value, name).is_none() {
                continue;
            }
            let Value::Array(names) = dependency else {
                outcome.merge(self.apply(dependency, value, place)?);
                continue;
            };
            for name in names.iter() {
                let Value::String(name) = name else { continue };
                if keyword(value, name).is_none() {
                    outcome.fail("missing_dependency", place, format!("Has a dependency on {name}"));
                }
            }
        }
        Ok(())
    }

    fn conditions(
        &mut self,
        schema: &'s Value,
        value: &Value,
        place: &Place,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let Some(condition) = keyword(schema, "if").filter(|_| self.schema.draft >= Draft::Seven) else {
            return Ok(());
        };
        let (name, kind, said) = match self.apply(condition, value, place)?.valid() {
            true => (
                "then",
                "condition_then",
                "Must validate \"then\" as \"if\" was valid",
            ),
            false => (
                "else",
                "condition_else",
                "Must validate \"else\" as \"if\" was not valid",
            ),
        };
        let Some(inner) = keyword(schema, name) else {
            return Ok(());
        };
        let each = self.apply(inner, value, place)?;
        if !each.valid() {
            outcome.fail(kind, place, said.to_owned());
            outcome.merge(each);
        }
        Ok(())
    }
}
