//! Where people come from: one folder for each kind. Proofs enter here and nowhere else.
//!
//! An adapter checks a proof completely, then states it by `UpstreamAssertion::verified`. It decides nothing
//! about access. Start at [`Declared`], the one list of kinds.

mod jose;
pub mod keystone;
pub mod local;
pub mod oidc;
pub mod workload;
pub mod xml;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        ids::{TenantId, UpstreamId},
        mapping::MappingSettings,
    },
    port::{
        clock::Clock, entropy::Entropy, limits::Limits, secrets::Secrets, tickets::Tickets,
        upstream::Upstream,
    },
};

/// One upstream, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Declared {
    /// An OpenID provider.
    Oidc(oidc::Config),
    /// People known to this gateway itself.
    Local(local::Config),
    /// CI jobs, pods and other programs with a token of their own issuer.
    Workload(workload::Config),
    /// A partner's Keystone that sends its users here (Keystone-to-Keystone).
    Keystone(keystone::Config),
}

impl Declared {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &UpstreamId {
        match self {
            Self::Oidc(config) => &config.id,
            Self::Local(config) => &config.id,
            Self::Workload(config) => &config.id,
            Self::Keystone(config) => &config.id,
        }
    }

    /// The tenant it speaks for.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Oidc(config) => &config.tenant,
            Self::Local(config) => &config.tenant,
            Self::Workload(config) => &config.tenant,
            Self::Keystone(config) => &config.tenant,
        }
    }

    /// How its claims become an identity.
    #[must_use]
    pub fn mapping(&self) -> &MappingSettings {
        match self {
            Self::Oidc(config) => &config.mapping,
            Self::Local(config) => &config.mapping,
            Self::Workload(config) => &config.mapping,
            Self::Keystone(config) => &config.mapping,
        }
    }
}

/// What upstreams need from the rest of the house.
pub struct Wiring<'a> {
    /// The gateway's issuer URL.
    pub issuer: String,
    /// Reads referenced secrets.
    pub secrets: &'a dyn Secrets,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Counters against guessing.
    pub limits: Arc<dyn Limits>,
    /// Remembers what was used once.
    pub tickets: Arc<dyn Tickets>,
}

impl std::fmt::Debug for Wiring<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wiring")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Why an upstream cannot be opened: a mistake in the configuration, never a far side that is down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("upstream '{id}': {problem}")]
pub struct OpenFault {
    /// The upstream.
    pub id: UpstreamId,
    /// What is wrong, in the operator's words.
    pub problem: String,
}

/// Opens an upstream. Must run inside a tokio runtime; no far side is waited for.
pub fn open(declared: Declared, wiring: &Wiring<'_>) -> Result<Arc<dyn Upstream>, OpenFault> {
    let id = declared.id().clone();
    let opened: Result<Arc<dyn Upstream>, String> =
        match declared {
            Declared::Oidc(config) => {
                oidc::Oidc::open(config, wiring).map(|upstream| upstream as Arc<dyn Upstream>)
            }
            Declared::Local(config) => {
                local::Local::open(config, wiring).map(|upstream| Arc::new(upstream) as Arc<dyn Upstream>)
            }
            Declared::Workload(config) => workload::Workload::open(config, wiring)
                .map(|upstream| Arc::new(upstream) as Arc<dyn Upstream>),
            Declared::Keystone(config) => keystone::Keystone::open(config, wiring)
                .map(|upstream| Arc::new(upstream) as Arc<dyn Upstream>),
        };
    opened.map_err(|problem| OpenFault { id, problem })
}
