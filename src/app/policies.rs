//! The policies of a gateway: the engine, what operators do with it, and the log of its decisions.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    config::Config,
    policy::{
        self, Basis, LivePolicy, PolicyEngine, Recorded,
        log::{self, DecisionLog},
    },
    port::{clock::Clock, decisions::Decisions, policy::Policy, secrets::Secrets},
    rego::Store,
    store,
};

use super::build::StartFault;

/// The SIGHUPs of this process, from the moment it asks for them. One that comes while the gateway is being built waits
/// for it, where it would otherwise end the process.
#[derive(Debug)]
pub struct Hangups(Option<Signal>);

impl Hangups {
    /// Asks for them, inside a runtime.
    #[must_use]
    pub fn listen() -> Self {
        Self(signal(SignalKind::hangup()).ok())
    }

    /// None if the system gives none.
    pub(super) fn signal(self) -> Option<Signal> {
        self.0
    }
}

/// What decides, and what is written down of it.
#[derive(Clone)]
pub(super) struct Policies {
    /// The engine, for who shows its policies to others.
    pub engine: Arc<PolicyEngine>,
    /// The engine itself, for who only looks.
    pub quiet: Arc<dyn Policy>,
    /// The engine with its decisions written down.
    pub recorded: Arc<dyn Policy>,
    /// In an operator's hands.
    pub live: Arc<LivePolicy>,
    /// The decision log.
    pub log: Arc<DecisionLog>,
    /// What callers manage over REST, once there are such doors: its mask and drop rules hold for the log, too.
    pub managed: Arc<OnceLock<Arc<Store>>>,
}

impl Policies {
    pub(super) fn open(
        config: &Config,
        secrets: &dyn Secrets,
        (opened, clock): (&store::Opened, &Arc<dyn Clock>),
    ) -> Result<Self, StartFault> {
        let wrong = |why: String| StartFault(format!("policy: {why}"));
        let engine = PolicyEngine::load(&config.policy, &config.access, &config.tenants);
        let engine = Arc::new(engine.map_err(StartFault::of)?);
        let basis = basis(config);
        let live = Arc::new(LivePolicy::open(Arc::clone(&engine), basis, secrets).map_err(wrong)?);
        let mut labels: BTreeMap<String, String> = config.policy.labels.clone();
        labels
            .entry("id".to_owned())
            .or_insert_with(|| config.issuer.clone());
        labels.insert("version".to_owned(), log::version().to_owned());
        let (rules, own) = (Arc::clone(&engine), Arc::clone(&engine));
        let managed: Arc<OnceLock<Arc<Store>>> = Arc::default();
        let late = Arc::clone(&managed);
        let wiring = log::Wiring {
            services: &config.policy.services,
            secrets,
            records: Some(Arc::clone(&opened.decisions)),
            rules: vec![
                Arc::new(move || rules.rego()),
                Arc::new(move || late.get().map_or_else(|| own.rego(), |store| store.snapshot())),
            ],
            labels,
            clock: Arc::clone(clock),
            also: Some(live.listener()),
        };
        let log = Arc::new(DecisionLog::start(&config.policy.decision_logs, wiring).map_err(wrong)?);
        let quiet: Arc<dyn Policy> = Arc::clone(&engine) as Arc<dyn Policy>;
        let listens: Arc<dyn Decisions> = Arc::clone(&log) as Arc<dyn Decisions>;
        Ok(Self {
            engine,
            recorded: Arc::new(Recorded::new(Arc::clone(&quiet), listens, Arc::clone(clock))),
            quiet,
            live,
            log,
            managed,
        })
    }

    /// Writes and sends what waits.
    pub(super) async fn close(&self) {
        self.log.close().await;
    }
}

pub(super) fn basis(config: &Config) -> Basis {
    Basis {
        config: config.policy.clone(),
        rules: config.access.clone(),
        tenants: config.tenants.clone(),
    }
}

/// What decides at a gateway of this configuration: its policies, or those that were applied since. For programs
/// beside it that look and change nothing.
pub fn in_force(config: &Config, secrets: &dyn Secrets) -> Result<PolicyEngine, StartFault> {
    let wrong = |why: String| StartFault(format!("policy: {why}"));
    let (rules, tenants) = (&config.access, &config.tenants);
    let engine =
        PolicyEngine::load(&config.policy, rules, tenants).map_err(|fault| wrong(fault.to_string()))?;
    if let Some(candidate) = policy::applied(&config.policy, secrets).map_err(wrong)? {
        let adopted = engine.adopt(&config.policy, rules, tenants, Some(&candidate));
        adopted.map_err(|fault| wrong(fault.to_string()))?;
    }
    Ok(engine)
}
