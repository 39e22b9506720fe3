//! The care for our own signing keys: which there are, and a successor when an operator wants one.

use async_trait::async_trait;
use serde::Serialize;

use super::records::RecordFault;
use crate::domain::key::{Algorithm, Life, Stage};

/// What is shown of a key. Nothing of its private half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// Its name: the JWK thumbprint (RFC 7638).
    pub kid: String,
    /// The issuer that it signs for, where that is not the gateway itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it is in its life now.
    pub stage: Stage,
    /// Its times.
    pub life: Life,
}

/// The keys could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyCareFault {
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordFault),
    /// A key cannot be made, or a stored one not be opened.
    #[error("the key ring failed: {0}")]
    Ring(String),
}

/// Looks after the keys.
#[async_trait]
pub trait KeyCare: Send + Sync {
    /// All keys that are not gone, oldest first.
    fn list(&self) -> Vec<KeyLine>;
    /// Publishes a successor, of one algorithm or of both, that signs once every cache has seen it.
    /// Answers the new keys' names; none where another replica rotated at the same moment.
    async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<Vec<String>, KeyCareFault>;
}
