//! The provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0 §2.6). A logout token is
//! checked as strictly as an ID token: a forged one would throw people out.

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{super::jose::token, Oidc, login::invalid};
use crate::{
    domain::fault::Fault,
    port::upstream::{LogoutNotice, LogoutNotices},
};

/// A logout token older than this is a copy that lay around, in seconds.
const OLDEST: i64 = 300;
/// The one event that it must name.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[async_trait]
impl LogoutNotices for Oidc {
    async fn read(&self, token: &str) -> Result<LogoutNotice, Fault> {
        // Older providers write `JWT` or nothing; the event tells it from an ID token then.
        let found = self.checked(token, &["logout+jwt", "JWT"], OLDEST).await?;
        let notice = self.notice(&found)?;
        self.once(&found).await?;
        Ok(notice)
    }
}

impl Oidc {
    fn notice(&self, found: &Map<String, Value>) -> Result<LogoutNotice, Fault> {
        let event = found.get("events").and_then(|events| events.get(EVENT));
        if !event.is_some_and(Value::is_object) {
            return Err(invalid("the logout token does not name the event of a logout"));
        }
        // An ID token must not pass for a logout token.
        if found.contains_key("nonce") {
            return Err(invalid("the logout token has a nonce"));
        }
        let text = |name: &str| match found.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(invalid(format!("the logout token's {name} is no text"))),
        };
        let (subject, session) = (text("sub")?, text("sid")?);
        if subject.is_none() && session.is_none() {
            return Err(invalid("the logout token has neither sub nor sid"));
        }
        Ok(LogoutNotice {
            issuer: self.config.issuer.clone(),
            subject,
            session,
        })
    }

    async fn once(&self, found: &Map<String, Value>) -> Result<(), Fault> {
        let jti = found
            .get("jti")
            .and_then(Value::as_str)
            .filter(|jti| !jti.is_empty());
        let jti = jti.ok_or_else(|| invalid("the logout token has no jti"))?;
        let name = format!("logout {} {jti}", self.config.id);
        let first = token::first_use(&*self.tickets, &name, found, self.clock.now()).await?;
        if first {
            Ok(())
        } else {
            Err(invalid("the logout token came before"))
        }
    }
}
