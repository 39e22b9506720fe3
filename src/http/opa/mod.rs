//! OPA's REST interface over the Rego engine, for programs that would ask an OPA.
//!
//! Two doors. [`Management`] is OPA's whole interface, with OPA's own status codes, behind `system.authz`.
//! [`Pdp`] answers decisions alone, and never with anything but 200: `oslo.policy.opa` falls back to a service's
//! own default rule at any other status, so a failure of the engine would open what the policy closes. There a
//! failure is the answer `false`, a line in the log and a figure.
//!
//! The engine knows no federation; what the configuration owns stands in the store as a bundle, and is refused
//! to writers as any bundle's paths are. Start reading at `management.rs` and `pdp.rs`, then `ask.rs`.

mod about;
mod answer;
mod ask;
mod authz;
mod body;
mod broken;
mod compress;
mod data;
mod forward_auth;
mod health;
mod management;
mod meter;
mod parameters;
mod pdp;
mod policies;
mod query;
mod write;

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use crate::{
    port::{bundles::Bundles, clock::Clock, decisions::Decisions, entropy::Entropy},
    rego::{Store, Version},
};

pub use authz::{Authorization, Callers, ClientIdentity, Known};
pub use management::Management;
pub use meter::Meter;
pub use pdp::Pdp;

/// What one request may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest body in bytes, as sent.
    pub largest_body: usize,
    /// Largest body in bytes, unpacked.
    pub largest_unpacked: usize,
    /// Longest evaluation.
    pub evaluation: Duration,
    /// How long a request may wait for its turn, and its body for its end.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            largest_body: 16 << 20,
            largest_unpacked: 64 << 20,
            evaluation: Duration::from_millis(500),
            patience: Duration::from_secs(10),
        }
    }
}

/// What both doors need.
pub struct Desk {
    /// Policies and data.
    pub store: Arc<Store>,
    /// Where decisions are written down.
    pub decisions: Arc<dyn Decisions>,
    /// The state of bundles; none if none is configured.
    pub bundles: Option<Arc<dyn Bundles>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Makes decision ids.
    pub entropy: Arc<dyn Entropy>,
    /// Counts.
    pub meter: Arc<Meter>,
    /// Bounds.
    pub limits: Limits,
    /// Turns: requests that hold a body and an evaluation at a time. Others wait without either.
    pub turns: Semaphore,
    /// What `/v1/config` shows; no secrets.
    pub about: serde_json::Value,
    /// The language of policies that are put.
    pub version: Version,
}

impl fmt::Debug for Desk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Desk")
    }
}

impl Desk {
    /// A decision id (a random UUID, RFC 9562 §5.4), if decisions are written down: OPA gives none otherwise.
    fn decision_id(&self) -> Option<String> {
        if !self.decisions.listens() {
            return None;
        }
        let mut bytes = [0_u8; 16];
        self.entropy.fill(&mut bytes);
        let random = u128::from_be_bytes(bytes);
        let versioned = (random & !(0xf000_u128 << 64) & !(0xc000_u128 << 48))
            | (0x4000_u128 << 64)
            | (0x8000_u128 << 48);
        let hex = format!("{versioned:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        Some(format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        ))
    }
}
