//! What must exist in Keystone before people can come: `fedgate keystone setup`.
//!
//! Makes and updates: the tenants' domains, the identity provider, the mapping and the protocol; with mapping schema
//! 1.0 one of these for each tenant, and the groups that carry roles (`groups.rs`).
//! Never deletes: deleting an identity provider orphans its users, deleting a protocol deletes them. Run again,
//! it changes nothing. Roles are the cloud's own matter: missing ones are named, not made.

mod groups;
mod own;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use ::http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::domain::ids::TenantId;
use crate::port::secrets::Secrets;
use crate::wire::keystone::{AUTH_TOKEN, Domains, Roles};

use super::{
    Config, KeystoneFault, MappingSchema, admin, answer, encoded,
    headers::name,
    transport::{Told, Transport},
};
use own::Own;

/// Each call by itself.
const WITHIN: Duration = Duration::from_secs(30);

/// A tenant, as far as Keystone is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Who.
    pub tenant: TenantId,
    /// Its Keystone domains. The first is the home of its people.
    pub domains: Vec<String>,
    /// What its access rules may give here: domain, project, role.
    pub roles: BTreeSet<(String, String, String)>,
}

/// What to set up.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The target.
    pub config: &'a Config,
    /// The gateway's issuer URL.
    pub issuer: &'a str,
    /// All tenants. The first domain of the first is the home of an identity provider for all.
    pub customers: &'a [Customer],
    /// Look only.
    pub dry_run: bool,
}

/// One line of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The thing, as an operator would call it.
    pub what: String,
    /// What happened to it, or would.
    pub change: Change,
}

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is as it should be.
    None,
    /// It was made, or would be.
    Made,
    /// It was brought up to date, or would be.
    Updated,
    /// It is missing, and making it is somebody else's decision.
    Missing,
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.change {
            Change::None => "ok      ",
            Change::Made => "create  ",
            Change::Updated => "update  ",
            Change::Missing => "MISSING ",
        };
        write!(out, "{mark} {}", self.what)
    }
}

/// Looks at everything, and brings up to date what is not.
pub async fn run(
    ask: &Ask<'_>,
    client: reqwest::Client,
    secrets: &dyn Secrets,
) -> Result<Vec<Step>, KeystoneFault> {
    let Some(home) = ask.customers.iter().find_map(|customer| customer.domains.first()) else {
        return Err(KeystoneFault::Configuration(
            "no tenant has a Keystone domain; set 'domains' of the tenants first".into(),
        ));
    };
    let transport = Transport::open(ask.config, ask.issuer, client, 1)
        .map_err(KeystoneFault::Configuration)?
        .within(WITHIN);
    let token = admin::sign_in(ask.config, &transport, secrets).await?;
    let admin = Admin {
        ask,
        transport,
        token,
    };
    let mut steps = Vec::new();
    let mut ids = BTreeMap::new();
    for domain in ask.customers.iter().flat_map(|customer| &customer.domains) {
        let (step, id) = admin.domain(domain).await?;
        steps.push(step);
        // None: nothing was made, so nothing can be in it yet.
        ids.extend(id.map(|id| (domain.as_str(), id)));
    }
    let roles = admin.roles().await?;
    match ask.config.mapping_schema {
        MappingSchema::Projects => {
            let own = admin.own(ask.config, home);
            steps.extend(own.all(ids.get(home.as_str()).map(String::as_str)).await?);
        }
        MappingSchema::Groups => steps.extend(groups::run(&admin, &ids, &roles).await?),
    }
    steps.extend(admin.missing_roles(&roles));
    Ok(steps)
}

/// The mapping: one person, in their tenant's domain, with exactly the projects of the header.
///
/// Two rules for the person, because Keystone takes the first user that applies, and a person without an e-mail
/// address has no such header.
#[must_use]
pub fn rules(config: &Config, remote_id: &str) -> Value {
    let of = |end: &str| json!({ "type": config.key(end) });
    let remote = |email: bool| {
        let mut remote = vec![
            of(name::SUB),
            of(name::PREFERRED_USERNAME),
            of(name::DOMAIN),
            of(name::PROJECTS),
        ];
        if email {
            remote.push(of(name::EMAIL));
        }
        remote.push(json!({ "type": config.key(name::ISS), "any_one_of": [remote_id] }));
        remote
    };
    let local = |email: bool| {
        let mut user =
            json!({ "id": "{0}", "name": "{1}", "type": "ephemeral", "domain": { "name": "{2}" } });
        if email && let Some(user) = user.as_object_mut() {
            user.insert("email".into(), json!("{4}"));
        }
        json!([{ "user": user, "projects_json": "{3}", "domain": { "name": "{2}" } }])
    };
    json!([
        { "remote": remote(true), "local": local(true) },
        { "remote": remote(false), "local": local(false) },
    ])
}

struct Admin<'a> {
    ask: &'a Ask<'a>,
    transport: Transport,
    token: String,
}

impl Admin<'_> {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<answer::Answer, KeystoneFault> {
        let call = answer::with(answer::call(method, path), AUTH_TOKEN, &self.token);
        let call = match body {
            Some(body) => answer::with_json(call, body),
            None => call,
        };
        answer::send(&self.transport, call, &Told::new())
            .await
            .map_err(KeystoneFault::Down)
    }

    /// Reads a resource; none where there is no such thing.
    async fn look<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<Option<T>, KeystoneFault> {
        let answer = self.call(Method::GET, path, None).await?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map(Some)
                .map_err(|problem| KeystoneFault::Refused {
                    step: format!("reading {what}"),
                    answer: format!("Keystone answered in an unknown shape: {problem}"),
                }),
            404 => Ok(None),
            _ => Err(KeystoneFault::Refused {
                step: format!("reading {what}"),
                answer: answer.complaint(),
            }),
        }
    }

    /// Makes the one change, unless only looking. `null` is no body.
    async fn write(
        &self,
        step: &Step,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Option<answer::Answer>, KeystoneFault> {
        if self.ask.dry_run {
            return Ok(None);
        }
        let body = (!body.is_null()).then_some(body);
        let answer = self.call(method, path, body).await?;
        if (200..300).contains(&answer.status) {
            Ok(Some(answer))
        } else {
            Err(KeystoneFault::Refused {
                step: step.what.clone(),
                answer: answer.complaint(),
            })
        }
    }

    async fn domain(&self, domain: &str) -> Result<(Step, Option<String>), KeystoneFault> {
        let what = format!("domain '{domain}'");
        let found: Option<Domains> = self
            .look(&what, &format!("/v3/domains?name={}", encoded(domain)))
            .await?;
        if let Some(found) = found.and_then(|list| list.domains.into_iter().next()) {
            let change = Change::None;
            return Ok((Step { what, change }, Some(found.id)));
        }
        let change = Change::Made;
        let step = Step { what, change };
        let body = json!({ "domain": { "name": domain, "enabled": true } });
        let made = self.write(&step, Method::POST, "/v3/domains", &body).await?;
        let id = made
            .and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok())
            .and_then(|body| body.pointer("/domain/id")?.as_str().map(str::to_owned));
        Ok((step, id))
    }

    fn own<'a>(&'a self, config: &'a Config, home: &'a str) -> Own<'a> {
        Own {
            admin: self,
            config,
            home,
        }
    }

    /// The ids of Keystone's roles, by their names in lower case.
    async fn roles(&self) -> Result<BTreeMap<String, String>, KeystoneFault> {
        let found: Option<Roles> = self.look("the roles", "/v3/roles").await?;
        let all = found.into_iter().flat_map(|list| list.roles);
        Ok(all.map(|role| (role.name.to_lowercase(), role.id)).collect())
    }

    fn missing_roles(&self, known: &BTreeMap<String, String>) -> Vec<Step> {
        let wanted = self.ask.customers.iter().flat_map(|customer| &customer.roles);
        let wanted: BTreeSet<&str> = wanted.map(|(_, _, role)| role.as_str()).collect();
        wanted
            .into_iter()
            .map(|role| Step {
                what: format!("role '{role}'"),
                change: if known.contains_key(&role.to_lowercase()) {
                    Change::None
                } else {
                    Change::Missing
                },
            })
            .collect()
    }
}
