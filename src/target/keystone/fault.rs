//! Why work at a Keystone stopped: setting up, provisioning, looking.

use serde::{Deserialize, Serialize};

/// Why it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum KeystoneFault {
    /// The configuration lacks something, or the account has too much.
    #[error("{0}")]
    Configuration(String),
    /// Keystone does not answer.
    #[error("{0}")]
    Down(String),
    /// Keystone refused.
    #[error("{step}: {answer}")]
    Refused {
        /// What was being done.
        step: String,
        /// What Keystone said.
        answer: String,
    },
}
