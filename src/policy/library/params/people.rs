//! Parameters of rules about people: who comes in, how sure it is, which groups and roles count.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::ids::{TargetId, TenantId, UpstreamId},
    policy::ContractEnd,
};

fn reader() -> String {
    "reader".to_owned()
}
fn entitlement_claim() -> String {
    "eduperson_entitlement".to_owned()
}
fn assurance_claim() -> String {
    "eduperson_assurance".to_owned()
}
fn terms_claim() -> String {
    "terms_accepted".to_owned()
}

/// A rule without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Everything {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
}

/// Rule 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservedRoles {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Names beside the gateway's own list, without regard to case.
    #[serde(default)]
    pub names: BTreeSet<String>,
}

/// Rule 3, for groups after the upstream's mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedGroups {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Beginnings of which a group has one.
    pub accept: Vec<String>,
    /// Beginnings of which it has none.
    #[serde(default)]
    pub refuse: Vec<String>,
}

/// A claim, and a value among its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    /// The claim: its exact name, else a path with dots.
    pub claim: String,
    /// The value; a claim that is `true` reads as "true".
    pub value: String,
}

/// Rule 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// One of these must be there.
    pub any_of: Vec<Claimed>,
}

/// Rule 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UntrustedGroups {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The upstreams.
    pub upstreams: BTreeSet<UpstreamId>,
    /// Groups that are given here, by the person's `sub`.
    #[serde(default)]
    pub local: BTreeMap<String, BTreeSet<String>>,
}

/// One invitation: by issuer and subject, or by an e-mail address that the upstream vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invited {
    /// The upstream's issuer.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The subject there.
    #[serde(default)]
    pub subject: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// When the invitation ends. Absent: never.
    #[serde(default)]
    pub until: Option<ContractEnd>,
}

/// Rule 6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Who is invited.
    pub invited: Vec<Invited>,
}

/// Rules 7 and 10: a role that is not named is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleMap {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Role from outside, and the role here.
    pub roles: BTreeMap<String, String>,
}

/// Rule 8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderUnless {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The group whose members keep their roles.
    pub group: String,
    /// The role of everybody else.
    #[serde(default = "reader")]
    pub role: String,
}

/// Rule 9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entitlements {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The claim with the entitlements.
    #[serde(default = "entitlement_claim")]
    pub claim: String,
    /// What comes before `:group:` in entitlements that are read.
    pub namespaces: BTreeSet<String>,
    /// Who may issue them: what stands after `#`.
    pub authorities: BTreeSet<String>,
}

/// Rules 11 and 14.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assurance {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The claim with the level (for a chain: the list of levels).
    #[serde(default = "assurance_claim")]
    pub claim: String,
    /// The levels, lowest first.
    pub levels: Vec<String>,
    /// The lowest that is enough.
    pub minimum: String,
}

/// Rule 12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MfaFor {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Keystone roles, without regard to case.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Groups at clusters and clients.
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

/// Rule 13.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInAge {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Most seconds since the person proved who they are.
    pub max_age_s: u64,
    /// Only at these targets. Empty: at all, `gateway` among them.
    #[serde(default)]
    pub targets: BTreeSet<TargetId>,
}

/// Rule 26.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The version that must have been accepted.
    pub version: String,
    /// The claim that names accepted versions.
    #[serde(default = "terms_claim")]
    pub claim: String,
    /// Who has accepted which version, by `sub`.
    #[serde(default)]
    pub accepted: BTreeMap<String, String>,
}

/// Rule 27.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoLocalUsers {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// The upstreams whose people are local.
    pub upstreams: BTreeSet<UpstreamId>,
    /// User names that may sign in all the same, loudly.
    #[serde(default)]
    pub break_glass: BTreeSet<String>,
}

/// Rule 28.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Separation {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Pairs of Keystone roles, without regard to case.
    pub pairs: Vec<[String; 2]>,
}

/// Rule 29.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamePrefix {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Put before every user name (`b:`).
    pub prefix: String,
}

/// Rule 30.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Networks in CIDR form.
    pub networks: Vec<String>,
    /// Only at these targets. Empty: at all, `gateway` among them.
    #[serde(default)]
    pub targets: BTreeSet<TargetId>,
}

/// Somebody, as their upstream names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The upstream's issuer.
    pub issuer: String,
    /// The subject there.
    pub subject: String,
}

/// Rule 31.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprovisioned {
    /// The tenants that it holds for. Empty: all.
    #[serde(default)]
    pub tenants: BTreeSet<TenantId>,
    /// Who is nobody's any more.
    #[serde(default)]
    pub people: Vec<Person>,
    /// The same by `sub`.
    #[serde(default)]
    pub ids: BTreeSet<String>,
}
