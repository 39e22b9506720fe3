//! `crypto.x509.parse_keypair`: Go's `tls.Certificate` as a document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regorus::Value;

use super::super::arguments::Arguments;
use super::super::encoding::{Alphabet, base64, pem};
use super::super::fault::Fault;
use super::super::key::PublicKey;
use super::Answer;
use super::certificate::document;
use super::document::{bytes, list, object};
use super::input::parsed;
use super::private::keys;

pub(super) fn parse(arguments: &Arguments<'_>) -> Answer {
    let certificates = in_pem(arguments.string(1)?, "CERTIFICATE")?;
    let key = in_pem(arguments.string(2)?, "PRIVATE KEY")?;
    let ders = blocks(&certificates);
    let first = ders
        .first()
        .ok_or("tls: failed to find any PEM data in certificate input")?;
    let leaf = parsed(first)?;
    let leaf = leaf.first().ok_or("x509: malformed certificate")?;
    let keys = keys(&key)?;
    let key = keys
        .first()
        .ok_or("tls: failed to find any PEM data in key input")?;
    if PublicKey::of(leaf.public_key()).as_ref() != Some(&key.public) {
        return Err(Fault::from("tls: private key does not match public key"));
    }
    Ok(object([
        ("Certificate", list(ders.iter().map(|der| bytes(der)))),
        ("Leaf", document(leaf, false)),
        ("PrivateKey", key.document()),
        ("OCSPStaple", Value::Null),
        ("SignedCertificateTimestamps", Value::Null),
        ("SupportedSignatureAlgorithms", Value::Null),
    ]))
}

/// PEM, or base64 of PEM or DER.
fn in_pem(text: &str, label: &str) -> Result<String, Fault> {
    if text.starts_with("-----BEGIN ") {
        return Ok(text.to_owned());
    }
    let decoded = base64(Alphabet::Standard, text)?;
    if decoded.starts_with(b"-----BEGIN ") {
        return Ok(String::from_utf8_lossy(&decoded).into_owned());
    }
    let der = STANDARD.encode(decoded);
    Ok(format!("-----BEGIN {label}-----\n{der}\n-----END {label}-----\n"))
}

fn blocks(mut text: &str) -> Vec<Vec<u8>> {
    let mut ders = Vec::new();
    while let (Some(block), rest) = pem(text) {
        if block.label == "CERTIFICATE" {
            ders.push(block.bytes);
        }
        text = rest;
    }
    ders
}
