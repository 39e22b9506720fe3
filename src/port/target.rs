//! Where people are let in.

use async_trait::async_trait;

use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    credential::Credential,
    fault::Fault,
    ids::{TargetId, TenantId},
};

/// A target.
#[async_trait]
pub trait Target: Send + Sync {
    /// Its name, kind and limits.
    fn facts(&self) -> &TargetFacts;
    /// Makes the credential. Nothing is made without a permit, and nothing lives longer than it.
    async fn mint(&self, permit: &Permit) -> Result<Credential, Fault>;
    /// Whether the far side answers; none where there is no far side to ask.
    async fn health(&self) -> Option<Result<(), String>> {
        None
    }
}

/// What is fixed about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Its name.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// What kind of place it is.
    pub kind: TargetKind,
    /// The one audience of tokens for it.
    pub audience: String,
    /// What no policy can widen.
    pub ceilings: Ceilings,
    /// The group names that a credential shows for a tenant: the target's own prefix rule.
    pub group_prefix: GroupPrefix,
}

/// How group names are kept apart between tenants at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPrefix(pub String);

impl GroupPrefix {
    /// `<prefix><tenant>:<group>`: a tenant can never name another tenant's group, or a bare one.
    #[must_use]
    pub fn apply(&self, tenant: &TenantId, group: &str) -> String {
        format!("{}{tenant}:{group}", self.0)
    }
}
