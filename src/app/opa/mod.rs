//! The doors of the Rego engine: those of a gateway, and an engine that runs alone (`fedgate policy serve`).
//!
//! They have threads of their own: a policy that takes long delays other decisions, never a sign-in.

mod files;
mod gateway;
mod listen;
mod subject;
pub mod walk;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum_server::Handle;
use tokio::sync::Semaphore;

pub use files::{Signatures, Sources};
pub(super) use gateway::Gateway;

use crate::{
    domain::secret::SecretRef,
    http::opa::{Authorization, Callers, Desk, Limits, Management, Meter, Pdp},
    keys::SystemEntropy,
    policy::rest::Tls,
    port::{
        decisions::{Decision, Decisions},
        secrets::Secrets,
    },
    rego::{Options, Store, Version},
};

use super::{build::StartFault, clock::SystemClock};
use listen::Listener;

/// Turns at a time: requests that hold a body. Evaluations themselves are as many as there are threads.
const TURNS: usize = 256;

/// An engine that runs alone.
#[derive(Debug)]
pub struct Alone {
    /// Where OPA's whole interface listens.
    pub address: SocketAddr,
    /// Where decisions alone are answered, if anywhere.
    pub decisions: Option<SocketAddr>,
    /// Certificate and key, and the authority of client certificates.
    pub tls: Option<(PathBuf, PathBuf, Option<PathBuf>)>,
    /// Whether callers show tokens.
    pub token: bool,
    /// Whether `system.authz` is asked.
    pub authorization: bool,
    /// Files, folders and bundles.
    pub sources: Sources,
}

/// Where an engine listens.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// OPA's whole interface.
    pub address: SocketAddr,
    /// Decisions alone.
    pub decisions: Option<SocketAddr>,
}

/// No log of decisions is configured.
struct Silent;

impl Decisions for Silent {
    fn record(&self, _decision: Decision) {}
    fn listens(&self) -> bool {
        false
    }
}

impl Alone {
    /// Loads, listens, tells where, and serves until SIGTERM or SIGINT.
    pub async fn serve(self, secrets: &dyn Secrets, tell: impl FnOnce(Bound)) -> Result<(), StartFault> {
        if !self.authorization && !self.address.ip().is_loopback() {
            return Err(StartFault(format!(
                "--no-authorization: {} can be reached from other machines, and anybody there could change the policies; listen on 127.0.0.1, or give a policy data.system.authz.allow",
                self.address
            )));
        }
        let store = Arc::new(open()?);
        self.sources.load(&store)?;
        let desk = Arc::new(desk(store, self.sources.version, Limits::default()));
        let tls = self.tls.map(|(certificate, key, client_ca)| Tls {
            certificate,
            key: SecretRef::File(key),
            client_ca,
        });
        let management = Management {
            desk: Arc::clone(&desk),
            callers: if self.token {
                Callers::AnyToken
            } else {
                Callers::Anonymous
            },
            authorization: if self.authorization {
                Authorization::Policy
            } else {
                Authorization::Off
            },
        };
        let main = Listener::bind(
            "--addr",
            (self.address, tls.as_ref(), secrets),
            management.routes(),
        )?;
        let decisions = self
            .decisions
            .map(|address| {
                let routes = Pdp { desk }.routes();
                Listener::bind("--decisions-addr", (address, tls.as_ref(), secrets), routes)
            })
            .transpose()?;
        tell(Bound {
            address: main.address()?,
            decisions: decisions.as_ref().map(Listener::address).transpose()?,
        });
        let handle = Handle::new();
        tokio::spawn(super::serve::stop_on_signal(handle.clone()));
        if let Some(decisions) = decisions {
            tokio::spawn(decisions.serve(handle.clone()));
        }
        main.serve(handle).await
    }
}

fn open() -> Result<Store, StartFault> {
    Store::open(Options::default())
        .map_err(|refused| StartFault(format!("the policy engine does not start: {refused}")))
}

fn desk(store: Arc<Store>, version: Version, limits: Limits) -> Desk {
    Desk {
        store,
        decisions: Arc::new(Silent),
        bundles: None,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        meter: Arc::new(Meter::default()),
        limits,
        turns: Semaphore::new(TURNS),
        about: about(),
        version,
    }
}

fn about() -> serde_json::Value {
    serde_json::json!({
        "labels": {"id": "fedgate", "version": env!("CARGO_PKG_VERSION")},
        "default_decision": "/system/main",
        "default_authorization_decision": "/system/authz/allow",
    })
}
