//! What was decided: written down as it happens, and found again.
//!
//! Texts of input and result travel as JSON that somebody has already written, so that a record costs a
//! decision neither a second parse nor a tree of values.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::records::RecordFault;
use crate::domain::time::Timestamp;

/// What the engine was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A document, by its path without the leading `data` (`federation/access/decision`).
    Path(String),
    /// An ad-hoc query.
    Query(String),
}

/// One decision, as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The name that the caller got with the answer (`decision_id`), or the reference of the request.
    pub id: String,
    /// What was asked.
    pub asked: Asked,
    /// The input, as JSON; absent where there was none.
    pub input: Option<String>,
    /// The answer, as JSON; absent where it is undefined or an error.
    pub result: Option<String>,
    /// The error, as JSON (OPA's error document).
    pub error: Option<String>,
    /// Who asked, as `address:port` or `address`.
    pub requested_by: Option<String>,
    /// When, in nanoseconds since the epoch.
    pub at_ns: i64,
    /// The revision of the policies that answered, where they have one beside the bundles.
    pub revision: Option<String>,
    /// The bundles in force: name and revision.
    pub bundles: BTreeMap<String, String>,
    /// Figures in OPA's names (`timer_server_handler_ns`, …).
    pub metrics: BTreeMap<String, u64>,
}

/// Writes decisions down.
pub trait Decisions: Send + Sync {
    /// Takes one. It never waits and never fails: what cannot be kept is dropped and counted.
    fn record(&self, decision: Decision);
    /// Whether anybody listens: without one, callers need not put a record together.
    fn listens(&self) -> bool;
}

/// A decision as it is kept: masked, in OPA's event format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDecision {
    /// Its `decision_id`.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// What was asked: the path, or the query.
    pub path: String,
    /// The event, as JSON.
    pub event: String,
}

/// Decisions that were kept.
#[async_trait]
pub trait DecisionRecords: Send + Sync {
    /// Appends a batch in one transaction.
    async fn append(&self, decisions: &[KeptDecision]) -> Result<(), RecordFault>;
    /// Those made at or after `since`, oldest first, after the given number; each with its own number.
    async fn since(
        &self,
        since: Timestamp,
        after: i64,
        most: u32,
    ) -> Result<Vec<(i64, KeptDecision)>, RecordFault>;
    /// Those with this id, oldest first, at most 100: one request may ask several questions.
    async fn of(&self, id: &str) -> Result<Vec<KeptDecision>, RecordFault>;
    /// Drops those made before `before`, and the oldest beyond `most`. Returns how many.
    async fn sweep(&self, before: Timestamp, most: u64) -> Result<u64, RecordFault>;
}
