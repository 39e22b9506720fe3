//! `time.parse_duration_ns`.

use regorus::Value;

use super::super::Answer;
use super::super::arguments::Arguments;
use super::super::fault::Fault;

/// Go's `ParseDuration`, and OPA's days, weeks and years of 365 days.
pub(super) fn parse_ns(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.string(1)?;
    let wrong = || Fault::from(format!("time: invalid duration {text:?}"));
    let (negative, mut rest) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => (false, text),
    };
    if rest == "0" {
        return Ok(Value::from(0));
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (part, after) = segment(rest).ok_or_else(wrong)?;
        total = total
            .checked_add(part)
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(wrong)?;
        rest = after;
    }
    match (i64::try_from(total), negative) {
        (Ok(total), false) => Ok(Value::from(total)),
        (Ok(total), true) => Ok(Value::from(-total)),
        (Err(_), true) => Ok(Value::from(i64::MIN)),
        (Err(_), false) => Err(wrong()),
    }
}

/// One number with its unit, and what follows.
fn segment(text: &str) -> Option<(u64, &str)> {
    const NANOS: [(&str, u64); 11] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
        ("w", 604_800_000_000_000),
        ("y", 31_536_000_000_000_000),
    ];
    let (number, rest) = text.split_at(text.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?);
    let end = rest
        .find(|sign: char| sign.is_ascii_digit() || sign == '.')
        .unwrap_or(rest.len());
    // "1d2h" has two units, but so has "1dh", which is none.
    let (unit, after) = rest.split_at(end);
    let (_, nanos) = NANOS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?
    };
    // Digits behind the eighteenth are below a nanosecond of any unit.
    let kept = fraction.get(..fraction.len().min(18))?;
    let scale = 10_u128.pow(u32::try_from(kept.len()).ok()?);
    let behind = if kept.is_empty() {
        0
    } else {
        kept.parse::<u128>().ok()?
    };
    let behind = u64::try_from(behind * u128::from(nanos) / scale).ok()?;
    Some((whole.checked_mul(nanos)?.checked_add(behind)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let parse = |text| parse_ns(&Arguments::of(&[Value::from(text)]));
        assert_eq!(parse("1h30m").unwrap(), Value::from(5_400_000_000_000_i64));
        assert_eq!(parse("-1.5d").unwrap(), Value::from(-129_600_000_000_000_i64));
        for text in ["", "-", "1", "1x", "1.2.3s", ".s", "9999999h", "1d-1h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
