//! Tokens that this gateway signed, and no others.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::material::Key;
use crate::{
    domain::time::Timestamp,
    port::signer::{KeyFault, TokenType},
};

/// Longer texts are not ours; they are refused before anything is decoded.
const LONGEST: usize = 32 * 1024;

fn invalid(why: &'static str) -> KeyFault {
    KeyFault::Invalid(why)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// The claims, if a published key signed them by its own algorithm, `typ` is exactly the one asked for and
/// `iss` is ours. What the header says of the algorithm must fit the key; it never chooses it (RFC 8725 §3.1).
pub(super) fn claims<'a>(
    token: &str,
    typ: TokenType,
    issuer: &str,
    find: impl FnOnce(&str) -> Option<&'a Key>,
) -> Result<Map<String, Value>, KeyFault> {
    if token.len() > LONGEST {
        return Err(invalid("too long"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(invalid("not a compact JWS"))?;
    let (header, payload) = signed.split_once('.').ok_or(invalid("not a compact JWS"))?;
    let header = object(header).ok_or(invalid("the header is no JSON object"))?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if header.contains_key("crit") {
        return Err(invalid("it demands extensions"));
    }
    if text("typ") != Some(typ.as_str()) {
        return Err(invalid("another type of token"));
    }
    let key = text("kid")
        .and_then(find)
        .ok_or(invalid("no published key of that name"))?;
    if text("alg") != Some(key.algorithm.as_str()) {
        return Err(invalid("not the key's algorithm"));
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| invalid("the signature is not base64url"))?;
    if !key.signed(signed.as_bytes(), &signature) {
        return Err(invalid("the signature is wrong"));
    }
    let claims = object(payload).ok_or(invalid("the claims are no JSON object"))?;
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(invalid("another issuer"));
    }
    Ok(claims)
}

/// Whether the claims hold at `now`. `exp` is required and strict: we compare with our own clock.
pub(super) fn at(claims: &Map<String, Value>, now: Timestamp) -> Result<(), KeyFault> {
    let time = |name: &str| {
        claims
            .get(name)
            .map(|value| value.as_i64().ok_or(invalid("a time is no number")))
    };
    match time("exp").transpose()? {
        Some(end) if end > now.0 => {}
        Some(_) => return Err(invalid("expired")),
        None => return Err(invalid("no exp")),
    }
    match time("nbf").transpose()? {
        Some(begin) if begin > now.0 => Err(invalid("not valid yet")),
        Some(_) | None => Ok(()),
    }
}
