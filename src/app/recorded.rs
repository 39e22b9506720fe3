//! What was decided, from the decisions that a gateway keeps: why, and whether it would be decided so again.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{build::StartFault, clock::SystemClock, explain::Supposed};
use crate::{
    config::Config,
    policy::{PolicyEngine, RuleSeen, entry_of},
    port::{
        clock::Clock as _,
        decisions::KeptDecision,
        policy::{Entry, Policy as _},
        secrets::Secrets,
    },
    store,
};

/// Decisions of one page of a search.
const PAGE: u32 = 1_000;

/// One decision, as it was recorded and as it would be now.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// What was asked.
    pub path: String,
    /// When (RFC 3339).
    pub time: String,
    /// The policies that answered then.
    pub revision: Option<String>,
    /// The input, masked as it is kept.
    pub input: Value,
    /// The answer then; absent where it was undefined or an error.
    pub result: Option<Value>,
    /// The answer of today's policies.
    pub today: Option<Value>,
    /// Every rule of today's policies that was touched.
    pub rules: Vec<RuleSeen>,
}

/// Why nothing is found, and what to do.
fn nothing(config: &Config, what: &str) -> StartFault {
    let days = config.policy.decision_logs.keep.days;
    let next = if days == 0 {
        "The gateway keeps no decisions: set policy.decision_logs.keep.days".to_owned()
    } else {
        format!(
            "Decisions are kept for {days} days. Is this the configuration of the gateway that was asked?"
        )
    };
    StartFault(format!("{what}. {next}"))
}

/// The decisions of one `decision_id`: the reference that a person was shown, or the id that a service got.
pub async fn of_decision(
    config: &Config,
    secrets: &dyn Secrets,
    engine: &PolicyEngine,
    id: &str,
) -> Result<Vec<Seen>, StartFault> {
    let opened = store::open(&config.store, secrets, Arc::new(SystemClock))
        .await
        .map_err(StartFault::of)?;
    let found = opened.decisions.of(id).await.map_err(StartFault::of);
    opened.close().await;
    let found = found?;
    if found.is_empty() {
        return Err(nothing(config, &format!("there is no decision '{id}'")));
    }
    found.iter().map(|kept| seen(engine, kept)).collect()
}

fn seen(engine: &PolicyEngine, kept: &KeptDecision) -> Result<Seen, StartFault> {
    let mut event: Map<String, Value> = serde_json::from_str(&kept.event).map_err(StartFault::of)?;
    let input = event.remove("input").unwrap_or(Value::Null);
    let (mut rules, mut today) = (Vec::new(), None);
    if let Some(entry) = entry_of(&kept.path) {
        let text = input.to_string();
        rules = engine.explain(entry, &text).map_err(StartFault::of)?;
        today = Some(
            serde_json::from_str(&engine.decide(entry, &text).map_err(StartFault::of)?)
                .map_err(StartFault::of)?,
        );
    }
    Ok(Seen {
        path: kept.path.clone(),
        time: kept.at.rfc3339(),
        revision: event.get("revision").and_then(Value::as_str).map(str::to_owned),
        input,
        result: event.remove("result"),
        today,
        rules,
    })
}

/// What an upstream said of somebody at their last sign-in, as the mapping was asked about it.
pub async fn of_user(
    config: &Config,
    secrets: &dyn Secrets,
    (user, target): (&str, &str),
    since: Duration,
) -> Result<Supposed, StartFault> {
    let clock = Arc::new(SystemClock);
    let now = clock.now();
    let opened = store::open(&config.store, secrets, clock)
        .await
        .map_err(StartFault::of)?;
    let (mut after, mut last) = (0, None);
    loop {
        let page = opened.decisions.since(now.minus(since), after, PAGE).await;
        let page = match page {
            Ok(page) if !page.is_empty() => page,
            Ok(_) => break,
            Err(fault) => {
                opened.close().await;
                return Err(StartFault::of(fault));
            }
        };
        for (number, kept) in page {
            after = number;
            last = said(&kept, user).or(last);
        }
    }
    opened.close().await;
    let (upstream, claims) =
        last.ok_or_else(|| nothing(config, &format!("nobody called '{user}' has signed in lately")))?;
    Ok(Supposed {
        upstream,
        claims,
        target: target.to_owned(),
        now,
    })
}

/// The upstream and the claims of a recorded mapping, if it was this person's.
fn said(kept: &KeptDecision, user: &str) -> Option<(String, Map<String, Value>)> {
    if entry_of(&kept.path) != Some(Entry::Mapping) {
        return None;
    }
    let event: Value = serde_json::from_str(&kept.event).ok()?;
    let (subject, login) = (event.pointer("/input/subject")?, event.pointer("/input/login")?);
    let is = |name: &str| subject.get(name).and_then(Value::as_str) == Some(user);
    if !is("username") && !is("id") && login.get("email").and_then(Value::as_str) != Some(user) {
        return None;
    }
    let mut claims = login.get("claims")?.as_object()?.clone();
    // Facts that are no claims of their own, as an ID token would say them.
    for (claim, fact) in [
        ("sub", login.get("subject")),
        ("iss", subject.get("issuer")),
        ("acr", subject.get("acr")),
        ("amr", subject.get("amr")),
        ("auth_time", subject.get("authenticated_at")),
    ] {
        if let Some(fact) = fact.filter(|fact| !fact.is_null()) {
            claims.insert(claim.to_owned(), fact.clone());
        }
    }
    let upstream = subject.get("upstream")?.as_str()?.to_owned();
    Some((upstream, claims))
}
