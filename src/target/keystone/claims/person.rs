//! What a Keystone behind Apache is told about a person: the claims that kolla-ansible's own mapping reads, each
//! checked for what Keystone would read otherwise than it is written.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{super::headers, Config};
use crate::domain::{
    access::{Entitlement, Permit, reason},
    fault::{Code, Fault},
};

/// The claims about a person, the same in ID tokens and access tokens: with a bearer token Apache asks nobody else.
#[derive(Debug, Serialize)]
pub(super) struct Person<'a> {
    preferred_username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(rename = "openstack-user-domain")]
    domain: &'a str,
    #[serde(rename = "openstack-default-project", skip_serializing_if = "Option::is_none")]
    default_project: Option<&'a str>,
    /// A text, because mod_auth_openidc hands on texts: `projects_json` of mapping schema 3.0.
    #[serde(rename = "openstack-projects", skip_serializing_if = "Option::is_none")]
    projects: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<&'a str>,
}

impl<'a> Person<'a> {
    /// The claims of a permit; `domain` is the Keystone domain of its people.
    pub(super) fn of(permit: &'a Permit, config: &Config, domain: &'a str) -> Result<Self, Fault> {
        let identity = permit.identity();
        let email = identity.email().filter(|_| permit.releases("email"));
        let default_project = default_project(permit, config, domain);
        for (claim, value) in [
            ("preferred_username", Some(identity.username())),
            ("email", email),
            ("openstack-user-domain", Some(domain)),
            ("openstack-default-project", default_project),
        ] {
            if let Some(Err(why)) = value.map(headers::checked) {
                let detail = format!("the value for {claim} {why}");
                return Err(Fault::new(Code::TargetRefused, detail));
            }
        }
        let projects = match config.projects_json {
            true => Some(headers::projects(permit)?),
            false if default_project.is_none() => return Err(nowhere(config)),
            false => None,
        };
        Ok(Self {
            preferred_username: identity.username(),
            email,
            domain,
            default_project,
            projects,
            groups: groups(permit, config),
        })
    }
}

/// The first project of the home domain with the role that the mapping gives there: never one on which the person
/// has another role alone, for the mapping would give them this one.
fn default_project<'a>(permit: &'a Permit, config: &Config, home: &str) -> Option<&'a str> {
    let projects: BTreeSet<&str> = permit
        .grants()
        .iter()
        .filter_map(|grant| match &grant.entitlement {
            Entitlement::Project {
                domain,
                project,
                role,
            } if domain == home && role.eq_ignore_ascii_case(&config.default_role) => Some(project.as_str()),
            Entitlement::Project { .. } | Entitlement::Group { .. } | Entitlement::Session => None,
        })
        .collect();
    projects.into_iter().next()
}

/// Those of the person's groups that Keystone may hear of.
fn groups<'a>(permit: &'a Permit, config: &Config) -> Vec<&'a str> {
    if !permit.releases("groups") {
        return Vec::new();
    }
    let held = permit.identity().groups().iter().map(|group| group.name.as_str());
    held.filter(|name| config.groups.iter().any(|told| told == name))
        .collect()
}

fn nowhere(config: &Config) -> Fault {
    Fault {
        reasons: vec![reason::NO_DEFAULT_PROJECT.to_owned()],
        ..Fault::new(
            Code::NoAccess,
            format!(
                "policy gives the role '{}' on no project of the person's domain, and target '{}' tells one project \
                 only (mapping schema 2.0)",
                config.default_role, config.id
            ),
        )
    }
}
