//! Signing in for a dashboard (Horizon), and ending there what a session has handed out.
//!
//! A dashboard keeps a session of its own, which no sign-out here reaches. What it lives on are the target's tokens:
//! so the newest of a session are kept, sealed, until they end, and are revoked with the session. Tokens that a
//! dashboard makes of another (one for each project) count too: Keystone 30 revokes them with their origin for its
//! local users, but forgets the origin of federated ones.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::domain::{
    access::Asked,
    audit::What,
    fault::{Code, Fault},
    ids::TargetId,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    signer::{Purpose, Sealer},
    tickets::{TicketKind, Tickets},
};

use super::{
    Caller, admit::Door, bearer::goal_of, directory::Directory, endings::Ender, session::Live, spelling,
};

/// Tokens that are kept of one session. A person with more than that at once loses sight of the oldest, which
/// then ends by its own time.
const MOST_KEPT: usize = 32;
/// How often two sign-ins of one session at the same moment may get in each other's way.
const MOST_TRIES: usize = 8;

/// Brings people to dashboards.
pub struct Dashboards {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The pipeline.
    pub door: Arc<Door>,
    /// Ends tokens that would outlive their permit.
    pub ender: Arc<Ender>,
    /// Keeps tokens until they end.
    pub tickets: Arc<dyn Tickets>,
    /// Seals them.
    pub sealer: Arc<dyn Sealer>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Dashboards {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Dashboards")
    }
}

/// A token that a session has handed to a dashboard.
#[derive(Serialize, Deserialize)]
struct Handed {
    target: TargetId,
    token: String,
}

/// Whose a token is.
#[derive(Serialize, Deserialize)]
struct Owner {
    sid: String,
    target: TargetId,
    /// How long the session and what it has handed out may live from the sign-in on, in seconds.
    life: u64,
}

/// What ending the tokens of a session came to: names of targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Their tokens are revoked.
    pub closed: Vec<String>,
    /// They did not answer: tokens there end by their own time.
    pub open: Vec<String>,
}

impl Dashboards {
    /// The target's page that takes a token to `origin`. The caller has checked that `origin` is trusted.
    pub async fn enter(
        &self,
        live: &Live,
        target: &TargetId,
        origin: &str,
        caller: &Caller,
    ) -> Result<Vec<u8>, Fault> {
        let unknown = || Fault::new(Code::NotFound, format!("no dashboards at '{target}'"));
        let target = self.directory.target(target).ok_or_else(unknown)?;
        let door = target.ways().dashboards.ok_or_else(unknown)?;
        let facts = target.facts();
        let now = self.clock.now();
        let goal = goal_of(facts, now, live.session.ends);
        let permit = self
            .door
            .permit(&live.identity, &goal, Asked::Everything, (None, caller))
            .await?;
        let entry = door.enter(&permit, origin).await?;
        let owner = Owner {
            sid: live.sid.clone(),
            target: facts.id.clone(),
            life: (now.until(live.session.ends) + facts.ceilings.lifetime).as_secs(),
        };
        self.ender
            .with(&permit, None, &entry.token, entry.expires)
            .await?;
        // A token that cannot be kept could not be revoked either, so it is not handed out.
        self.keep(&owner, &entry.token).await?;
        let what = What::CredentialMinted {
            target: facts.id.clone(),
            audience: facts.audience.clone(),
            rules: permit.grants().iter().map(|grant| grant.rule.clone()).collect(),
        };
        self.audit
            .record(caller.event(now, Some(&live.identity), what))
            .await?;
        Ok(entry.page)
    }

    /// A dashboard has made a token of another. If a session of ours has handed that out, this one ends with it.
    pub async fn made(&self, from: &[String], token: &str) -> Result<(), Fault> {
        for name in from.iter().flat_map(|token| spelling::names(token)) {
            let Some(owner) = self.tickets.peek(TicketKind::HandedBy, &name).await? else {
                continue;
            };
            let owner: Owner = serde_json::from_slice(&owner)
                .map_err(|error| Fault::new(Code::Internal, error.to_string()))?;
            self.keep(&owner, token).await?;
        }
        Ok(())
    }

    async fn keep(&self, owner: &Owner, token: &str) -> Result<(), Fault> {
        let unreadable = |error: serde_json::Error| Fault::new(Code::Internal, error.to_string());
        let life = Duration::from_secs(owner.life);
        let text = serde_json::to_vec(owner).map_err(unreadable)?;
        let name = spelling::name(token);
        self.tickets.put(TicketKind::HandedBy, &name, &text, life).await?;
        for _ in 0..MOST_TRIES {
            let before = self.tickets.peek(TicketKind::Handed, &owner.sid).await?;
            let mut all = before
                .as_deref()
                .map(|sealed| self.opened(sealed))
                .unwrap_or_default();
            all.push(Handed {
                target: owner.target.clone(),
                token: token.to_owned(),
            });
            let surplus = all.len().saturating_sub(MOST_KEPT);
            all.drain(..surplus);
            let text = serde_json::to_vec(&all).map_err(unreadable)?;
            let after = self.sealer.seal(Purpose::Handed, &text).into_bytes();
            let kept = match before {
                Some(before) => {
                    self.tickets
                        .swap(TicketKind::Handed, &owner.sid, &before, &after)
                        .await?
                }
                None => {
                    self.tickets
                        .put(TicketKind::Handed, &owner.sid, &after, life)
                        .await?
                }
            };
            if kept {
                return Ok(());
            }
        }
        Err(Fault::new(
            Code::StoreDown,
            "too many sign-ins of one session at the same moment",
        ))
    }

    fn opened(&self, sealed: &[u8]) -> Vec<Handed> {
        std::str::from_utf8(sealed)
            .ok()
            .and_then(|sealed| self.sealer.open(Purpose::Handed, sealed))
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Revokes what a session has handed out. Never fails: a session must end even where a target is down.
    pub async fn leave(&self, live: &Live, caller: &Caller) -> Left {
        let mut left = Left::default();
        let all = match self.tickets.take(TicketKind::Handed, &live.sid).await {
            Ok(sealed) => sealed.map(|sealed| self.opened(&sealed)).unwrap_or_default(),
            Err(fault) => {
                tracing::error!(reference = %caller.reference, detail = %fault, "tokens at dashboards could not be looked up; they end by themselves");
                return left;
            }
        };
        for handed in all {
            let Some(target) = self.directory.target(&handed.target) else {
                continue;
            };
            let Some(door) = target.ways().dashboards else {
                continue;
            };
            let name = &target.facts().name;
            if left.open.contains(name) {
                // It does not answer: its other tokens would only make the person wait.
                continue;
            }
            let names = match door.revoke(&handed.token).await {
                Ok(()) => &mut left.closed,
                Err(fault) => {
                    tracing::warn!(reference = %caller.reference, target = %handed.target, detail = %fault.detail, "a token at a dashboard could not be revoked; it ends by itself");
                    &mut left.open
                }
            };
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        left.closed.retain(|name| !left.open.contains(name));
        left
    }
}
