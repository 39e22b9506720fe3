//! Refresh tokens (RFC 6749 §6): rotated at every use, in families (RFC 9700 §4.14).
//!
//! The text is `fgr_<family>.<generation>.<tag>`. The tag is keyed, so nothing secret is stored and a
//! successor can be told again: of parallel callers, or after a lost answer, all get the same one.

use std::time::Duration;

use crate::domain::{
    audit::What,
    client::{ClientSettings, GrantType},
    fault::Fault,
    oauth::Refused,
    session::RefreshFamily,
};
use crate::port::signer::Purpose;

use super::{Caller, Issued, Terms, TokenDesk, invalid_grant, narrowed};

/// How long the last token but one is still answered with its successor.
const GRACE: Duration = Duration::from_secs(10);

impl TokenDesk {
    /// The text of a refresh token.
    pub(super) fn refresh_text(&self, family: &str, generation: i64) -> String {
        let body = format!("{family}.{generation}");
        let tag = self.sealer.tag(Purpose::Refresh, &body);
        format!("fgr_{body}.{tag}")
    }

    /// Family and generation of a refresh token that we made; none for anything else.
    pub(super) fn refresh_parts<'t>(&self, token: &'t str) -> Option<(&'t str, i64)> {
        let (body, tag) = token.strip_prefix("fgr_")?.rsplit_once('.')?;
        if !self.sealer.tagged(Purpose::Refresh, body, tag) {
            return None;
        }
        let (family, generation) = body.split_once('.')?;
        Some((family, generation.parse().ok()?))
    }

    /// Gives new tokens for a refresh token. The upstream is asked again where it can be; mapping and policy run anew.
    pub async fn refresh(
        &self,
        client: &ClientSettings,
        token: &str,
        scope: Option<&str>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let (id, generation) = self
            .refresh_parts(token)
            .ok_or_else(|| invalid_grant("not a refresh token of this gateway"))?;
        if scope.is_some() || self.rechecks.possible() {
            // Neither a wider scope nor an upstream that is down must cost the token: look before it is used up.
            let known = self.families.find(id, self.clock.now()).await;
            if let Some(family) = known.map_err(Fault::from)?.filter(|own| own.client == client.id) {
                narrowed(&family.scope, scope)?;
                if family.generation == generation {
                    self.rechecks.ask(&family.sid, caller).await?;
                }
            }
        }
        let family = self.rotated((id, generation), client, caller).await?;
        let scope = narrowed(&family.scope, scope)?;
        let identity = self.door.identify(&family.assertion)?;
        let goal = self.goal(client, &family.audience, family.ends)?;
        let permit = self.permit(&identity, &goal, client, caller).await?;
        let terms = Terms {
            client,
            scope: &scope,
            sid: Some(&family.sid),
            nonce: None,
        };
        let (mut issued, access) = self.tokens(&permit, &terms)?;
        issued.refresh_token = Some(self.refresh_text(id, generation.saturating_add(1)));
        self.audit_issued(
            (&identity, client),
            GrantType::RefreshToken,
            (&family.audience, &access.id),
            caller,
        )
        .await?;
        Ok(issued)
    }

    async fn rotated(
        &self,
        (id, generation): (&str, i64),
        client: &ClientSettings,
        caller: &Caller,
    ) -> Result<RefreshFamily, Refused> {
        let now = self.clock.now();
        let moved = self
            .families
            .rotate(id, &client.id, generation, now)
            .await
            .map_err(Fault::from)?;
        if let Some(family) = moved {
            return Ok(family);
        }
        let family = self
            .families
            .find(id, now)
            .await
            .map_err(Fault::from)?
            .ok_or_else(|| invalid_grant("the family has ended"))?;
        if family.client != client.id {
            return Err(invalid_grant("the refresh token belongs to another client"));
        }
        if family.generation == generation.saturating_add(1) && now < family.rotated.plus(GRACE) {
            return Ok(family);
        }
        self.families.revoke(id).await.map_err(Fault::from)?;
        let what = What::RefreshReused {
            client: client.id.clone(),
            family: id.to_owned(),
        };
        self.audit
            .record(caller.event(now, None, what))
            .await
            .map_err(Fault::from)?;
        Err(invalid_grant("the refresh token was used before"))
    }
}
