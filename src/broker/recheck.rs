//! Asking upstreams again while people are signed in, and hearing from them that somebody is not any more: who was
//! removed at their organisation loses access here within the life of one token.
//!
//! Whoever refreshes a token waits for the upstream's answer. A yes brings the claims of now, which all sessions of that
//! sign-in get; a no ends them all; an upstream that does not answer gives neither: the refresh is refused for the
//! moment and nothing ends.

use std::{sync::Arc, time::Duration};

use crate::domain::{
    audit::What,
    fault::{Code, Fault},
    identity::Identity,
    ids::UpstreamId,
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    bonds::{Bond, Bonds, Meant, Renewal},
    clock::Clock,
    signer::{Purpose, Sealer},
    tickets::{TicketKind, Tickets},
    upstream::{Again, Recheck},
};

use super::{Caller, directory::Directory, logout::Logouts, opened};

/// The longest that one question takes: then another may ask.
const TURN: Duration = Duration::from_secs(30);
/// How long others wait for the one who asks.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Asks, and hears.
pub struct Rechecks {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Ends sessions with what they handed out.
    pub logouts: Arc<Logouts>,
    /// What ties sessions to upstreams.
    pub bonds: Arc<dyn Bonds>,
    /// One question at a time: a provider that rotates its refresh tokens takes two for a theft.
    pub tickets: Arc<dyn Tickets>,
    /// Opens what is kept.
    pub sealer: Arc<dyn Sealer>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Rechecks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Rechecks")
    }
}

impl Rechecks {
    /// Whether any upstream may be asked again; if none, a refresh looks nothing up.
    #[must_use]
    pub fn possible(&self) -> bool {
        self.directory
            .sources()
            .any(|source| source.upstream.ways().recheck.is_some())
    }

    /// Asks the upstream of a session again, if it gave something to be asked by. To the end, also if whoever wants to
    /// know goes away: the answer of a provider that rotates its refresh tokens holds the only one that is still good.
    pub async fn ask(self: &Arc<Self>, sid: &str, caller: &Caller) -> Result<(), Fault> {
        let (own, sid, caller) = (Arc::clone(self), sid.to_owned(), caller.clone());
        tokio::spawn(async move { own.ask_to_the_end(&sid, &caller).await })
            .await
            .map_err(|broken| Fault::new(Code::Internal, format!("asking an upstream again: {broken}")))?
    }

    async fn ask_to_the_end(&self, sid: &str, caller: &Caller) -> Result<(), Fault> {
        let Some(bond) = self.bonds.bond(sid).await? else {
            return Ok(());
        };
        let Some(id) = bond.renewal.as_deref() else {
            return Ok(());
        };
        let source = self.directory.source(&bond.upstream)?;
        let Some(way) = source.upstream.ways().recheck else {
            return Ok(());
        };
        let begun = self.clock.now();
        if !self.turn(id, begun).await? {
            return Ok(());
        }
        let outcome = self.asked(way, (&bond, id), caller).await;
        self.tickets.take(TicketKind::Recheck, id).await?;
        outcome
    }

    /// Waits for the turn; false if another has asked in the meantime, which is as good.
    async fn turn(&self, id: &str, begun: Timestamp) -> Result<bool, Fault> {
        for _ in 0..PATIENCE {
            if self.tickets.put(TicketKind::Recheck, id, b"1", TURN).await? {
                return Ok(true);
            }
            tokio::time::sleep(PAUSE).await;
            let renewal = self.renewal(id).await?;
            if renewal.asked >= begun {
                return Ok(false);
            }
        }
        Err(Fault::new(
            Code::UpstreamDown,
            "another request waits for the upstream's answer about the same person",
        ))
    }

    async fn renewal(&self, id: &str) -> Result<Renewal, Fault> {
        self.bonds
            .renewal(id)
            .await?
            .ok_or_else(|| Fault::new(Code::SessionEnded, "the sign-in has ended"))
    }

    async fn asked(
        &self,
        way: &dyn Recheck,
        (bond, id): (&Bond, &str),
        caller: &Caller,
    ) -> Result<(), Fault> {
        let before = self.renewal(id).await?;
        let live = self.logouts.desk.by_sid(&bond.sid).await?;
        let kept = opened(&*self.sealer, Purpose::Renewal, &before.sealed)
            .ok_or_else(|| Fault::new(Code::SessionEnded, "what is kept of the upstream does not open"))?;
        match way.again(&live.session.assertion, &kept).await? {
            Again::Still { assertion, renewal } => {
                let now = Renewal {
                    sealed: self.sealer.seal(Purpose::Renewal, renewal.as_bytes()),
                    asked: self.clock.now(),
                    ..before
                };
                Ok(self.bonds.renewed(&now, &assertion).await?)
            }
            Again::Gone { why } => {
                let sids = self.bonds.bound(Meant::Renewal(id)).await?;
                let sessions = self.end(&sids, caller).await?;
                tracing::info!(reference = %caller.reference, upstream = %bond.upstream, why, sessions, "an upstream no longer vouches for somebody");
                let what = What::UpstreamGone {
                    upstream: bond.upstream.clone(),
                    sessions,
                };
                let event = caller.event(self.clock.now(), Some(&live.identity), what);
                self.audit.record(event).await?;
                Err(Fault::new(
                    Code::SessionEnded,
                    format!("the upstream no longer vouches for the person: {why}"),
                ))
            }
        }
    }

    /// An upstream says that somebody has signed out there. Ends what is meant; none of it is no fault.
    pub async fn hear(&self, upstream: &UpstreamId, token: &str, caller: &Caller) -> Result<(), Fault> {
        let source = self.directory.source(upstream)?;
        let way = source.upstream.ways().notices.ok_or_else(|| {
            Fault::new(
                Code::NotFound,
                format!("upstream '{upstream}' sends no logout tokens"),
            )
        })?;
        let notice = way.read(token).await?;
        let subject = notice
            .subject
            .as_deref()
            .map(|subject| Identity::key_of(&notice.issuer, subject));
        let meant = match (&notice.session, &subject) {
            (Some(session), subject) => Meant::Session(upstream, session, subject.as_deref()),
            (None, Some(subject)) => Meant::Subject(upstream, subject),
            (None, None) => return Err(Fault::new(Code::Internal, "a notice about nobody")),
        };
        let sids = self.bonds.bound(meant).await?;
        let sessions = self.end(&sids, caller).await?;
        let what = What::UpstreamSignedOut {
            upstream: upstream.clone(),
            sessions,
        };
        let event = caller.event(self.clock.now(), None, what);
        Ok(self.audit.record(event).await?)
    }

    /// Ends sessions with their refresh tokens and with what they handed to dashboards; how many there were.
    async fn end(&self, sids: &[String], caller: &Caller) -> Result<usize, Fault> {
        let mut ended = 0;
        for sid in sids {
            match self.logouts.desk.by_sid(sid).await {
                Ok(live) => {
                    self.logouts.close(&live, "upstream", caller).await?;
                    ended += 1;
                }
                Err(fault) if fault.code == Code::SessionEnded => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(ended)
    }
}
