//! What a front end may know of the bundles in force: their state, in the words of OPA's status API.

use std::collections::BTreeMap;

use serde::Serialize;

/// One bundle's state. Times are RFC 3339; what has not happened yet has OPA's zero time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleStatus {
    /// Its name in the configuration.
    pub name: String,
    /// The revision in force.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub active_revision: String,
    /// When a bundle was last taken into use.
    pub last_successful_activation: String,
    /// `snapshot`, once one is in force.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Bytes of the archive in force.
    #[serde(skip_serializing_if = "is_zero")]
    pub size: u64,
    /// When one was last received whole.
    pub last_successful_download: String,
    /// When its server last answered (also "not changed").
    pub last_successful_request: String,
    /// When it was last asked for.
    pub last_request: String,
    /// `bundle_error` while the last attempt has failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What went wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What is wrong with its policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<serde_json::Value>,
    /// Its server's answer, where that was the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_code: Option<u16>,
    /// Figures in OPA's names (`timer_bundle_request_ns`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, u64>,
}

fn is_zero(size: &u64) -> bool {
    *size == 0
}

/// The bundles of this gateway.
pub trait Bundles: Send + Sync {
    /// Each bundle's state, by name.
    fn status(&self) -> BTreeMap<String, BundleStatus>;
    /// Whether every configured bundle has been taken into use once (OPA's `/health?bundles`).
    fn activated(&self) -> bool;
}
