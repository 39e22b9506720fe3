//! An unpatched OpenStack Keystone, behind this gateway ("front mode").
//!
//! The gateway stands where Apache's mod_auth_openidc would stand: it calls Keystone's federation URL with
//! identity headers that it alone may set, and Keystone answers with a token. So Keystone must be reachable
//! for this gateway only: whoever reaches it directly is whoever they claim to be.
//!
//! Keystone fixes the end of its token by its own `[token] expiration`; nobody can shorten one token. Keep that
//! setting no longer than this target's `lifetime_s`: what remains is that a token may outlive the proof by up
//! to that span. A removed grant is gone at the next login, because mapping schema 3.0 replaces all
//! assignments of the person; Keystone itself then refuses the role to running tokens.
//!
//! Start at [`Keystone::mint`]; [`headers`] says what Keystone is told, [`setup`] what must exist there.

pub mod headers;
mod http;
pub mod mapping;
pub mod setup;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use url::Url;

use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    credential::{Credential, KeystoneToken},
    fault::{Code, Fault},
    ids::TargetId,
    secret::SecretRef,
    tenant::Tenant,
};
use crate::outbound::{self, Outbound, OutboundFault};
use crate::port::target::{GroupPrefix, Target, TargetFacts};
use crate::wire::keystone::SUBJECT_TOKEN;

use super::Wiring;

/// How long a login waits for one of the bounded calls before it is turned away.
const WAIT_FOR_TURN: Duration = Duration::from_secs(2);
/// First logins at the same time make the same user and projects in Keystone, which refuses all but one (409,
/// or 500 where its database says it). How long to wait before each further try.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];

/// A Keystone, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in rules, links and logs.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// The audience of bearer tokens that are good for logging in here.
    pub audience: String,
    /// Where Keystone listens for this gateway alone, without `/v3`. http only on a network of their own.
    pub url: Url,
    /// CA certificate of Keystone (PEM file). Absent: the public roots.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The identity provider's id in Keystone.
    #[serde(default = "fedgate")]
    pub identity_provider: String,
    /// The protocol's id in Keystone. It must stand in Keystone's `[auth] methods`.
    #[serde(default = "openid")]
    pub protocol: String,
    /// The remote id in Keystone. Absent: the gateway's issuer URL with `/keystone` after it.
    #[serde(default)]
    pub remote_id: Option<String>,
    /// How the identity headers begin; ends with `-`. Keystone's `assertion_prefix` is the same in upper case
    /// with `_` for `-` and `HTTP_` before it. A random prefix for each deployment is one more wall.
    #[serde(default = "oidc_prefix")]
    pub header_prefix: String,
    /// Keystone's `[token] expiration` in seconds. No permit for this target lives longer.
    #[serde(default = "one_hour")]
    pub lifetime_s: u64,
    /// How long Keystone may take to answer, in seconds.
    #[serde(default = "ten_seconds")]
    pub timeout_s: u64,
    /// Most logins that Keystone works on at once. More wait two seconds, then are told to try again.
    #[serde(default = "sixteen")]
    pub concurrency: usize,
    /// The administrator, for `fedgate keystone setup`. The gateway itself never uses it.
    #[serde(default)]
    pub admin: Option<AdminConfig>,
}

/// Who sets Keystone up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminConfig {
    /// A local user with a password, scoped to a project.
    Password {
        /// User name.
        user: String,
        /// The user's domain.
        #[serde(default = "default_domain")]
        user_domain: String,
        /// The project.
        project: String,
        /// The project's domain.
        #[serde(default = "default_domain")]
        project_domain: String,
        /// Where the password is.
        password: SecretRef,
    },
    /// A Keystone token.
    Token {
        /// Where the token is.
        token: SecretRef,
    },
}

fn fedgate() -> String {
    "fedgate".into()
}
fn openid() -> String {
    "openid".into()
}
fn oidc_prefix() -> String {
    "OIDC-".into()
}
fn default_domain() -> String {
    "Default".into()
}
fn one_hour() -> u64 {
    3600
}
fn ten_seconds() -> u64 {
    10
}
fn sixteen() -> usize {
    16
}

impl Config {
    /// What is wrong with the settings, in the operator's words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !matches!(self.url.scheme(), "http" | "https") || self.url.query().is_some() {
            problems.push("'url' must be an http or https URL without a query".to_owned());
        }
        if self.url.path().trim_end_matches('/').ends_with("/v3") {
            problems.push("'url' is Keystone's address without '/v3'".to_owned());
        }
        let named = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if !named(&self.identity_provider) || !named(&self.protocol) {
            problems.push(
                "'identity_provider' and 'protocol' are letters, digits, '-' and '_': they stand in a path"
                    .to_owned(),
            );
        }
        if self.header_prefix.len() < 3
            || !self.header_prefix.ends_with('-')
            || !self
                .header_prefix
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            problems.push("'header_prefix' is letters, digits and '-', and ends with '-'".to_owned());
        }
        if self.lifetime_s == 0 || self.timeout_s == 0 || self.concurrency == 0 {
            problems.push("'lifetime_s', 'timeout_s' and 'concurrency' must not be 0".to_owned());
        }
        problems
    }

    /// The remote id: the one issuer that Keystone ever sees.
    #[must_use]
    pub fn remote_id(&self, issuer: &str) -> String {
        self.remote_id
            .clone()
            .unwrap_or_else(|| format!("{issuer}/keystone"))
    }

    /// The path of the federation URL that makes tokens.
    #[must_use]
    pub fn auth_path(&self) -> String {
        format!(
            "/v3/OS-FEDERATION/identity_providers/{}/protocols/{}/auth",
            self.identity_provider, self.protocol
        )
    }

    /// How it is called, by logins, by the front and by its setup alike: with its own CA, and wherever it
    /// stands, for it is the operator's own and may be on this machine. No redirect is followed: an identity
    /// header must never travel on to another host.
    pub fn client(&self) -> Result<reqwest::Client, OutboundFault> {
        Outbound::streaming(&outbound::Config {
            ca: self.ca.clone(),
            addresses: outbound::Addresses::Loopback,
            ..outbound::Config::default()
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }
}

/// A Keystone.
pub struct Keystone {
    facts: TargetFacts,
    config: Config,
    remote_id: String,
    client: reqwest::Client,
    turns: Semaphore,
    tenants: Arc<BTreeMap<crate::domain::ids::TenantId, Tenant>>,
}

impl std::fmt::Debug for Keystone {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keystone")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl Keystone {
    /// A Keystone as configured.
    pub fn new(config: Config, wiring: &Wiring) -> Result<Self, String> {
        let client = config.client().map_err(|fault| fault.to_string())?;
        Ok(Self {
            facts: TargetFacts {
                id: config.id.clone(),
                name: config.name.clone(),
                kind: TargetKind::Keystone,
                audience: config.audience.clone(),
                ceilings: Ceilings {
                    lifetime: Duration::from_secs(config.lifetime_s),
                },
                group_prefix: GroupPrefix(String::new()),
            },
            remote_id: config.remote_id(&wiring.issuer),
            turns: Semaphore::new(config.concurrency),
            tenants: Arc::clone(&wiring.tenants),
            client,
            config,
        })
    }

    /// Asks again where another login was in the way: the same question a moment later finds what that made.
    async fn log_in(&self, told: &::http::HeaderMap) -> Result<http::Answer, Fault> {
        let within = Duration::from_secs(self.config.timeout_s);
        let mut pauses = PAUSES.iter();
        loop {
            let request = self
                .client
                .post(self.config.at(&self.config.auth_path()))
                .headers(told.clone())
                .header(::http::header::CONTENT_LENGTH, 0);
            let answer = http::send(request, within)
                .await
                .map_err(|problem| Fault::new(Code::TargetDown, problem))?;
            match (answer.status, pauses.next()) {
                (409 | 500, Some(pause)) => {
                    tracing::info!(target = %self.facts.id, answer = %answer.complaint(), "a login at Keystone is tried again");
                    tokio::time::sleep(*pause).await;
                }
                _ => return Ok(answer),
            }
        }
    }

    fn home_domain(&self, permit: &Permit) -> Result<&str, Fault> {
        let tenant = permit.identity().tenant();
        self.tenants
            .get(tenant)
            .and_then(|tenant| tenant.domains.first())
            .map(String::as_str)
            .ok_or_else(|| {
                Fault::new(
                    Code::TargetRefused,
                    format!("tenant '{tenant}' has no Keystone domain in the configuration"),
                )
            })
    }
}

#[async_trait]
impl Target for Keystone {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    async fn mint(&self, permit: &Permit) -> Result<Credential, Fault> {
        if permit.target() != &self.facts.id {
            return Err(Fault::new(Code::Internal, "the permit is for another target"));
        }
        let told = headers::of(
            permit,
            &self.config.header_prefix,
            &self.remote_id,
            self.home_domain(permit)?,
        )?;
        let _turn = tokio::time::timeout(WAIT_FOR_TURN, self.turns.acquire())
            .await
            .map_err(|_| {
                Fault::new(
                    Code::TargetDown,
                    "Keystone is busy: all logins allowed at once are taken",
                )
            })?
            .map_err(|_| Fault::new(Code::Internal, "the turns are closed"))?;
        accepted(self.log_in(&told).await?, permit)
    }

    async fn health(&self) -> Option<Result<(), String>> {
        let within = Duration::from_secs(self.config.timeout_s.min(5));
        let answer = http::send(self.client.get(self.config.at("/v3")), within).await;
        Some(answer.and_then(|answer| match answer.status {
            200 => Ok(()),
            other => Err(format!("Keystone answers {other} at /v3")),
        }))
    }
}

/// Reads Keystone's answer to a login.
fn accepted(answer: http::Answer, permit: &Permit) -> Result<Credential, Fault> {
    match (answer.status, answer.header(SUBJECT_TOKEN)) {
        (201, Some(token)) if !token.is_empty() => {
            let token = token.to_owned();
            note_end(&answer, permit);
            Ok(Credential::Keystone(KeystoneToken {
                token,
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
            }))
        }
        (201, _) => Err(Fault::new(
            Code::TargetRefused,
            "Keystone answered 201 without a token",
        )),
        (500.., _) => Err(Fault::new(Code::TargetDown, answer.complaint())),
        _ => Err(Fault::new(Code::TargetRefused, answer.complaint())),
    }
}

/// Says in the log when Keystone's own lifetime is longer than what was permitted.
fn note_end(answer: &http::Answer, permit: &Permit) {
    let end = serde_json::from_slice::<crate::wire::keystone::TokenBody>(&answer.body)
        .ok()
        .and_then(|body| chrono::DateTime::parse_from_rfc3339(&body.token.expires_at).ok());
    if let Some(end) = end
        && end.timestamp() > permit.expires().0
    {
        tracing::warn!(
            target = %permit.target(),
            seconds = end.timestamp() - permit.expires().0,
            "Keystone's token outlives the permit: its [token] expiration is longer than the proof or the policy allows"
        );
    }
}
