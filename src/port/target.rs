//! Where people are let in.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::departures::Holder;
use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    credential::{Credential, MintedToken},
    fault::Fault,
    ids::{ClientId, Reference, TargetId, TenantId},
    key::Algorithm,
    lack::Lack,
    time::Timestamp,
};

/// A target.
#[async_trait]
pub trait Target: Send + Sync {
    /// Its name, kind and limits.
    fn facts(&self) -> &TargetFacts;
    /// Makes the credential. Nothing is made without a permit, and nothing lives longer than it.
    async fn mint(&self, permit: &Permit) -> Result<Credential, Fault>;
    /// Whether the far side answers; none where there is no far side to ask.
    async fn health(&self) -> Option<Result<(), String>> {
        None
    }
    /// What it can do beside minting.
    fn ways(&self) -> Ways<'_> {
        Ways::default()
    }
}

/// What a target can do beside minting.
#[derive(Clone, Copy, Default)]
pub struct Ways<'a> {
    /// Signing in for dashboards.
    pub dashboards: Option<&'a dyn Dashboards>,
    /// Its services ask us about tokens.
    pub service: Option<&'a dyn Service>,
    /// What it lacks can be looked up.
    pub looks: Option<&'a dyn Looks>,
    /// Tokens for it have an issuer of their own.
    pub issuer: Option<&'a dyn Issuer>,
}

impl std::fmt::Debug for Ways<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ways")
    }
}

/// A target that can be looked into: what it lacks of what a permit gives.
#[async_trait]
pub trait Looks: Send + Sync {
    /// Answers within seconds, whatever the far side does; what was read counts for a while. The error says why nobody
    /// knows.
    async fn lacks(&self, permit: &Permit) -> Result<Vec<Lack>, String>;
}

/// A target whose tokens have an issuer of their own, with keys that sign nothing else: for far sides that look at
/// signature and issuer alone. It mints them itself.
pub trait Issuer: TokenMint {
    /// The issuer: the gateway's own with a path after it.
    fn issuer(&self) -> &str;
    /// Its metadata (OIDC Discovery §3).
    fn metadata(&self) -> Vec<u8>;
    /// Its keys.
    fn jwks(&self) -> Arc<Bytes>;
    /// Whether a token of this permit would let somebody in at the far side: a person is better refused here, where
    /// the reason can be said.
    fn check(&self, permit: &Permit) -> Result<(), Fault>;
}

/// A target that asks us about tokens (RFC 7662) and wants to hear of projects and roles.
pub trait Service: Send + Sync {
    /// What it is told about a token of that scope, whose holder has this permit now.
    fn told(&self, permit: &Permit, scope: &str) -> Result<AtService, Fault>;
}

/// A token's holder at a service: one project with the roles on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtService {
    /// What the person is called.
    pub username: String,
    /// Their domain.
    pub user_domain: Place,
    /// The project.
    pub project: Place,
    /// The project's domain.
    pub project_domain: Place,
    /// The roles, sorted, each once.
    pub roles: Vec<String>,
}

/// A domain or a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id, as services keep it.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A target that dashboards use: browsers bring them a token in a form.
#[async_trait]
pub trait Dashboards: Send + Sync {
    /// The page that takes a token to `origin`, which has been checked before.
    async fn enter(&self, permit: &Permit, origin: &str) -> Result<Entry, Fault>;
    /// Ends a token with everything that was made from it. One that has ended already is fine.
    async fn revoke(&self, token: &str) -> Result<(), Fault>;
}

/// What a browser takes to a dashboard.
#[derive(Clone)]
pub struct Entry {
    /// The target's own HTML page.
    pub page: Vec<u8>,
    /// The token in it, for ending it.
    pub token: String,
    /// When the target ends it.
    pub expires: Timestamp,
}

// It holds a bearer secret: `{:?}` must not print it.
impl std::fmt::Debug for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Entry")
    }
}

/// What is fixed about a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// Its name.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// What kind of place it is.
    pub kind: TargetKind,
    /// The one audience of tokens for it.
    pub audience: String,
    /// What no policy can widen.
    pub ceilings: Ceilings,
    /// The group names that a credential shows for a tenant: the target's own prefix rule.
    pub group_prefix: GroupPrefix,
}

/// How group names are kept apart between tenants at a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPrefix(pub String);

impl GroupPrefix {
    /// `<prefix><tenant>:<group>`: a tenant can never name another tenant's group, or a bare one.
    #[must_use]
    pub fn apply(&self, tenant: &TenantId, group: &str) -> String {
        format!("{}{tenant}:{group}", self.0)
    }
}

/// Makes the tokens of our own OpenID provider. Its audience is the permit's, and no token outlives the permit.
pub trait TokenMint: Send + Sync {
    /// An access token (RFC 9068, `typ: at+jwt`) for the permit's audience.
    fn access_token(&self, permit: &Permit, facts: &TokenFacts) -> Result<MintedToken, Fault>;
    /// An ID token (OIDC Core §2); its audience is the client, whatever the permit's is.
    fn id_token(&self, permit: &Permit, facts: &IdTokenFacts) -> Result<MintedToken, Fault>;
}

/// What an access token says that the permit does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// The client it is issued to (`client_id`).
    pub client: ClientId,
    /// Granted scopes, space separated. They also decide which claims are released.
    pub scope: String,
    /// Public name of the session it hangs on; none for a client that acts for itself.
    pub sid: Option<String>,
    /// The client's signature algorithm.
    pub algorithm: Algorithm,
    /// Longest life; the permit's end may come sooner.
    pub lifetime: Duration,
}

/// What an ID token says that the permit does not know.
#[derive(Clone, PartialEq, Eq)]
pub struct IdTokenFacts {
    /// The client it is for: the audience.
    pub client: ClientId,
    /// Granted scopes, space separated: they decide which claims are released.
    pub scope: String,
    /// The authorization request's `nonce`, unchanged.
    pub nonce: Option<String>,
    /// Public name of the session it hangs on, for logout.
    pub sid: Option<String>,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// The client's signature algorithm.
    pub algorithm: Algorithm,
    /// Longest life; the permit's end may come sooner.
    pub lifetime: Duration,
    /// The access token issued beside it, for `at_hash` (OIDC Core §3.1.3.6).
    pub access_token: Option<String>,
}

// It holds an access token, which is a bearer secret: `{:?}` must not print it.
impl std::fmt::Debug for IdTokenFacts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("IdTokenFacts")
            .field("client", &self.client)
            .field("scope", &self.scope)
            .field("sid", &self.sid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// From where a request came, for the audit trail and the policy's context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerFacts {
    /// The request's reference.
    pub reference: Reference,
    /// The caller's address, if known.
    pub address: Option<String>,
}

/// The one call of the Keystone front: a bearer token in, Keystone's own answer out.
#[async_trait]
pub trait BearerToKeystone: Send + Sync {
    /// Verifies the token, asks policy for that target and mints there. A token that is not good for this
    /// target is `TokenInvalid` or `AudienceMismatch`; a refusal by policy is `NoAccess` with its reasons.
    async fn exchange(
        &self,
        bearer: &str,
        target: &TargetId,
        caller: &CallerFacts,
    ) -> Result<Credential, Fault>;
    /// When a token must end that is made of these, in whatever spelling, and whose it is; none if none of them was
    /// given here. Asked before it is made: afterwards one of them may have ended and be forgotten.
    async fn bound(&self, _from: &[String]) -> Result<Option<Bound>, Fault> {
        Ok(None)
    }
    /// Sees to it that a token ends in time. If that cannot be promised, the token must not be handed out.
    async fn bind(&self, _token: &str, _bound: &Bound) -> Result<(), Fault> {
        Ok(())
    }
}

/// When a target's token must end, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Where the token is good.
    pub target: TargetId,
    /// It must not be good after this.
    pub ends: Timestamp,
    /// The target ends it then.
    pub gone: Timestamp,
    /// Whose it is, and whose every token will be that is made of it.
    pub holder: Option<Holder>,
}

impl Bound {
    /// Whether the target would end it later than it must.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.ends < self.gone
    }
}
