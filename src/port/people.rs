//! People as they last proved who they are, and what was given to them at targets.

use async_trait::async_trait;

use crate::domain::{assertion::Verified, time::Timestamp};

use super::records::RecordFault;

/// Somebody who was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The stable key: made of issuer and subject.
    pub key: String,
    /// What was last said about them.
    pub facts: Verified,
    /// The groups that followed from it then.
    pub held: Vec<String>,
    /// When that was.
    pub seen: Timestamp,
    /// Whether it was a list of people that said so, not a sign-in.
    pub listed: bool,
    /// Since when they are let go; none while they are not.
    pub gone: Option<Timestamp>,
}

/// People.
#[async_trait]
pub trait People: Send + Sync {
    /// Keeps what was said about somebody. Whether they are let go stays as it was.
    async fn saw(&self, person: &Known) -> Result<(), RecordFault>;
    /// One of them.
    async fn person(&self, key: &str) -> Result<Option<Known>, RecordFault>;
    /// All of them, in the order of their keys.
    async fn people(&self) -> Result<Vec<Known>, RecordFault>;
    /// Lets somebody go, or takes them back. Says whether that changed anything.
    async fn let_go(&self, key: &str, since: Option<Timestamp>) -> Result<bool, RecordFault>;
    /// Ends a person's sessions with the refresh tokens that hang on them, but for one. Returns how many sessions.
    async fn end_sessions(&self, key: &str, but: Option<&str>) -> Result<u64, RecordFault>;
}

/// What was given at a target, as texts of the target's own.
#[async_trait]
pub trait Given: Send + Sync {
    /// All of one target.
    async fn given(&self, target: &str) -> Result<Vec<String>, RecordFault>;
    /// Writes down what is about to be given, and strikes out what was taken away, in one transaction.
    async fn note(&self, target: &str, given: &[String], taken: &[String]) -> Result<(), RecordFault>;
    /// How far a target is, as a text; none if nobody has worked on it.
    async fn state(&self, target: &str) -> Result<Option<String>, RecordFault>;
    /// Keeps that.
    async fn keep_state(&self, target: &str, state: &str) -> Result<(), RecordFault>;
    /// Takes the turn at a target for a worker until a moment; false while another's turn lasts.
    async fn take_turn(&self, turn: &Turn<'_>) -> Result<bool, RecordFault>;
}

/// A turn at a target: replicas do not work on one target at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The target.
    pub target: &'a str,
    /// Who takes it.
    pub worker: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Its end, if it is not given back before.
    pub until: Timestamp,
}
