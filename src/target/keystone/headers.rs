//! What Keystone is told about a person: exactly one of each thing, each value checked.
//!
//! Keystone splits every value at `;`, reads values that begin with `JSON:` as objects of any domain and values
//! that begin with `[` as lists, and falls back to the name where `sub` is empty. So each value is checked here,
//! whatever upstream or policy let it pass.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    access::{Entitlement, Permit},
    fault::{Code, Fault},
};
use crate::wire::keystone::{AssertedProject, Named};

use super::{MappingSchema, groups, transport::Told};

/// Keystone's columns.
const LONGEST_VALUE: usize = 255;
/// uWSGI takes 64 KiB of headers in Keystone's usual setting; the rest stays free.
const LONGEST_PROJECTS: usize = 48 * 1024;

/// Ends of the names; [`super::setup`] writes the mapping from the same list.
pub mod name {
    /// The issuer: always the one remote id.
    pub const ISS: &str = "ISS";
    /// The stable key of the person.
    pub const SUB: &str = "SUB";
    /// What the person is called.
    pub const PREFERRED_USERNAME: &str = "PREFERRED-USERNAME";
    /// The e-mail address; absent where there is none.
    pub const EMAIL: &str = "EMAIL";
    /// The domain of the user in Keystone.
    pub const DOMAIN: &str = "DOMAIN";
    /// Projects and roles, as JSON (mapping schema 3.0).
    pub const PROJECTS: &str = "OPENSTACK-PROJECTS";
    /// Groups that carry roles (mapping schema 1.0); absent where there are none.
    pub const GROUPS: &str = "GROUPS";
}

/// What Keystone is told of a person by name and roles: the same checks, and no more than these roles.
pub(super) fn of_person<'a>(
    (key, username, domain): (&str, &str, &str),
    remote_id: &str,
    roles: impl Iterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<Told, Fault> {
    let mut told = Told::with_capacity(5);
    for (end, value) in [
        (name::ISS, remote_id),
        (name::SUB, key),
        (name::PREFERRED_USERNAME, username),
        (name::DOMAIN, domain),
    ] {
        checked(value)
            .map_err(|problem| Fault::new(Code::TargetRefused, format!("the value for {end} {problem}")))?;
        told.push((end, value.to_owned()));
    }
    let mut by_project = Roles::new();
    for (domain, project, role) in roles {
        by_project.entry((domain, project)).or_default().insert(role);
    }
    told.push((name::PROJECTS, written(by_project)?));
    Ok(told)
}

/// What Keystone is told for a permit: exactly one of each.
pub fn of(permit: &Permit, schema: MappingSchema, (remote_id, domain): (&str, &str)) -> Result<Told, Fault> {
    let identity = permit.identity();
    let mut texts = vec![
        (name::ISS, remote_id),
        (name::SUB, identity.key()),
        (name::PREFERRED_USERNAME, identity.username()),
    ];
    if let Some(email) = identity.email() {
        texts.push((name::EMAIL, email));
    }
    texts.push((name::DOMAIN, domain));
    let mut told = Told::with_capacity(6);
    for (end, value) in texts {
        checked(value)
            .map_err(|problem| Fault::new(Code::TargetRefused, format!("the value for {end} {problem}")))?;
        told.push((end, value.to_owned()));
    }
    match schema {
        MappingSchema::Projects => told.push((name::PROJECTS, projects(permit)?)),
        MappingSchema::Groups => {
            let groups = groups::of(roles(permit)?.into_iter().flat_map(|((domain, project), roles)| {
                roles.into_iter().map(move |role| (domain, project, role))
            }));
            // No header says "no group": an empty value would be a group without a name.
            if !groups.is_empty() {
                told.push((name::GROUPS, bounded(groups)?));
            }
        }
    }
    Ok(told)
}

/// Whether Keystone would read a value as it is written.
pub(super) fn checked(value: &str) -> Result<(), &'static str> {
    if value.trim().is_empty() {
        Err("is empty: Keystone would fall back to another value")
    } else if value.trim() != value {
        Err("begins or ends with a space, which is lost on the way")
    } else if value.contains(';') {
        Err("holds ';': Keystone would split it")
    } else if value.chars().any(char::is_control) {
        Err("holds a control character")
    } else if value.chars().count() > LONGEST_VALUE {
        Err("is longer than 255 characters")
    } else if value.starts_with("JSON:") {
        Err("begins with 'JSON:': Keystone would read it as an object")
    } else if value.starts_with('[') {
        Err("begins with '[': Keystone would read it as a list")
    } else {
        Ok(())
    }
}

type Roles<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

/// All projects of the permit with their roles, and no others.
fn roles(permit: &Permit) -> Result<Roles<'_>, Fault> {
    let mut roles = Roles::new();
    for grant in permit.grants() {
        match &grant.entitlement {
            Entitlement::Project {
                domain,
                project,
                role,
            } => {
                for text in [domain, project, role] {
                    fits(text)?;
                }
                roles.entry((domain, project)).or_default().insert(role);
            }
            Entitlement::Group { .. } | Entitlement::Session => {}
        }
    }
    Ok(roles)
}

/// `projects_json` of mapping schema 3.0: all projects of the permit with their roles, and no others.
pub fn projects(permit: &Permit) -> Result<String, Fault> {
    written(roles(permit)?)
}

/// Pure ASCII without `;`, because Keystone splits the text before it reads the JSON.
fn written(roles: Roles<'_>) -> Result<String, Fault> {
    let asserted: Vec<AssertedProject<'_>> = roles
        .into_iter()
        .map(|((domain, project), roles)| AssertedProject {
            name: project,
            domain: named(domain),
            roles: roles.into_iter().map(named).collect(),
        })
        .collect();
    let json = serde_json::to_string(&asserted)
        .map_err(|problem| Fault::new(Code::Internal, format!("projects are not JSON: {problem}")))?;
    bounded(escaped(&json))
}

fn bounded(text: String) -> Result<String, Fault> {
    if text.len() > LONGEST_PROJECTS {
        return Err(Fault::new(
            Code::TargetRefused,
            "the person's projects do not fit into one request to Keystone: give fewer by `access`",
        ));
    }
    Ok(text)
}

fn named(name: &str) -> Named<'_> {
    Named { name: name.into() }
}

/// Names inside JSON are not split or parsed again, but Keystone's limits hold. Its project names end at 64.
fn fits(name: &str) -> Result<(), Fault> {
    let ok = !name.trim().is_empty() && name.chars().count() <= 64 && !name.chars().any(char::is_control);
    if ok {
        Ok(())
    } else {
        Err(Fault::new(
            Code::TargetRefused,
            format!("the access rules name a domain, project or role that Keystone cannot hold: {name:?}"),
        ))
    }
}

/// The same JSON with `;` and everything beyond ASCII written as `\uXXXX`.
fn escaped(json: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() && c != ';' && !c.is_ascii_control() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_keystone_would_read_otherwise_are_refused() {
        for bad in [
            "",
            "  ",
            "alice;root",
            "JSON:{\"name\":\"admins\"}",
            "['a']",
            "a\nb",
            " a",
            "a ",
        ] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
        assert!(checked(&"x".repeat(256)).is_err());
        for good in ["alice", "Jürgen Ñ €", "{0}", "x@y.example", "a JSON: b"] {
            assert!(checked(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn escaping_leaves_the_same_json() {
        let json = serde_json::json!([{"name": "a;b – Jürgen 🌍 \"q\" \\"}]).to_string();
        let text = escaped(&json);
        assert!(text.is_ascii() && !text.contains(';'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).ok(),
            serde_json::from_str(&json).ok()
        );
    }
}
