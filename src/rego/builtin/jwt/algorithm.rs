//! The closed list of signature algorithms.

use aws_lc_rs::hmac;

use super::super::key::{Hash, PublicKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs(Hash),
    Ps(Hash),
    Es(Hash),
    Hs(Hash),
    EdDsa,
}

impl Algorithm {
    /// By its name in RFC 7518 and RFC 8037.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name == "EdDSA" {
            return Some(Self::EdDsa);
        }
        let hash = match name.get(2..)? {
            "256" => Hash::Sha256,
            "384" => Hash::Sha384,
            "512" => Hash::Sha512,
            _ => return None,
        };
        match name.get(..2)? {
            "RS" => Some(Self::Rs(hash)),
            "PS" => Some(Self::Ps(hash)),
            "ES" => Some(Self::Es(hash)),
            "HS" => Some(Self::Hs(hash)),
            _ => None,
        }
    }

    /// Whether the signature is of this key. A secret is no public key: HS never verifies here.
    pub(super) fn holds(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rs(hash) => key.pkcs1(hash, message, signature),
            Self::Ps(hash) => key.pss(hash, message, signature),
            Self::Es(hash) => key.ecdsa_pair(hash, message, signature),
            Self::EdDsa => key.ed25519(message, signature),
            Self::Hs(_) => false,
        }
    }

    /// Whether the signature is of this secret; only HS can say so.
    pub(super) fn holds_secret(self, secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Self::Hs(hash) = self else { return false };
        let key = hmac::Key::new(mac(hash), secret);
        // In constant time, so that an answer's delay tells nothing of the right signature.
        hmac::verify(&key, message, signature).is_ok()
    }
}

pub(super) fn mac(hash: Hash) -> hmac::Algorithm {
    match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    }
}
