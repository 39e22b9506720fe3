//! Numbers with a fraction, as Go's `strconv.FormatFloat` and `fmt` write them.

use super::{Flags, number::sign};

/// Whether the verb is one for such numbers.
pub(super) fn print(out: &mut String, number: f64, verb: char, flags: &Flags) -> bool {
    let (form, usual) = match verb {
        'v' => ('g', None),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
        'f' | 'e' | 'E' => (verb, Some(6)),
        'F' => ('f', Some(6)),
        _ => return false,
    };
    let precision = flags.precision.or(usual);
    let mut digits = match form {
        'e' | 'E' => exponential(number.abs(), precision),
        'f' => plain(number.abs(), precision),
        'b' => binary(number.abs()),
        'x' | 'X' => hexadecimal(number.abs(), precision),
        _ => shortest(number.abs(), precision),
    };
    if flags.sharp && form != 'b' {
        digits = with_point(&digits, form, precision);
    }
    if matches!(form, 'E' | 'G' | 'X') {
        digits = digits.to_uppercase();
    }
    let sign = sign(number.is_sign_negative(), flags);
    let zeros = flags.width.unwrap_or(0).saturating_sub(digits.len() + sign.len());
    if flags.zero && !flags.minus && !sign.is_empty() {
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', zeros));
        out.push_str(&digits);
    } else {
        flags.pad(out, &format!("{sign}{digits}"));
    }
    true
}

/// More digits than any such number has (1,074 behind the point): all others are zeros. Rust's own formatting
/// panics beyond 65,535.
const MOST_DIGITS: usize = 1_100;

/// The zeros beyond.
fn zeros(number: f64, precision: usize) -> String {
    let more = precision.saturating_sub(MOST_DIGITS);
    "0".repeat(if number.is_finite() { more } else { 0 })
}

fn plain(number: f64, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => {
            let digits = precision.min(MOST_DIGITS);
            format!("{number:.digits$}{}", zeros(number, precision))
        }
        None => format!("{number}"),
    }
}

/// `1.5e+06`: the exponent has a sign and two digits.
fn exponential(number: f64, precision: Option<usize>) -> String {
    let written = match precision {
        Some(precision) => format!("{number:.*e}", precision.min(MOST_DIGITS)),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    let more = zeros(number, precision.unwrap_or(0));
    format!("{mantissa}{more}e{sign}{:02}", exponent.unsigned_abs())
}

/// `%g`: as many digits as are needed, or as the precision says; with an exponent where it is large or very small.
fn shortest(number: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let written = match precision {
        Some(precision) => format!("{number:.*e}", (precision - 1).min(MOST_DIGITS)),
        None => format!("{number:e}"),
    };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    // Zeros at the end are none of the digits.
    let mantissa = if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let limit = match precision.and_then(|precision| i64::try_from(precision).ok()) {
        None => 6,
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
    };
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    }
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    let (before, behind) = digits.split_at(whole);
    format!("{before}.{behind}")
}

/// `4503599627370496p-52`
fn binary(number: f64) -> String {
    let (mantissa, exponent) = parts(number);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}p{sign}{}", exponent.unsigned_abs())
}

/// The 53 bits of a number, and the power of two that they are multiplied by.
fn parts(number: f64) -> (u64, i64) {
    let bits = number.to_bits();
    let exponent = i64::try_from(bits >> 52 & 0x7ff).unwrap_or_default();
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0 => (fraction, -1074),
        exponent => (fraction | 1 << 52, exponent - 1075),
    }
}

/// `0x1.8p+01`
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut exponent) = parts(number);
    if mantissa == 0 {
        exponent = -52;
    }
    while mantissa != 0 && mantissa < 1 << 52 {
        mantissa <<= 1;
        exponent -= 1;
    }
    let mut power = exponent + 52;
    // Thirteen digits of four bits behind the first.
    if let Some(kept) = precision.filter(|kept| *kept < 13) {
        let dropped = u32::try_from(4 * (13 - kept)).unwrap_or(52);
        let (rest, half) = (mantissa & ((1 << dropped) - 1), 1_u64 << (dropped - 1));
        mantissa >>= dropped;
        if rest > half || rest == half && mantissa & 1 == 1 {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> 53 == 1 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let mut digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    match precision {
        Some(precision) => {
            digits.extend(std::iter::repeat_n('0', precision.saturating_sub(13)));
            digits.truncate(precision);
        }
        None => digits.truncate(digits.trim_end_matches('0').len()),
    }
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if power < 0 { '-' } else { '+' };
    format!(
        "0x{}{point}{digits}p{sign}{:02}",
        mantissa >> 52,
        power.unsigned_abs()
    )
}

/// `#`: always a point, and with `%g` the zeros at the end.
fn with_point(digits: &str, form: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(form, 'x' | 'X');
    let cut = digits.find(if hexadecimal { 'p' } else { 'e' });
    let (number, tail) = digits.split_at(cut.unwrap_or(digits.len()));
    let wanted = match form {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    // Go counts the `x` of the prefix as a digit.
    let significant = number
        .trim_start_matches(['0', '.'])
        .chars()
        .filter(|sign| *sign != '.')
        .count();
    let significant = if number == "0" { 1 } else { significant };
    let mut number = number.to_owned();
    if !number.contains('.') {
        number.push('.');
    }
    number.extend(std::iter::repeat_n('0', wanted.saturating_sub(significant)));
    format!("{number}{tail}")
}
