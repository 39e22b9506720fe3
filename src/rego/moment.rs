//! The time that a policy sees. It comes from the caller, so that a decision can be replayed.

use std::cell::Cell;

thread_local! {
    static NOW: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Runs `work` with this time for `time.now_ns`. An evaluation never leaves its thread.
pub(super) fn during<R>(now_ns: Option<i64>, work: impl FnOnce() -> R) -> R {
    /// Restores the time that an outer evaluation set, also when the engine panics.
    struct Restore(Option<i64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NOW.set(self.0);
        }
    }
    let _restore = Restore(NOW.replace(now_ns));
    work()
}

/// The time of the running evaluation in nanoseconds since the epoch, if its caller gave one.
pub(super) fn now_ns() -> Option<i64> {
    NOW.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_ends_with_its_evaluation() {
        assert_eq!(during(Some(7), now_ns), Some(7));
        assert_eq!(now_ns(), None);
        let broken = std::panic::catch_unwind(|| during(Some(7), || panic!("x")));
        assert!(broken.is_err() && now_ns().is_none());
    }
}
