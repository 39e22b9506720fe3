//! Time is a parameter: nobody below `app` looks at the wall clock.

use crate::domain::time::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Seconds since the epoch.
    fn now(&self) -> Timestamp;
    /// Nanoseconds since the epoch. A clock that counts seconds alone answers with whole ones.
    fn now_ns(&self) -> i64 {
        self.now().0.saturating_mul(1_000_000_000)
    }
}
