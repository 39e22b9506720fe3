//! Access tokens that come back to us: verified for one audience, and tied to the session they hang on.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{
    access::{Asked, Permit},
    audit::What,
    client::ClientSettings,
    credential::{Credential, KeystoneToken},
    fault::{Code, Fault},
    identity::Identity,
    ids::{ClientId, TargetId},
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    records::Revocations,
    signer::{Signer, TokenType},
    target::{BearerToKeystone, Bound, CallerFacts, Target, TargetFacts},
};

use super::{
    Caller,
    admit::Door,
    directory::{Directory, Goal},
    endings::Ender,
    session::{Live, SessionDesk},
};

/// Checks access tokens of this gateway.
pub struct Bearer {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The pipeline.
    pub door: Arc<Door>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// Tokens ended before their time.
    pub revocations: Arc<dyn Revocations>,
    /// Our keys.
    pub signer: Arc<dyn Signer>,
    /// Ends tokens that would outlive their permit.
    pub ender: Arc<Ender>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Bearer")
    }
}

/// Claims of an access token that we signed (RFC 9068 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Us.
    pub iss: String,
    /// The stable subject.
    pub sub: String,
    /// The one audience.
    pub aud: String,
    /// End.
    pub exp: i64,
    /// Begin.
    pub iat: i64,
    /// Its handle.
    pub jti: String,
    /// To whom it was issued.
    pub client_id: ClientId,
    /// Granted scopes.
    #[serde(default)]
    pub scope: String,
    /// The session it hangs on; none for a client that acts for itself.
    #[serde(default)]
    pub sid: Option<String>,
    /// The tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// What the person is called.
    #[serde(default)]
    pub preferred_username: Option<String>,
    /// Groups, with the tenant's prefix.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Claims {
    /// Whether a scope was granted.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|one| one == scope)
    }
}

impl Bearer {
    /// The claims of a token of ours that is good now, whatever its audience: signature, type, end, not revoked.
    pub async fn claims(&self, token: &str) -> Result<Claims, Fault> {
        let claims = self.signer.verify(TokenType::Access, token, self.clock.now())?;
        let claims: Claims = serde_json::from_value(Value::Object(claims))
            .map_err(|error| Fault::new(Code::TokenInvalid, format!("claims of another shape: {error}")))?;
        if self.directory.client(&claims.client_id).is_none() {
            return Err(Fault::new(
                Code::TokenInvalid,
                "its client is not configured any more",
            ));
        }
        if self.revocations.is_revoked(&claims.jti).await? {
            return Err(Fault::new(Code::TokenInvalid, "the token was revoked"));
        }
        Ok(claims)
    }

    /// As `claims`, for one audience, compared as exact strings.
    pub async fn for_audience(&self, token: &str, audience: &str) -> Result<Claims, Fault> {
        let claims = self.claims(token).await?;
        if claims.aud == audience {
            Ok(claims)
        } else {
            Err(Fault::new(
                Code::AudienceMismatch,
                format!("a token for '{}' at '{audience}'", claims.aud),
            ))
        }
    }

    /// A token of a person whose session lives.
    pub async fn verify(&self, token: &str, audience: &str) -> Result<(Live, Claims), Fault> {
        let claims = self.for_audience(token, audience).await?;
        let live = self.live(&claims).await?;
        Ok((live, claims))
    }

    /// The session of a token.
    pub async fn live(&self, claims: &Claims) -> Result<Live, Fault> {
        let sid = claims
            .sid
            .as_deref()
            .ok_or_else(|| Fault::new(Code::TokenInvalid, "the token belongs to no person's session"))?;
        let live = self.desk.by_sid(sid).await?;
        if live.identity.key() == claims.sub {
            Ok(live)
        } else {
            // A changed mapping made another person of this proof: the old token is nobody's.
            Err(Fault::new(
                Code::TokenInvalid,
                "the token's subject is not the session's",
            ))
        }
    }

    /// Keystone's token lives as long as Keystone says. What is longer than permitted is ended by us.
    async fn limit(
        &self,
        permit: &Permit,
        client: Option<&ClientId>,
        made: &mut KeystoneToken,
    ) -> Result<(), Fault> {
        let gone = made
            .expires
            .ok_or_else(|| Fault::new(Code::TargetRefused, "Keystone does not say when its token ends"))?;
        made.ends = self.ender.with(permit, client, &made.token, gone).await?;
        Ok(())
    }

    /// What somebody gets at a target, no longer than `ends`: asks policy and mints there.
    pub(super) async fn enter(
        &self,
        (identity, ends): (&Identity, Timestamp),
        target: &TargetId,
        client: Option<&ClientId>,
        caller: &Caller,
    ) -> Result<Credential, Fault> {
        let target = self.target(target)?;
        let facts = target.facts();
        let now = self.clock.now();
        let goal = goal_of(facts, now, ends);
        let permit = self
            .door
            .permit(identity, &goal, Asked::Everything, (client, caller))
            .await?;
        let mut credential = target.mint(&permit).await?;
        if let Credential::Keystone(made) = &mut credential {
            self.limit(&permit, client, made).await?;
        }
        let what = What::CredentialMinted {
            target: facts.id.clone(),
            audience: facts.audience.clone(),
            rules: permit.grants().iter().map(|grant| grant.rule.clone()).collect(),
        };
        self.audit.record(caller.event(now, Some(identity), what)).await?;
        Ok(credential)
    }

    fn target(&self, id: &TargetId) -> Result<&Arc<dyn Target>, Fault> {
        self.directory
            .target(id)
            .ok_or_else(|| Fault::new(Code::NotFound, format!("no target '{id}'")))
    }

    /// Who a token speaks for, and until when.
    async fn holder(&self, claims: &Claims) -> Result<(Identity, Timestamp), Fault> {
        if claims.sid.is_some() {
            let live = self.live(claims).await?;
            return Ok((live.identity, live.session.ends));
        }
        self.own_holder(claims, self.clock.now())
    }

    /// The client that a token without a session speaks for.
    pub(super) fn own_holder(&self, claims: &Claims, now: Timestamp) -> Result<(Identity, Timestamp), Fault> {
        let client = self
            .directory
            .client(&claims.client_id)
            .ok_or_else(|| Fault::new(Code::TokenInvalid, "its client is not configured any more"))?;
        let ends = Timestamp(claims.exp);
        Ok((own_identity(client, self.directory.issuer(), now, ends)?, ends))
    }
}

/// A client as an identity: it acts on behalf of its tenant.
pub(super) fn own_identity(
    client: &ClientSettings,
    issuer: &str,
    now: Timestamp,
    not_after: Timestamp,
) -> Result<Identity, Fault> {
    let tenant = client
        .tenant
        .as_ref()
        .ok_or_else(|| Fault::new(Code::NoAccess, format!("client '{}' has no tenant", client.id)))?;
    Ok(Identity::of_client(&client.id, tenant, issuer, now, not_after))
}

/// The goal of a target, ending no later than `ends`.
pub(super) fn goal_of(facts: &TargetFacts, now: Timestamp, ends: Timestamp) -> Goal {
    Goal {
        ceiling: facts.ceilings.lifetime.min(now.until(ends)),
        ..Goal::at(facts)
    }
}

#[async_trait]
impl BearerToKeystone for Bearer {
    async fn exchange(
        &self,
        bearer: &str,
        target: &TargetId,
        caller: &CallerFacts,
    ) -> Result<Credential, Fault> {
        let facts = self.target(target)?.facts();
        let claims = self.for_audience(bearer, &facts.audience).await?;
        let (identity, ends) = self.holder(&claims).await?;
        let caller = Caller::from(caller);
        self.enter((&identity, ends), target, Some(&claims.client_id), &caller)
            .await
    }

    async fn bound(&self, from: &[String]) -> Result<Option<Bound>, Fault> {
        self.ender.bound(from).await
    }

    async fn bind(&self, token: &str, bound: &Bound) -> Result<(), Fault> {
        self.ender.limit(token, bound).await
    }
}
