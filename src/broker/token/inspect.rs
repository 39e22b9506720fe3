//! Introspection (RFC 7662) and revocation (RFC 7009): only who is meant learns anything or ends anything.

use crate::domain::{
    access::Asked,
    audit::What,
    client::ClientSettings,
    fault::{Code, Fault},
    ids::ClientId,
    session::RefreshFamily,
    time::Timestamp,
};
use crate::port::{
    policy::{AskingClient, IntrospectionQuestion, TokenSeen, VERSION},
    signer::TokenType,
    target::AtService,
};

use super::{
    Caller, TokenDesk,
    remembered::{Asking, Basis},
    words,
};
use crate::broker::bearer::{Claims, goal_of};

/// A token that is good now, and for whoever asks.
#[derive(Debug, Clone)]
pub enum Known {
    /// An access token.
    Access(Box<Claims>),
    /// An access token at an OpenStack service, with what its holder has there now.
    AtService(Box<Claims>, Box<AtService>),
    /// A refresh token, with the stable subject of its person.
    Refresh(Box<RefreshFamily>, String),
}

impl TokenDesk {
    /// What `client` may know about a token; none for everything that is not good or not meant for it.
    pub async fn introspect(
        &self,
        client: &ClientSettings,
        token: &str,
        caller: &Caller,
    ) -> Result<Option<Known>, Fault> {
        let known = match self.refresh_parts(token) {
            Some(parts) => self.known_family(client, parts).await,
            None => self.known_again(client, token, caller).await,
        };
        match known {
            Err(fault) if matches!(fault.code, Code::TokenInvalid | Code::SessionEnded) => Ok(None),
            other => other,
        }
    }

    async fn known_family(
        &self,
        client: &ClientSettings,
        (id, generation): (&str, i64),
    ) -> Result<Option<Known>, Fault> {
        let family = self.families.find(id, self.clock.now()).await?;
        let own = family.filter(|family| family.client == client.id && family.generation == generation);
        Ok(own.and_then(|family| {
            let identity = self.door.identify(&family.assertion).ok()?;
            Some(Known::Refresh(Box::new(family), identity.key().to_owned()))
        }))
    }

    /// What was said of it some seconds ago, or else what is to be said now.
    async fn known_again(
        &self,
        client: &ClientSettings,
        token: &str,
        caller: &Caller,
    ) -> Result<Option<Known>, Fault> {
        let asking = Asking::of(client, token, caller);
        let basis = Basis {
            revision: self.door.revision(),
            ended: self.revocations.ended(),
        };
        let now = self.clock.now();
        if let Some(known) = self.remembered.answer(&asking, &basis, now) {
            return Ok(Some(known));
        }
        let found = self.known_access(client, token, caller).await?;
        Ok(found.map(|(known, ends)| {
            self.remembered.keep(asking, &known, basis, (now, ends));
            known
        }))
    }

    /// With the time until which nothing but an ending changes it.
    async fn known_access(
        &self,
        client: &ClientSettings,
        token: &str,
        caller: &Caller,
    ) -> Result<Option<(Known, Timestamp)>, Fault> {
        let claims = self.bearer.claims(token).await?;
        if !meant(client, &claims) || !self.told(client, &claims)? {
            return Ok(None);
        }
        let until = Timestamp(claims.exp);
        let live = match claims.sid {
            Some(_) => Some(self.bearer.live(&claims).await?),
            None => None,
        };
        let target = self.directory.at_audience(&claims.aud);
        let Some((target, service)) = target.and_then(|target| Some((target, target.ways().service?))) else {
            let ends = live.map_or(until, |live| until.min(live.session.ends));
            return Ok(Some((Known::Access(Box::new(claims)), ends)));
        };
        let now = self.clock.now();
        let (identity, ends) = match live {
            Some(live) => (live.identity, live.session.ends),
            None => self.bearer.own_holder(&claims, now)?,
        };
        let goal = goal_of(target.facts(), now, ends);
        let holder: &ClientId = &claims.client_id;
        let outcome = self
            .door
            .weigh(&identity, &goal, Asked::Everything, (Some(holder), caller))
            .and_then(|permit| Ok((service.told(&permit, &claims.scope)?, until.min(permit.expires()))));
        match outcome {
            Ok((told, ends)) => Ok(Some((Known::AtService(Box::new(claims), Box::new(told)), ends))),
            // What was given when the token was made is not given any more.
            Err(fault) if fault.code == Code::NoAccess => {
                tracing::info!(
                    reference = %caller.reference, target = %goal.target, reasons = fault.reasons.join(","),
                    "a token is not good any more: policy gives its holder nothing at this service now"
                );
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// What policy says to it. It can only narrow what [`meant`] lets pass.
    fn told(&self, client: &ClientSettings, claims: &Claims) -> Result<bool, Fault> {
        self.door.verdict(&IntrospectionQuestion {
            v: VERSION,
            client: AskingClient {
                id: client.id.as_str(),
                audiences: &client.audiences,
            },
            token: TokenSeen {
                client_id: claims.client_id.as_str(),
                audience: &claims.aud,
                subject: &claims.sub,
                tenant: claims.tenant.as_deref(),
                scopes: words(&claims.scope).collect(),
            },
            time_s: self.clock.now().0,
        })
    }

    /// Ends a token of this client; whatever is not one is no error (RFC 7009 §2.2).
    pub async fn revoke(&self, client: &ClientSettings, token: &str, caller: &Caller) -> Result<(), Fault> {
        let now = self.clock.now();
        let kind = if let Some((id, _)) = self.refresh_parts(token) {
            let family = self.families.find(id, now).await?;
            if family.is_none_or(|family| family.client != client.id) {
                return Ok(());
            }
            self.families.revoke(id).await?;
            "refresh_token"
        } else {
            let Ok(claims) = self.bearer.signer.verify(TokenType::Access, token, now) else {
                return Ok(());
            };
            let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
            let (Some(jti), Some(until)) = (text("jti"), claims.get("exp").and_then(|exp| exp.as_i64()))
            else {
                return Ok(());
            };
            if text("client_id") != Some(client.id.as_str()) {
                return Ok(());
            }
            self.revocations.revoke(jti, Timestamp(until)).await?;
            "access_token"
        };
        let what = What::TokenRevoked {
            client: client.id.clone(),
            kind: kind.to_owned(),
        };
        self.audit.record(caller.event(now, None, what)).await?;
        Ok(())
    }
}

/// Whether a client is the one a token is for.
fn meant(client: &ClientSettings, claims: &Claims) -> bool {
    claims.client_id == client.id
        || client.audiences.contains(&claims.aud)
        || claims.aud == client.id.as_str()
}
