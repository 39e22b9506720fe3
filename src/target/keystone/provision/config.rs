//! Provision mode, as configured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::secret::SecretRef;

/// Provision mode, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A local user of Keystone with the role `manager` on the domain of each tenant, and nothing more: an account
    /// with the role `admin` there is turned away.
    pub user: String,
    /// The user's domain.
    #[serde(default = "default_domain")]
    pub user_domain: String,
    /// Where the user's password is.
    pub password: SecretRef,
    /// How long it may take until somebody who was let go has nothing left, in seconds. People are compared with
    /// Keystone three times within it, and at each sign-in.
    #[serde(default = "quarter")]
    #[schemars(range(min = 30, max = 86_400))]
    pub within_s: u64,
    /// Most calls to Keystone at once.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: usize,
    /// Put before the names of groups in Keystone, so that they are told from local ones.
    #[serde(default = "fed")]
    pub group_prefix: String,
    /// Most people that lose their access in one pass of the running gateway. More wait for
    /// `fedgate keystone apply`: a mistake in the rules must not empty a cloud.
    #[serde(default = "hundred")]
    pub most_disabled: usize,
    /// Days after which a user who was made here and is disabled is deleted. Absent: never.
    #[serde(default)]
    pub delete_after_days: Option<u32>,
}

impl Config {
    /// What is wrong with the settings, in the operator's words.
    pub(in super::super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.user.trim().is_empty() || self.user_domain.trim().is_empty() {
            problems.push("'provision': 'user' and 'user_domain' must not be empty".to_owned());
        }
        if self.group_prefix.trim() != self.group_prefix || self.group_prefix.chars().count() > 32 {
            problems.push(
                "'provision.group_prefix' has at most 32 characters and no space at its ends".to_owned(),
            );
        }
        if self.delete_after_days == Some(0) {
            problems.push(
                "'provision.delete_after_days' is at least 1: a user is disabled before it is deleted"
                    .to_owned(),
            );
        }
        problems
    }

    /// How a group is called in Keystone.
    #[must_use]
    pub fn group_name(&self, group: &str) -> String {
        format!("{}{group}", self.group_prefix)
    }
}

fn default_domain() -> String {
    "Default".into()
}
fn quarter() -> u64 {
    900
}
fn four() -> usize {
    4
}
fn fed() -> String {
    "fed-".into()
}
fn hundred() -> usize {
    100
}
