//! Tickets and counters in this process: bounded, and gone with it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    domain::time::Timestamp,
    port::{
        clock::Clock,
        limits::{Limits, Quota, Verdict},
        tickets::{TicketFault, TicketKind, Tickets},
    },
};

/// Values with an end, at most so many of them, ordered by end so that dropping the ended ones costs
/// only what it drops.
struct Shelf<K, V> {
    most: usize,
    entries: HashMap<K, (V, Timestamp)>,
    ends: BTreeSet<(Timestamp, K)>,
    latest: Timestamp,
}

impl<K: Copy + Ord + std::hash::Hash, V> Shelf<K, V> {
    fn new(most: usize) -> Self {
        Self {
            most,
            entries: HashMap::new(),
            ends: BTreeSet::new(),
            latest: Timestamp(i64::MIN),
        }
    }

    /// Time that never runs backwards: a clock that is set back revives nothing. Drops what has ended.
    fn advance(&mut self, now: Timestamp) -> (Timestamp, u64) {
        self.latest = self.latest.max(now);
        let mut dropped = 0;
        while let Some(&(end, key)) = self.ends.first() {
            if end > self.latest {
                break;
            }
            self.ends.pop_first();
            self.entries.remove(&key);
            dropped += 1;
        }
        (self.latest, dropped)
    }

    fn insert(&mut self, key: K, value: V, end: Timestamp) -> Result<(), TicketFault> {
        if self.entries.len() >= self.most {
            return Err(TicketFault::Full);
        }
        self.entries.insert(key, (value, end));
        self.ends.insert((end, key));
        Ok(())
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let (value, end) = self.entries.remove(key)?;
        self.ends.remove(&(end, *key));
        Some(value)
    }
}

// A panic while the lock is held cannot leave a shelf half changed in a way that matters.
fn locked<T>(shelf: &Mutex<T>) -> MutexGuard<'_, T> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
        *to = *from;
    }
    out
}

// Whole seconds, rounded up: nothing ends before its time to live.
fn end_of(now: Timestamp, ttl: Duration) -> Timestamp {
    let part = u64::from(ttl.subsec_nanos() > 0);
    now.plus(Duration::from_secs(ttl.as_secs().saturating_add(part)))
}

/// A ticket's kind and the digest of its secret name.
type TicketKey = (TicketKind, [u8; 32]);

/// Tickets of this process.
pub struct MemoryTickets {
    shelf: Mutex<Shelf<TicketKey, Vec<u8>>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for MemoryTickets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MemoryTickets(…)")
    }
}

impl MemoryTickets {
    /// Keeps at most `most` tickets.
    #[must_use]
    pub fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            shelf: Mutex::new(Shelf::new(most)),
            clock,
        }
    }
}

#[async_trait]
impl Tickets for MemoryTickets {
    async fn put(
        &self,
        kind: TicketKind,
        id: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, TicketFault> {
        let key = (kind, hash(id));
        let mut shelf = locked(&self.shelf);
        let (now, _) = shelf.advance(self.clock.now());
        if shelf.entries.contains_key(&key) {
            return Ok(false);
        }
        shelf.insert(key, value.to_vec(), end_of(now, ttl))?;
        Ok(true)
    }

    async fn take(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        let mut shelf = locked(&self.shelf);
        shelf.advance(self.clock.now());
        Ok(shelf.remove(&(kind, hash(id))))
    }

    async fn peek(&self, kind: TicketKind, id: &str) -> Result<Option<Vec<u8>>, TicketFault> {
        let mut shelf = locked(&self.shelf);
        shelf.advance(self.clock.now());
        Ok(shelf
            .entries
            .get(&(kind, hash(id)))
            .map(|(value, _)| value.clone()))
    }

    async fn swap(&self, kind: TicketKind, id: &str, old: &[u8], new: &[u8]) -> Result<bool, TicketFault> {
        let mut shelf = locked(&self.shelf);
        shelf.advance(self.clock.now());
        match shelf.entries.get_mut(&(kind, hash(id))) {
            Some((value, _)) if value == old => {
                *value = new.to_vec();
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    async fn sweep(&self) -> Result<u64, TicketFault> {
        let mut shelf = locked(&self.shelf);
        Ok(shelf.advance(self.clock.now()).1)
    }
}

/// Counters of this process.
pub struct MemoryLimits {
    shelf: Mutex<Shelf<[u8; 32], u32>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for MemoryLimits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MemoryLimits(…)")
    }
}

impl MemoryLimits {
    /// Keeps at most `most` counters.
    #[must_use]
    pub fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            shelf: Mutex::new(Shelf::new(most)),
            clock,
        }
    }
}

#[async_trait]
impl Limits for MemoryLimits {
    async fn hit(&self, key: &str, quota: Quota) -> Result<Verdict, TicketFault> {
        let key = hash(key);
        let mut shelf = locked(&self.shelf);
        let (now, _) = shelf.advance(self.clock.now());
        let (hits, end) = match shelf.entries.get_mut(&key) {
            Some((hits, end)) => {
                *hits = hits.saturating_add(1);
                (*hits, *end)
            }
            None => {
                let end = end_of(now, quota.within);
                shelf.insert(key, 1, end)?;
                (1, end)
            }
        };
        Ok(if hits <= quota.times {
            Verdict::Free
        } else {
            Verdict::Wait(now.until(end))
        })
    }

    async fn clear(&self, key: &str) -> Result<(), TicketFault> {
        locked(&self.shelf).remove(&hash(key));
        Ok(())
    }
}
