//! Keys of signers, from certificates that the operator has: never from a message.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384},
    parse_x509_certificate,
    public_key::PublicKey,
};

use super::signature::Algorithm;
use crate::domain::time::Timestamp;

/// Shorter RSA keys can be broken (BSI TR-02102-1).
const LEAST_RSA_BITS: usize = 2048;

/// Whose signatures count, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The key.
    pub key: Key,
    /// What it is called.
    pub subject: String,
    /// It counts from then on.
    pub begins: Timestamp,
    /// It counts until then.
    pub ends: Timestamp,
}

impl Certificate {
    /// Whether it counts now.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.begins <= now && now < self.ends
    }
}

/// A public key for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

impl Key {
    /// Whether this key has made that signature. The algorithm must be one of this kind of key.
    pub(super) fn made(&self, algorithm: Algorithm, text: &[u8], value: &[u8]) -> bool {
        let by: &'static dyn VerificationAlgorithm = match (algorithm, self.kind) {
            (Algorithm::RsaSha1, Kind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Algorithm::RsaSha256, Kind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (Algorithm::RsaSha384, Kind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (Algorithm::RsaSha512, Kind::Rsa) => &signature::RSA_PKCS1_2048_8192_SHA512,
            (Algorithm::EcdsaSha256, Kind::P256) => &signature::ECDSA_P256_SHA256_FIXED,
            (Algorithm::EcdsaSha384, Kind::P384) => &signature::ECDSA_P384_SHA384_FIXED,
            (
                Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaSha384 | Algorithm::RsaSha512,
                Kind::P256 | Kind::P384,
            )
            | (Algorithm::EcdsaSha256, Kind::Rsa | Kind::P384)
            | (Algorithm::EcdsaSha384, Kind::Rsa | Kind::P256) => return false,
        };
        UnparsedPublicKey::new(by, &self.bytes)
            .verify(text, value)
            .is_ok()
    }
}

/// The certificates of a PEM file, in their order; or what is wrong with it.
pub fn read(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let all: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| format!("no PEM ({error})"))?;
    if all.is_empty() {
        return Err("no certificate in it".to_owned());
    }
    all.iter().map(|der| one(der)).collect()
}

fn one(der: &[u8]) -> Result<Certificate, String> {
    let (_, parsed) =
        parse_x509_certificate(der).map_err(|error| format!("no X.509 certificate ({error})"))?;
    let subject = parsed.subject().to_string();
    let key = parsed.public_key();
    let parameters = key.algorithm.parameters.as_ref();
    let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
    let bytes = key.subject_public_key.data.to_vec();
    let kind = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() < LEAST_RSA_BITS => {
            let bits = rsa.key_size();
            return Err(format!(
                "an RSA key of {bits} bits ({subject}); at least {LEAST_RSA_BITS} are needed"
            ));
        }
        Ok(PublicKey::RSA(_)) => Kind::Rsa,
        Ok(PublicKey::EC(_)) if curve == Some(OID_EC_P256) => Kind::P256,
        Ok(PublicKey::EC(_)) if curve == Some(OID_NIST_EC_P384) => Kind::P384,
        Ok(_) | Err(_) => {
            return Err(format!(
                "a key that is neither RSA nor ECDSA on P-256 or P-384 ({subject})"
            ));
        }
    };
    let validity = parsed.validity();
    Ok(Certificate {
        key: Key { kind, bytes },
        subject,
        begins: Timestamp(validity.not_before.timestamp()),
        ends: Timestamp(validity.not_after.timestamp()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTNER: &[u8] = include_bytes!("../../../tests/fixtures/saml/partner.pem");

    fn made(algorithm: &'static rcgen::SignatureAlgorithm) -> String {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["partner.example".to_owned()]).unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_certificate_names_key_and_time() {
        let [one] = read(PARTNER).unwrap().try_into().unwrap();
        assert_eq!(one.key.kind, Kind::Rsa);
        assert_eq!(one.subject, "CN=keystone.partner.example");
        assert!(one.counts(one.begins) && !one.counts(one.ends));
        assert!(!one.counts(Timestamp(one.begins.0 - 1)));
        let both = [
            made(&rcgen::PKCS_ECDSA_P256_SHA256),
            made(&rcgen::PKCS_ECDSA_P384_SHA384),
        ]
        .concat();
        let kinds: Vec<Kind> = read(both.as_bytes())
            .unwrap()
            .iter()
            .map(|one| one.key.kind)
            .collect();
        assert_eq!(kinds, [Kind::P256, Kind::P384]);
    }

    #[test]
    fn what_cannot_be_trusted_is_told() {
        for (pem, expected) in [
            ("", "no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "no X.509",
            ),
            (
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                "no PEM",
            ),
            (made(&rcgen::PKCS_ED25519).as_str(), "neither RSA nor ECDSA"),
            (SHORT, "an RSA key of 1024 bits (CN=short)"),
        ] {
            let wrong = read(pem.as_bytes()).unwrap_err();
            assert!(wrong.contains(expected), "{wrong}");
        }
    }

    /// `openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=short`
    const SHORT: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIB/jCCAWegAwIBAgIUfi0J0ruW0vDvXCEPhEpleNUpLgIwDQYJKoZIhvcNAQEL\n\
        BQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTI2MDMwNTE5WhgPMjEyNjExMDIw\n\
        MzA1MTlaMBAxDjAMBgNVBAMMBXNob3J0MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB\n\
        iQKBgQCkAxs+SCq0C/itUtUHsQQ9iY1XCtZO+NN1ZcrYQQWhH9MgcmjVCONWK8m+\n\
        qBqEEuDTMeQ6d0F+3TsnH8MfkPcjzmvb1paP5gVKwwoMeWDM4NPJZkP2mCzmTL/I\n\
        3hsXa9Ral/mnSgifrKnrBHqJkm/USpcAUktBFMpvsDcF2IBEawIDAQABo1MwUTAd\n\
        BgNVHQ4EFgQUL3JX8BycWGgn2wMuIuhMnHaE2AYwHwYDVR0jBBgwFoAUL3JX8Byc\n\
        WGgn2wMuIuhMnHaE2AYwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOB\n\
        gQAQoehQ5BM7yAoq8Fe/u8d6r7ILgRXJMEUBaU9A0YAh90Y/z/7+l6/2w5yCy93M\n\
        CxxaWgOfwmUBq7cRXxl1DGhBfPu4awKhQ9QRNIBlSmOJfAZorUVOS7FKzPaZpcis\n\
        CpL8ZXjTP5Mi45+/f0i0G+tMjCWvrfP8kmYnH42syJMngg==\n\
        -----END CERTIFICATE-----";
}
