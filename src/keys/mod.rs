//! Our own keys: the ring that signs and verifies, the JWKS, and the seal of what we hand out to get back.
//!
//! It implements `port::signer`, `port::keyring` and `port::entropy`. It may import `domain` and `port` only. No
//! private key and no secret leaves this room, neither in a log nor by `{:?}`.
//!
//! Start at `ring.rs`; then `rotate.rs` (the life of keys), `verify.rs` (our own tokens only), `seal.rs`.

mod care;
mod config;
mod entropy;
mod jwks;
mod material;
mod ring;
mod rings;
mod rotate;
mod seal;
mod verify;

pub use config::Config;
pub use entropy::SystemEntropy;
pub use ring::KeyRing;
pub use rings::{RingParts, Rings};
pub use rotate::REFRESH_EVERY;
pub use seal::{SecretSealer, ShortSecret};

pub use crate::port::keyring::KeyLine as KeyInfo;

use crate::port::records::RecordFault;

/// Why the ring cannot be opened or rotated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingFault {
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordFault),
    /// A stored key was sealed with another secret.
    #[error(
        "the stored signing key {kid} cannot be opened with the secret in secret_key: put the secret back that \
         sealed it (another one would also end every session); only if it is lost, delete the rows of the table \
         signing_keys, and new keys are made at the next start"
    )]
    Sealed {
        /// The key.
        kid: String,
    },
    /// The crypto library refused.
    #[error("a signing key cannot be made or read: {0}")]
    Broken(String),
}
