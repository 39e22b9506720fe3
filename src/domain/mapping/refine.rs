//! What policy makes of a mapped identity. It may drop groups, give local ones, keep facts and set a name apart;
//! it can never change whose the identity is: tenant, issuer, subject and key stay as the proof said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LONGEST_VALUE, MOST_GROUPS, usable};
use crate::domain::identity::{HeldGroup, Identity};

/// Most extras, and most values of one.
const MOST_EXTRAS: usize = 32;
/// Longest value of an extra in characters: entitlements are URNs.
const LONGEST_EXTRA: usize = 1024;

/// What policy answers for a mapped identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refinement {
    /// Whether the identity stands at all.
    pub allow: bool,
    /// Codes of unmet requirements, sorted; empty when allowed.
    pub reasons: Vec<String>,
    /// All groups of the identity from here on, each with the rule that gives it.
    #[serde(default)]
    pub groups: Vec<HeldGroup>,
    /// What was taken away, and why.
    #[serde(default)]
    pub dropped: Vec<DroppedGroup>,
    /// Facts kept for later decisions, by name.
    #[serde(default)]
    pub extras: BTreeMap<String, Vec<String>>,
    /// Put before the user name, so that two people of one name stay two.
    #[serde(default)]
    pub username_prefix: Option<String>,
}

/// A group or entitlement that policy did not take over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedGroup {
    /// Its name.
    pub name: String,
    /// The reason's code.
    pub reason: String,
}

/// Why a refinement is not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefineFault {
    /// Policy refuses the identity.
    #[error("policy refused the identity: {}", .0.join(", "))]
    Refused(Vec<String>),
    /// Policy answered with something that cannot be a name, or with more than fits a token.
    #[error("policy answered with {0}")]
    Unusable(&'static str),
}

/// Takes over what policy answered. Empty, over-long and many-line names would become other names further on.
pub fn refine(mut identity: Identity, by: &Refinement) -> Result<Identity, RefineFault> {
    if !by.allow {
        return Err(RefineFault::Refused(by.reasons.clone()));
    }
    if by.groups.len() > MOST_GROUPS {
        return Err(RefineFault::Unusable("more than 200 groups"));
    }
    if by.groups.iter().any(|group| !usable(&group.name)) {
        return Err(RefineFault::Unusable("a group that is no name"));
    }
    let fits = |values: &Vec<String>| {
        values.len() <= MOST_GROUPS
            && values
                .iter()
                .all(|value| value.chars().count() <= LONGEST_EXTRA && !value.chars().any(char::is_control))
    };
    if by.extras.len() > MOST_EXTRAS || !by.extras.values().all(fits) {
        return Err(RefineFault::Unusable("extras that are too many or too long"));
    }
    if let Some(prefix) = by.username_prefix.as_deref() {
        let name = format!("{prefix}{}", identity.username);
        if !usable(&name) {
            return Err(RefineFault::Unusable("a prefix that makes no user name"));
        }
        identity.username = name;
    }
    let mut groups = by.groups.clone();
    groups.sort();
    groups.dedup_by(|later, first| later.name == first.name);
    identity.groups = groups;
    identity.extras.clone_from(&by.extras);
    debug_assert!(identity.username.chars().count() <= LONGEST_VALUE);
    Ok(identity)
}
