//! A Keystone behind its own Apache, as configured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::headers::checked;
use crate::domain::{access::is_reserved_role, ids::TargetId};

/// First parts of paths that the gateway needs itself.
const TAKEN: [&str; 10] = [
    "admin",
    "device",
    "healthz",
    "kubernetes",
    "login",
    "logout",
    "oauth2",
    "readyz",
    "t",
    "v3",
];

/// A Keystone behind its own Apache, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in rules, links and logs.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// The audience of bearer tokens for it, which the generated Apache snippet demands.
    pub audience: String,
    /// The path of its own issuer: with `keystone`, `<the gateway's issuer>/keystone`. Tokens for it have this issuer,
    /// and keys that sign nothing else: an Apache that looks at signature and issuer alone takes no other token.
    #[serde(default = "keystone")]
    pub issuer_path: String,
    /// The role that the mapping of schema 2.0 gives on a person's project. That project is the first by name, in the
    /// tenant's first domain, on which access rules give them this role; who has none is refused here.
    #[serde(default = "member")]
    pub default_role: String,
    /// Groups (after mapping) that Keystone may hear of, for mappings that know groups. They exist in Keystone, in the
    /// tenant's first domain. Empty: it hears of none.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Tell all projects with their roles, for mapping schema 3.0 (Keystone 2026.1 or newer): roles that access rules
    /// do not give any more go at the next sign-in.
    #[serde(default)]
    pub projects_json: bool,
    /// Longest life of a token in seconds, at most 3600. Keystone's own token lives as long as Keystone says.
    #[serde(default = "five_minutes")]
    pub lifetime_s: u64,
}

fn keystone() -> String {
    "keystone".into()
}
fn member() -> String {
    "member".into()
}
fn five_minutes() -> u64 {
    300
}

impl Config {
    /// Its issuer, below the gateway's.
    #[must_use]
    pub fn issuer(&self, gateway: &str) -> String {
        format!("{gateway}/{}", self.issuer_path)
    }

    /// What is wrong with the settings, in the operator's words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.audience.trim().is_empty() || self.audience.contains(char::is_whitespace) {
            problems.push("'audience' must be one word: it stands in Apache's `Require claim`".to_owned());
        }
        let spelled = self
            .issuer_path
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if self.issuer_path.is_empty() || !spelled || TAKEN.contains(&self.issuer_path.as_str()) {
            problems.push(format!(
                "'issuer_path' must be of a-z, 0-9 and '-', and none of {}",
                TAKEN.join(", ")
            ));
        }
        if self.default_role.trim().is_empty() || is_reserved_role(&self.default_role) {
            problems.push("'default_role' must be a role that people from outside may have".to_owned());
        }
        for group in &self.groups {
            if let Err(why) = checked(group) {
                problems.push(format!("'groups': '{group}' {why}"));
            } else if group.contains("name") || group.contains("domain") {
                // Keystone looks for these words in the text of a list of groups, and locks the person out.
                problems.push(format!(
                    "'groups': '{group}' holds 'name' or 'domain', at which Keystone trips"
                ));
            }
        }
        if self.lifetime_s == 0 || self.lifetime_s > 3600 {
            problems.push("'lifetime_s' must be between 1 and 3600".to_owned());
        }
        problems
    }
}
