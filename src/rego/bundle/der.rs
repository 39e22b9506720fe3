//! Public keys in PEM, as far as a bundle's signature needs them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The DER of a public key: `PUBLIC KEY`, `RSA PUBLIC KEY`, or the key inside a `CERTIFICATE`.
pub(super) fn public_key(pem: &str) -> Result<Vec<u8>, String> {
    let (label, der) = block(pem).ok_or("failed to parse PEM block containing the key")?;
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(der),
        "CERTIFICATE" => key_of_certificate(&der)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| "the certificate cannot be read".to_owned()),
        // OPA takes them; whoever verifies has no business with the key that signs.
        other if other.ends_with("PRIVATE KEY") => Err("it is a private key; give the public key".to_owned()),
        other => Err(format!(
            "{other} is no kind of public key; give a PEM block PUBLIC KEY"
        )),
    }
}

fn block(pem: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_whitespace().collect();
    Some((label, STANDARD.decode(body).ok()?))
}

/// `SubjectPublicKeyInfo` of a certificate (RFC 5280 §4.1). The certificate's own signature, names and dates
/// are not looked at: here it is a container that the operator has chosen, as for OPA.
fn key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = content(der, 0x30)?;
    let (mut rest, _) = content(certificate, 0x30)?;
    if rest.first() == Some(&0xa0) {
        rest = content(rest, 0xa0)?.1;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        rest = content(rest, tag)?.1;
    }
    let (_, after) = content(rest, 0x30)?;
    rest.get(..rest.len().checked_sub(after.len())?)
}

/// The content of the first element, which must have this tag, and what follows it.
fn content(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = if *length < 0x80 {
        (usize::from(*length), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        let length = bytes
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        (length, rest)
    };
    (*first == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_inside_a_certificate() {
        let made = rcgen::generate_simple_self_signed(["bundle.example".to_owned()]).unwrap();
        let inside = public_key(&made.cert.pem()).unwrap();
        assert_eq!(inside, public_key(&made.signing_key.public_key_pem()).unwrap());
    }

    #[test]
    fn what_is_no_public_key() {
        let made = rcgen::generate_simple_self_signed(["bundle.example".to_owned()]).unwrap();
        assert!(
            public_key(&made.signing_key.serialize_pem())
                .unwrap_err()
                .contains("private")
        );
        assert!(public_key("secret").unwrap_err().contains("PEM"));
        let cut = made.cert.der().get(..40).unwrap().to_vec();
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
            STANDARD.encode(cut)
        );
        assert!(public_key(&pem).unwrap_err().contains("cannot be read"));
        assert!(content(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], 0x30).is_none());
    }
}
