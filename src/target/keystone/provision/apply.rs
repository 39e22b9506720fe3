//! Makes a plan true, phase by phase, with a bounded number of calls at once.
//!
//! Every call can be made again: what is there already, or gone already, is as good as done.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use ::http::Method;
use futures_util::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Change, KeystoneFault, Plan, Provisioner, Role, Who, credentials, encoded,
    found::{Found, FoundDomain, Mark},
    manager::{Manager, failed},
};
use crate::domain::time::Timestamp;

/// The tag of projects that were made here.
pub(super) const TAG: &str = "fedgate";
/// What people read on what was made here.
const MADE_HERE: &str = "Made by fedgate";

/// One change that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What.
    pub change: Change,
    /// When.
    pub at: Timestamp,
    /// What is to be said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl fmt::Display for Done {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.change)?;
        match &self.note {
            Some(note) => write!(out, " ({note})"),
            None => Ok(()),
        }
    }
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was made.
    pub done: Vec<Done>,
    /// What was not, with the reason.
    pub failed: Vec<(Change, String)>,
}

impl Outcome {
    /// Ledger entries that have had their use: of what was taken away, and of users that were made to the end.
    #[must_use]
    pub fn settled(&self) -> Vec<String> {
        let settles = |change: &Change| {
            matches!(
                change,
                Change::Revoke { .. }
                    | Change::RemoveMember { .. }
                    | Change::DropDouble { .. }
                    | Change::MakeUser { .. }
                    | Change::Link { .. }
                    | Change::DeleteUser { .. }
            )
        };
        self.done
            .iter()
            .filter(|done| settles(&done.change))
            .filter_map(|done| serde_json::to_string(&done.change.entry()).ok())
            .collect()
    }
}

/// Ids of what was made in this pass.
#[derive(Default)]
struct Made {
    users: Mutex<BTreeMap<(String, String), String>>,
    groups: Mutex<BTreeMap<(String, String), String>>,
    projects: Mutex<BTreeMap<(String, String), String>>,
}

type Ids = Mutex<BTreeMap<(String, String), String>>;

fn keep(ids: &Ids, domain: &str, name: &str, id: String) {
    let key = (domain.to_owned(), name.to_owned());
    ids.lock().unwrap_or_else(PoisonError::into_inner).insert(key, id);
}

fn kept(ids: &Ids, domain: &str, name: &str) -> Option<String> {
    let key = (domain.to_owned(), name.to_owned());
    ids.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned()
}

struct Work<'a> {
    by: &'a Provisioner,
    found: &'a Found,
    made: Made,
}

impl Provisioner {
    /// Makes the plan true. Where Keystone stops answering, the rest is left for the next pass.
    pub async fn apply(&self, found: &Found, plan: &Plan) -> Outcome {
        let work = &Work {
            by: self,
            found,
            made: Made::default(),
        };
        let mut outcome = Outcome::default();
        let mut down: Option<String> = None;
        for phase in 0..=6 {
            let changes = plan.changes.iter().filter(|change| change.phase() == phase);
            if let Some(why) = &down {
                outcome
                    .failed
                    .extend(changes.map(|change| (change.clone(), why.clone())));
                continue;
            }
            for (change, result) in work.all(changes.cloned().collect()).await {
                match result {
                    Ok(note) => outcome.done.push(Done {
                        change,
                        at: self.clock.now(),
                        note,
                    }),
                    Err(fault) => {
                        let why = fault.to_string();
                        // Not even an outage may keep somebody's sign-in open for the sake of their credentials.
                        if matches!(fault, KeystoneFault::Down(_)) && phase > 0 {
                            down = Some(why.clone());
                        }
                        outcome.failed.push((change, why));
                    }
                }
            }
        }
        outcome
    }
}

impl Work<'_> {
    /// So many at once.
    async fn all(&self, changes: Vec<Change>) -> Vec<(Change, Result<Option<String>, KeystoneFault>)> {
        let calls: Vec<BoxFuture<'_, _>> = changes
            .into_iter()
            .map(|change| {
                async move {
                    let result = self.make(&change).await;
                    (change, result)
                }
                .boxed()
            })
            .collect();
        stream::iter(calls)
            .buffer_unordered(self.by.settings.concurrency.max(1))
            .collect()
            .await
    }

    fn domain(&self, name: &str) -> Result<&FoundDomain, KeystoneFault> {
        self.found
            .domains
            .get(name)
            .ok_or_else(|| KeystoneFault::Configuration(format!("the domain {name} cannot be worked in")))
    }

    fn user(&self, who: &Who) -> Result<String, KeystoneFault> {
        let found = self.domain(&who.domain)?.people.get(&who.key);
        found
            .map(|user| user.id.clone())
            .or_else(|| kept(&self.made.users, &who.domain, &who.key))
            .ok_or_else(|| KeystoneFault::Configuration(format!("{who} has no user yet")))
    }

    fn group(&self, domain: &str, group: &str) -> Result<String, KeystoneFault> {
        let name = self.by.settings.group_name(group);
        let found = self.domain(domain)?.groups.get(&name);
        found
            .map(|group| group.id.clone())
            .or_else(|| kept(&self.made.groups, domain, group))
            .ok_or_else(|| {
                KeystoneFault::Configuration(format!("there is no group {name} in domain {domain} yet"))
            })
    }

    async fn make(&self, change: &Change) -> Result<Option<String>, KeystoneFault> {
        match change {
            Change::TakeCredentials { who, keep, all } => {
                return credentials::take(self.by, self.found, (who, keep, *all))
                    .await
                    .map(Some);
            }
            Change::MakeProject { domain, project } => self.make_project(domain, project).await?,
            Change::MakeGroup { domain, group } => self.make_group(domain, group).await?,
            Change::MakeUser { who, email } => self.make_user(who, email.as_deref()).await?,
            Change::Disable { who } => self.mark(who, Some(false)).await?,
            Change::Enable { who } => self.mark(who, Some(true)).await?,
            Change::Adopt { who } => self.mark(who, None).await?,
            Change::Link { who } => self.link(who).await?,
            Change::Grant { who, role } => self.role(Method::PUT, who, role).await?,
            Change::Revoke { who, role } => self.role(Method::DELETE, who, role).await?,
            Change::AddMember { who, group } => self.member(Method::PUT, who, group).await?,
            Change::RemoveMember { who, group } => self.member(Method::DELETE, who, group).await?,
            Change::DeleteGroup { domain, group } => {
                let path = format!("/v3/groups/{}", encoded(&self.group(domain, group)?));
                self.delete(domain, &path, change).await?;
            }
            Change::DropDouble { who } => {
                let double = self.domain(&who.domain)?.doubles.get(&who.key);
                let path = format!("/v3/users/{}", encoded(double.map_or("", String::as_str)));
                self.delete(&who.domain, &path, change).await?;
            }
            Change::DeleteUser { who } => {
                let path = format!("/v3/users/{}", encoded(&self.user(who)?));
                self.delete(&who.domain, &path, change).await?;
            }
        }
        Ok(None)
    }

    async fn make_project(&self, domain: &str, project: &str) -> Result<(), KeystoneFault> {
        let manager = &self.domain(domain)?.manager;
        let body = json!({ "project": { "name": project, "domain_id": manager.domain_id, "enabled": true,
            "description": MADE_HERE, "tags": [TAG] } });
        let id = match create(manager, ("/v3/projects", "project", project), &body).await? {
            Some(id) => id,
            // A sign-in was faster: it is as wanted, and not ours.
            None => by_name(manager, ("projects", project), &|_| true).await?,
        };
        keep(&self.made.projects, domain, project, id);
        Ok(())
    }

    async fn make_group(&self, domain: &str, group: &str) -> Result<(), KeystoneFault> {
        let manager = &self.domain(domain)?.manager;
        let name = self.by.settings.group_name(group);
        let body = json!({ "group": { "name": name, "domain_id": manager.domain_id,
            "description": MADE_HERE, "fedgate": { "group": group } } });
        let id = match create(manager, ("/v3/groups", "group", &name), &body).await? {
            Some(id) => id,
            None => {
                by_name(manager, ("groups", &name), &|found| {
                    found.get("fedgate").is_some()
                })
                .await?
            }
        };
        keep(&self.made.groups, domain, group, id);
        Ok(())
    }

    async fn make_user(&self, who: &Who, email: Option<&str>) -> Result<(), KeystoneFault> {
        let manager = &self.domain(&who.domain)?.manager;
        let name = who.user_name();
        let mark = Mark {
            person: who.key.clone(),
            made: true,
            disabled: None,
        };
        let mut user = json!({ "name": name, "domain_id": manager.domain_id, "enabled": true,
            "description": format!("{MADE_HERE} for {}", who.username), "fedgate": mark.json(),
            "federated": [self.federated(who)] });
        if let (Some(user), Some(email)) = (user.as_object_mut(), email) {
            user.insert("email".to_owned(), email.into());
        }
        let body = json!({ "user": user });
        if let Some(id) = create(manager, ("/v3/users", "user", &name), &body).await? {
            keep(&self.made.users, &who.domain, &who.key, id);
            return Ok(());
        }
        // Made by a call of ours whose answer was lost, perhaps only in part: it gets the rest. Or somebody else's,
        // and left alone.
        let ours = |found: &Value| {
            let mark = found.get("fedgate").and_then(Mark::read);
            mark.is_some_and(|mark| mark.person == who.key)
        };
        let id = by_name(manager, ("users", &name), &ours).await?;
        keep(&self.made.users, &who.domain, &who.key, id);
        self.patch(who, &body).await
    }

    /// How Keystone finds the user at a sign-in.
    fn federated(&self, who: &Who) -> Value {
        json!({ "idp_id": self.by.keystone.identity_provider,
            "protocols": [{ "protocol_id": self.by.keystone.protocol, "unique_id": who.key }] })
    }

    async fn link(&self, who: &Who) -> Result<(), KeystoneFault> {
        let body = json!({ "user": { "federated": [self.federated(who)] } });
        self.patch(who, &body).await
    }

    /// Writes our mark, and with it whether the user may sign in.
    async fn mark(&self, who: &Who, enabled: Option<bool>) -> Result<(), KeystoneFault> {
        let found = self.domain(&who.domain)?.people.get(&who.key);
        let before = found.and_then(|user| user.mark.clone());
        let mark = Mark {
            person: who.key.clone(),
            made: before.as_ref().is_some_and(|mark| mark.made),
            disabled: match enabled {
                Some(false) => Some(self.by.clock.now().0),
                Some(true) => None,
                None => before.and_then(|mark| mark.disabled),
            },
        };
        let mut user = json!({ "fedgate": mark.json() });
        if let (Some(user), Some(enabled)) = (user.as_object_mut(), enabled) {
            user.insert("enabled".to_owned(), enabled.into());
        }
        self.patch(who, &json!({ "user": user })).await
    }

    async fn patch(&self, who: &Who, body: &Value) -> Result<(), KeystoneFault> {
        let path = format!("/v3/users/{}", encoded(&self.user(who)?));
        let manager = &self.domain(&who.domain)?.manager;
        let answer = manager.call(Method::PATCH, &path, Some(body)).await?;
        match answer.status {
            200 => Ok(()),
            _ => Err(failed(&format!("changing the user of {who}"), &answer)),
        }
    }

    async fn role(&self, method: Method, who: &Who, role: &Role) -> Result<(), KeystoneFault> {
        let domain = self.domain(&role.domain)?;
        let project = domain
            .projects
            .get(&role.project)
            .map(|project| project.id.clone())
            .or_else(|| kept(&self.made.projects, &role.domain, &role.project))
            .ok_or_else(|| {
                KeystoneFault::Configuration(format!("there is no project {} yet", role.project))
            })?;
        let known = self.found.roles.get(&role.role.to_lowercase());
        let id = known
            .map(|role| role.id.as_str())
            .ok_or_else(|| KeystoneFault::Configuration(format!("there is no role {}", role.role)))?;
        let path = format!(
            "/v3/projects/{}/users/{}/roles/{}",
            encoded(&project),
            encoded(&self.user(who)?),
            encoded(id)
        );
        let gone = method == Method::DELETE;
        let answer = domain.manager.call(method, &path, None).await?;
        match answer.status {
            204 => Ok(()),
            404 if gone => Ok(()),
            403 => Err(failed(
                &format!(
                    "role {role}: managers give only what Keystone's policy 'domain_managed_target_role' lists"
                ),
                &answer,
            )),
            _ => Err(failed(&format!("role {role} for {who}"), &answer)),
        }
    }

    async fn member(&self, method: Method, who: &Who, group: &str) -> Result<(), KeystoneFault> {
        let path = format!(
            "/v3/groups/{}/users/{}",
            encoded(&self.group(&who.domain, group)?),
            encoded(&self.user(who)?)
        );
        let gone = method == Method::DELETE;
        let answer = self
            .domain(&who.domain)?
            .manager
            .call(method, &path, None)
            .await?;
        match answer.status {
            204 => Ok(()),
            404 if gone => Ok(()),
            _ => Err(failed(&format!("member {who} of group {group}"), &answer)),
        }
    }

    async fn delete(&self, domain: &str, path: &str, change: &Change) -> Result<(), KeystoneFault> {
        let answer = self
            .domain(domain)?
            .manager
            .call(Method::DELETE, path, None)
            .await?;
        match answer.status {
            204 | 404 => Ok(()),
            _ => Err(failed(&change.to_string(), &answer)),
        }
    }
}

/// Makes something; none where one of that name is there.
async fn create(
    manager: &Manager,
    (path, kind, name): (&str, &str, &str),
    body: &Value,
) -> Result<Option<String>, KeystoneFault> {
    let answer = manager.call(Method::POST, path, Some(body)).await?;
    let step = format!("making the {kind} {name}");
    match answer.status {
        201 => serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| body.get(kind)?.get("id")?.as_str().map(str::to_owned))
            .map(Some)
            .ok_or_else(|| KeystoneFault::Refused {
                step,
                answer: "Keystone's answer names no id".to_owned(),
            }),
        409 => Ok(None),
        _ => Err(failed(&step, &answer)),
    }
}

async fn by_name(
    manager: &Manager,
    (kind, name): (&str, &str),
    ours: &(dyn Fn(&Value) -> bool + Sync),
) -> Result<String, KeystoneFault> {
    let path = format!(
        "/v3/{kind}?domain_id={}&name={}",
        encoded(&manager.domain_id),
        encoded(name)
    );
    let found: Vec<Value> = manager.list(&path, kind).await?;
    let own = found.iter().find(|one| ours(one));
    own.and_then(|one| one.get("id")?.as_str().map(str::to_owned))
        .ok_or_else(|| {
            KeystoneFault::Configuration(format!(
                "{name} is there among {kind} and was not made here: rename it"
            ))
        })
}
