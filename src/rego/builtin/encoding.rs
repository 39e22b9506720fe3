//! Base64, hexadecimal and PEM as Go reads them, with Go's messages: OPA's answers to broken input depend on it.

use regorus::Value;

use super::fault::Fault;

/// Which 64 signs, and whether `=` fills the last group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    Standard,
    Url,
}

impl Alphabet {
    fn value(self, sign: u8) -> Option<u8> {
        match (sign, self) {
            (b'A'..=b'Z', _) => Some(sign - b'A'),
            (b'a'..=b'z', _) => Some(sign - b'a' + 26),
            (b'0'..=b'9', _) => Some(sign - b'0' + 52),
            (b'+', Self::Standard) | (b'-', Self::Url) => Some(62),
            (b'/', Self::Standard) | (b'_', Self::Url) => Some(63),
            _ => None,
        }
    }
}

/// Go's `base64.Encoding.DecodeString` with padding: line ends are passed over, unused bits are not looked at.
pub(super) fn base64(alphabet: Alphabet, text: &str) -> Result<Vec<u8>, Fault> {
    let signs = text.as_bytes();
    let wrong = |at: usize| Fault::from(format!("illegal base64 data at input byte {at}"));
    let mut decoded = Vec::with_capacity(signs.len() / 4 * 3);
    let (mut group, mut held, mut at) = (0_u32, 0_usize, 0_usize);
    while let Some(&sign) = signs.get(at) {
        at += 1;
        if matches!(sign, b'\n' | b'\r') {
            continue;
        }
        if let Some(bits) = alphabet.value(sign) {
            group = group << 6 | u32::from(bits);
            held += 1;
            if held == 4 {
                decoded.extend(group.to_be_bytes().iter().skip(1));
                (group, held) = (0, 0);
            }
            continue;
        }
        if sign != b'=' || held < 2 {
            return Err(wrong(at - 1));
        }
        let end = padding_end(signs, at, held).map_err(wrong)?;
        if end < signs.len() {
            return Err(wrong(end));
        }
        let bytes = (group << (6 * (4 - held))).to_be_bytes();
        decoded.extend(bytes.iter().skip(1).take(held - 1));
        return Ok(decoded);
    }
    if held > 0 {
        return Err(wrong(at - held));
    }
    Ok(decoded)
}

/// Where the padding that begins before `at` ends, line ends included.
fn padding_end(signs: &[u8], mut at: usize, held: usize) -> Result<usize, usize> {
    let skip = |mut at: usize| {
        while matches!(signs.get(at), Some(b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    if held == 2 {
        at = skip(at);
        match signs.get(at) {
            None => return Err(signs.len()),
            Some(b'=') => at += 1,
            Some(_) => return Err(at - 1),
        }
    }
    Ok(skip(at))
}

/// OPA's `base64url.decode`: the padding may be left out (RFC 7515, appendix C).
pub(super) fn base64url(text: &str) -> Result<Vec<u8>, Fault> {
    let fill = match (text.ends_with('='), text.len() % 4) {
        (true, _) | (false, 0) => "",
        (false, 2) => "==",
        (false, 3) => "=",
        (false, _) => return Err(Fault::from(format!("illegal base64url string: {text}"))),
    };
    base64(Alphabet::Url, &format!("{text}{fill}"))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// JSON as Go's `json.Marshal` writes it: keys sorted, safe to stand in HTML, numbers of any size.
pub(super) fn go_json(value: &Value) -> Result<String, Fault> {
    let mut out = String::new();
    write_json(value, &mut out)?;
    Ok(out)
}

fn write_json(value: &Value, out: &mut String) -> Result<(), Fault> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.format_decimal()),
        Value::String(text) => write_text(text, out)?,
        Value::Array(items) => write_items(items.iter(), out)?,
        Value::Set(items) => write_items(items.iter_sorted(), out)?,
        Value::Object(fields) => {
            out.push('{');
            for (at, (key, value)) in fields.iter_sorted().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if let Value::String(text) = key {
                    write_text(text, out)?;
                } else {
                    write_text(&go_json(key)?, out)?;
                }
                out.push(':');
                write_json(value, out)?;
            }
            out.push('}');
        }
        Value::Undefined => return Err(Fault::from("undefined has no JSON")),
    }
    Ok(())
}

fn write_items<'a>(items: impl Iterator<Item = &'a Value>, out: &mut String) -> Result<(), Fault> {
    out.push('[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_json(item, out)?;
    }
    out.push(']');
    Ok(())
}

fn write_text(text: &str, out: &mut String) -> Result<(), Fault> {
    let text = serde_json::to_string(text).map_err(|error| Fault::from(error.to_string()))?;
    for sign in text.chars() {
        match sign {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    Ok(())
}

/// One block of PEM.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) label: String,
    pub(super) bytes: Vec<u8>,
}

/// Go's `pem.Decode`: the first whole block of the text, and what follows it. Broken blocks are passed over.
pub(super) fn pem(text: &str) -> (Option<Block>, &str) {
    const BEGIN: &str = "-----BEGIN ";
    let mut from = text;
    loop {
        let body = match from.strip_prefix(BEGIN) {
            Some(body) => body,
            None => match from.split_once("\n-----BEGIN ") {
                Some((_, body)) => body,
                None => return (None, text),
            },
        };
        match block(body) {
            Some((block, rest)) => return (Some(block), rest),
            None => from = body,
        }
    }
}

fn block(body: &str) -> Option<(Block, &str)> {
    let (label, rest) = body.split_once('\n')?;
    let label = label.trim_end().strip_suffix("-----")?;
    let end = format!("-----END {label}-----");
    let (content, rest) = match rest.strip_prefix(end.as_str()) {
        Some(rest) => ("", rest),
        None => rest.split_once(format!("\n{end}").as_str())?,
    };
    // Nothing but white space may follow on the last line.
    let (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    if !line.trim().is_empty() {
        return None;
    }
    let signs: String = headless(content)
        .chars()
        .filter(|sign| !sign.is_whitespace())
        .collect();
    let bytes = base64(Alphabet::Standard, &signs).ok()?;
    Some((
        Block {
            label: label.to_owned(),
            bytes,
        },
        rest,
    ))
}

/// The content without RFC 1421 headers.
fn headless(mut content: &str) -> &str {
    while let Some((line, rest)) = content.split_once('\n') {
        if !line.contains(':') {
            break;
        }
        content = rest;
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_fails_where_go_fails() {
        let said = |text| match base64(Alphabet::Standard, text) {
            Err(Fault::Failed(said)) => said,
            other => panic!("{other:?}"),
        };
        assert_eq!(said("YQ"), "illegal base64 data at input byte 0");
        assert_eq!(said("YQ="), "illegal base64 data at input byte 3");
        assert_eq!(said("YQ==YQ"), "illegal base64 data at input byte 4");
        assert_eq!(said("Y?=="), "illegal base64 data at input byte 1");
        assert_eq!(base64(Alphabet::Standard, "YW\nI=\n").unwrap(), b"ab");
        assert_eq!(base64url("_-8").unwrap(), [0xff, 0xef]);
    }

    #[test]
    fn pem_passes_over_what_is_no_block() {
        let text = "x\n-----BEGIN A-----\n?\n-----END A-----\n-----BEGIN B-----\nYWI=\n-----END B-----\nrest";
        let (block, rest) = pem(text);
        let block = block.unwrap();
        assert_eq!(
            (block.label.as_str(), block.bytes.as_slice(), rest),
            ("B", &b"ab"[..], "rest")
        );
        assert!(pem("-----BEGIN A-----\nYWI=\n").0.is_none());
    }
}
