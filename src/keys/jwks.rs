//! The JWKS document (RFC 7517): public members only, rendered when the ring changes.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::material::{Key, Public};

/// Renders the keys in their order.
pub(super) fn render(keys: &[Arc<Key>]) -> Arc<Bytes> {
    let members: Vec<Value> = keys.iter().map(|key| member(key)).collect();
    Arc::new(Bytes::from(json!({ "keys": members }).to_string()))
}

fn member(key: &Key) -> Value {
    let alg = key.algorithm.as_str();
    // `x5c` is base64, not base64url (RFC 7517 §4.7).
    let x5c = [STANDARD.encode(&key.certificate)];
    match &key.public {
        Public::Ec { x, y } => json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": key.kid, "alg": alg, "use": "sig", "x5c": x5c,
        }),
        Public::Rsa { n, e } => json!({
            "kty": "RSA", "n": n, "e": e, "kid": key.kid, "alg": alg, "use": "sig", "x5c": x5c,
        }),
    }
}
