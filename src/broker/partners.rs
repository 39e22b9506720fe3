//! Users of a partner's Keystone, from the message that their client brings to the credential of the Keystone behind us.
//!
//! Their client speaks a protocol of two steps: it brings the message to one address, and what it then asks for to
//! another. In between it holds a ticket, which counts once, for a minute, and at one target.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::domain::{
    credential::Credential,
    fault::{Code, Fault},
    ids::{SessionId, TargetId, UpstreamId},
};
use crate::port::{
    entropy::Entropy,
    signer::{Purpose, Sealer},
    tickets::{TicketKind, Tickets},
};

use super::{Caller, bearer::Bearer, opened};

/// How long somebody may be on the way: their client asks at once.
pub const ON_THE_WAY: Duration = Duration::from_secs(60);

/// Lets them in.
pub struct Partners {
    /// The pipeline, and where they are let in.
    pub bearer: Arc<Bearer>,
    /// Keeps who is on the way.
    pub tickets: Arc<dyn Tickets>,
    /// Seals it.
    pub sealer: Arc<dyn Sealer>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Partners {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Partners")
    }
}

impl Partners {
    /// Admits whom a message of a partner is about. Returns the ticket for `target`: a secret.
    pub async fn arrive(
        &self,
        upstream: &UpstreamId,
        envelope: Bytes,
        target: &TargetId,
        caller: &Caller,
    ) -> Result<String, Fault> {
        let nobody = || {
            let detail = format!("no partner's Keystone sends its users to '{upstream}'");
            Fault::new(Code::NotFound, detail)
        };
        let source = self.bearer.directory.source(upstream).map_err(|_| nobody())?;
        let way = source.upstream.ways().envelope.ok_or_else(nobody)?;
        let desk = &self.bearer.desk;
        let brought = match way.accept(envelope).await {
            Ok(brought) => brought,
            Err(fault) => {
                // Only what the partner has really signed is worth a line on the trail: else anybody could fill it.
                if fault.code == Code::TokenReplayed {
                    desk.refused(upstream.clone(), &fault, caller).await?;
                }
                return Err(fault);
            }
        };
        let live = desk.open_partner(brought, caller).await?;
        let ticket = self.entropy.token();
        let sealed = self.sealer.seal(Purpose::Arrival, live.session.id.0.as_bytes());
        let name = at(target, &ticket);
        let put = self
            .tickets
            .put(TicketKind::Arrival, &name, sealed.as_bytes(), ON_THE_WAY);
        if put.await? {
            Ok(ticket)
        } else {
            Err(Fault::new(Code::Internal, "a random ticket was there already"))
        }
    }

    /// What the holder of a ticket gets at `target`. The ticket is used up, whatever comes of it.
    pub async fn enter(&self, ticket: &str, target: &TargetId, caller: &Caller) -> Result<Credential, Fault> {
        let unknown = || {
            Fault::new(Code::SignInExpired, "no ticket of that name at this target")
                .because(vec!["arrival_unknown".to_owned()])
        };
        let kept = self
            .tickets
            .take(TicketKind::Arrival, &at(target, ticket))
            .await?;
        let sealed = kept
            .and_then(|kept| String::from_utf8(kept).ok())
            .ok_or_else(unknown)?;
        let id = opened(&*self.sealer, Purpose::Arrival, &sealed).ok_or_else(unknown)?;
        let live = self
            .bearer
            .desk
            .resume(&SessionId(id))
            .await?
            .ok_or_else(unknown)?;
        self.bearer
            .enter((&live.identity, live.session.ends), target, None, caller)
            .await
    }
}

/// A ticket for one target is none for another. No target's name holds a space.
fn at(target: &TargetId, ticket: &str) -> String {
    format!("{target} {ticket}")
}
