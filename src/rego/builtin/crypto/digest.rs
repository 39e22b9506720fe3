//! Digests and message codes. MD5 and SHA-1 are here because policies compare old fingerprints with them.

use aws_lc_rs::{constant_time, digest, hmac};
use md5::{Digest, Md5};
use regorus::Value;

use super::super::arguments::Arguments;
use super::super::encoding::hex;
use super::Answer;

pub(super) fn md5(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(hex(&Md5::digest(arguments.string(1)?.as_bytes()))))
}

pub(super) fn sha1(arguments: &Arguments<'_>) -> Answer {
    digested(&digest::SHA1_FOR_LEGACY_USE_ONLY, arguments)
}

pub(super) fn sha256(arguments: &Arguments<'_>) -> Answer {
    digested(&digest::SHA256, arguments)
}

fn digested(algorithm: &'static digest::Algorithm, arguments: &Arguments<'_>) -> Answer {
    let digest = digest::digest(algorithm, arguments.string(1)?.as_bytes());
    Ok(Value::from(hex(digest.as_ref())))
}

pub(super) fn hmac_sha1(arguments: &Arguments<'_>) -> Answer {
    code(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, arguments)
}

pub(super) fn hmac_sha256(arguments: &Arguments<'_>) -> Answer {
    code(hmac::HMAC_SHA256, arguments)
}

pub(super) fn hmac_sha512(arguments: &Arguments<'_>) -> Answer {
    code(hmac::HMAC_SHA512, arguments)
}

fn code(algorithm: hmac::Algorithm, arguments: &Arguments<'_>) -> Answer {
    let (message, key) = (arguments.string(1)?, arguments.string(2)?);
    let code = hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), message.as_bytes());
    Ok(Value::from(hex(code.as_ref())))
}

/// RFC 2104 by hand: the provider has no MD5.
pub(super) fn hmac_md5(arguments: &Arguments<'_>) -> Answer {
    const BLOCK: usize = 64;
    let (message, key) = (arguments.string(1)?, arguments.string(2)?);
    let key = match key.len() {
        0..=BLOCK => key.as_bytes().to_vec(),
        _ => Md5::digest(key.as_bytes()).to_vec(),
    };
    let padded = |pad: u8| {
        let key = key.iter().copied().chain(std::iter::repeat(0)).take(BLOCK);
        key.map(|byte| byte ^ pad).collect::<Vec<u8>>()
    };
    let inner = Md5::new()
        .chain_update(padded(0x36))
        .chain_update(message)
        .finalize();
    let outer = Md5::new()
        .chain_update(padded(0x5c))
        .chain_update(inner)
        .finalize();
    Ok(Value::from(hex(&outer)))
}

/// In constant time, as a comparison with a secret must be.
pub(super) fn equal(arguments: &Arguments<'_>) -> Answer {
    let (one, other) = (arguments.string(1)?, arguments.string(2)?);
    let same = constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes());
    Ok(Value::from(same.is_ok()))
}
