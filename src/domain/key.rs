//! The life of a signing key: pending → active → retiring → gone.
//!
//! A pending key is published before it signs, for at least the JWKS max-age and a minute more,
//! so that no relying party meets a signature by a key it could not have seen (kubernetes.md §1.1).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// `Cache-Control: max-age` of the JWKS.
pub const JWKS_MAX_AGE: Duration = Duration::from_secs(300);
/// Least time between publication and first signature.
pub const PUBLISH_AHEAD: Duration = Duration::from_secs(360);

/// Signature algorithms of our own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256: the default.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256: for relying parties that know nothing else (Kubernetes' default flags).
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The JOSE name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Published, not signing yet.
    Pending,
    /// Signs.
    Active,
    /// Published so that its last signatures verify; signs no more.
    Retiring,
    /// Not published.
    Gone,
}

/// The times that fix a key's stage. The stage itself is never stored: it follows from these and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// When it was first published.
    pub published: Timestamp,
    /// When it starts to sign.
    pub signs_from: Timestamp,
    /// When a successor takes over; none while it is the newest.
    pub signs_until: Option<Timestamp>,
    /// When it leaves the JWKS: last signature + longest token life + max-age.
    pub gone_at: Option<Timestamp>,
}

impl Life {
    /// The very first key of a ring signs at once: nobody can have cached a JWKS without it.
    #[must_use]
    pub fn first(now: Timestamp) -> Self {
        Self {
            published: now,
            signs_from: now,
            signs_until: None,
            gone_at: None,
        }
    }

    /// A successor: published now, signing once every cache must have seen it.
    #[must_use]
    pub fn successor(now: Timestamp) -> Self {
        Self {
            published: now,
            signs_from: now.plus(PUBLISH_AHEAD),
            signs_until: None,
            gone_at: None,
        }
    }

    /// Hands over to a successor that signs from `at`; tokens live at most `longest_token`.
    #[must_use]
    pub fn superseded(self, at: Timestamp, longest_token: Duration) -> Self {
        Self {
            signs_until: Some(at),
            gone_at: Some(at.plus(longest_token).plus(JWKS_MAX_AGE)),
            ..self
        }
    }

    /// The stage at a point in time.
    #[must_use]
    pub fn stage(&self, now: Timestamp) -> Stage {
        if self.gone_at.is_some_and(|gone| now >= gone) {
            Stage::Gone
        } else if self.signs_until.is_some_and(|until| now >= until) {
            Stage::Retiring
        } else if now >= self.signs_from {
            Stage::Active
        } else {
            Stage::Pending
        }
    }
}
