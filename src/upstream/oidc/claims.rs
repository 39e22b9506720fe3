//! What an ID token must hold beyond what every JWT must (OIDC Core §3.1.3.7), each on its own.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of the JWT library; what is not named is refused"
)]

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, jwk::Jwk};
use serde_json::{Map, Value};

use super::super::jose::token;
use crate::domain::time::Timestamp;

/// An ID token older than this was not made for what is being done with it, in seconds.
pub(super) const OLDEST: i64 = 600;

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

/// The algorithm and key id of a token that may be an ID token by its header.
pub(super) fn header(token: &str) -> Result<(Algorithm, Option<String>), &'static str> {
    token::header(token, &["JWT"])
}

/// The claims, once the signature holds by one of `keys` and everything in them is as expected.
pub(super) fn verify(
    token: &str,
    algorithm: Algorithm,
    keys: &[Jwk],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, &'static str> {
    let claims = token::signed(token, algorithm, keys)?;
    issuer_and_audience(&claims, (expected.issuer, expected.client_id))?;
    token::in_time(&claims, expected.now, Some(OLDEST))?;
    if let Some(asked) = expected.fresh_after {
        let proved = claims
            .get("auth_time")
            .and_then(token::seconds)
            .ok_or("the provider does not say when the person signed in (auth_time)")?;
        if token::before(proved, asked) {
            return Err("the person was not asked to sign in anew");
        }
    }
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

/// Whether the token is the issuer's, and made for this client and no other.
pub(super) fn issuer_and_audience(
    claims: &Map<String, Value>,
    (issuer, client_id): (&str, &str),
) -> Result<(), &'static str> {
    token::issued_by(claims, issuer)?;
    let audiences = token::audiences(claims);
    if !audiences.contains(&client_id) {
        return Err("the token is for another audience");
    }
    match claims.get("azp").map(Value::as_str) {
        Some(Some(party)) if party == client_id => Ok(()),
        Some(_) => Err("the token was issued to another party (azp)"),
        None if audiences.len() > 1 => Err("the token has several audiences and no azp"),
        None => Ok(()),
    }
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
