//! Compares a tree with the schema of [`Config`](super::Config) and finds everything that is wrong, not only
//! the first thing: unknown and missing keys, wrong types, values out of range.
//!
//! It knows the part of JSON Schema that `schemars` writes for our types. What it lets pass by mistake, the
//! typed reading after it refuses.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::ids::TenantId;

/// What is wrong at a path: what stands there, and what should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) found: String,
    pub(super) expected: String,
}

/// One comparison.
pub(super) struct Walk<'a> {
    definitions: Option<&'a Map<String, Value>>,
    pub(super) findings: Vec<Finding>,
}

/// The schema of a mapping with everything that it refers to.
#[derive(Default)]
struct Keys<'a> {
    known: BTreeMap<&'a str, &'a Value>,
    required: Vec<&'a str>,
    /// The schema of values whose keys are the operator's own.
    free: Option<&'a Value>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self {
            definitions: root.get("$defs").and_then(Value::as_object),
            findings: Vec::new(),
        }
    }

    /// Whether the schema is that of a reference to a secret.
    fn is_secret(schema: &Value) -> bool {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .is_some_and(|to| to.ends_with("/SecretRef"))
    }

    /// Follows `$ref`.
    fn definition(&self, schema: &'a Value) -> Option<&'a Value> {
        let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
        self.definitions?.get(name)
    }

    fn say(&mut self, path: &str, found: impl Into<String>, expected: impl Into<String>) {
        self.findings.push(Finding {
            path: path.to_owned(),
            found: found.into(),
            expected: expected.into(),
        });
    }

    /// Compares `value` with `schema`.
    pub(super) fn compare(&mut self, schema: &'a Value, value: &Value, path: &str) {
        if Self::is_secret(schema) {
            self.secret(value, path);
            return;
        }
        if let Some(alternatives) = alternatives(schema) {
            self.choose(schema, &alternatives, value, path);
            return;
        }
        let keys = self.keys(schema);
        let names = self.type_names(schema);
        if value.is_null() && names.contains(&"null") {
            return;
        }
        if !keys.known.is_empty() || names.contains(&"object") {
            self.mapping(&keys, value, path);
        } else if let Some(inner) = self.definition(schema) {
            self.compare(inner, value, path);
        } else if names.contains(&"array") {
            self.list(schema, value, path);
        } else {
            self.scalar(schema, &names, value, path);
        }
    }

    fn secret(&mut self, value: &Value, path: &str) {
        let one = value.as_object().filter(|map| map.len() == 1);
        let fits = one.is_some_and(|map| {
            ["file", "env"].into_iter().any(|key| {
                map.get(key)
                    .and_then(Value::as_str)
                    .is_some_and(|text| !text.is_empty())
            })
        });
        if !fits {
            // What stands there may be the secret itself: it is not shown.
            let found = format!("{} (not shown)", kind(value));
            self.say(
                path,
                found,
                "a reference to a secret: { file: <path> } or { env: <NAME> }",
            );
        }
    }

    fn list(&mut self, schema: &'a Value, value: &Value, path: &str) {
        let Some(items) = value.as_array() else {
            self.say(path, shown(value), "a list");
            return;
        };
        if let Some(item) = schema.get("items") {
            for (index, value) in items.iter().enumerate() {
                self.compare(item, value, &format!("{path}[{index}]"));
            }
        }
    }

    fn mapping(&mut self, keys: &Keys<'a>, value: &Value, path: &str) {
        let Some(map) = value.as_object() else {
            let names: Vec<&str> = keys.known.keys().copied().collect();
            self.say(
                path,
                shown(value),
                format!("keys with values: {}", names.join(", ")),
            );
            return;
        };
        for (key, value) in map {
            let below = join(path, key);
            if let Some(schema) = keys.known.get(key.as_str()).copied().or(keys.free) {
                self.compare(schema, value, &below);
            } else {
                let names: Vec<&str> = keys.known.keys().copied().collect();
                self.say(
                    &below,
                    "a key that does not exist",
                    format!("one of {}", names.join(", ")),
                );
            }
        }
        for name in &keys.required {
            if !map.contains_key(*name) {
                let wanted = keys
                    .known
                    .get(name)
                    .and_then(|schema| schema.get("description"))
                    .and_then(Value::as_str)
                    .map_or_else(|| "a value".to_owned(), first_sentence);
                self.say(&join(path, name), "nothing", wanted);
            }
        }
    }

    /// The keys of a mapping, with those of the definitions that it refers to.
    fn keys(&self, schema: &'a Value) -> Keys<'a> {
        let mut keys = Keys::default();
        self.gather(schema, &mut keys);
        keys
    }

    fn gather(&self, schema: &'a Value, keys: &mut Keys<'a>) {
        if let Some(inner) = self.definition(schema) {
            self.gather(inner, keys);
        }
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.gather(part, keys);
        }
        if let Some(map) = schema.get("properties").and_then(Value::as_object) {
            keys.known
                .extend(map.iter().map(|(name, schema)| (name.as_str(), schema)));
        }
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        keys.required.extend(required.filter_map(Value::as_str));
        keys.free = keys
            .free
            .or(schema.get("additionalProperties").filter(|free| free.is_object()));
    }

    /// One of several shapes: by its tag, by its one key, or the first that fits.
    fn choose(&mut self, whole: &'a Value, shapes: &[&'a Value], value: &Value, path: &str) {
        if value.is_null()
            && shapes
                .iter()
                .any(|shape| self.type_names(shape).contains(&"null"))
        {
            return;
        }
        let shapes: Vec<&Value> = shapes
            .iter()
            .copied()
            .filter(|shape| !self.type_names(shape).contains(&"null"))
            .collect();
        if let [only] = shapes.as_slice() {
            self.compare(only, value, path);
            return;
        }
        if let Some((tag, by_name)) = self.tagged(&shapes) {
            self.tagged_mapping(whole, (tag, &by_name), value, path);
            return;
        }
        let tried: Vec<Vec<Finding>> = shapes
            .iter()
            .map(|shape| {
                let mut walk = Self {
                    definitions: self.definitions,
                    findings: Vec::new(),
                };
                walk.compare(shape, value, path);
                walk.findings
            })
            .collect();
        if tried.iter().any(Vec::is_empty) {
            return;
        }
        let expected: Vec<String> = tried
            .into_iter()
            .filter_map(|findings| findings.into_iter().next())
            .map(|finding| finding.expected)
            .collect();
        self.say(path, shown(value), expected.join(" or "));
    }

    /// The key whose constant tells the shapes apart, and the shape of each constant.
    fn tagged(&self, shapes: &[&'a Value]) -> Option<(&'a str, BTreeMap<&'a str, &'a Value>)> {
        let first = self.keys(shapes.first()?);
        let constant = |schema: &'a Value| schema.get("const").and_then(Value::as_str);
        let tag = first
            .known
            .iter()
            .find(|(_, schema)| constant(schema).is_some())
            .map(|(name, _)| *name)?;
        let mut by_name = BTreeMap::new();
        for shape in shapes {
            by_name.insert(constant(self.keys(shape).known.get(tag)?)?, *shape);
        }
        Some((tag, by_name))
    }

    fn tagged_mapping(
        &mut self,
        whole: &'a Value,
        (tag, shapes): (&str, &BTreeMap<&str, &'a Value>),
        value: &Value,
        path: &str,
    ) {
        let names: Vec<&str> = shapes.keys().copied().collect();
        let expected = format!("one of {}", names.join(", "));
        let Some(map) = value.as_object() else {
            self.say(
                path,
                shown(value),
                format!("keys with values, '{tag}' first: {expected}"),
            );
            return;
        };
        let Some(given) = map.get(tag) else {
            self.say(&join(path, tag), "nothing", expected);
            return;
        };
        let Some(shape) = given.as_str().and_then(|name| shapes.get(name)) else {
            self.say(&join(path, tag), shown(given), expected);
            return;
        };
        // Keys that stand beside the alternatives belong to every shape.
        let mut keys = self.keys(shape);
        self.gather(whole, &mut keys);
        self.mapping(&keys, value, path);
    }

    fn type_names(&self, schema: &'a Value) -> Vec<&'a str> {
        match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(_) | None => self
                .definition(schema)
                .map(|inner| self.type_names(inner))
                .unwrap_or_default(),
        }
    }

    fn scalar(&mut self, schema: &Value, names: &[&str], value: &Value, path: &str) {
        if let Some(constants) = constants(schema) {
            if !value.as_str().is_some_and(|text| constants.contains(&text)) {
                self.say(path, shown(value), format!("one of {}", constants.join(", ")));
            }
            return;
        }
        if let Some(expected) = misfit(schema, names, value) {
            self.say(path, shown(value), expected);
        }
    }
}

/// What a scalar should be, if it is not.
fn misfit(schema: &Value, names: &[&str], value: &Value) -> Option<String> {
    if names.contains(&"string") {
        let Some(text) = value.as_str() else {
            return Some("a text (in quotes)".into());
        };
        if schema.get("pattern").is_some() {
            let expected = "1 to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first";
            return TenantId::parse(text).is_err().then(|| expected.to_owned());
        }
        let is_url = schema.get("format").and_then(Value::as_str) == Some("uri");
        return (is_url && url::Url::parse(text).is_err()).then(|| "a URL".to_owned());
    }
    if names.contains(&"boolean") {
        return (!value.is_boolean()).then(|| "true or false".to_owned());
    }
    if names.contains(&"integer") {
        let least = schema.get("minimum").and_then(Value::as_f64);
        let most = schema.get("maximum").and_then(Value::as_f64);
        let whole = value.is_i64() || value.is_u64();
        let fits = value.as_f64().is_some_and(|number| {
            least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
        });
        return (!whole || !fits).then(|| match (least, most) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            (Some(least), None) => format!("a whole number, at least {least}"),
            (None, Some(most)) => format!("a whole number, at most {most}"),
            (None, None) => "a whole number".to_owned(),
        });
    }
    None
}

fn alternatives(schema: &Value) -> Option<Vec<&Value>> {
    let shapes = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    // An enum of plain names is a scalar.
    (constants(schema).is_none()).then(|| shapes.iter().collect())
}

/// The names of an enum, whether or not each has a description.
fn constants(schema: &Value) -> Option<Vec<&str>> {
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().map(Value::as_str).collect();
    }
    if let Some(name) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![name]);
    }
    let shapes = schema.get("oneOf").and_then(Value::as_array)?;
    let names: Option<Vec<Vec<&str>>> = shapes.iter().map(constants).collect();
    names.map(|names| names.into_iter().flatten().collect())
}

/// `path.key`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn first_sentence(text: &str) -> String {
    let line = text.replace('\n', " ");
    let end = line.find(". ").unwrap_or(line.len());
    let sentence = line.get(..end).unwrap_or(&line).trim_end_matches('.');
    format!("a value: {sentence}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys with values",
    }
}

/// A value as the operator sees it, cut to a line.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() <= 80 => format!("'{text}'"),
        Value::String(text) => format!("'{}…'", text.chars().take(80).collect::<String>()),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
    }
}
