//! Keeps each Keystone as it should be: at the start, at each sign-in, when the configuration is read again, and three
//! times within the span in which somebody who was let go must have nothing left.
//!
//! What is to be done is not a queue of jobs but the difference between what should be and what is. So an outage
//! loses nothing: the state says since when and how far a target is behind, and the next pass finds what is left.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    config::{Config, secret::SecretSources},
    domain::{
        audit::{Event, Personal, What},
        ids::{Reference, TargetId},
        time::Timestamp,
    },
    keys::SystemEntropy,
    port::{
        audit::Audit,
        clock::Clock,
        entropy::Entropy as _,
        people::{Given, Known, People},
        policy::Policy,
        secrets::Secrets,
    },
    store,
    target::{
        Declared, keystone,
        keystone::provision::{Change, Found, Ledger, Outcome, Plan, Provisioner},
    },
};

use super::{super::build::StartFault, people, turn, wanted::View};

/// Shortest pause between two passes.
const LEAST_PAUSE: Duration = Duration::from_secs(2);

/// Seconds since a target is not as it should be; 0 while it is.
const BEHIND: &str = "fedgate_provision_behind_seconds";

/// How far a target is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it was last looked at.
    pub at: Timestamp,
    /// When it was last as it should be.
    #[serde(default)]
    pub in_step: Option<Timestamp>,
    /// Since when it is behind; none while it is not.
    #[serde(default)]
    pub behind_since: Option<Timestamp>,
    /// Changes that wait.
    #[serde(default)]
    pub waiting: usize,
    /// Why.
    #[serde(default)]
    pub why: Option<String>,
    /// Whether an operator must say yes: more people would lose their access than a pass may take it from.
    #[serde(default)]
    pub held: bool,
    /// What was changed by hand.
    #[serde(default)]
    pub drift: usize,
    /// What is wanted and cannot be done from here.
    #[serde(default)]
    pub blocked: usize,
}

/// What all passes need.
pub(in super::super) struct Tools {
    policy: Arc<dyn Policy>,
    pub(super) people: Arc<dyn People>,
    pub(super) given: Arc<dyn Given>,
    audit: Arc<dyn Audit>,
    pub(super) clock: Arc<dyn Clock>,
    /// This process, among replicas.
    pub(super) worker: String,
}

impl Tools {
    /// Of a new worker at these stores.
    pub(in super::super) fn new(
        opened: &store::Opened,
        policy: Arc<dyn Policy>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            policy,
            people: Arc::clone(&opened.people),
            given: Arc::clone(&opened.given),
            audit: Arc::clone(&opened.audit) as Arc<dyn Audit>,
            clock,
            worker: SystemEntropy.token(),
        }
    }
}

/// Keeps all Keystones of a gateway.
pub(in super::super) struct Keeper {
    ready: Mutex<Arc<Ready>>,
    tools: Tools,
    wake: Arc<Notify>,
}

/// A configuration, with everything opened that passes by it need.
pub(in super::super) struct Ready {
    config: Arc<Config>,
    provisioners: Vec<Arc<Provisioner>>,
}

impl Ready {
    /// Opens what is configured; signs in nowhere. Passwords are read here, and again when Keystone refuses one.
    fn open(config: &Config, secrets: &dyn Secrets, tools: &Tools) -> Result<Self, StartFault> {
        let mut provisioners = Vec::new();
        for keystone in keystones(config) {
            let opened = Provisioner::open(keystone, &config.issuer, secrets, Arc::clone(&tools.clock))
                .map_err(|fault| StartFault(format!("targets: '{}': {fault}", keystone.id)))?;
            let opened = opened.map(|by| Arc::new(by.rereading(Arc::new(SecretSources::default()))));
            provisioners.extend(opened);
        }
        Ok(Self {
            config: Arc::new(config.clone()),
            provisioners,
        })
    }
}

fn keystones(config: &Config) -> impl Iterator<Item = &keystone::Config> {
    config.targets.iter().filter_map(Declared::as_keystone)
}

/// Whether there is anything to do by a configuration: people are listed, or something is given to them.
pub(in super::super) fn needed(config: &Config) -> bool {
    config.people.is_some() || provisions(config)
}

/// Whether anybody is given anything at a target.
pub(in super::super) fn provisions(config: &Config) -> bool {
    keystones(config).any(|keystone| keystone.provision.is_some())
}

/// One target, looked at.
pub(super) struct Looked {
    pub(super) found: Found,
    pub(super) plan: Plan,
    ledger: Ledger,
}

impl Keeper {
    /// For a gateway as configured. Without anything to provision it only knows people; without a list of people
    /// either it waits for another configuration.
    pub(in super::super) fn open(
        config: &Config,
        secrets: &dyn Secrets,
        tools: Tools,
    ) -> Result<Self, StartFault> {
        let ready = Ready::open(config, secrets, &tools)?;
        Ok(Self {
            ready: Mutex::new(Arc::new(ready)),
            tools,
            wake: Arc::new(Notify::new()),
        })
    }

    /// Rung when somebody signed in.
    pub(in super::super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    fn ready(&self) -> Arc<Ready> {
        Arc::clone(&self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn provisioners(&self) -> Vec<Arc<Provisioner>> {
        self.ready().provisioners.clone()
    }

    pub(super) fn tools(&self) -> &Tools {
        &self.tools
    }

    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.ready().config)
    }

    /// Opens what a configuration that was read again needs, and looks whether people can be known by it; changes
    /// nothing.
    pub(in super::super) async fn prepare(
        &self,
        config: &Config,
        secrets: &dyn Secrets,
    ) -> Result<Ready, StartFault> {
        let ready = Ready::open(config, secrets, &self.tools)?;
        if needed(config) {
            let now = self.tools.clock.now();
            people::look(config, &*self.tools.people, now).await?;
        }
        Ok(ready)
    }

    /// Takes it into use, after the doors and the policies have. A pass that runs ends with what it began with.
    pub(in super::super) fn take(&self, ready: Ready) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(ready);
        self.wake.notify_one();
    }

    /// Runs passes until the runtime ends.
    pub(in super::super) fn start(self: &Arc<Self>) {
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let mut failures: u32 = 0;
            loop {
                let ready = keeper.ready();
                let within = ready.provisioners.iter().map(|one| one.settings().within_s);
                let every = Duration::from_secs(within.min().unwrap_or(900) / 3).max(LEAST_PAUSE);
                failures = if keeper.pass(&ready).await {
                    0
                } else {
                    failures.saturating_add(1)
                };
                // After a failure sooner than usual: an outage of seconds must not cost the whole span.
                let soon = LEAST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.min(10)));
                let pause = if failures == 0 { every } else { soon.min(every) };
                tokio::time::sleep(LEAST_PAUSE.min(pause)).await;
                let rest = pause.saturating_sub(LEAST_PAUSE);
                let _woken = tokio::time::timeout(rest, keeper.wake.notified()).await;
            }
        });
    }

    /// One pass over everything; whether all of it went well.
    async fn pass(&self, ready: &Ready) -> bool {
        let config = &*ready.config;
        if !needed(config) {
            return true;
        }
        // Whoever left the list or lost a group loses their sessions, whatever becomes of the targets.
        if let Err(fault) = self.people(config).await {
            tracing::error!(%fault, "people were not looked at: nothing is given or taken away meanwhile");
            return false;
        }
        let mut well = true;
        for by in &ready.provisioners {
            well &= self.target(config, by).await.unwrap_or_else(|fault| {
                tracing::error!(target = by.target(), %fault, "a target was left as it is for now");
                false
            });
        }
        well
    }

    /// Brings the records of people up to date.
    pub(super) async fn people(&self, config: &Config) -> Result<Vec<Known>, StartFault> {
        let (records, now) = (&*self.tools.people, self.tools.clock.now());
        let news = people::look(config, records, now).await?;
        for (key, count) in news.keep(records, now).await? {
            let reference = reference_of(&key);
            tracing::info!(%reference, sessions = count, "somebody was let go or lost a group: their sessions ended");
            let what = What::SignedOut {
                by: format!("let go ({count} sessions)"),
            };
            self.record((reference, Some(key)), now, what).await?;
        }
        Ok(news.people)
    }

    /// Puts an event on the trail.
    pub(super) async fn record(
        &self,
        (reference, subject): (Reference, Option<String>),
        at: Timestamp,
        what: What,
    ) -> Result<(), StartFault> {
        let event = Event {
            at,
            reference,
            address: None,
            subject: subject.map(Personal),
            tenant: None,
            what,
        };
        self.tools.audit.record(event).await.map_err(StartFault::of)
    }

    /// One target, unless another works on it; whether it is as it should be.
    async fn target(&self, config: &Config, by: &Provisioner) -> Result<bool, StartFault> {
        let work = async {
            // In the turn: whoever had it before may have let somebody go, who must not be given anything again.
            let known = self.people(config).await?;
            let state = self.worked(config, by, &known).await;
            let behind = state
                .behind_since
                .map_or(0, |since| since.until(state.at).as_secs());
            metrics::gauge!(BEHIND, "target" => by.target().to_owned())
                .set(u32::try_from(behind).map_or(f64::from(u32::MAX), f64::from));
            if let Err(fault) = self.keep_state(by.target(), &state).await {
                tracing::error!(%fault, "how far a target is could not be kept");
            }
            Ok(state.behind_since.is_none())
        };
        let worked = turn::held(&self.tools, by.target(), Duration::ZERO, work).await?;
        worked.unwrap_or(Ok(true))
    }

    async fn keep_state(&self, target: &str, state: &State) -> Result<(), StartFault> {
        let text = serde_json::to_string(state).map_err(StartFault::of)?;
        let kept = self.tools.given.keep_state(target, &text).await;
        kept.map_err(StartFault::of)
    }

    /// Looks, and makes what may be made unattended.
    async fn worked(&self, config: &Config, by: &Provisioner, known: &[Known]) -> State {
        let before = self.state(by.target()).await;
        let now = self.tools.clock.now();
        let looked = match self.look(config, by, known).await {
            Ok(looked) => looked,
            Err(fault) => {
                tracing::error!(target = by.target(), %fault, "Keystone could not be looked at; what waits is kept");
                return before.behind(now, before.waiting, fault.to_string());
            }
        };
        let held = looked.plan.disabled() > by.settings().most_disabled;
        let plan = looked.plan.clone();
        let plan = if held { plan.giving() } else { plan };
        let left = looked.plan.changes.len() - plan.changes.len();
        let state = match self.make(by, &looked, &plan, known).await {
            Err(fault) => before.behind(now, looked.plan.changes.len(), fault.to_string()),
            Ok(outcome) => {
                let why = if held {
                    Some(too_many(by, &looked.plan))
                } else {
                    unmade(&outcome)
                };
                match why {
                    Some(why) => before.behind(now, left + outcome.failed.len(), why),
                    None => State {
                        at: now,
                        in_step: Some(self.tools.clock.now()),
                        ..State::default()
                    },
                }
            }
        };
        State {
            held,
            drift: looked.plan.drift.len(),
            blocked: looked.plan.blocked.len(),
            ..state
        }
    }

    /// How far a target was after the last pass.
    pub(super) async fn state(&self, target: &str) -> State {
        let kept = self.tools.given.state(target).await.ok().flatten();
        kept.and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Reads Keystone, then the ledger, and compares.
    pub(super) async fn look(
        &self,
        config: &Config,
        by: &Provisioner,
        known: &[Known],
    ) -> Result<Looked, StartFault> {
        let keystone = keystones(config)
            .find(|one| one.id.as_str() == by.target())
            .ok_or_else(|| StartFault(format!("there is no target '{}' any more", by.target())))?;
        let view = View::new(config, &*self.tools.policy, self.tools.clock.now());
        let wanted = view.wanted(keystone, known).await?;
        let mut found = by.look(&wanted).await.map_err(StartFault::of)?;
        let items = self.tools.given.given(by.target()).await;
        let ledger = Ledger::read(&items.map_err(StartFault::of)?);
        found.settle_doubts(by, &ledger).await.map_err(StartFault::of)?;
        let plan = found.plan(by, &ledger);
        Ok(Looked { found, plan, ledger })
    }

    /// Writes down what will be given, makes the plan true, and keeps what was done.
    pub(super) async fn make(
        &self,
        by: &Provisioner,
        looked: &Looked,
        plan: &Plan,
        known: &[Known],
    ) -> Result<Outcome, StartFault> {
        let entries = looked.ledger.lacks(&looked.found.entries(plan));
        let given = &self.tools.given;
        given
            .note(by.target(), &entries, &[])
            .await
            .map_err(StartFault::of)?;
        let outcome = by.apply(&looked.found, plan).await;
        given
            .note(by.target(), &[], &outcome.settled())
            .await
            .map_err(StartFault::of)?;
        self.tell(by, &outcome, known).await?;
        Ok(outcome)
    }

    /// Puts every change on the trail: of who was let go under one reference, so that a report finds all of it.
    async fn tell(&self, by: &Provisioner, outcome: &Outcome, known: &[Known]) -> Result<(), StartFault> {
        let gone: BTreeSet<&str> = known
            .iter()
            .filter(|known| known.gone.is_some())
            .map(|known| known.key.as_str())
            .collect();
        let usual = Reference(format!("provision-{}", self.tools.clock.now().0));
        let target = TargetId::parse(by.target()).map_err(StartFault::of)?;
        for done in &outcome.done {
            let key = done.change.who().map(|who| who.key.clone());
            let reference = match &key {
                Some(key) if gone.contains(key.as_str()) => reference_of(key),
                Some(_) | None => usual.clone(),
            };
            let what = What::Provisioned {
                target: target.clone(),
                change: done.to_string(),
            };
            self.record((reference, key), done.at, what).await?;
        }
        for (change, why) in &outcome.failed {
            tracing::warn!(target = by.target(), %change, %why, "a change at Keystone was not made");
        }
        Ok(())
    }
}

impl State {
    /// The same target, behind.
    fn behind(&self, now: Timestamp, waiting: usize, why: String) -> Self {
        Self {
            at: now,
            behind_since: self.behind_since.or(Some(now)),
            waiting,
            why: Some(why),
            ..self.clone()
        }
    }
}

/// Says that a pass does not take what it could.
fn too_many(by: &Provisioner, plan: &Plan) -> String {
    let text = format!(
        "{} people would lose their access, and one pass may take it from {}: look at `fedgate keystone plan`, then \
         `fedgate keystone apply --yes`",
        plan.disabled(),
        by.settings().most_disabled
    );
    tracing::error!(target = by.target(), "{text}");
    text
}

/// What was not made, if it is worth another pass. Credentials of who is disabled by now are refused in any case.
fn unmade(outcome: &Outcome) -> Option<String> {
    let worth = |change: &Change| !matches!(change, Change::TakeCredentials { .. });
    let first = outcome.failed.iter().find(|(change, _)| worth(change))?;
    Some(format!("{}: {}", first.0, first.1))
}

/// Under which everything stands that was taken away from somebody who was let go.
pub(super) fn reference_of(key: &str) -> Reference {
    let digits: String = key.chars().take(16).collect();
    Reference(format!("offboard-{digits}"))
}
