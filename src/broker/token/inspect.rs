//! Introspection (RFC 7662) and revocation (RFC 7009): only who is meant learns anything or ends anything.

use crate::domain::{
    audit::What,
    client::ClientSettings,
    fault::{Code, Fault},
    session::RefreshFamily,
    time::Timestamp,
};
use crate::port::{
    policy::{AskingClient, IntrospectionQuestion, TokenSeen, VERSION},
    signer::TokenType,
};

use super::{Caller, TokenDesk};
use crate::broker::bearer::Claims;

/// A token that is good now, and for whoever asks.
#[derive(Debug, Clone)]
pub enum Known {
    /// An access token.
    Access(Box<Claims>),
    /// A refresh token, with the stable subject of its person.
    Refresh(Box<RefreshFamily>, String),
}

impl TokenDesk {
    /// What `client` may know about a token; none for everything that is not good or not meant for it.
    pub async fn introspect(&self, client: &ClientSettings, token: &str) -> Result<Option<Known>, Fault> {
        if let Some((id, generation)) = self.refresh_parts(token) {
            let family = self.families.find(id, self.clock.now()).await?;
            let own = family.filter(|family| family.client == client.id && family.generation == generation);
            return match own {
                None => Ok(None),
                Some(family) => match self.door.identify(&family.assertion) {
                    Ok(identity) => Ok(Some(Known::Refresh(Box::new(family), identity.key().to_owned()))),
                    Err(_) => Ok(None),
                },
            };
        }
        let checked = match self.bearer.claims(token).await {
            Ok(claims) if !meant(client, &claims) => return Ok(None),
            Ok(claims) if !self.told(client, &claims)? => return Ok(None),
            Ok(claims) if claims.sid.is_some() => self.bearer.live(&claims).await.map(|_| claims),
            Ok(claims) => Ok(claims),
            Err(fault) => Err(fault),
        };
        match checked {
            Ok(claims) => Ok(Some(Known::Access(Box::new(claims)))),
            Err(fault) if matches!(fault.code, Code::TokenInvalid | Code::SessionEnded) => Ok(None),
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
                scopes: claims
                    .scope
                    .split(' ')
                    .filter(|scope| !scope.is_empty())
                    .collect(),
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
