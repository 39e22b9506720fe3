//! The rules of `policies/rules/` that an operator switches on (`policy.rules`), and what Rego sees of them.
//!
//! Each item is compiled once into `data.fed.library.items`; `data.fed.library.of[tenant]` names, for each rule,
//! the item that holds there. So a decision looks up the rules of one tenant, and a long list of invitations is
//! kept once. Start at [`LibraryRule`]; `params.rs` has the parameters, `compile.rs` the data.

mod compile;
mod moments;
mod params;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::Problem;
use crate::domain::{ids::TenantId, tenant::Tenant};

pub use moments::{Begin, Jurisdiction};
pub use params::{
    AcceptedGroups, Allocated, Allocation, Approval, Assurance, AttributeRelease, Ci, Claimed, Contract,
    Deprovisioned, Emergency, EmergencyGrant, Entitlements, Everything, Invitation, Invited, Jurisdictions,
    Keep, Link, Mark, Membership, MfaFor, NamePrefix, Network, NoLocalUsers, Onward, ParticipantCredential,
    Person, ReaderUnless, Released, ReservedRoles, RoleMap, Separation, ServiceAccount, ServiceAccounts,
    SignInAge, Tag, Tagged, TaggedTarget, Terms, TrustChain, TrustMark, UntrustedGroups,
};

/// A rule of the library, switched on with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum LibraryRule {
    /// 1: an upstream speaks only for its own tenant's domains. The gateway enforces it in any case.
    OwnDomains(Everything),
    /// 2: nobody from outside gets these roles. The gateway's own list holds in any case.
    ReservedRoles(ReservedRoles),
    /// 3: only groups with these beginnings come in.
    AcceptedGroups(AcceptedGroups),
    /// 4: only people with one of these claims come in.
    Membership(Membership),
    /// 5: groups of these upstreams count nothing.
    UntrustedGroups(UntrustedGroups),
    /// 6: only invited people come in.
    Invitation(Invitation),
    /// 7: a role from outside by what it is here.
    RoleMap(RoleMap),
    /// 8: a low role for everybody outside one group.
    ReaderUnless(ReaderUnless),
    /// 9: AARC entitlements become groups.
    Entitlements(Entitlements),
    /// 10: roles inside entitlements by their names here.
    EntitlementRoles(RoleMap),
    /// 11: the identity has been proved well enough.
    Assurance(Assurance),
    /// 12: a second factor for these roles and groups.
    MfaFor(MfaFor),
    /// 13: the sign-in is not too long ago.
    SignInAge(SignInAge),
    /// 14: as 11, for the weakest of several proxies.
    ChainAssurance(Assurance),
    /// 15: the organisation holds a trust mark.
    TrustMark(TrustMark),
    /// 16: a chain of trust to a pinned anchor.
    TrustChain(TrustChain),
    /// 17: the organisation's Gaia-X credential is valid.
    ParticipantCredential(ParticipantCredential),
    /// 18: projects and targets that allow some jurisdictions only.
    Jurisdiction(Jurisdictions),
    /// 19: the contract's window, and a freeze.
    Contract(Contract),
    /// 20: what is left when an allocation is used up.
    Allocation(Allocation),
    /// 21: how many gateways may lie between.
    Onward(Onward),
    /// 22: Kubernetes service accounts that are registered.
    ServiceAccounts(ServiceAccounts),
    /// 23: jobs of protected branches, tags and environments.
    Ci(Ci),
    /// 24: a token is for its audience's client and for the client it was issued to, and no other.
    AudienceBinding(Everything),
    /// 25: what clients learn about people.
    AttributeRelease(AttributeRelease),
    /// 26: the terms are accepted, in this version.
    Terms(Terms),
    /// 27: no local people but those behind the glass.
    NoLocalUsers(NoLocalUsers),
    /// 28: pairs of roles that nobody holds together.
    Separation(Separation),
    /// 29: put before every user name.
    NamePrefix(NamePrefix),
    /// 30: only from these networks.
    Network(Network),
    /// 31: people who are nobody's any more.
    Deprovisioned(Deprovisioned),
    /// 32: approved access for an hour.
    Emergency(Emergency),
    /// Claims that later decisions may see (`subject.extras`).
    Keep(Keep),
}

/// `data.fed.library`.
pub(super) fn data(rules: &[LibraryRule], tenants: &[Tenant]) -> Value {
    let items: Vec<Value> = rules.iter().map(LibraryRule::compiled).collect();
    let mut of: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for (place, rule) in rules.iter().enumerate() {
        for tenant in tenants.iter().filter(|tenant| rule.holds_for(&tenant.id)) {
            of.entry(tenant.id.to_string())
                .or_default()
                .insert(rule.name(), place);
        }
    }
    json!({ "items": items, "of": of })
}

/// Everything that is wrong with the items, beside their shape.
pub(super) fn problems(rules: &[LibraryRule], tenants: &[Tenant]) -> Vec<Problem> {
    let known: BTreeSet<&TenantId> = tenants.iter().map(|tenant| &tenant.id).collect();
    let mut taken = BTreeSet::new();
    let mut found = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let key = format!("rules[{place}]");
        for tenant in rule.tenants() {
            if !known.contains(tenant) {
                let what = format!("there is no tenant '{tenant}'");
                found.push(Problem::setting(&key, what, "name an id under tenants"));
            }
        }
        for tenant in tenants.iter().filter(|tenant| rule.holds_for(&tenant.id)) {
            if !taken.insert((rule.name(), tenant.id.clone())) {
                let what = format!(
                    "another '{}' holds for the tenant '{}' too",
                    rule.name(),
                    tenant.id
                );
                found.push(Problem::setting(
                    &key,
                    what,
                    "write one item of a rule for each tenant",
                ));
            }
        }
        for (what, instead) in rule.faults() {
            found.push(Problem::setting(&key, what, instead));
        }
    }
    found
}

impl LibraryRule {
    fn holds_for(&self, tenant: &TenantId) -> bool {
        let named = self.tenants();
        named.is_empty() || named.contains(tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> Tenant {
        serde_json::from_value(json!({"id": id, "name": id})).unwrap()
    }

    fn rules(value: Value) -> Vec<LibraryRule> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn items_are_kept_once_and_found_by_tenant() {
        let rules = rules(json!([
            {"rule": "terms", "version": "2"},
            {"rule": "network", "tenants": ["acme"], "networks": ["10.0.0.0/8"]},
        ]));
        let data = data(&rules, &[tenant("acme"), tenant("blue")]);
        assert_eq!(
            data["of"],
            json!({"acme": {"terms": 0, "network": 1}, "blue": {"terms": 0}})
        );
        assert_eq!(data["items"].as_array().unwrap().len(), 2);
        assert_eq!(data["items"][1], json!({"networks": ["10.0.0.0/8"]}));
    }

    #[test]
    fn unknown_keys_and_rules_are_refused() {
        for wrong in [
            json!({"rule": "terms", "version": "2", "verison": "3"}),
            json!({"rule": "no_such_rule"}),
            json!({"rule": "terms"}),
        ] {
            assert!(
                serde_json::from_value::<LibraryRule>(wrong.clone()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_would_never_or_always_hold_is_refused() {
        let rules = rules(json!([
            {"rule": "network", "networks": ["10.0.0.0/33"]},
            {"rule": "assurance", "levels": ["low"], "minimum": "high"},
            {"rule": "keep", "claims": {"chain": "act"}},
            {"rule": "emergency", "approvers": ["a"], "needed": 2, "grants": []},
            {"rule": "terms", "tenants": ["acme", "nobody"], "version": "1"},
            {"rule": "terms", "version": "2"},
            {"rule": "role_map", "roles": {"member": "admin"}},
        ]));
        let found: Vec<String> = problems(&rules, &[tenant("acme")])
            .iter()
            .map(ToString::to_string)
            .collect();
        for part in [
            "policy.rules[0]: '10.0.0.0/33' is no network",
            "policy.rules[1]: 'high' is none of the levels",
            "policy.rules[2]: 'chain' is kept by a rule itself",
            "policy.rules[3]: 2 approvals are needed and there are 1 approvers",
            "policy.rules[4]: there is no tenant 'nobody'",
            "policy.rules[5]: another 'terms' holds for the tenant 'acme' too",
            "policy.rules[6]: 'admin' is reserved",
        ] {
            assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:#?}");
        }
    }
}
