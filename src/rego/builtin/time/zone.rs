//! Zones by their names in the time zone database, which comes with the binary: no machine's files are read.

use chrono::{Offset as _, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz};

use super::super::fault::Fault;
use super::calendar::{self, DAY, Date};

/// The last year whose changes stand in the tables. Those of later years follow the same rule as a year of the same
/// shape before it.
const LAST: i64 = 2036;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Named(Tz),
}

impl Zone {
    /// The zone of a name. The machine's own is UTC: a decision does not depend on where it is made.
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "" | "UTC" | "Local" => Ok(Self::Utc),
            _ => name
                .parse()
                .map(Self::Named)
                .map_err(|_| Fault::from(format!("unknown time zone {name}"))),
        }
    }

    /// How far it is east of UTC at a time, in seconds, and what it is called then.
    pub(super) fn at(self, seconds: i64) -> (i64, String) {
        let Self::Named(zone) = self else {
            return (0, "UTC".to_owned());
        };
        let Some(time) = chrono::DateTime::from_timestamp(known(seconds), 0) else {
            return (0, "UTC".to_owned());
        };
        let offset = zone.offset_from_utc_datetime(&time.naive_utc());
        let east = i64::from(offset.fix().local_minus_utc());
        let name = offset
            .abbreviation()
            .map_or_else(|| numbered(east), str::to_owned);
        (east, name)
    }
}

/// A zone without a name for itself is called by its hours, with minutes where there are some.
fn numbered(east: i64) -> String {
    let sign = if east < 0 { '-' } else { '+' };
    let (hours, minutes) = (east.abs() / 3600, east.abs() / 60 % 60);
    match minutes {
        0 => format!("{sign}{hours:02}"),
        minutes => format!("{sign}{hours:02}{minutes:02}"),
    }
}

/// A time that the tables know, at which the same rule holds.
fn known(seconds: i64) -> i64 {
    let day = seconds.div_euclid(DAY);
    let date = Date::of_day(day);
    if date.year <= LAST {
        return seconds;
    }
    let first = |year: i64| i64::try_from(calendar::day(year.into(), 1, 1)).unwrap_or_default();
    let begins = first(date.year);
    let alike = |year: &i64| {
        calendar::is_leap(*year) == calendar::is_leap(date.year)
            && calendar::in_week(first(*year)) == calendar::in_week(begins)
    };
    match (2009..=LAST).rev().find(alike) {
        Some(year) => seconds - (begins - first(year)) * DAY,
        None => seconds,
    }
}
