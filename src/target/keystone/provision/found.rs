//! What is there in Keystone: one reading of each domain, by names.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream,
};
use serde_json::Value;

use super::{
    Change, KeystoneFault, Ledger, Plan, Provisioner, Role, Wanted, Who, encoded,
    manager::{self, Manager},
    plan,
};
use crate::wire::{
    identity::{Assignment, ById, Group, Project, User},
    keystone::Resource,
};

/// Everything that was read, and the accounts that read it.
pub struct Found {
    pub(super) domains: BTreeMap<String, FoundDomain>,
    /// Roles of the whole cloud, by name in lower case.
    pub(super) roles: BTreeMap<String, Resource>,
    pub(super) wanted: Wanted,
    /// Domains that could not be worked in, with the reason.
    pub(super) closed: Vec<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Found({} domains)", self.domains.len())
    }
}

/// One domain.
pub(super) struct FoundDomain {
    pub(super) manager: Manager,
    /// Users by the key of the person whose they are.
    pub(super) people: BTreeMap<String, FoundUser>,
    pub(super) groups: BTreeMap<String, FoundGroup>,
    pub(super) projects: BTreeMap<String, Project>,
    /// Keys of people for whom two users carry our mark: neither can be trusted to be theirs.
    pub(super) twice: BTreeSet<String>,
    /// Ids of users that were made here and could never be used, by the key of the person.
    pub(super) doubles: BTreeMap<String, String>,
    /// Names of users that are nobody's of ours.
    pub(super) others: BTreeMap<String, String>,
}

/// A user that is a person's.
#[derive(Debug, Clone)]
pub(super) struct FoundUser {
    pub(super) id: String,
    pub(super) enabled: bool,
    pub(super) mark: Option<Mark>,
    /// Roles on projects, given directly.
    pub(super) roles: BTreeSet<Role>,
    /// Whether the identity provider's link was looked at and is missing.
    pub(super) unlinked: bool,
}

/// A group.
#[derive(Debug, Clone)]
pub(super) struct FoundGroup {
    pub(super) id: String,
    pub(super) ours: bool,
    /// Ids of its members; read for our own groups alone.
    pub(super) members: BTreeSet<String>,
}

/// What our mark on a user says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) person: String,
    /// Made here; else marked after a sign-in had made it.
    pub(super) made: bool,
    /// Since when it is disabled from here, in seconds.
    pub(super) disabled: Option<i64>,
}

impl Mark {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            person: value.get("person")?.as_str()?.to_owned(),
            made: value.get("made") == Some(&Value::Bool(true)),
            disabled: value.get("disabled").and_then(Value::as_i64),
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::json!({ "person": self.person, "made": self.made, "disabled": self.disabled })
    }
}

impl Found {
    /// What differs from what is wanted.
    #[must_use]
    pub fn plan(&self, by: &Provisioner, ledger: &Ledger) -> Plan {
        plan::plan(self, by.settings(), ledger, by.clock.now())
    }

    /// Looks again at users whose making was not seen to its end: Keystone links them in a second step of its own,
    /// and an unlinked one would leave the person with a second user at the first sign-in. Where that sign-in was
    /// faster, its user is the person's.
    pub async fn settle_doubts(&mut self, by: &Provisioner, ledger: &Ledger) -> Result<(), KeystoneFault> {
        let mut changed = false;
        for domain in self.domains.values_mut() {
            let doubts: Vec<(String, String)> = domain
                .people
                .iter()
                .filter(|(key, user)| user.mark.as_ref().is_some_and(|mark| mark.made) && ledger.doubts(key))
                .map(|(key, user)| (key.clone(), user.id.clone()))
                .collect();
            for (key, id) in doubts {
                if is_linked(by, &domain.manager, (&id, &key)).await? {
                    continue;
                }
                if let Some(other) = linked(by, &domain.manager, &key).await? {
                    domain.doubles.insert(key.clone(), id);
                    domain.people.insert(key, other);
                    changed = true;
                } else if let Some(user) = domain.people.get_mut(&key) {
                    user.unlinked = true;
                }
            }
        }
        if changed { assignments(self).await } else { Ok(()) }
    }

    /// What the ledger must hold before a plan is made true: what is wanted and there, and what will be given.
    #[must_use]
    pub fn entries(&self, plan: &Plan) -> BTreeSet<Change> {
        let mut entries: BTreeSet<Change> = plan.standing.iter().map(Change::entry).collect();
        let gives = |change: &&Change| {
            matches!(
                change,
                Change::Grant { .. } | Change::AddMember { .. } | Change::MakeUser { .. }
            )
        };
        entries.extend(plan.changes.iter().filter(gives).map(Change::entry));
        entries
    }
}

pub(super) async fn read(by: &Provisioner, wanted: &Wanted) -> Result<Found, KeystoneFault> {
    let mut found = Found {
        domains: BTreeMap::new(),
        roles: BTreeMap::new(),
        wanted: wanted.clone(),
        closed: Vec::new(),
    };
    for domain in &wanted.domains {
        let manager = match manager::sign_in(by, domain).await {
            Ok(manager) => manager,
            // One tenant whose domain is not ready must not stop the others; an account with too much must.
            Err(fault @ KeystoneFault::Refused { .. }) => {
                found.closed.push(fault.to_string());
                continue;
            }
            Err(fault) => return Err(fault),
        };
        if found.roles.is_empty() {
            let roles: Vec<Resource> = manager.list("/v3/roles", "roles").await?;
            let by_name = roles.into_iter().map(|role| (role.name.to_lowercase(), role));
            found.roles = by_name.collect();
        }
        let read = domain_of(by, manager, (domain, wanted)).await?;
        found.domains.insert(domain.clone(), read);
    }
    if found.domains.is_empty()
        && let Some(first) = found.closed.first()
    {
        return Err(KeystoneFault::Configuration(first.clone()));
    }
    assignments(&mut found).await?;
    Ok(found)
}

async fn domain_of(
    by: &Provisioner,
    manager: Manager,
    (domain, wanted): (&str, &Wanted),
) -> Result<FoundDomain, KeystoneFault> {
    let id = encoded(&manager.domain_id);
    let users: Vec<User> = manager
        .list(&format!("/v3/users?domain_id={id}"), "users")
        .await?;
    let groups: Vec<Group> = manager
        .list(&format!("/v3/groups?domain_id={id}"), "groups")
        .await?;
    let projects: Vec<Project> = manager
        .list(&format!("/v3/projects?domain_id={id}"), "projects")
        .await?;
    let mut found = FoundDomain {
        groups: members(by, &manager, groups).await?,
        projects: projects
            .into_iter()
            .map(|project| (project.name.clone(), project))
            .collect(),
        people: BTreeMap::new(),
        twice: BTreeSet::new(),
        doubles: BTreeMap::new(),
        others: BTreeMap::new(),
        manager,
    };
    for user in users {
        let name = user.name.clone().unwrap_or_default();
        match Mark::read(&user.fedgate) {
            Some(mark) => {
                let key = mark.person.clone();
                if found
                    .people
                    .insert(key.clone(), found_user(&user, Some(mark)))
                    .is_some()
                {
                    found.twice.insert(key);
                }
            }
            None => {
                found.others.insert(user.id.clone(), name);
            }
        }
    }
    let twice = &found.twice;
    found.people.retain(|key, _| !twice.contains(key));
    let people = wanted.people.iter().filter(|person| person.who.domain == domain);
    let unknown: Vec<&Who> = people
        .map(|person| &person.who)
        .filter(|who| !found.people.contains_key(&who.key) && !found.twice.contains(&who.key))
        .collect();
    let manager = &found.manager;
    let calls: Vec<BoxFuture<'_, _>> = unknown
        .into_iter()
        .map(|who| async move { Ok((who.key.clone(), linked(by, manager, &who.key).await?)) }.boxed())
        .collect();
    let linked: Vec<(String, Option<FoundUser>)> = at_once(by, calls).await?;
    for (key, user) in linked.into_iter().filter_map(|(key, user)| Some((key, user?))) {
        found.others.remove(&user.id);
        found.people.insert(key, user);
    }
    Ok(found)
}

fn found_user(user: &User, mark: Option<Mark>) -> FoundUser {
    FoundUser {
        id: user.id.clone(),
        enabled: user.enabled,
        mark,
        roles: BTreeSet::new(),
        unlinked: false,
    }
}

/// The user that a sign-in has made for somebody, by the link that Keystone itself keeps.
async fn linked(by: &Provisioner, manager: &Manager, key: &str) -> Result<Option<FoundUser>, KeystoneFault> {
    let path = format!(
        "/v3/users?domain_id={}&idp_id={}&protocol_id={}&unique_id={}",
        encoded(&manager.domain_id),
        encoded(&by.keystone.identity_provider),
        encoded(&by.keystone.protocol),
        encoded(key),
    );
    let users: Vec<User> = manager.list(&path, "users").await?;
    let own = users.iter().find(|user| user.domain_id == manager.domain_id);
    Ok(own.map(|user| found_user(user, None)))
}

/// Whether a user is linked to the identity provider as the person.
pub(super) async fn is_linked(
    by: &Provisioner,
    manager: &Manager,
    (id, key): (&str, &str),
) -> Result<bool, KeystoneFault> {
    let path = format!("/v3/users/{}", encoded(id));
    let answer = manager.call(::http::Method::GET, &path, None).await?;
    if answer.status != 200 {
        return Err(manager::failed("reading a user", &answer));
    }
    let user = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|mut body| serde_json::from_value::<User>(body.get_mut("user")?.take()).ok());
    Ok(user.is_some_and(|user| {
        user.federated.iter().any(|link| {
            link.idp_id == by.keystone.identity_provider
                && link
                    .protocols
                    .iter()
                    .any(|one| one.protocol_id == by.keystone.protocol && one.unique_id == key)
        })
    }))
}

async fn members(
    by: &Provisioner,
    manager: &Manager,
    groups: Vec<Group>,
) -> Result<BTreeMap<String, FoundGroup>, KeystoneFault> {
    let one = |group: Group| {
        async move {
            let ours = Value::is_object(&group.fedgate);
            let members = if ours {
                let path = format!("/v3/groups/{}/users", encoded(&group.id));
                let users: Vec<ById> = manager.list(&path, "users").await?;
                users.into_iter().map(|user| user.id).collect()
            } else {
                BTreeSet::new()
            };
            let found = FoundGroup {
                id: group.id,
                ours,
                members,
            };
            Ok((group.name, found))
        }
        .boxed()
    };
    let calls: Vec<BoxFuture<'_, _>> = groups.into_iter().map(one).collect();
    let found: Vec<(String, FoundGroup)> = at_once(by, calls).await?;
    Ok(found.into_iter().collect())
}

/// So many calls at once.
async fn at_once<T: Send>(
    by: &Provisioner,
    calls: Vec<BoxFuture<'_, Result<T, KeystoneFault>>>,
) -> Result<Vec<T>, KeystoneFault> {
    stream::iter(calls)
        .buffer_unordered(by.settings.concurrency.max(1))
        .try_collect()
        .await
}

/// Roles that people hold directly on projects of any domain that is worked in.
async fn assignments(found: &mut Found) -> Result<(), KeystoneFault> {
    let role_names: BTreeMap<String, String> = found
        .roles
        .values()
        .map(|role| (role.id.clone(), role.name.clone()))
        .collect();
    let mut held: Vec<(String, Role)> = Vec::new();
    for (domain, read) in &found.domains {
        let projects: BTreeMap<&str, &str> = read
            .projects
            .values()
            .map(|project| (project.id.as_str(), project.name.as_str()))
            .collect();
        let all: Vec<Assignment> = read
            .manager
            .list("/v3/role_assignments", "role_assignments")
            .await?;
        for one in all {
            let (Some(user), Some(project), None) = (one.user, one.scope.project, one.scope.inherited_to)
            else {
                continue;
            };
            if let (Some(project), Some(role)) =
                (projects.get(project.id.as_str()), role_names.get(&one.role.id))
            {
                let role = Role {
                    domain: domain.clone(),
                    project: (*project).to_owned(),
                    role: role.clone(),
                };
                held.push((user.id, role));
            }
        }
    }
    let mut owners: BTreeMap<String, &mut FoundUser> = found
        .domains
        .values_mut()
        .flat_map(|domain| domain.people.values_mut())
        .map(|user| (user.id.clone(), user))
        .collect();
    for (user, role) in held {
        if let Some(owner) = owners.get_mut(&user) {
            owner.roles.insert(role);
        }
    }
    Ok(())
}
