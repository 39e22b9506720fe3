//! Counters against guessing and flooding.

use std::time::Duration;

use async_trait::async_trait;

use super::tickets::TicketFault;

/// How often something may happen in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Most times.
    pub times: u32,
    /// In this span.
    pub within: Duration,
}

/// Whether it may happen once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Free,
    /// No, not before this span has passed.
    Wait(Duration),
}

/// Counts events by key. Keys are ours (`password:<upstream>:<user>`); the count may be approximate at a
/// window's edge, never unbounded.
#[async_trait]
pub trait Limits: Send + Sync {
    /// Counts one event and says whether it was still within the quota.
    async fn hit(&self, key: &str, quota: Quota) -> Result<Verdict, TicketFault>;
    /// Forgets a key (a correct password clears the wrong ones).
    async fn clear(&self, key: &str) -> Result<(), TicketFault>;
}
