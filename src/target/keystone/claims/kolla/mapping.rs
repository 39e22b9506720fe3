//! The mappings: kolla's own in shape, with the person's stable `sub` as id, so that a renamed person stays the same.
//!
//! Two rules for the person in each, because Keystone takes the first user that applies, and somebody without an
//! e-mail address has no such attribute.

use serde_json::{Value, json};

use super::Ask;

const SUB: &str = "OIDC-sub";
const NAME: &str = "OIDC-preferred_username";
const DOMAIN: &str = "OIDC-openstack-user-domain";
const PROJECT: &str = "OIDC-openstack-default-project";
const PROJECTS: &str = "OIDC-openstack-projects";
const EMAIL: &str = "OIDC-email";
const GROUPS: &str = "OIDC-groups";
const ISS: &str = "OIDC-iss";

/// Schema 2.0: one project with one role.
pub(super) fn one_project(ask: &Ask<'_>) -> Value {
    let role = &ask.config.default_role;
    let local = |user: Value| {
        json!([{
            "user": user,
            "domain": { "name": "{2}" },
            "projects": [{ "name": "{3}", "domain": { "name": "{2}" }, "roles": [{ "name": role }] }],
        }])
    };
    rules(ask, PROJECT, &local)
}

/// Schema 3.0: all projects with their roles.
pub(super) fn all_projects(ask: &Ask<'_>) -> Value {
    let local = |user: Value| json!([{ "user": user, "domain": { "name": "{2}" }, "projects_json": "{3}" }]);
    rules(ask, PROJECTS, &local)
}

fn rules(ask: &Ask<'_>, projects: &str, local: &dyn Fn(Value) -> Value) -> Value {
    let issuer = json!({ "type": ISS, "any_one_of": [ask.issuer()] });
    let person = |email: bool| {
        let mut remote: Vec<Value> = [SUB, NAME, DOMAIN, projects]
            .into_iter()
            .map(|name| json!({ "type": name }))
            .collect();
        let mut user =
            json!({ "id": "{0}", "name": "{1}", "type": "ephemeral", "domain": { "name": "{2}" } });
        if email {
            remote.push(json!({ "type": EMAIL }));
            if let Some(user) = user.as_object_mut() {
                user.insert("email".to_owned(), json!("{4}"));
            }
        }
        remote.push(issuer.clone());
        json!({ "remote": remote, "local": local(user) })
    };
    let mut rules = vec![person(true), person(false)];
    if !ask.config.groups.is_empty() {
        rules.push(json!({
            "remote": [{ "type": GROUPS, "whitelist": ask.config.groups }, { "type": DOMAIN }, issuer],
            "local": [{ "groups": "{0}", "domain": { "name": "{1}" } }],
        }));
    }
    Value::from(rules)
}
