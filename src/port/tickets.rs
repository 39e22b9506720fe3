//! Short-lived things that are used once: codes, device codes, used assertion ids.

use std::time::Duration;

use async_trait::async_trait;

/// What a ticket is for. Kinds never share a namespace: a device code is no authorization code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TicketKind {
    /// Authorization code (RFC 6749 §4.1.2).
    Code,
    /// What a used code had obtained, so that a replay can end it.
    UsedCode,
    /// Device code (RFC 8628).
    Device,
    /// User code → device code.
    UserCode,
    /// `jti` of client assertions and other single-use statements.
    Seen,
    /// A pending sign-in that has been finished.
    Finished,
    /// Tokens at dashboards that a session has handed out, so that signing out ends them.
    Handed,
    /// Such a token → its session.
    HandedBy,
    /// Somebody asks an upstream again: the others wait.
    Recheck,
    /// A replica ends what is left of customers that are gone.
    Departed,
    /// Somebody whom a partner's Keystone has sent, on the way to the Keystone behind us.
    Arrival,
}

impl TicketKind {
    /// Its prefix in shared stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::UsedCode => "used",
            Self::Device => "device",
            Self::UserCode => "usercode",
            Self::Seen => "seen",
            Self::Finished => "finished",
            Self::Handed => "handed",
            Self::HandedBy => "handedby",
            Self::Recheck => "recheck",
            Self::Departed => "departed",
            Self::Arrival => "arrival",
        }
    }
}

/// The ticket store failed, or is full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketFault {
    /// It does not answer.
    #[error("the ticket store does not answer: {0}")]
    Down(String),
    /// Bounded memory: the caller gets "try again later", running flows go on.
    #[error("the ticket store is full")]
    Full,
}

/// Short-lived values by kind and id. Ids are secrets: stores keep only their SHA-256.
/// Values end with their time to live; a value that has ended is not there.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Puts a value unless one is there; says whether it was put. This is also "seen before?".
    async fn put(&self, kind: TicketKind, id: &str, value: &[u8], ttl: Duration)
    -> Result<bool, TicketFault>;
    /// Takes a value: of any number of parallel callers exactly one gets it.
    async fn take(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault>;
    /// Looks at a value.
    async fn peek(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault>;
    /// Replaces `old` by `new`, keeping the time to live; says whether `old` was still there.
    async fn swap(&self, kind: TicketKind, id: &str, old: &[u8], new: &[u8]) -> Result<bool, TicketFault>;
    /// Drops what has ended; returns how many. Stores that do it by themselves return 0.
    async fn sweep(&self) -> Result<u64, TicketFault>;
}
