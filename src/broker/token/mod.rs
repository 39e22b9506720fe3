//! Grants of the token endpoint (RFC 6749 and extensions) as use-cases: one file for each grant.
//!
//! A grant proves, asks policy anew, mints. A missing input never turns one grant into another, and a
//! grant only narrows: scope, audience, lifetime. Start at [`TokenDesk`].

mod client_credentials;
pub mod code;
mod device;
pub mod exchange;
pub mod foreign;
mod inspect;
mod password;
mod refresh;
mod remembered;

use std::{sync::Arc, time::Duration};

use crate::domain::{
    access::{Asked, Permit},
    audit::What,
    client::{ClientSettings, GrantType},
    credential::MintedToken,
    fault::{Code, Fault},
    identity::Identity,
    oauth::{OAuthError, PROJECT_SCOPE, Refused},
    session::RefreshFamily,
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    entropy::Entropy,
    records::{RefreshFamilies, Revocations},
    signer::Sealer,
    target::{IdTokenFacts, TokenFacts, TokenMint, Ways},
    tickets::Tickets,
};

use super::{
    Caller,
    admit::Door,
    bearer::Bearer,
    directory::{Directory, Goal},
    recheck::Rechecks,
    session::{Live, SessionDesk},
};

pub use inspect::Known;
pub use remembered::Remembered;

/// RFC 8693 §3.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Issues tokens.
pub struct TokenDesk {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The pipeline.
    pub door: Arc<Door>,
    /// Sessions.
    pub desk: Arc<SessionDesk>,
    /// Our tokens, coming back.
    pub bearer: Arc<Bearer>,
    /// Refresh-token families.
    pub families: Arc<dyn RefreshFamilies>,
    /// Tokens ended before their time.
    pub revocations: Arc<dyn Revocations>,
    /// Answers to introspection, for some seconds.
    pub remembered: Remembered,
    /// Asks upstreams again.
    pub rechecks: Arc<Rechecks>,
    /// Codes and device codes.
    pub tickets: Arc<dyn Tickets>,
    /// Signs tokens.
    pub mint: Arc<dyn TokenMint>,
    /// Tags refresh tokens and device codes.
    pub sealer: Arc<dyn Sealer>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for TokenDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TokenDesk")
    }
}

/// What a grant gave.
#[derive(Clone)]
pub struct Issued {
    /// The access token; after an exchange the issued token, whatever its type.
    pub access_token: String,
    /// `Bearer`, or `N_A` where an exchanged token is no access token (RFC 8693 §2.2.1).
    pub token_type: &'static str,
    /// Only after an exchange.
    pub issued_token_type: Option<&'static str>,
    /// Seconds from now.
    pub expires_in: u64,
    /// Replaces the one that was sent.
    pub refresh_token: Option<String>,
    /// With `openid`.
    pub id_token: Option<String>,
    /// Granted scopes, space separated.
    pub scope: String,
}

// It holds bearer secrets: `{:?}` must not print them.
impl std::fmt::Debug for Issued {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Issued")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// What all tokens of one answer have in common.
struct Terms<'a> {
    client: &'a ClientSettings,
    scope: &'a str,
    sid: Option<&'a str>,
    nonce: Option<&'a str>,
}

impl TokenDesk {
    /// The goal of a client's tokens, ending no later than `ends`.
    fn goal(&self, client: &ClientSettings, audience: &str, ends: Timestamp) -> Result<Goal, Fault> {
        let mut goal = self.directory.goal(client, audience).ok_or_else(|| {
            Fault::new(
                Code::AudienceMismatch,
                format!("nothing here has the audience '{audience}'"),
            )
        })?;
        goal.ceiling = goal.ceiling.min(self.clock.now().until(ends));
        Ok(goal)
    }

    /// Asks policy for a person.
    async fn permit(
        &self,
        identity: &Identity,
        goal: &Goal,
        client: &ClientSettings,
        caller: &Caller,
    ) -> Result<Permit, Fault> {
        self.door
            .permit(identity, goal, Asked::Everything, (Some(&client.id), caller))
            .await
    }

    /// Whether a token of this permit and scope would be of use at its target; what that can do.
    fn useful(&self, permit: &Permit, scope: &str) -> Result<Ways<'_>, Fault> {
        let ways = self.ways(permit);
        if let Some(service) = ways.service {
            service.told(permit, scope)?;
        }
        if let Some(issuer) = ways.issuer {
            issuer.check(permit)?;
        }
        Ok(ways)
    }

    /// What a permit's target can do.
    fn ways(&self, permit: &Permit) -> Ways<'_> {
        let target = self.directory.target(permit.target());
        target.map_or_else(Ways::default, |target| target.ways())
    }

    /// Access token, and ID token with `openid` for a person.
    fn tokens(&self, permit: &Permit, terms: &Terms<'_>) -> Result<(Issued, MintedToken), Fault> {
        let ways = self.useful(permit, terms.scope)?;
        let lifetime = terms.client.token_lifetime();
        // What policy keeps back is in no scope of the token, so that userinfo shows nothing of it either.
        let released: Vec<&str> = words(terms.scope)
            .filter(|scope| permit.releases(scope))
            .collect();
        let terms = &Terms {
            scope: &released.join(" "),
            ..*terms
        };
        // Whoever looks at signature and issuer alone must not be able to take a token that is for somebody else.
        let mint = ways.issuer.map_or(&*self.mint as &dyn TokenMint, |issuer| issuer);
        let access = mint.access_token(
            permit,
            &TokenFacts {
                client: terms.client.id.clone(),
                scope: terms.scope.to_owned(),
                sid: terms.sid.map(str::to_owned),
                algorithm: terms.client.algorithm,
                lifetime,
            },
        )?;
        let id_token = if terms.sid.is_some() && has(terms.scope, "openid") {
            let facts = IdTokenFacts {
                client: terms.client.id.clone(),
                scope: terms.scope.to_owned(),
                nonce: terms.nonce.map(str::to_owned),
                sid: terms.sid.map(str::to_owned),
                auth_time: permit.identity().assurance().authenticated_at,
                algorithm: terms.client.algorithm,
                lifetime,
                access_token: Some(access.token.clone()),
            };
            Some(mint.id_token(permit, &facts)?.token)
        } else {
            None
        };
        let issued = Issued {
            access_token: access.token.clone(),
            token_type: "Bearer",
            issued_token_type: None,
            expires_in: permit.issued().until(access.expires).as_secs(),
            refresh_token: None,
            id_token,
            scope: terms.scope.to_owned(),
        };
        Ok((issued, access))
    }

    /// A new family for a client that may refresh. Its life ends with the session's.
    fn family(
        &self,
        live: &Live,
        client: &ClientSettings,
        scope: &str,
        audience: &str,
    ) -> Option<RefreshFamily> {
        client
            .grants
            .contains(&GrantType::RefreshToken)
            .then(|| RefreshFamily {
                id: self.entropy.token(),
                client: client.id.clone(),
                sid: live.sid.clone(),
                assertion: live.session.assertion.clone(),
                scope: scope.to_owned(),
                audience: audience.to_owned(),
                generation: 1,
                rotated: self.clock.now(),
                ends: live.session.ends.min(live.identity.not_after()),
            })
    }

    async fn audit_issued(
        &self,
        (identity, client): (&Identity, &ClientSettings),
        grant: GrantType,
        (audience, jti): (&str, &str),
        caller: &Caller,
    ) -> Result<(), Fault> {
        let what = What::TokenIssued {
            client: client.id.clone(),
            grant: grant.as_str().to_owned(),
            audience: audience.to_owned(),
            jti: jti.to_owned(),
        };
        self.audit
            .record(caller.event(self.clock.now(), Some(identity), what))
            .await?;
        Ok(())
    }
}

impl TokenDesk {
    /// Keeps a refusal of a client that has proved itself. A poll that comes too early is none.
    pub async fn refused(
        &self,
        client: &ClientSettings,
        grant: GrantType,
        refused: &Refused,
        caller: &Caller,
    ) -> Result<(), Fault> {
        // A public client proves nothing: its refusals would let anybody fill the trail.
        let quiet = client.is_public()
            || matches!(
                refused.error,
                OAuthError::AuthorizationPending | OAuthError::SlowDown | OAuthError::TemporarilyUnavailable
            );
        if quiet {
            return Ok(());
        }
        let what = What::TokenRefused {
            client: Some(client.id.clone()),
            grant: grant.as_str().to_owned(),
            error: refused.error.as_str().to_owned(),
        };
        self.audit
            .record(caller.event(self.clock.now(), None, what))
            .await?;
        Ok(())
    }
}

/// The scopes of a space-separated list.
fn words(scope: &str) -> impl Iterator<Item = &str> {
    scope.split(' ').filter(|scope| !scope.is_empty())
}

/// Whether a space-separated list has a scope.
fn has(scope: &str, one: &str) -> bool {
    words(scope).any(|own| own == one)
}

/// The scopes a client gets: those it asks for, each once, sorted as asked; it may name no other than its own.
pub fn granted_scope(client: &ClientSettings, asked: Option<&str>) -> Result<String, Refused> {
    let mut granted: Vec<&str> = Vec::new();
    for scope in words(asked.unwrap_or_default()) {
        if !client.scopes.contains(scope) && !scope.starts_with(PROJECT_SCOPE) {
            return Err(Refused::new(
                OAuthError::InvalidScope,
                "the client may not ask for this scope",
            ));
        }
        if !granted.contains(&scope) {
            granted.push(scope);
        }
    }
    Ok(granted.join(" "))
}

/// A narrower scope out of what was granted before; a wider one is refused.
fn narrowed(granted: &str, asked: Option<&str>) -> Result<String, Refused> {
    let Some(asked) = asked else {
        return Ok(granted.to_owned());
    };
    let wanted: Vec<&str> = words(asked).collect();
    // A project narrows what had none; another one in its place would not.
    let open = !words(granted).any(|scope| scope.starts_with(PROJECT_SCOPE));
    let narrows = |scope: &str| has(granted, scope) || (open && scope.starts_with(PROJECT_SCOPE));
    if wanted.iter().all(|scope| narrows(scope)) {
        Ok(wanted.join(" "))
    } else {
        Err(Refused::new(
            OAuthError::InvalidScope,
            "a scope that was not granted",
        ))
    }
}

/// RFC 6749 §5.2, one sentence for all causes: what exactly was wrong would help only who stole it.
fn invalid_grant(detail: &str) -> Refused {
    let mut refused = Refused::new(
        OAuthError::InvalidGrant,
        "the code or token is unknown, used, expired or for another client",
    );
    refused.fault.detail = detail.to_owned();
    refused
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault::new(Code::Internal, format!("a ticket of another shape: {error}"))
}

/// A code not redeemed within this span is gone (RFC 6749 §4.1.2 allows ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);
