//! What must survive a restart. Small traits by noun; one SQL store implements all of them.

use async_trait::async_trait;

use super::departures::Holder;
use crate::domain::{
    audit::Event,
    ids::{ClientId, SessionId, TargetId},
    key::{Algorithm, Life},
    session::{RefreshFamily, Session},
    time::Timestamp,
};

/// The record store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record store does not answer: {0}")]
pub struct RecordFault(pub String);

/// Sign-ins.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Keeps a session. The store keeps SHA-256(id), never the id.
    async fn open(&self, session: &Session) -> Result<(), RecordFault>;
    /// The session, if it exists and ends after `now`.
    async fn find(&self, id: &SessionId, now: Timestamp) -> Result<Option<Session>, RecordFault>;
    /// The same by its public name `sid` (hex of SHA-256(id), first 32 digits). `Session::id` is empty then.
    async fn by_sid(&self, sid: &str, now: Timestamp) -> Result<Option<Session>, RecordFault>;
    /// Ends a session and every refresh family that hangs on it, in one transaction. Unknown is no error.
    async fn end(&self, sid: &str) -> Result<(), RecordFault>;
    /// Drops what ended before `now`: sessions, families, revocations. Returns how many rows.
    async fn sweep(&self, now: Timestamp) -> Result<u64, RecordFault>;
}

/// Refresh-token families.
#[async_trait]
pub trait RefreshFamilies: Send + Sync {
    /// Starts a family.
    async fn begin(&self, family: &RefreshFamily) -> Result<(), RecordFault>;
    /// In one statement: if the family lives (not revoked, ends after `now`), belongs to `client` and stands
    /// at `generation`, moves it to the next one. Of parallel callers exactly one moves it.
    async fn rotate(
        &self,
        id: &str,
        client: &ClientId,
        generation: i64,
        now: Timestamp,
    ) -> Result<Option<RefreshFamily>, RecordFault>;
    /// The family, if it lives.
    async fn find(&self, id: &str, now: Timestamp) -> Result<Option<RefreshFamily>, RecordFault>;
    /// Ends a family.
    async fn revoke(&self, id: &str) -> Result<(), RecordFault>;
}

/// Tokens that were revoked before their time.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Marks a `jti` until the token would have ended by itself.
    async fn revoke(&self, jti: &str, until: Timestamp) -> Result<(), RecordFault>;
    /// Whether it is marked.
    async fn is_revoked(&self, jti: &str) -> Result<bool, RecordFault>;
    /// Another number whenever something has been ended or taken away through this store by this process: a session,
    /// a family, a token, a person, a group at the upstream. Who remembers what it has read compares it.
    fn ended(&self) -> u64;
}

/// A token at a target: one that must end before the target would end it, or one that goes when its holder does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// SHA-256 of the token, hex.
    pub id: String,
    /// Where it is good.
    pub target: TargetId,
    /// The token, sealed.
    pub sealed: String,
    /// It must not be good after this.
    pub ends: Timestamp,
    /// The target ends it then.
    pub gone: Timestamp,
    /// Whose it is; unknown of those that an earlier version kept.
    pub holder: Option<Holder>,
    /// Why it ends before its time; empty where its permit alone ends it.
    pub why: String,
}

/// Tokens at targets that were given.
#[async_trait]
pub trait Endings: Send + Sync {
    /// Keeps one. One that is kept already stays as it is.
    async fn note(&self, ending: &Ending) -> Result<(), RecordFault>;
    /// The one of that id, if it is kept.
    async fn known(&self, id: &str) -> Result<Option<Ending>, RecordFault>;
    /// Those that must have ended at `now`, the oldest first: at most so many of each target.
    async fn due(&self, now: Timestamp, most: u32) -> Result<Vec<Ending>, RecordFault>;
    /// Forgets one that has ended.
    async fn done(&self, id: &str) -> Result<(), RecordFault>;
}

/// A signing key as stored: the private half is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// JWK thumbprint (RFC 7638) of the public key.
    pub kid: String,
    /// The ring it is of: empty for the gateway's own, else the name of the target that is an issuer of its own.
    pub ring: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// PKCS#8, sealed at rest.
    pub sealed: Vec<u8>,
    /// Its self-signed certificate, DER, for `x5c`.
    pub certificate: Vec<u8>,
    /// Its times.
    pub life: Life,
}

/// Signing keys.
#[async_trait]
pub trait KeyRecords: Send + Sync {
    /// All keys of a ring that are not gone at `now`, oldest first.
    async fn keys(&self, ring: &str, now: Timestamp) -> Result<Vec<StoredKey>, RecordFault>;
    /// In one transaction under a lock: adds `new` and gives `superseded` keys their new lives. If a key of
    /// that algorithm and ring was added by somebody else since `seen` (their kids), nothing changes and the answer
    /// is false: replicas that start or rotate together make one key, not several.
    async fn add(
        &self,
        new: &StoredKey,
        superseded: &[(String, Life)],
        seen: &[String],
    ) -> Result<bool, RecordFault>;
}

/// The audit trail.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Appends a batch in one transaction, in order, with consecutive numbers.
    async fn append(&self, events: &[Event]) -> Result<(), RecordFault>;
    /// The newest events, newest first; of one reference if one is given.
    async fn recent(&self, reference: Option<&str>, most: u32) -> Result<Vec<(i64, Event)>, RecordFault>;
}

/// Whether the store can be used.
#[async_trait]
pub trait Reachable: Send + Sync {
    /// A cheap round trip.
    async fn ping(&self) -> Result<(), RecordFault>;
}
