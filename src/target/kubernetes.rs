//! A Kubernetes cluster: an ID token for the cluster's one audience, which kube-apiserver verifies by our JWKS.
//!
//! The cluster is never called. What must hold is in the claims: groups are an array of non-empty
//! `<prefix><tenant>:<group>`, so neither `system:masters` nor another tenant's group can be named; the user name
//! is the stable `sub`, with `preferred_username` as `<tenant>:<name>` beside it for people who read audit logs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    credential::{Credential, MintedToken},
    fault::{Code, Fault},
    ids::TargetId,
    key::Algorithm,
    secret::SecretRef,
};
use crate::port::{
    entropy::Entropy,
    signer::{Signer, TokenType},
    target::{GroupPrefix, Target, TargetFacts},
};

use super::{
    Wiring, meant_for,
    own::{ID_TOKEN, end, groups, sign},
};

/// Longest life: a JWT cannot be taken back, and the apiserver keeps its own cache on top.
const LONGEST_LIFE_S: u64 = 600;
/// Proxies in front of apiservers take headers of 8 KiB.
const LONGEST_TOKEN: usize = 8 * 1024;
/// The apiserver allows a minute for `nbf`; a clock that is behind by less than that still accepts.
const NOT_BEFORE_LEEWAY: Duration = Duration::from_secs(60);

/// A cluster, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in rules, links and logs.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// The audience in the cluster's authentication configuration. One for each cluster: a token for one
    /// cluster must not be good at another.
    pub audience: String,
    /// The API server's URL, for `fedctl kube config`. https only.
    pub server: Url,
    /// CA certificate of the API server (PEM file), for `fedctl kube config`. Absent: the public roots.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Longest life of a token in seconds, at most 600.
    #[serde(default = "longest_life")]
    pub lifetime_s: u64,
    /// Signature algorithm. Clusters configured by `--oidc-*` flags know RS256 alone unless told otherwise.
    #[serde(default = "rs256")]
    pub algorithm: Algorithm,
    /// Put before every group name, in front of `<tenant>:<group>`. The cluster's own prefix comes on top.
    #[serde(default)]
    pub prefix: String,
    /// Lets the cluster ask who may do what (SubjectAccessReview). Absent: it may not.
    #[serde(default)]
    pub review: Option<Review>,
}

/// How a cluster asks this gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The bearer token in the API server's webhook kubeconfig.
    pub token: SecretRef,
    /// What the API server itself puts before group names (`oidc:`).
    #[serde(default)]
    pub groups_prefix: String,
}

fn longest_life() -> u64 {
    LONGEST_LIFE_S
}
fn rs256() -> Algorithm {
    Algorithm::Rs256
}

impl Config {
    /// What is wrong with the settings, in the operator's words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.server.scheme() != "https" {
            problems.push("'server' must be an https URL: kubectl would send the token in clear".to_owned());
        }
        if self.lifetime_s == 0 || self.lifetime_s > LONGEST_LIFE_S {
            problems.push("'lifetime_s' must be between 1 and 600".to_owned());
        }
        if self.audience.trim().is_empty() {
            problems.push("'audience' must not be empty".to_owned());
        }
        if self.prefix.starts_with("system") {
            problems
                .push("'prefix' must not begin with 'system': those names are the cluster's own".to_owned());
        }
        problems
    }
}

/// A cluster.
pub struct Kubernetes {
    facts: TargetFacts,
    algorithm: Algorithm,
    issuer: String,
    signer: Arc<dyn Signer>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Kubernetes")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: &'a str,
    tenant: &'a str,
    preferred_username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    groups: Vec<String>,
}

impl Kubernetes {
    /// A cluster as configured.
    #[must_use]
    pub fn new(config: Config, wiring: &Wiring) -> Self {
        Self {
            facts: TargetFacts {
                id: config.id,
                name: config.name,
                kind: TargetKind::Kubernetes,
                audience: config.audience,
                ceilings: Ceilings {
                    lifetime: Duration::from_secs(config.lifetime_s.min(LONGEST_LIFE_S)),
                },
                group_prefix: GroupPrefix(config.prefix),
            },
            algorithm: config.algorithm,
            issuer: wiring.issuer.clone(),
            signer: Arc::clone(&wiring.signer),
            entropy: Arc::clone(&wiring.entropy),
        }
    }
}

#[async_trait]
impl Target for Kubernetes {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    async fn mint(&self, permit: &Permit) -> Result<Credential, Fault> {
        let identity = permit.identity();
        meant_for(permit, &self.facts)?;
        let (id, expires) = (self.entropy.token(), end(permit, self.facts.ceilings.lifetime)?);
        let claims = Claims {
            iss: &self.issuer,
            sub: identity.key(),
            aud: permit.audience(),
            exp: expires.0,
            iat: permit.issued().0,
            nbf: permit.issued().minus(NOT_BEFORE_LEEWAY).0,
            jti: &id,
            tenant: identity.tenant().as_str(),
            preferred_username: format!("{}:{}", identity.tenant(), identity.username()),
            email: identity.email(),
            email_verified: identity.email().map(|_| identity.email_verified()),
            groups: groups(permit, &self.facts.group_prefix),
        };
        let token = sign(&*self.signer, self.algorithm, TokenType::Id, &claims)?;
        if token.len() > LONGEST_TOKEN {
            return Err(Fault::new(
                Code::TargetRefused,
                format!(
                    "the token for '{}' would be {} bytes with {} groups; proxies take 8192. Narrow the access rules of this target",
                    self.facts.id,
                    token.len(),
                    claims.groups.len()
                ),
            ));
        }
        Ok(Credential::Token(MintedToken {
            token,
            token_type: ID_TOKEN,
            id,
            expires,
        }))
    }
}
