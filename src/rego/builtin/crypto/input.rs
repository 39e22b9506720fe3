//! Certificates as they are given, and the algorithms that they name.

use x509_parser::certificate::X509Certificate;
use x509_parser::x509::AlgorithmIdentifier;

use super::super::encoding::{Alphabet, base64, pem};
use super::super::fault::Fault;

/// Certificates of one argument at most.
const MOST: usize = 1_000;

/// The DER of every certificate of an argument: PEM, or base64 of PEM or DER.
pub(super) fn encoded(text: &str) -> Result<Vec<u8>, Fault> {
    if text.starts_with("-----BEGIN") {
        return in_pem(text);
    }
    let decoded = base64(Alphabet::Standard, text)?;
    match std::str::from_utf8(&decoded) {
        Ok(text) if text.starts_with("-----BEGIN") => in_pem(text),
        _ => Ok(decoded),
    }
}

fn in_pem(mut text: &str) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    while let (Some(block), rest) = pem(text) {
        if block.label != "CERTIFICATE" {
            let label = block.label;
            return Err(Fault::from(format!(
                "PEM block type is '{label}', expected CERTIFICATE"
            )));
        }
        all.extend(block.bytes);
        text = rest;
    }
    Ok(all)
}

/// The certificates, one after the other.
pub(super) fn parsed(mut der: &[u8]) -> Result<Vec<X509Certificate<'_>>, Fault> {
    let mut certificates = Vec::new();
    while !der.is_empty() {
        let (rest, certificate) = x509_parser::parse_x509_certificate(der)
            .map_err(|_| Fault::from("x509: malformed certificate"))?;
        if certificates.len() == MOST {
            return Err(Fault::Limit(format!("more than {MOST} certificates")));
        }
        for extension in certificate.extensions() {
            if extension.parsed_extension().error().is_some() {
                let id = extension.oid.to_id_string();
                return Err(Fault::from(format!("x509: malformed extension {id}")));
            }
        }
        certificates.push(certificate);
        der = rest;
    }
    Ok(certificates)
}

/// Go's number of a signature algorithm.
pub(super) fn signature_algorithm(algorithm: &AlgorithmIdentifier<'_>) -> u32 {
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => 2,
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.113549.1.1.10" => pss(algorithm),
        "1.2.840.10040.4.3" => 7,
        "2.16.840.1.101.3.4.3.2" => 8,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        "1.3.101.112" => 16,
        _ => 0,
    }
}

fn pss(algorithm: &AlgorithmIdentifier<'_>) -> u32 {
    let parameters = algorithm
        .parameters
        .as_ref()
        .map(|any| any.data)
        .unwrap_or_default();
    // The identifiers of SHA-256, SHA-384 and SHA-512 differ in their last byte.
    let sha2 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    let found = parameters
        .windows(9)
        .find_map(|window| window.strip_prefix(sha2.as_slice()));
    match found {
        Some([1]) => 13,
        Some([2]) => 14,
        Some([3]) => 15,
        _ => 0,
    }
}
