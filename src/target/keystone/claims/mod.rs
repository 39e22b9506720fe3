//! An OpenStack Keystone behind its own Apache with mod_auth_openidc, as kolla-ansible and OSISM install it
//! ("claims mode"). This gateway is its OpenID provider and no more: Apache checks our tokens and tells Keystone.
//!
//! Apache looks at signature and issuer of a bearer token, and at its audience only where told to. So tokens for
//! this target have an issuer of their own (`<gateway>/keystone`) and keys that sign nothing else: a token for any
//! other place is not even signed rightly here, whatever Apache forgets.
//!
//! Start at [`Claims`]; `person.rs` says what Keystone is told, [`kolla`] what an operator gets to install.

mod config;
pub mod kolla;
mod person;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    client::GrantType,
    credential::{Credential, MintedToken},
    fault::{Code, Fault},
    ids::TenantId,
    tenant::Tenant,
    time::Timestamp,
};
use crate::port::{
    entropy::Entropy,
    signer::{Signer, TokenType},
    target::{GroupPrefix, IdTokenFacts, Issuer, Target, TargetFacts, TokenFacts, TokenMint, Ways},
};
use crate::target::{
    Wiring, home_domain, meant_for,
    own::{ACCESS_TOKEN, ID_TOKEN, at_hash, end, sign},
};
use crate::wire::oidc::Discovery;

pub use config::Config;
use person::Person;

/// Apache takes header lines of 8190 bytes (`LimitRequestFieldSize`), and `Authorization: Bearer ` is one.
const LONGEST_TOKEN: usize = 8 * 1024 - 64;

/// A Keystone behind its own Apache.
pub struct Claims {
    facts: TargetFacts,
    config: Config,
    gateway: String,
    issuer: String,
    signer: Arc<dyn Signer>,
    entropy: Arc<dyn Entropy>,
    tenants: Arc<BTreeMap<TenantId, Tenant>>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Claims")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// What every token of ours says (RFC 7519 §4.1, OIDC Core §2).
#[derive(Serialize)]
struct Document<'a, More: Serialize> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(flatten)]
    person: Person<'a>,
    #[serde(flatten)]
    more: More,
}

/// What only access tokens say (RFC 9068 §2.2).
#[derive(Serialize)]
struct OfAccess<'a> {
    nbf: i64,
    client_id: &'a str,
    scope: &'a str,
}

/// What only ID tokens say (OIDC Core §2).
#[derive(Serialize)]
struct OfId<'a> {
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
}

/// What both kinds of tokens are made with.
struct Frame<'a> {
    typ: TokenType,
    audience: &'a str,
    sid: Option<&'a str>,
    lifetime: Duration,
    algorithm: crate::domain::key::Algorithm,
}

impl Claims {
    /// A Keystone as configured; its keys must have been opened.
    pub fn new(config: Config, wiring: &Wiring) -> Result<Self, String> {
        let issuer = config.issuer(&wiring.issuer);
        let signer = wiring
            .signer
            .of_issuer(&issuer)
            .ok_or_else(|| format!("there are no keys of the issuer '{issuer}'"))?;
        Ok(Self {
            facts: TargetFacts {
                id: config.id.clone(),
                name: config.name.clone(),
                kind: TargetKind::Keystone,
                audience: config.audience.clone(),
                ceilings: Ceilings {
                    lifetime: Duration::from_secs(config.lifetime_s),
                },
                group_prefix: GroupPrefix(String::new()),
            },
            config,
            gateway: wiring.issuer.clone(),
            issuer,
            signer,
            entropy: Arc::clone(&wiring.entropy),
            tenants: Arc::clone(&wiring.tenants),
        })
    }

    fn person<'a>(&'a self, permit: &'a Permit) -> Result<Person<'a>, Fault> {
        meant_for(permit, &self.facts)?;
        Person::of(permit, &self.config, home_domain(&self.tenants, permit)?)
    }

    fn token<More: Serialize>(
        &self,
        permit: &Permit,
        frame: &Frame<'_>,
        more: More,
    ) -> Result<(String, String, Timestamp), Fault> {
        let (id, expires) = (self.entropy.token(), end(permit, frame.lifetime)?);
        let document = Document {
            iss: &self.issuer,
            sub: permit.identity().key(),
            aud: frame.audience,
            exp: expires.0,
            iat: permit.issued().0,
            jti: &id,
            tenant: permit.identity().tenant().as_str(),
            sid: frame.sid,
            person: self.person(permit)?,
            more,
        };
        let token = sign(&*self.signer, frame.algorithm, frame.typ, &document)?;
        if token.len() > LONGEST_TOKEN {
            return Err(Fault::new(
                Code::TargetRefused,
                format!(
                    "the token for '{}' would be {} bytes; Apache takes 8 KiB. Narrow the access rules or the groups of \
                     this target, or set projects_json: false",
                    self.facts.id,
                    token.len()
                ),
            ));
        }
        Ok((token, id, expires))
    }
}

impl TokenMint for Claims {
    fn access_token(&self, permit: &Permit, facts: &TokenFacts) -> Result<MintedToken, Fault> {
        let frame = Frame {
            typ: TokenType::Access,
            audience: permit.audience(),
            sid: facts.sid.as_deref(),
            lifetime: facts.lifetime,
            algorithm: facts.algorithm,
        };
        let more = OfAccess {
            nbf: permit.issued().0,
            client_id: facts.client.as_str(),
            scope: &facts.scope,
        };
        let (token, id, expires) = self.token(permit, &frame, more)?;
        Ok(MintedToken {
            token,
            token_type: ACCESS_TOKEN,
            id,
            expires,
        })
    }

    fn id_token(&self, permit: &Permit, facts: &IdTokenFacts) -> Result<MintedToken, Fault> {
        let frame = Frame {
            typ: TokenType::Id,
            audience: facts.client.as_str(),
            sid: facts.sid.as_deref(),
            lifetime: facts.lifetime,
            algorithm: facts.algorithm,
        };
        let assurance = permit.identity().assurance();
        let more = OfId {
            auth_time: facts.auth_time.0,
            nonce: facts.nonce.as_deref(),
            acr: assurance.acr.as_deref(),
            amr: &assurance.amr,
            at_hash: facts.access_token.as_deref().map(at_hash),
        };
        let (token, id, expires) = self.token(permit, &frame, more)?;
        Ok(MintedToken {
            token,
            token_type: ID_TOKEN,
            id,
            expires,
        })
    }
}

impl Issuer for Claims {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn metadata(&self) -> Vec<u8> {
        // A struct of strings and lists always has a JSON form.
        serde_json::to_vec(&metadata(&self.gateway, &self.issuer)).unwrap_or_default()
    }

    fn jwks(&self) -> Arc<Bytes> {
        self.signer.jwks()
    }

    fn check(&self, permit: &Permit) -> Result<(), Fault> {
        self.person(permit).map(|_| ())
    }
}

#[async_trait]
impl Target for Claims {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    async fn mint(&self, _: &Permit) -> Result<Credential, Fault> {
        Err(Fault::new(
            Code::Internal,
            "Keystone's own token comes from Keystone, behind its Apache: there is nothing to be minted at it",
        ))
    }

    fn ways(&self) -> Ways<'_> {
        Ways {
            issuer: Some(self),
            ..Ways::default()
        }
    }
}

/// The metadata of an issuer below the gateway's: its own keys, the gateway's doors. No userinfo: all that Keystone
/// is told stands in the tokens, as with a bearer token there is nothing else.
#[must_use]
pub fn metadata(gateway: &str, issuer: &str) -> Discovery {
    let at = |path: &str| Some(format!("{gateway}{path}"));
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let methods = list(&["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let grants = GrantType::ALL
        .into_iter()
        .filter(|grant| !matches!(grant, GrantType::Password | GrantType::JwtBearer));
    Discovery {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth2/authorize"),
        token_endpoint: at("/oauth2/token"),
        jwks_uri: Some(format!("{issuer}/jwks")),
        device_authorization_endpoint: at("/oauth2/device"),
        end_session_endpoint: at("/oauth2/logout"),
        scopes_supported: list(&["openid", "profile", "email", "groups", "offline_access"]),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&["query"]),
        grant_types_supported: grants.map(|grant| grant.as_str().to_owned()).collect(),
        subject_types_supported: list(&["public"]),
        id_token_signing_alg_values_supported: list(&["ES256", "RS256"]),
        token_endpoint_auth_methods_supported: [methods, list(&["none"])].concat(),
        code_challenge_methods_supported: list(&["S256"]),
        authorization_response_iss_parameter_supported: true,
        ..Discovery::default()
    }
}
