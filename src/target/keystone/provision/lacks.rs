//! What a Keystone lacks of what policy gives somebody: so that one who is signed in and has no project learns what is
//! missing, and who mends it.
//!
//! A domain is read whole, once, for all its people, and counts as read for half a minute. Whoever asks waits a moment
//! and no longer: a reading that takes its time goes on, and the next one finds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::domain::{access::Permit, lack::Lack, time::Timestamp};
use crate::port::{clock::Clock, secrets::Secrets};
use crate::wire::{
    identity::{Group, Project},
    keystone::Resource,
};

use super::{
    super::{Config, MappingSchema, admin, groups, transport::Transport},
    KeystoneFault, Provisioner, Role, encoded,
    manager::{self, Session},
};

/// How long what was read counts.
const FRESH: Duration = Duration::from_secs(30);
/// How long a failure counts: Keystone is not asked by everybody while it is down.
const FAILED: Duration = Duration::from_secs(5);

/// How long a reading may take that nobody waits for.
const READING: Duration = Duration::from_secs(20);

/// What somebody is to have there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// The domain of their tenant.
    pub home: String,
    /// Roles on projects.
    pub roles: BTreeSet<Role>,
    /// Groups, without the prefix.
    pub groups: BTreeSet<String>,
}

impl Wants {
    /// What a permit gives.
    #[must_use]
    pub fn of(permit: &Permit, home: &str) -> Self {
        let grants = permit.grants().iter();
        let groups = permit.identity().groups().iter();
        Self {
            home: home.to_owned(),
            roles: grants.filter_map(|grant| Role::of(&grant.entitlement)).collect(),
            groups: groups.map(|group| group.name.clone()).collect(),
        }
    }

    fn domains(&self) -> BTreeSet<&str> {
        let projects = self.roles.iter().map(|role| role.domain.as_str());
        projects.chain([self.home.as_str()]).collect()
    }
}

/// Looks into one Keystone.
#[derive(Clone)]
pub struct Looker(Arc<Inner>);

struct Inner {
    eyes: Eyes,
    /// The groups that provisioning makes, by domain and name; what they are called in Keystone.
    groups: BTreeMap<(String, String), String>,
    schema: MappingSchema,
    clock: Arc<dyn Clock>,
    patience: Duration,
    kept: Mutex<BTreeMap<String, Slot>>,
}

/// Whoever holds it reads the domain; the others wait.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

struct Kept {
    until: Timestamp,
    seen: Result<Arc<Seen>, String>,
}

/// As whom one looks.
enum Eyes {
    Manager(Box<Provisioner>),
    Admin(Session),
}

/// One domain.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Missing,
    Closed,
    Disabled,
    Open(Inside),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Inside {
    /// In lower case, as Keystone compares them.
    roles: BTreeSet<String>,
    /// Whether each is enabled.
    projects: BTreeMap<String, bool>,
    groups: BTreeSet<String>,
}

impl std::fmt::Debug for Looker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Looker")
    }
}

impl Looker {
    /// By the account that provisions. `groups` are those that rules name, by domain and name.
    #[must_use]
    pub fn by_manager(by: Provisioner, groups: &BTreeSet<(String, String)>, patience: Duration) -> Self {
        let named = groups.iter().map(|(domain, group)| {
            let name = by.settings.group_name(group);
            ((domain.clone(), group.clone()), name)
        });
        Self(Arc::new(Inner {
            groups: named.collect(),
            schema: by.keystone.mapping_schema,
            clock: Arc::clone(&by.clock),
            eyes: Eyes::Manager(Box::new(by)),
            patience,
            kept: Mutex::default(),
        }))
    }

    /// By the administrator: for an operator's command, never for the running gateway.
    pub async fn by_admin(
        keystone: &Config,
        issuer: &str,
        secrets: &dyn Secrets,
        (clock, patience): (Arc<dyn Clock>, Duration),
    ) -> Result<Self, String> {
        let client = keystone.client().map_err(|fault| fault.to_string())?;
        let transport = Transport::open(keystone, issuer, client, 1)?.within(patience);
        let token = admin::sign_in(keystone, &transport, secrets).await;
        let token = token.map_err(|fault| fault.to_string())?;
        Ok(Self(Arc::new(Inner {
            eyes: Eyes::Admin(Session::new(&transport, token)),
            groups: BTreeMap::new(),
            schema: keystone.mapping_schema,
            clock,
            patience,
            kept: Mutex::default(),
        })))
    }

    /// What is missing of it. The error says why nobody knows.
    pub async fn lacks(&self, wants: &Wants) -> Result<BTreeSet<Lack>, String> {
        if wants.roles.is_empty() {
            return Ok(BTreeSet::new());
        }
        let all = async {
            let mut seen = BTreeMap::new();
            for domain in wants.domains() {
                seen.insert(domain, self.seen(domain).await?);
            }
            Ok(seen)
        };
        let seen = tokio::time::timeout(self.0.patience, all).await;
        let seen = seen
            .map_err(|_| format!("no answer within {} s", self.0.patience.as_secs()))
            .flatten()?;
        Ok(self.0.compare(wants, &seen))
    }

    async fn seen(&self, domain: &str) -> Result<Arc<Seen>, String> {
        let slot = {
            let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kept.entry(domain.to_owned()).or_default())
        };
        let mut slot = slot.lock_owned().await;
        let now = self.0.clock.now();
        if let Some(kept) = slot.as_ref().filter(|kept| now < kept.until) {
            return kept.seen.clone();
        }
        let (inner, domain) = (Arc::clone(&self.0), domain.to_owned());
        // Goes on when nobody waits any more.
        let reading = tokio::spawn(async move {
            let read = tokio::time::timeout(READING, inner.read(&domain)).await;
            let read = read.unwrap_or_else(|_| Err(format!("no answer within {} s", READING.as_secs())));
            let seen = read.map(Arc::new);
            let counts = if seen.is_ok() { FRESH } else { FAILED };
            let until = inner.clock.now().plus(counts);
            *slot = Some(Kept {
                until,
                seen: seen.clone(),
            });
            seen
        });
        reading.await.map_err(|broken| broken.to_string())?
    }
}

impl Inner {
    async fn read(&self, domain: &str) -> Result<Seen, String> {
        let read = match &self.eyes {
            Eyes::Manager(by) => match manager::sign_in(by, domain).await {
                Ok(manager) => {
                    let inside = inside(&manager, &manager.domain_id).await;
                    manager.end().await;
                    inside.map(Seen::Open)
                }
                Err(fault @ KeystoneFault::Refused { .. }) => {
                    tracing::warn!(domain, %fault, "a domain of Keystone's cannot be looked into");
                    Ok(Seen::Closed)
                }
                Err(fault) => Err(fault),
            },
            Eyes::Admin(session) => by_name(session, domain).await,
        };
        read.map_err(|fault| fault.to_string())
    }

    fn compare(&self, wants: &Wants, seen: &BTreeMap<&str, Arc<Seen>>) -> BTreeSet<Lack> {
        let mut lacks = BTreeSet::new();
        for (domain, seen) in seen {
            let inside = match &**seen {
                Seen::Open(inside) => inside,
                Seen::Missing => {
                    lacks.insert(Lack::Domain((*domain).to_owned()));
                    continue;
                }
                Seen::Closed => {
                    lacks.insert(Lack::ClosedDomain((*domain).to_owned()));
                    continue;
                }
                Seen::Disabled => {
                    lacks.insert(Lack::DisabledDomain((*domain).to_owned()));
                    continue;
                }
            };
            for role in wants.roles.iter().filter(|role| role.domain == *domain) {
                lacks.extend(inside.lacks(role, self.schema));
            }
            if *domain == wants.home && self.schema == MappingSchema::Groups {
                lacks.extend(inside.lacks_carriers(wants));
            }
            if *domain == wants.home {
                let named = wants.groups.iter();
                let named = named.filter_map(|group| self.groups.get(&(wants.home.clone(), group.clone())));
                let missing = named.filter(|name| !inside.groups.contains(*name));
                lacks.extend(missing.map(|name| Lack::Group(format!("{domain}/{name}"))));
            }
        }
        lacks
    }
}

impl Inside {
    /// Groups that the setup makes, each to carry one role on one project: Keystone passes over those that it does not
    /// know, and the person is signed in without the role.
    fn lacks_carriers(&self, wants: &Wants) -> Vec<Lack> {
        let carriers = wants.roles.iter().map(|wanted| {
            let parts = (
                wanted.domain.as_str(),
                wanted.project.as_str(),
                wanted.role.as_str(),
            );
            (groups::named(parts), wanted)
        });
        carriers
            .filter(|(name, _)| !self.groups.contains(name))
            .map(|(name, wanted)| {
                Lack::Setup(format!(
                    "group {name} for the role {} on {}/{}",
                    wanted.role, wanted.domain, wanted.project
                ))
            })
            .collect()
    }

    fn lacks(&self, wanted: &Role, schema: MappingSchema) -> Vec<Lack> {
        let mut lacks = Vec::new();
        if !self.roles.contains(&wanted.role.to_lowercase()) {
            lacks.push(Lack::Role(wanted.role.clone()));
        }
        let name = || format!("{}/{}", wanted.domain, wanted.project);
        match self.projects.get(&wanted.project) {
            Some(true) => {}
            Some(false) => lacks.push(Lack::DisabledProject(name())),
            None => match schema {
                MappingSchema::Projects => lacks.push(Lack::Project(name())),
                MappingSchema::Groups => lacks.push(Lack::Setup(format!("project {}", name()))),
            },
        }
        lacks
    }
}

async fn by_name(session: &Session, domain: &str) -> Result<Seen, KeystoneFault> {
    // A domain's entry has what of a project's is looked at.
    let path = format!("/v3/domains?name={}", encoded(domain));
    let found: Vec<Project> = session.list(&path, "domains").await?;
    match found.first() {
        None => Ok(Seen::Missing),
        Some(found) if !found.enabled => Ok(Seen::Disabled),
        Some(found) => inside(session, &found.id).await.map(Seen::Open),
    }
}

async fn inside(session: &Session, domain_id: &str) -> Result<Inside, KeystoneFault> {
    let id = encoded(domain_id);
    let roles: Vec<Resource> = session.list("/v3/roles", "roles").await?;
    let projects: Vec<Project> = session
        .list(&format!("/v3/projects?domain_id={id}"), "projects")
        .await?;
    let groups: Vec<Group> = session
        .list(&format!("/v3/groups?domain_id={id}"), "groups")
        .await?;
    Ok(Inside {
        roles: roles.into_iter().map(|role| role.name.to_lowercase()).collect(),
        projects: projects
            .into_iter()
            .map(|project| (project.name, project.enabled))
            .collect(),
        groups: groups.into_iter().map(|group| group.name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_PROJECTS: MappingSchema = MappingSchema::Projects;

    #[test]
    fn what_is_missing_is_named_and_nothing_else() {
        let role = |project: &str, role: &str| Role {
            domain: "acme".to_owned(),
            project: project.to_owned(),
            role: role.to_owned(),
        };
        let inside = Inside {
            roles: BTreeSet::from(["member".to_owned()]),
            projects: BTreeMap::from([("webshop".to_owned(), true), ("old".to_owned(), false)]),
            groups: BTreeSet::new(),
        };
        assert_eq!(inside.lacks(&role("webshop", "Member"), BY_PROJECTS), []);
        assert_eq!(
            inside.lacks(&role("old", "auditor"), BY_PROJECTS),
            [
                Lack::Role("auditor".to_owned()),
                Lack::DisabledProject("acme/old".to_owned())
            ]
        );
        let new = inside.lacks(&role("new", "member"), BY_PROJECTS);
        assert_eq!(new, [Lack::Project("acme/new".to_owned())]);
        assert!(!new.iter().any(Lack::stops), "a sign-in makes it");
        let by_groups = inside.lacks(&role("new", "member"), MappingSchema::Groups);
        assert!(
            by_groups.iter().all(Lack::stops),
            "the setup makes it: {by_groups:?}"
        );
        let wants = Wants {
            home: "acme".to_owned(),
            roles: BTreeSet::from([role("webshop", "member")]),
            groups: BTreeSet::new(),
        };
        let carrier = groups::named(("acme", "webshop", "member"));
        let told = inside.lacks_carriers(&wants);
        assert!(
            told.iter().any(|lack| lack.to_string().contains(&carrier)),
            "{told:?}"
        );
    }
}
