//! Bodies: bounded, unpacked, and parsed once. Whatever is wrong with one is OPA's 400.

use std::{fmt, io::Read as _};

use axum::body::Body;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use super::{Limits, broken::json};
use crate::rego::Value;

/// Reads a body of at most the configured length.
pub(super) async fn read(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Bytes, String> {
    const TOO_LARGE: &str = "request body too large";
    let said = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > limits.largest_body) {
        return Err(TOO_LARGE.into());
    }
    let whole = Limited::new(body, limits.largest_body).collect();
    match tokio::time::timeout(limits.patience, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(TOO_LARGE.into()),
        Ok(Err(_)) => Err("unexpected EOF".into()),
        // Whoever sends a byte now and then would hold a turn for ever.
        Err(_) => Err("the body took too long".into()),
    }
}

/// Unpacks a body that says it is packed, up to the limit: a bomb costs no more than a large body.
pub(super) fn unpack(headers: &HeaderMap, body: Bytes, limits: &Limits) -> Result<Bytes, String> {
    let packed = headers
        .get(header::CONTENT_ENCODING)
        .and_then(|encoding| encoding.to_str().ok())
        .is_some_and(|encoding| encoding.contains("gzip"));
    if !packed {
        return Ok(body);
    }
    let most = u64::try_from(limits.largest_unpacked)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut unpacked = Vec::with_capacity(body.len());
    let mut decoder = MultiGzDecoder::new(&*body).take(most);
    decoder
        .read_to_end(&mut unpacked)
        .map_err(|error| format!("could not decompress the body: {}", broken_gzip(&error)))?;
    if unpacked.len() > limits.largest_unpacked {
        return Err("could not decompress the body: gzip payload too large".into());
    }
    Ok(unpacked.into())
}

/// The error in the words of Go's package.
fn broken_gzip(error: &std::io::Error) -> &'static str {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        "unexpected EOF"
    } else if error.to_string().contains("header") {
        "gzip: invalid header"
    } else {
        "gzip: invalid checksum"
    }
}

/// Whether the body is YAML. There is no standard name for it: OPA looks for the word.
pub(super) fn is_yaml(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("yaml"))
}

/// The document in a body: JSON or YAML, none if the body is empty.
pub(super) fn document(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, String> {
    parse::<Value>(headers, bytes)
}

/// The member `input` of the body of `POST /v1/data`. Null is no input.
pub(super) fn input(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Value>, String> {
    let envelope = parse::<Option<Envelope>>(headers, bytes)?;
    Ok(envelope.flatten().and_then(|envelope| envelope.input))
}

fn parse<'a, T: Deserialize<'a>>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<Option<T>, String> {
    let malformed = |what: String| format!("body contains malformed input document: {what}");
    // Never read on with replacement characters: two different names could become one.
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("invalid UTF-8".into()))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    if is_yaml(headers) {
        return serde_norway::from_str(text)
            .map(Some)
            .map_err(|error| malformed(error.to_string()));
    }
    json(text, "types.alias").map(Some).map_err(malformed)
}

/// `{"input": …}` with whatever else stands beside it. Go matches member names without regard to case, and the
/// last of several wins; a reader that took the first could be shown another input than the one that decides.
struct Envelope {
    input: Option<Value>,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with the member 'input'")
    }

    fn visit_unit<E>(self) -> Result<Envelope, E> {
        Ok(Envelope { input: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut input = None;
        while let Some(is_input) = map.next_key_seed(IsInput)? {
            if is_input {
                input = map.next_value::<Option<Value>>()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Envelope { input })
    }
}

/// Reads a key without keeping it.
struct IsInput;

impl<'de> DeserializeSeed<'de> for IsInput {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsInput {
    type Value = bool;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a member name")
    }
    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name.eq_ignore_ascii_case("input"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        headers
    }

    #[test]
    fn the_last_input_counts_and_the_rest_is_left() {
        let json = headers("application/json");
        let read =
            |text: &str| input(&json, text.as_bytes()).map(|value| value.map(|value| value.to_string()));
        assert_eq!(
            read(r#"{"x": [1], "input": {"a": 1}}"#).unwrap().unwrap(),
            r#"{"a":1}"#
        );
        assert_eq!(read(r#"{"input": 1, "INPUT": 2}"#).unwrap().unwrap(), "2");
        for none in ["", " \n", "{}", r#"{"input": null}"#, "null"] {
            assert_eq!(read(none).unwrap(), None, "{none}");
        }
        for (broken, part) in [
            (
                r#"{"input": @}"#,
                "invalid character '@' looking for beginning of value",
            ),
            (r#"{"input": "#, "unexpected EOF"),
            (
                "[1]",
                "json: cannot unmarshal array into Go value of type types.alias",
            ),
        ] {
            let fault = read(broken).unwrap_err();
            assert!(fault.ends_with(part) || fault.contains(part), "{broken}: {fault}");
        }
        let deep = format!("{{\"input\": {}1{}}}", "[".repeat(500), "]".repeat(500));
        assert!(read(&deep).unwrap_err().ends_with("exceeded max depth"));
        assert!(
            input(&json, b"{\"input\": \"\xff\"}")
                .unwrap_err()
                .contains("UTF-8")
        );
    }

    #[test]
    fn yaml_is_read_by_its_name() {
        let yaml = headers("application/x-yaml");
        let read = input(&yaml, b"---\ninput:\n  req1: 2").unwrap().unwrap();
        assert_eq!(read.to_string(), r#"{"req1":2}"#);
        assert_eq!(
            document(&yaml, b"a: [x]").unwrap().unwrap().to_string(),
            r#"{"a":["x"]}"#
        );
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        let packed = encoder.finish().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        let limits = |largest_unpacked| Limits {
            largest_unpacked,
            ..Limits::default()
        };
        let unpack = |body: &[u8], most| unpack(&headers, Bytes::copy_from_slice(body), &limits(most));
        assert_eq!(unpack(&packed, 1 << 20).unwrap().len(), 1 << 20);
        assert!(
            unpack(&packed, 1 << 19)
                .unwrap_err()
                .ends_with("gzip payload too large")
        );
        assert!(
            unpack(b"nothing at all", 99)
                .unwrap_err()
                .ends_with("gzip: invalid header")
        );
        let cut = packed.get(..packed.len() - 9).unwrap();
        assert!(unpack(cut, 1 << 21).unwrap_err().ends_with("unexpected EOF"));
        let mut wrong = packed.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert!(
            unpack(&wrong, 1 << 21)
                .unwrap_err()
                .ends_with("gzip: invalid checksum")
        );
    }
}
