//! Workloads as upstream: a CI job or a pod shows a token that its own issuer signed (GitLab CI, GitHub Actions,
//! Zuul, a Kubernetes service account). No secret is kept anywhere; what may be had depends on where the job runs.
//!
//! Start at [`Workload::accept`](crate::port::upstream::TokenLogin::accept): signature, issuer, audience, times,
//! conditions, and last the use: a token that fails a check is not used up.

mod config;
mod pattern;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use serde_json::{Map, Value};
use url::Url;

use super::{
    Wiring,
    jose::{keys::KeySet, token, trouble::Troubles},
};
use crate::{
    domain::{
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
        ids::{TenantId, UpstreamId},
        mapping,
        time::Timestamp,
    },
    outbound::Outbound,
    port::{
        clock::Clock,
        tickets::Tickets,
        upstream::{Health, TokenLogin, Upstream, Ways},
    },
};

pub use config::{Condition, Config, LONGEST_S};

/// Longer tokens are refused unread.
const LONGEST_TOKEN: usize = 16 * 1024;
/// A token that lives longer than a day is a key that lies around, no proof of a running job.
const LONGEST_LIFE: i64 = 24 * 3600;
/// So much of a claim's value is shown in a refusal.
const LONGEST_SHOWN: usize = 120;

/// The adapter.
pub struct Workload {
    config: Config,
    audiences: Vec<String>,
    keys: KeySet,
    troubles: Troubles,
    outbound: Outbound,
    tickets: Arc<dyn Tickets>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Workload")
            .field("id", &self.config.id)
            .finish_non_exhaustive()
    }
}

impl Workload {
    /// Opens it. The issuer is asked when the first token comes.
    pub(super) fn open(config: Config, wiring: &Wiring<'_>) -> Result<Self, String> {
        if let Some((key, expected)) = config.problems().first() {
            return Err(format!("{key}: expected {expected}"));
        }
        Ok(Self {
            audiences: config.audiences(&wiring.issuer),
            keys: KeySet::default(),
            troubles: Troubles::default(),
            outbound: Outbound::open(&config.outbound()).map_err(|fault| fault.to_string())?,
            tickets: Arc::clone(&wiring.tickets),
            clock: Arc::clone(&wiring.clock),
            config,
        })
    }

    async fn keys(&self, kid: Option<&str>) -> Result<Vec<Jwk>, Fault> {
        let mut held = self.keys.hold().await;
        let now = self.clock.now();
        if held.must_ask(kid, now) {
            held.ask(now, read_keys(self.config.clone(), self.outbound.clone()));
        }
        held.answered(kid, &self.troubles).await.map_err(|fault| {
            let unread = format!("the keys of {} cannot be read now; try again", self.config.issuer);
            fault.because(vec![unread])
        })?;
        held.candidates(kid)
    }

    /// The claims of a token that is the issuer's, good now, and for us.
    async fn verified(&self, token: &str) -> Result<Map<String, Value>, Fault> {
        if token.len() > LONGEST_TOKEN {
            return Err(invalid("the token is longer than 16 KiB"));
        }
        let (algorithm, kid) = token::header(token, &["JWT"]).map_err(invalid)?;
        let keys = self.keys(kid.as_deref()).await?;
        let claims = token::signed(token, algorithm, &keys).map_err(invalid)?;
        token::issued_by(&claims, &self.config.issuer).map_err(invalid)?;
        // Nobody learns what is expected here who has no token that this issuer signed.
        self.for_us(&claims)?;
        let now = self.clock.now();
        token::in_time(&claims, now, None).map_err(invalid)?;
        let moment = |name: &str| claims.get(name).and_then(token::seconds);
        if let (Some(begin), Some(end)) = (moment("iat"), moment("exp"))
            && end.saturating_sub(begin) > LONGEST_LIFE
        {
            return Err(invalid("the token lives longer than a day"));
        }
        Ok(claims)
    }

    fn for_us(&self, claims: &Map<String, Value>) -> Result<(), Fault> {
        let actual = token::audiences(claims);
        if self.audiences.iter().any(|own| actual.contains(&own.as_str())) {
            return Ok(());
        }
        let named = if actual.is_empty() {
            "(none)".to_owned()
        } else {
            shown(&actual.join(" "))
        };
        let expected = format!("expected: {}", self.audiences.join(" or "));
        Err(
            Fault::new(Code::AudMismatch, format!("a workload's token for {named}"))
                .because(vec![expected, format!("actual: {named}")]),
        )
    }

    fn conditions(&self, claims: &Map<String, Value>) -> Result<(), Fault> {
        let failed: Vec<String> = self
            .config
            .conditions
            .iter()
            .filter_map(|condition| unmet(condition, claims))
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Fault::new(Code::ConditionFailed, failed.join("; ")).because(failed))
    }

    /// Uses the token up. Its `jti` counts; of a token without one, all that is signed. The signature does not: another
    /// one over the same text can be made of it without the key (ECDSA).
    async fn use_up(&self, token: &str, claims: &Map<String, Value>) -> Result<(), Fault> {
        if self.config.reuse {
            return Ok(());
        }
        let name = match claims.get("jti").and_then(Value::as_str) {
            Some(jti) if !jti.is_empty() => format!("jti {jti}"),
            Some(_) | None => {
                let text = token.rsplit_once('.').map_or(token, |(text, _)| text);
                let hash = digest::digest(&digest::SHA256, text.as_bytes());
                format!("token {}", URL_SAFE_NO_PAD.encode(hash))
            }
        };
        let name = format!("workload {} {name}", self.config.id);
        if token::first_use(&*self.tickets, &name, claims, self.clock.now()).await? {
            Ok(())
        } else {
            Err(Fault::new(
                Code::TokenReplayed,
                "a workload's token came a second time",
            ))
        }
    }

    fn assertion(&self, claims: &Map<String, Value>) -> Result<UpstreamAssertion, Fault> {
        let now = self.clock.now();
        let mut claims = claims.clone();
        let subject = claims.get("sub").and_then(Value::as_str).map(str::to_owned);
        let name = named(&self.config.username, &claims)?;
        claims.insert("preferred_username".to_owned(), name.into());
        let issued = claims.get("iat").and_then(token::seconds).map_or(now, Timestamp);
        UpstreamAssertion::verified(Verified {
            upstream: self.config.id.clone(),
            tenant: self.config.tenant.clone(),
            issuer: self.config.issuer.clone(),
            subject: subject.unwrap_or_default(),
            claims,
            authenticated_at: issued.min(now),
            // A program has no second factor, whatever its issuer writes: no rule that asks for one is met.
            acr: None,
            amr: Vec::new(),
            not_after: now.plus(Duration::from_secs(self.config.lifetime_s.min(LONGEST_S))),
            upstream_session: None,
        })
        .map_err(|fault| Fault::new(Code::ProofInvalid, fault.to_string()))
    }
}

/// What of the checks the caller may read: they say nothing about keys or configuration.
fn invalid(why: &'static str) -> Fault {
    Fault::new(Code::ProofInvalid, why).because(vec![why.to_owned()])
}

/// The issuer's keys, from wherever the configuration says that they are.
async fn read_keys(config: Config, outbound: Outbound) -> Result<Value, String> {
    if let Some(path) = &config.jwks_file {
        return from_file(path).await;
    }
    let url = match &config.jwks_uri {
        Some(url) => url.clone(),
        None => discovered(&config.issuer, &outbound).await?,
    };
    outbound.get_json(&url).await.map_err(|fault| fault.to_string())
}

/// Where the discovery document says that the keys are. A Kubernetes API server's document has nothing else.
async fn discovered(issuer: &str, outbound: &Outbound) -> Result<Url, String> {
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let url = Url::parse(&url).map_err(|error| format!("issuer: {error}"))?;
    let document = outbound.get_json(&url).await;
    let document = document.map_err(|fault| fault.to_string())?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    // Keys of another issuer would let that one speak in this one's name (RFC 8414 §3.3).
    if text("issuer") != Some(issuer) {
        return Err("the discovery document names another issuer than the configuration".to_owned());
    }
    let keys = text("jwks_uri").ok_or("the discovery document has no jwks_uri")?;
    let keys = Url::parse(keys).map_err(|error| format!("the discovery document: jwks_uri: {error}"))?;
    if issuer.starts_with("https:") && keys.scheme() != "https" {
        return Err("the discovery document names keys without https".to_owned());
    }
    Ok(keys)
}

async fn from_file(path: &Path) -> Result<Value, String> {
    let wrong = |why: String| format!("{}: {why}", path.display());
    let text = tokio::fs::read(path)
        .await
        .map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| wrong(format!("found no JWKS ({error})")))
}

/// A condition that does not hold, in the words of the refusal: `ref=feature/x, allowed: main`.
fn unmet(condition: &Condition, claims: &Map<String, Value>) -> Option<String> {
    let values = texts(mapping::claim(claims, &condition.claim));
    let allowed = |value: &String| condition.any.iter().any(|own| pattern::fits(own, value));
    if values.iter().any(allowed) {
        return None;
    }
    let found = if values.is_empty() {
        "(missing)".to_owned()
    } else {
        shown(&values.join(","))
    };
    Some(format!(
        "{}={found}, allowed: {}",
        condition.claim,
        condition.any.join(", ")
    ))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Some(Value::Array(many)) => many.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// `{claim}` replaced by its value. One pass: a value with braces stays a value.
fn named(template: &str, claims: &Map<String, Value>) -> Result<String, Fault> {
    let mut name = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        name.push_str(before);
        let Some((claim, tail)) = after.split_once('}') else {
            name.push('{');
            rest = after;
            continue;
        };
        let [value] = texts(mapping::claim(claims, claim)).try_into().map_err(|_| {
            let missing = format!("the token has no single claim '{claim}'");
            Fault::new(Code::MappingFailed, missing.clone()).because(vec![missing])
        })?;
        name.push_str(&value);
        rest = tail;
    }
    name.push_str(rest);
    Ok(name)
}

/// A claim's value as a refusal shows it: bounded and printable. Never the token.
fn shown(text: &str) -> String {
    text.chars()
        .take(LONGEST_SHOWN)
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

impl Upstream for Workload {
    fn id(&self) -> &UpstreamId {
        &self.config.id
    }
    fn display_name(&self) -> &str {
        &self.config.name
    }
    fn tenant(&self) -> &TenantId {
        &self.config.tenant
    }
    fn health(&self) -> Health {
        self.troubles
            .told(self.clock.now())
            .map_or(Health::Ready, |reason| Health::Impaired { reason })
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            token: Some(self),
            ..Ways::default()
        }
    }
}

#[async_trait]
impl TokenLogin for Workload {
    fn issuer(&self) -> &str {
        &self.config.issuer
    }

    fn audiences(&self) -> &[String] {
        &self.audiences
    }

    async fn accept(&self, token: &str) -> Result<UpstreamAssertion, Fault> {
        let claims = self.verified(token).await?;
        self.conditions(&claims)?;
        let assertion = self.assertion(&claims)?;
        self.use_up(token, &claims).await?;
        Ok(assertion)
    }
}
