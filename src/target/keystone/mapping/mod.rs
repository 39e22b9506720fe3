//! Keystone's mapping language, evaluated as Keystone 30 evaluates it, its silent skips included.
//!
//! For: saying beforehand what a Keystone will make of an assertion, and reading mappings that exist. The
//! language leans on Python (`str.format`, `re.search`, the text of a list, `ast.literal_eval`); each of those
//! has its file here. What is a crash in Keystone (an answer 500) is a [`MapFault::Crash`]. Pure: no I/O.
//!
//! The source is `keystone/federation/utils.py`; `tests/it/keystone_mapping.rs` compares with the real one.
//! Start at [`Mapping::read`] and [`Mapping::process`].

mod literal;
mod pattern;
mod rules;
mod template;
mod text;
mod transform;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

pub use rules::{Mapping, Wrong};

/// The version of the language: what `local.domain` counts for, and whether `projects_json` exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `local.domain` counts for `groups` alone.
    V1,
    /// `local.domain` is the default of the user and of projects too (2024.1).
    V2,
    /// With `projects_json`; Keystone removes assignments that are not named any more (2026.1).
    V3,
}

impl Version {
    /// Reads `1.0`, `2.0` or `3.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1.0" => Some(Self::V1),
            "2.0" => Some(Self::V2),
            "3.0" => Some(Self::V3),
            _ => None,
        }
    }
}

/// What Keystone would take an assertion for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mapped {
    /// The user: `type`, and what the rules gave of `id`, `name`, `email`, `domain`.
    pub user: Map<String, Value>,
    /// Groups by id, without repeats.
    pub group_ids: Vec<Value>,
    /// Groups by name and domain, in Keystone's order, repeats included.
    pub group_names: Vec<Value>,
    /// Projects with their roles.
    pub projects: Vec<Value>,
}

/// Why an assertion is not mapped, as Keystone sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapFault {
    /// Keystone answers 401 (`ValidationError`).
    #[error("ValidationError: {0}")]
    Invalid(String),
    /// A rule refers to a `{n}` that its `remote` part does not give (`DirectMappingError`).
    #[error(
        "DirectMappingError: Local section in mapping refers to a remote match that doesn't exist (e.g. {{0}} in a local section)."
    )]
    NoSuchMatch,
    /// Keystone fails with an answer 500: the exception it would raise.
    #[error("{0}. Keystone answers this with an internal error (500)")]
    Crash(String),
    /// Python that is not reproduced here (attributes, formats of numbers). Keystone might answer.
    #[error("{0} is not evaluated here: write the rule without it")]
    Unsupported(String),
}

/// The values that the `remote` part of a rule gives to `{0}`, `{1}`, …
type Matches = Vec<Vec<String>>;

impl Mapping {
    /// Evaluates the rules over an assertion. A value with `;` counts as several.
    pub fn process(&self, assertion: &BTreeMap<String, String>) -> Result<Mapped, MapFault> {
        let assertion: BTreeMap<&str, Vec<&str>> = assertion
            .iter()
            .map(|(name, value)| (name.as_str(), value.split(';').collect()))
            .collect();
        let mut identity = Vec::new();
        for rule in &self.rules {
            let Some(matches) = rule.matches(&assertion)? else {
                continue;
            };
            for local in &rule.local {
                identity.push(template::local(local, &matches, self.version)?);
            }
        }
        transform::transform(identity, self.version)
    }
}
