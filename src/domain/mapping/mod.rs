//! Claims → [`Identity`]. The only place that makes the identity of a person.
//!
//! A rule names the claim it reads, the values it accepts and the group it gives. Values that no rule
//! accepts are dropped: remote groups say who somebody is, what that is worth is decided here.
//!
//! What an operator writes is compiled once into a [`Mapping`] (`compiled.rs`), so that a sign-in costs what its
//! own claims cost, however many rules there are. What policy makes of the result comes back as a
//! [`Refinement`] (`refine.rs`).

mod compiled;
mod refine;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use compiled::{Hit, Mapping};
pub use refine::{DroppedGroup, RefineFault, Refinement, refine};

use super::{assertion::UpstreamAssertion, identity::Identity};

/// Longest user name, group name or claim value that is taken over, in characters (Keystone's columns hold 255).
pub const LONGEST_VALUE: usize = 255;
/// Most groups of one identity; more is refused, so that no token grows past what proxies pass on.
pub const MOST_GROUPS: usize = 200;
/// Most values of one claim that are looked at; more is refused (bounded work).
const MOST_VALUES: usize = 10_000;

/// How one upstream's claims become an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MappingSettings {
    /// Claim of the user name. Required in every proof.
    pub username: String,
    /// Claim of the display name.
    pub name: String,
    /// Claim of the e-mail address.
    pub email: String,
    /// Which groups the claims give.
    pub groups: Vec<GroupRule>,
}

impl Default for MappingSettings {
    fn default() -> Self {
        Self {
            username: "preferred_username".into(),
            name: "name".into(),
            email: "email".into(),
            groups: Vec::new(),
        }
    }
}

/// One rule: a claim's values that are accepted, and the group each gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// The rule's name: shown in My access and in explanations.
    pub rule: String,
    /// The claim: its exact name, else a path of names with dots (`realm_access.roles`).
    pub claim: String,
    /// Values accepted: exact, or with one `*` at the end. A claim that is `true` reads as `"true"`.
    pub accept: Vec<String>,
    /// The group given. `{value}` is the value, `{rest}` what `*` stood for. Default `{value}`.
    #[serde(default = "value_itself")]
    pub group: String,
}

fn value_itself() -> String {
    "{value}".into()
}

/// Why claims make no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingFault {
    /// The claim that names the user is missing, empty, too long or not a string.
    #[error("the claim '{0}' is missing, empty, longer than 255 characters or not a text")]
    Username(String),
    /// Bounded work: more values than anybody's directory needs.
    #[error("the claim '{0}' has more than 10000 values")]
    TooManyValues(String),
    /// Bounded tokens.
    #[error("the claims give more than 200 groups; narrow the rules of this upstream")]
    TooManyGroups,
}

impl MappingSettings {
    /// Who these claims are. For many sign-ins, compile once and ask [`Mapping::identify`].
    pub fn identify(&self, assertion: &UpstreamAssertion) -> Result<Identity, MappingFault> {
        Mapping::compile(self.clone()).identify(assertion)
    }
}

impl GroupRule {
    /// The group that `value` gives, where `rest` is what `*` stood for.
    fn group_of(&self, value: &str, rest: &str) -> Option<String> {
        // Substitution is one pass over the rule's own text, so a value that holds "{rest}" stays a value.
        let mut group = String::with_capacity(self.group.len() + value.len());
        let mut template = self.group.as_str();
        while let Some((before, after)) = template.split_once('{') {
            group.push_str(before);
            if let Some(tail) = after.strip_prefix("value}") {
                group.push_str(value);
                template = tail;
            } else if let Some(tail) = after.strip_prefix("rest}") {
                group.push_str(rest);
                template = tail;
            } else {
                group.push('{');
                template = after;
            }
        }
        group.push_str(template);
        usable(&group).then_some(group)
    }
}

/// A value that may become a name: not empty, not too long, one line.
fn usable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_VALUE && !text.chars().any(char::is_control)
}

/// The claim at a path: its exact name, else a path of names with dots. A name may itself hold dots
/// (`https://example.org/groups`, `kubernetes.io.namespace`), so the longest name that is there is taken first.
#[must_use]
pub fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        path.rmatch_indices('.').find_map(|(dot, _)| {
            let (name, rest) = path.split_at_checked(dot)?;
            let inner = claims.get(name)?.as_object()?;
            claim(inner, rest.strip_prefix('.')?)
        })
    })
}

fn text_at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    claim(claims, path)?.as_str()
}

fn values_at(claims: &Map<String, Value>, path: &str) -> Result<Vec<String>, MappingFault> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match claim(claims, path) {
        Some(Value::Array(values)) if values.len() > MOST_VALUES => {
            Err(MappingFault::TooManyValues(path.into()))
        }
        Some(Value::Array(values)) => Ok(values.iter().filter_map(text).collect()),
        Some(value) => Ok(text(value).into_iter().collect()),
        None => Ok(Vec::new()),
    }
}
