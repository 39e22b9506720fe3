//! Where people are let in: one adapter for each kind of far side.
//!
//! A target turns a `&Permit` into what the far side accepts. It decides nothing: what it says about a person
//! comes from the permit and the target's own configuration. It imports no sibling adapter.
//! Start at [`Declared`], the one list of kinds.

pub mod keystone;
pub mod kubernetes;
pub mod openstack_service;
pub mod own;

use std::{collections::BTreeMap, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    access::{Permit, TargetKind},
    fault::{Code, Fault},
    ids::{TargetId, TenantId},
    tenant::Tenant,
};
use crate::port::{
    entropy::Entropy,
    people::Given,
    signer::Signer,
    target::{Target, TargetFacts},
};

/// One target, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Declared {
    /// A Kubernetes cluster that trusts this gateway as its OpenID Connect issuer.
    Kubernetes(kubernetes::Config),
    /// An OpenStack Keystone behind this gateway.
    Keystone(Box<keystone::Config>),
    /// An OpenStack Keystone behind its own Apache with mod_auth_openidc, as kolla-ansible installs it.
    KeystoneClaims(keystone::claims::Config),
    /// An OpenStack service that validates this gateway's tokens without Keystone (`external_oauth2_token`).
    OpenstackService(openstack_service::Config),
}

impl Declared {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &TargetId {
        match self {
            Self::Kubernetes(config) => &config.id,
            Self::Keystone(config) => &config.id,
            Self::KeystoneClaims(config) => &config.id,
            Self::OpenstackService(config) => &config.id,
        }
    }

    /// What kind of place it is.
    #[must_use]
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Kubernetes(_) => TargetKind::Kubernetes,
            Self::Keystone(_) | Self::KeystoneClaims(_) | Self::OpenstackService(_) => TargetKind::Keystone,
        }
    }

    /// The longest life of what it takes, in seconds.
    #[must_use]
    pub fn lifetime_s(&self) -> u64 {
        match self {
            Self::Kubernetes(config) => config.lifetime_s,
            Self::Keystone(config) => config.lifetime_s,
            Self::KeystoneClaims(config) => config.lifetime_s,
            Self::OpenstackService(config) => config.lifetime_s,
        }
    }

    /// Its own issuer, where it has one, below the gateway's.
    #[must_use]
    pub fn own_issuer(&self, gateway: &str) -> Option<String> {
        match self {
            Self::KeystoneClaims(config) => Some(config.issuer(gateway)),
            Self::Kubernetes(_) | Self::Keystone(_) | Self::OpenstackService(_) => None,
        }
    }

    /// The settings of a Keystone behind Apache, where it is one.
    #[must_use]
    pub fn as_keystone_claims(&self) -> Option<&keystone::claims::Config> {
        match self {
            Self::KeystoneClaims(config) => Some(config),
            Self::Kubernetes(_) | Self::Keystone(_) | Self::OpenstackService(_) => None,
        }
    }

    /// The Keystone front's settings, where it is a Keystone.
    #[must_use]
    pub fn as_keystone(&self) -> Option<&keystone::Config> {
        match self {
            Self::Keystone(config) => Some(config),
            Self::Kubernetes(_) | Self::KeystoneClaims(_) | Self::OpenstackService(_) => None,
        }
    }

    /// What is wrong with the settings, in the operator's words; empty when nothing is.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        match self {
            Self::Kubernetes(config) => config.problems(),
            Self::Keystone(config) => config.problems(),
            Self::KeystoneClaims(config) => config.problems(),
            Self::OpenstackService(config) => config.problems(),
        }
    }
}

/// What targets need from the rest of the house.
#[derive(Clone)]
pub struct Wiring {
    /// The gateway's issuer URL.
    pub issuer: String,
    /// The gateway's keys.
    pub signer: Arc<dyn Signer>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The tenants: a tenant's first domain is the Keystone domain of its people.
    pub tenants: Arc<BTreeMap<TenantId, Tenant>>,
    /// Who looks into Keystones, by target: those with an account that may.
    pub lookers: BTreeMap<TargetId, keystone::provision::Looker>,
    /// Where it is written down what sign-ins give at targets; none: nothing is ever taken away again.
    pub given: Option<Arc<dyn Given>>,
}

impl fmt::Debug for Wiring {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Wiring")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// A permit is good at its own target alone, whoever hands it on.
fn meant_for(permit: &Permit, facts: &TargetFacts) -> Result<(), Fault> {
    if permit.target() == &facts.id {
        Ok(())
    } else {
        Err(Fault::new(Code::Internal, "the permit is for another target"))
    }
}

/// The Keystone domain of a permit's person: the first one of their tenant.
fn home_domain<'a>(tenants: &'a BTreeMap<TenantId, Tenant>, permit: &Permit) -> Result<&'a str, Fault> {
    let tenant = permit.identity().tenant();
    let home = tenants.get(tenant).and_then(|tenant| tenant.domains.first());
    home.map(String::as_str).ok_or_else(|| {
        Fault::new(
            Code::TargetRefused,
            format!("tenant '{tenant}' has no Keystone domain in the configuration"),
        )
    })
}

/// Why a target cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("target '{id}': {problem}")]
pub struct OpenFault {
    /// The target.
    pub id: TargetId,
    /// What is wrong, in the operator's words.
    pub problem: String,
}

/// Opens a target. No far side is called: a gateway starts while its targets are down.
pub fn open(declared: Declared, wiring: &Wiring) -> Result<Arc<dyn Target>, OpenFault> {
    let id = declared.id().clone();
    if let Some(problem) = declared.problems().into_iter().next() {
        return Err(OpenFault { id, problem });
    }
    match declared {
        Declared::Kubernetes(config) => Ok(Arc::new(kubernetes::Kubernetes::new(config, wiring))),
        Declared::Keystone(config) => keystone::Keystone::new(*config, wiring)
            .map(|target| Arc::new(target) as Arc<dyn Target>)
            .map_err(|problem| OpenFault { id, problem }),
        Declared::KeystoneClaims(config) => keystone::claims::Claims::new(config, wiring)
            .map(|target| Arc::new(target) as Arc<dyn Target>)
            .map_err(|problem| OpenFault { id, problem }),
        Declared::OpenstackService(config) => {
            Ok(Arc::new(openstack_service::OpenstackService::new(config, wiring)))
        }
    }
}
