//! The keys that a policy gives to a verification: a certificate, a public key in PEM, a JWK or a JWK set.

use regorus::Value;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::super::encoding::{Alphabet, base64, pem};
use super::super::fault::Fault;
use super::super::key::{Curve, PublicKey, trimmed};
use super::algorithm::Algorithm;
use super::token::claim;

/// What a key verifies with.
#[derive(Clone, Debug)]
pub(super) enum Material {
    Public(PublicKey),
    /// A private JWK: `decode_verify` uses its public half, `verify_*` refuses it, as OPA does.
    Private(PublicKey),
    Secret(Vec<u8>),
}

/// One key, with the name and the only algorithm that its publisher gave it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) alg: String,
    pub(super) kid: String,
    pub(super) material: Material,
}

impl Key {
    fn bare(key: PublicKey) -> Self {
        Self {
            alg: String::new(),
            kid: String::new(),
            material: Material::Public(key),
        }
    }

    /// A key that names its algorithm verifies with no other.
    pub(super) fn takes(&self, alg: &str) -> bool {
        self.alg.is_empty() || self.alg == alg
    }
}

/// PEM is never JSON and JSON never PEM, so both can be tried.
pub(super) fn keys(text: &str) -> Result<Vec<Key>, Fault> {
    match pem(text) {
        (Some(_), rest) if !rest.is_empty() => Err(Fault::from("extra data after a PEM certificate block")),
        (Some(block), _) => Ok(vec![Key::bare(in_pem(&block.label, &block.bytes)?)]),
        (None, _) => {
            set(text).map_err(|said| Fault::from(format!("failed to parse a JWK key (set): {said}")))
        }
    }
}

fn in_pem(label: &str, bytes: &[u8]) -> Result<PublicKey, Fault> {
    match label {
        "CERTIFICATE" => {
            let (_, certificate) = x509_parser::parse_x509_certificate(bytes)
                .map_err(|error| Fault::from(format!("failed to parse a PEM certificate: {error}")))?;
            PublicKey::of(certificate.public_key())
                .ok_or_else(|| Fault::from("failed to parse a PEM certificate: its key is malformed"))
        }
        "PUBLIC KEY" => SubjectPublicKeyInfo::from_der(bytes)
            .ok()
            .and_then(|(_, info)| PublicKey::of(&info))
            .ok_or_else(|| Fault::from("failed to parse a PEM public key: malformed")),
        _ => Err(Fault::from("failed to extract a Key from the PEM certificate")),
    }
}

fn set(text: &str) -> Result<Vec<Key>, String> {
    let document = Value::from_json_str(text).map_err(|error| error.to_string())?;
    let keys = match claim(&document, "keys") {
        Some(Value::Array(keys)) => keys.iter().map(key).collect::<Result<Vec<_>, _>>()?,
        Some(_) => return Err("\"keys\" must be an array".to_owned()),
        None => vec![key(&document)?],
    };
    // A key for an algorithm that is not known here verifies nothing.
    Ok(keys
        .into_iter()
        .filter(|key| key.alg.is_empty() || Algorithm::named(&key.alg).is_some())
        .collect())
}

fn key(document: &Value) -> Result<Key, String> {
    let public = match text(document, "kty").as_str() {
        "RSA" => PublicKey::Rsa {
            n: trimmed(&number(document, "n")?).to_vec(),
            e: trimmed(&number(document, "e")?).to_vec(),
        },
        "EC" => elliptic(document)?,
        "OKP" if text(document, "crv") == "Ed25519" => PublicKey::Ed25519(number(document, "x")?),
        "OKP" => PublicKey::Other,
        "oct" => return Ok(named(document, Material::Secret(number(document, "k")?))),
        other => return Err(format!("invalid key type from JSON ({other})")),
    };
    let private = claim(document, "d").is_some();
    let material = if private {
        Material::Private(public)
    } else {
        Material::Public(public)
    };
    Ok(named(document, material))
}

fn named(document: &Value, material: Material) -> Key {
    Key {
        alg: text(document, "alg"),
        kid: text(document, "kid"),
        material,
    }
}

fn elliptic(document: &Value) -> Result<PublicKey, String> {
    let (x, y) = (number(document, "x")?, number(document, "y")?);
    let Some(curve) = curve(document) else {
        return Ok(PublicKey::Other);
    };
    let point = [vec![4], padded(&x, curve.size()), padded(&y, curve.size())].concat();
    Ok(PublicKey::Ec { curve, point })
}

pub(super) fn curve(document: &Value) -> Option<Curve> {
    match text(document, "crv").as_str() {
        "P-256" => Some(Curve::P256),
        "P-384" => Some(Curve::P384),
        "P-521" => Some(Curve::P521),
        _ => None,
    }
}

/// To the size of a coordinate: some publishers leave out leading zeros.
pub(super) fn padded(bytes: &[u8], size: usize) -> Vec<u8> {
    let bytes = trimmed(bytes);
    let mut whole = vec![0; size.saturating_sub(bytes.len())];
    whole.extend(bytes);
    whole
}

pub(super) fn text(document: &Value, name: &str) -> String {
    match claim(document, name) {
        Some(Value::String(text)) => text.to_string(),
        _ => String::new(),
    }
}

/// A base64url member; padding and the standard alphabet are taken too, as the library below OPA does.
pub(super) fn number(document: &Value, name: &str) -> Result<Vec<u8>, String> {
    let text = text(document, name).replace('-', "+").replace('_', "/");
    let text = text.trim_end_matches('=');
    if text.is_empty() {
        return Err(format!("required field {name} is missing"));
    }
    let fill = "=".repeat((4 - text.len() % 4) % 4);
    base64(Alphabet::Standard, &format!("{text}{fill}")).map_err(|_| format!("field {name} is not base64url"))
}
