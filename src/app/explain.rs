//! What would be decided for somebody with these claims, and why. Opens nothing, keeps nothing, gives nothing.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    config::Config,
    domain::{
        access::{self, AccessRequest, Answer, Asked, Ceilings, Dropped, Grant, TargetKind},
        assertion::Verified,
        identity::Identity,
        ids::{TargetId, TenantId, UpstreamId},
        mapping::{DroppedGroup, Hit, Mapping, Refinement, refine},
        tenant::Tenant,
        time::Timestamp,
    },
    policy::{PolicyEngine, ReasonText, RuleSeen, reason_texts},
    port::policy::{
        self, ClaimFacts, Context, Decision as _, Entry, LoginQuestion, MappingQuestion, Policy as _,
        Question, Subject, VERSION, Wanted,
    },
    upstream::Declared,
};

use super::{build::StartFault, lacks::AtKeystone};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Supposed {
    /// The upstream that is supposed to have said it.
    pub upstream: String,
    /// The claims.
    pub claims: Map<String, Value>,
    /// Where they want to go: a target's id, a client's id, or `gateway`.
    pub target: String,
    /// When.
    pub now: Timestamp,
}

/// The whole way from claims to what would be given.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The policies that answered.
    pub revision: String,
    /// What came in.
    pub claims: Map<String, Value>,
    /// The mapping rules that it hit.
    pub mapping_rules: Vec<Hit>,
    /// The groups that followed, after policy.
    pub groups: Vec<String>,
    /// What policy did not take over of them.
    pub dropped_groups: Vec<DroppedGroup>,
    /// The decision's input.
    pub input: Value,
    /// Every rule of the policies that were touched.
    pub rules: Vec<RuleSeen>,
    /// What would be given.
    pub grants: Vec<Grant>,
    /// What the gateway itself took away again.
    pub dropped: Vec<Dropped>,
    /// Why nothing is given.
    pub reasons: Vec<String>,
    /// What the reasons mean.
    pub texts: BTreeMap<String, ReasonText>,
    /// What the target's Keystone lacks of it; absent where it was not looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystone: Option<AtKeystone>,
    /// When it would end, in seconds since 1970.
    pub expires: Option<i64>,
}

/// Explains by the policies of `engine`: no store, no network.
pub fn explain(
    config: &Config,
    engine: &PolicyEngine,
    supposed: &Supposed,
) -> Result<Explanation, StartFault> {
    let facts = facts(config, supposed)?;
    let declared = declared(config, &supposed.upstream)?;
    let mapping = Mapping::compile(declared.mapping().clone());
    let hits = mapping.hits(&facts).map_err(StartFault::of)?;
    let mapped = mapping.suppose(&facts).map_err(StartFault::of)?;
    let (refinement, question) = refined(engine, &mapped, &facts)?;
    let mut explanation = Explanation {
        revision: engine.revision(),
        claims: supposed.claims.clone(),
        mapping_rules: hits,
        groups: Vec::new(),
        dropped_groups: refinement.dropped.clone(),
        input: serde_json::from_str(&question).map_err(StartFault::of)?,
        rules: engine
            .explain(Entry::Mapping, &question)
            .map_err(StartFault::of)?,
        grants: Vec::new(),
        dropped: Vec::new(),
        reasons: refinement.reasons.clone(),
        texts: BTreeMap::new(),
        keystone: None,
        expires: None,
    };
    if let Ok(identity) = refine(mapped, &refinement) {
        explanation.groups = identity.groups().iter().map(|group| group.name.clone()).collect();
        decide(config, (engine, supposed), (&identity, &facts), &mut explanation)?;
    }
    let known = reason_texts();
    let named = explanation
        .reasons
        .iter()
        .chain(explanation.dropped_groups.iter().map(|group| &group.reason));
    explanation.texts = named
        .filter_map(|code| Some((code.clone(), known.get(code)?.clone())))
        .collect();
    Ok(explanation)
}

fn declared<'a>(config: &'a Config, upstream: &str) -> Result<&'a Declared, StartFault> {
    let known = || {
        let names: Vec<&str> = config.upstreams.iter().map(|one| one.id().as_str()).collect();
        StartFault(format!(
            "there is no upstream '{upstream}'; name one of: {}",
            names.join(", ")
        ))
    };
    config
        .upstreams
        .iter()
        .find(|one| one.id().as_str() == upstream)
        .ok_or_else(known)
}

fn facts(config: &Config, supposed: &Supposed) -> Result<Verified, StartFault> {
    let declared = declared(config, &supposed.upstream)?;
    let text = |name: &str| {
        supposed
            .claims
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let methods = supposed.claims.get("amr").and_then(Value::as_array);
    let methods = methods.into_iter().flatten().filter_map(Value::as_str);
    let at = supposed.claims.get("auth_time").and_then(Value::as_i64);
    Ok(Verified {
        upstream: UpstreamId::parse(&supposed.upstream).map_err(StartFault::of)?,
        tenant: declared.tenant().clone(),
        issuer: text("iss").unwrap_or_default(),
        subject: text("sub").ok_or_else(|| StartFault("the claims have no `sub`".to_owned()))?,
        claims: supposed.claims.clone(),
        authenticated_at: at.map_or(supposed.now, Timestamp),
        acr: text("acr"),
        amr: methods.map(str::to_owned).collect(),
        not_after: supposed.now.plus(Duration::from_secs(8 * 3600)),
        upstream_session: None,
    })
}

fn refined(
    engine: &PolicyEngine,
    mapped: &Identity,
    facts: &Verified,
) -> Result<(Refinement, String), StartFault> {
    let question = MappingQuestion {
        v: VERSION,
        subject: Subject::of(mapped),
        login: ClaimFacts::of(mapped, facts),
    };
    let input = serde_json::to_string(&question).map_err(StartFault::of)?;
    let output = engine
        .decide(MappingQuestion::ENTRY, &input)
        .map_err(StartFault::of)?;
    Ok((
        policy::read::<Refinement>(&output).map_err(StartFault::of)?,
        input,
    ))
}

/// The kind of a target and its longest life.
fn place(config: &Config, target: &str) -> Result<(TargetKind, u64), StartFault> {
    if target == "gateway" {
        return Ok((TargetKind::Gateway, 24 * 3600));
    }
    for declared in &config.targets {
        if declared.id().as_str() == target {
            return Ok((declared.kind(), declared.lifetime_s()));
        }
    }
    let client = config.clients.iter().find(|client| client.id.as_str() == target);
    client
        .map(|client| (TargetKind::RelyingParty, client.token_lifetime().as_secs()))
        .ok_or_else(|| {
            StartFault(format!(
                "there is no target or client '{target}', and it is not 'gateway'"
            ))
        })
}

fn tenant<'a>(config: &'a Config, id: &TenantId) -> Result<&'a Tenant, StartFault> {
    let found = config.tenants.iter().find(|tenant| &tenant.id == id);
    found.ok_or_else(|| StartFault(format!("there is no tenant '{id}'")))
}

fn decide(
    config: &Config,
    (engine, supposed): (&PolicyEngine, &Supposed),
    (identity, facts): (&Identity, &Verified),
    explanation: &mut Explanation,
) -> Result<(), StartFault> {
    let (kind, lifetime) = place(config, &supposed.target)?;
    let access = Question {
        v: VERSION,
        subject: Subject::of(identity),
        context: Context {
            time_s: supposed.now.0,
            client_ip: None,
            reference: "explain",
        },
        request: Wanted {
            target: &supposed.target,
            kind,
            client: None,
            only: None,
        },
    };
    // A sign-in is asked as a sign-in, so that the rules at the door are seen too.
    let (entry, input) = if kind == TargetKind::Gateway {
        let login = LoginQuestion {
            access,
            login: ClaimFacts::of(identity, facts),
        };
        (
            Entry::Login,
            serde_json::to_string(&login).map_err(StartFault::of)?,
        )
    } else {
        (
            Entry::Access,
            serde_json::to_string(&access).map_err(StartFault::of)?,
        )
    };
    let answer: Answer =
        policy::read(&engine.decide(entry, &input).map_err(StartFault::of)?).map_err(StartFault::of)?;
    explanation
        .rules
        .extend(engine.explain(entry, &input).map_err(StartFault::of)?);
    explanation.input = serde_json::from_str(&input).map_err(StartFault::of)?;
    let tenant = tenant(config, identity.tenant())?;
    let request = AccessRequest {
        identity,
        tenant,
        target: TargetId::parse(&supposed.target).map_err(StartFault::of)?,
        kind,
        audience: supposed.target.clone(),
        asked: Asked::Everything,
        ceilings: Ceilings {
            lifetime: Duration::from_secs(lifetime),
        },
        now: supposed.now,
    };
    match access::decide(&request, answer) {
        Ok(permit) => {
            explanation.grants = permit.grants().to_vec();
            explanation.dropped = permit.dropped().to_vec();
            explanation.expires = Some(permit.expires().0);
        }
        Err(denial) => explanation.reasons = denial.reasons,
    }
    Ok(())
}

/// Now, for who asks from the command line.
#[must_use]
pub fn now() -> Timestamp {
    use crate::port::clock::Clock as _;
    super::clock::SystemClock.now()
}
