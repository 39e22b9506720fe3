//! What a builtin may know of the evaluation that calls it: its time, and whether errors of builtins count.
//!
//! The time comes from the caller, so that a decision can be replayed. The engine gives a function nothing but its
//! arguments, so both are kept for the thread. Outside of an evaluation errors count and there is no time: what
//! forgets [`during`] fails instead of answering otherwise.

use std::cell::Cell;

#[derive(Debug, Clone, Copy)]
struct Moment {
    now_ns: Option<i64>,
    strict: bool,
}

thread_local! {
    static NOW: Cell<Moment> = const { Cell::new(Moment { now_ns: None, strict: true }) };
}

/// Runs `work` with this time for `time.now_ns`. An evaluation never leaves its thread.
pub(super) fn during<R>(now_ns: Option<i64>, strict: bool, work: impl FnOnce() -> R) -> R {
    /// Restores what an outer evaluation set, also when the engine panics.
    struct Restore(Moment);
    impl Drop for Restore {
        fn drop(&mut self) {
            NOW.set(self.0);
        }
    }
    let _restore = Restore(NOW.replace(Moment { now_ns, strict }));
    work()
}

/// The time of the running evaluation in nanoseconds since the epoch, if its caller gave one.
pub(super) fn now_ns() -> Option<i64> {
    NOW.get().now_ns
}

/// Whether an error of a builtin ends the evaluation; otherwise the call is undefined.
pub(super) fn strict() -> bool {
    NOW.get().strict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_ends_with_its_evaluation() {
        assert_eq!(during(Some(7), false, now_ns), Some(7));
        assert!(!during(None, false, strict) && strict());
        assert_eq!(now_ns(), None);
        let broken = std::panic::catch_unwind(|| during(Some(7), false, || panic!("x")));
        assert!(broken.is_err() && now_ns().is_none());
    }
}
