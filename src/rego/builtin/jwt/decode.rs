//! `io.jwt.decode` and `io.jwt.decode_verify`.

use regorus::Value;

use super::super::arguments::Arguments;
use super::super::encoding::hex;
use super::super::fault::Fault;
use super::Answer;
use super::constraints::Constraints;
use super::token::{Header, Token, claim, document, nothing, within};

/// Structure only: nothing that it returns is verified.
pub(super) fn decode(arguments: &Arguments<'_>) -> Answer {
    let mut token = Token::argument(arguments)?;
    // Each nesting makes the text a quarter shorter, so this ends.
    loop {
        let header = token.header()?;
        let payload = token.payload()?;
        match claim(&header, "cty") {
            Some(Value::String(cty)) if cty.as_ref() == "JWT" => token = nested(&payload)?,
            Some(Value::String(_)) | None => {
                let payload = document(&payload)?;
                let signature = token
                    .signature()
                    .map_err(|fault| within("JWT signature had invalid encoding", fault))?;
                return Ok(Value::from(vec![header, payload, Value::from(hex(&signature))]));
            }
            Some(_) => return Err(Fault::from("cty: must be a string")),
        }
    }
}

/// A nested token may be quoted.
fn nested(payload: &[u8]) -> Result<Token, Fault> {
    let text = String::from_utf8_lossy(payload);
    Token::read(text.trim_matches(|sign| matches!(sign, '"' | '\'')))
}

/// `[true, header, payload]` if the signature holds and every constraint is met, else `[false, {}, {}]`.
pub(super) fn decode_verify(arguments: &Arguments<'_>) -> Answer {
    let constraints = Constraints::of(arguments.object(2)?)?;
    let refused = || Ok(Value::from(vec![Value::from(false), nothing(), nothing()]));
    let mut token = Token::argument(arguments)?;
    let (header, payload) = loop {
        let document = token.header()?;
        let header = Header::of(&document)?;
        if !header.valid() || !constraints.takes(&header) {
            return refused();
        }
        if !constraints.verified(&token, &header)? {
            return refused();
        }
        let payload = token.payload()?;
        if !header.nests() {
            break (document, payload);
        }
        token = Token::read(&String::from_utf8_lossy(&payload))?;
    };
    let payload = document(&payload)?;
    if !constraints.met(&payload)? {
        return refused();
    }
    Ok(Value::from(vec![Value::from(true), header, payload]))
}
