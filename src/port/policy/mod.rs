//! The policy engine, asked with typed input, answering with typed output.
//!
//! Each place where policy is asked is an [`Entry`]. What it is asked with stands in `questions.rs`, what it may
//! answer in `answers.rs`. [`answer`] is the way through: it refuses an output of any other shape.

mod answers;
mod questions;

pub use answers::{Output, ReviewAnswer, Verdict};
pub use questions::{
    AdminQuestion, AskingClient, ClaimFacts, Context, ExchangeFacts, ExchangeQuestion, IntrospectionQuestion,
    LoginQuestion, MappingQuestion, NonResource, OpenStackCredentials, OpenStackQuestion, Question, Resource,
    ReviewQuestion, ReviewSpec, Subject, TokenSeen, VERSION, Wanted,
};

use serde::Serialize;

use crate::domain::access::Answer;

/// The engine failed. Never an allow: it becomes a 5xx.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy engine failed: {0}")]
pub struct PolicyFault(pub String);

/// Where the gateway asks policy. What OpenStack services ask (`SERVICE/RULE/allow`) has a path of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// Before a session is opened.
    Login,
    /// From claims to groups and extras.
    Mapping,
    /// A grant to a target.
    Access,
    /// A session's token for a credential of one target.
    Exchange,
    /// Whether a client may know about a token.
    Introspection,
    /// An administrator's request.
    Admin,
    /// A Kubernetes API server's SubjectAccessReview.
    Kubernetes,
}

impl Entry {
    /// All of them, so that a test can ask each for what it must have. Access first: others rest on it.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::Login,
        Self::Mapping,
        Self::Exchange,
        Self::Introspection,
        Self::Admin,
        Self::Kubernetes,
    ];
}

/// A question that can be asked at one entry.
pub trait Decision: Serialize {
    /// Where it is asked.
    const ENTRY: Entry;
    /// What is answered there.
    type Output: Output;
}

/// Decides. Synchronous: a decision is a bounded computation of microseconds, without I/O.
pub trait Policy: Send + Sync {
    /// Asks the entry point for access.
    fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault>;
    /// Asks any entry point: input and output as JSON texts. Callers use [`answer`], which knows their types.
    fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault>;
    /// The revision that answers now; changes with every swap.
    fn revision(&self) -> String;
}

/// Asks a typed question. An output that is not exactly of the entry's type is a fault, never an answer.
pub fn answer<D: Decision>(policy: &dyn Policy, question: &D) -> Result<D::Output, PolicyFault> {
    let input = serde_json::to_string(question)
        .map_err(|error| PolicyFault(format!("the question cannot be written: {error}")))?;
    read(&policy.decide(D::ENTRY, &input)?)
}

/// Reads an output of the engine as the type of its entry.
pub fn read<O: Output>(output: &str) -> Result<O, PolicyFault> {
    let shape = |what: String| PolicyFault(format!("the decision has another shape: {what}"));
    let output: O = serde_json::from_str(output).map_err(|error| shape(error.to_string()))?;
    output.sound().map_err(shape)?;
    Ok(output)
}
