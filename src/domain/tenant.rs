//! A tenant: the customer or partner that an upstream speaks for, and nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::TenantId;

/// One tenant, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Its name in links (`/t/<id>`), rules and logs.
    pub id: TenantId,
    /// What people read.
    pub name: String,
    /// Keystone domains whose projects its people may ever reach. Built in: no policy widens this.
    #[serde(default)]
    pub domains: Vec<String>,
    /// What a person may type to name the organisation, beside the id (for example a mail domain).
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Whom a refused person should ask. Shown to that person.
    #[serde(default)]
    pub contact: Option<String>,
}
