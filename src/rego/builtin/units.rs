//! `units.parse` with a bound: the engine's own would write out `1e999999999`, which takes minutes and which no time
//! limit ends. `units.parse_bytes` counts as OPA does, in numbers of 64 binary digits: 2.1gb is 2099999999 bytes.

use num_bigint::BigUint;
use regorus::{
    Source, Value,
    unstable::{BUILTINS, Expr, Ref, Span},
};

use super::{Answer, Builtin, arguments::Arguments, bits, fault::Fault};

/// Most digits of an exponent in OPA, and here: a number of a million digits is no size of anything.
const OPAS_DIGITS: usize = 6;
const MOST_DIGITS: usize = 3;

/// Units of bytes.
const BYTES: [(&str, u64); 25] = [
    ("", 1),
    ("kb", 1_000),
    ("k", 1_000),
    ("kib", 1 << 10),
    ("ki", 1 << 10),
    ("mb", 1_000_000),
    ("m", 1_000_000),
    ("mib", 1 << 20),
    ("mi", 1 << 20),
    ("gb", 1_000_000_000),
    ("g", 1_000_000_000),
    ("gib", 1 << 30),
    ("gi", 1 << 30),
    ("tb", 1_000_000_000_000),
    ("t", 1_000_000_000_000),
    ("tib", 1 << 40),
    ("ti", 1 << 40),
    ("pb", 1_000_000_000_000_000),
    ("p", 1_000_000_000_000_000),
    ("pib", 1 << 50),
    ("pi", 1 << 50),
    ("eb", 1_000_000_000_000_000_000),
    ("e", 1_000_000_000_000_000_000),
    ("eib", 1 << 60),
    ("ei", 1 << 60),
];

/// Longest text: the time for its digits grows with their square.
const LONGEST: usize = 10_000;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "units.parse",
        arity: 1,
        call: parse,
    },
    Builtin {
        name: "units.parse_bytes",
        arity: 1,
        call: parse_bytes,
    },
];

/// Units of anything: only the first letter tells large from small.
const UNITS: [&str; 25] = [
    "", "m", "k", "K", "ki", "Ki", "M", "mi", "Mi", "g", "G", "gi", "Gi", "t", "T", "ti", "Ti", "p", "P",
    "pi", "Pi", "e", "E", "ei", "Ei",
];

fn parse(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?.replace('"', "");
    let (_, unit) = text.split_at(number_end(&text.to_ascii_lowercase()));
    let rest = unit.chars().skip(1).flat_map(char::to_lowercase);
    let unit: String = unit.chars().take(1).chain(rest).collect();
    // The engine's own knows more of them, such as `h` for a hundred.
    if !UNITS.contains(&unit.as_str()) {
        return Err(Fault::Failed(format!("units.parse: unit {unit} not recognized")));
    }
    bounded("units.parse", &text)
}

fn parse_bytes(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    let wrong = |what: &str| Fault::Failed(format!("units.parse_bytes: {what}"));
    // A quote would part the digits of an exponent from the eyes of the bound.
    let text = text.to_lowercase().replace('"', "");
    may_be_written(&text)?;
    if text.contains(' ') {
        return Err(wrong("spaces not allowed in resource strings"));
    }
    let (number, unit) = text.split_at(number_end(&text));
    if number.is_empty() {
        return Err(wrong("no byte amount provided"));
    }
    let factor = BYTES.iter().find(|(name, _)| *name == unit);
    let (_, factor) = factor.ok_or_else(|| wrong(&format!("byte unit {unit} not recognized")))?;
    let bytes = bytes(number, *factor).ok_or_else(|| wrong("could not parse byte amount to a number"))?;
    bits::exact(&bytes).ok_or_else(|| wrong("no bytes"))
}

/// Where the number ends: at the first letter that is no part of one. An `e` without digits behind it is a unit.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(sign) = bytes.get(at) {
        let next = bytes.get(at + 1);
        match sign {
            b'e' if next.is_some_and(|next| matches!(next, b'+' | b'-')) => at += 2,
            b'e' if next.is_some_and(u8::is_ascii_digit) => at += 1,
            b'0'..=b'9' | b'.' | b'+' | b'-' => at += 1,
            _ => return at,
        }
    }
    at
}

/// The number times the unit, as Go's `big.Float` has it: rounded to 64 binary digits after each step, and cut at the
/// point at last.
fn bytes(text: &str, factor: u64) -> Option<String> {
    let negative = text.starts_with('-');
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let tens = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?;
    let one = BigUint::from(1_u32);
    let power = BigUint::from(10_u32).pow(u32::try_from(tens.unsigned_abs()).ok()?);
    let (number, first) = rounded(&digits.parse().ok()?, &one);
    let (top, bottom) = if tens < 0 {
        (number, power)
    } else {
        (number * power, one.clone())
    };
    let (scaled, second) = rounded(&top, &bottom);
    let (product, third) = rounded(&(scaled * factor), &one);
    let twos = first + second + third;
    let distance = usize::try_from(twos.unsigned_abs()).ok()?;
    let cut = if twos < 0 {
        product >> distance
    } else {
        product << distance
    };
    Some(format!("{}{cut}", if negative { "-" } else { "" }))
}

/// A fraction as 64 binary digits, the last one rounded to even, and the power of two behind them.
fn rounded(top: &BigUint, bottom: &BigUint) -> (BigUint, i64) {
    if *top == BigUint::ZERO {
        return (BigUint::ZERO, 0);
    }
    let bits = |number: &BigUint| i64::try_from(number.bits()).unwrap_or(i64::MAX);
    let shift = 66 + bits(bottom) - bits(top);
    let (top, bottom) = if shift >= 0 {
        (top << shift, bottom.clone())
    } else {
        (top.clone(), bottom << -shift)
    };
    let mut digits = &top / &bottom;
    let exact = &digits * &bottom == top;
    let extra = bits(&digits) - 64;
    let half = BigUint::from(1_u32) << (extra - 1);
    let kept = &digits >> extra;
    let rest = &digits - (&kept << extra);
    let up = rest > half || rest == half && (!exact || kept.bit(0));
    digits = kept + u32::from(up);
    (digits, extra - shift)
}

/// Refuses what would take too long to read or to write out.
fn may_be_written(text: &str) -> Result<(), Fault> {
    if text.len() > LONGEST {
        return Err(Fault::Limit(format!("a text of more than {LONGEST} bytes")));
    }
    match exponent(text) {
        digits if digits > OPAS_DIGITS => Err(Fault::Failed("exponent too large".into())),
        digits if digits > MOST_DIGITS => Err(Fault::Limit(format!(
            "an exponent of more than {MOST_DIGITS} digits"
        ))),
        _ => Ok(()),
    }
}

fn bounded(name: &str, text: &str) -> Answer {
    may_be_written(text)?;
    let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
    // The engine's function wants the place of the call, for its error texts.
    let source = Source::from_contents(name.to_owned(), "0".to_owned()).map_err(|error| failed(&error))?;
    let span = Span {
        source,
        line: 1,
        col: 1,
        start: 0,
        end: 1,
    };
    let operand = Ref::new(Expr::Null {
        span: span.clone(),
        value: Value::Null,
        eidx: 0,
    });
    let Some((own, _)) = BUILTINS.get(name) else {
        return Err(Fault::Failed(format!("{name} is missing")));
    };
    let value = own(&span, &[operand], &[Value::from(text)], true);
    value.map_err(|error| {
        let text = error.to_string();
        let said = text
            .rsplit_once("error: ")
            .map_or(text.as_str(), |(_, said)| said);
        failed(&said)
    })
}

/// How many digits the longest exponent in the text has.
fn exponent(text: &str) -> usize {
    text.split(['e', 'E'])
        .skip(1)
        .map(|rest| {
            let digits = rest.trim_start_matches(['+', '-']).trim_start_matches('0');
            digits.bytes().take_while(u8::is_ascii_digit).count()
        })
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_quote_nor_many_digits_get_around_the_bound() {
        let asked = |text: &str| parse_bytes(&Arguments::of(&[Value::from(text)]));
        assert!(asked("1k\"b\"").is_ok());
        for text in ["1e\"3000000", "1e3\"000000b", &"9".repeat(LONGEST + 1)] {
            assert!(asked(text).is_err(), "{}", text.len());
        }
        let limit = asked("1e\"3000");
        assert!(
            matches!(limit, Err(Fault::Limit(_))),
            "OPA would answer: undefined is not ours to say"
        );
    }
}
