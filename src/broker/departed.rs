//! What ends when a customer goes: a tenant, an upstream or a client that is not configured any more.
//!
//! Whatever comes with such a session or token is refused from then on anyway. But what has been handed out lives on
//! elsewhere: so sessions end, refresh tokens are dropped, and tokens at targets are revoked there.
//!
//! What is to be done is the difference between what is kept and what is configured. So nothing is written down about
//! a departure: a gateway that was killed in the middle goes on at its next start, one that was stopped for the change
//! begins then, and a configuration that is not taken ends nothing. Of replicas one works at a time.

use std::{sync::Arc, time::Duration};

use crate::domain::{
    assertion::UpstreamAssertion,
    audit::{Event, Personal, What},
    fault::Fault,
    identity::Identity,
    ids::{ClientId, Reference, TenantId, UpstreamId},
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    departures::{Departures, Holder},
    records::{RefreshFamilies, Sessions},
    tickets::{TicketKind, Tickets},
};

use super::{directory::Directory, endings::Ender};

/// How much one batch ends: others use the store between two.
const BATCH: u32 = 200;
/// The longest that one batch takes: then another replica may work.
const TURN: Duration = Duration::from_secs(60);
/// How long a replica waits for its turn.
const PAUSE: Duration = Duration::from_millis(500);

/// Ends what nobody configured holds any more.
pub struct Departed {
    /// What is configured now.
    pub directory: Arc<Directory>,
    /// What is kept.
    pub kept: Arc<dyn Departures>,
    /// Ends sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Ends refresh tokens.
    pub families: Arc<dyn RefreshFamilies>,
    /// Ends tokens at targets, when this has said which.
    pub ender: Arc<Ender>,
    /// Whose turn it is.
    pub tickets: Arc<dyn Tickets>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// How much has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions with their refresh tokens.
    pub sessions: u64,
    /// Families of refresh tokens, each the sign-in of one client.
    pub families: u64,
    /// Tokens at targets: they are revoked there within seconds, or when the target answers again.
    pub tokens: u64,
}

impl std::fmt::Debug for Departed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Departed")
    }
}

impl Departed {
    /// Looks through everything that is kept, and ends what is nobody's. An error leaves the rest for the next time.
    pub async fn pass(&self) -> Result<Ended, Fault> {
        let mut ended = Ended::default();
        // Sessions first: none of them must hand out another token while its tokens end.
        let mut after = Some(String::new());
        while let Some(from) = after {
            after = self.in_turn(self.sessions(&from, &mut ended)).await?;
        }
        for client in self.kept.clients().await? {
            if let Some(why) = self.client_gone(&client) {
                while self.in_turn(self.families(&client, &why, &mut ended)).await? {}
            }
        }
        self.in_turn(self.tokens(&mut ended)).await?;
        Ok(ended)
    }

    /// Why nobody configured holds this any more; none if somebody does.
    fn gone(&self, tenant: &TenantId, upstream: Option<&UpstreamId>) -> Option<String> {
        if self.directory.tenant(tenant).is_none() {
            return Some(format!("tenant '{tenant}' is not configured any more"));
        }
        let upstream = upstream?;
        match self.directory.source(upstream) {
            Err(_) => Some(format!("upstream '{upstream}' is not configured any more")),
            Ok(source) if source.upstream.tenant() != tenant => {
                Some(format!("upstream '{upstream}' speaks for another tenant now"))
            }
            Ok(_) => None,
        }
    }

    fn client_gone(&self, client: &ClientId) -> Option<String> {
        let known = self.directory.client(client).is_some();
        (!known).then(|| format!("client '{client}' is not configured any more"))
    }

    /// Does one batch while no other replica does: what both ended would be on the trail twice.
    async fn in_turn<T>(&self, batch: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        while !self.tickets.put(TicketKind::Departed, "turn", b"1", TURN).await? {
            tokio::time::sleep(PAUSE).await;
        }
        let done = batch.await;
        self.tickets.take(TicketKind::Departed, "turn").await?;
        done
    }

    /// One page of sessions; after which the next begins, if there may be one.
    async fn sessions(&self, after: &str, ended: &mut Ended) -> Result<Option<String>, Fault> {
        let page = self.kept.sessions(after, BATCH).await?;
        for (sid, assertion) in &page {
            let facts = assertion.facts();
            if let Some(by) = self.gone(&facts.tenant, Some(&facts.upstream)) {
                self.sessions.end(sid).await?;
                ended.sessions += 1;
                self.record(&held(assertion, None), What::SignedOut { by })
                    .await?;
            }
        }
        let last = page.into_iter().last().map(|(sid, _)| sid);
        Ok(last)
    }

    /// One batch of the refresh tokens of a client that is gone; whether there may be more.
    async fn families(&self, client: &ClientId, why: &str, ended: &mut Ended) -> Result<bool, Fault> {
        let page = self.kept.families(client, BATCH).await?;
        for (id, assertion) in &page {
            self.families.revoke(id).await?;
            ended.families += 1;
            let what = What::TokenRevoked {
                client: client.clone(),
                kind: format!("refresh_token: {why}"),
            };
            self.record(&held(assertion, Some(client)), what).await?;
        }
        Ok(!page.is_empty())
    }

    /// Says of all tokens at targets at once which must end; the sweep of endings revokes them, in batches of its own,
    /// again and again while a target does not answer.
    async fn tokens(&self, ended: &mut Ended) -> Result<(), Fault> {
        let now = self.clock.now();
        for holder in self.kept.holders(now).await? {
            let of_client = || holder.client.as_ref().and_then(|client| self.client_gone(client));
            if let Some(why) = self
                .gone(&holder.tenant, holder.upstream.as_ref())
                .or_else(of_client)
            {
                ended.tokens += self.kept.must_end(&holder, &why, now).await?;
            }
        }
        Ok(())
    }

    async fn record(&self, holder: &Holder, what: What) -> Result<(), Fault> {
        Ok(self.audit.record(event(holder, self.clock.now(), what)).await?)
    }
}

fn held(assertion: &UpstreamAssertion, client: Option<&ClientId>) -> Holder {
    let facts = assertion.facts();
    Holder {
        tenant: facts.tenant.clone(),
        upstream: Some(facts.upstream.clone()),
        client: client.cloned(),
        person: Identity::key_of(&facts.issuer, &facts.subject),
    }
}

/// An event that no request is the cause of. All of one person's have one reference.
pub(super) fn event(holder: &Holder, at: Timestamp, what: What) -> Event {
    let digits: String = holder.person.chars().take(16).collect();
    Event {
        at,
        reference: Reference(format!("departed-{digits}")),
        address: None,
        subject: Some(Personal(holder.person.clone())),
        tenant: Some(holder.tenant.clone()),
        what,
    }
}
