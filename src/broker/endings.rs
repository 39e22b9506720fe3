//! Tokens at targets that must end before the target would end them: Keystone gives every token the same life, and
//! nobody can shorten one. So a token that would outlive its permit is kept, sealed, and revoked at the permit's end,
//! with every token that a client has made of it: Keystone forgets where a federated token came from.
//!
//! What is kept survives a restart. A target that does not answer is asked again until the token has ended anyway.

use std::sync::Arc;

use aws_lc_rs::digest;

use crate::domain::{fault::Fault, ids::TargetId, time::Timestamp};
use crate::port::{
    clock::Clock,
    records::{Ending, Endings},
    signer::{Purpose, Sealer},
};

use super::directory::Directory;

/// Most tokens that one round ends.
const MOST_AT_ONCE: u32 = 200;

/// Ends tokens in time.
pub struct Ender {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// Where they are kept.
    pub endings: Arc<dyn Endings>,
    /// Seals them.
    pub sealer: Arc<dyn Sealer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Ender {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Ender")
    }
}

/// When a token must end, and when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// It must not be good after this.
    pub ends: Timestamp,
    /// The target ends it then.
    pub gone: Timestamp,
}

impl Ender {
    /// Sees to it that a token ends. If that cannot be promised, the token must not be handed out.
    pub async fn limit(&self, target: &TargetId, token: &str, span: Span) -> Result<(), Fault> {
        let ending = Ending {
            id: name(token),
            target: target.clone(),
            sealed: self.sealer.seal(Purpose::Handed, token.as_bytes()),
            ends: span.ends,
            gone: span.gone,
        };
        Ok(self.endings.note(&ending).await?)
    }

    /// A client has made a token of another. If that one must end, so must this one.
    pub async fn made(&self, from: &str, token: &str) -> Result<(), Fault> {
        let Some(origin) = self.endings.known(&name(from)).await? else {
            return Ok(());
        };
        let span = Span {
            ends: origin.ends,
            gone: origin.gone,
        };
        self.limit(&origin.target, token, span).await
    }

    /// Ends what is due. A job calls it every few seconds; replicas may do so at the same time.
    pub async fn sweep(&self) {
        let now = self.clock.now();
        let due = match self.endings.due(now, MOST_AT_ONCE).await {
            Ok(due) => due,
            Err(fault) => {
                tracing::error!(%fault, "tokens that must end could not be looked up");
                return;
            }
        };
        for ending in due {
            if self.end(&ending, now).await
                && let Err(fault) = self.endings.done(&ending.id).await
            {
                tracing::error!(%fault, "a token that has ended could not be forgotten");
            }
        }
    }

    /// Whether it has ended.
    async fn end(&self, ending: &Ending, now: Timestamp) -> bool {
        if now >= ending.gone {
            return true;
        }
        let token = self
            .sealer
            .open(Purpose::Handed, &ending.sealed)
            .and_then(|token| String::from_utf8(token).ok());
        let target = self.directory.target(&ending.target);
        let (Some(token), Some(door)) = (token, target.and_then(|target| target.ways().dashboards)) else {
            tracing::error!(target = %ending.target, "a token that must end cannot be ended: its target or the secret key is another; it ends by itself");
            return true;
        };
        match door.revoke(&token).await {
            Ok(()) => true,
            Err(fault) => {
                tracing::warn!(target = %ending.target, detail = %fault.detail, "a token could not be ended in time; it is tried again");
                false
            }
        }
    }
}

fn name(token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
