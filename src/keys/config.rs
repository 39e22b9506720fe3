//! The section `keys` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How signing keys live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// After how many days a key gets a successor by itself; 0 for only by `fedgate keys rotate`.
    pub rotate_after_days: u32,
    /// The longest life of any token that is signed, in seconds: a key stays published so long after its
    /// last signature.
    pub longest_token_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rotate_after_days: 90,
            longest_token_s: 86_400,
        }
    }
}
