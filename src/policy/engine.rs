//! The engine that answers: loads, checks, and swaps snapshots without a lock for readers.

use std::{backtrace::Backtrace, collections::BTreeSet, fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::{
    config::Config,
    fault::{PolicyLoadFault, Problem},
    index,
    rules::{self, AccessRule},
    snapshot::{self, Snapshot},
    source, trial,
};
use crate::{
    domain::{access::Answer, tenant::Tenant},
    port::policy::{self, Entry, Policy, PolicyFault, Question},
    rego::Value,
};

/// The policies in use. Readers take the snapshot once for each decision, so none mixes two revisions.
pub struct PolicyEngine {
    current: ArcSwap<Snapshot>,
}

impl fmt::Debug for PolicyEngine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PolicyEngine")
            .field("revision", &self.revision())
            .finish_non_exhaustive()
    }
}

impl PolicyEngine {
    /// Reads, checks and proves the policies. Reads files: not for a thread that serves requests.
    pub fn load(config: &Config, rules: &[AccessRule], tenants: &[Tenant]) -> Result<Self, PolicyLoadFault> {
        // The engine makes errors as it works; with a backtrace for each it is 4 to 6 times slower.
        if matches!(
            Backtrace::capture().status(),
            std::backtrace::BacktraceStatus::Captured
        ) {
            tracing::warn!(
                "RUST_BACKTRACE makes each policy decision several times slower; set RUST_LIB_BACKTRACE=0 beside it"
            );
        }
        let snapshot = build(config, rules, tenants)?;
        Ok(Self {
            current: ArcSwap::from_pointee(snapshot),
        })
    }

    /// Takes other policies, rules or tenants into use and answers with their revision. Everything is
    /// built and checked off to the side; on any failure what runs now goes on.
    pub fn replace(
        &self,
        config: &Config,
        rules: &[AccessRule],
        tenants: &[Tenant],
    ) -> Result<String, PolicyLoadFault> {
        let snapshot = build(config, rules, tenants)?;
        let revision = snapshot.revision.clone();
        self.current.store(Arc::new(snapshot));
        Ok(revision)
    }
}

impl Policy for PolicyEngine {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault> {
        policy::answer(self, question)
    }

    fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
        self.current.load().decide(entry, input)
    }

    fn revision(&self) -> String {
        self.current.load().revision.clone()
    }
}

/// Everything that is wrong, for the check command. Changes nothing.
#[must_use]
pub fn check(config: &Config, rules: &[AccessRule], tenants: &[Tenant]) -> Vec<Problem> {
    build(config, rules, tenants).map_or_else(|fault| fault.problems, |_| Vec::new())
}

fn build(config: &Config, rules: &[AccessRule], tenants: &[Tenant]) -> Result<Snapshot, PolicyLoadFault> {
    let mut problems = rules::problems(rules, tenants);
    let known: BTreeSet<_> = tenants.iter().map(|tenant| &tenant.id).collect();
    for tenant in &config.suspended {
        if !known.contains(tenant) {
            let what = format!("there is no tenant '{tenant}'");
            problems.push(Problem::setting("suspended", what, "name an id under tenants"));
        }
    }
    match prove(config, &index::data(config, rules, tenants).to_string()) {
        Ok(snapshot) if problems.is_empty() => Ok(snapshot),
        Ok(_) => Err(PolicyLoadFault { problems }),
        Err(more) => {
            problems.extend(more);
            Err(PolicyLoadFault { problems })
        }
    }
}

fn prove(config: &Config, data: &str) -> Result<Snapshot, Vec<Problem>> {
    let files = source::read(config).map_err(|problem| vec![problem])?;
    let all = snapshot::build(files.iter(), Value::new_object())?;
    let taken = all
        .packages()
        .into_iter()
        .filter(|(path, _)| path.starts_with(&["fed".to_owned()]));
    let taken: Vec<_> = taken
        .map(|(_, place)| Problem::Policy {
            file: place.file,
            line: place.row,
            what: "`fed` holds the compiled access rules".into(),
            instead: "choose another package".into(),
        })
        .collect();
    if !taken.is_empty() {
        return Err(taken);
    }
    // The built-in policies' tests run when the gateway is built.
    if config.folder.is_some() {
        let failed = trial::failures(&all);
        if !failed.is_empty() {
            return Err(failed);
        }
    }
    let compiled = Value::from_json_str(data).map_err(|error| {
        let what = format!("the compiled access rules cannot be read: {error}");
        vec![Problem::setting(
            "folder",
            what,
            "report this as a fault of the gateway",
        )]
    })?;
    let serving = snapshot::build(files.iter().filter(|file| !file.is_test()), compiled)?;
    Snapshot::prove(serving, source::revision(&files, data), &Entry::ALL)
}
