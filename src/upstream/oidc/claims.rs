//! Every check of an ID token (OIDC Core §3.1.3.7), each on its own.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of the JWT library; what is not named is refused"
)]

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk},
};
use serde_json::{Map, Value};

use crate::domain::time::Timestamp;

/// How far clocks may differ, in seconds.
const SKEW: i64 = 60;
/// An ID token older than this was not made for the sign-in that is being finished, in seconds.
const OLDEST: i64 = 600;

/// What a token must match.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub access_token: Option<&'a str>,
    /// The person was asked to prove it anew after this moment.
    pub fresh_after: Option<Timestamp>,
    pub now: Timestamp,
}

/// The algorithm and key id of a token. Only asymmetric signatures exist here: `none` and HMAC (with the
/// public key as its secret) are not in the list.
pub(super) fn header(token: &str) -> Result<(Algorithm, Option<String>), &'static str> {
    let header = decode_header(token).map_err(|_| "the ID token is no JWS of a known algorithm")?;
    let typ = header.typ.as_deref().unwrap_or("JWT");
    if !typ.eq_ignore_ascii_case("JWT") {
        return Err("the token's typ is not that of an ID token");
    }
    // RFC 7515 §4.1.11: extensions that we do not understand (all) make the token invalid.
    if header.crit.is_some() {
        return Err("the ID token has critical header extensions");
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
        _ => Err("the ID token's algorithm is not allowed"),
    }
}

/// The claims, once the signature holds by one of `keys` and everything in them is as expected.
pub(super) fn verify(
    token: &str,
    algorithm: Algorithm,
    keys: &[Jwk],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, &'static str> {
    let mut validation = Validation::new(algorithm);
    // Times, issuer and audience are checked below, against our clock and with every rule of the specification.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = keys
        .iter()
        .filter(|key| fits(key, algorithm))
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        .find_map(|key| decode::<Map<String, Value>>(token, &key, &validation).ok())
        .ok_or("no key of the provider made the ID token's signature")?
        .claims;
    issuer_and_audience(&claims, expected)?;
    times(&claims, expected)?;
    if claims.get("nonce").and_then(Value::as_str) != Some(expected.nonce) {
        return Err("the ID token's nonce is missing or another sign-in's");
    }
    if claims
        .get("sub")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        return Err("the ID token has no sub");
    }
    if let (Some(claimed), Some(token)) = (claims.get("at_hash"), expected.access_token)
        && claimed.as_str() != Some(at_hash(algorithm, token).as_str())
    {
        return Err("the ID token belongs to another access token (at_hash)");
    }
    Ok(claims)
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

fn issuer_and_audience(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err("the ID token's issuer is another");
    }
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&expected.client_id) {
        return Err("the ID token is for another audience");
    }
    match claims.get("azp").map(Value::as_str) {
        Some(Some(party)) if party == expected.client_id => Ok(()),
        Some(_) => Err("the ID token was issued to another party (azp)"),
        None if audiences.len() > 1 => Err("the ID token has several audiences and no azp"),
        None => Ok(()),
    }
}

fn times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), &'static str> {
    let now = expected.now.0;
    let at = |name: &str| claims.get(name).and_then(seconds);
    let exp = at("exp").ok_or("the ID token has no exp")?;
    let iat = at("iat").ok_or("the ID token has no iat")?;
    if exp.saturating_add(SKEW) <= now {
        return Err("the ID token has expired");
    }
    if iat > now.saturating_add(SKEW) {
        return Err("the ID token is from the future: the clocks differ by more than a minute");
    }
    if iat.saturating_add(OLDEST) < now {
        return Err("the ID token is older than ten minutes");
    }
    if at("nbf").is_some_and(|nbf| nbf > now.saturating_add(SKEW)) {
        return Err("the ID token is not valid yet");
    }
    if let Some(asked) = expected.fresh_after {
        let proved =
            at("auth_time").ok_or("the provider does not say when the person signed in (auth_time)")?;
        if proved.saturating_add(SKEW) < asked.0 {
            return Err("the person was not asked to sign in anew");
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519 §2); fractions are cut.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 saturates, and then fails its check"
    )]
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// Left half of the hash of the access token (OIDC Core §3.1.3.6).
fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let full = digest::digest(hash, access_token.as_bytes());
    let half = full.as_ref().get(..full.as_ref().len() / 2).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half)
}
