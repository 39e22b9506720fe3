//! The settings of an issuer of workload tokens.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::pattern;
use crate::{
    domain::{
        ids::{TenantId, UpstreamId},
        mapping::MappingSettings,
    },
    outbound,
};

/// The longest that anything lives that follows from a workload's token, in seconds.
pub const LONGEST_S: u64 = 900;

/// An issuer of workload tokens: GitLab CI, GitHub Actions, Zuul, a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name.
    pub id: UpstreamId,
    /// What operators read.
    pub name: String,
    /// The tenant whose workloads they are, and no other.
    pub tenant: TenantId,
    /// The issuer, letter for letter as in the tokens' `iss`.
    pub issuer: String,
    /// Where its public keys are. Absent, and no `jwks_file`: found by its discovery document.
    #[serde(default)]
    pub jwks_uri: Option<Url>,
    /// A file with its public keys (JWKS), for issuers that this gateway cannot reach. Read anew when a token names
    /// a key that is not in it.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// Audiences that a token for this gateway has: one of them must be in it. Empty: the gateway's issuer URL.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// What must hold of a token, all of it. At least one condition must say more than a star: a shared issuer signs
    /// for everybody's jobs.
    pub conditions: Vec<Condition>,
    /// What the workload is called at targets and in the audit trail: text with claims in braces.
    #[serde(default = "subject")]
    pub username: String,
    /// The groups that it gets. The claim `preferred_username` is the name made by `username`.
    #[serde(default)]
    pub mapping: MappingSettings,
    /// Longest life of what follows from one token, in seconds, at most 900.
    #[serde(default = "longest")]
    #[schemars(range(min = 60, max = 900))]
    pub lifetime_s: u64,
    /// Whether a token may be used more than once: for pods, whose token is a file that several programs read and
    /// that renewals read again. Otherwise a second use is refused.
    #[serde(default)]
    pub reuse: bool,
    /// CA certificates of the issuer (PEM). Given: only these are trusted.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Where the issuer may be: `public`, `private` or `loopback` addresses.
    #[serde(default)]
    pub addresses: outbound::Addresses,
}

/// One condition: a claim has one of these values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The claim: its exact name, else a path of names with dots (`kubernetes.io.namespace`).
    pub claim: String,
    /// Values allowed. `*` stands for anything but `/`, `**` for anything.
    pub any: Vec<String>,
}

fn subject() -> String {
    "{sub}".to_owned()
}
fn longest() -> u64 {
    LONGEST_S
}

impl Config {
    pub(super) fn outbound(&self) -> outbound::Config {
        outbound::Config {
            ca: self.ca.clone(),
            addresses: self.addresses,
            ..outbound::Config::default()
        }
    }

    /// What is wrong with it beyond its shape: which key, and what should stand there.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let mut wrong = Vec::new();
        if self.jwks_uri.is_some() && self.jwks_file.is_some() {
            wrong.push(("jwks_file", "either jwks_uri or jwks_file"));
        }
        let narrows = |condition: &Condition| {
            !condition.any.is_empty() && condition.any.iter().all(|text| !pattern::is_everything(text))
        };
        if !self.conditions.iter().any(narrows) {
            wrong.push((
                "conditions",
                "at least one condition that says more than a star: this issuer may sign for anybody's jobs",
            ));
        }
        if self.conditions.iter().any(|condition| condition.any.is_empty()) {
            wrong.push((
                "conditions",
                "values in each 'any': without one nothing is allowed",
            ));
        }
        wrong
    }

    /// The audiences of tokens for us.
    #[must_use]
    pub fn audiences(&self, issuer: &str) -> Vec<String> {
        if self.audiences.is_empty() {
            vec![issuer.to_owned()]
        } else {
            self.audiences.clone()
        }
    }
}
