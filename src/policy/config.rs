//! The section `policy` of the configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::library::LibraryRule;
use super::rest::Rest;
use super::{
    bundles::{BundleConfig, KeyConfig},
    log::DecisionLogsConfig,
    services::ServiceConfig,
};
use crate::domain::ids::{TargetId, TenantId};

/// Which policies decide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder with Rego files (`*.rego`; `*_test.rego` are their tests and must pass). A package in it replaces
    /// the built-in package of that name; it must hold `federation.access` with the rule `decision`. Absent: the
    /// built-in policies.
    pub folder: Option<PathBuf>,
    /// Tenants whose people are refused everywhere, at once, with the reason `tenant_suspended`.
    pub suspended: BTreeSet<TenantId>,
    /// Where bundles come from and decision logs go, by name.
    pub services: BTreeMap<String, ServiceConfig>,
    /// Bundles for the policies that are asked over REST, by name. Their roots must not overlap.
    pub bundles: BTreeMap<String, BundleConfig>,
    /// Keys that bundles are checked by, by id. Where there is one, every bundle must be signed.
    pub keys: BTreeMap<String, KeyConfig>,
    /// The decision log.
    pub decision_logs: DecisionLogsConfig,
    /// What every event of the decision log says of this gateway, beside `id` and `version`.
    pub labels: BTreeMap<String, String>,
    /// Folder for what must survive a restart: bundles with `persist`, and policies that were applied.
    pub persistence_directory: Option<PathBuf>,
    /// Where other programs may ask the policy engine, and manage policies of their own there.
    pub rest: Rest,
    /// Rules of the library that are switched on, each with its parameters.
    pub rules: Vec<LibraryRule>,
    /// The only networks (CIDR) that requests to the administration interface may come from. Empty: any.
    pub admin_networks: Vec<String>,
    /// What tenants' groups may do at clusters that ask this gateway (SubjectAccessReview).
    pub reviews: Vec<ReviewRule>,
}

/// What one group may do at one cluster. Each list is exact, or `"*"` for everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// The rule's name: the cluster's audit log shows it as the reason.
    pub rule: String,
    /// The target's id.
    pub cluster: TargetId,
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's group, as it is given at the cluster.
    pub group: String,
    /// Verbs (`get`, `list`, `create`).
    pub verbs: BTreeSet<String>,
    /// API groups; `""` is the core group.
    pub api_groups: BTreeSet<String>,
    /// Resources, in plural; a subresource is named with it: `pods/log`.
    pub resources: BTreeSet<String>,
    /// Namespaces; `""` is what lies in none, and lists over all.
    pub namespaces: BTreeSet<String>,
}
