//! The doors of one gateway, and the layers that every request passes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::DefaultBodyLimit, middleware, response::Response};

use crate::{
    broker::Caller,
    config::Config,
    domain::fault::{Code, Fault},
    http::{browser, clusters, fault, keystone, oidc, operations::Operations, page::Pages},
    outbound::{self, Outbound},
    port::{signer::Signer, target::BearerToKeystone},
    store, target,
};

use super::{
    build::{Parts, StartFault},
    request::{Outermost, outermost},
};

/// Largest body of our own forms and documents, in bytes. The Keystone front streams and has no such limit.
const LARGEST_BODY: usize = 64 * 1024;

/// All routes with all layers.
pub(super) fn router(config: &Config, parts: Parts, opened: &store::Opened) -> Result<Router, StartFault> {
    let pages = Arc::new(Pages::load(&config.name).map_err(|fault| StartFault(fault.to_string()))?);
    let mut router = Router::new()
        .merge(browser_front(&parts, Arc::clone(&pages)))
        .merge(oidc_front(&parts, pages))
        .merge(clusters_front(config, &parts)?)
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    for declared in &config.targets {
        if let Some(keystone) = declared.as_keystone() {
            router = router.merge(keystone_front(keystone, &parts)?);
        }
    }
    let metrics = Arc::clone(&parts.metrics);
    let operations = Operations {
        directory: Arc::clone(&parts.directory),
        stores: opened.reachable.clone().into(),
        policy: Arc::clone(&parts.policy),
        metrics: Arc::new(move || metrics.render()),
    };
    let layer = Outermost {
        entropy: Arc::clone(&parts.entropy),
        trusted_proxies: parts.proxies,
    };
    Ok(router
        .merge(operations.routes())
        .fallback(nothing_here)
        .layer(middleware::from_fn_with_state(layer, outermost)))
}

async fn nothing_here(Extension(caller): Extension<Caller>) -> Response {
    fault::plain(&Fault::new(Code::NotFound, "no such path"), &caller.reference)
}

fn browser_front(parts: &Parts, pages: Arc<Pages>) -> Router {
    browser::Front {
        pages,
        logins: Arc::clone(&parts.logins),
        desk: Arc::clone(&parts.desk),
        overview: Arc::clone(&parts.overview),
        devices: Arc::clone(&parts.devices),
        policy: Arc::clone(&parts.policy),
        sealer: Arc::clone(&parts.sealer),
        clock: Arc::clone(&parts.clock),
        entropy: Arc::clone(&parts.entropy),
    }
    .routes()
}

fn oidc_front(parts: &Parts, pages: Arc<Pages>) -> Router {
    oidc::OidcFrontend {
        directory: Arc::clone(&parts.directory),
        clients: Arc::clone(&parts.clients),
        tokens: Arc::clone(&parts.tokens),
        bearer: Arc::clone(&parts.bearer),
        devices: Arc::clone(&parts.devices),
        desk: Arc::clone(&parts.desk),
        logins: Arc::clone(&parts.logins),
        logouts: Arc::clone(&parts.logouts),
        signer: Arc::clone(&parts.ring) as Arc<dyn Signer>,
        sealer: Arc::clone(&parts.sealer),
        clock: Arc::clone(&parts.clock),
        pages,
    }
    .routes()
}

fn clusters_front(config: &Config, parts: &Parts) -> Result<Router, StartFault> {
    let mut known = BTreeMap::new();
    for declared in &config.targets {
        let target::Declared::Kubernetes(cluster) = declared else {
            continue;
        };
        let certificate_authority = match &cluster.ca {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                StartFault(format!(
                    "targets: '{}': ca: {}: {error}",
                    cluster.id,
                    path.display()
                ))
            })?),
            None => None,
        };
        let facts = clusters::ClusterFacts {
            server: cluster.server.to_string(),
            certificate_authority,
        };
        known.insert(cluster.id.clone(), facts);
    }
    Ok(clusters::Clusters {
        bearer: Arc::clone(&parts.bearer),
        overview: Arc::clone(&parts.overview),
        clusters: Arc::new(known),
    }
    .routes())
}

fn keystone_front(config: &target::keystone::Config, parts: &Parts) -> Result<Router, StartFault> {
    let outbound = outbound::Config {
        ca: config.ca.clone(),
        addresses: outbound::Addresses::Loopback,
        ..outbound::Config::default()
    };
    let client = Outbound::streaming(&outbound).map_err(|fault| StartFault(fault.to_string()))?;
    let settings = keystone::Settings {
        target: config.id.clone(),
        url: config.url.clone(),
        auth_path: config.auth_path(),
        header_prefix: config.header_prefix.clone(),
        timeout: Duration::from_secs(config.timeout_s),
        realm: parts.directory.issuer().to_owned(),
    };
    let exchange = Arc::clone(&parts.bearer) as Arc<dyn BearerToKeystone>;
    Ok(keystone::router(Arc::new(keystone::Front::new(
        settings,
        client,
        exchange,
        Arc::clone(&parts.entropy),
    ))))
}
