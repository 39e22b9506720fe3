//! What an upstream said, once its proof has been checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ids::{TenantId, UpstreamId},
    time::Timestamp,
};

/// Facts about one sign-in, from one upstream, with the proof already verified.
///
/// Made by [`UpstreamAssertion::verified`] alone. The house test allows that call only in `upstream`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpstreamAssertion {
    facts: Verified,
}

/// What an adapter hands over after it has verified the proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The upstream that spoke, from our configuration (never from the proof).
    pub upstream: UpstreamId,
    /// The tenant it may speak for, from our configuration (never from the proof).
    pub tenant: TenantId,
    /// The issuer as the proof and our configuration agree on it.
    pub issuer: String,
    /// Stable and unique within the issuer; never empty.
    pub subject: String,
    /// All verified claims, for mapping.
    pub claims: Map<String, Value>,
    /// When the person proved who they are (OIDC Core `auth_time`, else when we saw the proof).
    pub authenticated_at: Timestamp,
    /// Authentication context class, where the upstream named one.
    pub acr: Option<String>,
    /// Authentication methods (RFC 8176), where the upstream named them.
    pub amr: Vec<String>,
    /// Nothing that follows from this proof may live longer.
    pub not_after: Timestamp,
    /// The upstream's own name for the session (`sid`), for logout.
    pub upstream_session: Option<String>,
}

/// A proof that must not become an assertion.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AssertionFault {
    /// An empty or over-long subject would become another person further on (Keystone falls back to the name).
    #[error("the subject is empty, longer than 255 characters or has control characters")]
    Subject,
}

impl UpstreamAssertion {
    /// States that `facts` come from a verified proof. Only upstream adapters may say so.
    pub fn verified(facts: Verified) -> Result<Self, AssertionFault> {
        let subject = &facts.subject;
        if subject.trim().is_empty() || subject.chars().count() > 255 || subject.chars().any(char::is_control)
        {
            return Err(AssertionFault::Subject);
        }
        Ok(Self { facts })
    }

    /// Takes an assertion back that our own records have kept since it was verified.
    /// Only `store` may say so.
    #[must_use]
    pub fn recalled(facts: Verified) -> Self {
        Self { facts }
    }

    /// The facts.
    #[must_use]
    pub fn facts(&self) -> &Verified {
        &self.facts
    }
}
