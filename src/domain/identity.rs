//! Who we hold somebody to be.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ClientId, TenantId, UpstreamId},
    time::Timestamp,
};

/// A person or workload as this gateway knows them. Made only by [`super::mapping`]
/// (and, for a client acting for itself, by [`Identity::of_client`]).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Identity {
    pub(in crate::domain) key: String,
    pub(in crate::domain) upstream: Option<UpstreamId>,
    pub(in crate::domain) tenant: TenantId,
    pub(in crate::domain) issuer: String,
    pub(in crate::domain) subject: String,
    pub(in crate::domain) username: String,
    pub(in crate::domain) name: Option<String>,
    pub(in crate::domain) email: Option<String>,
    pub(in crate::domain) email_verified: bool,
    pub(in crate::domain) groups: Vec<HeldGroup>,
    pub(in crate::domain) extras: BTreeMap<String, Vec<String>>,
    pub(in crate::domain) assurance: Assurance,
    pub(in crate::domain) not_after: Timestamp,
}

/// A group, and the mapping rule that gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldGroup {
    /// The group's name inside the tenant.
    pub name: String,
    /// The mapping rule's name, for "why".
    pub rule: String,
}

/// How sure we may be that it is them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assurance {
    /// Authentication context class, as the upstream named it.
    pub acr: Option<String>,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// When they proved it.
    pub authenticated_at: Timestamp,
}

impl Identity {
    /// The stable `sub` that every target and partner sees: SHA-256 over issuer and subject, in hex.
    /// Two clouds that see the same issuer and subject agree on it (users.md, decision 2).
    #[must_use]
    pub fn key_of(issuer: &str, subject: &str) -> String {
        // An issuer is a URL and holds no line break, so the pair cannot be shifted.
        let hash = digest::digest(&digest::SHA256, format!("{issuer}\n{subject}").as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A registered client that acts for itself (RFC 6749 §4.4). It holds no groups.
    #[must_use]
    pub fn of_client(
        client: &ClientId,
        tenant: &TenantId,
        issuer: &str,
        now: Timestamp,
        not_after: Timestamp,
    ) -> Self {
        Self {
            key: client.to_string(),
            upstream: None,
            tenant: tenant.clone(),
            issuer: issuer.to_owned(),
            subject: client.to_string(),
            username: client.to_string(),
            name: None,
            email: None,
            email_verified: false,
            groups: Vec::new(),
            extras: BTreeMap::new(),
            assurance: Assurance {
                acr: None,
                amr: Vec::new(),
                authenticated_at: now,
            },
            not_after,
        }
    }

    /// The stable `sub`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
    /// The upstream they came through; none for a client that acts for itself.
    #[must_use]
    pub fn upstream(&self) -> Option<&UpstreamId> {
        self.upstream.as_ref()
    }
    /// The tenant they belong to.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// The upstream's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
    /// The upstream's subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
    /// What they are called at targets; never empty.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }
    /// Display name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    /// E-mail address; never a key.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }
    /// Whether the upstream vouches for the address.
    #[must_use]
    pub fn email_verified(&self) -> bool {
        self.email_verified
    }
    /// Groups, sorted by name, each once.
    #[must_use]
    pub fn groups(&self) -> &[HeldGroup] {
        &self.groups
    }
    /// What the mapping policy kept of the claims, by name: facts for later decisions, never shown to targets.
    #[must_use]
    pub fn extras(&self) -> &BTreeMap<String, Vec<String>> {
        &self.extras
    }
    /// How and when they proved it.
    #[must_use]
    pub fn assurance(&self) -> &Assurance {
        &self.assurance
    }
    /// The end of the proof's life.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}
