//! Time is a parameter: nobody below `app` looks at the wall clock.

use crate::domain::time::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Seconds since the epoch.
    fn now(&self) -> Timestamp;
}
