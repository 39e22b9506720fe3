//! One key pair: made, sealed, read back, signing. Parsed once, because parsing costs more than signing.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::json;
use zeroize::Zeroizing;

use super::RingFault;
use crate::{
    domain::{
        key::{Algorithm, Life},
        time::Timestamp,
    },
    port::{
        records::StoredKey,
        signer::{KeyFault, Purpose, Sealer, TokenType},
    },
};

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

/// The public members of a JWK (RFC 7518 §6), base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Public {
    Ec { x: String, y: String },
    Rsa { n: String, e: String },
}

impl Public {
    /// RFC 7638: SHA-256 over the required members in lexicographic order.
    fn thumbprint(&self) -> String {
        // serde_json's maps are sorted, and none of the values needs escaping.
        let members = match self {
            Self::Ec { x, y } => json!({"crv": "P-256", "kty": "EC", "x": x, "y": y}),
            Self::Rsa { n, e } => json!({"e": e, "kty": "RSA", "n": n}),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, members.to_string().as_bytes()))
    }
}

/// A key of the ring, ready to use.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pub(super) life: Life,
    pub(super) public: Public,
    pub(super) certificate: Vec<u8>,
    pair: Pair,
    verifier: ParsedPublicKey,
    headers: Headers,
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Key({})", self.kid)
    }
}

struct Headers {
    id: String,
    access: String,
    logout: String,
}

impl Headers {
    fn new(algorithm: Algorithm, kid: &str) -> Self {
        let header = |typ: TokenType| {
            let text = json!({"alg": algorithm.as_str(), "kid": kid, "typ": typ.as_str()}).to_string();
            URL_SAFE_NO_PAD.encode(text) + "."
        };
        Self {
            id: header(TokenType::Id),
            access: header(TokenType::Access),
            logout: header(TokenType::Logout),
        }
    }
}

fn broken(why: impl fmt::Display) -> RingFault {
    RingFault::Broken(why.to_string())
}

impl Key {
    /// Makes a key pair and its certificate, sealed for the records.
    pub(super) fn generate(
        algorithm: Algorithm,
        life: Life,
        (ring, issuer): (&str, &str),
        sealer: &Arc<dyn Sealer>,
    ) -> Result<StoredKey, RingFault> {
        let pkcs8 = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            Algorithm::Rs256 => rsa::KeyPair::generate(rsa::KeySize::Rsa2048)
                .and_then(|pair| pair.as_der())
                .map(|der| Zeroizing::new(der.as_ref().to_vec())),
        }
        .map_err(broken)?;
        let certificate = certificate(algorithm, &pkcs8, issuer, life.published)?;
        let sealed = sealer.seal(Purpose::PrivateKey, &pkcs8);
        if sealer.open(Purpose::PrivateKey, &sealed).as_deref() != Some(pkcs8.as_slice()) {
            return Err(broken("sealing it failed"));
        }
        let (_, _, public) = parse(algorithm, &pkcs8)?;
        Ok(StoredKey {
            kid: public.thumbprint(),
            ring: ring.to_owned(),
            algorithm,
            sealed: sealed.into_bytes(),
            certificate,
            life,
        })
    }

    /// Opens and parses a stored key. Its name must be that of what is inside.
    pub(super) fn read(stored: StoredKey, sealer: &Arc<dyn Sealer>) -> Result<Self, RingFault> {
        let sealed = || RingFault::Sealed {
            kid: stored.kid.clone(),
        };
        let text = std::str::from_utf8(&stored.sealed).map_err(|_| sealed())?;
        let pkcs8 = sealer
            .open(Purpose::PrivateKey, text)
            .map(Zeroizing::new)
            .ok_or_else(sealed)?;
        let (pair, verifier, public) = parse(stored.algorithm, &pkcs8)?;
        if public.thumbprint() != stored.kid {
            return Err(broken(format!(
                "the stored key {} is another one inside",
                stored.kid
            )));
        }
        Ok(Self {
            headers: Headers::new(stored.algorithm, &stored.kid),
            kid: stored.kid,
            algorithm: stored.algorithm,
            life: stored.life,
            public,
            certificate: stored.certificate,
            pair,
            verifier,
        })
    }

    /// Compact JWS (RFC 7515 §3.1) over a claims document.
    pub(super) fn sign(&self, typ: TokenType, claims: &[u8]) -> Result<String, KeyFault> {
        let header = match typ {
            TokenType::Id => &self.headers.id,
            TokenType::Access => &self.headers.access,
            TokenType::Logout => &self.headers.logout,
        };
        let mut token = String::with_capacity(header.len() + claims.len() * 4 / 3 + 360);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let failed = |_| KeyFault::Broken("signing failed".to_owned());
        let random = SystemRandom::new();
        let dot = token.len();
        token.push('.');
        let signed = token.get(..dot).unwrap_or_default().as_bytes();
        let encoded = match &self.pair {
            Pair::Ecdsa(pair) => URL_SAFE_NO_PAD.encode(pair.sign(&random, signed).map_err(failed)?),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature)
                    .map_err(failed)?;
                URL_SAFE_NO_PAD.encode(signature)
            }
        };
        token.push_str(&encoded);
        Ok(token)
    }

    /// Whether the signature is this key's, by this key's algorithm.
    pub(super) fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify_sig(text, signature).is_ok()
    }
}

fn parse(algorithm: Algorithm, pkcs8: &[u8]) -> Result<(Pair, ParsedPublicKey, Public), RingFault> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match algorithm {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(broken)?;
            // Uncompressed point (SEC 1 §2.3.3): 04, x, y.
            let point = pair.public_key().as_ref();
            let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
                return Err(broken("the public key is no uncompressed point"));
            };
            let public = Public::Ec {
                x: encode(x),
                y: encode(y),
            };
            let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .parse()
                .map_err(broken)?;
            Ok((Pair::Ecdsa(pair), verifier, public))
        }
        Algorithm::Rs256 => {
            let pair = rsa::KeyPair::from_pkcs8(pkcs8).map_err(broken)?;
            let key = pair.public_key();
            let public = Public::Rsa {
                n: encode(key.modulus().big_endian_without_leading_zero()),
                e: encode(key.exponent().big_endian_without_leading_zero()),
            };
            let verifier = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref())
                .parse()
                .map_err(broken)?;
            Ok((Pair::Rsa(pair), verifier, public))
        }
    }
}

/// A self-signed certificate over the key, for relying parties that take keys as `x5c` only. It proves
/// nothing by itself; ten years outlive any key.
fn certificate(
    algorithm: Algorithm,
    pkcs8: &[u8],
    issuer: &str,
    published: Timestamp,
) -> Result<Vec<u8>, RingFault> {
    let algorithm = match algorithm {
        Algorithm::Es256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        Algorithm::Rs256 => &rcgen::PKCS_RSA_SHA256,
    };
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), algorithm)
        .map_err(broken)?;
    let mut parameters = rcgen::CertificateParams::default();
    let mut name = rcgen::DistinguishedName::new();
    name.push(
        rcgen::DnType::CommonName,
        format!("fedgate {issuer}").chars().take(64).collect::<String>(),
    );
    parameters.distinguished_name = name;
    let year = year(published);
    parameters.not_before = rcgen::date_time_ymd(year, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year.saturating_add(10), 12, 31);
    parameters
        .self_signed(&pair)
        .map(|made| made.der().to_vec())
        .map_err(broken)
}

fn year(at: Timestamp) -> i32 {
    at.rfc3339()
        .get(..4)
        .and_then(|year| year.parse().ok())
        .unwrap_or(2000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let public = Public::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw".to_owned(),
            e: "AQAB".to_owned(),
        };
        assert_eq!(public.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
