//! What adapters are wired with in tests: a clock that stands still, and secrets that are their own names.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use fedgate::{
    domain::{
        secret::{Secret, SecretRef},
        time::Timestamp,
    },
    keys::SystemEntropy,
    port::{
        clock::Clock,
        secrets::{MissingSecret, Secrets},
    },
    store::memory::{MemoryLimits, MemoryTickets},
    upstream::Wiring,
};

/// Starts at the real time and moves when told.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Arc::new(Self(AtomicI64::new(i64::try_from(now).unwrap())))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// `{ env: x }` is the secret `x`.
pub struct Plain;

impl Secrets for Plain {
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret> {
        match from {
            SecretRef::Env(text) => Ok(Secret::new(text.clone())),
            SecretRef::File(path) => Err(MissingSecret(format!("{}: not in this test", path.display()))),
        }
    }
}

/// Wires an upstream of the gateway `https://gateway.test`.
pub fn wiring(clock: &Arc<TestClock>) -> Wiring<'static> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    Wiring {
        issuer: "https://gateway.test".to_owned(),
        secrets: &Plain,
        entropy: Arc::new(SystemEntropy),
        limits: Arc::new(MemoryLimits::new(1000, Arc::clone(&clock))),
        tickets: Arc::new(MemoryTickets::new(1000, Arc::clone(&clock))),
        clock,
    }
}
