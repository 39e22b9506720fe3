//! What an operator does by hand: plan, apply, drift, status, and letting somebody go.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::Serialize;

use crate::{
    config::Config,
    domain::{audit::What, time::Timestamp},
    port::{clock::Clock, people::Known, secrets::Secrets},
    store,
    target::keystone::provision::{Change, Done, Plan, Provisioner},
};

pub use crate::target::keystone::provision::{Drift, Then};

use super::{
    super::{build::StartFault, clock::SystemClock, policies},
    pass::{Keeper, State, Tools, reference_of},
    people, turn,
};

/// How long a command waits while another works at a target. Longer than a turn whose worker died.
const PATIENCE: Duration = Duration::from_secs(60);

/// A plan for one target.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct Planned {
    /// The target.
    pub target: String,
    /// What differs.
    #[serde(flatten)]
    pub plan: Plan,
}

/// What became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// The target.
    pub target: String,
    /// What was made.
    pub done: Vec<Done>,
    /// What was not, with the reason.
    pub failed: Vec<(Change, String)>,
    /// What was planned and is not needed any more.
    pub needless: Vec<Change>,
    /// What is needed by now and was not planned: it was not made.
    pub unplanned: Vec<Change>,
}

/// How far a target is.
#[derive(Debug, Clone, Serialize)]
pub struct Stand {
    /// The target.
    pub target: String,
    /// How far.
    #[serde(flatten)]
    pub state: State,
}

/// What letting somebody go has done so far.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The person's key.
    pub key: String,
    /// What they are called, as last said.
    pub called: String,
    /// When they were let go; none if they are not.
    pub since: Option<Timestamp>,
    /// What went, and when.
    pub taken: Vec<(Timestamp, String)>,
    /// What waits: the running gateway goes on with it.
    pub waiting: Vec<String>,
}

/// Everything by hand works on the same stores and far sides as the running gateway.
pub struct Hand {
    keeper: Keeper,
    opened: store::Opened,
}

impl std::fmt::Debug for Hand {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hand")
    }
}

impl Hand {
    /// Opens the stores, and the policies by which the gateway decides now: after `policy apply` those of the
    /// configuration would give and take what the gateway does not.
    pub async fn open(config: &Config, secrets: &dyn Secrets) -> Result<Self, StartFault> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let opened = store::open(&config.store, secrets, Arc::clone(&clock))
            .await
            .map_err(StartFault::of)?;
        let engine = policies::in_force(config, secrets)?;
        let tools = Tools::new(&opened, Arc::new(engine), clock);
        let keeper = Keeper::open(config, secrets, tools)?;
        Ok(Self { keeper, opened })
    }

    /// Writes what is pending.
    pub async fn close(&self) {
        self.opened.close().await;
    }

    fn chosen(&self, target: Option<&str>) -> Result<Vec<Arc<Provisioner>>, StartFault> {
        let all = self.keeper.provisioners().into_iter();
        let chosen: Vec<_> = all
            .filter(|by| target.is_none_or(|target| by.target() == target))
            .collect();
        if chosen.is_empty() {
            return Err(StartFault(
                "targets: found no such Keystone with 'provision'; see config/fedgate.example.yaml"
                    .to_owned(),
            ));
        }
        Ok(chosen)
    }

    /// Everybody as they would be known, without writing anything.
    async fn known(&self) -> Result<Vec<Known>, StartFault> {
        let tools = self.keeper.tools();
        let news = people::look(&self.keeper.config(), &*tools.people, tools.clock.now()).await?;
        Ok(news.people)
    }

    /// What differs. Changes nothing, here or there.
    pub async fn plan(&self, target: Option<&str>) -> Result<Vec<Planned>, StartFault> {
        let (config, known) = (self.keeper.config(), self.known().await?);
        let mut plans = Vec::new();
        for by in self.chosen(target)? {
            let looked = self.keeper.look(&config, &by, &known).await?;
            plans.push(Planned {
                target: by.target().to_owned(),
                plan: looked.plan,
            });
        }
        Ok(plans)
    }

    /// Makes what was planned and is still needed; all that is needed if no plan is given.
    pub async fn apply(
        &self,
        target: Option<&str>,
        planned: Option<&[Planned]>,
    ) -> Result<Vec<Applied>, StartFault> {
        let mut all = Vec::new();
        for by in self.chosen(target)? {
            let file = planned.map(|plans| {
                let own = plans.iter().filter(|plan| plan.target == by.target());
                own.flat_map(|plan| plan.plan.changes.iter().cloned())
                    .collect::<BTreeSet<Change>>()
            });
            all.push(self.in_turn(&by, self.applied(&by, file)).await?);
        }
        Ok(all)
    }

    /// One target, in its turn.
    async fn applied(&self, by: &Provisioner, file: Option<BTreeSet<Change>>) -> Result<Applied, StartFault> {
        let config = self.keeper.config();
        let known = self.keeper.people(&config).await?;
        let looked = self.keeper.look(&config, by, &known).await?;
        let needed: BTreeSet<Change> = looked.plan.changes.iter().cloned().collect();
        let file = file.unwrap_or_else(|| needed.clone());
        let plan = looked.plan.clone().only(&file);
        let outcome = self.keeper.make(by, &looked, &plan, &known).await?;
        Ok(Applied {
            target: by.target().to_owned(),
            done: outcome.done,
            failed: outcome.failed,
            needless: file.difference(&needed).cloned().collect(),
            unplanned: needed.difference(&file).cloned().collect(),
        })
    }

    /// Works at a target while nobody else does.
    async fn in_turn<T: Send>(
        &self,
        by: &Provisioner,
        work: impl Future<Output = Result<T, StartFault>> + Send,
    ) -> Result<T, StartFault> {
        let held = turn::held(self.keeper.tools(), by.target(), PATIENCE, work).await?;
        held.unwrap_or_else(|| {
            Err(StartFault(format!(
                "waiting: another has worked at '{}' for {} s (the running gateway, a replica, another operator); \
                 nothing was done there, try again later",
                by.target(),
                PATIENCE.as_secs()
            )))
        })
    }

    /// How far the targets are, as the running gateway has kept it.
    pub async fn stand(&self) -> Vec<Stand> {
        let mut all = Vec::new();
        for by in self.keeper.provisioners() {
            all.push(Stand {
                target: by.target().to_owned(),
                state: self.keeper.state(by.target()).await,
            });
        }
        all
    }

    /// Who is meant: by key, or by what they are called, of one upstream if it is named (`upstream/name`).
    fn find(&self, all: &[Known], user: &str) -> Result<Known, StartFault> {
        let (upstream, name) = user
            .split_once('/')
            .map_or((None, user), |(upstream, name)| (Some(upstream), name));
        let config = self.keeper.config();
        let called = |known: &Known| called(&config, known);
        let mut found: Vec<&Known> = all
            .iter()
            .filter(|known| {
                known.key == user
                    || ((called(known) == name || known.facts.subject == name)
                        && upstream.is_none_or(|upstream| known.facts.upstream.as_str() == upstream))
            })
            .collect();
        match (found.pop(), found.as_slice()) {
            (Some(one), []) => Ok(one.clone()),
            (None, _) => Err(StartFault(format!(
                "nobody called '{user}' was ever seen here; name them as upstream/name or by their key"
            ))),
            (Some(last), others) => {
                let all = others.iter().chain(std::iter::once(&last));
                let names: Vec<String> = all
                    .map(|known| format!("{}/{} ({})", known.facts.upstream, called(known), known.key))
                    .collect();
                Err(StartFault(format!(
                    "'{user}' may be one of several; name one by their key: {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// Lets somebody go, or takes them back, and makes that true at once where Keystone answers.
    pub async fn offboard(&self, user: &str, back: bool) -> Result<Report, StartFault> {
        let mut all = self.known().await?;
        let mut known = self.find(&all, user)?;
        let tools = self.keeper.tools();
        let now = tools.clock.now();
        // Somebody who is listed and was never seen is not in the records yet. And of somebody who is listed by now and
        // came before that, they still say that no list names them: the next pass would take them for one who was put
        // on the list since, and take them back.
        if !back
            || tools
                .people
                .person(&known.key)
                .await
                .map_err(StartFault::of)?
                .is_none()
        {
            tools.people.saw(&known).await.map_err(StartFault::of)?;
        }
        let since = (!back).then_some(now);
        let changed = tools
            .people
            .let_go(&known.key, since)
            .await
            .map_err(StartFault::of)?;
        let mut told = Vec::new();
        if changed {
            told.push(if back { "taken back" } else { "let go" }.to_owned());
        }
        if !back {
            let sessions = tools
                .people
                .end_sessions(&known.key, None)
                .await
                .map_err(StartFault::of)?;
            if sessions > 0 {
                told.push(format!("{sessions} sessions with their refresh tokens ended"));
            }
        }
        for action in told {
            let who = (reference_of(&known.key), Some(known.key.clone()));
            self.keeper
                .record(who, tools.clock.now(), What::Administered { action })
                .await?;
        }
        // The first time counts.
        known.gone = since.and_then(|since| known.gone.or(Some(since)));
        for one in all.iter_mut().filter(|one| one.key == known.key) {
            one.gone = known.gone;
        }
        let waiting = self.at_targets(&known.key, &all).await;
        self.report_of(&known, waiting).await
    }

    /// What concerns one person, at each Keystone. What cannot be done now is named.
    async fn at_targets(&self, key: &str, known: &[Known]) -> Vec<String> {
        let keys = BTreeSet::from([key.to_owned()]);
        let config = self.keeper.config();
        let mut waiting = Vec::new();
        for by in self.keeper.provisioners() {
            let made = async {
                let looked = self.keeper.look(&config, &by, known).await?;
                let plan = looked.plan.clone().about(&keys);
                self.keeper.make(&by, &looked, &plan, known).await
            };
            match self.in_turn(&by, made).await {
                Ok(outcome) => waiting.extend(
                    outcome
                        .failed
                        .iter()
                        .map(|(change, why)| format!("{}: {change}: {why}", by.target())),
                ),
                Err(fault) => waiting.push(format!("{}: {fault}", by.target())),
            }
        }
        waiting
    }

    /// What letting somebody go has done so far.
    pub async fn report(&self, user: &str) -> Result<Report, StartFault> {
        let known = self.find(&self.known().await?, user)?;
        self.report_of(&known, Vec::new()).await
    }

    async fn report_of(&self, known: &Known, waiting: Vec<String>) -> Result<Report, StartFault> {
        let key = known.key.as_str();
        let person = self
            .keeper
            .tools()
            .people
            .person(key)
            .await
            .map_err(StartFault::of)?;
        let since = person.and_then(|person| person.gone);
        let events = self
            .opened
            .trail
            .recent(Some(&reference_of(key).0), 1_000)
            .await
            .map_err(StartFault::of)?;
        let mut taken: Vec<(Timestamp, String)> = events
            .into_iter()
            .filter_map(|(_, event)| {
                let text = if let What::Provisioned { target, change } = event.what {
                    format!("{target}: {change}")
                } else if let What::Administered { action } = event.what {
                    action
                } else if let What::SignedOut { by } = event.what {
                    format!("signed out: {by}")
                } else {
                    return None;
                };
                Some((event.at, text))
            })
            .collect();
        taken.reverse();
        Ok(Report {
            key: key.to_owned(),
            called: called(&self.keeper.config(), known),
            since,
            taken,
            waiting,
        })
    }
}

/// What somebody is called, by the mapping of their upstream.
fn called(config: &Config, known: &Known) -> String {
    let declared = config
        .upstreams
        .iter()
        .find(|one| one.id() == &known.facts.upstream);
    let claim = declared.map_or("preferred_username", |one| one.mapping().username.as_str());
    let name = known.facts.claims.get(claim).and_then(serde_json::Value::as_str);
    name.unwrap_or(&known.facts.subject).to_owned()
}
