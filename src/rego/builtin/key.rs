//! Public keys and what can be checked with them, by the one crypto provider of the house.

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use x509_parser::der_parser::oid;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The digest below a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// Bytes of one coordinate.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// Big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    /// A kind that nothing can be checked with.
    Other,
}

impl PublicKey {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        if info.algorithm.algorithm == oid!(1.3.101.112) {
            return Some(Self::Ed25519(info.subject_public_key.data.to_vec()));
        }
        match info.parsed().ok()? {
            Parsed::RSA(key) => Some(Self::Rsa {
                n: trimmed(key.modulus).to_vec(),
                e: trimmed(key.exponent).to_vec(),
            }),
            Parsed::EC(point) => {
                let named = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
                let curve = match () {
                    () if named == oid!(1.2.840.10045.3.1.7) => Curve::P256,
                    () if named == oid!(1.3.132.0.34) => Curve::P384,
                    () if named == oid!(1.3.132.0.35) => Curve::P521,
                    () => return Some(Self::Other),
                };
                Some(Self::Ec {
                    curve,
                    point: point.data().to_vec(),
                })
            }
            Parsed::DSA(_) | Parsed::GostR3410(_) | Parsed::GostR3410_2012(_) | Parsed::Unknown(_) => {
                Some(Self::Other)
            }
        }
    }

    pub(super) fn pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        // Go takes RSA keys from 1024 bits; the provider has that floor for two of the digests.
        self.rsa(
            message,
            signature,
            match hash {
                Hash::Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                Hash::Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Hash::Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            },
        )
    }

    pub(super) fn pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        self.rsa(
            message,
            signature,
            match hash {
                Hash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
                Hash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
                Hash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
            },
        )
    }

    fn rsa(&self, message: &[u8], signature: &[u8], parameters: &RsaParameters) -> bool {
        let Self::Rsa { n, e } = self else { return false };
        RsaPublicKeyComponents { n, e }
            .verify(parameters, message, signature)
            .is_ok()
    }

    /// A signature in the form that certificates have.
    pub(super) fn ecdsa(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Self::Ec { curve, point } = self else {
            return false;
        };
        UnparsedPublicKey::new(ecdsa(*curve, hash), point)
            .verify(message, signature)
            .is_ok()
    }

    /// A signature in the form that tokens have: both numbers, one after the other (RFC 7518, 3.4).
    pub(super) fn ecdsa_pair(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        // No curve has longer numbers; the bound keeps the encoding below short.
        if signature.len() > 2 * Curve::P521.size() {
            return false;
        }
        let (r, s) = signature.split_at(signature.len() / 2);
        let numbers = [der_integer(r), der_integer(s)].concat();
        self.ecdsa(hash, message, &der(0x30, &numbers))
    }

    pub(super) fn ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let Self::Ed25519(key) = self else { return false };
        UnparsedPublicKey::new(&signature::ED25519, key)
            .verify(message, signature)
            .is_ok()
    }
}

fn ecdsa(curve: Curve, hash: Hash) -> &'static EcdsaVerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
    }
}

/// Without leading zeros.
pub(super) fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let Some((0, rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}

fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = trimmed(bytes);
    let positive = bytes.first().is_none_or(|first| first & 0x80 != 0);
    let content = if positive {
        [&[0], bytes].concat()
    } else {
        bytes.to_vec()
    };
    der(0x02, &content)
}

/// One element with its length in the shortest form.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = trimmed(&length);
    let mut element = vec![tag];
    match length {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            element.extend(long);
        }
    }
    element.extend(content);
    element
}
