//! `crypto.x509.parse_certificates` and its two verifying siblings.

use regorus::Value;
use regorus::value::Object;

use super::super::arguments::{Arguments, items};
use super::super::fault::Fault;
use super::super::moment;
use super::Answer;
use super::certificate::document;
use super::chain::{Demands, chain};
use super::input::{encoded, parsed};

pub(super) fn parse(arguments: &Arguments<'_>) -> Answer {
    let der = encoded(arguments.string(1)?)?;
    let certificates = parsed(&der)?;
    Ok(Value::from(
        certificates
            .iter()
            .map(|one| document(one, true))
            .collect::<Vec<_>>(),
    ))
}

pub(super) fn parse_and_verify(arguments: &Arguments<'_>) -> Answer {
    let demands = Demands::new(now()?);
    verified(arguments.string(1)?, &demands, true)
}

pub(super) fn parse_and_verify_with_options(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    let options = arguments.object(2)?;
    // Broken certificates are no error, whatever the options are.
    if encoded(text).and_then(|der| parsed(&der).map(drop)).is_err() {
        return Ok(refused());
    }
    verified(text, &demands(options)?, false)
}

fn now() -> Result<i64, Fault> {
    moment::now_ns().ok_or_else(|| Fault::from("the time is not known; pass \"CurrentTime\" as an option"))
}

fn refused() -> Value {
    Value::from(vec![Value::from(false), Value::new_array()])
}

/// The first certificate is the root, the last one the leaf, those between may help.
fn verified(text: &str, demands: &Demands, uri_strings: bool) -> Answer {
    let Ok(der) = encoded(text) else {
        return Ok(refused());
    };
    let certificates = match parsed(&der) {
        Ok(certificates) => certificates,
        Err(limit @ Fault::Limit(_)) => return Err(limit),
        Err(Fault::Failed(_) | Fault::Operand(_)) => return Ok(refused()),
    };
    let Some(chain) = chain(&certificates, demands)? else {
        return Ok(refused());
    };
    let chain = chain
        .into_iter()
        .map(|one| document(one, uri_strings))
        .collect::<Vec<_>>();
    Ok(Value::from(vec![Value::from(true), Value::from(chain)]))
}

fn demands(options: &Object) -> Result<Demands, Fault> {
    let mut demands = Demands::new(0);
    let mut time = None;
    for (name, value) in options.iter_sorted() {
        let Value::String(name) = name else { continue };
        match name.as_ref() {
            "DNSName" => {
                let Value::String(host) = value else {
                    return Err(Fault::from("'DNSName' should be a string"));
                };
                demands.host = host.trim_matches('"').to_owned();
            }
            "CurrentTime" => time = Some(integer(value, "CurrentTime", "int64 number")?),
            // What Go does with this number is bounded here by the number of signatures.
            "MaxConstraintComparisons" => drop(integer(value, "MaxConstraintComparisons", "number")?),
            "KeyUsages" => demands.usages = usages(value)?,
            _ => return Err(Fault::from("invalid key option")),
        }
    }
    demands.now_ns = match time {
        Some(time) => time,
        None => now()?,
    };
    Ok(demands)
}

fn integer(value: &Value, name: &str, what: &str) -> Result<i64, Fault> {
    let Value::Number(_) = value else {
        return Err(Fault::from(format!("'{name}' should be a number")));
    };
    value
        .as_i64()
        .map_err(|_| Fault::from(format!("'{name}' should be a valid {what}")))
}

fn usages(value: &Value) -> Result<Vec<u32>, Fault> {
    const NAMES: [&str; 14] = [
        "KeyUsageAny",
        "KeyUsageServerAuth",
        "KeyUsageClientAuth",
        "KeyUsageCodeSigning",
        "KeyUsageEmailProtection",
        "KeyUsageIPSECEndSystem",
        "KeyUsageIPSECTunnel",
        "KeyUsageIPSECUser",
        "KeyUsageTimeStamping",
        "KeyUsageOCSPSigning",
        "KeyUsageMicrosoftServerGatedCrypto",
        "KeyUsageNetscapeServerGatedCrypto",
        "KeyUsageMicrosoftCommercialCodeSigning",
        "KeyUsageMicrosoftKernelCodeSigning",
    ];
    let items = items(value).ok_or("'KeyUsages' should be an Array or Set")?;
    let (mut usages, mut invalid) = (Vec::new(), Vec::new());
    for item in items {
        let Value::String(text) = item else { continue };
        let text = text.trim_matches('"');
        let known = (0_u32..).zip(NAMES).find(|(_, name)| *name == text);
        match known {
            Some((number, _)) => usages.push(number),
            None => invalid.push(text),
        }
    }
    if !invalid.is_empty() {
        let invalid = invalid.join(" ");
        return Err(Fault::from(format!(
            "invalid entries for 'KeyUsages' found: [{invalid}]"
        )));
    }
    Ok(usages)
}
