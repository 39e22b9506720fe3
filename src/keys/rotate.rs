//! The life of the ring: first keys, successors, and reading what other replicas did.

use std::{sync::Arc, time::Duration};

use super::{
    RingFault,
    material::Key,
    ring::{KeyRing, State},
};
use crate::{
    domain::key::{Algorithm, Life},
    port::records::StoredKey,
};

/// How often `refresh` is to be called. A key is published `PUBLISH_AHEAD` before it signs: the JWKS's
/// max-age and a minute. Every replica must serve a new key within that minute.
pub const REFRESH_EVERY: Duration = Duration::from_secs(30);

const BOTH: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Rs256];

impl KeyRing {
    /// Reads the keys from the records. Keys that are known already are not parsed again; if nothing
    /// changed, the document stays the same.
    pub async fn reload(&self) -> Result<(), RingFault> {
        let stored = self.records.keys(&self.name, self.clock.now()).await?;
        let before = self.state.load_full();
        let same = stored.len() == before.keys.len()
            && stored
                .iter()
                .zip(&before.keys)
                .all(|(new, old)| new.kid == old.kid && new.life == old.life);
        if same {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(stored.len());
        for key in stored {
            let known = before
                .keys
                .iter()
                .find(|old| old.kid == key.kid && old.life == key.life);
            keys.push(match known {
                Some(old) => Arc::clone(old),
                None => Arc::new(Key::read(key, &self.sealer)?),
            });
        }
        self.state.store(Arc::new(State::new(keys)));
        Ok(())
    }

    /// Makes the first key of each algorithm that has none.
    pub async fn ensure(&self) -> Result<(), RingFault> {
        for algorithm in BOTH {
            if self.of(algorithm).is_empty() {
                let new = self.generate(algorithm, Life::first(self.clock.now()))?;
                // Where another replica was quicker, its key is the one we read.
                self.records.add(&new, &[], &[]).await?;
                self.reload().await?;
            }
        }
        Ok(())
    }

    /// Publishes a successor, of one algorithm or of both, that signs once every cache has seen it.
    /// Answers the new keys' names; none where another replica rotated at the same moment.
    pub async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<Vec<String>, RingFault> {
        self.reload().await?;
        let mut made = Vec::new();
        for algorithm in BOTH
            .into_iter()
            .filter(|each| algorithm.is_none_or(|one| one == *each))
        {
            if let Some(kid) = self.succeed(algorithm).await? {
                made.push(kid);
            }
        }
        self.reload().await?;
        Ok(made)
    }

    /// Reads what others did, and rotates keys that have reached the configured age.
    pub async fn refresh(&self) -> Result<Vec<String>, RingFault> {
        self.reload().await?;
        let age = Duration::from_secs(u64::from(self.settings.rotate_after_days) * 86_400);
        let mut made = Vec::new();
        if age.is_zero() {
            return Ok(made);
        }
        let now = self.clock.now();
        for algorithm in BOTH {
            let newest = self
                .of(algorithm)
                .into_iter()
                .map(|key| key.life.signs_from)
                .max();
            if newest.is_some_and(|from| from.plus(age) <= now) {
                made.append(&mut self.rotate(Some(algorithm)).await?);
            }
        }
        Ok(made)
    }

    async fn succeed(&self, algorithm: Algorithm) -> Result<Option<String>, RingFault> {
        let life = Life::successor(self.clock.now());
        let longest = Duration::from_secs(u64::from(self.settings.longest_token_s));
        let present = self.of(algorithm);
        let superseded: Vec<(String, Life)> = present
            .iter()
            .filter(|key| key.life.signs_until.is_none())
            .map(|key| (key.kid.clone(), key.life.superseded(life.signs_from, longest)))
            .collect();
        let seen: Vec<String> = present.iter().map(|key| key.kid.clone()).collect();
        let new = self.generate(algorithm, life)?;
        let added = self.records.add(&new, &superseded, &seen).await?;
        Ok(added.then_some(new.kid))
    }

    fn of(&self, algorithm: Algorithm) -> Vec<Arc<Key>> {
        let state = self.state.load();
        state
            .keys
            .iter()
            .filter(|key| key.algorithm == algorithm)
            .map(Arc::clone)
            .collect()
    }

    fn generate(&self, algorithm: Algorithm, life: Life) -> Result<StoredKey, RingFault> {
        Key::generate(algorithm, life, (&self.name, &self.issuer), &self.sealer)
    }
}
