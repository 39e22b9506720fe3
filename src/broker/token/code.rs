//! Authorization code (RFC 6749 §4.1) with PKCE (RFC 7636, S256 alone).
//!
//! A code is bound to client, redirect URI and challenge, each checked on its own. It works once; a
//! replay ends what the first use obtained.

use std::time::Duration;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::domain::{
    audit::What,
    client::{ClientSettings, GrantType},
    fault::Fault,
    ids::ClientId,
    oauth::Refused,
    time::Timestamp,
};
use crate::port::tickets::TicketKind;

use super::{CODE_LIFETIME, Caller, Issued, Live, Terms, TokenDesk, invalid_grant, unreadable};

/// How long a used code remembers what it obtained.
const USED_LIFETIME: Duration = Duration::from_secs(600);

/// An authorization request that has passed all checks of the front end.
#[derive(Debug, Clone)]
pub struct Authorization<'a> {
    /// Who asks.
    pub client: &'a ClientSettings,
    /// As sent, one of the client's.
    pub redirect_uri: String,
    /// Granted scopes.
    pub scope: String,
    /// For the ID token.
    pub nonce: Option<String>,
    /// PKCE S256 challenge.
    pub challenge: Option<String>,
    /// The audience of the access token.
    pub audience: String,
}

/// What a client sends to redeem a code.
#[derive(Clone, Copy)]
pub struct Redeem<'a> {
    /// The code.
    pub code: &'a str,
    /// As at the authorization request.
    pub redirect_uri: &'a str,
    /// PKCE.
    pub verifier: Option<&'a str>,
}

// A code and its verifier are secrets.
impl std::fmt::Debug for Redeem<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Redeem")
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    client: ClientId,
    redirect_uri: String,
    scope: String,
    nonce: Option<String>,
    challenge: Option<String>,
    audience: String,
    sid: String,
}

/// What a used code had obtained.
#[derive(Serialize, Deserialize)]
struct Used {
    client: ClientId,
    family: Option<String>,
    jti: String,
    until: Timestamp,
}

impl TokenDesk {
    /// Asks policy, then gives a code. A person refused by policy is refused here, where a page can say why.
    pub async fn issue_code(
        &self,
        live: &Live,
        wanted: &Authorization<'_>,
        caller: &Caller,
    ) -> Result<String, Fault> {
        let goal = self.goal(wanted.client, &wanted.audience, live.session.ends)?;
        let permit = self.permit(&live.identity, &goal, wanted.client, caller).await?;
        self.useful(&permit, &wanted.scope)?;
        let kept = Kept {
            client: wanted.client.id.clone(),
            redirect_uri: wanted.redirect_uri.clone(),
            scope: wanted.scope.clone(),
            nonce: wanted.nonce.clone(),
            challenge: wanted.challenge.clone(),
            audience: wanted.audience.clone(),
            sid: live.sid.clone(),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| unreadable(&error))?;
        let code = self.entropy.token();
        self.tickets
            .put(TicketKind::Code, &code, &text, CODE_LIFETIME)
            .await?;
        Ok(code)
    }

    /// Redeems a code.
    pub async fn redeem_code(
        &self,
        client: &ClientSettings,
        sent: Redeem<'_>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let taken = self
            .tickets
            .take(TicketKind::Code, sent.code)
            .await
            .map_err(Fault::from)?;
        let Some(text) = taken else {
            self.replayed(sent.code, caller).await?;
            return Err(invalid_grant("the code is unknown, used or expired"));
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
        check(&kept, client, &sent)?;
        let live = self.desk.by_sid(&kept.sid).await?;
        let goal = self.goal(client, &kept.audience, live.session.ends)?;
        let permit = self.permit(&live.identity, &goal, client, caller).await?;
        let terms = Terms {
            client,
            scope: &kept.scope,
            sid: Some(&live.sid),
            nonce: kept.nonce.as_deref(),
        };
        let (mut issued, access) = self.tokens(&permit, &terms)?;
        let family = self.family(&live, client, &kept.scope, &kept.audience);
        let used = Used {
            client: client.id.clone(),
            family: family.as_ref().map(|family| family.id.clone()),
            jti: access.id.clone(),
            until: access.expires,
        };
        let text = serde_json::to_vec(&used).map_err(|error| unreadable(&error))?;
        // Before anything is given away: a replay from now on ends it.
        self.tickets
            .put(TicketKind::UsedCode, sent.code, &text, USED_LIFETIME)
            .await
            .map_err(Fault::from)?;
        if let Some(family) = family {
            self.families.begin(&family).await.map_err(Fault::from)?;
            issued.refresh_token = Some(self.refresh_text(&family.id, family.generation));
        }
        self.audit_issued(
            (&live.identity, client),
            GrantType::AuthorizationCode,
            (&kept.audience, &access.id),
            caller,
        )
        .await?;
        Ok(issued)
    }

    async fn replayed(&self, code: &str, caller: &Caller) -> Result<(), Fault> {
        let Some(text) = self.tickets.peek(TicketKind::UsedCode, code).await? else {
            return Ok(());
        };
        let used: Used = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
        if let Some(family) = &used.family {
            self.families.revoke(family).await?;
        }
        self.revocations.revoke(&used.jti, used.until).await?;
        let what = What::CodeReplayed { client: used.client };
        self.audit
            .record(caller.event(self.clock.now(), None, what))
            .await?;
        Ok(())
    }
}

fn check(kept: &Kept, client: &ClientSettings, sent: &Redeem<'_>) -> Result<(), Refused> {
    if kept.client != client.id {
        return Err(invalid_grant("the code belongs to another client"));
    }
    if kept.redirect_uri != sent.redirect_uri {
        return Err(invalid_grant(
            "redirect_uri differs from the authorization request's",
        ));
    }
    check_pkce(kept.challenge.as_deref(), sent.verifier)
}

/// Challenge and verifier come together or not at all (RFC 9700 §2.1.1: PKCE downgrade).
pub(super) fn check_pkce(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Refused> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) => {
            let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
            let made = URL_SAFE_NO_PAD.encode(hash.as_ref());
            let same = constant_time::verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok();
            if same && is_verifier(verifier) {
                Ok(())
            } else {
                Err(invalid_grant("the code_verifier does not fit"))
            }
        }
        (Some(_), None) => Err(invalid_grant("code_verifier is missing")),
        (None, Some(_)) => Err(invalid_grant("a code_verifier without a code_challenge")),
    }
}

/// RFC 7636 §4.1: 43 to 128 unreserved characters.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn pkce_comes_whole_or_not_at_all() {
        assert!(check_pkce(Some(CHALLENGE), Some(VERIFIER)).is_ok());
        assert!(check_pkce(None, None).is_ok());
        assert!(check_pkce(Some(CHALLENGE), None).is_err());
        assert!(check_pkce(None, Some(VERIFIER)).is_err());
        assert!(check_pkce(Some(CHALLENGE), Some(CHALLENGE)).is_err());
        assert!(check_pkce(Some(VERIFIER), Some(VERIFIER)).is_err(), "plain");
    }
}
