//! What policy is asked with, contract version 1. Every fact comes from a verified proof or from configuration;
//! tokens and secrets are never part of a question.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Decision, Entry, ReviewAnswer, Verdict};
use crate::domain::{
    access::{Answer, Entitlement, TargetKind},
    assertion::Verified,
    identity::{HeldGroup, Identity},
    mapping::Refinement,
};

/// The version of the contract that these types are.
pub const VERSION: u8 = 1;

/// Decision input, contract version 1. Every fact comes from a verified proof.
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
    /// What the mapping policy kept of the claims, by name.
    pub extras: &'a BTreeMap<String, Vec<String>>,
    /// Authentication context class.
    pub acr: Option<&'a str>,
    /// Authentication methods.
    pub amr: &'a [String],
    /// When they proved it, seconds since the epoch.
    pub authenticated_at: i64,
    /// Whether it is a client that acts for itself.
    pub client: bool,
}

impl<'a> Subject<'a> {
    /// An identity as policy sees it.
    #[must_use]
    pub fn of(identity: &'a Identity) -> Self {
        Self {
            tenant: identity.tenant().as_str(),
            upstream: identity.upstream().map(|upstream| upstream.as_str()),
            issuer: identity.issuer(),
            id: identity.key(),
            username: identity.username(),
            groups: identity.groups(),
            extras: identity.extras(),
            acr: identity.assurance().acr.as_deref(),
            amr: &identity.assurance().amr,
            authenticated_at: identity.assurance().authenticated_at.0,
            client: identity.upstream().is_none(),
        }
    }
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

impl Decision for Question<'_> {
    const ENTRY: Entry = Entry::Access;
    type Output = Answer;
}

/// A sign-in that wants a session: the question of access to `gateway`, and what its upstream said.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LoginQuestion<'a> {
    /// The question of access to the target `gateway`.
    #[serde(flatten)]
    pub access: Question<'a>,
    /// What the upstream said.
    pub login: ClaimFacts<'a>,
}

/// What an upstream said, its proof verified.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClaimFacts<'a> {
    /// The subject, as the upstream names it.
    pub subject: &'a str,
    /// The e-mail address, if there is one. Never a key.
    pub email: Option<&'a str>,
    /// Whether the upstream vouches for the address.
    pub email_verified: bool,
    /// All claims.
    pub claims: &'a Map<String, Value>,
}

impl<'a> ClaimFacts<'a> {
    /// What an upstream said, as policy sees it.
    #[must_use]
    pub fn of(identity: &'a Identity, facts: &'a Verified) -> Self {
        Self {
            subject: &facts.subject,
            email: identity.email(),
            email_verified: identity.email_verified(),
            claims: &facts.claims,
        }
    }
}

impl Decision for LoginQuestion<'_> {
    const ENTRY: Entry = Entry::Login;
    type Output = Answer;
}

/// From claims to groups and extras. It holds no time and no address, so the same proof gets the same answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MappingQuestion<'a> {
    /// Contract version.
    pub v: u8,
    /// Whom the mapping rules of the upstream made of the claims.
    pub subject: Subject<'a>,
    /// What the upstream said.
    pub login: ClaimFacts<'a>,
}

impl Decision for MappingQuestion<'_> {
    const ENTRY: Entry = Entry::Mapping;
    type Output = Refinement;
}

/// A token exchange (RFC 8693): the question of access to a target, and the token that is brought.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExchangeQuestion<'a> {
    /// The question of access to the target.
    #[serde(flatten)]
    pub access: Question<'a>,
    /// The exchange.
    pub exchange: ExchangeFacts<'a>,
}

/// What is exchanged for what.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ExchangeFacts<'a> {
    /// The audience wanted.
    pub audience: &'a str,
    /// The audiences that the asking client may exchange for; "*" for every target.
    pub client_audiences: &'a [String],
    /// The client that the subject token was issued to.
    pub token_client: &'a str,
    /// The audiences that client may exchange for.
    pub token_client_audiences: &'a [String],
    /// The subject token's audience.
    pub token_audience: &'a str,
    /// This gateway's issuer: the only audience a subject token may have.
    pub issuer: &'a str,
    /// The scopes wanted.
    pub scopes: Vec<&'a str>,
}

impl Decision for ExchangeQuestion<'_> {
    const ENTRY: Entry = Entry::Exchange;
    type Output = Answer;
}

/// Whether a client may know about a token of ours that is good now.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct IntrospectionQuestion<'a> {
    /// Contract version.
    pub v: u8,
    /// Who asks.
    pub client: AskingClient<'a>,
    /// What the token says.
    pub token: TokenSeen<'a>,
    /// Now, seconds since the epoch.
    pub time_s: i64,
}

/// The client that asks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AskingClient<'a> {
    /// Its id.
    pub id: &'a str,
    /// The audiences its tokens may have.
    pub audiences: &'a [String],
}

/// What policy sees of a token: never the token.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TokenSeen<'a> {
    /// The client it was issued to.
    pub client_id: &'a str,
    /// Its one audience.
    pub audience: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// The tenant of its subject.
    pub tenant: Option<&'a str>,
    /// Its scopes.
    pub scopes: Vec<&'a str>,
}

impl Decision for IntrospectionQuestion<'_> {
    const ENTRY: Entry = Entry::Introspection;
    type Output = Verdict;
}

/// A request at the operators' interface, whose sender has proved to be one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AdminQuestion<'a> {
    /// Contract version.
    pub v: u8,
    /// Who: `administrator`, after the token was checked.
    pub identity: &'a str,
    /// The HTTP method, in upper case.
    pub method: &'a str,
    /// The path's parts: `/admin/v1/keys/rotate` is `["admin", "v1", "keys", "rotate"]`.
    pub path: Vec<&'a str>,
    /// Circumstances.
    pub context: Context<'a>,
}

impl Decision for AdminQuestion<'_> {
    const ENTRY: Entry = Entry::Admin;
    type Output = Verdict;
}

/// A cluster asks whether somebody may do something.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewQuestion<'a> {
    /// Contract version.
    pub v: u8,
    /// The target's id.
    pub cluster: &'a str,
    /// What is put before every group of a tenant there: `<prefix><tenant>:<group>`.
    pub prefix: &'a str,
    /// The review's `spec`.
    pub review: &'a ReviewSpec,
    /// Circumstances.
    pub context: Context<'a>,
}

impl Decision for ReviewQuestion<'_> {
    const ENTRY: Entry = Entry::Kubernetes;
    type Output = ReviewAnswer;
}

/// `spec` of a SubjectAccessReview (authorization.k8s.io/v1; `group` of v1beta1 is read as `groups`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ReviewSpec {
    /// The user.
    pub user: String,
    /// The user's groups.
    #[serde(alias = "group")]
    pub groups: Vec<String>,
    /// The user's uid.
    pub uid: String,
    /// More about the user.
    pub extra: BTreeMap<String, Vec<String>>,
    /// A resource and what is done to it.
    pub resource_attributes: Option<Resource>,
    /// A path that is no resource.
    pub non_resource_attributes: Option<NonResource>,
}

/// `resourceAttributes`. Empty members are left out by the API server: the core group is the empty group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// Empty for cluster-wide resources and for lists over all namespaces.
    pub namespace: String,
    /// What is done.
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The resource, in plural.
    pub resource: String,
    /// The subresource (`log`, `exec`).
    pub subresource: String,
    /// One object; empty for all.
    pub name: String,
}

/// `nonResourceAttributes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NonResource {
    /// The path.
    pub path: String,
    /// What is done.
    pub verb: String,
}

/// What `oslo.policy.opa` sends for a rule: `input` of `SERVICE/RULE/allow`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OpenStackQuestion {
    /// The object that is acted on, as the service describes it.
    pub target: Map<String, Value>,
    /// Who acts, from the Keystone token.
    pub credentials: OpenStackCredentials,
}

/// Who acts in OpenStack.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OpenStackCredentials {
    /// Names of the roles on the token's scope.
    pub roles: Vec<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// The project of the token.
    pub project_id: Option<String>,
    /// The domain of the token, where it is scoped to one.
    pub domain_id: Option<String>,
    /// The domain of the user.
    pub user_domain_id: Option<String>,
    /// `all` for system scope.
    pub system_scope: Option<String>,
}
