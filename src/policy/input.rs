//! The decision input and output as JSON schemas, for those who write policies.

use crate::{domain::access::Answer, port::policy::Question};

/// The schema of `input`.
#[must_use]
pub fn input_schema() -> schemars::Schema {
    schemars::schema_for!(Question<'static>)
}

/// The schema of what `data.federation.access.decision` must be.
#[must_use]
pub fn answer_schema() -> schemars::Schema {
    schemars::schema_for!(Answer)
}
