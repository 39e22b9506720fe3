//! Asking the provider again about somebody who is signed in (OIDC Core §12.2): by its refresh token, or by its access
//! token at userinfo. What it says now replaces what it said then; how and when they proved it stays.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    super::jose::trouble::Part,
    Oidc, RecheckBy, claims,
    discovery::Metadata,
    login::{PROTOCOL_CLAIMS, about, add, invalid, userinfo_endpoint},
};
use crate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
    },
    outbound::{Answer, OutboundFault},
    port::upstream::{Again, Recheck},
};

/// An answer to the refresh token.
#[derive(Deserialize)]
struct Fresh {
    access_token: String,
    #[serde(default)]
    id_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// What the provider said in time, or that somebody is gone.
enum Said<T> {
    Yes(T),
    Gone(String),
}

#[async_trait]
impl Recheck for Oidc {
    async fn again(&self, before: &UpstreamAssertion, renewal: &str) -> Result<Again, Fault> {
        let metadata = self.provider.metadata().await?;
        let facts = before.facts();
        let (access, id_token, next) = if self.config.recheck == RecheckBy::Userinfo {
            (renewal.to_owned(), None, renewal.to_owned())
        } else {
            match self.refreshed(&metadata, renewal).await? {
                Said::Gone(why) => return Ok(Again::Gone { why }),
                Said::Yes(fresh) => {
                    let next = fresh.refresh_token.unwrap_or_else(|| renewal.to_owned());
                    (fresh.access_token, fresh.id_token, next)
                }
            }
        };
        let mut now = match &id_token {
            Some(id_token) => self.fresh_claims(id_token, facts).await?,
            None => kept_claims(facts),
        };
        let by_userinfo = self.config.userinfo || self.config.recheck == RecheckBy::Userinfo;
        if by_userinfo {
            match self.userinfo_again(&metadata, &access, facts).await? {
                Said::Gone(why) => return Ok(Again::Gone { why }),
                Said::Yes(found) => add(&mut now, found),
            }
        } else if id_token.is_none() {
            // It said that they are still there, and nothing about them.
            now.clone_from(&facts.claims);
        }
        let assertion = UpstreamAssertion::verified(Verified {
            claims: now,
            ..facts.clone()
        })
        .map_err(|fault| invalid(fault.to_string()))?;
        Ok(Again::Still {
            assertion,
            renewal: next,
        })
    }
}

impl Oidc {
    async fn refreshed(&self, metadata: &Metadata, renewal: &str) -> Result<Said<Fresh>, Fault> {
        let form = vec![("grant_type", "refresh_token"), ("refresh_token", renewal)];
        let answer = self.at_token_endpoint(metadata, form).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map(Said::Yes).map_err(|_| {
                invalid("the token endpoint's answer to the refresh token has no access token")
            });
        }
        if error_of(&answer).as_deref() == Some("invalid_grant") {
            return Ok(Said::Gone(
                "the provider takes its refresh token no longer".to_owned(),
            ));
        }
        // Our own mistake there, or an outage: neither says anything about the person.
        let status = answer.status.as_u16();
        self.failed(
            Part::TokenEndpoint,
            format!("answered {status} to a refresh token"),
        );
        Err(Fault::new(
            Code::UpstreamDown,
            format!("the token endpoint answered {status} to a refresh token"),
        ))
    }

    /// OIDC Core §12.2: the same issuer, subject and audience; no new nonce; signed in no later than then.
    async fn fresh_claims(&self, id_token: &str, facts: &Verified) -> Result<Map<String, Value>, Fault> {
        let now = self.checked(id_token, &["JWT"], claims::OLDEST).await?;
        if now.get("sub").and_then(Value::as_str) != Some(facts.subject.as_str()) {
            return Err(invalid("the refreshed ID token is about another person"));
        }
        for name in ["nonce", "auth_time"] {
            if let (Some(value), Some(own)) = (now.get(name), facts.claims.get(name))
                && value != own
            {
                return Err(invalid(format!("the refreshed ID token has another {name}")));
            }
        }
        Ok(now)
    }

    async fn userinfo_again(
        &self,
        metadata: &Metadata,
        access: &str,
        facts: &Verified,
    ) -> Result<Said<Map<String, Value>>, Fault> {
        let url = userinfo_endpoint(metadata)?;
        let found = match self.outbound.get_json_as(url, access).await {
            Err(OutboundFault::NotJson(_, status @ (401 | 403))) => {
                return Ok(Said::Gone(format!("userinfo answers {status}")));
            }
            other => self.noted(Part::Userinfo, other)?,
        };
        about(found, Some(&facts.subject)).map(Said::Yes)
    }
}

/// Claims about the proof itself: they stay as they were.
fn kept_claims(facts: &Verified) -> Map<String, Value> {
    facts
        .claims
        .iter()
        .filter(|(name, _)| PROTOCOL_CLAIMS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn error_of(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    Some(body.get("error")?.as_str()?.to_owned())
}
