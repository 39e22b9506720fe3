//! How long to wait before a call is made again.

use std::time::Duration;

/// The delay before the next try after some failures: doubling, with jitter, at most `most`.
pub fn back_off(failures: u32, most: Duration) -> Duration {
    let doubled = Duration::from_millis(100).saturating_mul(2_u32.saturating_pow(failures.min(20)));
    let top = doubled.min(most.max(Duration::from_millis(100)));
    // Between half and all of it, so that many gateways do not come back together.
    top.mul_f64(0.5 + jitter() / 2.0)
}

/// Somewhere between two delays.
pub fn between(least: Duration, most: Duration) -> Duration {
    least + most.saturating_sub(least).mul_f64(jitter())
}

/// A number from 0 to below 1.
fn jitter() -> f64 {
    let mut byte = [0_u8; 2];
    // Without randomness there is no jitter, and nothing worse.
    let _unlucky = aws_lc_rs::rand::fill(&mut byte);
    f64::from(u16::from_be_bytes(byte)) / 65_536.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_most_and_are_spread() {
        let most = Duration::from_secs(60);
        for (failures, top) in [(0, 100), (3, 800), (9, 51_200), (12, 60_000), (u32::MAX, 60_000)] {
            let delay = back_off(failures, most);
            let top = Duration::from_millis(top);
            assert!(delay >= top / 2 && delay <= top, "{failures}: {delay:?}");
        }
        let delay = between(Duration::from_secs(1), Duration::from_secs(2));
        assert!((1.0..2.0).contains(&delay.as_secs_f64()));
        assert_eq!(between(most, most), most);
    }
}
