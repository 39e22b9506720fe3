//! `strings.*`: what regorus lacks or answers differently.

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "strings.count",
        arity: 2,
        call: count,
    },
    Builtin {
        name: "strings.split_n",
        arity: 3,
        call: split_n,
    },
];

/// Without overlaps; an empty text is found before every character and at the end. regorus panics at that.
fn count(arguments: &Arguments<'_>) -> Answer {
    let (text, part) = (arguments.string(1)?, arguments.string(2)?);
    Ok(Value::from(match part {
        "" => text.chars().count() + 1,
        part => text.matches(part).count(),
    }))
}

/// The first `n` parts, or the last `-n`.
fn split_n(arguments: &Arguments<'_>) -> Answer {
    let (text, delimiter, n) = (arguments.string(1)?, arguments.string(2)?, arguments.integer(3)?);
    let parts: Vec<&str> = match delimiter {
        // Go splits at every character, without empty parts at the ends.
        "" => text.split_inclusive(|_: char| true).collect(),
        delimiter => text.split(delimiter).collect(),
    };
    let wanted = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    let skipped = if n < 0 {
        parts.len().saturating_sub(wanted)
    } else {
        0
    };
    let parts = parts.into_iter().skip(skipped).take(wanted).map(Value::from);
    Ok(Value::from(parts.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_nothing_is_no_panic() {
        let count = |text, part| count(&Arguments::of(&[Value::from(text), Value::from(part)]));
        assert_eq!(count("äb", "").unwrap(), Value::from(3_u64));
        assert_eq!(count("aaa", "aa").unwrap(), Value::from(1_u64));
    }
}
