//! A workload's token from its own issuer becomes a credential for one target: as the subject of a token exchange
//! (RFC 8693) or as an assertion (RFC 7523). The upstream that takes tokens of that issuer checks it; this file only
//! finds that upstream. The token itself is neither kept nor written anywhere.

use serde_json::{Map, Value};

use crate::domain::{
    audit::What,
    client::{ClientSettings, GrantType},
    fault::{Code, Fault},
    oauth::{OAuthError, Refused},
};

use super::{Caller, Issued, TokenDesk, exchange::Wish, granted_scope, words};
use crate::broker::{directory::Source, session::Live, unchecked};
use crate::port::{policy::ExchangeFacts, upstream::TokenLogin};

/// An assertion as a grant.
#[derive(Clone, Copy)]
pub struct Assertion<'a> {
    /// The workload's token.
    pub token: &'a str,
    /// A target's audience.
    pub audience: &'a str,
    /// Scopes asked for.
    pub scope: Option<&'a str>,
}

// The token is a bearer secret.
impl std::fmt::Debug for Assertion<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Assertion({})", self.audience)
    }
}

/// What a token claims of itself before anybody has checked it: only good for choosing who checks it.
pub(super) struct Claimed(Map<String, Value>);

impl Claimed {
    /// Reads a compact JWS.
    pub(super) fn of(token: &str) -> Option<Self> {
        unchecked(token).map(Self)
    }

    /// Its issuer.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.0.get("iss")?.as_str()
    }

    fn names(&self, audience: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(many)) => many.iter().any(|own| own.as_str() == Some(audience)),
            Some(_) | None => false,
        }
    }
}

/// RFC 8693 §2.2.2: a subject token that is not good is an invalid request, not a refusal by policy.
fn unfit(fault: Fault) -> Refused {
    if matches!(fault.code, Code::ProofInvalid | Code::MappingFailed) {
        Refused {
            error: OAuthError::InvalidRequest,
            description: "the subject token did not pass a check; see reasons",
            fault,
        }
    } else {
        fault.into()
    }
}

impl TokenDesk {
    /// Exchanges an assertion (RFC 7523 §2.1).
    pub async fn assert(
        &self,
        client: &ClientSettings,
        sent: &Assertion<'_>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let wish = Wish {
            audience: sent.audience,
            requested_token_type: None,
            scope: sent.scope,
            grant: GrantType::JwtBearer,
        };
        let issued = match Claimed::of(sent.token) {
            Some(claimed) => self.foreign(client, (sent.token, &claimed), &wish, caller).await,
            None => Err(unfit(Fault::new(Code::ProofInvalid, "no JWT"))),
        };
        issued
            .map(|issued| Issued {
                issued_token_type: None,
                ..issued
            })
            // RFC 7523 §3.1: an assertion that is not good is an invalid grant.
            .map_err(|refused| Refused {
                error: if refused.error == OAuthError::InvalidRequest {
                    OAuthError::InvalidGrant
                } else {
                    refused.error
                },
                ..refused
            })
    }

    /// Exchanges a token of another issuer.
    pub(super) async fn foreign(
        &self,
        client: &ClientSettings,
        (token, claimed): (&str, &Claimed),
        wish: &Wish<'_>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        // What cannot be had costs no token.
        let target = self.wanted(client, wish.audience)?;
        let scope = granted_scope(client, wish.scope)?;
        let live = self.admitted((token, claimed), caller).await.map_err(unfit)?;
        let facts = ExchangeFacts {
            audience: wish.audience,
            client_audiences: &client.exchange,
            // The token was given to nobody but to whom it was made for, which is this gateway.
            token_client: client.id.as_str(),
            token_client_audiences: &client.exchange,
            token_audience: self.directory.issuer(),
            issuer: self.directory.issuer(),
            scopes: words(&scope).collect(),
        };
        self.give((client, &live), (target, &scope), (wish, facts), caller)
            .await
    }

    /// Who a workload is, by the upstream that its token names.
    async fn admitted(&self, (token, claimed): (&str, &Claimed), caller: &Caller) -> Result<Live, Fault> {
        let (source, way) = self.chosen(claimed)?;
        let outcome = match way.accept(token).await {
            Ok(assertion) => self.desk.open_workload(assertion, caller).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &outcome {
            // Only what its issuer has really signed is worth a line on the trail: else anybody could fill it.
            let signed = [
                Code::AudMismatch,
                Code::ConditionFailed,
                Code::TokenReplayed,
                Code::MappingFailed,
            ];
            if signed.contains(&fault.code) {
                let what = What::SignInRefused {
                    upstream: source.upstream.id().clone(),
                    code: fault.code.to_string(),
                    reasons: fault.reasons.clone(),
                };
                let event = caller.event(self.clock.now(), None, what);
                self.audit.record(event).await?;
            }
        }
        outcome
    }

    /// The upstream that takes tokens of that issuer, and its way to do so; of several the one whose audience the token
    /// names.
    fn chosen(&self, claimed: &Claimed) -> Result<(&Source, &dyn TokenLogin), Fault> {
        let unknown = |issuer: &str| {
            let issuer: String = issuer.chars().filter(|c| !c.is_control()).take(200).collect();
            Fault::new(Code::IssuerUnknown, "no upstream takes tokens of this issuer")
                .because(vec![format!("issuer: {issuer}")])
        };
        let issuer = claimed.issuer().ok_or_else(|| unknown("(none)"))?;
        let mut all = self.directory.for_tokens_of(issuer).peekable();
        let first = all.peek().copied();
        all.find(|(_, way)| way.audiences().iter().any(|own| claimed.names(own)))
            .or(first)
            .ok_or_else(|| unknown(issuer))
    }
}
