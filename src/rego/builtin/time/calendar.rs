//! Days since 1970 and dates of the Gregorian calendar, both ways, for all years.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A date. Months and days count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl Date {
    /// Of a day since 1970-01-01. Years begin in March here, so that the leap day is the last of its year.
    pub(super) const fn of_day(day: i64) -> Self {
        let shifted = day + 719_468;
        let era = shifted.div_euclid(146_097);
        let in_era = shifted.rem_euclid(146_097);
        let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * in_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = year_of_era + era * 400;
        Self {
            year: if month <= 2 { year + 1 } else { year },
            month,
            day: in_year - (153 * march + 2) / 5 + 1,
        }
    }

    /// The day of its year, from 1.
    pub(super) fn in_year(self) -> i64 {
        let of = |month, day| day_of(i128::from(self.year), month, day);
        i64::try_from(of(i128::from(self.month), i128::from(self.day)) - of(1, 1)).unwrap_or_default() + 1
    }
}

/// The day since 1970-01-01 of a date whose month and day may be any number.
pub(super) fn day(year: i128, month: i128, day: i128) -> i128 {
    let months = month - 1;
    day_of(year + months.div_euclid(12), months.rem_euclid(12) + 1, day)
}

fn day_of(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march = (month + 9) % 12;
    let in_year = (153 * march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + in_year - 719_468
}

pub(super) const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the week of a day since 1970-01-01, which was a Thursday; 0 is Sunday.
pub(super) const fn in_week(day: i64) -> i64 {
    (day + 4).rem_euclid(7)
}

pub(super) fn weekday(day: i64) -> &'static str {
    let at = usize::try_from(in_week(day)).unwrap_or_default();
    WEEKDAYS.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        for number in (-800_000..800_000).step_by(97) {
            let date = Date::of_day(number);
            let back = day(date.year.into(), date.month.into(), date.day.into());
            assert_eq!(back, i128::from(number), "{date:?}");
            assert!((1..=days_of(date.year, date.month)).contains(&date.day));
        }
        assert_eq!(day(2024, 14, 30), day(2025, 3, 2));
        assert_eq!(weekday(0), "Thursday");
        assert_eq!(Date::of_day(59).in_year(), 60);
    }
}
