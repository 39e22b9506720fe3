//! The real `opa` as a build tool, and keys for it.

use std::{fs, path::Path, process::Command};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
        EcdsaKeyPair, KeyPair as _, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Runs it; its output must be a success.
pub fn run(binary: &Path, folder: &Path, arguments: &[&str]) {
    let done = Command::new(binary)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "opa {arguments:?}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

/// Writes files into a folder.
pub fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A private and a public key in PEM (for HS… the secret twice) that fit an algorithm.
pub fn pair(algorithm: &str) -> (String, String) {
    let ec = |kind| {
        let private = EcdsaKeyPair::generate_pkcs8(kind, &aws_lc_rs::rand::SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, private.as_ref()).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        (
            pem("PRIVATE KEY", private.as_ref()),
            pem("PUBLIC KEY", public.as_ref()),
        )
    };
    match algorithm {
        "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
        "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
        "ES512" => ec(&ECDSA_P521_SHA512_FIXED_SIGNING),
        shared if shared.starts_with("HS") => {
            let secret = "a secret of more than sixty-four bytes, so that it is long enough for all of them";
            (secret.to_owned(), secret.to_owned())
        }
        _ => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
            (
                pem("PRIVATE KEY", private.as_ref()),
                pem("PUBLIC KEY", public.as_ref()),
            )
        }
    }
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// An archive of a folder, made by us, with the names that `opa build` uses.
pub fn packed(folder: &Path) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut tar = tar::Builder::new(gzip);
    tar.append_dir_all("", folder).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}
