//! Integers.

use std::fmt::Write as _;

use regorus::Value;

use super::{Flags, quote};

/// One of 64 bits; whether the verb is one for integers.
pub(super) fn int(out: &mut String, number: i64, verb: char, flags: &Flags) -> bool {
    let base = match verb {
        'v' | 'd' => 10,
        'b' => 2,
        'o' | 'O' => 8,
        'x' | 'X' => 16,
        'c' => {
            flags.pad(out, &letter(number).to_string());
            return true;
        }
        'q' => {
            flags.pad(out, &quote::letter(letter(number), flags.plus));
            return true;
        }
        'U' => {
            unicode(out, number, flags);
            return true;
        }
        _ => return false,
    };
    let size = number.unsigned_abs();
    let mut digits = match base {
        2 => format!("{size:b}"),
        8 => format!("{size:o}"),
        16 if verb == 'X' => format!("{size:X}"),
        16 => format!("{size:x}"),
        _ => size.to_string(),
    };
    let negative = number < 0;
    let least = match (flags.precision, flags.width) {
        (Some(0), _) if size == 0 => {
            flags.pad_blank(out, "");
            return true;
        }
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.zero && !flags.minus => {
            width.saturating_sub(usize::from(negative || flags.plus || flags.space))
        }
        (None, _) => 0,
    };
    let missing = least.saturating_sub(digits.len());
    digits.insert_str(0, &"0".repeat(missing));
    if flags.sharp {
        match base {
            2 => digits.insert_str(0, "0b"),
            8 if !digits.starts_with('0') => digits.insert(0, '0'),
            16 => digits.insert_str(0, if verb == 'X' { "0X" } else { "0x" }),
            _ => {}
        }
    }
    if verb == 'O' {
        digits.insert_str(0, "0o");
    }
    digits.insert_str(0, sign(negative, flags));
    flags.pad_blank(out, &digits);
    true
}

pub(super) const fn sign(negative: bool, flags: &Flags) -> &'static str {
    if negative {
        "-"
    } else if flags.plus {
        "+"
    } else if flags.space {
        " "
    } else {
        ""
    }
}

fn letter(number: i64) -> char {
    let point = u32::try_from(number).ok();
    point
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn unicode(out: &mut String, number: i64, flags: &Flags) {
    let least = flags.precision.unwrap_or(4).max(4);
    // Two's complement, as Go takes the bits.
    let bits = u64::from_ne_bytes(number.to_ne_bytes());
    let digits = format!("{bits:X}");
    let zeros = "0".repeat(least.saturating_sub(digits.len()));
    let mut text = format!("U+{zeros}{digits}");
    let shown = u32::try_from(number).ok().and_then(char::from_u32);
    if let Some(shown) = shown.filter(|shown| flags.sharp && quote::is_print(*shown)) {
        let _ = write!(text, " '{shown}'");
    }
    flags.pad_blank(out, &text);
}

/// A larger one (Go's `big.Int`), which writes itself.
pub(super) fn big(out: &mut String, (decimal, value): (&str, &Value), verb: char, flags: &Flags) {
    let number = value.as_number().ok();
    let written = match verb {
        'b' => number.map(|number| number.format_bin()),
        'o' | 'O' => number.map(|number| number.format_octal()),
        'x' => number.map(|number| number.format_hex()),
        'X' => number.map(|number| number.format_big_hex()),
        'd' | 's' | 'v' => Some(decimal.to_owned()),
        _ => {
            let _ = write!(out, "%!{verb}(big.Int={decimal})");
            return;
        }
    };
    let written = written.unwrap_or_default();
    let digits = written.strip_prefix('-').unwrap_or(&written);
    let prefix = match verb {
        'b' if flags.sharp => "0b",
        'o' if flags.sharp => "0",
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        'O' => "0o",
        _ => "",
    };
    let sign = sign(written.starts_with('-'), flags);
    let mut zeros = flags.precision.unwrap_or(0).saturating_sub(digits.len());
    let length = sign.len() + prefix.len() + zeros + digits.len();
    let missing = flags.width.unwrap_or(0).saturating_sub(length);
    let (mut before, mut behind) = (0, 0);
    if flags.minus {
        behind = missing;
    } else if flags.zero && flags.precision.is_none() {
        zeros += missing;
    } else {
        before = missing;
    }
    out.extend(std::iter::repeat_n(' ', before));
    out.push_str(sign);
    out.push_str(prefix);
    out.extend(std::iter::repeat_n('0', zeros));
    out.push_str(digits);
    out.extend(std::iter::repeat_n(' ', behind));
}
