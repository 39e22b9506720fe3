//! With mapping schema 1.0: an identity provider for each tenant, and the groups that carry roles.
//!
//! What the rules give no more stays: nobody is put into such a group by a sign-in any more.

use std::collections::BTreeMap;

use ::http::Method;
use serde_json::{Value, json};

use super::{Admin, Change, Customer, KeystoneFault, Step};
use crate::target::keystone::groups;
use crate::wire::keystone::{Groups, Projects, Resource};

/// Longest id of an identity provider in Keystone.
const LONGEST_ID: usize = 64;

/// One domain, project and role.
type Given<'a> = (&'a str, &'a str, &'a str);

pub(super) async fn run(
    admin: &Admin<'_>,
    ids: &BTreeMap<&str, String>,
    roles: &BTreeMap<String, String>,
) -> Result<Vec<Step>, KeystoneFault> {
    let mut steps = Vec::new();
    for customer in admin.ask.customers {
        let Some(home) = customer.domains.first() else {
            continue;
        };
        let config = admin.ask.config.of_tenant(&customer.tenant, admin.ask.issuer);
        if config.identity_provider.len() > LONGEST_ID {
            return Err(KeystoneFault::Configuration(format!(
                "the identity provider of tenant '{}' would be '{}': Keystone takes {LONGEST_ID} characters; set a shorter \
                 'identity_provider' of target '{}'",
                customer.tenant, config.identity_provider, config.id
            )));
        }
        let own = admin.own(&config, home);
        steps.extend(own.all(ids.get(home.as_str()).map(String::as_str)).await?);
        let room = Room {
            admin,
            ids,
            roles,
            home,
        };
        for (domain, project, role) in &customer.roles {
            steps.push(room.group((domain, project, role), customer).await?);
        }
    }
    Ok(steps)
}

struct Room<'a> {
    admin: &'a Admin<'a>,
    /// Ids of domains.
    ids: &'a BTreeMap<&'a str, String>,
    /// Ids of roles, by their names in lower case.
    roles: &'a BTreeMap<String, String>,
    /// Where the tenant's groups are.
    home: &'a str,
}

impl Room<'_> {
    /// The group of one role on one project: itself, the project, and the role that it has there.
    async fn group(&self, given: Given<'_>, customer: &Customer) -> Result<Step, KeystoneFault> {
        let (domain, project, role) = given;
        let name = groups::named(given);
        let mut step = Step {
            what: format!(
                "role '{role}' on {domain}/{project} for group {name} of domain '{}'",
                self.home
            ),
            change: Change::Made,
        };
        if !customer.domains.iter().any(|own| own == domain) {
            return Err(KeystoneFault::Configuration(format!(
                "access: a rule gives tenant '{}' a project in domain '{domain}', which is none of its domains",
                customer.tenant
            )));
        }
        let (Some(home), Some(place), Some(role_id)) = (
            self.ids.get(self.home),
            self.ids.get(domain),
            self.roles.get(&role.to_lowercase()),
        ) else {
            // A domain that a dry run has not made, or a role that is named as missing elsewhere.
            if !self.roles.contains_key(&role.to_lowercase()) {
                step.change = Change::Missing;
            }
            return Ok(step);
        };
        let of_project = json!({ "project": { "name": project, "domain_id": place } });
        let of_group = json!({ "group": { "name": name, "domain_id": home,
            "description": format!("fedgate: {role} on {domain}/{project}") } });
        let found = self
            .admin
            .look(&step.what, &listed("projects", place, project))
            .await?;
        let found = found.and_then(|found: Projects| found.projects.into_iter().next());
        let project = self.found_or_made(&step, found, ("project", &of_project)).await?;
        let found = self
            .admin
            .look(&step.what, &listed("groups", home, &name))
            .await?;
        let found = found.and_then(|found: Groups| found.groups.into_iter().next());
        let group = self.found_or_made(&step, found, ("group", &of_group)).await?;
        let (Some(project), Some(group)) = (project, group) else {
            return Ok(step);
        };
        let path = format!("/v3/projects/{project}/groups/{group}/roles/{role_id}");
        let has = self.admin.call(Method::GET, &path, None).await?;
        if has.status == 204 {
            step.change = Change::None;
        } else {
            self.admin.write(&step, Method::PUT, &path, &Value::Null).await?;
        }
        Ok(step)
    }

    /// The id of what was found, or made now; none if only looking.
    async fn found_or_made(
        &self,
        step: &Step,
        found: Option<Resource>,
        (kind, body): (&str, &Value),
    ) -> Result<Option<String>, KeystoneFault> {
        if let Some(found) = found {
            return Ok(Some(found.id));
        }
        let made = self
            .admin
            .write(step, Method::POST, &format!("/v3/{kind}s"), body)
            .await?;
        let made = made.and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok());
        Ok(made.and_then(|made| made.get(kind)?.get("id")?.as_str().map(str::to_owned)))
    }
}

/// Those of a domain with a name.
fn listed(kind: &str, domain: &str, name: &str) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("domain_id", domain)
        .append_pair("name", name)
        .finish();
    format!("/v3/{kind}?{query}")
}
