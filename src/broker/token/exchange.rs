//! Token exchange (RFC 8693): a session's token, or a workload's, becomes a credential for one target.

use std::sync::Arc;

use crate::domain::{
    access::{Permit, TargetKind},
    audit::What,
    client::{ClientSettings, GrantType},
    credential::{Credential, MintedToken},
    fault::{Code, Fault},
    identity::Identity,
    oauth::{OAuthError, Refused},
};

use super::{
    ACCESS_TOKEN, Caller, Issued, Live, Terms, TokenDesk, foreign::Claimed, invalid_grant, narrowed, words,
};
use crate::broker::bearer::{Claims, goal_of};
use crate::port::{policy::ExchangeFacts, target::Target};

/// RFC 8693 §3.
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// RFC 8693 §3.
pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// What a client sends.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Our own access token, of a session; or a workload's token, of its own issuer.
    pub subject_token: &'a str,
    /// Its type.
    pub subject_token_type: &'a str,
    /// A target's audience.
    pub audience: &'a str,
    /// The type wanted.
    pub requested_token_type: Option<&'a str>,
    /// A narrower scope.
    pub scope: Option<&'a str>,
}

// The subject token is a bearer secret.
impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Exchange({})", self.audience)
    }
}

/// What is wanted for a token, whosever it is.
pub(super) struct Wish<'a> {
    pub audience: &'a str,
    pub requested_token_type: Option<&'a str>,
    pub scope: Option<&'a str>,
    pub grant: GrantType,
}

impl TokenDesk {
    /// Exchanges a session's token, or a workload's token of its own issuer, for a credential of one target.
    pub async fn exchange(
        &self,
        client: &ClientSettings,
        sent: &Exchange<'_>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let wish = Wish {
            audience: sent.audience,
            requested_token_type: sent.requested_token_type,
            scope: sent.scope,
            grant: GrantType::TokenExchange,
        };
        // The type decides which of the two is meant, the issuer whether a JWT is one of ours: a token of ours is
        // never given to an upstream, nor a foreign one to our own verifier.
        let foreign = match sent.subject_token_type {
            ACCESS_TOKEN => None,
            JWT | ID_TOKEN => Claimed::of(sent.subject_token)
                .filter(|claimed| claimed.issuer() != Some(self.directory.issuer())),
            _ => return Err(unsupported()),
        };
        if let Some(claimed) = foreign {
            return self
                .foreign(client, (sent.subject_token, &claimed), &wish, caller)
                .await;
        }
        if sent.subject_token_type == ID_TOKEN {
            return Err(unsupported());
        }
        let target = self.wanted(client, sent.audience)?;
        let (live, claims) = self
            .bearer
            .verify(sent.subject_token, self.directory.issuer())
            .await
            .map_err(unusable)?;
        self.entitled(client, &claims, sent.audience)?;
        let scope = narrowed(&claims.scope, sent.scope)?;
        let facts = self.facts_of(client, &claims, (sent.audience, &scope));
        self.give((client, &live), (target, &scope), (&wish, facts), caller)
            .await
    }

    /// Asks policy and mints.
    pub(super) async fn give(
        &self,
        (client, live): (&ClientSettings, &Live),
        (target, scope): (&Arc<dyn Target>, &str),
        (wish, facts_of_exchange): (&Wish<'_>, ExchangeFacts<'_>),
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let facts = target.facts();
        let goal = goal_of(facts, self.clock.now(), live.session.ends);
        let permit = self
            .door
            .exchange(&live.identity, &goal, facts_of_exchange, (&client.id, caller))
            .await?;
        let whose = (&permit, &live.identity);
        Ok(match facts.kind {
            TargetKind::Kubernetes => {
                check_type(wish.requested_token_type, None)?;
                let Credential::Token(minted) = target.mint(&permit).await? else {
                    return Err(Fault::new(Code::Internal, "the target gave no token").into());
                };
                check_type(wish.requested_token_type, Some(minted.token_type))?;
                self.trail(whose, (client, wish.grant), &minted, caller).await?;
                as_issued(&permit, &minted, scope.to_owned())
            }
            TargetKind::Keystone | TargetKind::RelyingParty | TargetKind::Gateway => {
                check_type(wish.requested_token_type, Some(ACCESS_TOKEN))?;
                // No ID token out of an exchange: nobody has signed in.
                let scope = without_openid(scope);
                let terms = Terms {
                    client,
                    scope: &scope,
                    sid: Some(&live.sid),
                    nonce: None,
                };
                let (issued, access) = self.tokens(&permit, &terms)?;
                self.trail(whose, (client, wish.grant), &access, caller).await?;
                Issued {
                    issued_token_type: Some(ACCESS_TOKEN),
                    ..issued
                }
            }
        })
    }

    pub(super) fn wanted(
        &self,
        client: &ClientSettings,
        audience: &str,
    ) -> Result<&Arc<dyn Target>, Refused> {
        self.directory
            .at_audience(audience)
            .filter(|_| may_reach(client, audience))
            .ok_or_else(|| {
                Refused::new(
                    OAuthError::InvalidTarget,
                    "no such audience, or the client may not exchange for it",
                )
            })
    }

    /// A token that a tool got for its own sign-in must not become a key to the targets: the client it was
    /// issued to must itself be one that may exchange.
    fn entitled(&self, client: &ClientSettings, claims: &Claims, audience: &str) -> Result<(), Refused> {
        let holder = self.directory.client(&claims.client_id);
        if claims.client_id == client.id || holder.is_some_and(|holder| may_reach(holder, audience)) {
            Ok(())
        } else {
            Err(invalid_grant(
                "the subject token's client may not reach this audience",
            ))
        }
    }

    /// What policy sees of the exchange.
    fn facts_of<'a>(
        &'a self,
        client: &'a ClientSettings,
        claims: &'a Claims,
        (audience, scope): (&'a str, &'a str),
    ) -> ExchangeFacts<'a> {
        let holder = self.directory.client(&claims.client_id);
        ExchangeFacts {
            audience,
            client_audiences: &client.exchange,
            token_client: claims.client_id.as_str(),
            token_client_audiences: holder.map_or(&[], |holder| holder.exchange.as_slice()),
            token_audience: &claims.aud,
            issuer: self.directory.issuer(),
            scopes: words(scope).collect(),
        }
    }

    async fn trail(
        &self,
        (permit, identity): (&Permit, &Identity),
        (client, grant): (&ClientSettings, GrantType),
        minted: &MintedToken,
        caller: &Caller,
    ) -> Result<(), Fault> {
        let what = What::CredentialMinted {
            target: permit.target().clone(),
            audience: permit.audience().to_owned(),
            rules: permit.grants().iter().map(|grant| grant.rule.clone()).collect(),
        };
        self.audit
            .record(caller.event(self.clock.now(), Some(identity), what))
            .await?;
        self.audit_issued((identity, client), grant, (permit.audience(), &minted.id), caller)
            .await
    }
}

fn may_reach(client: &ClientSettings, audience: &str) -> bool {
    client.exchange.iter().any(|own| own == audience || own == "*")
}

/// RFC 8693 §2.2.2: a subject token that is not good is `invalid_request`.
fn unusable(fault: Fault) -> Refused {
    let about_the_token = [Code::TokenInvalid, Code::SessionEnded, Code::AudienceMismatch];
    if about_the_token.contains(&fault.code) {
        Refused {
            error: OAuthError::InvalidGrant,
            description: "the subject token is not a live session's token for this gateway",
            fault,
        }
    } else {
        fault.into()
    }
}

fn unsupported() -> Refused {
    Refused::new(OAuthError::InvalidRequest, "subject_token_type is not supported")
}

/// Whether the type asked for is the one that is made; before it is made, whether it is one at all.
fn check_type(asked: Option<&str>, made: Option<&str>) -> Result<(), Refused> {
    let fits = match (asked, made) {
        (None, _) => true,
        (Some(asked), None) => matches!(asked, ACCESS_TOKEN | JWT | ID_TOKEN),
        // kubectl and its neighbours ask for an access token and mean "what the cluster takes".
        (Some(asked), Some(made)) => asked == made || matches!(asked, JWT | ACCESS_TOKEN),
    };
    if fits {
        Ok(())
    } else {
        Err(Refused::new(
            OAuthError::InvalidRequest,
            "requested_token_type is not made for this audience",
        ))
    }
}

fn without_openid(scope: &str) -> String {
    let kept: Vec<&str> = words(scope)
        .filter(|scope| !matches!(*scope, "openid" | "offline_access"))
        .collect();
    kept.join(" ")
}

fn as_issued(permit: &Permit, minted: &MintedToken, scope: String) -> Issued {
    Issued {
        access_token: minted.token.clone(),
        token_type: if minted.token_type == ACCESS_TOKEN {
            "Bearer"
        } else {
            "N_A"
        },
        issued_token_type: Some(minted.token_type),
        expires_in: permit.issued().until(minted.expires).as_secs(),
        refresh_token: None,
        id_token: None,
        scope,
    }
}
