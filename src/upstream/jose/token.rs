//! The checks that every JWT of another issuer passes (RFC 8725): algorithm pinned by key, issuer, audience, times.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of the JWT library; what is not named is refused"
)]

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use serde_json::{Map, Value};

use crate::{
    domain::{
        fault::{Code, Fault},
        time::Timestamp,
    },
    port::tickets::{TicketKind, Tickets},
};

/// How far clocks may differ, in seconds.
const SKEW: i64 = 60;

/// The algorithm and key id of a token whose `typ` is one of `types`, or absent. Only asymmetric signatures exist
/// here: `none` and HMAC (with the public key as its secret) are not in the list.
pub(in crate::upstream) fn header(
    token: &str,
    types: &[&str],
) -> Result<(Algorithm, Option<String>), &'static str> {
    let header = decode_header(token).map_err(|_| "the token is no JWS of a known algorithm")?;
    // RFC 8725 §3.11: a token of another kind (an access token, a logout token) is not taken for this one.
    if header
        .typ
        .as_deref()
        .is_some_and(|typ| !types.iter().any(|own| own.eq_ignore_ascii_case(typ)))
    {
        return Err("the token's typ is that of another kind of token");
    }
    // RFC 7515 §4.1.11: extensions that we do not understand (all) make the token invalid.
    if header.crit.is_some() {
        return Err("the token has critical header extensions");
    }
    match header.alg {
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512
        | Algorithm::ES256
        | Algorithm::ES384
        | Algorithm::EdDSA => Ok((header.alg, header.kid)),
        _ => Err("the token's algorithm is not allowed"),
    }
}

/// The claims, once the signature holds by one of `keys`. Nothing in them has been looked at.
pub(in crate::upstream) fn signed(
    token: &str,
    algorithm: Algorithm,
    keys: &[Jwk],
) -> Result<Map<String, Value>, &'static str> {
    let mut validation = Validation::new(algorithm);
    // Times, issuer and audience are checked by the callers, against our clock and with every rule of theirs.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    keys.iter()
        .filter(|key| fits(key, algorithm))
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| decode::<Map<String, Value>>(token, &key, &validation).ok())
        .map(|data| data.claims)
        .ok_or("no key of the provider made the token's signature")
}

/// The key fixes the algorithm: family by `kty` and curve, and `alg` and `use` where the key names them.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use jsonwebtoken::jwk::PublicKeyUse;
    if key
        .common
        .public_key_use
        .as_ref()
        .is_some_and(|usage| *usage != PublicKeyUse::Signature)
    {
        return false;
    }
    if key
        .common
        .key_algorithm
        .is_some_and(|named| named.to_string() != format!("{algorithm:?}"))
    {
        return false;
    }
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => algorithm == Algorithm::ES256,
            EllipticCurve::P384 => algorithm == Algorithm::ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        _ => false,
    }
}

/// Whether `iss` is exactly the pinned issuer.
pub(in crate::upstream) fn issued_by(claims: &Map<String, Value>, issuer: &str) -> Result<(), &'static str> {
    if claims.get("iss").and_then(Value::as_str) == Some(issuer) {
        Ok(())
    } else {
        Err("the token's issuer is another")
    }
}

/// `aud`: one text or a list of them (RFC 7519 §4.1.3).
pub(in crate::upstream) fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `exp`, `iat` and `nbf` against our clock. A token issued longer ago than `oldest` seconds was not made for what
/// it is used for now.
pub(in crate::upstream) fn in_time(
    claims: &Map<String, Value>,
    now: Timestamp,
    oldest: Option<i64>,
) -> Result<(), &'static str> {
    let now = now.0;
    let at = |name: &str| claims.get(name).and_then(seconds);
    let exp = at("exp").ok_or("the token has no exp")?;
    let iat = at("iat").ok_or("the token has no iat")?;
    if exp.saturating_add(SKEW) <= now {
        return Err("the token has expired");
    }
    if iat > now.saturating_add(SKEW) {
        return Err("the token is from the future: the clocks differ by more than a minute");
    }
    if oldest.is_some_and(|oldest| iat.saturating_add(oldest) < now) {
        return Err("the token is older than is allowed here");
    }
    if at("nbf").is_some_and(|nbf| nbf > now.saturating_add(SKEW)) {
        return Err("the token is not valid yet");
    }
    Ok(())
}

/// Whether a token comes for the first time, by the name that it is remembered under.
pub(in crate::upstream) async fn first_use(
    tickets: &dyn Tickets,
    name: &str,
    claims: &Map<String, Value>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let exp = claims.get("exp").and_then(seconds).unwrap_or(now.0);
    // What is remembered must not end before the last moment at which any clock may take the token for good.
    let until = Timestamp(exp.saturating_add(SKEW)).plus(Duration::from_secs(1));
    tickets
        .put(TicketKind::Seen, name, b"1", now.until(until))
        .await
        .map_err(|fault| Fault::new(Code::StoreDown, fault.to_string()))
}

/// Whether a moment lies before `asked`, clocks considered.
pub(in crate::upstream) fn before(moment: i64, asked: Timestamp) -> bool {
    moment.saturating_add(SKEW) < asked.0
}

/// A NumericDate (RFC 7519 §2); fractions are cut.
pub(in crate::upstream) fn seconds(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 saturates, and then fails its check"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
}
