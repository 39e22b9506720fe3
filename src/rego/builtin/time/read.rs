//! A text as a time (Go's `Parse`). Bytes are read, not letters: Go cuts there too.

use super::{
    SECOND, calendar,
    layout::{self, Chunk, Fraction, Offset},
    write,
};
use crate::rego::builtin::fault::Fault;

/// A time since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) seconds: i64,
    pub(super) nanos: i64,
}

/// What the text has said until now.
#[derive(Debug, Default)]
struct Said {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    in_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    /// Whether it is the afternoon, where that was said.
    afternoon: Option<bool>,
    utc: bool,
    east: Option<i64>,
}

pub(super) fn time(layout: &str, text: &str) -> Result<Read, Fault> {
    let wrong = || Fault::from(format!("parsing time {text:?} as {layout:?}: cannot parse"));
    said(layout, text).and_then(|said| said.time()).ok_or_else(wrong)
}

fn said(layout: &str, text: &str) -> Option<Said> {
    let mut said = Said::default();
    let (mut rest, mut value) = (layout, text.as_bytes());
    loop {
        let (before, chunk, after) = layout::next(rest);
        skip(&mut value, before.as_bytes())?;
        let Some(chunk) = chunk else {
            return value.is_empty().then_some(said);
        };
        rest = after;
        said.piece(&mut value, chunk, rest)?;
    }
}

/// Takes what stands between pieces; blanks on both sides count once.
fn skip(value: &mut &[u8], mut prefix: &[u8]) -> Option<()> {
    while let Some((sign, after)) = prefix.split_first() {
        if *sign == b' ' {
            if value.first().is_some_and(|first| *first != b' ') {
                return None;
            }
            prefix = without_blanks(prefix);
            *value = without_blanks(value);
            continue;
        }
        let (first, left) = value.split_first()?;
        if first != sign {
            return None;
        }
        (*value, prefix) = (left, after);
    }
    Some(())
}

fn without_blanks(mut bytes: &[u8]) -> &[u8] {
    while let Some((b' ', rest)) = bytes.split_first() {
        bytes = rest;
    }
    bytes
}

/// So many bytes.
fn take<'a>(value: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = value.split_at_checked(count)?;
    *value = rest;
    Some(taken)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn is_digit(value: &[u8], at: usize) -> bool {
    value.get(at).is_some_and(u8::is_ascii_digit)
}

/// One or two digits; `fixed`: two.
fn small(value: &mut &[u8], fixed: bool) -> Option<i64> {
    let count = usize::from(is_digit(value, 0)) + usize::from(is_digit(value, 0) && is_digit(value, 1));
    if count == 0 || fixed && count == 1 {
        return None;
    }
    digits(take(value, count)?)
}

/// A name among these, in any case; its number from 0.
fn among<'a>(value: &mut &[u8], mut names: impl Iterator<Item = &'a str>) -> Option<i64> {
    let at = names.position(|name| {
        let there = value.get(..name.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(name.as_bytes())) && {
            *value = value.get(name.len()..).unwrap_or_default();
            true
        }
    })?;
    i64::try_from(at).ok()
}

fn within(number: i64, most: i64) -> Option<i64> {
    (number <= most).then_some(number)
}

impl Said {
    fn piece(&mut self, value: &mut &[u8], chunk: Chunk, rest: &str) -> Option<()> {
        let short = |name: &'static str| name.get(..3).unwrap_or(name);
        match chunk {
            Chunk::Year => {
                let year = digits(take(value, 2)?)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Chunk::LongYear => self.year = digits(take(value, 4)?)?,
            Chunk::Month => self.month = Some(among(value, (1..=12).map(|at| short(write::month(at))))? + 1),
            Chunk::LongMonth => self.month = Some(among(value, (1..=12).map(write::month))? + 1),
            Chunk::NumMonth | Chunk::ZeroMonth => {
                let month = small(value, chunk == Chunk::ZeroMonth)?;
                self.month = Some(within(month, 12).filter(|month| *month > 0)?);
            }
            Chunk::Weekday => {
                among(value, (0..7).map(|day| short(calendar::weekday(day))))?;
            }
            Chunk::LongWeekday => {
                among(value, (0..7).map(calendar::weekday))?;
            }
            Chunk::Day | Chunk::UnderDay | Chunk::ZeroDay => {
                blanks(value, usize::from(chunk == Chunk::UnderDay));
                self.day = Some(small(value, chunk == Chunk::ZeroDay)?);
            }
            Chunk::UnderYearDay | Chunk::ZeroYearDay => {
                blanks(value, 2 * usize::from(chunk == Chunk::UnderYearDay));
                let count = (0..3).take_while(|at| is_digit(value, *at)).count();
                if chunk == Chunk::ZeroYearDay && count < 3 {
                    return None;
                }
                self.in_year = Some(digits(take(value, count)?)?);
            }
            Chunk::Hour => self.hour = within(small(value, false)?, 23)?,
            Chunk::Hour12 | Chunk::ZeroHour12 => {
                self.hour = within(small(value, chunk == Chunk::ZeroHour12)?, 12)?;
            }
            Chunk::Minute | Chunk::ZeroMinute => {
                self.minute = within(small(value, chunk == Chunk::ZeroMinute)?, 59)?;
            }
            Chunk::Second | Chunk::ZeroSecond => {
                self.second = within(small(value, chunk == Chunk::ZeroSecond)?, 59)?;
                self.behind_second(value, rest)?;
            }
            Chunk::UpperPm | Chunk::LowerPm => {
                let words: [&[u8]; 2] = if chunk == Chunk::UpperPm {
                    [b"AM", b"PM"]
                } else {
                    [b"am", b"pm"]
                };
                let word = take(value, 2)?;
                let at = words.into_iter().position(|known| known == word)?;
                // Once afternoon, always afternoon, as in Go.
                self.afternoon = Some(self.afternoon == Some(true) || at == 1);
            }
            Chunk::Offset(form) => self.offset(value, form)?,
            Chunk::ZoneName => self.zone(value)?,
            Chunk::Fraction(form) => self.fraction(value, form)?,
        }
        Some(())
    }

    /// A fraction that the layout does not mention is taken all the same.
    fn behind_second(&mut self, value: &mut &[u8], rest: &str) -> Option<()> {
        if !matches!(value.first(), Some(b'.' | b',')) || !is_digit(value, 1) {
            return Some(());
        }
        if matches!(layout::next(rest).1, Some(Chunk::Fraction(_))) {
            return Some(());
        }
        let count = 1 + (1..).take_while(|at| is_digit(value, *at)).count();
        self.nanos = nanos(take(value, count)?)?;
        Some(())
    }

    fn fraction(&mut self, value: &mut &[u8], form: Fraction) -> Option<()> {
        if !form.trim {
            self.nanos = nanos(take(value, 1 + form.digits)?)?;
            return Some(());
        }
        if matches!(value.first(), Some(b'.' | b',')) && is_digit(value, 1) {
            let count = 1 + (1..).take_while(|at| is_digit(value, *at)).count();
            self.nanos = nanos(take(value, count)?)?;
        }
        Some(())
    }

    fn offset(&mut self, value: &mut &[u8], form: Offset) -> Option<()> {
        if form.z && value.first() == Some(&b'Z') {
            take(value, 1)?;
            self.utc = true;
            return Some(());
        }
        let sign = take(value, 1)?;
        let mut parts = [0; 3];
        for (at, part) in parts.iter_mut().take(form.parts).enumerate() {
            if at > 0 && form.colon && take(value, 1)? != b":" {
                return None;
            }
            let most = if at == 0 { 24 } else { 60 };
            *part = within(digits(take(value, 2)?)?, most)?;
        }
        let [hours, minutes, seconds] = parts;
        let east = (hours * 60 + minutes) * 60 + seconds;
        self.east = Some(match sign {
            b"+" => east,
            b"-" => -east,
            _ => return None,
        });
        Some(())
    }

    /// The name of a zone, which says nothing: Go knows the names of its machine's own zone alone, and ours is UTC.
    fn zone(&mut self, value: &mut &[u8]) -> Option<()> {
        if value.starts_with(b"UTC") {
            take(value, 3)?;
            self.utc = true;
            return Some(());
        }
        take(value, zone_length(value)?).map(drop)
    }

    fn time(mut self) -> Option<Read> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            Some(_) | None => {}
        }
        let (month, day) = match self.in_year {
            Some(in_year) => self.by_day_of_year(in_year)?,
            None => (self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        if day < 1 || day > calendar::days_of(self.year, month) {
            return None;
        }
        let days = calendar::day(self.year.into(), month.into(), day.into());
        let days = i64::try_from(days).ok()?;
        let clock = self.hour * 3600 + self.minute * 60 + self.second;
        let mut seconds = days * calendar::DAY + clock;
        if !self.utc {
            seconds -= self.east.unwrap_or_default();
        }
        Some(Read {
            seconds,
            nanos: self.nanos,
        })
    }

    fn by_day_of_year(&self, in_year: i64) -> Option<(i64, i64)> {
        let (mut month, mut day) = (1, in_year);
        while month <= 12 && day > calendar::days_of(self.year, month) {
            day -= calendar::days_of(self.year, month);
            month += 1;
        }
        let same = |said: Option<i64>, found| said.is_none_or(|said| said == found);
        let fits = in_year >= 1 && month <= 12 && same(self.month, month) && same(self.day, day);
        fits.then_some((month, day))
    }
}

fn blanks(value: &mut &[u8], most: usize) {
    for _ in 0..most {
        if let Some((b' ', rest)) = value.split_first() {
            *value = rest;
        }
    }
}

/// A separator and digits, of which the first nine count.
fn nanos(bytes: &[u8]) -> Option<i64> {
    let (b'.' | b',', digits_of) = bytes.split_first()? else {
        return None;
    };
    let kept = digits_of.get(..digits_of.len().min(9))?;
    let scale = u32::try_from(9 - kept.len()).ok()?;
    let nanos = digits(kept)? * 10_i64.pow(scale);
    (nanos < SECOND).then_some(nanos)
}

/// How long the name of a zone is: three to five capitals, as far as there are such names.
fn zone_length(value: &[u8]) -> Option<usize> {
    if value.starts_with(b"ChST") || value.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix(b"GMT") {
        return Some(3 + signed(rest));
    }
    if value.len() < 3 {
        return None;
    }
    if matches!(value.first(), Some(b'+' | b'-')) {
        return Some(signed(value)).filter(|length| *length > 0);
    }
    let capitals = value
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match capitals {
        3 => Some(3),
        4 if value.get(3) == Some(&b'T') || value.starts_with(b"WITA") => Some(4),
        5 if value.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of a sign with hours behind it.
fn signed(value: &[u8]) -> usize {
    if !matches!(value.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let count = (1..).take_while(|at| is_digit(value, *at)).count();
    let hours = value.get(1..=count).and_then(digits);
    if hours.is_some_and(|hours| hours <= 23) {
        1 + count
    } else {
        0
    }
}
