//! The hash of a file as `opa sign` computes it.
//!
//! A structured file is hashed over its content, not its text: keys sorted, no blanks, numbers as written,
//! strings as Go writes them. So the signature survives another tool's white space, and nothing else.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::value::RawValue;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

/// Deepest document that is hashed.
const DEEPEST: usize = 256;

/// The digest of one file in hexadecimal. MD5 and SHA-1 are refused: files with one such digest can be made.
pub(super) fn hexadecimal(path: &str, bytes: &[u8], algorithm: &str) -> Result<String, String> {
    let canonical;
    let content = if is_structured(path) {
        let text = super::tree::json_text(path, bytes)?;
        canonical = canonical_text(&text)?;
        canonical.as_bytes()
    } else {
        bytes
    };
    Ok(match algorithm {
        "SHA-224" => hex(&Sha224::digest(content)),
        "SHA-256" => hex(&Sha256::digest(content)),
        "SHA-384" => hex(&Sha384::digest(content)),
        "SHA-512" => hex(&Sha512::digest(content)),
        "SHA-512-224" => hex(&Sha512_224::digest(content)),
        "SHA-512-256" => hex(&Sha512_256::digest(content)),
        "MD5" | "SHA-1" => {
            return Err(format!(
                "the hashing algorithm {algorithm} proves nothing; sign with SHA-256"
            ));
        }
        other => return Err(format!("unsupported hashing algorithm: {other}")),
    })
}

/// OPA's list, by the file's own name.
fn is_structured(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "data.json" | "data.yaml" | "signatures.json" | ".manifest")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn canonical_text(json: &str) -> Result<String, String> {
    let value: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut out = String::with_capacity(json.len());
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &RawValue, depth: usize, out: &mut String) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST}"));
    }
    let text = value.get();
    let wrong = |error: serde_json::Error| error.to_string();
    match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(wrong)?;
            out.push('{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(&key, out);
                out.push(':');
                write(member, depth + 1, out)?;
            }
            out.push('}');
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            out.push('[');
            for (index, item) in items.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(']');
        }
        Some(b'"') => string(&serde_json::from_str::<String>(text).map_err(wrong)?, out),
        // A number as it is written, true, false, null.
        Some(_) | None => out.push_str(text),
    }
    Ok(())
}

/// As Go's `json.Encoder` without HTML escapes.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            control if control < ' ' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_not_text() {
        let one = br#" { "b" : 1.0, "a": [ "x\u0041<\u2028\u0001" , null ] } "#;
        let other = br#"{"a":["xA<\u2028\u0001",null],"b":1.0}"#;
        assert_eq!(
            canonical_text(std::str::from_utf8(one).unwrap()).unwrap(),
            std::str::from_utf8(other).unwrap()
        );
        let hash = |bytes: &[u8]| hexadecimal("a/data.json", bytes, "SHA-256").unwrap();
        assert_eq!(hash(one), hash(other));
        assert_ne!(hash(br#"{"b":1}"#), hash(br#"{"b":1.0}"#));
        // Other files are their bytes.
        assert_ne!(
            hexadecimal("p.rego", b"package a", "SHA-512-224").unwrap(),
            hexadecimal("p.rego", b"package a ", "SHA-512-224").unwrap()
        );
    }

    #[test]
    fn algorithms_that_prove_nothing() {
        for (algorithm, part) in [
            ("MD5", "proves nothing"),
            ("SHA-1", "proves nothing"),
            ("CRC", "unsupported"),
        ] {
            assert!(hexadecimal("p.rego", b"", algorithm).unwrap_err().contains(part));
        }
    }
}
