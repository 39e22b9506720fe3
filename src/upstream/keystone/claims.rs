//! What a partner's Keystone says of somebody, as claims.
//!
//! Names in Keystone are unique in a domain only, and a role means nothing without its project: so each claim that is
//! compared later is whole, its parts percent-encoded and joined by `/`, which no encoded part holds.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Misfit, Stated};

/// Everything but the letters that need no encoding (RFC 3986 §2.3).
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A group, as Keystone writes it after `JSON:`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    domain: Domain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Domain {
    name: String,
}

/// Who it is, unambiguously: `domain/user`.
pub(super) fn subject(stated: &Stated<'_>) -> Result<String, Misfit> {
    let user = single(&stated.attributes, "openstack_user")?;
    // Two names for one person: each could be meant.
    if user != stated.name {
        return Err(Misfit::Subject);
    }
    Ok(joined(&[
        single(&stated.attributes, "openstack_user_domain")?,
        user,
    ]))
}

/// All claims.
pub(super) fn claims(stated: &Stated<'_>) -> Result<Map<String, Value>, Misfit> {
    let attributes = &stated.attributes;
    let user = single(attributes, "openstack_user")?;
    let user_domain = single(attributes, "openstack_user_domain")?;
    let project = single(attributes, "openstack_project")?;
    let project_domain = single(attributes, "openstack_project_domain")?;
    let roles = attributes.get("openstack_roles").map_or(&[][..], Vec::as_slice);
    let project_roles: Vec<String> = roles
        .iter()
        .map(|role| joined(&[project_domain, project, role]))
        .collect();
    let groups = attributes.get("openstack_groups").map_or(&[][..], Vec::as_slice);
    let groups: Result<Vec<String>, Misfit> = groups.iter().map(|text| group(text)).collect();
    let claims = [
        ("preferred_username", json!(format!("{user}@{user_domain}"))),
        ("openstack_user", json!(user)),
        ("openstack_user_domain", json!(user_domain)),
        ("openstack_project", json!(project)),
        ("openstack_project_domain", json!(project_domain)),
        ("openstack_roles", json!(roles)),
        ("openstack_project_roles", json!(project_roles)),
        ("openstack_groups", json!(groups?)),
    ];
    Ok(claims
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

fn single<'t>(attributes: &BTreeMap<&str, Vec<&'t str>>, name: &str) -> Result<&'t str, Misfit> {
    match attributes.get(name).map(Vec::as_slice) {
        Some([value]) if !value.trim().is_empty() => Ok(value),
        Some(_) | None => Err(Misfit::Attribute(name.to_owned())),
    }
}

/// `JSON:{"name": …, "domain": {"name": …}}`, each name once and nothing else in it.
fn group(text: &str) -> Result<String, Misfit> {
    let unread = || Misfit::Attribute("openstack_groups".to_owned());
    let json = text.strip_prefix("JSON:").ok_or_else(unread)?;
    let group: Group = serde_json::from_str(json).map_err(|_| unread())?;
    Ok(joined(&[&group.domain.name, &group.name]))
}

fn joined(parts: &[&str]) -> String {
    let encoded = parts
        .iter()
        .map(|part| utf8_percent_encode(part, PART).to_string());
    encoded.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_two_domains_never_meet() {
        assert_eq!(joined(&["Default", "ada"]), "Default/ada");
        assert_eq!(joined(&["a/b", "c"]), "a%2Fb/c");
        assert_ne!(joined(&["a/b", "c"]), joined(&["a", "b/c"]));
        assert_ne!(joined(&["a%2Fb", "c"]), joined(&["a/b", "c"]));
        assert_eq!(joined(&["grö ße", "x@y"]), "gr%C3%B6%20%C3%9Fe/x%40y");
    }

    #[test]
    fn a_group_is_read_strictly() {
        let read = |text: &str| group(text).ok();
        assert_eq!(
            read(r#"JSON:{"name": "ops/eu", "domain": {"name": "Default"}}"#).as_deref(),
            Some("Default/ops%2Feu")
        );
        for bad in [
            "devs",
            r#"{"name": "a", "domain": {"name": "b"}}"#,
            r#"JSON:{"name": "a"}"#,
            r#"JSON:{"name": "a", "domain": "b"}"#,
            r#"JSON:{"name": "a", "domain": {"name": "b", "id": "c"}}"#,
            r#"JSON:{"name": "a", "name": "b", "domain": {"name": "c"}}"#,
            r#"JSON:{"name": ["a"], "domain": {"name": "c"}}"#,
            r#"JSON:[{"name": "a", "domain": {"name": "c"}}]"#,
            r#"JSON:{"name": "a", "domain": {"name": "b"}} x"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
