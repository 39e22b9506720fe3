//! What of a configuration that was read again holds for people before the next restart.
//!
//! The doors keep their tenants, targets and mappings until then. A pass that went by other ones would give somebody at
//! a target what their sign-in does not, or take it away again.

use std::collections::BTreeMap;

use crate::{config::Config, upstream::Declared};

/// `held` with the policies, access rules and people of `read`. Upstreams that came with it are taken, so that a list
/// may name their people; nobody can come through them yet.
pub(super) fn taken(held: &Config, read: Config) -> Config {
    let mut news: BTreeMap<_, _> = read
        .upstreams
        .into_iter()
        .map(|declared| (declared.id().clone(), declared))
        .collect();
    let mut upstreams: Vec<Declared> = held
        .upstreams
        .iter()
        .map(|kept| with_people_of(kept.clone(), news.remove(kept.id())))
        .collect();
    upstreams.extend(news.into_values());
    Config {
        policy: read.policy,
        access: read.access,
        people: read.people,
        upstreams,
        ..held.clone()
    }
}

/// The same upstream; where it is a list of people itself, with those who are there now.
fn with_people_of(mut kept: Declared, read: Option<Declared>) -> Declared {
    if let (Declared::Local(kept), Some(Declared::Local(read))) = (&mut kept, read) {
        kept.users = read.users;
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(tenants: &Value, upstreams: &Value, rule: &str) -> Config {
        serde_json::from_value(json!({
            "issuer": "https://gw.example", "name": "Cloud", "listen": { "address": "127.0.0.1:0" },
            "secret_key": { "file": "secret.key" }, "tenants": tenants, "upstreams": upstreams,
            "access": [{ "rule": rule, "tenant": "acme", "group": "developers", "target": "openstack" }],
            "people": { "path": format!("{rule}.yaml") },
        }))
        .unwrap()
    }

    fn local(id: &str, user: &str, tenant: &str, claim: &str) -> Value {
        json!({
            "kind": "local", "id": id, "name": id, "tenant": tenant,
            "users": [{ "username": user, "password_hash": { "file": "hash" } }],
            "mapping": { "groups": [{ "rule": "all", "claim": claim, "accept": ["*"] }] },
        })
    }

    #[test]
    fn people_and_rules_are_taken_and_what_the_doors_hold_stays() {
        let tenant = |domain: &str| json!([{ "id": "acme", "name": "ACME", "domains": [domain] }]);
        let held = config(
            &tenant("acme"),
            &json!([
                local("staff", "alice", "acme", "groups"),
                local("old", "zoe", "acme", "groups")
            ]),
            "before",
        );
        let read = config(
            &tenant("elsewhere"),
            &json!([
                local("staff", "bob", "other", "roles"),
                local("new", "carol", "acme", "groups")
            ]),
            "after",
        );
        let taken = taken(&held, read.clone());
        assert_eq!((&taken.tenants, &taken.access), (&held.tenants, &read.access));
        assert_eq!(taken.people, read.people);
        let ids: Vec<&str> = taken.upstreams.iter().map(|one| one.id().as_str()).collect();
        assert_eq!(ids, ["staff", "old", "new"]);
        let staff = &taken.upstreams[0];
        assert_eq!(
            (staff.mapping(), staff.tenant()),
            (held.upstreams[0].mapping(), held.upstreams[0].tenant())
        );
        let Declared::Local(staff) = staff else {
            panic!("{staff:?}")
        };
        assert_eq!(staff.users[0].username, "bob");
    }
}
