//! What a candidate would have decided: recorded decisions, asked again of the policies in force and of it.
//!
//! Both are asked over the same compiled data, so that a difference is the candidate's own and not that of
//! an access rule that has changed since.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{candidate::Candidate, engine, fault::PolicyLoadFault, recorded::entry_of, snapshot::Snapshot};
use crate::{
    domain::{access::Entitlement, tenant::Tenant},
    policy::{AccessRule, Config},
    port::policy::Entry,
};

/// What one person would gain or lose at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The tenant.
    pub tenant: String,
    /// The name at targets.
    pub user: String,
    /// Where.
    pub target: String,
    /// What was asked (`federation/access/decision`).
    pub path: String,
    /// What they would get and do not get now, each with the rule that gives it.
    pub gains: BTreeSet<(String, String)>,
    /// What they get now and would not get, each with the rule that gives it now.
    pub loses: BTreeSet<(String, String)>,
    /// The candidate's reasons for refusing.
    pub reasons: BTreeSet<String>,
    /// The rule of the candidate that speaks.
    pub rule: String,
    /// How many recorded decisions say so.
    pub decisions: u64,
    /// One of them.
    pub decision_id: String,
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The revision in force.
    pub revision: String,
    /// The candidate's.
    pub candidate: String,
    /// Decisions that were asked again.
    pub replayed: u64,
    /// Decisions that could not be: masked input, another path, an input of another version.
    pub skipped: u64,
    /// Decisions that the policies in force would make differently today already.
    pub moved: u64,
    /// Who would gain and who would lose what.
    pub changes: Vec<Change>,
}

/// A replay in progress.
pub struct Replay {
    live: Snapshot,
    candidate: Snapshot,
    report: Report,
    changes: BTreeMap<(String, String, String, String), Change>,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Replay")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl Replay {
    /// Prepares both: what decides now (configured or applied), and the candidate, which must load and pass
    /// its own tests.
    pub fn new(
        (config, rules, tenants): (&Config, &[AccessRule], &[Tenant]),
        applied: Option<&Candidate>,
        candidate: &Candidate,
    ) -> Result<Self, PolicyLoadFault> {
        let live = engine::build(config, rules, tenants, applied)?;
        let candidate = engine::build(config, rules, tenants, Some(candidate))?;
        Ok(Self {
            report: Report {
                revision: live.revision.clone(),
                candidate: candidate.revision.clone(),
                ..Report::default()
            },
            live,
            candidate,
            changes: BTreeMap::new(),
        })
    }

    /// Asks one recorded event again.
    pub fn ask(&mut self, event: &str) {
        if self.compared(event).is_none() {
            self.report.skipped += 1;
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Report {
        Report {
            changes: self.changes.into_values().collect(),
            ..self.report
        }
    }

    fn compared(&mut self, event: &str) -> Option<()> {
        let event: Value = serde_json::from_str(event).ok()?;
        let path = event.get("path")?.as_str()?;
        let entry = entry_of(path)?;
        let input = event.get("input")?;
        let text = input.to_string();
        let live = outcome(&self.live, entry, &text);
        let next = outcome(&self.candidate, entry, &text);
        self.report.replayed += 1;
        if event.get("result").is_some_and(|recorded| *recorded != live) {
            self.report.moved += 1;
        }
        if live == next {
            return Some(());
        }
        let text = |pointer: &str| {
            let found = input.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or("-").to_owned()
        };
        let change = Change {
            tenant: text("/subject/tenant"),
            user: text("/subject/username"),
            target: text("/request/target"),
            path: path.to_owned(),
            gains: &given(&next) - &given(&live),
            loses: &given(&live) - &given(&next),
            reasons: texts(&next, "reasons"),
            rule: next
                .get("rule")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            decisions: 0,
            decision_id: event
                .get("decision_id")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        };
        let key = (
            change.tenant.clone(),
            change.user.clone(),
            change.target.clone(),
            change.path.clone(),
        );
        let kept = self.changes.entry(key).or_insert_with(|| change.clone());
        kept.decisions += 1;
        kept.gains.extend(change.gains);
        kept.loses.extend(change.loses);
        kept.reasons.extend(change.reasons);
        Some(())
    }
}

fn outcome(snapshot: &Snapshot, entry: Entry, input: &str) -> Value {
    match snapshot.decide(entry, input) {
        Ok(output) => serde_json::from_str(&output).unwrap_or_default(),
        Err(fault) => serde_json::json!({ "allow": false, "reasons": [fault.to_string()] }),
    }
}

/// What an answer gives, each with its rule.
fn given(answer: &Value) -> BTreeSet<(String, String)> {
    if answer.get("allow") == Some(&Value::Bool(false)) {
        return BTreeSet::new();
    }
    let grants = answer.get("grants").and_then(Value::as_array);
    let mut given: BTreeSet<(String, String)> = grants
        .into_iter()
        .flatten()
        .map(|grant| {
            let rule = grant.get("rule").and_then(Value::as_str).unwrap_or_default();
            let entitlement = grant.get("entitlement").cloned().unwrap_or_default();
            (said(&entitlement), rule.to_owned())
        })
        .collect();
    if given.is_empty() && answer.get("allow") == Some(&Value::Bool(true)) {
        let rule = answer.get("rule").and_then(Value::as_str).unwrap_or_default();
        given.insert(("admission".to_owned(), rule.to_owned()));
    }
    given
}

fn said(entitlement: &Value) -> String {
    match serde_json::from_value(entitlement.clone()) {
        Ok(Entitlement::Project {
            domain,
            project,
            role,
        }) => {
            format!("role {role} on project {project} of domain {domain}")
        }
        Ok(Entitlement::Group { group }) => format!("group {group}"),
        Ok(Entitlement::Session) => "sign-in".to_owned(),
        Err(_) => entitlement.to_string(),
    }
}

fn texts(answer: &Value, key: &str) -> BTreeSet<String> {
    let items = answer.get(key).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

impl Report {
    /// For people: a block for each person and place.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} decisions asked again of {} (in force) and {} (candidate); {} skipped, {} already answered differently today",
            self.replayed, self.revision, self.candidate, self.skipped, self.moved
        )];
        if self.changes.is_empty() {
            lines.push("nobody would gain or lose anything".to_owned());
        }
        for change in &self.changes {
            lines.push(format!(
                "{} (tenant {}) at {} [{}, {} decisions, for example {}]",
                change.user, change.tenant, change.target, change.path, change.decisions, change.decision_id
            ));
            lines.extend(
                change
                    .gains
                    .iter()
                    .map(|(what, rule)| format!("  gains {what}, by {rule}")),
            );
            lines.extend(
                change
                    .loses
                    .iter()
                    .map(|(what, rule)| format!("  loses {what}, given now by {rule}")),
            );
            if change.gains.is_empty() && change.loses.is_empty() {
                lines.push("  gets the same, for other reasons or another time".to_owned());
            }
            if !change.reasons.is_empty() {
                let reasons: Vec<&str> = change.reasons.iter().map(String::as_str).collect();
                lines.push(format!("  because {} says {}", change.rule, reasons.join(", ")));
            }
        }
        lines
    }
}
