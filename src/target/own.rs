//! The tokens of our own OpenID provider: access tokens (RFC 9068) and ID tokens (OIDC Core §2).
//!
//! Group names carry the tenant (`<tenant>:<group>`), so that a tool which knows several tenants cannot mistake
//! one's group for another's.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::domain::{
    access::{Entitlement, Permit},
    credential::MintedToken,
    fault::{Code, Fault},
    ids::TenantId,
    key::Algorithm,
    time::Timestamp,
};
use crate::port::{
    entropy::Entropy,
    signer::{Signer, TokenType},
    target::{GroupPrefix, IdTokenFacts, TokenFacts, TokenMint},
};

use super::Wiring;

/// RFC 8693 §3.
pub(super) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// RFC 8693 §3.
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Signs the tokens of this gateway.
pub struct OwnTokens {
    issuer: String,
    signer: Arc<dyn Signer>,
    entropy: Arc<dyn Entropy>,
    prefix: GroupPrefix,
}

impl std::fmt::Debug for OwnTokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OwnTokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Claims of an access token (RFC 9068 §2.2). Name and groups are in it whatever the scope: the services that
/// read access tokens have no other way to ask.
#[derive(Serialize)]
struct AccessClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: &'a str,
    client_id: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    groups: Vec<String>,
}

/// Claims of an ID token (OIDC Core §2, §5.1, §5.4).
#[derive(Serialize)]
struct IdClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    jti: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
}

impl OwnTokens {
    /// Takes issuer, keys and randomness from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self {
            issuer: wiring.issuer.clone(),
            signer: Arc::clone(&wiring.signer),
            entropy: Arc::clone(&wiring.entropy),
            prefix: GroupPrefix(String::new()),
        }
    }
}

impl TokenMint for OwnTokens {
    fn access_token(&self, permit: &Permit, facts: &TokenFacts) -> Result<MintedToken, Fault> {
        let identity = permit.identity();
        let (id, expires) = (self.entropy.token(), end(permit, facts.lifetime)?);
        let claims = AccessClaims {
            iss: &self.issuer,
            sub: identity.key(),
            aud: permit.audience(),
            exp: expires.0,
            iat: permit.issued().0,
            nbf: permit.issued().0,
            jti: &id,
            client_id: facts.client.as_str(),
            scope: &facts.scope,
            sid: facts.sid.as_deref(),
            tenant: identity.tenant().as_str(),
            preferred_username: permit.releases("profile").then_some(identity.username()),
            groups: if permit.releases("groups") {
                groups(permit, &self.prefix)
            } else {
                Vec::new()
            },
        };
        let token = sign(&*self.signer, facts.algorithm, TokenType::Access, &claims)?;
        Ok(MintedToken {
            token,
            token_type: ACCESS_TOKEN,
            id,
            expires,
        })
    }

    fn id_token(&self, permit: &Permit, facts: &IdTokenFacts) -> Result<MintedToken, Fault> {
        let identity = permit.identity();
        let (id, expires) = (self.entropy.token(), end(permit, facts.lifetime)?);
        let asked = |scope: &str| permit.releases(scope) && facts.scope.split(' ').any(|one| one == scope);
        let (profile, mail) = (asked("profile"), asked("email"));
        let email = identity.email().filter(|_| mail);
        let claims = IdClaims {
            iss: &self.issuer,
            sub: identity.key(),
            aud: facts.client.as_str(),
            exp: expires.0,
            iat: permit.issued().0,
            auth_time: facts.auth_time.0,
            jti: &id,
            tenant: identity.tenant().as_str(),
            nonce: facts.nonce.as_deref(),
            sid: facts.sid.as_deref(),
            acr: identity.assurance().acr.as_deref(),
            amr: &identity.assurance().amr,
            at_hash: facts.access_token.as_deref().map(at_hash),
            preferred_username: profile.then_some(identity.username()),
            name: identity.name().filter(|_| profile),
            email,
            email_verified: email.map(|_| identity.email_verified()),
            groups: asked("groups").then(|| groups(permit, &self.prefix)),
        };
        let token = sign(&*self.signer, facts.algorithm, TokenType::Id, &claims)?;
        Ok(MintedToken {
            token,
            token_type: ID_TOKEN,
            id,
            expires,
        })
    }
}

/// The permit's groups as a token shows them, sorted, each once. Never a null and never an empty name
/// (kubernetes.md §1: a null becomes a group of its own).
pub(super) fn groups(permit: &Permit, prefix: &GroupPrefix) -> Vec<String> {
    let tenant: &TenantId = permit.identity().tenant();
    let mut names: Vec<String> = permit
        .grants()
        .iter()
        .filter_map(|grant| match &grant.entitlement {
            Entitlement::Group { group } if !group.trim().is_empty() => Some(prefix.apply(tenant, group)),
            Entitlement::Group { .. } | Entitlement::Project { .. } | Entitlement::Session => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The sooner of the wanted end and the permit's.
pub(super) fn end(permit: &Permit, lifetime: Duration) -> Result<Timestamp, Fault> {
    let end = permit.issued().plus(lifetime).min(permit.expires());
    if end > permit.issued() {
        Ok(end)
    } else {
        Err(Fault::new(
            Code::Internal,
            "a token without a lifetime was asked for",
        ))
    }
}

/// Signs claims.
pub(super) fn sign(
    signer: &dyn Signer,
    algorithm: Algorithm,
    typ: TokenType,
    claims: &impl Serialize,
) -> Result<String, Fault> {
    let mut document = Vec::with_capacity(768);
    serde_json::to_writer(&mut document, claims)
        .map_err(|problem| Fault::new(Code::Internal, format!("claims are not JSON: {problem}")))?;
    signer
        .sign(algorithm, typ, &document)
        .map_err(|fault| Fault::new(Code::Internal, fault.to_string()))
}

/// OIDC Core §3.1.3.6: the left half of the hash that the signature algorithm uses. ES256 and RS256 both use SHA-256.
pub(super) fn at_hash(access_token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    let left: Vec<u8> = hash.as_ref().iter().take(16).copied().collect();
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_hash_is_that_of_the_specification() {
        // OpenID Connect Core 1.0, appendix A.3: access token and at_hash of the example.
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
