//! The engine that answers: loads, checks, and swaps snapshots without a lock for readers.

use std::{backtrace::Backtrace, collections::BTreeSet, fmt, sync::Arc};

use super::{
    bundles,
    candidate::Candidate,
    config::Config,
    explain::{self, RuleSeen},
    fault::{PolicyLoadFault, Problem},
    index, library,
    rules::{self, AccessRule},
    snapshot::{self, Snapshot},
    source::{self, Source},
    trial,
};
use crate::{
    domain::{access::Answer, tenant::Tenant},
    port::policy::{self, Entry, Policy, PolicyFault, Question},
    rego::{self, Current, How, Value},
};

/// The policies in use. Readers take the snapshot once for each decision, so none mixes two revisions.
pub struct PolicyEngine {
    current: Current<Snapshot>,
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
        let snapshot = build(config, rules, tenants, None)?;
        Ok(Self {
            current: Current::new(snapshot),
        })
    }

    /// Which rules fired and which failed over this input: what `decide` answers, explained. For operators; it
    /// costs one evaluation for each rule.
    pub fn explain(&self, entry: Entry, input: &str) -> Result<Vec<RuleSeen>, PolicyFault> {
        let how = How {
            limit: snapshot::LONGEST_CHECK,
            strict_builtin_errors: true,
            ..How::default()
        };
        explain::rules_seen(&self.current.look(), entry, input, &how)
    }

    /// Takes other policies, rules or tenants into use and answers with their revision. Everything is
    /// built and checked off to the side; on any failure what runs now goes on.
    pub fn replace(
        &self,
        config: &Config,
        rules: &[AccessRule],
        tenants: &[Tenant],
    ) -> Result<String, PolicyLoadFault> {
        self.adopt(config, rules, tenants, None)
    }

    /// The same, with a candidate in the place of the configured Rego files.
    pub fn adopt(
        &self,
        config: &Config,
        rules: &[AccessRule],
        tenants: &[Tenant],
        candidate: Option<&Candidate>,
    ) -> Result<String, PolicyLoadFault> {
        let snapshot = build(config, rules, tenants, candidate)?;
        let revision = snapshot.revision.clone();
        self.current.replace(snapshot);
        Ok(revision)
    }
}

impl PolicyEngine {
    /// The Rego that decides now, for rules that are not asked by the gateway itself (masks of the decision log).
    #[must_use]
    pub fn rego(&self) -> Arc<rego::Snapshot> {
        Arc::clone(&self.current.look().rego)
    }
}

impl Policy for PolicyEngine {
    fn ask(&self, question: &Question<'_>) -> Result<Answer, PolicyFault> {
        policy::answer(self, question)
    }

    fn decide(&self, entry: Entry, input: &str) -> Result<String, PolicyFault> {
        self.current.look().decide(entry, input)
    }

    fn revision(&self) -> String {
        self.current.look().revision.clone()
    }
}

/// Everything that is wrong, for the check command. Changes nothing.
#[must_use]
pub fn check(config: &Config, rules: &[AccessRule], tenants: &[Tenant]) -> Vec<Problem> {
    build(config, rules, tenants, None).map_or_else(|fault| fault.problems, |_| Vec::new())
}

/// Everything that decides, checked and proven.
pub(super) fn build(
    config: &Config,
    rules: &[AccessRule],
    tenants: &[Tenant],
    candidate: Option<&Candidate>,
) -> Result<Snapshot, PolicyLoadFault> {
    let mut problems = rules::problems(rules, tenants);
    problems.extend(config.rest.problems());
    let known: BTreeSet<_> = tenants.iter().map(|tenant| &tenant.id).collect();
    for tenant in &config.suspended {
        if !known.contains(tenant) {
            let what = format!("there is no tenant '{tenant}'");
            problems.push(Problem::setting("suspended", what, "name an id under tenants"));
        }
    }
    problems.extend(bundles::problems(config));
    problems.extend(library::problems(&config.rules, tenants));
    match prove(
        config,
        candidate,
        &index::data(config, rules, tenants).to_string(),
    ) {
        Ok(snapshot) if problems.is_empty() => Ok(snapshot),
        Ok(_) => Err(PolicyLoadFault { problems }),
        Err(more) => {
            problems.extend(more);
            Err(PolicyLoadFault { problems })
        }
    }
}

fn prove(config: &Config, candidate: Option<&Candidate>, data: &str) -> Result<Snapshot, Vec<Problem>> {
    let files = match candidate {
        Some(candidate) => source::completed(candidate.files.clone()),
        None => source::read(config).map_err(|problem| vec![problem])?,
    };
    let base = candidate.map_or_else(Value::new_object, |candidate| candidate.data.clone());
    // The built-in policies are examined when the gateway is built: with their tests they are twice as large.
    if config.folder.is_some() || candidate.is_some() {
        examine(&files, base.clone())?;
    }
    let compiled = over(base, data).map_err(|error| {
        let what = format!("the compiled access rules cannot be read: {error}");
        vec![Problem::setting(
            "folder",
            what,
            "report this as a fault of the gateway",
        )]
    })?;
    let serving = snapshot::build(files.iter().filter(|file| !file.is_test()), compiled)?;
    let own = candidate.map_or_else(String::new, |candidate| candidate.data.to_string());
    Snapshot::prove(
        serving,
        source::revision(&files, &format!("{data}{own}")),
        &Entry::ALL,
    )
}

/// Policies of an operator's own: with their tests, which must pass, and away from the compiled data.
fn examine(files: &[Source], base: Value) -> Result<(), Vec<Problem>> {
    let all = snapshot::build(files.iter(), base)?;
    let packages = all.packages().into_iter();
    let taken: Vec<_> = packages
        .filter(|(path, _)| path.starts_with(&["fed".to_owned()]))
        .map(|(_, place)| Problem::Policy {
            file: place.file,
            line: place.row,
            what: "`fed` holds the compiled access rules".into(),
            instead: "choose another package".into(),
        })
        .collect();
    let problems = if taken.is_empty() {
        trial::failures(&all)
    } else {
        taken
    };
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// The compiled data over that of a candidate, which never holds the same names.
fn over(mut base: Value, data: &str) -> Result<Value, String> {
    let compiled = Value::from_json_str(data).map_err(|error| error.to_string())?;
    let (Ok(members), Ok(compiled)) = (base.as_object_mut(), compiled.as_object()) else {
        return Err("it is no object".to_owned());
    };
    for (name, value) in compiled.iter() {
        members.insert(name.clone(), value.clone());
    }
    Ok(base)
}
