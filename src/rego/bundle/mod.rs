//! Bundles: what an archive of policies and data holds, and which part of the data tree it owns.

use regorus::Value;

use super::Module;

/// `.manifest`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// The author's name for this state.
    pub revision: String,
    /// The paths that the bundle owns (`a/b`); `""` owns everything.
    pub roots: Vec<String>,
    /// The language of its modules, where it says one.
    pub rego_version: Option<u8>,
    /// Anything else the author says.
    pub metadata: Option<serde_json::Value>,
}

/// A bundle as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its policies.
    pub modules: Vec<Module>,
    /// Its data; an object.
    pub data: Value,
}
