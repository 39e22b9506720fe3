//! How long something takes, for the commands that say so.

use std::time::{Duration, Instant};

/// Does it, and says how long it took.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the stopwatch of the command line"
)]
pub fn measured<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

/// As Go writes durations, which OPA's commands print: `1.5ms`.
#[must_use]
pub fn go_style(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, whole, digits) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => ("µs", 1_000, 3),
        1_000_000..1_000_000_000 => ("ms", 1_000_000, 6),
        _ => ("s", 1_000_000_000, 9),
    };
    let fraction = format!("{:0digits$}", nanos % whole);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}{unit}", nanos / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanos, text) in [
            (0, "0ns"),
            (334_658, "334.658µs"),
            (11_402_040, "11.40204ms"),
            (1_000, "1µs"),
            (2_500_000_000, "2.5s"),
        ] {
            assert_eq!(go_style(Duration::from_nanos(nanos)), text);
        }
    }
}
