//! An OpenStack service that validates tokens without Keystone: keystonemiddleware's `external_oauth2_token`.
//!
//! People bring it an access token of this gateway for its own audience. The service asks us about it (RFC 7662),
//! and is told one project with the roles that policy gives there now. So a role that was taken away is gone when
//! the service's own cache has ended, and a token for one service is nothing at another.
//!
//! Which project is named by the token's scope (`project:NAME` or `project:DOMAIN/NAME`), and need not be named
//! where policy gives only one. Naming one only narrows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    access::{Ceilings, Entitlement, Permit, TargetKind, reason},
    credential::Credential,
    fault::{Code, Fault},
    identity::Identity,
    ids::{TargetId, TenantId},
    oauth::PROJECT_SCOPE,
    tenant::Tenant,
};
use crate::port::target::{AtService, GroupPrefix, Place, Service, Target, TargetFacts, Ways};

use super::{Wiring, home_domain, meant_for};

/// Keystone's ids have 32 digits; so do ours where Keystone's is not configured.
const ID_DIGITS: usize = 32;

/// A service, as configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in rules, links and logs.
    pub id: TargetId,
    /// What people read.
    pub name: String,
    /// The audience of tokens for it. One for each service: a token for one must not be good at another.
    pub audience: String,
    /// Longest life of a token for it in seconds, at most 3600. The service keeps answers for a while beyond a
    /// revocation (`token_cache_time`).
    #[serde(default = "quarter_hour")]
    pub lifetime_s: u64,
    /// Keystone's id of each domain, by its name. A domain that is not named has an id made of the gateway's issuer
    /// and its name: enough where the service never meets tokens of Keystone's own.
    #[serde(default)]
    pub domain_ids: BTreeMap<String, String>,
    /// Keystone's id of each project, by `DOMAIN/NAME`; the same holds.
    #[serde(default)]
    pub project_ids: BTreeMap<String, String>,
}

fn quarter_hour() -> u64 {
    900
}

impl Config {
    /// What is wrong with the settings, in the operator's words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.audience.trim().is_empty() {
            problems.push("'audience' must not be empty".to_owned());
        }
        if self.lifetime_s == 0 || self.lifetime_s > 3600 {
            problems.push("'lifetime_s' must be between 1 and 3600".to_owned());
        }
        for (key, ids) in [
            ("domain_ids", &self.domain_ids),
            ("project_ids", &self.project_ids),
        ] {
            let mut seen = BTreeSet::new();
            for (name, id) in ids {
                let spelled = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                if !spelled || id.len() > 64 {
                    problems.push(format!(
                        "'{key}': the id of '{name}' is no id of Keystone's (`openstack domain list`, `project list`)"
                    ));
                }
                if !seen.insert(id) {
                    problems.push(format!("'{key}': '{name}' has the id of another one"));
                }
            }
        }
        if let Some(name) = self.project_ids.keys().find(|name| !name.contains('/')) {
            problems.push(format!("'project_ids': '{name}' must be DOMAIN/NAME"));
        }
        problems
    }
}

/// A service.
pub struct OpenstackService {
    facts: TargetFacts,
    config: Config,
    issuer: String,
    tenants: Arc<BTreeMap<TenantId, Tenant>>,
}

impl std::fmt::Debug for OpenstackService {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OpenstackService")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl OpenstackService {
    /// A service as configured.
    #[must_use]
    pub fn new(config: Config, wiring: &Wiring) -> Self {
        Self {
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
            config,
            issuer: wiring.issuer.clone(),
            tenants: Arc::clone(&wiring.tenants),
        }
    }

    fn domain(&self, name: &str) -> Place {
        let known = self.config.domain_ids.get(name).cloned();
        Place {
            id: known.unwrap_or_else(|| self.own_id(&format!("domain\n{name}"))),
            name: name.to_owned(),
        }
    }

    fn project(&self, (domain, name): (&str, &str)) -> Place {
        let known = self.config.project_ids.get(&format!("{domain}/{name}")).cloned();
        Place {
            // A domain's name holds no line break, so the pair cannot be shifted.
            id: known.unwrap_or_else(|| self.own_id(&format!("project\n{domain}\n{name}"))),
            name: name.to_owned(),
        }
    }

    fn own_id(&self, what: &str) -> String {
        let key = Identity::key_of(&self.issuer, what);
        key.chars().take(ID_DIGITS).collect()
    }
}

impl Service for OpenstackService {
    fn told(&self, permit: &Permit, scope: &str) -> Result<AtService, Fault> {
        meant_for(permit, &self.facts)?;
        let chosen = chosen(permit, scope)?;
        let mut roles = BTreeSet::new();
        for grant in permit.grants() {
            if let Entitlement::Project {
                domain,
                project,
                role,
            } = &grant.entitlement
                && (domain.as_str(), project.as_str()) == chosen
            {
                // The service splits the list at commas: such a name would be two roles, neither of them given.
                if role.contains(',') {
                    return Err(Fault::new(
                        Code::TargetRefused,
                        format!("the role '{role}' holds a comma, at which services split"),
                    ));
                }
                roles.insert(role.clone());
            }
        }
        Ok(AtService {
            username: permit.identity().username().to_owned(),
            user_domain: self.domain(home_domain(&self.tenants, permit)?),
            project: self.project(chosen),
            project_domain: self.domain(chosen.0),
            roles: roles.into_iter().collect(),
        })
    }
}

#[async_trait]
impl Target for OpenstackService {
    fn facts(&self) -> &TargetFacts {
        &self.facts
    }

    async fn mint(&self, _: &Permit) -> Result<Credential, Fault> {
        Err(Fault::new(
            Code::Internal,
            "a service takes this gateway's own access tokens: there is nothing to be minted at it",
        ))
    }

    fn ways(&self) -> Ways<'_> {
        Ways {
            service: Some(self),
            ..Ways::default()
        }
    }
}

/// The one project that a token is for: domain and name.
fn chosen<'a>(permit: &'a Permit, scope: &str) -> Result<(&'a str, &'a str), Fault> {
    let wanted: Vec<&str> = scope
        .split(' ')
        .filter_map(|one| one.strip_prefix(PROJECT_SCOPE))
        .collect();
    let permitted: BTreeSet<(&str, &str)> = permit
        .grants()
        .iter()
        .filter_map(|grant| match &grant.entitlement {
            Entitlement::Project { domain, project, .. } => Some((domain.as_str(), project.as_str())),
            Entitlement::Group { .. } | Entitlement::Session => None,
        })
        .collect();
    let fits = |(domain, name): &(&str, &str)| match wanted.as_slice() {
        [] => true,
        [one] => one == name || one.split_once('/') == Some((domain, name)),
        // A token is for one project: two are none.
        _ => false,
    };
    let mut fitting = permitted.into_iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(refused(reason::PROJECT_NOT_GIVEN)),
        (Some(_), Some(_)) => Err(refused(reason::PROJECT_NOT_CHOSEN)),
    }
}

fn refused(reason: &str) -> Fault {
    Fault {
        reasons: vec![reason.to_owned()],
        ..Fault::new(Code::NoAccess, format!("no project for the token: {reason}"))
    }
}
