//! An unpatched OpenStack Keystone, behind this gateway ("front mode").
//!
//! The gateway stands where Apache's mod_auth_openidc would stand: it calls Keystone's federation URL with
//! identity headers that it alone may set, and Keystone answers with a token. So Keystone must be reachable
//! for this gateway only: whoever reaches it directly is whoever they claim to be.
//!
//! Keystone fixes the end of its token by its own `[token] expiration`; nobody can shorten one token. A token that
//! would outlive its permit is therefore revoked at the permit's end (`broker::endings`). A removed grant is gone at the
//! next login, because mapping schema 3.0 replaces all assignments of the person; Keystone itself then refuses the role
//! to running tokens. Older Keystones know schema 1.0 alone, which gives roles by [`groups`].
//!
//! Start at [`Keystone::mint`]; [`headers`] says what Keystone is told, [`transport`] how it gets there,
//! [`setup`] what must exist there.

mod admin;
mod answer;
pub mod claims;
mod config;
mod dashboard;
pub mod doctor;
mod fault;
mod given;
pub mod groups;
pub mod headers;
pub mod mapping;
pub mod provision;
pub mod setup;
pub mod transport;
pub mod trial;
pub mod wiring;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ::http::Method;
use async_trait::async_trait;

use crate::domain::{
    access::{Ceilings, Permit, TargetKind},
    credential::{Credential, KeystoneToken},
    fault::{Code, Fault},
    lack::Lack,
    tenant::Tenant,
    time::Timestamp,
};
use crate::port::relay::{Call, RelayFault};
use crate::port::target::{GroupPrefix, Looks, Target, TargetFacts, Ways};
use crate::wire::keystone::SUBJECT_TOKEN;

use super::{Wiring, home_domain, meant_for};
pub use config::{AdminConfig, Config, Dashboard, MappingSchema};
pub use fault::KeystoneFault;
use transport::{Told, Transport};

/// First logins at the same time make the same user and projects in Keystone, which refuses all but one (409,
/// or 500 where its database says it). How long to wait before each further try.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];

/// A value in a path or query.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A Keystone.
pub struct Keystone {
    facts: TargetFacts,
    config: Config,
    issuer: String,
    logins: Transport,
    tenants: Arc<BTreeMap<crate::domain::ids::TenantId, Tenant>>,
    given: Option<given::Given>,
    looker: Option<provision::Looker>,
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
            issuer: wiring.issuer.clone(),
            logins: Transport::open(&config, &wiring.issuer, client, config.concurrency)?,
            tenants: Arc::clone(&wiring.tenants),
            looker: wiring.lookers.get(&config.id).cloned(),
            given: wiring
                .given
                .clone()
                .filter(|_| config.provision.is_some())
                .map(given::Given),
            config,
        })
    }

    /// Asks again where another login was in the way: the same question a moment later finds what that made. Once also
    /// where the connection broke: a Keystone whose database is in the way drops some without an answer.
    async fn log_in(&self, call: impl Fn() -> Call + Send, told: &Told) -> Result<answer::Answer, Fault> {
        let (mut pauses, mut broke) = (PAUSES.iter(), false);
        loop {
            let again = match (answer::attempt(&self.logins, call(), told).await, pauses.next()) {
                (Ok(answer), Some(pause)) if matches!(answer.status, 409 | 500) => {
                    (answer.complaint(), pause)
                }
                (Ok(answer), _) => return Ok(answer),
                (Err(RelayFault::Down(problem)), Some(pause)) if !broke => {
                    broke = true;
                    (problem, pause)
                }
                (Err(fault), _) => return Err(Fault::new(Code::TargetDown, format!("Keystone: {fault}"))),
            };
            let (why, pause) = again;
            tracing::info!(target = %self.facts.id, %why, "a login at Keystone is tried again");
            tokio::time::sleep(*pause).await;
        }
    }

    /// The settings for the tenant of a permit.
    fn own(&self, permit: &Permit) -> Cow<'_, Config> {
        self.config.of_tenant(permit.identity().tenant(), &self.issuer)
    }

    /// What an answer means that is not the expected one. Where Keystone refuses, it says what it has not found, or a
    /// look into it does.
    async fn refused(&self, permit: &Permit, answer: &answer::Answer) -> Fault {
        let fault = answer.fault();
        if fault.code != Code::TargetRefused {
            return fault;
        }
        let mut lacks: BTreeSet<Lack> = answer.lack().into_iter().collect();
        if self.looker.is_some() {
            match self.lacks(permit).await {
                Ok(found) => lacks.extend(found.into_iter().filter(Lack::stops)),
                Err(why) => tracing::info!(target = %self.facts.id, %why, "what Keystone lacks is not known"),
            }
        }
        fault.because(lacks.iter().map(Lack::to_string).collect())
    }

    /// What Keystone is told for a permit. What that gives is written down first: it is taken away by that.
    async fn told(&self, permit: &Permit) -> Result<Told, Fault> {
        meant_for(permit, &self.facts)?;
        let domain = home_domain(&self.tenants, permit)?;
        let own = self.own(permit);
        let to = (&*own.remote_id(&self.issuer), domain);
        let told = headers::of(permit, own.mapping_schema, to)?;
        if let Some(given) = &self.given {
            given.note(permit, domain).await?;
        }
        Ok(told)
    }
}

#[async_trait]
impl Target for Keystone {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    async fn mint(&self, permit: &Permit) -> Result<Credential, Fault> {
        let told = self.told(permit).await?;
        let path = self.own(permit).auth_path();
        let answer = self.log_in(|| answer::call(Method::POST, &path), &told).await?;
        if answer.status != 201 {
            return Err(self.refused(permit, &answer).await);
        }
        let missing = groups::missing(&told, &answer.body);
        if missing > 0 {
            tracing::warn!(target = %self.facts.id, missing,
                "somebody signed in without some of their roles: Keystone lacks groups that carry them; run `fedgate keystone setup`");
        }
        accepted(answer)
    }

    async fn health(&self) -> Option<Result<(), String>> {
        let within = Duration::from_secs(self.config.timeout_s.min(5));
        let transport = self.logins.clone().within(within);
        let answer = answer::send(&transport, answer::call(Method::GET, "/v3"), &Told::new()).await;
        Some(answer.and_then(|answer| match answer.status {
            200 => Ok(()),
            other => Err(format!("Keystone answers {other} at /v3")),
        }))
    }

    fn ways(&self) -> Ways<'_> {
        Ways {
            dashboards: Some(self),
            looks: self.looker.as_ref().map(|_| self as &dyn Looks),
            ..Ways::default()
        }
    }
}

#[async_trait]
impl Looks for Keystone {
    async fn lacks(&self, permit: &Permit) -> Result<Vec<Lack>, String> {
        let Some(looker) = &self.looker else {
            return Ok(Vec::new());
        };
        let home = home_domain(&self.tenants, permit).map_err(|fault| fault.detail)?;
        let lacks = looker.lacks(&provision::Wants::of(permit, home)).await?;
        Ok(lacks.into_iter().collect())
    }
}

/// Reads Keystone's answer to a login.
fn accepted(answer: answer::Answer) -> Result<Credential, Fault> {
    match (answer.status, answer.header(SUBJECT_TOKEN)) {
        (201, Some(token)) if !token.is_empty() => {
            let token = token.to_owned();
            let expires = end_of(&answer);
            Ok(Credential::Keystone(KeystoneToken {
                token,
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
                expires,
                ends: None,
            }))
        }
        (201, _) => Err(Fault::new(
            Code::TargetRefused,
            "Keystone answered 201 without a token",
        )),
        _ => Err(answer.fault()),
    }
}

/// When Keystone ends the token of its answer.
fn end_of(answer: &answer::Answer) -> Option<Timestamp> {
    let body = serde_json::from_slice::<crate::wire::keystone::TokenBody>(&answer.body).ok()?;
    let end = chrono::DateTime::parse_from_rfc3339(&body.token.expires_at).ok()?;
    Some(Timestamp(end.timestamp()))
}
