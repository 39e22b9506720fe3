//! Where referenced secrets are read.

use crate::domain::secret::{Secret, SecretRef};

/// Reads secrets by reference.
pub trait Secrets: Send + Sync {
    /// The secret, or what is wrong with the reference (never a part of the secret).
    fn read(&self, from: &SecretRef) -> Result<Secret, MissingSecret>;
}

/// A secret that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MissingSecret(pub String);
