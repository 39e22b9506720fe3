//! The configuration read again while the gateway runs (SIGHUP): a new customer, upstream or client needs no restart.
//!
//! A whole gateway is made of what was read, beside the one that runs, and takes its place; requests under way end with
//! the one that they began with. Stores, keys and listeners are opened once and shared, so that sign-ins under way,
//! sessions and tokens go on. If anything is wrong, nothing changes.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use axum::{
    BoxError, Router,
    body::{Bytes, HttpBody},
    response::Response,
    routing::future::RouteFuture,
};
use http::Request;
use tower::Service;

use crate::{
    broker::directory::Directory,
    config::{Config, Problem, secret::SecretSources},
    domain::ids::TenantId,
    store,
    target::Declared,
};

use super::{
    build::StartFault,
    fronts,
    jobs::Upkeep,
    policies::{Hangups, basis},
    provision,
    world::{Before, World},
};

/// The doors that are open now: each request goes to those that are open when it comes.
#[derive(Debug, Clone)]
pub(super) struct Doors(Arc<ArcSwap<Router>>);

impl Doors {
    pub(super) fn new(router: Router) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(router)))
    }
}

impl<B> Service<Request<B>> for Doors
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Router::clone(&self.0.load()).call(request)
    }
}

/// What is needed to make the next gateway.
pub(super) struct Reload {
    pub world: World,
    pub opened: Arc<store::Opened>,
    pub doors: Doors,
    pub upkeep: Arc<Upkeep>,
    /// What runs now, and what it was made of.
    pub directory: Arc<Directory>,
    pub held: Config,
}

impl Reload {
    /// Reads the configuration again at each SIGHUP. Ends with the runtime.
    pub(super) fn on_hangup(mut self, path: PathBuf, hangups: Hangups) {
        let Some(mut hangup) = hangups.signal() else {
            tracing::error!("no handler for SIGHUP could be set; the configuration changes at a restart");
            return;
        };
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                match self.take(&path).await {
                    Ok((revision, waiting)) if waiting.is_empty() => {
                        tracing::info!(revision, "the configuration was read again and is in use");
                    }
                    Ok((revision, waiting)) => tracing::warn!(
                        revision,
                        waiting = waiting.join(", "),
                        "the configuration was read again and is in use, but for what waits for a restart"
                    ),
                    Err(problems) => tracing::error!(
                        %problems,
                        "the configuration was not taken, nothing of it; the gateway runs on as before"
                    ),
                }
            }
        });
    }

    /// Takes it whole or not at all; gives the revision of the policies, and which keys wait for a restart.
    async fn take(&mut self, path: &Path) -> Result<(String, Vec<&'static str>), StartFault> {
        let file = path.to_owned();
        let loaded = tokio::task::spawn_blocking(move || Config::load(&file)).await;
        let read = loaded.map_err(StartFault::of)?.map_err(problems)?;
        let waiting = opened_once(&self.held, &read);
        let config = read.with_held(&self.held, &waiting).map_err(problems)?;
        if provision::provisions(&self.held) {
            gone_in_steps(&self.held, &config)?;
        }
        let before = Before {
            config: &self.held,
            directory: &self.directory,
        };
        let secrets = SecretSources::default();
        let keeper = &self.world.keeper;
        let ready = keeper.prepare(&config, &secrets).await?;
        let parts = self
            .world
            .parts((&config, Some(before)), &secrets, &self.opened)?;
        let directory = Arc::clone(&parts.directory);
        let departed = self.world.departed(&parts, &self.opened);
        let router = fronts::router(&config, parts, &self.opened)?;
        // The last step that can fail, and it changes nothing then.
        let live = &self.world.policies.live;
        let revision = live.reread(basis(&config)).await;
        let revision = revision.map_err(StartFault::of)?;
        self.doors.0.store(Arc::new(router));
        // What nobody configured holds any more ends in the background.
        self.upkeep.take(departed);
        // After the policies: people must not be compared by rules that were refused.
        keeper.take(ready);
        (self.held, self.directory) = (config, directory);
        Ok((revision, waiting))
    }
}

fn problems(found: Vec<Problem>) -> StartFault {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    StartFault(lines.join("\n"))
}

/// A tenant goes after its upstreams: what nobody wants for them any more is taken from its people in Keystone by passes
/// that still know the tenant. Without it they would keep all of it.
fn gone_in_steps(held: &Config, next: &Config) -> Result<(), StartFault> {
    let stays = |id: &TenantId| next.tenants.iter().any(|tenant| tenant.id == *id);
    let left = held.upstreams.iter().find(|upstream| !stays(upstream.tenant()));
    left.map_or(Ok(()), |upstream| {
        Err(StartFault(format!(
            "tenants: found no '{tenant}', whose upstream '{}' runs; expected the tenant as long as its people may hold \
             something in Keystone. Take its upstreams and access rules away first, and the tenant when \
             `fedgate keystone status` says in step",
            upstream.id(),
            tenant = upstream.tenant()
        )))
    })
}

/// Whether the open targets are those that were read, but for who is prepared there and by which account.
fn same_targets(held: &[Declared], read: &[Declared]) -> bool {
    let bare = |targets: &[Declared]| {
        let mut targets = targets.to_vec();
        for target in &mut targets {
            if let Declared::Keystone(keystone) = target {
                keystone.provision = None;
            }
        }
        targets
    };
    bare(held) == bare(read)
}

/// What a gateway opens once and was read otherwise: it waits for a restart.
fn opened_once(held: &Config, read: &Config) -> Vec<&'static str> {
    let (old, new) = (&held.policy, &read.policy);
    let waiting = [
        ("issuer", held.issuer != read.issuer),
        ("listen", held.listen != read.listen),
        ("secret_key", held.secret_key != read.secret_key),
        ("store", held.store != read.store),
        ("keys", held.keys != read.keys),
        ("log", held.log != read.log),
        // Keystones have streams of their own, and issuers beside ours have keys.
        ("targets", !same_targets(&held.targets, &read.targets)),
        ("policy.services", old.services != new.services),
        ("policy.bundles", old.bundles != new.bundles),
        ("policy.keys", old.keys != new.keys),
        ("policy.decision_logs", old.decision_logs != new.decision_logs),
        ("policy.labels", old.labels != new.labels),
        (
            "policy.persistence_directory",
            old.persistence_directory != new.persistence_directory,
        ),
        ("policy.rest", old.rest != new.rest),
    ];
    let changed = waiting.iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| *key).collect()
}
