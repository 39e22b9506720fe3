//! Randomness is a parameter too.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);

    /// A 256-bit name that cannot be guessed, in base64url (43 characters).
    fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}
