//! Seals and tags with the gateway's secret: each purpose has keys of its own.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
    hmac,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::secret::Secret,
    port::signer::{Purpose, Sealer},
};

/// Least length of the configured secret.
const LEAST: usize = 32;

/// The configured secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShortSecret {
    /// It could be guessed.
    #[error(
        "secret_key: found {0} bytes; expected at least 32 random ones, for example from `openssl rand -base64 48`"
    )]
    Length(usize),
    /// The crypto library refused.
    #[error("secret_key: no keys could be derived from it")]
    Derivation,
}

struct Keys {
    seal: RandomizedNonceKey,
    tag: hmac::Key,
}

impl Keys {
    // HKDF-SHA-256 (RFC 5869), `info` by use and purpose: a tag's key never encrypts, and no purpose
    // shares a key with another.
    fn derive(from: &Prk, purpose: Purpose) -> Result<Self, ShortSecret> {
        let bytes = |usage: &str| {
            let mut out = zeroize::Zeroizing::new([0_u8; 32]);
            from.expand(
                &[usage.as_bytes(), b"/", purpose.as_str().as_bytes()],
                HKDF_SHA256,
            )
            .and_then(|key| key.fill(out.as_mut_slice()))
            .map_err(|_| ShortSecret::Derivation)?;
            Ok(out)
        };
        Ok(Self {
            seal: RandomizedNonceKey::new(&AES_256_GCM, bytes("seal")?.as_slice())
                .map_err(|_| ShortSecret::Derivation)?,
            tag: hmac::Key::new(hmac::HMAC_SHA256, bytes("tag")?.as_slice()),
        })
    }
}

/// Seals with keys derived from `secret_key`.
pub struct SecretSealer {
    pending_login: Keys,
    back: Keys,
    form: Keys,
    upstream_hint: Keys,
    private_key: Keys,
    refresh: Keys,
    device: Keys,
    notice: Keys,
    handed: Keys,
    renewal: Keys,
    arrival: Keys,
}

impl fmt::Debug for SecretSealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretSealer(…)")
    }
}

impl SecretSealer {
    /// Derives the keys; a secret shorter than 32 bytes is refused.
    pub fn new(secret: &Secret) -> Result<Self, ShortSecret> {
        let secret = secret.reveal().as_bytes();
        if secret.len() < LEAST {
            return Err(ShortSecret::Length(secret.len()));
        }
        let from = Salt::new(HKDF_SHA256, b"fedgate/1").extract(secret);
        Ok(Self {
            pending_login: Keys::derive(&from, Purpose::PendingLogin)?,
            back: Keys::derive(&from, Purpose::Return)?,
            form: Keys::derive(&from, Purpose::Form)?,
            upstream_hint: Keys::derive(&from, Purpose::UpstreamHint)?,
            private_key: Keys::derive(&from, Purpose::PrivateKey)?,
            refresh: Keys::derive(&from, Purpose::Refresh)?,
            device: Keys::derive(&from, Purpose::Device)?,
            notice: Keys::derive(&from, Purpose::Notice)?,
            handed: Keys::derive(&from, Purpose::Handed)?,
            renewal: Keys::derive(&from, Purpose::Renewal)?,
            arrival: Keys::derive(&from, Purpose::Arrival)?,
        })
    }

    fn keys(&self, purpose: Purpose) -> &Keys {
        match purpose {
            Purpose::PendingLogin => &self.pending_login,
            Purpose::Return => &self.back,
            Purpose::Form => &self.form,
            Purpose::UpstreamHint => &self.upstream_hint,
            Purpose::PrivateKey => &self.private_key,
            Purpose::Refresh => &self.refresh,
            Purpose::Device => &self.device,
            Purpose::Notice => &self.notice,
            Purpose::Handed => &self.handed,
            Purpose::Renewal => &self.renewal,
            Purpose::Arrival => &self.arrival,
        }
    }
}

impl Sealer for SecretSealer {
    fn seal(&self, purpose: Purpose, plain: &[u8]) -> String {
        let mut text = plain.to_vec();
        let key = &self.keys(purpose).seal;
        match key.seal_in_place_append_tag(Aad::from(purpose.as_str()), &mut text) {
            Ok(nonce) => {
                let mut sealed = nonce.as_ref().to_vec();
                sealed.append(&mut text);
                URL_SAFE_NO_PAD.encode(sealed)
            }
            // Nothing but an input of many gigabytes gets here. An empty seal opens as nothing.
            Err(_) => String::new(),
        }
    }

    fn open(&self, purpose: Purpose, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        if bytes.len() < NONCE_LEN + MAX_TAG_LEN {
            return None;
        }
        let mut text = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let key = &self.keys(purpose).seal;
        let length = key
            .open_in_place(nonce, Aad::from(purpose.as_str()), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }

    fn tag(&self, purpose: Purpose, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.keys(purpose).tag, text.as_bytes()))
    }

    fn tagged(&self, purpose: Purpose, text: &str, tag: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(tag)
            .is_ok_and(|tag| hmac::verify(&self.keys(purpose).tag, text.as_bytes(), &tag).is_ok())
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "test data in ASCII")]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sealer(letter: &str) -> SecretSealer {
        SecretSealer::new(&Secret::new(letter.repeat(32))).unwrap()
    }

    #[test]
    fn a_seal_opens_for_its_purpose_and_secret_only() {
        let sealed = sealer("a").seal(Purpose::PendingLogin, b"state");
        assert_eq!(
            sealer("a").open(Purpose::PendingLogin, &sealed).unwrap(),
            b"state"
        );
        assert_eq!(sealer("a").open(Purpose::Return, &sealed), None);
        assert_eq!(sealer("b").open(Purpose::PendingLogin, &sealed), None);
        assert_ne!(sealed, sealer("a").seal(Purpose::PendingLogin, b"state"));
    }

    #[test]
    fn a_changed_seal_does_not_open() {
        let one = sealer("a");
        let sealed = one.seal(Purpose::Form, b"x");
        for index in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                one.open(Purpose::Form, &String::from_utf8(bytes).unwrap()),
                None,
                "{index}"
            );
        }
        for text in [
            "",
            "A",
            "!!",
            &sealed[1..],
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(one.open(Purpose::Form, text), None);
        }
    }

    #[test]
    fn a_tag_fits_its_text_and_purpose_only() {
        let one = sealer("a");
        let tag = one.tag(Purpose::Refresh, "family.1");
        assert!(one.tagged(Purpose::Refresh, "family.1", &tag));
        assert!(!one.tagged(Purpose::Refresh, "family.2", &tag));
        assert!(!one.tagged(Purpose::Form, "family.1", &tag));
        assert!(!one.tagged(Purpose::Refresh, "family.1", ""));
        assert!(!sealer("b").tagged(Purpose::Refresh, "family.1", &tag));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let fault = SecretSealer::new(&Secret::new("a".repeat(31))).unwrap_err();
        assert_eq!(fault, ShortSecret::Length(31));
    }
}
