//! From what policy answered to what is permitted. `decide` only narrows.
//!
//! A mistake in a Rego file can allow what was asked. It can never allow more than was asked, never
//! more than the tenant's domains, never a reserved role, never longer than the proof lives.
//!
//! ```compile_fail,E0451
//! // Only `decide` makes a `Permit`: its fields are private.
//! use fedgate::domain::access::Permit;
//! fn forge(other: Permit) -> Permit {
//!     Permit { grants: Vec::new(), ..other }
//! }
//! ```

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    identity::Identity,
    ids::{TargetId, TenantId},
    tenant::Tenant,
    time::Timestamp,
};

/// One thing that may be had at a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entitlement {
    /// A role on a Keystone project.
    Project {
        /// Keystone domain of the project.
        domain: String,
        /// Project name.
        project: String,
        /// Role name.
        role: String,
    },
    /// A group at a Kubernetes cluster or relying party, without the tenant prefix the target adds.
    Group {
        /// Group name.
        group: String,
    },
    /// A sign-in and nothing more.
    Session,
}

/// An entitlement and the rule (by name) that gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What is given.
    pub entitlement: Entitlement,
    /// The access rule's name, for "why".
    pub rule: String,
}

/// What kind of place a target is; part of the decision input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// This gateway itself: a sign-in, My access, `fedctl`'s session.
    Gateway,
    /// A tool that signs its people in by OpenID Connect.
    RelyingParty,
    /// An OpenStack Keystone.
    Keystone,
    /// A Kubernetes cluster.
    Kubernetes,
}

/// Limits that no policy can widen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceilings {
    /// Longest life of what is minted.
    pub lifetime: Duration,
}

/// What is wanted, by whom, where.
#[derive(Debug, Clone)]
pub struct AccessRequest<'a> {
    /// Who wants it.
    pub identity: &'a Identity,
    /// Their tenant, from configuration: the issuer is confined to it.
    pub tenant: &'a Tenant,
    /// Where.
    pub target: TargetId,
    /// What kind of place that is.
    pub kind: TargetKind,
    /// The one audience a token from this permit is good for.
    pub audience: String,
    /// What is wanted: everything that is allowed, or these only.
    pub asked: Asked,
    /// The target's ceilings.
    pub ceilings: Ceilings,
    /// When.
    pub now: Timestamp,
}

/// How much is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All that policy allows at this target.
    Everything,
    /// No more than these.
    Only(BTreeSet<Entitlement>),
}

/// What the policy engine answered, parsed and of the right shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Whether anything at all is allowed.
    pub allow: bool,
    /// Codes of unmet requirements, sorted; empty when allowed.
    pub reasons: Vec<String>,
    /// What is allowed, with the access rule that allows it.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// The policy rule that spoke, by name (`federation/access`).
    pub rule: String,
    /// Shorter life than the target's ceiling, in seconds.
    #[serde(default)]
    pub lifetime_s: Option<u64>,
    /// Scopes whose claims are kept back (`email`, `profile`, `groups`): tokens neither carry nor show them.
    #[serde(default)]
    pub withhold: Vec<String>,
    /// Codes of what must be done beside it (`alert`): written to the audit trail, each time.
    #[serde(default)]
    pub obligations: Vec<String>,
}

/// Reasons that `decide` itself adds. Stable codes.
pub mod reason {
    /// The upstream tried to speak for another tenant's domain.
    pub const ISSUER_DOMAIN_MISMATCH: &str = "issuer_domain_mismatch";
    /// `admin`, `system:*` or system scope for an external identity.
    pub const RESERVED_ROLE: &str = "reserved_role";
    /// Nothing was left of what was asked.
    pub const NOTHING_GRANTED: &str = "nothing_granted";
    /// The proof has run out.
    pub const PROOF_EXPIRED: &str = "proof_expired";
    /// Policy answered with an entitlement that has no place at this kind of target.
    pub const WRONG_KIND: &str = "entitlement_of_wrong_kind";
    /// The token names a project that policy does not give, or two.
    pub const PROJECT_NOT_GIVEN: &str = "project_not_given";
    /// A token is for one project, policy gives several, and none was named.
    pub const PROJECT_NOT_CHOSEN: &str = "project_not_chosen";
    /// The far side makes its people members of one project, and policy gives none with that role.
    pub const NO_DEFAULT_PROJECT: &str = "no_default_project";
    /// The identity belongs to another tenant than the one named.
    pub const TENANT_MISMATCH: &str = "tenant_mismatch";
}

/// What policy allowed for one identity at one target, until when. Made by [`decide`] alone.
#[derive(Debug, Clone)]
pub struct Permit {
    identity: Identity,
    target: TargetId,
    audience: String,
    grants: Vec<Grant>,
    dropped: Vec<Dropped>,
    policy_rule: String,
    withheld: Vec<String>,
    obligations: Vec<String>,
    expires: Timestamp,
    issued: Timestamp,
}

/// Something policy allowed and a built-in rule took away again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// What was taken away.
    pub grant: Grant,
    /// The built-in rule that did it.
    pub reason: &'static str,
}

/// A refusal that says what was missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// Codes of what was missing, sorted, each once.
    pub reasons: Vec<String>,
    /// The policy rule that spoke.
    pub policy_rule: String,
    /// The tenant, so that the refusal can name whom to ask.
    pub tenant: TenantId,
}

impl Permit {
    /// For whom.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
    /// Where.
    #[must_use]
    pub fn target(&self) -> &TargetId {
        &self.target
    }
    /// The one audience of what is minted from it.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }
    /// What is permitted, sorted, with the access rules' names.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
    /// What a built-in rule took away.
    #[must_use]
    pub fn dropped(&self) -> &[Dropped] {
        &self.dropped
    }
    /// The policy rule that spoke.
    #[must_use]
    pub fn policy_rule(&self) -> &str {
        &self.policy_rule
    }
    /// Whether a token may show the claims of this scope.
    #[must_use]
    pub fn releases(&self, scope: &str) -> bool {
        !self.withheld.iter().any(|withheld| withheld == scope)
    }
    /// What policy demands beside it.
    #[must_use]
    pub fn obligations(&self) -> &[String] {
        &self.obligations
    }
    /// Nothing minted from it may live longer.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
    /// When it was decided.
    #[must_use]
    pub fn issued(&self) -> Timestamp {
        self.issued
    }
}

/// Narrows the answer to what was asked and to what is never negotiable.
///
/// roles = asked ∩ allowed − reserved − foreign domains; end = min(proof, policy, ceiling).
pub fn decide(request: &AccessRequest<'_>, answer: Answer) -> Result<Permit, Denial> {
    let denial = |reasons: Vec<String>| {
        let mut reasons = reasons;
        reasons.sort();
        reasons.dedup();
        Denial {
            reasons,
            policy_rule: answer.rule.clone(),
            tenant: request.identity.tenant().clone(),
        }
    };
    if request.identity.tenant() != &request.tenant.id {
        return Err(denial(vec![reason::TENANT_MISMATCH.into()]));
    }
    if !answer.allow {
        let mut reasons = answer.reasons.clone();
        if reasons.is_empty() {
            reasons.push(reason::NOTHING_GRANTED.into());
        }
        return Err(denial(reasons));
    }
    let policy_end = answer
        .lifetime_s
        .map_or(request.ceilings.lifetime, Duration::from_secs);
    let expires = request
        .identity
        .not_after()
        .min(request.now.plus(policy_end.min(request.ceilings.lifetime)));
    if expires <= request.now {
        return Err(denial(vec![reason::PROOF_EXPIRED.into()]));
    }
    let (mut grants, dropped) = narrow(request, answer.grants.clone());
    if grants.is_empty() && !matches!(request.kind, TargetKind::Gateway) {
        let mut reasons: Vec<String> = dropped.iter().map(|drop| drop.reason.to_owned()).collect();
        reasons.push(reason::NOTHING_GRANTED.into());
        return Err(denial(reasons));
    }
    grants.sort();
    grants.dedup();
    Ok(Permit {
        identity: request.identity.clone(),
        target: request.target.clone(),
        audience: request.audience.clone(),
        grants,
        dropped,
        policy_rule: answer.rule,
        withheld: answer.withhold,
        obligations: answer.obligations,
        expires,
        issued: request.now,
    })
}

fn narrow(request: &AccessRequest<'_>, allowed: Vec<Grant>) -> (Vec<Grant>, Vec<Dropped>) {
    let mut kept = Vec::with_capacity(allowed.len());
    let mut dropped = Vec::new();
    for grant in allowed {
        if let Asked::Only(asked) = &request.asked
            && !asked.contains(&grant.entitlement)
        {
            continue;
        }
        match refused(request, &grant.entitlement) {
            Some(reason) => dropped.push(Dropped { grant, reason }),
            None => kept.push(grant),
        }
    }
    (kept, dropped)
}

/// The built-in rules (users.md §6: rules 1, 2 and 24).
fn refused(request: &AccessRequest<'_>, entitlement: &Entitlement) -> Option<&'static str> {
    match (entitlement, request.kind) {
        (Entitlement::Project { domain, role, .. }, TargetKind::Keystone) => {
            if is_reserved_role(role) {
                Some(reason::RESERVED_ROLE)
            } else if request.tenant.domains.iter().any(|own| own == domain) {
                None
            } else {
                Some(reason::ISSUER_DOMAIN_MISMATCH)
            }
        }
        (
            Entitlement::Group { group },
            TargetKind::Kubernetes | TargetKind::RelyingParty | TargetKind::Gateway,
        ) => is_reserved(group).then_some(reason::RESERVED_ROLE),
        (Entitlement::Session, TargetKind::Gateway | TargetKind::RelyingParty) => None,
        (Entitlement::Project { .. } | Entitlement::Group { .. } | Entitlement::Session, _) => {
            Some(reason::WRONG_KIND)
        }
    }
}

/// Names that no external identity ever gets, in any spelling (Keystone compares roles without case).
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name == "admin"
        || name == "cluster-admin"
        || name == "system"
        || name.starts_with("system:")
        || name.is_empty()
}

/// As [`is_reserved`], for Keystone roles: Keystone on MySQL also finds `admin` by `ádmin`, because its
/// collation compares without accents. So a role name from outside is ASCII.
#[must_use]
pub fn is_reserved_role(name: &str) -> bool {
    !name.is_ascii() || is_reserved(name)
}
