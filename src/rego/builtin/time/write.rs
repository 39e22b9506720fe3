//! A time as a text (Go's `Format`).

use std::fmt::Write as _;

use super::{
    Moment, Shown, calendar,
    layout::{self, Chunk, Fraction, Offset},
};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The name of a month, from 1.
pub(super) fn month(number: i64) -> &'static str {
    let at = usize::try_from(number - 1).unwrap_or_default();
    MONTHS.get(at).copied().unwrap_or_default()
}

pub(super) fn text(moment: &Moment, layout: &str) -> String {
    let shown = moment.shown();
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let (before, chunk, after) = layout::next(rest);
        out.push_str(before);
        let Some(chunk) = chunk else {
            return out;
        };
        piece(&mut out, moment, &shown, chunk);
        rest = after;
    }
}

fn number(out: &mut String, number: i64, width: usize) {
    if number < 0 {
        out.push('-');
    }
    // Writing into a String does not fail.
    let _ = write!(out, "{:0width$}", number.unsigned_abs());
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

fn piece(out: &mut String, moment: &Moment, shown: &Shown, chunk: Chunk) {
    let (date, afternoon) = (shown.date, shown.hour >= 12);
    let weekday = calendar::weekday(moment.local().div_euclid(calendar::DAY));
    let hour12 = match shown.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let in_year = date.in_year();
    match chunk {
        Chunk::LongMonth => out.push_str(month(date.month)),
        Chunk::Month => out.push_str(short(month(date.month))),
        Chunk::NumMonth => number(out, date.month, 0),
        Chunk::ZeroMonth => number(out, date.month, 2),
        Chunk::LongWeekday => out.push_str(weekday),
        Chunk::Weekday => out.push_str(short(weekday)),
        Chunk::Day => number(out, date.day, 0),
        Chunk::UnderDay => out.push_str(&format!("{:>2}", date.day)),
        Chunk::ZeroDay => number(out, date.day, 2),
        Chunk::UnderYearDay => out.push_str(&format!("{in_year:>3}")),
        Chunk::ZeroYearDay => number(out, in_year, 3),
        Chunk::Hour => number(out, shown.hour, 2),
        Chunk::Hour12 => number(out, hour12, 0),
        Chunk::ZeroHour12 => number(out, hour12, 2),
        Chunk::Minute => number(out, shown.minute, 0),
        Chunk::ZeroMinute => number(out, shown.minute, 2),
        Chunk::Second => number(out, shown.second, 0),
        Chunk::ZeroSecond => number(out, shown.second, 2),
        Chunk::LongYear => number(out, date.year, 4),
        Chunk::Year => number(out, date.year.abs() % 100, 2),
        Chunk::UpperPm => out.push_str(if afternoon { "PM" } else { "AM" }),
        Chunk::LowerPm => out.push_str(if afternoon { "pm" } else { "am" }),
        Chunk::ZoneName => out.push_str(&moment.name),
        Chunk::Offset(form) => offset(out, moment.offset, form),
        Chunk::Fraction(form) => fraction(out, moment.nanos, form),
    }
}

fn offset(out: &mut String, east: i64, form: Offset) {
    if form.z && east == 0 {
        out.push('Z');
        return;
    }
    // Go takes the sign of the minutes.
    out.push(if east / 60 < 0 { '-' } else { '+' });
    let parts = [east.abs() / 3600, east.abs() / 60 % 60, east.abs() % 60];
    for (at, part) in parts.into_iter().take(form.parts).enumerate() {
        if at > 0 && form.colon {
            out.push(':');
        }
        number(out, part, 2);
    }
}

fn fraction(out: &mut String, nanos: i64, form: Fraction) {
    let digits = format!("{nanos:09}");
    let mut kept = digits.get(..form.digits).unwrap_or(&digits);
    if form.trim {
        kept = kept.trim_end_matches('0');
        if kept.is_empty() {
            return;
        }
    }
    out.push(form.separator);
    out.push_str(kept);
}
