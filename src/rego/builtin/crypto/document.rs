//! Documents in the shape that Go's `encoding/json` gives to its certificates and keys: policies name its fields.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regorus::Value;
use regorus::value::Object;
use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::num_bigint::BigUint;
use x509_parser::x509::X509Name;

use super::super::key::{Curve, PublicKey};

pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::from(
        fields
            .into_iter()
            .map(|(name, value)| (Value::from(name), value))
            .collect::<Object>(),
    )
}

/// A Go slice: nothing in it is `null`.
pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.into_iter().collect();
    if items.is_empty() {
        Value::Null
    } else {
        Value::from(items)
    }
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::from(STANDARD.encode(bytes))
}

/// A number of any size.
pub(super) fn big(number: &BigUint) -> Value {
    Value::from_numeric_string(&number.to_string()).unwrap_or(Value::Null)
}

pub(super) fn big_bytes(number: &[u8]) -> Value {
    big(&BigUint::from_bytes_be(number))
}

/// The parts of an identifier; one that does not fit into numbers has none.
pub(super) fn oid(oid: &Oid<'_>) -> Value {
    let parts = oid.iter().map(|parts| parts.map(Value::from).collect::<Vec<_>>());
    Value::from(parts.unwrap_or_default())
}

/// A `pkix.Name`.
pub(super) fn name(name: &X509Name<'_>) -> Value {
    let attributes: Vec<(String, Value, String)> = name
        .iter_attributes()
        .map(|attribute| {
            let text = attribute.as_str().map_or_else(
                |_| String::from_utf8_lossy(attribute.as_slice()).into_owned(),
                str::to_owned,
            );
            (
                attribute.attr_type().to_id_string(),
                oid(attribute.attr_type()),
                text,
            )
        })
        .collect();
    let texts = |id: &str| {
        let found = attributes.iter().filter(move |(own, ..)| own == id);
        found
            .map(|(_, _, text)| Value::from(text.as_str()))
            .collect::<Vec<_>>()
    };
    let last = |id: &str| texts(id).pop().unwrap_or_else(|| Value::from(""));
    let all = attributes
        .iter()
        .map(|(_, id, text)| object([("Type", id.clone()), ("Value", Value::from(text.as_str()))]));
    object([
        ("CommonName", last("2.5.4.3")),
        ("SerialNumber", last("2.5.4.5")),
        ("Country", list(texts("2.5.4.6"))),
        ("Locality", list(texts("2.5.4.7"))),
        ("Province", list(texts("2.5.4.8"))),
        ("StreetAddress", list(texts("2.5.4.9"))),
        ("Organization", list(texts("2.5.4.10"))),
        ("OrganizationalUnit", list(texts("2.5.4.11"))),
        ("PostalCode", list(texts("2.5.4.17"))),
        ("Names", list(all)),
        ("ExtraNames", Value::Null),
    ])
}

/// Go's number of the algorithm of a key.
pub(super) fn key_algorithm(key: &PublicKey) -> u32 {
    match key {
        PublicKey::Rsa { .. } => 1,
        PublicKey::Ec { .. } => 3,
        PublicKey::Ed25519(_) => 4,
        PublicKey::Other => 0,
    }
}

pub(super) fn public_key(key: &PublicKey) -> Value {
    match key {
        PublicKey::Rsa { n, e } => object([("N", big_bytes(n)), ("E", big_bytes(e))]),
        PublicKey::Ec { curve, point } => {
            let (x, y) = coordinates(*curve, point);
            object([("Curve", object([])), ("X", big_bytes(x)), ("Y", big_bytes(y))])
        }
        PublicKey::Ed25519(key) => bytes(key),
        PublicKey::Other => Value::Null,
    }
}

/// Both coordinates of an uncompressed point.
pub(super) fn coordinates(curve: Curve, point: &[u8]) -> (&[u8], &[u8]) {
    let numbers = point.get(1..).unwrap_or_default();
    numbers.split_at(curve.size().min(numbers.len()))
}
