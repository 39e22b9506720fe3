//! A token in its compact form, and its header.

use regorus::Value;
use regorus::value::Object;

use super::super::arguments::{Arguments, field};
use super::super::encoding::base64url;
use super::super::fault::Fault;

/// The three sections, still encoded. Nothing in it is to be trusted.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) header: String,
    pub(super) payload: String,
    signature: String,
}

impl Token {
    pub(super) fn argument(arguments: &Arguments<'_>) -> Result<Self, Fault> {
        Self::read(arguments.string(1)?)
    }

    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let sections: Vec<&str> = text.split('.').collect();
        match sections.as_slice() {
            [_] => Err(Fault::from("encoded JWT had no period separators")),
            [header, payload, signature] => Ok(Self {
                header: (*header).to_owned(),
                payload: (*payload).to_owned(),
                signature: (*signature).to_owned(),
            }),
            other => Err(Fault::from(format!(
                "encoded JWT must have 3 sections, found {}",
                other.len()
            ))),
        }
    }

    /// What the signature is over.
    pub(super) fn signed(&self) -> Vec<u8> {
        format!("{}.{}", self.header, self.payload).into_bytes()
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, Fault> {
        base64url(&self.signature)
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, Fault> {
        base64url(&self.payload).map_err(|fault| within("JWT payload had invalid encoding", fault))
    }

    /// The header as a document: `Value::Object`.
    pub(super) fn header(&self) -> Result<Value, Fault> {
        let bytes =
            base64url(&self.header).map_err(|fault| within("JWT header had invalid encoding", fault))?;
        let header = document(&bytes).map_err(|fault| within("bad JWT header", fault))?;
        if claim(&header, "enc").is_some() {
            return Err(Fault::from("JWT is a JWE object, which is not supported"));
        }
        Ok(header)
    }
}

/// A JSON object; of keys that repeat the last one counts, as in Go.
pub(super) fn document(bytes: &[u8]) -> Result<Value, Fault> {
    let text = String::from_utf8_lossy(bytes);
    match Value::from_json_str(&text) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err(Fault::from("decoded JSON type was not an Object")),
        Err(error) => Err(Fault::from(format!("invalid JSON: {error}"))),
    }
}

pub(super) fn within(what: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Failed(said) => Fault::Failed(format!("{what}: {said}")),
        other @ (Fault::Operand(_) | Fault::Limit(_)) => other,
    }
}

/// The header parameters that decide how a token is verified.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: String,
    pub(super) cty: String,
    critical: Vec<String>,
    unknown: Vec<String>,
}

impl Header {
    pub(super) fn of(document: &Value) -> Result<Self, Fault> {
        let mut header = Self::default();
        let Value::Object(fields) = document else {
            return Ok(header);
        };
        for (name, value) in fields.iter_sorted() {
            let Value::String(name) = name else { continue };
            match name.as_ref() {
                "alg" => header.alg = text(name, value)?,
                "kid" => header.kid = text(name, value)?,
                "cty" => header.cty = text(name, value)?,
                "typ" => drop(text(name, value)?),
                "crit" => header.critical = critical(value)?,
                other => header.unknown.push(other.to_owned()),
            }
        }
        Ok(header)
    }

    /// `alg` must be there, and whatever the sender calls critical must be known here (RFC 7515, 4.1.11).
    pub(super) fn valid(&self) -> bool {
        !self.alg.is_empty() && !self.unknown.iter().any(|name| self.critical.contains(name))
    }

    /// The payload is itself a token.
    pub(super) fn nests(&self) -> bool {
        self.cty.eq_ignore_ascii_case("JWT")
    }
}

fn text(name: &str, value: &Value) -> Result<String, Fault> {
    let Value::String(text) = value else {
        return Err(Fault::from(format!("{name}: must be a string")));
    };
    Ok(text.to_string())
}

fn critical(value: &Value) -> Result<Vec<String>, Fault> {
    let Value::Array(names) = value else {
        return Err(Fault::from("crit: must be a list"));
    };
    let names: Vec<String> = names.iter().map_while(|name| text("crit", name).ok()).collect();
    if names.is_empty() {
        return Err(Fault::from("crit: must be a nonempty list"));
    }
    Ok(names)
}

/// A claim or header parameter of a document.
pub(super) fn claim<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Object(fields) = document else {
        return None;
    };
    field(fields, name)
}

/// An object without fields.
pub(super) fn nothing() -> Value {
    Value::from(Object::default())
}
