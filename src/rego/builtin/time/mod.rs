//! `time.*` as Go's package `time` has it, on which OPA's are built: its layouts, its calendar, its zones.
//!
//! For: every function of the family but the machine's clock, which no decision may ask (`now_ns` is the question's).
//! `zone` knows offsets and their names, `calendar` days and dates, `layout` the pieces of a layout, `write` and
//! `read` turn times into texts and back, `duration` reads durations.

mod calendar;
mod duration;
mod layout;
mod read;
mod write;
mod zone;

use regorus::Value;

use super::arguments::{Arguments, items};
use super::fault::Fault;
use super::{Answer, Builtin, moment};
use calendar::Date;
use zone::Zone;

pub(super) const TABLE: &[Builtin] = &[
    Builtin {
        name: "time.add_date",
        arity: 4,
        call: add_date,
    },
    Builtin {
        name: "time.clock",
        arity: 1,
        call: clock,
    },
    Builtin {
        name: "time.date",
        arity: 1,
        call: date,
    },
    Builtin {
        name: "time.diff",
        arity: 2,
        call: diff,
    },
    Builtin {
        name: "time.format",
        arity: 1,
        call: format,
    },
    Builtin {
        name: "time.now_ns",
        arity: 0,
        call: now_ns,
    },
    Builtin {
        name: "time.parse_duration_ns",
        arity: 1,
        call: duration::parse_ns,
    },
    Builtin {
        name: "time.parse_ns",
        arity: 2,
        call: parse_ns,
    },
    Builtin {
        name: "time.parse_rfc3339_ns",
        arity: 1,
        call: parse_rfc3339_ns,
    },
    Builtin {
        name: "time.weekday",
        arity: 1,
        call: weekday,
    },
];

const SECOND: i64 = 1_000_000_000;

/// Layouts that have names.
const NAMED: [(&str, &str); 10] = [
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", RFC3339),
    ("RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"),
];
const RFC3339: &str = "2006-01-02T15:04:05Z07:00";

/// A time where a clock shows it.
#[derive(Debug, Clone)]
struct Moment {
    /// Since 1970, in UTC.
    seconds: i64,
    nanos: i64,
    zone: Zone,
    /// Of the clock, east of UTC, in seconds; with its name.
    offset: i64,
    name: String,
}

/// What a clock and a calendar show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    date: Date,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Moment {
    fn of(nanos: i64, zone: Zone) -> Self {
        let seconds = nanos.div_euclid(SECOND);
        let (offset, name) = zone.at(seconds);
        Self {
            seconds,
            nanos: nanos.rem_euclid(SECOND),
            zone,
            offset,
            name,
        }
    }

    const fn local(&self) -> i64 {
        self.seconds + self.offset
    }

    const fn shown(&self) -> Shown {
        let local = self.local();
        let in_day = local.rem_euclid(calendar::DAY);
        Shown {
            date: Date::of_day(local.div_euclid(calendar::DAY)),
            hour: in_day / 3600,
            minute: in_day / 60 % 60,
            second: in_day % 60,
        }
    }
}

/// The first operand's nanoseconds, zone and layout: `ns`, `[ns]`, `[ns, zone]` or `[ns, zone, layout]`.
fn operand(value: &Value) -> Result<(Moment, Option<&str>), Fault> {
    let wanted = ["number", "array"];
    let parts = match value {
        Value::Number(_) => vec![value],
        Value::Array(_) => items(value).unwrap_or_default(),
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::Set(_)
        | Value::Object(_)
        | Value::Undefined => return Err(Fault::kind(1, &wanted, value)),
    };
    let Some(ns @ Value::Number(_)) = parts.first().copied() else {
        return Err(Fault::kind(1, &wanted, value));
    };
    let text = |at: usize| match parts.get(at) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(&**text)),
        Some(other) => Err(Fault::kind(1, &["string"], other)),
    };
    let zone = Zone::named(text(1)?.unwrap_or_default())?;
    let layout = text(2)?;
    let ns = ns.as_i64().map_err(|_| Fault::from("timestamp too big"))?;
    Ok((Moment::of(ns, zone), layout))
}

fn numbers<const N: usize>(numbers: [i64; N]) -> Value {
    Value::from(numbers.into_iter().map(Value::from).collect::<Vec<_>>())
}

/// Nanoseconds, if they can be counted by 64 bits.
fn in_range(seconds: i128, nanos: i64) -> Answer {
    let all = seconds * i128::from(SECOND) + i128::from(nanos);
    let all = i64::try_from(all).map_err(|_| Fault::from("time outside of valid range"))?;
    Ok(Value::from(all))
}

/// The question's time, never the machine's, so that a decision can be replayed.
fn now_ns(_: &Arguments<'_>) -> Answer {
    Ok(Value::from(
        moment::now_ns().ok_or("the time is not known to this evaluation")?,
    ))
}

fn date(arguments: &Arguments<'_>) -> Answer {
    let date = operand(arguments.value(1))?.0.shown().date;
    Ok(numbers([date.year, date.month, date.day]))
}

fn clock(arguments: &Arguments<'_>) -> Answer {
    let shown = operand(arguments.value(1))?.0.shown();
    Ok(numbers([shown.hour, shown.minute, shown.second]))
}

fn weekday(arguments: &Arguments<'_>) -> Answer {
    let day = operand(arguments.value(1))?.0.local().div_euclid(calendar::DAY);
    Ok(Value::from(calendar::weekday(day)))
}

fn format(arguments: &Arguments<'_>) -> Answer {
    let (moment, layout) = operand(arguments.value(1))?;
    let layout = layout
        .filter(|layout| !layout.is_empty())
        .unwrap_or("RFC3339Nano");
    Ok(Value::from(write::text(&moment, by_name(layout))))
}

/// A layout, or the one of that name.
fn by_name(layout: &str) -> &str {
    let named = NAMED.iter().find(|(name, _)| *name == layout);
    named.map_or(layout, |(_, layout)| layout)
}

fn parse_ns(arguments: &Arguments<'_>) -> Answer {
    let (layout, text) = (arguments.string(1)?, arguments.string(2)?);
    let read = read::time(by_name(layout), text)?;
    in_range(i128::from(read.seconds), read.nanos)
}

fn parse_rfc3339_ns(arguments: &Arguments<'_>) -> Answer {
    let read = read::time(RFC3339, arguments.string(1)?)?;
    in_range(i128::from(read.seconds), read.nanos)
}

/// Go's `AddDate`: what is too much for a month or a year goes over into the next.
fn add_date(arguments: &Arguments<'_>) -> Answer {
    let (moment, _) = operand(arguments.value(1))?;
    let added = |position| arguments.integer(position).map(i128::from);
    let (years, months, days) = (added(2)?, added(3)?, added(4)?);
    let shown = moment.shown();
    let day = calendar::day(
        i128::from(shown.date.year) + years,
        i128::from(shown.date.month) + months,
        i128::from(shown.date.day) + days,
    );
    let local =
        day * i128::from(calendar::DAY) + i128::from(shown.hour * 3600 + shown.minute * 60 + shown.second);
    // Far outside of what can be answered there are no zones to ask.
    let near = i64::try_from(local)
        .ok()
        .filter(|local| local.unsigned_abs() < 1 << 40)
        .ok_or_else(|| Fault::from("time outside of valid range"))?;
    let guess = near - moment.zone.at(near).0;
    let offset = moment.zone.at(guess).0;
    in_range(local - i128::from(offset), moment.nanos)
}

/// The calendar's difference, both in the zone of the first.
fn diff(arguments: &Arguments<'_>) -> Answer {
    let (first, _) = operand(arguments.value(1))?;
    let (second, _) = operand(arguments.value(2))?;
    let nanos = |moment: &Moment| (moment.seconds, moment.nanos);
    let again = |moment: &Moment| {
        let (offset, name) = first.zone.at(moment.seconds);
        Moment {
            offset,
            name,
            zone: first.zone,
            ..moment.clone()
        }
    };
    let second = again(&second);
    let (early, late) = if nanos(&first) > nanos(&second) {
        (second, first)
    } else {
        (first, second)
    };
    let (from, to) = (early.shown(), late.shown());
    let mut month = to.date.month - from.date.month;
    let mut year = to.date.year - from.date.year;
    let mut day = to.date.day - from.date.day;
    let carry = |value: i64, whole: i64, above: &mut i64| {
        if value < 0 {
            *above -= 1;
            value + whole
        } else {
            value
        }
    };
    let (mut hour, mut minute) = (to.hour - from.hour, to.minute - from.minute);
    let second = carry(to.second - from.second, 60, &mut minute);
    let minute = carry(minute, 60, &mut hour);
    let hour = carry(hour, 24, &mut day);
    let day = carry(
        day,
        calendar::days_of(from.date.year, from.date.month),
        &mut month,
    );
    let month = carry(month, 12, &mut year);
    Ok(numbers([year, month, day, hour, minute, second]))
}
