//! For those who run it: liveness, readiness with reasons, metrics.

use std::sync::Arc;

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use serde::Serialize;

use crate::{
    broker::directory::Directory,
    port::{policy::Policy, records::Reachable, upstream::Health},
};

/// What operators may ask without a token.
#[derive(Clone)]
pub struct Operations {
    /// What is configured.
    pub directory: Arc<Directory>,
    /// The stores, by name.
    pub stores: Arc<[(&'static str, Arc<dyn Reachable>)]>,
    /// The policy that decides now.
    pub policy: Arc<dyn Policy>,
    /// Renders the metrics (Prometheus text format 0.0.4).
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for Operations {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Operations")
    }
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    policy: String,
    /// Why it is not ready. A store that is down stops everything.
    reasons: Vec<String>,
    /// What is impaired although the rest serves: a broken upstream disables only itself.
    degraded: Vec<String>,
}

impl Operations {
    /// The routes.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn readyz(State(operations): State<Operations>) -> impl IntoResponse {
    let mut reasons = Vec::new();
    for (name, store) in operations.stores.iter() {
        if let Err(fault) = store.ping().await {
            tracing::warn!(store = name, %fault, "not ready");
            reasons.push(format!("the store '{name}' does not answer"));
        }
    }
    let mut degraded = Vec::new();
    for source in operations.directory.sources() {
        match source.upstream.health() {
            Health::Ready => {}
            Health::Impaired { reason } | Health::Down { reason } => {
                degraded.push(format!("upstream '{}': {reason}", source.upstream.id()));
            }
        }
    }
    for target in operations.directory.targets() {
        if let Some(Err(reason)) = target.health().await {
            degraded.push(format!("target '{}': {reason}", target.facts().id));
        }
    }
    let ready = reasons.is_empty();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Readiness {
            ready,
            policy: operations.policy.revision(),
            reasons,
            degraded,
        }),
    )
}

async fn metrics(State(operations): State<Operations>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        (operations.metrics)(),
    )
}
