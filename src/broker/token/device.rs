//! Polling with a device code (RFC 8628 §3.4).

use std::time::Duration;

use crate::domain::{
    client::{ClientSettings, GrantType},
    fault::{Code, Fault},
    oauth::{OAuthError, Refused},
    time::Timestamp,
};
use crate::port::{signer::Purpose, tickets::TicketKind};

use super::{Caller, Issued, Live, Terms, TokenDesk, code::check_pkce, invalid_grant, unreadable};
use crate::broker::device::{Answer, INTERVAL, Kept, ticket};

/// Clocks tick in whole seconds and networks jitter: this much sooner is not too soon.
const TOLERANCE: Duration = Duration::from_secs(1);

impl TokenDesk {
    /// Asks policy whether a person may have tokens of this client.
    pub(in crate::broker) async fn allowed(
        &self,
        live: &Live,
        client: &ClientSettings,
        audience: &str,
        caller: &Caller,
    ) -> Result<(), Fault> {
        let goal = self.goal(client, audience, live.session.ends)?;
        self.permit(&live.identity, &goal, client, caller).await?;
        Ok(())
    }

    /// One poll of a device.
    pub async fn poll(
        &self,
        client: &ClientSettings,
        device_code: &str,
        verifier: Option<&str>,
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let name = ticket(device_code);
        let old = self
            .tickets
            .peek(TicketKind::Device, &name)
            .await
            .map_err(Fault::from)?;
        let Some(old) = old else {
            return Err(self.gone(device_code));
        };
        let kept: Kept = serde_json::from_slice(&old).map_err(|error| unreadable(&error))?;
        if kept.client != client.id {
            return Err(invalid_grant("the device code belongs to another client"));
        }
        match &kept.answer {
            Answer::Pending => Err(self.pending(&name, &old, kept).await?),
            Answer::Denied => Err(Refused::new(
                OAuthError::AccessDenied,
                "the person or policy refused",
            )),
            Answer::Allowed(sid) => {
                check_pkce(kept.challenge.as_deref(), verifier)?;
                let taken = self
                    .tickets
                    .take(TicketKind::Device, &name)
                    .await
                    .map_err(Fault::from)?;
                if taken.is_none() {
                    return Err(invalid_grant("another poll took the tokens"));
                }
                self.let_in(client, (sid, &kept), caller).await
            }
        }
    }

    /// A code of ours that is not there: past its time, or used.
    fn gone(&self, device_code: &str) -> Refused {
        let ended = device_code
            .rsplit_once('.')
            .filter(|(body, tag)| self.sealer.tagged(Purpose::Device, body, tag))
            .and_then(|(body, _)| body.rsplit_once('.')?.1.parse().ok())
            .is_some_and(|ends| Timestamp(ends) <= self.clock.now());
        if ended {
            Refused::new(OAuthError::ExpiredToken, "the device code has expired")
        } else {
            invalid_grant("the device code is unknown or used")
        }
    }

    async fn pending(&self, name: &str, old: &[u8], mut kept: Kept) -> Result<Refused, Fault> {
        let now = self.clock.now();
        let least = INTERVAL.saturating_sub(TOLERANCE);
        let soon = kept.polled.is_some_and(|last| now < last.plus(least));
        kept.polled = Some(now);
        let new = serde_json::to_vec(&kept).map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
        // Lost to the person's answer: the next poll sees it.
        self.tickets.swap(TicketKind::Device, name, old, &new).await?;
        Ok(if soon {
            Refused::new(OAuthError::SlowDown, "polled too fast")
        } else {
            Refused::new(
                OAuthError::AuthorizationPending,
                "the person has not answered yet",
            )
        })
    }

    async fn let_in(
        &self,
        client: &ClientSettings,
        (sid, kept): (&str, &Kept),
        caller: &Caller,
    ) -> Result<Issued, Refused> {
        let live = self.desk.by_sid(sid).await?;
        let goal = self.goal(client, &kept.audience, live.session.ends)?;
        let permit = self.permit(&live.identity, &goal, client, caller).await?;
        let terms = Terms {
            client,
            scope: &kept.scope,
            sid: Some(sid),
            nonce: None,
        };
        let (mut issued, access) = self.tokens(&permit, &terms)?;
        if let Some(family) = self.family(&live, client, &kept.scope, &kept.audience) {
            self.families.begin(&family).await.map_err(Fault::from)?;
            issued.refresh_token = Some(self.refresh_text(&family.id, family.generation));
        }
        self.audit_issued(
            (&live.identity, client),
            GrantType::DeviceCode,
            (&kept.audience, &access.id),
            caller,
        )
        .await?;
        Ok(issued)
    }
}
