//! What a policy demands of a token in `io.jwt.decode_verify`.

use regorus::Value;
use regorus::value::Object;

use super::super::arguments::float;
use super::super::fault::Fault;
use super::super::moment;
use super::algorithm::Algorithm;
use super::jwk::{Key, Material, keys};
use super::token::{Header, Token, claim};

#[derive(Debug, Default)]
pub(super) struct Constraints {
    /// `Some` even when a key set has no key of use: then nothing verifies.
    keys: Option<Vec<Key>>,
    secret: String,
    alg: String,
    iss: String,
    aud: String,
    /// Nanoseconds since 1970.
    time: f64,
}

impl Constraints {
    pub(super) fn of(fields: &Object) -> Result<Self, Fault> {
        let mut constraints = Self::default();
        let mut time = None;
        for (name, value) in fields.iter_sorted() {
            let Value::String(name) = name else {
                return Err(Fault::from("unknown token validation constraint"));
            };
            match name.as_ref() {
                "cert" => constraints.keys = Some(keys(&text(name, value)?)?),
                "secret" => constraints.secret = text(name, value)?,
                "alg" => constraints.alg = text(name, value)?,
                "iss" => constraints.iss = text(name, value)?,
                "aud" => constraints.aud = text(name, value)?,
                "time" => time = Some(moment(value)?),
                // A misspelt constraint must not leave a token unchecked.
                other => {
                    let said = format!("unknown token validation constraint: {other}");
                    return Err(Fault::from(said));
                }
            }
        }
        constraints.time = match time {
            Some(time) => time,
            None => now()?,
        };
        match (&constraints.keys, constraints.secret.is_empty()) {
            (Some(_), false) => Err(Fault::from("duplicate key constraints")),
            (None, true) => Err(Fault::from("no key constraint")),
            (Some(_), true) | (None, false) => Ok(constraints),
        }
    }

    pub(super) fn takes(&self, header: &Header) -> bool {
        self.alg.is_empty() || self.alg == header.alg
    }

    pub(super) fn verified(&self, token: &Token, header: &Header) -> Result<bool, Fault> {
        let (signature, signed) = (token.signature()?, token.signed());
        let Some(algorithm) = Algorithm::named(&header.alg) else {
            return Ok(false);
        };
        let Some(keys) = &self.keys else {
            return Ok(algorithm.holds_secret(self.secret.as_bytes(), &signed, &signature));
        };
        let holds = |key: &Key| match &key.material {
            Material::Public(public) | Material::Private(public) => {
                algorithm.holds(public, &signed, &signature)
            }
            Material::Secret(secret) => algorithm.holds_secret(secret, &signed, &signature),
        };
        let same = |key: &&Key| !header.kid.is_empty() && key.kid == header.kid;
        Ok(match keys.iter().find(same) {
            Some(key) => holds(key),
            None => keys.iter().any(|key| key.takes(&header.alg) && holds(key)),
        })
    }

    /// The registered claims of RFC 7519, 4.1.
    pub(super) fn met(&self, payload: &Value) -> Result<bool, Fault> {
        let now = Value::from(self.time / 1_000_000_000.0);
        Ok(self.issuer(payload)?
            && self.audience(payload)
            && number(payload, "exp")?.is_none_or(|exp| now < *exp)
            && number(payload, "nbf")?.is_none_or(|nbf| now >= *nbf))
    }

    fn issuer(&self, payload: &Value) -> Result<bool, Fault> {
        match (self.iss.is_empty(), claim(payload, "iss")) {
            (true, _) => Ok(true),
            (false, None) => Ok(false),
            (false, Some(Value::String(iss))) => Ok(iss.as_ref() == self.iss),
            (false, Some(_)) => Err(Fault::from("iss value must be a string")),
        }
    }

    /// A token for an audience is refused where the policy names none.
    fn audience(&self, payload: &Value) -> bool {
        let own = |value: &Value| matches!(value, Value::String(text) if text.as_ref() == self.aud);
        match claim(payload, "aud") {
            None => self.aud.is_empty(),
            Some(Value::Array(many)) => many.iter().any(own),
            Some(one) => own(one),
        }
    }
}

fn number<'a>(payload: &'a Value, name: &str) -> Result<Option<&'a Value>, Fault> {
    match claim(payload, name) {
        None => Ok(None),
        Some(number @ Value::Number(_)) => Ok(Some(number)),
        Some(_) => Err(Fault::from(format!("{name} value must be a number"))),
    }
}

fn text(name: &str, value: &Value) -> Result<String, Fault> {
    let Value::String(text) = value else {
        return Err(Fault::from(format!("{name} constraint: must be a string")));
    };
    Ok(text.to_string())
}

fn moment(value: &Value) -> Result<f64, Fault> {
    match float(value) {
        None => Err(Fault::from("token time constraint: must be a number")),
        Some(time) if time < 0.0 => Err(Fault::from("token time constraint: must not be negative")),
        Some(time) => Ok(time),
    }
}

fn now() -> Result<f64, Fault> {
    let now = moment::now_ns().ok_or("the time is not known; pass \"time\" as a constraint")?;
    moment(&Value::from(now))
}
