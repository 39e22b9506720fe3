//! Access rules as the policies see them: `data.fed`, keyed by what a request knows.
//!
//! `data.fed.rules[tenant][target][upstream or "*"][group]` is a short list, so a decision costs what the
//! groups of one person cost, however many rules there are. Each item carries its finished grants.
//! `data.fed.clients[tenant][target][upstream or "*"][client]` is the same for clients that act for themselves: a
//! table of their own, so that no group of a person's can be spelled to reach it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    config::{Config, ReviewRule},
    library,
    rules::{AccessRule, EVERYBODY},
};
use crate::domain::{
    access::{Entitlement, Grant},
    tenant::Tenant,
};

/// What an offer demands, by the reason given when it is not met.
pub(super) mod demand {
    pub(in crate::policy) const MFA: &str = "mfa_required";
    pub(in crate::policy) const AGE: &str = "sign_in_too_old";
    pub(in crate::policy) const CONTRACT: &str = "contract_ended";
}

type Offers = BTreeMap<String, Vec<Value>>;
type ByUpstream = BTreeMap<String, Offers>;
type ByTarget = BTreeMap<String, ByUpstream>;

/// The document `data`.
pub(super) fn data(config: &Config, rules: &[AccessRule], tenants: &[Tenant]) -> Value {
    let standing: Map<String, Value> = tenants
        .iter()
        .map(|tenant| {
            let suspended = config.suspended.contains(&tenant.id);
            let status = if suspended { "suspended" } else { "active" };
            let facts = json!({ "status": status, "domains": tenant.domains });
            (tenant.id.to_string(), facts)
        })
        .collect();
    let mut people: BTreeMap<String, ByTarget> = BTreeMap::new();
    let mut clients = people.clone();
    for rule in rules {
        let (index, name) = match rule.client() {
            Some(client) => (&mut clients, client),
            None => (&mut people, rule.group.as_str()),
        };
        let upstream = rule
            .upstream
            .as_ref()
            .map_or_else(|| EVERYBODY.to_owned(), ToString::to_string);
        index
            .entry(rule.tenant.to_string())
            .or_default()
            .entry(rule.target.to_string())
            .or_default()
            .entry(upstream)
            .or_default()
            .entry(name.to_owned())
            .or_default()
            .push(offer(rule));
    }
    let mut fed = json!({
        "tenants": standing,
        "rules": people,
        "clients": clients,
        "library": library::data(&config.rules, tenants),
        "reviews": reviews(&config.reviews),
    });
    // Without the key any network will do; an empty list would be none.
    if let Some(fed) = fed.as_object_mut().filter(|_| !config.admin_networks.is_empty()) {
        fed.insert("admin".into(), json!({ "networks": config.admin_networks }));
    }
    json!({ "fed": fed })
}

/// `data.fed.reviews[cluster]["tenant:group"]`.
fn reviews(rules: &[ReviewRule]) -> Value {
    let mut index: BTreeMap<&str, Offers> = BTreeMap::new();
    for rule in rules {
        let item = json!({
            "rule": rule.rule, "verbs": rule.verbs, "api_groups": rule.api_groups,
            "resources": rule.resources, "namespaces": rule.namespaces,
        });
        index
            .entry(rule.cluster.as_str())
            .or_default()
            .entry(format!("{}:{}", rule.tenant, rule.group))
            .or_default()
            .push(item);
    }
    json!(index)
}

fn offer(rule: &AccessRule) -> Value {
    let mut offer = Map::new();
    offer.insert("grants".into(), json!(grants(rule)));
    let mut demands = Map::new();
    if rule.mfa {
        demands.insert(demand::MFA.into(), json!(true));
    }
    if let Some(seconds) = rule.max_age_s {
        demands.insert(demand::AGE.into(), json!(seconds));
    }
    if let Some(end) = rule.until {
        demands.insert(demand::CONTRACT.into(), json!(end.0));
    }
    if !demands.is_empty() {
        offer.insert("demands".into(), Value::Object(demands));
    }
    if let Some(seconds) = rule.lifetime_s {
        offer.insert("lifetime_s".into(), json!(seconds));
    }
    Value::Object(offer)
}

fn grants(rule: &AccessRule) -> Vec<Grant> {
    let projects = rule.projects.iter().flat_map(|given| {
        given.roles.iter().map(|role| Entitlement::Project {
            domain: given.domain.clone(),
            project: given.project.clone(),
            role: role.clone(),
        })
    });
    let groups = rule
        .groups
        .iter()
        .map(|group| Entitlement::Group { group: group.clone() });
    let session = rule.session.then_some(Entitlement::Session);
    projects
        .chain(groups)
        .chain(session)
        .map(|entitlement| Grant {
            entitlement,
            rule: rule.rule.clone(),
        })
        .collect()
}
