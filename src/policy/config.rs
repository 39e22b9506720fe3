//! The section `policy` of the configuration.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bundles::{BundleConfig, KeyConfig},
    log::DecisionLogsConfig,
    services::ServiceConfig,
};
use crate::domain::ids::TenantId;

/// Which policies decide.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder with Rego files (`*.rego`; `*_test.rego` are their tests and must pass). It replaces the
    /// built-in policies as a whole and must hold the package `federation.access` with the rule `decision`.
    /// Absent: the built-in policies.
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
}
