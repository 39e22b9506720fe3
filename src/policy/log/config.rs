//! `policy.decision_logs` of the configuration, in OPA's words where OPA has one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The decision log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionLogsConfig {
    /// The service (below `policy.services`) that gets the log. Absent: it is not sent.
    pub service: Option<String>,
    /// Where below the service.
    pub resource: String,
    /// How it is sent.
    pub reporting: ReportingConfig,
    /// The rule that says what to mask: a set of pointers (`/input/user`) or of `{op, path, value}`.
    pub mask_decision: String,
    /// The rule that says whether a decision is left out.
    pub drop_decision: String,
    /// Write each event to the gateway's own log, too.
    pub console: bool,
    /// What the gateway keeps itself, for `policy impact` and `explain --decision`.
    pub keep: KeepConfig,
}

/// How decisions are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportingConfig {
    /// Least time between two uploads, in seconds.
    #[schemars(range(min = 1))]
    pub min_delay_seconds: u64,
    /// Most time between two uploads, also after failures.
    #[schemars(range(min = 1))]
    pub max_delay_seconds: u64,
    /// Most bytes of one upload, compressed.
    #[schemars(range(min = 1024))]
    pub upload_size_limit_bytes: usize,
    /// Most decisions that wait for an upload. When it is full, the newest is dropped and counted.
    #[schemars(range(min = 1))]
    pub buffer_size_limit_events: usize,
}

/// What the gateway keeps itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepConfig {
    /// Days. 0: nothing is kept.
    #[schemars(range(max = 3650))]
    pub days: u32,
    /// Most decisions.
    pub most: u64,
}

impl Default for DecisionLogsConfig {
    fn default() -> Self {
        Self {
            service: None,
            resource: "/logs".to_owned(),
            reporting: ReportingConfig::default(),
            mask_decision: "/system/log/mask".to_owned(),
            drop_decision: "/system/log/drop".to_owned(),
            console: false,
            keep: KeepConfig::default(),
        }
    }
}

impl Default for ReportingConfig {
    fn default() -> Self {
        Self {
            min_delay_seconds: 300,
            max_delay_seconds: 600,
            upload_size_limit_bytes: 32_768,
            buffer_size_limit_events: 10_000,
        }
    }
}

impl Default for KeepConfig {
    fn default() -> Self {
        Self {
            days: 30,
            most: 1_000_000,
        }
    }
}
