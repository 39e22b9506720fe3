//! Numbers of a schema, compared as decimals: 0.3 is a multiple of 0.1.

use regorus::Value;

use super::super::arguments::float;

/// Whether it has no fraction.
pub(super) fn whole(value: &Value) -> bool {
    decimal(value).map_or_else(
        || float(value).is_some_and(|number| number.fract() == 0.0),
        |(digits, scale)| {
            10_i128
                .checked_pow(scale)
                .is_some_and(|power| digits % power == 0)
        },
    )
}

/// A whole number that Go's `int64` holds.
pub(super) fn integer(value: &Value) -> Option<i64> {
    let Value::Number(_) = value else { return None };
    if !whole(value) { None } else { value.as_i64().ok() }
}

/// Digits, and how many of them are behind the point.
fn decimal(value: &Value) -> Option<(i128, u32)> {
    let text = value.as_number().ok()?.format_decimal();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{before}{behind}").parse().ok()?;
    let scale = i64::try_from(behind.len()).ok()? - exponent.parse::<i64>().ok()?;
    match u32::try_from(scale) {
        Ok(scale) => Some((digits, scale)),
        Err(_) => {
            let power = 10_i128.checked_pow(u32::try_from(scale.checked_neg()?).ok()?)?;
            Some((digits.checked_mul(power)?, 0))
        }
    }
}

/// `None` if the numbers are beyond what is computed exactly.
pub(super) fn multiple(value: &Value, of: &Value) -> Option<bool> {
    let ((a, a_scale), (b, b_scale)) = (decimal(value)?, decimal(of)?);
    let scale = a_scale.max(b_scale);
    let a = a.checked_mul(10_i128.checked_pow(scale - a_scale)?)?;
    let b = b.checked_mul(10_i128.checked_pow(scale - b_scale)?)?;
    Some(a.checked_rem(b)? == 0)
}

/// As Go prints a `big.Float`: with an exponent from a million on.
pub(super) fn printed(value: &Value) -> String {
    let text = value
        .as_number()
        .map(|number| number.format_decimal())
        .unwrap_or_default();
    let Some((digits, scale)) = decimal(value) else {
        return text;
    };
    let digits_text = digits.unsigned_abs().to_string();
    let significant = digits_text.trim_end_matches('0');
    let point = i64::try_from(digits_text.len()).unwrap_or_default() - i64::from(scale);
    let exponent = point - 1;
    if significant.is_empty() || (-4..6).contains(&exponent) {
        return match text.split_once('.') {
            Some((whole, fraction)) if fraction.trim_end_matches('0').is_empty() => whole.to_owned(),
            Some((whole, fraction)) => format!("{whole}.{}", fraction.trim_end_matches('0')),
            None => text,
        };
    }
    let minus = if digits < 0 { "-" } else { "" };
    let sign = if exponent < 0 { '-' } else { '+' };
    let (first, rest) = significant.split_at(1);
    let mantissa = if rest.is_empty() {
        first.to_owned()
    } else {
        format!("{first}.{rest}")
    };
    format!("{minus}{mantissa}e{sign}{:02}", exponent.abs())
}
