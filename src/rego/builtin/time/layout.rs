//! The pieces of one of Go's layouts, which say by an example how a time is written: Mon Jan 2 15:04:05 MST 2006.

/// What a piece stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    Fraction(Fraction),
}

/// An offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// UTC is written `Z`.
    pub(super) z: bool,
    pub(super) colon: bool,
    /// Two-digit parts: hours, with minutes, with seconds.
    pub(super) parts: usize,
}

/// Parts of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    pub(super) digits: usize,
    /// Without zeros at the end.
    pub(super) trim: bool,
    pub(super) separator: char,
}

const fn offset(z: bool, colon: bool, parts: usize) -> Chunk {
    Chunk::Offset(Offset { z, colon, parts })
}

/// Signs and what they stand for, the longer ones first.
const SIGNS: [(&str, Chunk); 33] = [
    ("January", Chunk::LongMonth),
    ("Jan", Chunk::Month),
    ("Monday", Chunk::LongWeekday),
    ("Mon", Chunk::Weekday),
    ("MST", Chunk::ZoneName),
    ("01", Chunk::ZeroMonth),
    ("02", Chunk::ZeroDay),
    ("03", Chunk::ZeroHour12),
    ("04", Chunk::ZeroMinute),
    ("05", Chunk::ZeroSecond),
    ("06", Chunk::Year),
    ("002", Chunk::ZeroYearDay),
    ("15", Chunk::Hour),
    ("1", Chunk::NumMonth),
    ("2006", Chunk::LongYear),
    ("2", Chunk::Day),
    ("_2", Chunk::UnderDay),
    ("__2", Chunk::UnderYearDay),
    ("3", Chunk::Hour12),
    ("4", Chunk::Minute),
    ("5", Chunk::Second),
    ("PM", Chunk::UpperPm),
    ("pm", Chunk::LowerPm),
    ("-070000", offset(false, false, 3)),
    ("-07:00:00", offset(false, true, 3)),
    ("-0700", offset(false, false, 2)),
    ("-07:00", offset(false, true, 2)),
    ("-07", offset(false, false, 1)),
    ("Z070000", offset(true, false, 3)),
    ("Z07:00:00", offset(true, true, 3)),
    ("Z0700", offset(true, false, 2)),
    ("Z07:00", offset(true, true, 2)),
    ("Z07", offset(true, false, 1)),
];

/// What stands before the next piece, the piece, and what is left behind it.
pub(super) fn next(layout: &str) -> (&str, Option<Chunk>, &str) {
    for (at, _) in layout.char_indices() {
        let (before, rest) = layout.split_at(at);
        // `_2006` is a line and a year.
        if rest.starts_with("_2006") {
            continue;
        }
        let sign = SIGNS.iter().find(|(sign, chunk)| {
            let short = matches!(chunk, Chunk::Month | Chunk::Weekday);
            rest.strip_prefix(sign).is_some_and(|after| {
                // "Janus" is no month.
                !(short && after.starts_with(|next: char| next.is_ascii_lowercase()))
            })
        });
        if let Some((sign, chunk)) = sign {
            return (before, Some(*chunk), rest.strip_prefix(sign).unwrap_or_default());
        }
        if let Some((fraction, after)) = fraction(rest) {
            return (before, Some(Chunk::Fraction(fraction)), after);
        }
    }
    (layout, None, "")
}

/// `.000`, `,999`: zeros or nines up to the end of the digits.
fn fraction(rest: &str) -> Option<(Fraction, &str)> {
    let separator = rest.chars().next().filter(|sign| matches!(sign, '.' | ','))?;
    let digits = rest.strip_prefix(separator)?;
    let kind = digits.chars().next().filter(|sign| matches!(sign, '0' | '9'))?;
    let after = digits.trim_start_matches(kind);
    if after.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let fraction = Fraction {
        digits: digits.len() - after.len(),
        trim: kind == '9',
        separator,
    };
    Some((fraction, after))
}
