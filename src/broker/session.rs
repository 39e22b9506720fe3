//! Sessions: opened by a sign-in that policy admits, resumed by cookie or `sid`, ended once for all.

use std::{sync::Arc, time::Duration};

use crate::domain::{
    assertion::UpstreamAssertion,
    audit::What,
    fault::{Code, Fault},
    identity::Identity,
    ids::{SessionId, UpstreamId},
    session::Session,
    tenant::Tenant,
};
use crate::port::{
    audit::Audit,
    bonds::{Bond, Bonds, Renewal},
    clock::Clock,
    entropy::Entropy,
    records::Sessions,
    signer::{Purpose, Sealer},
    upstream::{Brought, Finished},
};

use super::{Caller, admit::Door, directory::Directory, remember::Remember};

/// A session that lives, with the identity that mapping makes of it now.
#[derive(Debug, Clone)]
pub struct Live {
    /// The session. Its id is empty where it was found by `sid`.
    pub session: Session,
    /// Its public name, in tokens.
    pub sid: String,
    /// Who it is.
    pub identity: Identity,
    /// Their tenant.
    pub tenant: Tenant,
}

/// Opens, resumes and ends sessions.
pub struct SessionDesk {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The pipeline.
    pub door: Arc<Door>,
    /// Where sessions are kept.
    pub sessions: Arc<dyn Sessions>,
    /// What ties them to their upstreams.
    pub bonds: Arc<dyn Bonds>,
    /// Seals the upstream's ID token.
    pub sealer: Arc<dyn Sealer>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Longest life of a session.
    pub lifetime: Duration,
    /// Remembers people; none where nothing is given to them without them.
    pub remember: Option<Remember>,
}

impl std::fmt::Debug for SessionDesk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SessionDesk")
    }
}

impl SessionDesk {
    /// Admits somebody whose proof has been checked: maps, asks policy, keeps the session.
    pub async fn open(&self, finished: Finished, caller: &Caller) -> Result<Live, Fault> {
        let upstream = finished.assertion.facts().upstream.clone();
        match self.admit(finished, caller).await {
            Ok(live) => Ok(live),
            Err(fault) => {
                self.refused(upstream, &fault, caller).await?;
                Err(fault)
            }
        }
    }

    async fn admit(&self, finished: Finished, caller: &Caller) -> Result<Live, Fault> {
        let upstream = finished.assertion.facts().upstream.clone();
        self.begin(finished, caller, |_| What::SignedIn { upstream })
            .await
    }

    /// A session of somebody whom policy admits; `told` is what the trail says of it.
    async fn begin(
        &self,
        finished: Finished,
        caller: &Caller,
        told: impl FnOnce(&Identity) -> What + Send,
    ) -> Result<Live, Fault> {
        let identity = self.door.identify(&finished.assertion)?;
        let before = match &self.remember {
            Some(remember) => remember.before(&identity).await?,
            None => None,
        };
        let permit = self.door.admit(&identity, &finished.assertion, caller).await?;
        let now = self.clock.now();
        let session = Session {
            id: SessionId(self.entropy.token()),
            ends: permit.expires().min(now.plus(self.lifetime)),
            started: now,
            upstream_hint: finished
                .hint
                .map(|hint| self.sealer.seal(Purpose::UpstreamHint, hint.as_bytes())),
            assertion: finished.assertion,
        };
        self.sessions.open(&session).await?;
        self.bind(&session, finished.renewal).await?;
        let event = caller.event(now, Some(&identity), told(&identity));
        self.audit.record(event).await?;
        if let Some(remember) = &self.remember {
            let ended = remember.after(before, (&session, &identity)).await?;
            if ended > 0 {
                let by = format!("a sign-in with fewer groups ({ended} sessions)");
                let what = What::SignedOut { by };
                self.audit
                    .record(caller.event(now, Some(&identity), what))
                    .await?;
            }
        }
        self.live(session, None)
    }

    /// Lets a workload in whose token has been checked. It gets no session at the gateway itself, so policy is not
    /// asked about one: what it wants at a target is asked there. What is kept ends with its proof, within minutes.
    pub async fn open_workload(&self, assertion: UpstreamAssertion, caller: &Caller) -> Result<Live, Fault> {
        let identity = self.door.identify(&assertion)?;
        let now = self.clock.now();
        let session = Session {
            id: SessionId(self.entropy.token()),
            ends: identity.not_after().min(now.plus(self.lifetime)),
            started: now,
            upstream_hint: None,
            assertion,
        };
        self.sessions.open(&session).await?;
        let facts = session.assertion.facts();
        let jti = facts.claims.get("jti").and_then(serde_json::Value::as_str);
        let what = What::WorkloadAdmitted {
            upstream: facts.upstream.clone(),
            username: identity.username().to_owned(),
            jti: jti.map(|jti| jti.chars().take(128).collect()),
        };
        self.audit
            .record(caller.event(now, Some(&identity), what))
            .await?;
        self.live(session, None)
    }

    /// Admits a user of a partner's Keystone whose message has been checked: as everybody who signs in. What is kept is for
    /// the way to the Keystone behind us, and ends with the message.
    pub async fn open_partner(&self, brought: Brought, caller: &Caller) -> Result<Live, Fault> {
        let upstream = brought.assertion.facts().upstream.clone();
        let told = |identity: &Identity| What::PartnerAdmitted {
            upstream: upstream.clone(),
            username: identity.username().to_owned(),
            document: brought.document,
            algorithm: brought.algorithm.to_owned(),
        };
        let finished = Finished::once(brought.assertion);
        match self.begin(finished, caller, told).await {
            Ok(live) => Ok(live),
            Err(fault) => {
                self.refused(upstream, &fault, caller).await?;
                Err(fault)
            }
        }
    }

    /// Puts on the trail that somebody could not sign in.
    pub(super) async fn refused(
        &self,
        upstream: UpstreamId,
        fault: &Fault,
        caller: &Caller,
    ) -> Result<(), Fault> {
        let what = What::SignInRefused {
            upstream,
            code: format!("{:?}", fault.code),
            reasons: fault.reasons.clone(),
        };
        let event = caller.event(self.clock.now(), None, what);
        Ok(self.audit.record(event).await?)
    }

    /// A second session from the same proof, for a device that the person has let in: it ends on its own.
    pub async fn branch(&self, from: &Live) -> Result<Live, Fault> {
        let session = Session {
            id: SessionId(self.entropy.token()),
            started: self.clock.now(),
            ..from.session.clone()
        };
        self.sessions.open(&session).await?;
        if let Some(bond) = self.bonds.bond(&from.sid).await? {
            let sid = session.id.sid();
            self.bonds.bind(&Bond { sid, ..bond }, None).await?;
        }
        self.live(session, None)
    }

    /// Ties a new session to its upstream: for what that says later, and by what it is asked again.
    async fn bind(&self, session: &Session, renewal: Option<String>) -> Result<(), Fault> {
        let facts = session.assertion.facts();
        let source = self.directory.source(&facts.upstream)?;
        let ways = source.upstream.ways();
        if ways.recheck.is_none() && ways.notices.is_none() {
            return Ok(());
        }
        let renewal = renewal.map(|kept| Renewal {
            id: self.entropy.token(),
            sealed: self.sealer.seal(Purpose::Renewal, kept.as_bytes()),
            asked: session.started,
            ends: session.ends,
        });
        let bond = Bond {
            sid: session.id.sid(),
            upstream: facts.upstream.clone(),
            subject: Identity::key_of(&facts.issuer, &facts.subject),
            session: facts.upstream_session.clone(),
            renewal: renewal.as_ref().map(|renewal| renewal.id.clone()),
            ends: session.ends,
        };
        Ok(self.bonds.bind(&bond, renewal.as_ref()).await?)
    }

    /// The session of a cookie; none if there is none that lives.
    pub async fn resume(&self, id: &SessionId) -> Result<Option<Live>, Fault> {
        match self.sessions.find(id, self.clock.now()).await? {
            Some(session) => self.live(session, None).map(Some),
            None => Ok(None),
        }
    }

    /// The session behind a token's `sid`.
    pub async fn by_sid(&self, sid: &str) -> Result<Live, Fault> {
        let found = self.sessions.by_sid(sid, self.clock.now()).await?;
        let session = found.ok_or_else(|| Fault::new(Code::SessionEnded, "no live session by that sid"))?;
        self.live(session, Some(sid))
    }

    /// Ends a session with every token family that hangs on it.
    pub async fn end(&self, live: &Live, by: &str, caller: &Caller) -> Result<(), Fault> {
        self.sessions.end(&live.sid).await?;
        let what = What::SignedOut { by: by.to_owned() };
        Ok(self
            .audit
            .record(caller.event(self.clock.now(), Some(&live.identity), what))
            .await?)
    }

    fn live(&self, session: Session, sid: Option<&str>) -> Result<Live, Fault> {
        let identity = self.door.identify(&session.assertion)?;
        let tenant = self
            .directory
            .tenant(identity.tenant())
            .cloned()
            .ok_or_else(|| Fault::new(Code::SessionEnded, "the tenant is not configured any more"))?;
        let sid = sid.map_or_else(|| session.id.sid(), str::to_owned);
        Ok(Live {
            session,
            sid,
            identity,
            tenant,
        })
    }
}
