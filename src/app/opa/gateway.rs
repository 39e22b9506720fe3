//! A gateway's own doors of the engine: where services ask, and where policies are managed.
//!
//! What decides about federation stands in the store too, as a bundle that the configuration owns: it can be
//! asked, and not written. The gateway itself keeps deciding by its own snapshot: nothing that is put here can
//! change or slow a sign-in.

use std::{net::SocketAddr, sync::Arc, thread, time::Duration};

use axum_server::Handle;

use crate::{
    http::opa::{Authorization, Callers, Known, Limits, Management, Meter, Pdp},
    policy::{
        Config, PolicyEngine,
        bundles::{BundleKeeper, Wiring, into_store},
        rest::{ManagementListener, Rest},
    },
    port::{bundles::Bundles, decisions::Decisions, policy::Policy as _, secrets::Secrets},
    rego::{
        Module, Store, Value, Version,
        bundle::{Bundle, Manifest},
    },
};

use super::{
    super::{build::StartFault, clock::SystemClock, policies::Policies},
    desk,
    files::Sources,
    listen::Listener,
    open,
};

/// The bundle of what the configuration owns, and that of the rules for callers.
const OWN: &str = "configuration";
const CALLERS: &str = "callers";
/// How soon a change of the gateway's own policies can be asked.
const REFRESH: Duration = Duration::from_secs(1);

/// Who may do what at the management door, unless the operator's files say it.
const AUTHZ: &str = include_str!("authz.rego");

/// Doors that are bound and not served yet.
pub(crate) struct Gateway {
    listeners: Vec<Listener>,
    store: Arc<Store>,
    policy: Arc<PolicyEngine>,
    /// What is counted there.
    pub(crate) meter: Arc<Meter>,
}

impl Gateway {
    /// Loads and binds what is configured; none if nothing is.
    pub(crate) fn open(
        config: &Config,
        secrets: &dyn Secrets,
        policies: &Policies,
    ) -> Result<Option<Self>, StartFault> {
        let rest = &config.rest;
        if rest.decisions.is_none() && rest.management.is_none() {
            return Ok(None);
        }
        let store = Arc::new(open()?);
        activate(&store, OWN, own(&policies.engine))?;
        let sources = Sources {
            files: rest.folder.iter().cloned().collect(),
            ..Sources::default()
        };
        sources.load(&store)?;
        // The first and only one: a gateway opens its doors once.
        let _set = policies.managed.set(Arc::clone(&store));
        let limits = Limits {
            largest_body: rest.largest_body,
            largest_unpacked: rest.largest_body.saturating_mul(4),
            evaluation: Duration::from_millis(rest.evaluation_ms),
            ..Limits::default()
        };
        let mut desk = desk(Arc::clone(&store), Version::V1, limits);
        desk.decisions = Arc::clone(&policies.log) as Arc<dyn Decisions>;
        desk.bundles = bundles(config, secrets, &store)?;
        let desk = Arc::new(desk);
        let mut listeners = Vec::new();
        if let Some(door) = &rest.decisions {
            let routes = Pdp {
                desk: Arc::clone(&desk),
            }
            .routes();
            let place = (door.address, door.tls.as_ref(), secrets);
            listeners.push(Listener::bind("policy.rest.decisions", place, routes)?);
        }
        if let Some(door) = &rest.management {
            if !store.snapshot().has_rules(&["system", "authz", "allow"]) {
                activate(&store, CALLERS, callers(rest))?;
            }
            let routes = Management {
                desk: Arc::clone(&desk),
                callers: Callers::Known(known(door, secrets)?),
                authorization: Authorization::Policy,
            }
            .routes();
            let place = (door.address, door.tls.as_ref(), secrets);
            listeners.push(Listener::bind("policy.rest.management", place, routes)?);
        }
        Ok(Some(Self {
            listeners,
            store,
            policy: Arc::clone(&policies.engine),
            meter: Arc::clone(&desk.meter),
        }))
    }

    /// Serves on threads of their own until the handle says stop.
    pub(crate) fn serve(self, handle: Handle<SocketAddr>) -> Result<(), StartFault> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("policy-rest")
            .enable_all()
            .build()
            .map_err(|error| StartFault(format!("policy.rest: no threads: {error}")))?;
        for listener in &self.listeners {
            let address = listener.address()?;
            tracing::info!(%address, "policy decisions are answered");
        }
        let work = async move {
            let refresh = tokio::spawn(follow(self.store, self.policy));
            let mut doors = tokio::task::JoinSet::new();
            for listener in self.listeners {
                doors.spawn(listener.serve(handle.clone()));
            }
            while let Some(ended) = doors.join_next().await {
                if let Ok(Err(fault)) = ended {
                    tracing::error!(%fault, "a door of the policy engine closed");
                }
            }
            refresh.abort();
        };
        thread::Builder::new()
            .name("policy-rest".into())
            .spawn(move || runtime.block_on(work))
            .map(drop)
            .map_err(|error| StartFault(format!("policy.rest: no thread: {error}")))
    }
}

/// Takes the gateway's own policies over whenever they have changed.
async fn follow(store: Arc<Store>, policy: Arc<PolicyEngine>) {
    let mut ticks = tokio::time::interval(REFRESH);
    loop {
        ticks.tick().await;
        let snapshot = store.snapshot();
        if snapshot.bundles().get(OWN) == Some(&policy.revision()) {
            continue;
        }
        let (store, policy) = (Arc::clone(&store), Arc::clone(&policy));
        let taken = tokio::task::spawn_blocking(move || activate(&store, OWN, own(&policy))).await;
        if let Ok(Err(fault)) = taken {
            tracing::error!(%fault, "policy.rest does not show the gateway's new policies; what was there is still asked");
        }
    }
}

fn activate(store: &Store, name: &str, bundle: Bundle) -> Result<(), StartFault> {
    store
        .change(|draft| draft.activate(name, bundle))
        .map_err(|fault| StartFault(format!("policy.rest: {fault}")))
}

/// Configured bundles, taken into use as they come; none if none is configured.
fn bundles(
    config: &Config,
    secrets: &dyn Secrets,
    store: &Arc<Store>,
) -> Result<Option<Arc<dyn Bundles>>, StartFault> {
    if config.bundles.is_empty() {
        return Ok(None);
    }
    let wiring = Wiring {
        secrets,
        activate: into_store(Arc::clone(store)),
        clock: Arc::new(SystemClock),
    };
    let keeper = BundleKeeper::start(config, &wiring).map_err(StartFault)?;
    Ok(Some(Arc::new(keeper)))
}

/// The callers with their tokens.
fn known(door: &ManagementListener, secrets: &dyn Secrets) -> Result<Known, StartFault> {
    let mut known = Known::default();
    for caller in &door.callers {
        let name = &caller.name;
        let token = caller.token.as_ref().map(|token| secrets.read(token));
        let token = token.transpose().map_err(|missing| {
            StartFault(format!("policy.rest.management.callers.{name}.token: {missing}"))
        })?;
        known.add(name, token.as_ref());
    }
    Ok(known)
}

/// What decides about federation now. It owns its packages and the compiled rules, `data.fed`.
fn own(policy: &PolicyEngine) -> Bundle {
    let (revision, snapshot) = (policy.revision(), policy.rego());
    let modules = snapshot.modules().iter().map(|module| Module::clone(module));
    let data = snapshot.data().clone();
    let mut roots = vec!["federation".to_owned(), "fed".to_owned()];
    let packages = snapshot.packages().into_iter().map(|(path, _)| path.join("/"));
    let documents = data.as_object().ok().into_iter().flat_map(|data| data.iter());
    let documents = documents.filter_map(|(key, _)| Some(key.as_string().ok()?.to_string()));
    for root in packages.chain(documents) {
        let inside = |known: &String| root == *known || root.starts_with(&format!("{known}/"));
        if !roots.iter().any(inside) {
            roots.push(root);
        }
    }
    Bundle {
        manifest: Manifest {
            revision,
            roots,
            ..Manifest::default()
        },
        modules: modules.collect(),
        data: data.clone(),
    }
}

/// The rules for callers with what the configuration says of each.
fn callers(rest: &Rest) -> Bundle {
    let mut by_name = serde_json::Map::new();
    for caller in rest.management.iter().flat_map(|door| &door.callers) {
        by_name.insert(caller.name.clone(), serde_json::json!(caller.may));
    }
    let data = serde_json::json!({"system": {"callers": by_name}}).to_string();
    Bundle {
        manifest: Manifest {
            revision: "configuration".into(),
            roots: vec!["system/authz".into(), "system/callers".into()],
            ..Manifest::default()
        },
        modules: vec![Module {
            id: "authz.rego".into(),
            text: AUTHZ.to_owned(),
            version: Version::V1,
        }],
        data: Value::from_json_str(&data).unwrap_or_else(|_| Value::new_object()),
    }
}
