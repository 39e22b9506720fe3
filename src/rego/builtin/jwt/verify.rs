//! `io.jwt.verify_*`: whether a signature is of a key. The algorithm is the policy's, never the token's.

use regorus::Value;

use super::super::arguments::Arguments;
use super::super::key::Hash;
use super::Answer;
use super::algorithm::Algorithm;
use super::jwk::{Key, Material, keys};
use super::token::{Header, Token};

pub(super) fn rs256(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Rs(Hash::Sha256))
}

pub(super) fn rs384(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Rs(Hash::Sha384))
}

pub(super) fn rs512(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Rs(Hash::Sha512))
}

pub(super) fn ps256(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Ps(Hash::Sha256))
}

pub(super) fn ps384(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Ps(Hash::Sha384))
}

pub(super) fn ps512(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Ps(Hash::Sha512))
}

pub(super) fn es256(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Es(Hash::Sha256))
}

pub(super) fn es384(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Es(Hash::Sha384))
}

pub(super) fn es512(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::Es(Hash::Sha512))
}

pub(super) fn eddsa(arguments: &Arguments<'_>) -> Answer {
    verify(arguments, Algorithm::EdDsa)
}

pub(super) fn hs256(arguments: &Arguments<'_>) -> Answer {
    verify_secret(arguments, Algorithm::Hs(Hash::Sha256))
}

pub(super) fn hs384(arguments: &Arguments<'_>) -> Answer {
    verify_secret(arguments, Algorithm::Hs(Hash::Sha384))
}

pub(super) fn hs512(arguments: &Arguments<'_>) -> Answer {
    verify_secret(arguments, Algorithm::Hs(Hash::Sha512))
}

fn verify(arguments: &Arguments<'_>, algorithm: Algorithm) -> Answer {
    let token = Token::argument(arguments)?;
    let keys = keys(arguments.string(2)?)?;
    let signature = token.signature()?;
    let header = Header::of(&token.header()?)?;
    let signed = token.signed();
    let holds = |key: &Key| match &key.material {
        Material::Public(public) => algorithm.holds(public, &signed, &signature),
        Material::Private(_) | Material::Secret(_) => false,
    };
    let same = |key: &&Key| !header.kid.is_empty() && key.kid == header.kid;
    Ok(Value::from(match keys.iter().find(same) {
        // A key that the token names is the only one that counts.
        Some(key) => holds(key),
        None => keys.iter().any(|key| key.takes(&header.alg) && holds(key)),
    }))
}

fn verify_secret(arguments: &Arguments<'_>, algorithm: Algorithm) -> Answer {
    let secret = arguments.string(2);
    arguments.string(1)?;
    let secret = secret?;
    let token = Token::argument(arguments)?;
    let signature = token.signature()?;
    Ok(Value::from(algorithm.holds_secret(
        secret.as_bytes(),
        &token.signed(),
        &signature,
    )))
}
