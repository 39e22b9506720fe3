//! What operators do with policies from the command line: calls to a running gateway, and replays on its store.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::Value;

use super::{build::StartFault, clock::SystemClock, policies};
use crate::{
    config::Config,
    outbound::{self, Addresses, Call, Outbound},
    policy::{self, Candidate, bundles::verification, impact},
    port::{clock::Clock as _, secrets::Secrets},
    store,
};

/// Longest time for a change: a large bundle is read, checked and tested.
const PATIENCE: Duration = Duration::from_secs(120);
/// Decisions of one page of a replay.
const PAGE: u32 = 1_000;

/// How the running gateway is reached.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Its base URL; absent: the issuer of the configuration.
    pub url: Option<String>,
    /// Certificates to trust; absent: the system's.
    pub ca: Option<PathBuf>,
}

/// What is done there.
#[derive(Debug)]
pub enum Deed {
    /// Say what decides.
    State,
    /// Take an archive into use.
    Apply(Vec<u8>),
    /// Return to what was before.
    RollBack,
    /// Run an archive in the shadow; none ends that.
    Shadow(Option<Vec<u8>>),
}

/// Does it, and answers with the gateway's words.
pub async fn ask(
    config: &Config,
    secrets: &dyn Secrets,
    reach: &Reach,
    deed: Deed,
) -> Result<Value, StartFault> {
    let authorization = authorization(config, secrets)?;
    let base = reach
        .url
        .as_deref()
        .unwrap_or(&config.issuer)
        .trim_end_matches('/');
    let (method, path, body) = match deed {
        Deed::State => (Method::GET, "state", None),
        Deed::Apply(archive) => (Method::POST, "apply", Some(archive)),
        Deed::RollBack => (Method::POST, "rollback", None),
        Deed::Shadow(Some(archive)) => (Method::PUT, "shadow", Some(archive)),
        Deed::Shadow(None) => (Method::DELETE, "shadow", None),
    };
    let url = format!("{base}/admin/v1/policy/{path}")
        .parse()
        .map_err(|error| StartFault(format!("{base}: {error}; expected the gateway's URL")))?;
    let outbound = Outbound::open(&outbound::Config {
        ca: reach.ca.clone(),
        addresses: Addresses::Loopback,
        ..outbound::Config::default()
    });
    let call = Call {
        method,
        url,
        headers: HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]),
        body: body.map(Bytes::from),
        timeout: PATIENCE,
    };
    let answer = outbound
        .map_err(StartFault::of)?
        .call(call)
        .await
        .map_err(|fault| {
            StartFault(format!(
                "{fault}; is the gateway running, and is --ca its authority?"
            ))
        })?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status.is_success() {
        return Ok(said);
    }
    let problems: Vec<&str> = said
        .get("problems")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if problems.is_empty() {
        return Err(StartFault(format!("{base} answered {}: {said}", answer.status)));
    }
    Err(StartFault(problems.join("\n")))
}

/// The administrator's token, as a header.
fn authorization(config: &Config, secrets: &dyn Secrets) -> Result<HeaderValue, StartFault> {
    let admin = config.admin.as_ref().ok_or_else(|| {
        StartFault("admin: found nothing; expected the section with the administrator's token".to_owned())
    })?;
    let token = secrets
        .read(&admin.token)
        .map_err(|fault| StartFault(format!("admin.token: {fault}")))?;
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        .map_err(|_| StartFault("admin.token: it cannot be sent in a header".to_owned()))?;
    authorization.set_sensitive(true);
    Ok(authorization)
}

/// Asks recorded decisions again: of the policies in force, and of an archive.
pub async fn impact(
    config: &Config,
    secrets: &dyn Secrets,
    archive: &[u8],
    since: Duration,
) -> Result<impact::Report, StartFault> {
    let failed = |why: String| StartFault(why);
    let verification = verification(&config.policy, "", secrets).map_err(failed)?;
    let candidate = Candidate::read(archive, verification.as_ref())
        .map_err(|problems| StartFault(policy::PolicyLoadFault { problems }.to_string()))?;
    let applied = policy::applied(&config.policy, secrets).map_err(failed)?;
    let basis = policies::basis(config);
    let mut replay = impact::Replay::new(
        (&basis.config, &basis.rules, &basis.tenants),
        applied.as_ref(),
        &candidate,
    )
    .map_err(StartFault::of)?;
    let clock = Arc::new(SystemClock);
    let from = clock.now().minus(since);
    let opened = store::open(&config.store, secrets, clock)
        .await
        .map_err(StartFault::of)?;
    let mut after = 0;
    loop {
        let page = opened
            .decisions
            .since(from, after, PAGE)
            .await
            .map_err(StartFault::of)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (_, decision) in &page {
            replay.ask(&decision.event);
        }
    }
    opened.close().await;
    Ok(replay.finish())
}
