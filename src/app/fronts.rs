//! The doors of one gateway, and the layers that every request passes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, State},
    middleware,
    response::Response,
};
use http::{HeaderMap, Uri};

use crate::{
    broker::Caller,
    config::Config,
    domain::{
        client::GrantType,
        fault::{Code, Fault},
    },
    http::{
        admin, browser, clouds, clusters, fault, keystone, kubernetes, oidc,
        operations::Operations,
        page::{Frame, Pages},
    },
    port::{audit::Audit, clock::Clock, keyring::KeyCare, signer::Signer, target::BearerToKeystone},
    store, target,
    wire::cloud::Cloud,
};

use super::{
    build::StartFault,
    request::{Outermost, outermost},
    world::Parts,
};

/// Largest body of our own forms and documents, in bytes. The Keystone front streams and has no such limit.
const LARGEST_BODY: usize = 64 * 1024;

/// All routes with all layers.
pub(super) fn router(config: &Config, parts: Parts, opened: &store::Opened) -> Result<Router, StartFault> {
    let pages = Arc::new(Pages::load(&config.name).map_err(StartFault::of)?);
    let mut router = Router::new()
        .merge(browser_front(&parts, Arc::clone(&pages)))
        .merge(oidc_front(&parts, Arc::clone(&pages)))
        .merge(clouds_front(config, &parts))
        .merge(clusters_front(config, &parts)?)
        .merge(reviews_front(&parts))
        .layer(DefaultBodyLimit::max(LARGEST_BODY));
    for declared in &config.targets {
        if let Some(keystone) = declared.as_keystone() {
            router = router.merge(keystone_front(keystone, &parts, &pages)?);
        }
    }
    if let Some(hash) = parts.admin_token {
        router = router.merge(admin_front(hash, &parts, opened));
    }
    let (metrics, rest) = (Arc::clone(&parts.metrics), parts.rest_meter.clone());
    let operations = Operations {
        directory: Arc::clone(&parts.directory),
        stores: opened.reachable.clone().into(),
        policy: Arc::clone(&parts.policy),
        metrics: Arc::new(move || {
            let rest = rest.as_ref().map(|meter| meter.render());
            metrics.render() + &rest.unwrap_or_default()
        }),
    };
    let layer = Outermost {
        entropy: Arc::clone(&parts.entropy),
        clock: Arc::clone(&parts.clock),
        trusted_proxies: parts.proxies,
    };
    Ok(router
        .merge(operations.routes())
        .fallback_service(axum::routing::any(nothing_here).with_state(NothingHere {
            pages,
            clock: Arc::clone(&parts.clock),
        }))
        .layer(middleware::from_fn_with_state(layer, outermost)))
}

/// What the answer for an unknown path needs.
#[derive(Clone)]
struct NothingHere {
    pages: Arc<Pages>,
    clock: Arc<dyn Clock>,
}

/// A page for people, JSON for programs.
async fn nothing_here(
    State(here): State<NothingHere>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let missing = Fault::new(Code::NotFound, "no such path");
    let person = headers
        .get(http::header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if person {
        here.pages.fault(
            &Frame::of(&uri, &headers, &caller.reference, here.clock.now()),
            &missing,
        )
    } else {
        fault::plain(&missing, &caller.reference)
    }
}

fn admin_front(token_hash: [u8; 32], parts: &Parts, opened: &store::Opened) -> Router {
    admin::Admin {
        token_hash,
        keys: Arc::clone(&parts.ring) as Arc<dyn KeyCare>,
        directory: Arc::clone(&parts.directory),
        trail: Arc::clone(&opened.trail),
        audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
        policy: Arc::clone(&parts.policy),
        care: Some(Arc::clone(&parts.care)),
        clock: Arc::clone(&parts.clock),
    }
    .routes()
}

fn browser_front(parts: &Parts, pages: Arc<Pages>) -> Router {
    browser::Front {
        pages,
        logins: Arc::clone(&parts.logins),
        logouts: Arc::clone(&parts.logouts),
        rechecks: Arc::clone(&parts.tokens.rechecks),
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

fn reviews_front(parts: &Parts) -> Router {
    kubernetes::Reviews {
        policy: Arc::clone(&parts.policy),
        clock: Arc::clone(&parts.clock),
        clusters: Arc::new(parts.asking.clone()),
    }
    .routes()
}

fn clouds_front(config: &Config, parts: &Parts) -> Router {
    let issuer = parts.directory.issuer();
    let clouds = config.targets.iter().filter_map(|declared| {
        let keystone = declared.as_keystone()?;
        // The stock command line's client: public, by the device grant, with tokens for this cloud.
        let line = config.clients.iter().find(|client| {
            client.is_public()
                && client.grants.contains(&GrantType::DeviceCode)
                && client.audiences.first() == Some(&keystone.audience)
        });
        Some(Cloud {
            id: keystone.id.to_string(),
            name: keystone.name.clone(),
            audience: keystone.audience.clone(),
            auth_url: format!("{issuer}/v3"),
            identity_provider: keystone.identity_provider.clone(),
            protocol: keystone.protocol.clone(),
            client_id: line.map(|client| client.id.to_string()),
        })
    });
    clouds::CloudsFront {
        bearer: Arc::clone(&parts.bearer),
        overview: Arc::clone(&parts.overview),
        clouds: clouds.collect(),
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

fn keystone_front(
    config: &target::keystone::Config,
    parts: &Parts,
    pages: &Arc<Pages>,
) -> Result<Router, StartFault> {
    let client = config.client().map_err(StartFault::of)?;
    let issuer = parts.directory.issuer();
    let relay = target::keystone::transport::Transport::open(config, issuer, client, config.relayed)
        .map_err(|problem| StartFault(format!("targets: '{}': {problem}", config.id)))?;
    let settings = keystone::Settings {
        target: config.id.clone(),
        own_address: config.url.to_string(),
        auth_path: config.auth_path(),
        own_prefix: config.header_prefix().to_owned(),
        timeout: Duration::from_secs(config.timeout_s),
        realm: issuer.to_owned(),
    };
    let exchange = Arc::clone(&parts.bearer) as Arc<dyn BearerToKeystone>;
    let mut front = keystone::Front::new(settings, Arc::new(relay), exchange, Arc::clone(&parts.entropy));
    if !config.dashboards.is_empty() {
        front = front.with_websso(keystone::websso::WebSso {
            target: config.id.clone(),
            name: config.name.clone(),
            paths: [config.websso_path(), config.global_websso_path()],
            origins: config
                .dashboards
                .iter()
                .map(|dashboard| dashboard.origin.clone())
                .collect(),
            dashboards: Arc::clone(&parts.logouts.dashboards),
            logins: Arc::clone(&parts.logins),
            desk: Arc::clone(&parts.desk),
            pages: Arc::clone(pages),
            clock: Arc::clone(&parts.clock),
        });
    }
    if let Some(partners) = &parts.partners {
        front = front.with_partners(Arc::clone(partners));
    }
    Ok(keystone::router(Arc::new(front)))
}
