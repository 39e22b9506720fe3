//! `strings.*`: what regorus lacks or answers differently.

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "indexof",
        arity: 2,
        call: indexof,
    },
    Builtin {
        name: "indexof_n",
        arity: 2,
        call: indexof_n,
    },
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
    Builtin {
        name: "substring",
        arity: 3,
        call: substring,
    },
];

/// Where the text is found, overlaps too; positions count characters.
fn found(arguments: &Arguments<'_>) -> Result<Vec<usize>, Fault> {
    let (text, part) = (arguments.string(1)?, arguments.string(2)?);
    if part.is_empty() {
        return Err(Fault::from("empty search character"));
    }
    let starts = text.char_indices().enumerate();
    let starts = starts.filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(part)));
    Ok(starts.map(|(position, _)| position).collect())
}

fn indexof(arguments: &Arguments<'_>) -> Answer {
    Ok(found(arguments)?
        .first()
        .map_or_else(|| Value::from(-1), |position| Value::from(*position)))
}

fn indexof_n(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        found(arguments)?.into_iter().map(Value::from).collect::<Vec<_>>(),
    ))
}

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

/// Characters from a position on; all of them where the length is negative.
fn substring(arguments: &Arguments<'_>) -> Answer {
    let (text, offset, length) = (arguments.string(1)?, arguments.integer(2)?, arguments.integer(3)?);
    let offset = usize::try_from(offset).map_err(|_| Fault::from("negative offset"))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let part: String = text.chars().skip(offset).take(length).collect();
    Ok(Value::from(part))
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
