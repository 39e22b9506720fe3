//! `uuid.parse`: identifiers as OPA's library reads them, in all of its spellings.

use regorus::Value;
use regorus::value::Object;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: "uuid.parse",
    arity: 1,
    call: parse,
}];

/// From 1582-10-15, where the time of an identifier begins, to 1970, in units of 100 nanoseconds.
const GREGORIAN: i128 = 122_192_928_000_000_000;

/// Broken ones are undefined and no error, as in OPA.
fn parse(arguments: &Arguments<'_>) -> Answer {
    Ok(read(arguments.string(1)?).map_or(Value::Undefined, |bytes| document(&bytes)))
}

fn read(text: &str) -> Option<[u8; 16]> {
    let bare = match text.len() {
        36 => text,
        // Whatever stands around it: the library looks at nothing but the length.
        38 => text.get(1..37)?,
        45 if text.get(..9)?.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
        32 => return number(text),
        _ => return None,
    };
    bare.split('-').map(str::len).eq([8, 4, 4, 4, 12]).then_some(())?;
    number(&bare.replace('-', ""))
}

fn number(digits: &str) -> Option<[u8; 16]> {
    let all = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| all)?;
    Some(number.to_be_bytes())
}

fn document(bytes: &[u8; 16]) -> Value {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, node @ ..] = bytes;
    let version = c0 >> 4;
    let variant = match d0 {
        0x80..=0xbf => "RFC4122",
        0xc0..=0xdf => "Microsoft",
        0xe0..=0xff => "Future",
        0..=0x7f => "Reserved",
    };
    let mut fields = vec![
        ("version", Value::from(u32::from(version))),
        ("variant", Value::from(variant)),
    ];
    if matches!(version, 1 | 2) {
        let ticks = u64::from_be_bytes([c0 & 0x0f, *c1, *b0, *b1, *a0, *a1, *a2, *a3]);
        let nanos = (i128::from(ticks) - GREGORIAN) * 100;
        let sequence = u16::from_be_bytes([d0 & 0x3f, *d1]);
        let node_text = node.map(|byte| format!("{byte:02x}")).join("-");
        fields.extend([
            ("time", i64::try_from(nanos).map_or(Value::Undefined, Value::from)),
            ("nodeid", Value::from(node_text)),
            (
                "macvariables",
                Value::from(address(node.first().copied().unwrap_or_default())),
            ),
            ("clocksequence", Value::from(u32::from(sequence))),
        ]);
    }
    if version == 2 {
        let domain = match d1 {
            0 => "Person".to_owned(),
            1 => "Group".to_owned(),
            2 => "Org".to_owned(),
            other => format!("Domain{other}"),
        };
        let id = u32::from_be_bytes([*a0, *a1, *a2, *a3]);
        fields.extend([("id", Value::from(id)), ("domain", Value::from(domain))]);
    }
    let fields = fields.into_iter().map(|(name, value)| (Value::from(name), value));
    Value::from(fields.collect::<Object>())
}

/// What the two low bits of a network address say.
fn address(first: u8) -> &'static str {
    match first & 3 {
        3 => "local:multicast",
        1 => "global:multicast",
        2 => "local:unicast",
        _ => "global:unicast",
    }
}
