//! From a configuration to a gateway that can serve: opens the adapters, wires the use-cases.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum_server::tls_rustls::RustlsConfig;

use crate::{
    config::Config,
    keys::{SecretSealer, SystemEntropy},
    port::{clock::Clock, secrets::Secrets, signer::Sealer},
    store,
    telemetry::Metrics,
};

use super::{
    clock::SystemClock,
    fronts,
    jobs::{Jobs, Upkeep},
    opa,
    policies::{Hangups, Policies},
    provision,
    reload::{Doors, Reload},
    rings, serve,
    world::World,
};

/// Why a gateway does not start: what was found, what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartFault(pub String);

impl StartFault {
    /// What another room says of it.
    pub(super) fn of(fault: impl std::fmt::Display) -> Self {
        Self(fault.to_string())
    }
}

/// A gateway that is ready to serve.
pub struct App {
    pub(super) address: SocketAddr,
    pub(super) issuer: String,
    pub(super) tls: Option<RustlsConfig>,
    /// The doors of the policy engine, if it has any.
    pub(super) rest: Option<opa::Gateway>,
    pub(super) doors: Doors,
    opened: Arc<store::Opened>,
    policies: Policies,
    reload: Option<Reload>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("App")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl App {
    /// On SIGHUP reads the file again and takes it into use, whole or not at all.
    pub fn reread_on_hangup(&mut self, path: PathBuf, hangups: Hangups) {
        if let Some(reload) = self.reload.take() {
            reload.on_hangup(path, hangups);
        }
    }

    /// Writes what is pending and closes the stores.
    pub(super) async fn close(self) {
        self.policies.close().await;
        self.opened.close().await;
    }
}

/// Opens everything that `config` names. Far sides that are down do not stop it.
pub async fn build(config: Config, secrets: &dyn Secrets, metrics: Metrics) -> Result<App, StartFault> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sealer = sealer(&config, secrets)?;
    let opened = store::open(&config.store, secrets, Arc::clone(&clock))
        .await
        .map_err(StartFault::of)?;
    let opened = Arc::new(opened);
    let keys = Arc::clone(&opened.keys);
    let ring = rings::open(&config, keys, Arc::clone(&sealer), Arc::clone(&clock));
    let ring = Arc::new(ring.await.map_err(StartFault::of)?);
    let policies = Policies::open(&config, secrets, (&opened, &clock))?;
    let rest = opa::Gateway::open(&config.policy, secrets, &policies)?;
    let tls = config.listen.tls.as_ref();
    let tls = tls.map(|tls| serve::tls(tls, secrets)).transpose()?;
    let keeper = provision::keeper(&config, secrets, (&opened, &policies, &clock))?;
    let world = World {
        clock,
        entropy: Arc::new(SystemEntropy),
        sealer,
        ring,
        policies: policies.clone(),
        keeper,
        metrics: Arc::new(metrics),
        rest_meter: rest.as_ref().map(|rest| Arc::clone(&rest.meter)),
    };
    let parts = world.parts((&config, None), secrets, &opened)?;
    let directory = Arc::clone(&parts.directory);
    let upkeep = Upkeep::new(world.departed(&parts, &opened));
    Jobs {
        ring: Arc::clone(&parts.ring),
        sessions: Arc::clone(&opened.sessions),
        tickets: Arc::clone(&opened.tickets),
        upkeep: Arc::clone(&upkeep),
        metrics: Arc::clone(&parts.metrics),
        clock: Arc::clone(&parts.clock),
    }
    .start();
    world.keeper.start();
    let doors = Doors::new(fronts::router(&config, parts, &opened)?);
    Ok(App {
        address: config.listen.address,
        issuer: config.issuer.clone(),
        tls,
        rest,
        doors: doors.clone(),
        opened: Arc::clone(&opened),
        policies,
        reload: Some(Reload {
            world,
            opened,
            doors,
            upkeep,
            directory,
            held: config,
        }),
    })
}

fn sealer(config: &Config, secrets: &dyn Secrets) -> Result<Arc<dyn Sealer>, StartFault> {
    let wrong = |fault: &dyn std::fmt::Display| StartFault(format!("secret_key: {fault}"));
    let secret = secrets.read(&config.secret_key).map_err(|fault| wrong(&fault))?;
    Ok(Arc::new(
        SecretSealer::new(&secret).map_err(|fault| wrong(&fault))?,
    ))
}
