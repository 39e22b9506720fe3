//! `io.jwt.encode_sign` and `io.jwt.encode_sign_raw`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regorus::Value;

use super::super::arguments::Arguments;
use super::super::encoding::go_json;
use super::super::fault::Fault;
use super::super::key::{Curve, Hash, trimmed};
use super::Answer;
use super::algorithm::{Algorithm, mac};
use super::jwk::{curve, number, padded, text};
use super::token::claim;

pub(super) fn encode_sign(arguments: &Arguments<'_>) -> Answer {
    let headers = go_json(arguments.value(1))?;
    let payload = go_json(arguments.value(2))?;
    sign(&headers, &payload, &go_json(arguments.value(3))?)
}

pub(super) fn encode_sign_raw(arguments: &Arguments<'_>) -> Answer {
    let key = arguments.string(3)?;
    sign(arguments.string(1)?, arguments.string(2)?, key)
}

fn sign(headers: &str, payload: &str, key: &str) -> Answer {
    let key =
        Value::from_json_str(key).map_err(|error| Fault::from(format!("failed to parse JWK: {error}")))?;
    let key = match claim(&key, "keys") {
        Some(Value::Array(keys)) => keys.first().cloned().ok_or("no keys found in JWK set")?,
        Some(_) => return Err(Fault::from("failed to parse JWK set: \"keys\" must be an array")),
        None => key,
    };
    let algorithm = algorithm(headers)?;
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(headers),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let typ = Value::from_json_str(headers).ok();
    let typ = typ.as_ref().and_then(|document| claim(document, "typ"));
    let json = match typ {
        Some(Value::String(typ)) => typ.as_ref() == "JWT",
        _ => true,
    };
    if json && serde_json::from_str::<serde::de::IgnoredAny>(payload).is_err() {
        return Err(Fault::from("type is JWT but payload is not JSON"));
    }
    let signature = signature(algorithm, &key, signed.as_bytes())?;
    Ok(Value::from(format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(signature)
    )))
}

fn algorithm(headers: &str) -> Result<Algorithm, Fault> {
    const WRONG: &str = "missing or invalid 'alg' header";
    if headers.is_empty() {
        let said = format!("{WRONG}: cannot parse JSON: cannot parse empty string");
        return Err(Fault::from(said));
    }
    let document = Value::from_json_str(headers)
        .map_err(|error| Fault::from(format!("{WRONG}: cannot parse JSON: {error}")))?;
    match claim(&document, "alg") {
        Some(Value::String(name)) => {
            Algorithm::named(name).ok_or_else(|| Fault::from(format!("unknown JWS algorithm: {name}")))
        }
        Some(_) => Err(Fault::from(format!(
            "{WRONG}: jwsbb: header \"alg\" is not a string"
        ))),
        None => Err(Fault::from(format!("{WRONG}: jwsbb: header \"alg\" not found"))),
    }
}

fn signature(algorithm: Algorithm, key: &Value, signed: &[u8]) -> Result<Vec<u8>, Fault> {
    let kty = text(key, "kty");
    match (algorithm, kty.as_str()) {
        (Algorithm::Hs(hash), "oct") => {
            let secret = aws_lc_rs::hmac::Key::new(mac(hash), &number(key, "k")?);
            Ok(aws_lc_rs::hmac::sign(&secret, signed).as_ref().to_vec())
        }
        (Algorithm::Rs(hash), "RSA") => rsa(
            key,
            signed,
            match hash {
                Hash::Sha256 => &signature::RSA_PKCS1_SHA256,
                Hash::Sha384 => &signature::RSA_PKCS1_SHA384,
                Hash::Sha512 => &signature::RSA_PKCS1_SHA512,
            },
        ),
        (Algorithm::Ps(hash), "RSA") => rsa(
            key,
            signed,
            match hash {
                Hash::Sha256 => &signature::RSA_PSS_SHA256,
                Hash::Sha384 => &signature::RSA_PSS_SHA384,
                Hash::Sha512 => &signature::RSA_PSS_SHA512,
            },
        ),
        (Algorithm::Es(hash), "EC") => ecdsa(hash, key, signed),
        (Algorithm::EdDsa, "OKP") if text(key, "crv") == "Ed25519" => {
            let (seed, public) = (number(key, "d")?, number(key, "x")?);
            let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).map_err(rejected)?;
            Ok(pair.sign(signed).as_ref().to_vec())
        }
        (Algorithm::Hs(_) | Algorithm::Rs(_) | Algorithm::Ps(_) | Algorithm::Es(_), _)
        | (Algorithm::EdDsa, _) => Err(Fault::from(format!(
            "a key of type {kty} does not sign with this algorithm"
        ))),
    }
}

fn rsa(key: &Value, signed: &[u8], padding: &'static dyn RsaEncoding) -> Result<Vec<u8>, Fault> {
    let part = |name| number(key, name).map_err(Fault::from);
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: trimmed(&part("n")?).to_vec(),
            e: trimmed(&part("e")?).to_vec(),
        },
        d: part("d")?,
        p: part("p")?,
        q: part("q")?,
        dP: part("dp")?,
        dQ: part("dq")?,
        qInv: part("qi")?,
    };
    let pair = KeyPair::from_components(&components).map_err(rejected)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), signed, &mut signature)
        .map_err(rejected)?;
    Ok(signature)
}

fn ecdsa(hash: Hash, key: &Value, signed: &[u8]) -> Result<Vec<u8>, Fault> {
    let curve = curve(key).ok_or("the key's curve is not known")?;
    let algorithm: &EcdsaSigningAlgorithm = match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        (Curve::P384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        (Curve::P521, Hash::Sha512) => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        // RFC 7518, 3.4 has one digest for each curve.
        _ => return Err(Fault::from("the algorithm is not the one of the key's curve")),
    };
    let part = |name| number(key, name).map(|bytes| padded(&bytes, curve.size()));
    let public = [vec![4], part("x")?, part("y")?].concat();
    let pair =
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &part("d")?, &public).map_err(rejected)?;
    let signature = pair.sign(&SystemRandom::new(), signed).map_err(rejected)?;
    Ok(signature.as_ref().to_vec())
}

fn rejected<E>(_: E) -> Fault {
    Fault::from("the key was rejected: its parts do not fit each other, or its size is not supported")
}
