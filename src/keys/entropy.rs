//! Randomness from the crypto library, which seeds itself from the system.

use aws_lc_rs::rand;

use crate::port::entropy::Entropy;

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        if rand::fill(out).is_err() {
            // Going on would hand out names that can be guessed.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_have_256_bits() {
        let (one, two) = (SystemEntropy.token(), SystemEntropy.token());
        assert_ne!(one, two);
        assert_eq!(one.len(), 43);
    }
}
