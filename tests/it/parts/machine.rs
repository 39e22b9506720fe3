//! A client program with a key of its own, and one that only says so.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};

/// Its name at the cloud.
pub const ID: &str = "machine";
/// Its key's name.
pub const KID: &str = "machine-1";

/// A P-256 key.
pub struct Key(KeyPair);

/// The key that the cloud knows.
pub fn own() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(Key::new)
}

/// The document that the cloud has of it.
pub fn jwks() -> String {
    let point = own().0.public_key_raw().to_vec();
    let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": KID, "x": part(1..33), "y": part(33..65)}]})
        .to_string()
}

impl Key {
    pub fn new() -> Self {
        Self(KeyPair::generate().unwrap())
    }

    /// Its private half.
    pub fn pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// Signs with ES256, whatever the header says beside it.
    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = EncodingKey::from_ec_pem(self.pem().as_bytes()).unwrap();
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }

    /// SubjectPublicKeyInfo: what a careless library takes for an HMAC secret.
    pub fn public_pem(&self) -> String {
        self.0.public_key_pem()
    }
}

/// The header of a good assertion.
pub fn header() -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(KID.to_owned());
    header
}
