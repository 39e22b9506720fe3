//! The section `policy` of the configuration.

use std::{collections::BTreeSet, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}
