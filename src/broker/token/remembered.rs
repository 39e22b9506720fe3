//! Good answers to introspection, remembered for some seconds: a service asks about the same token with each of its
//! requests, and what decides it (signature, session, three questions to policy) rarely changes in between.
//!
//! An answer is given again to the same client at the same address alone, under the same policy, and only while
//! nothing was ended at this gateway's process: after a sign-out or a revocation everything is looked up anew. What
//! another replica ends, and a rule with a date, take effect within these seconds. Refusals are never remembered, so that
//! nobody fills the memory with inventions.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use crate::domain::{client::ClientSettings, ids::ClientId, time::Timestamp};

use super::Known;
use crate::broker::{Caller, hashed};

/// Longest time that an answer is given again.
const KEPT: Duration = Duration::from_secs(5);
/// Most answers; some KiB each.
const MOST: usize = 10_000;

/// Who asks about what. Of the token only its SHA-256 is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asking {
    token: String,
    client: ClientId,
    /// Policy may look at it.
    address: Option<IpAddr>,
}

impl Asking {
    pub(super) fn of(client: &ClientSettings, token: &str, caller: &Caller) -> Self {
        Self {
            token: hashed(token),
            client: client.id.clone(),
            address: caller.address,
        }
    }
}

/// What an answer rests on, noted before anything is looked up for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Basis {
    /// Of the policy.
    pub(super) revision: String,
    /// What was ended so far.
    pub(super) ended: u64,
}

struct Entry {
    known: Known,
    basis: Basis,
    until: Timestamp,
}

/// The answers.
#[derive(Default)]
pub struct Remembered(RwLock<HashMap<Asking, Entry>>);

impl std::fmt::Debug for Remembered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Remembered")
    }
}

impl Remembered {
    pub(super) fn answer(&self, asking: &Asking, basis: &Basis, now: Timestamp) -> Option<Known> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = all.get(asking)?;
        (entry.basis == *basis && now < entry.until).then(|| entry.known.clone())
    }

    /// Remembers an answer that is good until `ends` at the most.
    pub(super) fn keep(
        &self,
        asking: Asking,
        known: &Known,
        basis: Basis,
        (now, ends): (Timestamp, Timestamp),
    ) {
        let until = ends.min(now.plus(KEPT));
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, entry| now < entry.until && entry.basis == basis);
            if all.len() >= MOST {
                all.clear();
            }
        }
        let known = known.clone();
        all.insert(asking, Entry { known, basis, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Reference;

    fn asking(token: &str, client: &str, address: &str) -> Asking {
        let client: ClientSettings = serde_json::from_value(serde_json::json!({
            "id": client, "name": client, "auth": { "method": "none" }, "grants": [],
        }))
        .unwrap();
        let caller = Caller {
            reference: Reference("FG-1".to_owned()),
            address: address.parse().ok(),
        };
        Asking::of(&client, token, &caller)
    }

    #[test]
    fn an_answer_is_for_one_client_at_one_address_under_one_policy_and_for_seconds() {
        let remembered = Remembered::default();
        let basis = |revision: &str, ended| Basis {
            revision: revision.to_owned(),
            ended,
        };
        let known: crate::broker::bearer::Claims = serde_json::from_value(serde_json::json!({
            "iss": "i", "sub": "s", "aud": "a", "exp": 1_000, "iat": 1, "jti": "j", "client_id": "c",
        }))
        .unwrap();
        let (known, now) = (Known::Access(Box::new(known)), Timestamp(100));
        let own = || asking("token", "swift", "192.0.2.1");
        remembered.keep(own(), &known, basis("r1", 7), (now, Timestamp(1_000)));
        let again = |asking: &Asking, revision, ended, at| {
            let found = remembered.answer(asking, &basis(revision, ended), Timestamp(at));
            found.is_some()
        };
        assert!(again(&own(), "r1", 7, 100) && again(&own(), "r1", 7, 104));
        assert!(!again(&own(), "r1", 7, 105), "five seconds are over");
        assert!(!again(&own(), "r2", 7, 100), "another policy");
        assert!(!again(&own(), "r1", 8, 100), "something was ended");
        for other in [
            asking("tokem", "swift", "192.0.2.1"),
            asking("token", "barbican", "192.0.2.1"),
            asking("token", "swift", "192.0.2.2"),
        ] {
            assert!(!again(&other, "r1", 7, 100), "{other:?}");
        }
        remembered.keep(own(), &known, basis("r1", 7), (now, Timestamp(102)));
        assert!(!again(&own(), "r1", 7, 102), "the token itself has ended");
    }
}
