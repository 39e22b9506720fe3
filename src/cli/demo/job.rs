//! `fedgate demo-job`: a token as a CI job would get it from its CI system, signed by the demonstration's own issuer.

use std::{fs, path::PathBuf};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    app::{clock::SystemClock, operate},
    port::clock::Clock as _,
};

/// As `config/demo/cloud-a.yaml` has it. Nobody asks it for anything: the cloud has its keys as a file.
const ISSUER: &str = "https://ci.acme.example";
/// Its key's name.
const KID: &str = "demo-ci";
/// As long as a job may run.
const LIFE_S: i64 = 3600;

/// What the job is.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Job {
    /// The folder of the demonstration.
    #[arg(long, default_value = "target/demo")]
    folder: PathBuf,
    /// The project that the job belongs to.
    #[arg(long, default_value = "acme/webshop")]
    project: String,
    /// The branch that it runs for.
    #[arg(long = "ref", default_value = "main")]
    branch: String,
    /// For whom its token is; the cloud's gateway if nothing is said.
    #[arg(long, env = "FEDGATE_ISSUER", default_value = "https://localhost:8443")]
    audience: String,
}

/// Prints the token.
#[expect(clippy::print_stdout, reason = "the command's answer")]
pub(in crate::cli) fn run(job: &Job) -> Result<(), String> {
    let path = job.folder.join("ci.key");
    let text = fs::read(&path)
        .map_err(|error| format!("{}: {error}; start the demonstration first", path.display()))?;
    let key = key(&text)?;
    let now = SystemClock.now().0;
    let claims = json!({
        "iss": ISSUER, "aud": job.audience, "iat": now, "nbf": now - 5, "exp": now + LIFE_S,
        "jti": operate::random_secret(), "project_path": job.project, "ref": job.branch, "ref_type": "branch",
        "sub": format!("project_path:{}:ref_type:branch:ref:{}", job.project, job.branch),
    });
    println!("{}", signed(&key, &claims)?);
    Ok(())
}

/// A new key, PKCS#8.
pub(super) fn new_key() -> Result<Vec<u8>, String> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| "a key could not be made".to_owned())?;
    Ok(document.as_ref().to_vec())
}

/// What the cloud knows of a key: the document that a CI system publishes.
pub(super) fn jwks(text: &[u8]) -> Result<String, String> {
    let key = key(text)?;
    let point = key.public_key().as_ref();
    // 0x04, x, y (SEC 1 §2.3.3).
    let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
        return Err("the key is no P-256 key".to_owned());
    };
    let one = json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KID,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    });
    Ok(json!({ "keys": [one] }).to_string())
}

fn key(text: &[u8]) -> Result<EcdsaKeyPair, String> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, text)
        .map_err(|_| "the demonstration's CI key cannot be read; make clean-demo makes a new one".to_owned())
}

fn signed(key: &EcdsaKeyPair, claims: &Value) -> Result<String, String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "ES256", "typ": "JWT", "kid": KID });
    let text = format!("{}.{}", part(&header), part(claims));
    let signature = key
        .sign(&SystemRandom::new(), text.as_bytes())
        .map_err(|_| "the token could not be signed".to_owned())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
