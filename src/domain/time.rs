//! Points in time, in whole seconds since the Unix epoch (the unit of RFC 7519 `NumericDate`).

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Default,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This point plus a span; saturates, so that no configured lifetime can wrap around.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
        )
    }

    /// This point minus a span.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)),
        )
    }

    /// What is left from `self` until `later`; zero when it has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_secs(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC, as Kubernetes and Keystone write it.
    #[must_use]
    pub fn rfc3339(self) -> String {
        chrono::DateTime::from_timestamp(self.0, 0).map_or_else(
            || self.0.to_string(),
            |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
    }
}

/// A day, in UTC: `2027-06-30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(chrono::NaiveDate);

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let day = text.parse().map(Self);
        day.map_err(|_| format!("a day such as 2027-06-30, and not '{text}'"))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl Day {
    /// Its first moment.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        Timestamp(self.0.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_and_is_written_as_it_was_read() {
        let day: Day = serde_json::from_str("\"2027-06-30\"").unwrap();
        assert_eq!(day.begins().rfc3339(), "2027-06-30T00:00:00Z");
        assert_eq!(day.to_string(), "2027-06-30");
        assert!(serde_json::from_str::<Day>("\"2027-06-31\"").is_err());
    }
}
