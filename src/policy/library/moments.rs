//! Small values of the library's parameters that are more than a text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{domain::time::Timestamp, policy::ContractEnd};

/// The first moment of something: a date begins with its day, where an end includes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Begin(pub String);

impl Begin {
    /// The moment; none where the text is neither a date nor a time.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        if let Ok(day) = self.0.parse::<chrono::NaiveDate>() {
            return Some(Timestamp(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp()));
        }
        ContractEnd::parse(&self.0).map(|moment| moment.0)
    }
}

/// A country or a union, by the code that rules compare (`DE`, `EU`): as exact text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Jurisdiction(pub String);
