//! Randomness is a parameter too.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);

    /// A 255-bit name that cannot be guessed, in base64url (43 characters). It begins with a letter: people put codes
    /// on command lines (`--os-code`), where a dash would begin an option.
    fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes[0] &= 0x7f;
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct All(u8);

    impl Entropy for All {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn a_token_begins_with_a_letter() {
        for byte in 0..=u8::MAX {
            let token = All(byte).token();
            assert!(
                token.starts_with(|first: char| first.is_ascii_alphabetic()),
                "{token}"
            );
            assert_eq!(token.len(), 43);
        }
    }
}
