//! `.signatures.json`: a JWT over the list of files (OPA, "Signing").
//!
//! The algorithm comes from the configured key and never from the token, so that nobody can turn a public
//! key into an HMAC secret (RFC 8725 §3.1).

use std::collections::BTreeMap;

use aws_lc_rs::{hmac, signature as aws};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{BundleFault, File, der, hash, pattern};

/// A key that bundles are checked by.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// A PEM public key or certificate; for HS256, HS384 and HS512 the secret itself.
    pub key: String,
    /// RS, PS, ES or HS with 256, 384 or 512.
    pub algorithm: String,
    /// What the signature must be made for, where the bundle does not say.
    pub scope: String,
}

impl std::fmt::Debug for Key {
    // An HMAC key is a secret.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Key({})", self.algorithm)
    }
}

/// How a bundle is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Keys by id.
    pub keys: BTreeMap<String, Key>,
    /// The only key that counts; absent: the one that the signature names.
    pub key_id: Option<String>,
    /// What the signature must be made for; absent: what the key says.
    pub scope: Option<String>,
    /// Files (Go's `filepath.Match`) that need not be signed.
    pub exclude_files: Vec<String>,
}

/// Whether an algorithm is one of those.
#[must_use]
pub(super) fn is_known(algorithm: &str) -> bool {
    matches!(
        algorithm,
        "RS256"
            | "RS384"
            | "RS512"
            | "PS256"
            | "PS384"
            | "PS512"
            | "ES256"
            | "ES384"
            | "ES512"
            | "HS256"
            | "HS384"
            | "HS512"
    )
}

impl Key {
    /// Whether the key can be used at all, for those who check a configuration.
    pub fn check(&self) -> Result<(), String> {
        if !is_known(&self.algorithm) {
            return Err(format!(
                "unsupported algorithm '{}'; use RS, PS, ES or HS with 256, 384 or 512",
                self.algorithm
            ));
        }
        if self.algorithm.starts_with("HS") {
            return if self.key.is_empty() {
                Err("the secret is empty".to_owned())
            } else {
                Ok(())
            };
        }
        der::public_key(&self.key).map(drop)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), String> {
        let wrong = || "failed to verify JWT signature: it does not fit the key".to_owned();
        let shared = match self.algorithm.as_str() {
            "HS256" => Some(hmac::HMAC_SHA256),
            "HS384" => Some(hmac::HMAC_SHA384),
            "HS512" => Some(hmac::HMAC_SHA512),
            _ => None,
        };
        if let Some(algorithm) = shared {
            let key = hmac::Key::new(algorithm, self.key.as_bytes());
            return hmac::verify(&key, message, signature).map_err(|_| wrong());
        }
        let der = der::public_key(&self.key)?;
        let algorithm: &'static dyn aws::VerificationAlgorithm = match self.algorithm.as_str() {
            "RS256" => &aws::RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &aws::RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &aws::RSA_PKCS1_2048_8192_SHA512,
            "PS256" => &aws::RSA_PSS_2048_8192_SHA256,
            "PS384" => &aws::RSA_PSS_2048_8192_SHA384,
            "PS512" => &aws::RSA_PSS_2048_8192_SHA512,
            "ES256" => &aws::ECDSA_P256_SHA256_FIXED,
            "ES384" => &aws::ECDSA_P384_SHA384_FIXED,
            "ES512" => &aws::ECDSA_P521_SHA512_FIXED,
            other => return Err(format!("unknown signature algorithm: {other}")),
        };
        aws::UnparsedPublicKey::new(algorithm, der)
            .verify(message, signature)
            .map_err(|_| wrong())
    }
}

#[derive(Deserialize)]
struct Signatures {
    #[serde(default)]
    signatures: Option<Vec<String>>,
    #[serde(default)]
    plugin: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    files: Option<Vec<Signed>>,
    #[serde(default)]
    keyid: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

/// A file as it was signed.
#[derive(Deserialize)]
struct Signed {
    name: String,
    hash: String,
    #[serde(default)]
    algorithm: String,
}

/// Checks the signature, and every file by it: none missing, none besides, none changed.
pub(super) fn check(
    signatures: Option<&File>,
    files: &[File],
    verification: Option<&Verification>,
) -> Result<(), BundleFault> {
    let (file, verification) = match (signatures, verification) {
        (None, None) => return Ok(()),
        // OPA lets it pass unless a key id is configured. Who has given keys wants signatures.
        (None, Some(_)) => {
            return Err(BundleFault::signature(
                "bundle missing .signatures.json file; sign it with `opa sign`",
            ));
        }
        (Some(_), None) => {
            return Err(BundleFault::signature(
                "verification key not provided; give the key under `keys`, or deliver the bundle without \
                 .signatures.json",
            ));
        }
        (Some(file), Some(verification)) => (file, verification),
    };
    let mut signed = signed_files(&file.bytes, verification)?;
    for file in files {
        // Exactly one slash, as OPA: "./a" and "a" are two names to a signature.
        let name = file.path.strip_prefix('/').unwrap_or(&file.path);
        if is_excluded(name, verification)? {
            signed.remove(name);
            continue;
        }
        let entry = signed
            .remove(name)
            .ok_or_else(|| BundleFault::Signature(format!("file {name} not included in bundle signature")))?;
        if entry.algorithm.is_empty() {
            let why = format!("no hashing algorithm provided for file {name}");
            return Err(BundleFault::Signature(why));
        }
        let got = hash::hexadecimal(name, &file.bytes, &entry.algorithm)
            .map_err(|why| BundleFault::file(name, why))?;
        if !got.eq_ignore_ascii_case(&entry.hash) {
            return Err(BundleFault::Signature(format!(
                "{name}: digest mismatch (want: {}, got: {got}); the file was changed after it was signed",
                entry.hash
            )));
        }
    }
    if signed.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = signed.keys().map(String::as_str).collect();
    Err(BundleFault::Signature(format!(
        "file(s) [{}] specified in bundle signatures but not found in the target bundle",
        missing.join(" ")
    )))
}

fn is_excluded(name: &str, verification: &Verification) -> Result<bool, BundleFault> {
    for text in &verification.exclude_files {
        let pattern = pattern::in_folder(text)
            .map_err(|why| BundleFault::Signature(format!("exclude_files: '{text}': {why}")))?;
        if pattern.is_match(name) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn signed_files(bytes: &[u8], verification: &Verification) -> Result<BTreeMap<String, Signed>, BundleFault> {
    let document: Signatures = super::object(bytes).map_err(|error| {
        BundleFault::Signature(format!("bundle load failed on signatures decode: {error}"))
    })?;
    if let Some(plugin) = document
        .plugin
        .filter(|plugin| !matches!(plugin.as_str(), "" | "_default"))
    {
        return Err(BundleFault::Signature(format!(
            "no verifier exists under id {plugin}"
        )));
    }
    let tokens = document.signatures.unwrap_or_default();
    match tokens.as_slice() {
        [] => Err(BundleFault::signature(
            ".signatures.json: missing JWT (expected exactly one)",
        )),
        [token] => {
            let payload = verified(token, verification).map_err(BundleFault::Signature)?;
            let files = payload.files.unwrap_or_default();
            Ok(files.into_iter().map(|file| (file.name.clone(), file)).collect())
        }
        [_, _, ..] => Err(BundleFault::signature(
            ".signatures.json: multiple JWTs not supported (expected exactly one)",
        )),
    }
}

fn verified(token: &str, verification: &Verification) -> Result<Payload, String> {
    let (message, signature) = token
        .rsplit_once('.')
        .ok_or("failed to split compact JWT: expected three parts")?;
    let (header, payload) = message
        .split_once('.')
        .filter(|(_, payload)| !payload.contains('.'))
        .ok_or("failed to split compact JWT: expected three parts")?;
    let decoded = |part: &str, what: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|error| format!("failed to base64 decode JWT {what}: {error}"))
    };
    let header: Header = super::object(&decoded(header, "header")?)
        .map_err(|error| format!("failed to extract key ID from headers: {error}"))?;
    let payload: Payload = super::object(&decoded(payload, "payload")?)
        .map_err(|error| format!("failed to read JWT payload: {error}"))?;
    let id = [&verification.key_id, &header.kid, &payload.keyid]
        .into_iter()
        .flatten()
        .find(|id| !id.is_empty())
        .ok_or("verification key ID is empty; sign with `opa sign --claims-file` or `keyid`, or configure `signing.keyid`")?;
    let key = verification
        .keys
        .get(id)
        .ok_or_else(|| format!("verification key corresponding to ID {id} not found"))?;
    key.verify(message.as_bytes(), &decoded(signature, "signature")?)?;
    let scope = verification
        .scope
        .as_ref()
        .filter(|scope| !scope.is_empty())
        .unwrap_or(&key.scope);
    if payload.scope.as_deref().unwrap_or_default() != scope {
        return Err(format!("scope mismatch: the bundle is not signed for '{scope}'"));
    }
    Ok(payload)
}
