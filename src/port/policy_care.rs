//! What operators do with the policies of a running gateway: apply, roll back, run a candidate in the shadow.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Serialize;

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyCareFault {
    /// The candidate is not taken: a line for each thing that is wrong, with file, line and what to write.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
    /// It cannot be done here and now.
    #[error("{0}")]
    Unable(String),
}

/// Which policies decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyState {
    /// The revision in force.
    pub revision: String,
    /// Where it came from: `configuration`, or the revision that the author of the applied bundle gave.
    pub source: String,
    /// Where a rollback leads; none if there was no other.
    pub previous: Option<String>,
    /// The candidate in the shadow.
    pub shadow: Option<ShadowState>,
}

/// A candidate beside the live policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShadowState {
    /// Its revision.
    pub revision: String,
    /// Decisions that it was asked for, by entry.
    pub entries: BTreeMap<String, ShadowCounts>,
    /// Decisions that it was not asked for: it was behind.
    pub skipped: u64,
    /// The last disagreements, newest first.
    pub last: Vec<Disagreement>,
}

/// How a candidate compares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ShadowCounts {
    /// The same answer.
    pub same: u64,
    /// Another answer.
    pub different: u64,
    /// No answer.
    pub failed: u64,
}

/// One decision that a candidate would have made differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The decision's id.
    pub decision_id: String,
    /// What was asked.
    pub path: String,
    /// What was answered.
    pub live: serde_json::Value,
    /// What the candidate answers; a text where it failed.
    pub candidate: serde_json::Value,
}

/// Cares for the policies in force.
#[async_trait]
pub trait PolicyCare: Send + Sync {
    /// What decides now.
    fn state(&self) -> PolicyState;
    /// Takes a bundle (`.tar.gz`) into use, whole or not at all, and keeps it for the next start.
    async fn apply(&self, archive: Vec<u8>) -> Result<String, PolicyCareFault>;
    /// Takes what was in force before into use again.
    async fn roll_back(&self) -> Result<String, PolicyCareFault>;
    /// Runs a candidate beside the live policies; none ends that.
    async fn shadow(&self, archive: Option<Vec<u8>>) -> Result<Option<String>, PolicyCareFault>;
}
