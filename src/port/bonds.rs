//! What ties sessions to their upstreams: for asking again, and for sign-outs that come from there.

use async_trait::async_trait;

use crate::domain::{assertion::UpstreamAssertion, ids::UpstreamId, time::Timestamp};

use super::records::RecordFault;

/// One session's tie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bond {
    /// The session.
    pub sid: String,
    /// The upstream.
    pub upstream: UpstreamId,
    /// Whom it is about: the stable key of issuer and subject.
    pub subject: String,
    /// The upstream's own name of the session.
    pub session: Option<String>,
    /// The renewal that it shares with the other sessions of one sign-in.
    pub renewal: Option<String>,
    /// When the session ends.
    pub ends: Timestamp,
}

/// By what an upstream is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Random, not secret.
    pub id: String,
    /// The upstream's token, sealed.
    pub sealed: String,
    /// When it was last asked.
    pub asked: Timestamp,
    /// When the sign-in ends.
    pub ends: Timestamp,
}

/// Which sessions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant<'a> {
    /// Those of one person from one upstream.
    Subject(&'a UpstreamId, &'a str),
    /// That which the upstream calls so; of that person, where one is named.
    Session(&'a UpstreamId, &'a str, Option<&'a str>),
    /// Those of one sign-in.
    Renewal(&'a str),
}

/// Ties. They end with their sessions.
#[async_trait]
pub trait Bonds: Send + Sync {
    /// Keeps a session's tie, and with it by what the upstream is asked again, if that is new.
    async fn bind(&self, bond: &Bond, renewal: Option<&Renewal>) -> Result<(), RecordFault>;
    /// A session's tie.
    async fn bond(&self, sid: &str) -> Result<Option<Bond>, RecordFault>;
    /// The sessions that are meant.
    async fn bound(&self, meant: Meant<'_>) -> Result<Vec<String>, RecordFault>;
    /// By what the upstream is asked again.
    async fn renewal(&self, id: &str) -> Result<Option<Renewal>, RecordFault>;
    /// In one transaction: replaces that, and what the upstream says in every session and refresh family of it.
    async fn renewed(&self, renewal: &Renewal, says: &UpstreamAssertion) -> Result<(), RecordFault>;
}
