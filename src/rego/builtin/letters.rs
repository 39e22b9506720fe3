//! `lower` and `upper` letter by letter, as Go has them: no letter becomes several, and none looks at its neighbours.

use regorus::Value;

use super::arguments::Arguments;
use super::{Answer, Builtin};

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "lower",
        arity: 1,
        call: |arguments| each(arguments, lower),
    },
    Builtin {
        name: "upper",
        arity: 1,
        call: |arguments| each(arguments, upper),
    },
];

fn each(arguments: &Arguments<'_>, change: fn(char) -> char) -> Answer {
    let text = arguments.string(1)?;
    Ok(Value::from(text.chars().map(change).collect::<String>()))
}

fn lower(letter: char) -> char {
    let mut small = letter.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) => one,
        // The dotted capital İ alone would become two.
        _ => 'i',
    }
}

fn upper(letter: char) -> char {
    let mut large = letter.to_uppercase();
    if let (Some(one), None) = (large.next(), large.next()) {
        return one;
    }
    let by = match letter {
        // Greek letters with a iota below: their capitals are letters of their own.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(letter) + by).unwrap_or(letter)
}
