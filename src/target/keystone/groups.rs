//! Roles by groups, for Keystones that know mapping schema 1.0 alone (before 2026.1; Debian 12 has 22).
//!
//! Their mapping can give roles on projects, too (`projects`), but it never takes one away, knows the identity
//! provider's domain only, and its list has a fixed length. A group that is mapped is held for the identity provider's
//! `authorization_ttl` and lapses by itself. So there is one group for each role on each project, in the tenant's
//! first domain; `fedgate keystone setup` makes it and gives it the role, and a sign-in names the groups.
//!
//! A group's name is a digest: Keystone splits names at `;`, and reads a list of groups otherwise as soon as one of
//! their names holds `name` (openstack.md §2.3). No hexadecimal digest does, and none breaks beyond ASCII.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::{Config, headers::name, transport::Told};

/// Minutes for which a mapped group outlives the sign-in: how long a role that was taken away may last.
pub const AUTHORIZATION_TTL_MIN: u64 = 15;
/// Bytes of the digest: no two roles of a cloud share 96 bits.
const LENGTH: usize = 12;

/// The group that carries a role on a project: domain, project, role.
#[must_use]
pub fn named((domain, project, role): (&str, &str, &str)) -> String {
    // Lengths keep the parts apart whatever they hold.
    let text = format!(
        "{}:{domain}{}:{project}{}:{role}",
        domain.len(),
        project.len(),
        role.len()
    );
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut out = "fedgate-".to_owned();
    for byte in hash.as_ref().iter().take(LENGTH) {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The header's value: all groups of these roles.
pub(super) fn of<'a>(roles: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> String {
    roles.map(named).collect::<Vec<_>>().join(";")
}

/// How many groups were told that the token of Keystone's answer does not have: Keystone passes over unknown ones.
pub(super) fn missing(told: &Told, body: &[u8]) -> usize {
    let Some((_, groups)) = told.iter().find(|(end, _)| *end == name::GROUPS) else {
        return 0;
    };
    let body = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let held = body
        .pointer("/token/user/OS-FEDERATION/groups")
        .and_then(Value::as_array);
    held.map_or(0, |held| groups.split(';').count().saturating_sub(held.len()))
}

/// The mapping of one tenant: the person, and the groups of the header in the tenant's first domain.
///
/// Two rules for the person, because Keystone takes the first user that applies, and a person without an e-mail
/// address has no such header. A person without groups has none of the third.
#[must_use]
pub fn rules(config: &Config, remote_id: &str, home: &str) -> Value {
    let of = |end: &str| json!({ "type": config.key(end) });
    let from = json!({ "type": config.key(name::ISS), "any_one_of": [remote_id] });
    let domain = json!({ "name": home });
    json!([
        { "remote": [of(name::SUB), of(name::PREFERRED_USERNAME), of(name::EMAIL), from],
          "local": [{ "user": { "id": "{0}", "name": "{1}", "email": "{2}", "type": "ephemeral", "domain": domain } }] },
        { "remote": [of(name::SUB), of(name::PREFERRED_USERNAME), from],
          "local": [{ "user": { "id": "{0}", "name": "{1}", "type": "ephemeral", "domain": domain } }] },
        { "remote": [of(name::GROUPS), from], "local": [{ "groups": "{0}", "domain": domain }] },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_apart_and_hold_nothing_that_keystone_trips_over() {
        let one = named(("acme", "webshop", "member"));
        assert_eq!(one.len(), 32);
        for other in [
            ("acme", "webshop", "reader"),
            ("acme", "webshopm", "ember"),
            ("acmewebshop", "", "member"),
            ("acme-labs", "webshop", "member"),
        ] {
            assert_ne!(named(other), one, "{other:?}");
        }
        let odd = named(("größe; JSON:", "name", "domain"));
        assert!(
            odd.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{odd}"
        );
        assert!(!odd.contains("name") && !odd.contains("domain"));
    }

    #[test]
    fn groups_that_keystone_passed_over_are_counted() {
        let told = |groups: &str| vec![(name::GROUPS, groups.to_owned())];
        let body = br#"{"token": {"user": {"OS-FEDERATION": {"groups": [{"id": "1"}]}}}}"#;
        assert_eq!(missing(&told("a"), body), 0);
        assert_eq!(missing(&told("a;b;c"), body), 2);
        assert_eq!(missing(&Told::new(), body), 0);
        assert_eq!(missing(&told("a"), b"<html>"), 0);
    }
}
