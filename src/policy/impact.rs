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
    /// What they would get and do not get now by any rule, each with the rule that gives it.
    pub gains: BTreeSet<(String, String)>,
    /// What they get now and would not get by any rule, each with the rule that gives it now.
    pub loses: BTreeSet<(String, String)>,
    /// What they get now and would get, by other rules. Nobody has more or less of it.
    pub moves: BTreeSet<Moved>,
    /// Whether anything else differs: the reasons for a refusal, how long it lives, scopes.
    pub terms: bool,
    /// The candidate's reasons for refusing.
    pub reasons: BTreeSet<String>,
    /// The rule of the candidate that speaks.
    pub rule: String,
    /// How many recorded decisions say so.
    pub decisions: u64,
    /// One of them.
    pub decision_id: String,
}

/// What somebody keeps, and by what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moved {
    /// What it is.
    pub what: String,
    /// The rules that give it now.
    pub now: BTreeSet<String>,
    /// The candidate's that would give it.
    pub then: BTreeSet<String>,
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
    /// Who would gain and who would lose what, and who keeps what by another rule.
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
        let (had, has) = (given(&live), given(&next));
        let change = Change {
            tenant: text("/subject/tenant"),
            user: text("/subject/username"),
            target: text("/request/target"),
            path: path.to_owned(),
            gains: beyond(&has, &had),
            loses: beyond(&had, &has),
            moves: moved(&had, &has),
            terms: terms(&live) != terms(&next),
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
        kept.moves.extend(change.moves);
        kept.terms |= change.terms;
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

/// What an answer gives, with the rules that give it: several may give the same.
type Given = BTreeMap<String, BTreeSet<String>>;

fn given(answer: &Value) -> Given {
    let mut given = Given::new();
    if answer.get("allow") == Some(&Value::Bool(false)) {
        return given;
    }
    let rule = |of: &Value| {
        let rule = of.get("rule").and_then(Value::as_str);
        rule.unwrap_or_default().to_owned()
    };
    let grants = answer.get("grants").and_then(Value::as_array);
    for grant in grants.into_iter().flatten() {
        let entitlement = grant.get("entitlement").cloned().unwrap_or_default();
        given.entry(said(&entitlement)).or_default().insert(rule(grant));
    }
    if given.is_empty() && answer.get("allow") == Some(&Value::Bool(true)) {
        given.insert("admission".to_owned(), BTreeSet::from([rule(answer)]));
    }
    given
}

/// What `one` gives and `other` does not by any rule. Who keeps a thing by another rule neither gains nor
/// loses it.
fn beyond(one: &Given, other: &Given) -> BTreeSet<(String, String)> {
    one.iter()
        .filter(|(what, _)| !other.contains_key(*what))
        .flat_map(|(what, rules)| rules.iter().map(|rule| (what.clone(), rule.clone())))
        .collect()
}

/// What both give, by different rules.
fn moved(now: &Given, then: &Given) -> BTreeSet<Moved> {
    now.iter()
        .filter_map(|(what, rules)| then.get(what).map(|next| (what, rules, next)))
        .filter(|(_, rules, next)| rules != next)
        .map(|(what, rules, next)| Moved {
            what: what.clone(),
            now: rules.clone(),
            then: next.clone(),
        })
        .collect()
}

/// An answer without what it gives and by which rule: how long, with which scopes, why not.
fn terms(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "grants" | "rule"));
    }
    answer
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

impl Change {
    /// Whether it is to be looked at: more than another rule that gives the same.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.terms || !self.gains.is_empty() || !self.loses.is_empty()
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} (tenant {}) at {} [{}, {} decisions, for example {}]",
            self.user, self.tenant, self.target, self.path, self.decisions, self.decision_id
        )];
        let gains = self.gains.iter();
        lines.extend(gains.map(|(what, rule)| format!("  gains {what}, by {rule}")));
        let loses = self.loses.iter();
        lines.extend(loses.map(|(what, rule)| format!("  loses {what}, given now by {rule}")));
        let moves = self.moves.iter();
        lines.extend(moves.map(|moved| {
            let (now, then) = (listed(&moved.now), listed(&moved.then));
            format!("  keeps {}, given now by {now}, then by {then}", moved.what)
        }));
        if self.terms && self.gains.is_empty() && self.loses.is_empty() {
            lines.push("  gets the same, for other reasons or another time".to_owned());
        }
        if !self.reasons.is_empty() {
            lines.push(format!("  because {} says {}", self.rule, listed(&self.reasons)));
        }
        lines
    }
}

fn listed(texts: &BTreeSet<String>) -> String {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.join(", ")
}

impl Report {
    /// Whether anybody gains or loses, or gets the same on other terms.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.changes.iter().any(Change::counts)
    }

    /// For people: a block for each person and place.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} decisions asked again of {} (in force) and {} (candidate); {} skipped, {} already answered differently today",
            self.replayed, self.revision, self.candidate, self.skipped, self.moved
        )];
        if !self.counts() {
            lines.push("nobody would gain or lose anything".to_owned());
        }
        lines.extend(self.changes.iter().flat_map(Change::lines));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn answer(rules: &[&str]) -> Value {
        let grants: Vec<Value> = rules
            .iter()
            .map(|rule| json!({ "entitlement": { "kind": "session" }, "rule": rule }))
            .collect();
        json!({ "allow": !rules.is_empty(), "grants": grants, "rule": "federation/access", "lifetime_s": null })
    }

    fn between(live: &Value, next: &Value) -> Change {
        let (had, has) = (given(live), given(next));
        Change {
            tenant: "acme".to_owned(),
            user: "alice".to_owned(),
            target: "gateway".to_owned(),
            path: "federation/access/decision".to_owned(),
            gains: beyond(&has, &had),
            loses: beyond(&had, &has),
            moves: moved(&had, &has),
            terms: terms(live) != terms(next),
            reasons: BTreeSet::new(),
            rule: String::new(),
            decisions: 1,
            decision_id: String::new(),
        }
    }

    #[test]
    fn another_rule_for_the_same_is_no_gain_and_no_loss() {
        let change = between(&answer(&["developers"]), &answer(&["guests"]));
        assert!(change.gains.is_empty() && change.loses.is_empty() && !change.counts());
        assert_eq!(
            change.moves,
            BTreeSet::from([Moved {
                what: "sign-in".to_owned(),
                now: set(&["developers"]),
                then: set(&["guests"]),
            }])
        );
        assert_eq!(
            change.lines().last().unwrap(),
            "  keeps sign-in, given now by developers, then by guests"
        );
        let more = between(&answer(&["developers"]), &answer(&["developers", "guests"]));
        assert!(more.gains.is_empty() && !more.counts());
        assert_eq!(more.moves.len(), 1);
    }

    #[test]
    fn what_no_rule_gave_is_a_gain_and_what_none_gives_is_a_loss() {
        let gain = between(&answer(&[]), &answer(&["guests"]));
        let session = ("sign-in".to_owned(), "guests".to_owned());
        assert_eq!(gain.gains, BTreeSet::from([session.clone()]));
        assert!(gain.counts() && gain.moves.is_empty() && gain.loses.is_empty());
        let loss = between(&answer(&["guests"]), &answer(&[]));
        assert_eq!(loss.loses, BTreeSet::from([session]));
        assert!(loss.counts() && loss.gains.is_empty());
    }

    #[test]
    fn a_shorter_life_by_another_rule_counts() {
        let mut next = answer(&["guests"]);
        next["lifetime_s"] = json!(300);
        assert!(between(&answer(&["developers"]), &next).counts());
    }
}
