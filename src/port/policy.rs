//! The policy engine, asked with typed input, answering with typed output.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{
    access::{Answer, Entitlement, TargetKind},
    identity::HeldGroup,
};

/// The engine failed. Never an allow: it becomes a 5xx.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy engine failed: {0}")]
pub struct PolicyFault(pub String);

/// Decision input, contract version 1 (policy.md §9). Every fact comes from a verified proof.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Question<'a> {
    /// Contract version.
    pub v: u8,
    /// Who.
    pub subject: Subject<'a>,
    /// Circumstances.
    pub context: Context<'a>,
    /// What is wanted.
    pub request: Wanted<'a>,
}

/// Who wants it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Subject<'a> {
    /// The tenant (the partner of policy.md).
    pub tenant: &'a str,
    /// The upstream; absent for a client that acts for itself.
    pub upstream: Option<&'a str>,
    /// The upstream's issuer.
    pub issuer: &'a str,
    /// The stable `sub`.
    pub id: &'a str,
    /// The name at targets.
    pub username: &'a str,
    /// Groups, each with the mapping rule that gave it.
    pub groups: &'a [HeldGroup],
    /// Authentication context class.
    pub acr: Option<&'a str>,
    /// Authentication methods.
    pub amr: &'a [String],
    /// When they proved it, seconds since the epoch.
    pub authenticated_at: i64,
    /// Whether it is a client that acts for itself.
    pub client: bool,
}

/// Circumstances of the request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Context<'a> {
    /// Now, seconds since the epoch. Decisions can be replayed.
    pub time_s: i64,
    /// The caller's address, if known.
    pub client_ip: Option<&'a str>,
    /// The request's reference.
    pub reference: &'a str,
}

/// What is wanted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Wanted<'a> {
    /// The target's name.
    pub target: &'a str,
    /// What kind of place it is.
    pub kind: TargetKind,
    /// The relying party that asks, where one does.
    pub client: Option<&'a str>,
    /// The entitlements asked for; absent for "everything".
    pub only: Option<Vec<&'a Entitlement>>,
}

/// Decides. Synchronous: a decision is a bounded computation of microseconds, without I/O.
pub trait Policy: Send + Sync {
    /// Asks the entry point for access (`data.federation.access.decision`).
    fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault>;
    /// The revision that answers now; changes with every swap.
    fn revision(&self) -> String;
}
