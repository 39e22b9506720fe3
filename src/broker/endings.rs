//! Tokens at targets that must end before the target would end them: Keystone gives every token the same life, and
//! nobody can shorten one. So a token that would outlive its permit is kept, sealed, and revoked at the permit's end,
//! with every token that a client has made of it: Keystone forgets where a federated token came from. One that would not
//! is kept too, until it has ended by itself: it is revoked if its holder is gone before that ([`super::departed`]).
//!
//! What is kept survives a restart. A target that does not answer is asked again until the token has ended anyway.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::domain::{
    access::Permit,
    audit::What,
    fault::{Code, Fault},
    ids::{ClientId, TargetId},
    time::Timestamp,
};
use crate::port::{
    audit::Audit,
    clock::Clock,
    departures::Holder,
    records::{Ending, Endings},
    signer::{Purpose, Sealer},
    target::Bound,
};

use super::{departed, directory::Directory, opened, spelling};

/// Most tokens of one target that one round ends.
const MOST_AT_ONCE: u32 = 200;
/// So long a target may think about one of them: the next round of all others waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A token that its target ends so soon after its permit is left alone: clocks differ by that much.
const NEAR: Duration = Duration::from_secs(60);

/// Ends tokens in time.
pub struct Ender {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Where they are kept.
    pub endings: Arc<dyn Endings>,
    /// Seals them.
    pub sealer: Arc<dyn Sealer>,
    /// The trail.
    pub audit: Arc<dyn Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ender {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ender")
    }
}

impl Ender {
    /// Sees to it that a token ends with its permit, where its target would end it later (`gone`): then the answer says
    /// when. And that it ends if whoever it was given to, through that client, is gone.
    pub async fn with(
        &self,
        permit: &Permit,
        client: Option<&ClientId>,
        token: &str,
        gone: Timestamp,
    ) -> Result<Option<Timestamp>, Fault> {
        let identity = permit.identity();
        let near = gone <= permit.expires().plus(NEAR);
        let bound = Bound {
            target: permit.target().clone(),
            ends: if near { gone } else { permit.expires() },
            gone,
            holder: Some(Holder {
                tenant: identity.tenant().clone(),
                upstream: identity.upstream().cloned(),
                client: client.cloned(),
                person: identity.key().to_owned(),
            }),
        };
        self.limit(token, &bound).await?;
        Ok(bound.is_limited().then_some(bound.ends))
    }

    /// Sees to it that a token ends. If that cannot be promised, the token must not be handed out.
    pub async fn limit(&self, token: &str, bound: &Bound) -> Result<(), Fault> {
        let ending = Ending {
            id: spelling::name(token),
            target: bound.target.clone(),
            sealed: self.sealer.seal(Purpose::Handed, token.as_bytes()),
            ends: bound.ends,
            gone: bound.gone,
            holder: bound.holder.clone(),
            why: String::new(),
        };
        Ok(self.endings.note(&ending).await?)
    }

    /// When a token must end that is made of these: with the first of them. It is the same holder's.
    pub async fn bound(&self, from: &[String]) -> Result<Option<Bound>, Fault> {
        let mut bound: Option<Bound> = None;
        for name in from.iter().flat_map(|token| spelling::names(token)) {
            let Some(origin) = self.endings.known(&name).await? else {
                continue;
            };
            bound = Some(Bound {
                ends: bound
                    .as_ref()
                    .map_or(origin.ends, |one| one.ends.min(origin.ends)),
                // Which of them the new one lives as long as, Keystone knows alone.
                gone: bound
                    .as_ref()
                    .map_or(origin.gone, |one| one.gone.max(origin.gone)),
                target: origin.target,
                holder: origin.holder,
            });
        }
        Ok(bound)
    }

    /// Ends what is due. A job calls it every few seconds; replicas may do so at the same time. Each target has a turn
    /// of its own: one that does not answer holds up nothing elsewhere.
    pub async fn sweep(&self) {
        let now = self.clock.now();
        let due = match self.endings.due(now, MOST_AT_ONCE).await {
            Ok(due) => due,
            Err(fault) => {
                tracing::error!(%fault, "tokens that must end could not be looked up");
                return;
            }
        };
        let mut by_target: BTreeMap<TargetId, Vec<Ending>> = BTreeMap::new();
        for ending in due {
            by_target.entry(ending.target.clone()).or_default().push(ending);
        }
        let turns = by_target.into_values().map(|due| self.turn(due, now));
        futures_util::future::join_all(turns).await;
    }

    /// Ends tokens of one target, until it does not answer: its other tokens would only wait as long each.
    async fn turn(&self, due: Vec<Ending>, now: Timestamp) {
        let mut down = false;
        for ending in due {
            let ended = if now >= ending.gone {
                true
            } else if down {
                false
            } else {
                match self.end(&ending).await {
                    Ok(revoked) => {
                        self.tell(&ending, revoked).await;
                        true
                    }
                    Err(fault) => {
                        down = fault.code == Code::TargetDown;
                        tracing::warn!(target = %ending.target, detail = %fault.detail, "a token could not be ended in time; it is tried again");
                        false
                    }
                }
            };
            if ended && let Err(fault) = self.endings.done(&ending.id).await {
                tracing::error!(%fault, "a token that has ended could not be forgotten");
            }
        }
    }

    /// Puts on the trail that a token was taken from its holder. The end of a permit is nothing that anybody took.
    async fn tell(&self, ending: &Ending, revoked: bool) {
        let Some(holder) = ending
            .holder
            .as_ref()
            .filter(|_| revoked && !ending.why.is_empty())
        else {
            return;
        };
        let what = What::CredentialEnded {
            target: ending.target.clone(),
            why: ending.why.clone(),
        };
        let event = departed::event(holder, self.clock.now(), what);
        if let Err(fault) = self.audit.record(event).await {
            tracing::error!(%fault, target = %ending.target, "a token was revoked, and the trail does not say so");
        }
    }

    /// Whether it was revoked; not if nothing can be done about it.
    async fn end(&self, ending: &Ending) -> Result<bool, Fault> {
        let token = opened(&*self.sealer, Purpose::Handed, &ending.sealed);
        let target = self.directory.target(&ending.target);
        let (Some(token), Some(door)) = (token, target.and_then(|target| target.ways().dashboards)) else {
            tracing::error!(target = %ending.target, "a token that must end cannot be ended: its target or the secret key is another; it ends by itself");
            return Ok(false);
        };
        tokio::time::timeout(LONGEST_WAIT, door.revoke(&token))
            .await
            .unwrap_or_else(|_| Err(Fault::new(Code::TargetDown, "no answer in time")))
            .map(|()| true)
    }
}
