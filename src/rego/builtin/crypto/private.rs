//! Private keys: as Go's documents and as JWK. Whatever calls this handles secrets in a policy; none is logged.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regorus::Value;
use x509_parser::der_parser::ber::BerObject;
use x509_parser::der_parser::parse_der;
use x509_parser::num_bigint::BigUint;

use super::super::arguments::Arguments;
use super::super::encoding::{Alphabet, base64, pem};
use super::super::fault::Fault;
use super::super::key::{Curve, PublicKey, trimmed};
use super::Answer;
use super::document::{big_bytes, bytes, coordinates, list, object, public_key};

/// A private key with its public half.
#[derive(Debug)]
pub(super) struct Private {
    pub(super) public: PublicKey,
    secret: Secret,
}

#[derive(Debug)]
enum Secret {
    /// d, p, q, d mod p-1, d mod q-1, the inverse of q mod p.
    Rsa(Box<[Vec<u8>; 6]>),
    Ec(Vec<u8>),
    Ed25519(Vec<u8>),
}

pub(super) fn parse_private_keys(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let keys = keys(text)?.iter().map(Private::document).collect::<Vec<_>>();
    Ok(Value::from(keys))
}

pub(super) fn jwk_of_private_key(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    if text.is_empty() {
        return Err(Fault::from("input PEM data was empty"));
    }
    if !text.starts_with("-----BEGIN") {
        base64(Alphabet::Standard, text)?;
    }
    Ok(keys(text)?.first().map_or(Value::Null, Private::jwk))
}

/// Every private key of a text in PEM, or in base64 of PEM. Blocks of other kinds are passed over.
pub(super) fn keys(text: &str) -> Result<Vec<Private>, Fault> {
    let decoded = base64(Alphabet::Standard, text).ok();
    let decoded = decoded.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut rest = decoded.as_deref().unwrap_or(text);
    let mut keys = Vec::new();
    while let (Some(block), after) = pem(rest) {
        let read: fn(&[u8]) -> Option<Private> = match block.label.as_str() {
            "RSA PRIVATE KEY" => pkcs1,
            "PRIVATE KEY" => pkcs8,
            "EC PRIVATE KEY" => |der| sec1(der, None),
            _ => |_| None,
        };
        let known = block.label.ends_with("PRIVATE KEY") && block.label != "ENCRYPTED PRIVATE KEY";
        match read(&block.bytes) {
            Some(key) => keys.push(key),
            None if known => return Err(Fault::from("x509: failed to parse private key")),
            None => {}
        }
        rest = after;
    }
    Ok(keys)
}

fn sequence(der: &[u8]) -> Option<Vec<BerObject<'_>>> {
    let (rest, object) = parse_der(der).ok()?;
    rest.is_empty().then_some(())?;
    object.as_sequence().ok().cloned()
}

fn pkcs1(der: &[u8]) -> Option<Private> {
    let parts = sequence(der)?;
    let number = |at: usize| Some(trimmed(parts.get(at)?.as_slice().ok()?).to_vec());
    let (n, e) = (number(1)?, number(2)?);
    let [d, p, q, dp, dq, qi] = [
        number(3)?,
        number(4)?,
        number(5)?,
        number(6)?,
        number(7)?,
        number(8)?,
    ];
    // A key whose primes are not its own would sign what nobody can verify.
    let product = BigUint::from_bytes_be(&p) * BigUint::from_bytes_be(&q);
    (product == BigUint::from_bytes_be(&n)).then_some(())?;
    Some(Private {
        public: PublicKey::Rsa { n, e },
        secret: Secret::Rsa(Box::new([d, p, q, dp, dq, qi])),
    })
}

fn pkcs8(der: &[u8]) -> Option<Private> {
    let parts = sequence(der)?;
    let algorithm = parts.get(1)?.as_sequence().ok()?;
    let inner = parts.get(2)?.as_slice().ok()?;
    match algorithm.first()?.as_oid().ok()?.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => pkcs1(inner),
        "1.2.840.10045.2.1" => sec1(inner, Some(curve(algorithm.get(1)?)?)),
        "1.3.101.112" => {
            let (_, seed) = parse_der(inner).ok()?;
            let seed = seed.as_slice().ok()?.to_vec();
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
            let public = PublicKey::Ed25519(pair.public_key().as_ref().to_vec());
            Some(Private {
                public,
                secret: Secret::Ed25519(seed),
            })
        }
        _ => None,
    }
}

fn curve(object: &BerObject<'_>) -> Option<Curve> {
    match object.as_oid().ok()?.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" => Some(Curve::P256),
        "1.3.132.0.34" => Some(Curve::P384),
        "1.3.132.0.35" => Some(Curve::P521),
        _ => None,
    }
}

fn sec1(der: &[u8], known: Option<Curve>) -> Option<Private> {
    let parts = sequence(der)?;
    let named = || {
        let tagged = parts.iter().find(|part| part.header.raw_tag() == Some(&[0xa0]))?;
        let (_, named) = parse_der(tagged.as_slice().ok()?).ok()?;
        curve(&named)
    };
    let curve = known.or_else(named)?;
    let algorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    };
    let pair = EcdsaKeyPair::from_private_key_der(algorithm, der).ok()?;
    let secret = trimmed(parts.get(1)?.as_slice().ok()?);
    let mut padded = vec![0; curve.size().saturating_sub(secret.len())];
    padded.extend(secret);
    let point = pair.public_key().as_ref().to_vec();
    Some(Private {
        public: PublicKey::Ec { curve, point },
        secret: Secret::Ec(padded),
    })
}

impl Private {
    /// Go's `rsa.PrivateKey`, `ecdsa.PrivateKey` or `ed25519.PrivateKey`.
    pub(super) fn document(&self) -> Value {
        let public = public_key(&self.public);
        let secret = match &self.secret {
            Secret::Rsa(parts) => {
                let [d, p, q, dp, dq, qi] = parts.as_ref();
                object([
                    ("D", big_bytes(d)),
                    ("Primes", list([big_bytes(p), big_bytes(q)])),
                    (
                        "Precomputed",
                        object([
                            ("Dp", big_bytes(dp)),
                            ("Dq", big_bytes(dq)),
                            ("Qinv", big_bytes(qi)),
                            ("CRTValues", Value::new_array()),
                        ]),
                    ),
                ])
            }
            Secret::Ec(d) => object([("D", big_bytes(d))]),
            Secret::Ed25519(seed) => {
                let PublicKey::Ed25519(public) = &self.public else {
                    return Value::Null;
                };
                return bytes(&[seed.as_slice(), public].concat());
            }
        };
        super::certificate::joined([public, secret])
    }

    fn jwk(&self) -> Value {
        let part = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
        match (&self.public, &self.secret) {
            (PublicKey::Rsa { n, e }, Secret::Rsa(parts)) => {
                let [d, p, q, dp, dq, qi] = parts.as_ref();
                object([
                    ("kty", Value::from("RSA")),
                    ("n", part(n)),
                    ("e", part(e)),
                    ("d", part(d)),
                    ("p", part(p)),
                    ("q", part(q)),
                    ("dp", part(dp)),
                    ("dq", part(dq)),
                    ("qi", part(qi)),
                ])
            }
            (PublicKey::Ec { curve, point }, Secret::Ec(d)) => {
                let (x, y) = coordinates(*curve, point);
                let crv = match curve {
                    Curve::P256 => "P-256",
                    Curve::P384 => "P-384",
                    Curve::P521 => "P-521",
                };
                let (kty, crv) = (Value::from("EC"), Value::from(crv));
                object([
                    ("kty", kty),
                    ("crv", crv),
                    ("x", part(x)),
                    ("y", part(y)),
                    ("d", part(d)),
                ])
            }
            (PublicKey::Ed25519(public), Secret::Ed25519(seed)) => {
                let (kty, crv) = (Value::from("OKP"), Value::from("Ed25519"));
                object([("kty", kty), ("crv", crv), ("x", part(public)), ("d", part(seed))])
            }
            _ => Value::Null,
        }
    }
}
