//! One Keystone token has many spellings: its base64 is read as Python reads it, which passes over letters that do not
//! belong there, takes both alphabets, and looks at nothing behind the padding. What is kept by a token's text would
//! not be found again by another spelling of the same token, and whoever holds it may choose one.

use base64::{
    Engine as _, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD},
};

use super::hashed;

/// Bits that the last letter has too many say nothing to Python, whatever they are.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The name under which a token is kept, as its target wrote it.
pub(super) fn name(token: &str) -> String {
    if token.contains('.') {
        hashed(signed_part(token))
    } else {
        hashed(&plain(token))
    }
}

/// The names that a token may be kept under, in whichever spelling it comes back. Which kind it is, Keystone's
/// configuration knows alone: a dot separates the parts of a JWS, and is passed over in a Fernet token.
pub(super) fn names(token: &str) -> Vec<String> {
    let mut names = vec![hashed(&plain(token))];
    if token.contains('.') {
        names.push(hashed(signed_part(token)));
    }
    names
}

/// Of a JWS all but the signature: another one over the same text can be made of it without the key (ECDSA).
fn signed_part(token: &str) -> &str {
    token.rsplit_once('.').map_or(token, |(text, _)| text)
}

/// A Fernet token as Keystone itself writes it.
fn plain(token: &str) -> String {
    let mut letters = String::with_capacity(token.len());
    let mut pads = 0;
    for letter in token.chars() {
        let place = letters.len() % 4;
        match letter {
            '=' if place >= 2 => {
                pads += 1;
                if place + pads >= 4 {
                    break;
                }
            }
            '+' | '/' | '-' | '_' | 'A'..='Z' | 'a'..='z' | '0'..='9' => {
                pads = 0;
                letters.push(match letter {
                    '+' => '-',
                    '/' => '_',
                    other => other,
                });
            }
            _ => {}
        }
    }
    match LENIENT.decode(&letters) {
        Ok(bytes) => URL_SAFE_NO_PAD.encode(bytes),
        // One letter too many: Python refuses that, and so does Keystone.
        Err(_) => letters,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_that_python_reads_as_one_token_has_its_name() {
        // base64.urlsafe_b64decode gives b'\x80\xfb\xff12345' for each.
        let own = "gPv_MTIzNDU";
        for other in [
            own,
            "gPv_MTIzNDU=",
            "gPv/MTIzNDU=",
            "gPv_\nMTIz NDU=",
            "!g.P~v_MTIzNDU=",
            "g=P=v_MTIzNDU=",
            "gP=v_MTIzNDU=",
            "gPv_MTIzNDV=",
            "gPv_MTIzNDU=AAAA",
            "gPv_MTIzNDU=.x.y",
            "\u{e4}gPv_MTIzNDU=",
        ] {
            assert!(names(other).contains(&name(own)), "{other:?}");
        }
        for other in ["", "gPv_MTIzNDY", "gPv_MTIz", "GPV_MTIZNDU"] {
            assert!(!names(other).contains(&name(own)), "{other:?}");
        }
    }

    #[test]
    fn a_signed_token_is_told_by_what_is_signed() {
        let own = name("head.claims.signature");
        assert!(names("head.claims.another").contains(&own));
        assert!(!names("head.other.signature").contains(&own));
    }
}
