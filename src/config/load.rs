//! From a file and the environment to a tree, and from the tree to the types.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Config, Problem, check, mixed::Origin, secret::plain, shape::Walk};

/// Variables that begin so override a key: `FEDGATE__STORE__RECORDS__KIND=postgres`.
const PREFIX: &str = "FEDGATE__";
/// Keys whose text is a file or folder; a relative one is meant from the configuration's own folder.
const PATHS: [&str; 10] = [
    "ca",
    "certificate",
    "certificates",
    "client_ca",
    "file",
    "folder",
    "jwks_file",
    "key_file",
    "path",
    "persistence_directory",
];

/// Environment variables, taken once.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    // It may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Environment({} variables)", self.0.len())
    }
}

impl Environment {
    /// This process's variables; those that are no text are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// These and no others.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// A variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A tree, and where each part of it came from.
pub(super) struct Source {
    pub(super) file: String,
    /// Path in the tree → variable.
    pub(super) overridden: BTreeMap<String, String>,
    pub(super) tree: Value,
}

impl Source {
    /// A problem with the file or variable that the path came from.
    pub(super) fn problem(
        &self,
        path: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Problem {
        let variable = self
            .overridden
            .iter()
            .find(|(own, _)| path == own.as_str() || path.starts_with(&format!("{own}.")))
            .map(|(_, variable)| variable);
        Problem {
            source: variable.unwrap_or(&self.file).clone(),
            path: path.to_owned(),
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// The configuration that it is, if nothing is wrong with it.
    pub(super) fn into_config(self, mut problems: Vec<Problem>) -> Result<Config, Vec<Problem>> {
        if problems.is_empty() {
            match typed::<Config>(&self.tree) {
                Ok(config) => {
                    let origin = Origin {
                        file: self.file,
                        tree: Arc::new(self.tree),
                    };
                    return Ok(Config { origin, ..config });
                }
                Err((at, why)) => problems.push(self.problem(&at, "a value that cannot be used", why)),
            }
        }
        problems.sort();
        problems.dedup();
        Err(problems)
    }
}

impl Config {
    /// Reads a configuration with this process's environment and says everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        Self::load_with(path, &Environment::of_process())
    }

    /// The same with a given environment.
    pub fn load_with(path: &Path, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let schema = super::schema();
        let source = read(path, environment, &schema).map_err(|problem| vec![problem])?;
        let mut problems: Vec<Problem> = Vec::new();
        let mut walk = Walk::new(&schema);
        walk.compare(&schema, &source.tree, "");
        for finding in walk.findings {
            problems.push(source.problem(&finding.path, finding.found, finding.expected));
        }
        problems.extend(check::check(&source, environment));
        source.into_config(problems)
    }
}

/// Reads a part of the tree, or says where it fails and why.
pub(super) fn typed<T: DeserializeOwned>(tree: &Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        (
            if path == "." { String::new() } else { path },
            error.into_inner().to_string(),
        )
    })
}

fn read(path: &Path, environment: &Environment, schema: &Value) -> Result<Source, Problem> {
    let file = path.display().to_string();
    let whole = |found: String, expected: &str| Problem {
        source: file.clone(),
        path: String::new(),
        found,
        expected: expected.into(),
    };
    let text =
        fs::read_to_string(path).map_err(|error| whole(plain(&error), "a file in YAML that can be read"))?;
    let tree: serde_norway::Value =
        serde_norway::from_str(&text).map_err(|error| whole(error.to_string(), "YAML, each key once"))?;
    let tree = serde_json::to_value(tree).map_err(|error| whole(error.to_string(), "keys that are texts"))?;
    let tree = if tree.is_null() {
        Value::Object(Map::new())
    } else {
        tree
    };
    if !tree.is_object() {
        return Err(whole("a list or a single value".into(), "keys with values"));
    }
    let mut source = Source {
        file: file.clone(),
        overridden: BTreeMap::new(),
        tree,
    };
    for (name, value) in &environment.0 {
        if let Some(keys) = name.strip_prefix(PREFIX) {
            overlay(&mut source, schema, (name, keys), value)?;
        }
    }
    let base = fs::canonicalize(path).ok();
    if let Some(base) = base.as_deref().and_then(Path::parent) {
        rebase(&mut source.tree, base);
    }
    Ok(source)
}

/// Puts a variable's value into the tree. `0`, `1`, … name items of lists that the file has.
fn overlay(
    source: &mut Source,
    schema: &Value,
    (name, keys): (&str, &str),
    text: &str,
) -> Result<(), Problem> {
    let keys: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
    let mut path = String::new();
    let mut place = &mut source.tree;
    for key in &keys {
        path = match key.parse::<usize>() {
            Ok(index) => format!("{path}[{index}]"),
            Err(_) => super::shape::join(&path, key),
        };
        let refused = || Problem {
            source: name.to_owned(),
            path: path.clone(),
            found: "a place that is not in the tree".into(),
            expected: "the keys of the tree, joined by '__' (an item of a list by its number from 0)".into(),
        };
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        place = match place {
            Value::Array(items) => {
                let item = key.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                item.ok_or_else(refused)?
            }
            Value::Object(map) if !key.is_empty() => map.entry(key.clone()).or_insert(Value::Null),
            Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(refused());
            }
        };
    }
    // `1234` is a number, unless a text stands there by the schema.
    let parsed = serde_norway::from_str::<serde_norway::Value>(text)
        .ok()
        .and_then(|value| serde_json::to_value(value).ok());
    *place = parsed.unwrap_or_else(|| Value::String(text.to_owned()));
    let as_text = Value::String(text.to_owned());
    if misfits(schema, &source.tree, &path) {
        set(&mut source.tree, &keys, as_text);
    }
    source.overridden.insert(path, name.to_owned());
    Ok(())
}

fn misfits(schema: &Value, tree: &Value, path: &str) -> bool {
    let mut walk = Walk::new(schema);
    walk.compare(schema, tree, "");
    walk.findings
        .iter()
        .any(|finding| finding.path == path && finding.expected.starts_with("a text"))
}

fn set(tree: &mut Value, keys: &[String], value: Value) {
    let mut place = tree;
    for key in keys {
        let next = match place {
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            Value::Object(map) => map.get_mut(key),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        let Some(next) = next else { return };
        place = next;
    }
    *place = value;
}

/// Makes relative paths absolute, so that nothing depends on the folder that the gateway is started in.
fn rebase(tree: &mut Value, base: &Path) {
    match tree {
        Value::Array(items) => items.iter_mut().for_each(|item| rebase(item, base)),
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::Array(paths) if PATHS.contains(&key.as_str()) => {
                        paths.iter_mut().for_each(|path| absolute(path, base));
                    }
                    Value::String(_) if PATHS.contains(&key.as_str()) => absolute(value, base),
                    Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    Value::Array(_) | Value::Object(_) => rebase(value, base),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn absolute(path: &mut Value, base: &Path) {
    if let Value::String(text) = path
        && Path::new(text).is_relative()
    {
        *text = base.join(&*text).to_string_lossy().into_owned();
    }
}
