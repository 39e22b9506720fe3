//! What the operator wrote: one YAML tree, overrides from the environment, secrets by reference.
//!
//! Nothing is guessed: an unknown key, a value of the wrong shape, a secret that is not there or a name that
//! leads nowhere stops the start, and all of it is said at once. The room names other rooms only for their
//! `Config` types and for what they find wrong with them. Start at [`Config::load`].
//!
//! Merged by hand instead of by a library: the errors must name the file or the variable that a value came
//! from, and a variable's text is read as the type that the tree has in that place.

mod check;
mod load;
mod mixed;
mod root;
pub mod secret;
mod shape;

pub use load::Environment;
pub use root::{Admin, Config, Listen, PeopleConfig, SessionConfig, Tls};

use std::fmt;

/// One thing that is wrong with the configuration, in a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the environment variable that overrides it.
    pub source: String,
    /// Where in the tree (`upstreams[2].issuer`); empty for the whole.
    pub path: String,
    /// What stands there. Never a secret.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.source)?;
        if !self.path.is_empty() {
            write!(out, "{}: ", self.path)?;
        }
        write!(out, "found {}, expected {}", self.found, self.expected)
    }
}

/// The JSON schema of the whole tree, for editors and for the tests of the example.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::SchemaGenerator::default()
        .into_root_schema_for::<Config>()
        .to_value()
}
