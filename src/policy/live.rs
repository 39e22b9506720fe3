//! The policies of a running gateway in an operator's hands: apply, roll back, shadow, read again.
//!
//! One change at a time. Whatever fails, what decided before decides on. What was applied is kept below
//! `policy.persistence_directory`, and a restart decides by it.

use std::{fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    AccessRule, Config, PolicyEngine,
    bundles::{Shelf, verification},
    candidate::Candidate,
    engine,
    fault::{PolicyLoadFault, Problem},
    shadow::Shadow,
};
use crate::{
    domain::tenant::Tenant,
    port::{
        decisions::Decisions,
        policy::Policy as _,
        policy_care::{PolicyCare, PolicyCareFault, PolicyState},
        secrets::Secrets,
    },
    rego::bundle::Verification,
};

/// The file that names what is in force and what was before.
const HISTORY: &str = "history.json";

/// What the policies are made of beside the Rego files.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The section `policy`.
    pub config: Config,
    /// The section `access`.
    pub rules: Vec<AccessRule>,
    /// The tenants.
    pub tenants: Vec<Tenant>,
}

/// Names of archives; none is "as configured".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct History {
    active: Option<String>,
    /// Outer none: there was nothing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Before>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    archive: Option<String>,
    name: String,
}

struct Held {
    basis: Basis,
    history: History,
    applied: Option<Candidate>,
}

impl Held {
    /// What a change would make the policies before.
    fn in_force(&self) -> Before {
        let name = self
            .applied
            .as_ref()
            .map_or("configuration", |applied| &applied.name);
        Before {
            archive: self.history.active.clone(),
            name: name.to_owned(),
        }
    }
}

/// The live policies.
pub struct LivePolicy {
    engine: Arc<PolicyEngine>,
    verification: Option<Verification>,
    shelf: Option<Shelf>,
    held: Arc<Mutex<Held>>,
    /// A copy of what `state` shows: it is asked while a change is under way.
    shown: Arc<std::sync::Mutex<(String, Option<String>)>>,
    shadow: Arc<Shadow>,
}

impl fmt::Debug for LivePolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("LivePolicy")
    }
}

/// What was applied last, if anything, as it lies on the disk.
pub fn applied(config: &Config, secrets: &dyn Secrets) -> Result<Option<Candidate>, String> {
    let Some(shelf) = shelf(config.persistence_directory.as_deref()) else {
        return Ok(None);
    };
    let verification = verification(config, "", secrets)?;
    recall(&shelf, verification.as_ref()).map(|(_, candidate)| candidate)
}

fn shelf(directory: Option<&Path>) -> Option<Shelf> {
    directory.map(|directory| Shelf::below(directory, "policies"))
}

fn recall(
    shelf: &Shelf,
    verification: Option<&Verification>,
) -> Result<(History, Option<Candidate>), String> {
    let remedy = "; to return to the configured policies, remove policies/history.json there";
    let wrong = |why: String| format!("policy.persistence_directory: {why}{remedy}");
    let history = match shelf.get(HISTORY).map_err(|error| wrong(error.to_string()))? {
        Some(text) => serde_json::from_slice(&text).map_err(|error| wrong(format!("{HISTORY}: {error}")))?,
        None => History::default(),
    };
    let Some(name) = &history.active else {
        return Ok((history, None));
    };
    let archive = shelf.get(name).map_err(|error| wrong(error.to_string()))?;
    let archive = archive.ok_or_else(|| wrong(format!("the applied policies ({name}) are not there")))?;
    let candidate = Candidate::read(&archive, verification)
        .map_err(|problems| wrong(PolicyLoadFault { problems }.to_string()))?;
    Ok((history, Some(candidate)))
}

impl LivePolicy {
    /// Takes what was applied last into use. Reads files: before the gateway serves.
    pub fn open(engine: Arc<PolicyEngine>, basis: Basis, secrets: &dyn Secrets) -> Result<Self, String> {
        let verification = verification(&basis.config, "", secrets)?;
        let shelf = shelf(basis.config.persistence_directory.as_deref());
        let (history, applied) = match &shelf {
            Some(shelf) => recall(shelf, verification.as_ref())?,
            None => (History::default(), None),
        };
        if let Some(candidate) = &applied {
            engine
                .adopt(&basis.config, &basis.rules, &basis.tenants, Some(candidate))
                .map_err(|fault| {
                    format!(
                        "the applied policies ({}) do not fit the configuration any more: {fault}",
                        candidate.name
                    )
                })?;
            tracing::info!(policy = %candidate.name, "the applied policies decide");
        }
        let live = Self {
            engine,
            verification,
            shelf,
            shown: Arc::default(),
            held: Arc::new(Mutex::new(Held {
                basis,
                history,
                applied,
            })),
            shadow: Arc::new(Shadow::default()),
        };
        if let Ok(held) = live.held.try_lock() {
            live.show(&held);
        }
        Ok(live)
    }

    /// Hears every decision, for the candidate in the shadow.
    #[must_use]
    pub fn listener(&self) -> Arc<dyn Decisions> {
        Arc::clone(&self.shadow) as Arc<dyn Decisions>
    }

    /// Takes what was read again into use: the policy folder and settings, the access rules and the tenants. The
    /// applied policies, if any, stay. On failure nothing changes.
    pub async fn reread(&self, basis: Basis) -> Result<String, PolicyCareFault> {
        let mut held = self.held.lock().await;
        let applied = held.applied.clone();
        let revision = self.build(basis.clone(), applied).await?;
        held.basis = basis;
        Ok(revision)
    }

    async fn build(&self, basis: Basis, candidate: Option<Candidate>) -> Result<String, PolicyCareFault> {
        let engine = Arc::clone(&self.engine);
        let built = tokio::task::spawn_blocking(move || {
            engine.adopt(&basis.config, &basis.rules, &basis.tenants, candidate.as_ref())
        });
        built
            .await
            .map_err(lost)?
            .map_err(|fault| refused(&fault.problems))
    }

    async fn read(&self, archive: Vec<u8>) -> Result<(Candidate, Vec<u8>), PolicyCareFault> {
        let verification = self.verification.clone();
        let read = tokio::task::spawn_blocking(move || {
            Candidate::read(&archive, verification.as_ref()).map(|candidate| (candidate, archive))
        });
        read.await.map_err(lost)?.map_err(|problems| refused(&problems))
    }

    fn shelf(&self) -> Result<&Shelf, PolicyCareFault> {
        self.shelf.as_ref().ok_or_else(|| {
            PolicyCareFault::Unable(
                "what is applied must survive a restart: set policy.persistence_directory to a folder that this user may write to".to_owned(),
            )
        })
    }

    fn show(&self, held: &Held) {
        let source = held
            .applied
            .as_ref()
            .map_or("configuration", |candidate| &candidate.name);
        let previous = held.history.previous.as_ref().map(|before| before.name.clone());
        let mut shown = self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *shown = (source.to_owned(), previous);
    }

    /// Swaps, and writes down what is in force. If that cannot be written, the old policies come back.
    async fn switch(
        &self,
        held: &mut Held,
        history: History,
        candidate: Option<Candidate>,
    ) -> Result<String, PolicyCareFault> {
        let shelf = self.shelf()?;
        let revision = self.build(held.basis.clone(), candidate.clone()).await?;
        let text =
            serde_json::to_vec(&history).map_err(|error| PolicyCareFault::Unable(error.to_string()))?;
        if let Err(error) = shelf.put(HISTORY, &text) {
            self.build(held.basis.clone(), held.applied.clone()).await?;
            return Err(PolicyCareFault::Unable(format!(
                "the applied policies cannot be kept on disk ({error}); those before decide"
            )));
        }
        let gone = [
            held.history.active.clone(),
            held.history.previous.take().and_then(|before| before.archive),
        ];
        let kept = [
            &history.active,
            &history
                .previous
                .as_ref()
                .and_then(|before| before.archive.clone()),
        ]
        .map(Clone::clone);
        for name in gone
            .iter()
            .flatten()
            .filter(|name| !kept.iter().flatten().any(|kept| kept == *name))
        {
            if let Err(error) = shelf.remove(name) {
                tracing::warn!(archive = %name, %error, "an old policy archive could not be removed");
            }
        }
        held.history = history;
        held.applied = candidate;
        self.show(held);
        Ok(revision)
    }
}

fn refused(problems: &[Problem]) -> PolicyCareFault {
    PolicyCareFault::Refused(problems.iter().map(ToString::to_string).collect())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn lost(error: tokio::task::JoinError) -> PolicyCareFault {
    PolicyCareFault::Unable(error.to_string())
}

fn named(archive: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, archive);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.tar.gz")
}

#[async_trait]
impl PolicyCare for LivePolicy {
    fn state(&self) -> PolicyState {
        let (source, previous) = self
            .shown
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        PolicyState {
            revision: self.engine.revision(),
            source,
            previous,
            shadow: self.shadow.state(),
        }
    }

    async fn apply(&self, archive: Vec<u8>) -> Result<String, PolicyCareFault> {
        let shelf = self.shelf()?;
        let (candidate, archive) = self.read(archive).await?;
        let mut held = self.held.lock().await;
        let name = named(&archive);
        if held.history.active.as_ref() == Some(&name) {
            return Ok(self.engine.revision());
        }
        shelf
            .put(&name, &archive)
            .map_err(|error| PolicyCareFault::Unable(format!("policy.persistence_directory: {error}")))?;
        let history = History {
            active: Some(name.clone()),
            previous: Some(held.in_force()),
        };
        let outcome = self.switch(&mut held, history, Some(candidate)).await;
        if outcome.is_err()
            && held
                .history
                .previous
                .as_ref()
                .and_then(|before| before.archive.as_ref())
                != Some(&name)
        {
            // It was refused; nothing refers to it.
            let _kept = shelf.remove(&name);
        }
        outcome
    }

    async fn roll_back(&self) -> Result<String, PolicyCareFault> {
        let shelf = self.shelf()?;
        let mut held = self.held.lock().await;
        let before = held.history.previous.clone().ok_or_else(|| {
            PolicyCareFault::Unable(
                "there is nothing to return to: no other policies were in force before".to_owned(),
            )
        })?;
        let candidate = match &before.archive {
            Some(name) => {
                let archive = shelf.get(name).ok().flatten().ok_or_else(|| {
                    PolicyCareFault::Unable(format!("the policies before ({name}) are not on disk any more"))
                })?;
                Some(self.read(archive).await?.0)
            }
            None => None,
        };
        // A second rollback leads back: so a rollback by mistake is mended by the same command.
        let history = History {
            active: before.archive,
            previous: Some(held.in_force()),
        };
        self.switch(&mut held, history, candidate).await
    }

    async fn shadow(&self, archive: Option<Vec<u8>>) -> Result<Option<String>, PolicyCareFault> {
        let Some(archive) = archive else {
            self.shadow.set(None);
            return Ok(None);
        };
        let (candidate, _) = self.read(archive).await?;
        let basis = self.held.lock().await.basis.clone();
        let built = tokio::task::spawn_blocking(move || {
            engine::build(&basis.config, &basis.rules, &basis.tenants, Some(&candidate))
        });
        let snapshot = built
            .await
            .map_err(lost)?
            .map_err(|fault| refused(&fault.problems))?;
        let revision = snapshot.revision.clone();
        self.shadow.set(Some(snapshot));
        Ok(Some(revision))
    }
}
