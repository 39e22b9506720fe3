//! `semver.*`: versions as OPA reads them, which is laxer than the standard.

use std::cmp::Ordering;

use regorus::Value;

use super::arguments::Arguments;
use super::fault::Fault;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "semver.compare",
        arity: 2,
        call: compare,
    },
    Builtin {
        name: "semver.is_valid",
        arity: 1,
        call: is_valid,
    },
];

#[derive(Debug)]
struct Version<'v> {
    numbers: [i64; 3],
    before: &'v str,
}

fn read(text: &str) -> Option<Version<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, metadata) = text.split_once('+').unwrap_or((text, ""));
    let (text, before) = text.split_once('-').unwrap_or((text, ""));
    (identifiers(metadata) && identifiers(before)).then_some(())?;
    let mut numbers = text.split('.').map(|part| part.parse().ok());
    let three = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(Version {
        numbers: three,
        before,
    })
}

fn identifiers(text: &str) -> bool {
    let taken = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
    text.is_empty()
        || text
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(taken))
}

fn is_valid(arguments: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        arguments.string(1).is_ok_and(|text| read(text).is_some()),
    ))
}

fn compare(arguments: &Arguments<'_>) -> Answer {
    let version = |position: usize| {
        let text = arguments.string(position)?;
        let wrong = || format!("operand {position}: string {text} is not a valid SemVer");
        read(text).ok_or_else(|| Fault::from(wrong()))
    };
    let (one, other) = (version(1)?, version(2)?);
    let order = one
        .numbers
        .cmp(&other.numbers)
        .then_with(|| earlier(one.before, other.before));
    Ok(Value::from(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

/// A pre-release comes before its release; numbers in it before words.
fn earlier(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let part = |text: &str| {
        let number = text.bytes().all(|digit| digit.is_ascii_digit());
        let value = text.parse::<u64>().unwrap_or(u64::MAX);
        if number {
            (0, value, String::new())
        } else {
            (1, 0, text.to_owned())
        }
    };
    one.split('.').map(part).cmp(other.split('.').map(part))
}
