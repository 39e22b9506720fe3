//! Parameters of rules about organisations, workloads, and what is given and shown.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::library::moments::{Begin, Jurisdiction};
use crate::{
    domain::ids::{ClientId, TargetId, TenantId, UpstreamId},
    policy::ContractEnd,
};

fn actor_claim() -> String {
    "act".to_owned()
}
fn quarter_of_an_hour() -> u64 {
    900
}
fn an_hour() -> u64 {
    3_600
}
fn two() -> u32 {
    2
}

/// A trust mark that the organisation holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its id.
    pub mark: String,
    /// When it ends.
    pub until: ContractEnd,
}

/// Rule 15.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustMark {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The marks of which one is needed.
    pub any_of: BTreeSet<String>,
    /// The marks that the organisation holds.
    pub held: Vec<Mark>,
}

/// A link of a chain of trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The entity.
    pub entity: String,
    /// When its statement ends.
    pub until: ContractEnd,
}

/// Rule 16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustChain {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The entities that are trusted by themselves.
    pub anchors: BTreeSet<String>,
    /// From the upstream's issuer to an anchor.
    pub chain: Vec<Link>,
}

/// Rule 17.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParticipantCredential {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Who issued the organisation's credential.
    pub issuer: String,
    /// Whose credentials are good.
    pub registries: BTreeSet<String>,
    /// When it ends.
    pub until: ContractEnd,
    /// Whether it has been taken back.
    #[serde(default)]
    pub revoked: bool,
}

/// A tag, and the jurisdictions that it allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The tag.
    pub tag: String,
    /// The jurisdictions.
    pub allowed: BTreeSet<Jurisdiction>,
}

/// A project with tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tagged {
    /// Its Keystone domain.
    pub domain: String,
    /// Its name.
    pub project: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

/// A target with tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaggedTarget {
    /// The target's id.
    pub target: TargetId,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

/// Rule 18.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jurisdictions {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The organisation's own jurisdiction.
    pub of: Jurisdiction,
    /// What the tags allow. An unknown tag allows nothing.
    pub tags: Vec<Tag>,
    /// Projects with tags.
    #[serde(default)]
    pub projects: Vec<Tagged>,
    /// Targets with tags.
    #[serde(default)]
    pub targets: Vec<TaggedTarget>,
}

/// Rule 19.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// When it begins: a date or an RFC 3339 time. Absent: it has begun.
    #[serde(default)]
    pub from: Option<Begin>,
    /// When it ends. Absent: never.
    #[serde(default)]
    pub until: Option<ContractEnd>,
    /// Nobody of the organisation gets anything.
    #[serde(default)]
    pub frozen: bool,
}

/// The allocation of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocated {
    /// Its Keystone domain.
    pub domain: String,
    /// Its name.
    pub project: String,
    /// When it ends. Absent: never.
    #[serde(default)]
    pub until: Option<ContractEnd>,
    /// Whether it is used up.
    #[serde(default)]
    pub exhausted: bool,
}

/// Rule 20.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The allocations. Other projects have no bound.
    pub projects: Vec<Allocated>,
    /// The role that is left. Absent: none.
    #[serde(default)]
    pub left: Option<String>,
}

/// Rule 21.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Onward {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Most gateways between the person's organisation and this one.
    #[serde(default)]
    pub most_hops: u32,
    /// The claim with the gateways, a list, or nested actors (`act`).
    #[serde(default = "actor_claim")]
    pub claim: String,
}

/// One Kubernetes service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The groups it gets here.
    pub groups: BTreeSet<String>,
}

/// Rule 22.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccounts {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The upstreams that are clusters.
    pub upstreams: BTreeSet<UpstreamId>,
    /// The accounts that are let in.
    pub accounts: Vec<ServiceAccount>,
    /// Longest life of what they get, in seconds.
    #[serde(default = "quarter_of_an_hour")]
    pub lifetime_s: u64,
}

/// Rule 23.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ci {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The upstreams that are job runners.
    pub upstreams: BTreeSet<UpstreamId>,
    /// Conditions of which one must hold: claims, each with values; `*` at the end for any ending.
    pub any_of: Vec<BTreeMap<String, Vec<String>>>,
    /// Longest life of what they get, in seconds.
    #[serde(default = "quarter_of_an_hour")]
    pub lifetime_s: u64,
}

/// What one client learns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// The client's id.
    pub client: ClientId,
    /// Of `email`, `profile` and `groups`.
    pub release: BTreeSet<String>,
}

/// Rule 25.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeRelease {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Clients with a list of their own.
    #[serde(default)]
    pub clients: Vec<Released>,
    /// What all others learn, of `email`, `profile` and `groups`.
    #[serde(default)]
    pub others: BTreeSet<String>,
}

/// What an approved emergency gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyGrant {
    /// The target.
    pub target: TargetId,
    /// The Keystone project's domain.
    pub domain: String,
    /// The project.
    pub project: String,
    /// The role.
    pub role: String,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// For whom: their `sub`.
    pub subject: String,
    /// The incident.
    pub ticket: String,
    /// When it ends.
    pub until: ContractEnd,
    /// Who approved it.
    pub by: BTreeSet<String>,
}

/// Rule 32.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// How many approvals are needed.
    #[serde(default = "two")]
    pub needed: u32,
    /// Who may approve.
    pub approvers: BTreeSet<String>,
    /// What it gives.
    pub grants: Vec<EmergencyGrant>,
    /// Approvals.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// Longest life, in seconds; at most an hour.
    #[serde(default = "an_hour")]
    pub lifetime_s: u64,
}

/// What `subject.extras` shows to later decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Name there, and the claim.
    pub claims: BTreeMap<String, String>,
}
