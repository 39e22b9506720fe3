//! Each rule as Rego reads it: lists that are looked into become objects with keys, times become seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use serde_json::{Map, Value, json};

use super::{LibraryRule, params};
use crate::{
    domain::{
        access::{Entitlement, is_reserved_role},
        identity::Identity,
        ids::{TargetId, TenantId},
    },
    policy::ContractEnd,
};

/// A time after every other: 31 December 9999.
const NEVER: i64 = 253_402_300_799;
/// Scopes that a release may name.
const SCOPES: [&str; 3] = ["email", "profile", "groups"];

/// What is wrong, and what to write instead.
type Wrong = (String, &'static str);

fn keys<T: ToString>(names: impl IntoIterator<Item = T>) -> Value {
    let keys = names
        .into_iter()
        .map(|name| (name.to_string(), Value::Bool(true)));
    Value::Object(keys.collect())
}

fn end(until: Option<ContractEnd>) -> i64 {
    until.map_or(NEVER, |until| until.0.0)
}

/// A list under nested keys, from rows.
fn nested(rows: impl IntoIterator<Item = (String, String, Value)>) -> Value {
    let mut outer: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (one, two, value) in rows {
        outer.entry(one).or_default().insert(two, value);
    }
    json!(outer)
}

/// With `targets` only where some are named: without it the rule holds at all.
fn at_targets(mut item: Value, targets: &BTreeSet<TargetId>) -> Value {
    if let Some(item) = item.as_object_mut().filter(|_| !targets.is_empty()) {
        item.insert("targets".to_owned(), keys(targets));
    }
    item
}

impl LibraryRule {
    /// Its parameters as data.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are compiled below")]
    pub(super) fn compiled(&self) -> Value {
        match self {
            Self::OwnDomains(_) | Self::AudienceBinding(_) => json!({}),
            Self::ReservedRoles(rule) => {
                json!({ "names": keys(rule.names.iter().map(|name| name.to_lowercase())) })
            }
            Self::AcceptedGroups(rule) => json!({ "accept": rule.accept, "refuse": rule.refuse }),
            Self::Membership(rule) => json!({ "any_of": rule.any_of }),
            Self::UntrustedGroups(rule) => json!({ "upstreams": keys(&rule.upstreams), "local": rule.local }),
            Self::Invitation(rule) => invitations(rule),
            Self::RoleMap(rule) | Self::EntitlementRoles(rule) => json!({ "roles": rule.roles }),
            Self::ReaderUnless(rule) => json!({ "group": rule.group, "role": rule.role }),
            Self::Entitlements(rule) => json!({
                "claim": rule.claim, "namespaces": rule.namespaces, "authorities": keys(&rule.authorities),
            }),
            Self::Assurance(rule) | Self::ChainAssurance(rule) => levels(rule),
            Self::MfaFor(rule) => json!({
                "roles": keys(rule.roles.iter().map(|name| name.to_lowercase())), "groups": keys(&rule.groups),
            }),
            Self::SignInAge(rule) => at_targets(json!({ "max_age_s": rule.max_age_s }), &rule.targets),
            Self::TrustMark(rule) => {
                let held = rule.held.iter();
                let held = held.map(|mark| json!({ "mark": mark.mark, "until": mark.until.0.0 }));
                json!({ "any_of": keys(&rule.any_of), "held": held.collect::<Vec<_>>() })
            }
            Self::TrustChain(rule) => {
                let chain = rule.chain.iter();
                let chain = chain.map(|link| json!({ "entity": link.entity, "until": link.until.0.0 }));
                json!({ "anchors": keys(&rule.anchors), "chain": chain.collect::<Vec<_>>() })
            }
            Self::ParticipantCredential(rule) => json!({
                "issuer": rule.issuer, "registries": keys(&rule.registries),
                "until": rule.until.0.0, "revoked": rule.revoked,
            }),
            Self::Jurisdiction(rule) => jurisdictions(rule),
            Self::Contract(rule) => json!({
                "from": rule.from.as_ref().and_then(super::Begin::at).map_or(0, |from| from.0),
                "until": end(rule.until), "frozen": rule.frozen,
            }),
            Self::Allocation(rule) => allocations(rule),
            _ => self.compiled_further(),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the others are compiled above")]
    fn compiled_further(&self) -> Value {
        match self {
            Self::Onward(rule) => json!({ "most_hops": rule.most_hops, "claim": rule.claim }),
            Self::ServiceAccounts(rule) => {
                let accounts = rule.accounts.iter().map(|account| {
                    let name = format!("{}:{}", account.namespace, account.name);
                    (name, json!(account.groups))
                });
                json!({
                    "upstreams": keys(&rule.upstreams), "lifetime_s": rule.lifetime_s,
                    "accounts": accounts.collect::<Map<_, _>>(),
                })
            }
            Self::Ci(rule) => json!({
                "upstreams": keys(&rule.upstreams), "any_of": rule.any_of, "lifetime_s": rule.lifetime_s,
            }),
            Self::AttributeRelease(rule) => {
                let clients = rule.clients.iter();
                let clients = clients.map(|one| (one.client.to_string(), json!(one.release)));
                json!({ "clients": clients.collect::<Map<_, _>>(), "others": rule.others })
            }
            Self::Terms(rule) => json!({
                "version": rule.version, "claim": rule.claim, "accepted": rule.accepted,
            }),
            Self::NoLocalUsers(rule) => json!({
                "upstreams": keys(&rule.upstreams), "break_glass": keys(&rule.break_glass),
            }),
            Self::Separation(rule) => {
                let pairs = rule
                    .pairs
                    .iter()
                    .map(|pair| pair.each_ref().map(|role| role.to_lowercase()));
                json!({ "pairs": pairs.collect::<Vec<_>>() })
            }
            Self::NamePrefix(rule) => json!({ "prefix": rule.prefix }),
            Self::Network(rule) => at_targets(json!({ "networks": rule.networks }), &rule.targets),
            Self::Deprovisioned(rule) => {
                let people = rule.people.iter();
                let people = people.map(|person| Identity::key_of(&person.issuer, &person.subject));
                json!({ "ids": keys(rule.ids.iter().cloned().chain(people)) })
            }
            Self::Emergency(rule) => emergency(rule),
            Self::Keep(rule) => json!({ "claims": rule.claims }),
            _ => json!({}),
        }
    }

    /// Its name, as it is configured and as Rego looks it up.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::OwnDomains(_) => "own_domains",
            Self::ReservedRoles(_) => "reserved_roles",
            Self::AcceptedGroups(_) => "accepted_groups",
            Self::Membership(_) => "membership",
            Self::UntrustedGroups(_) => "untrusted_groups",
            Self::Invitation(_) => "invitation",
            Self::RoleMap(_) => "role_map",
            Self::ReaderUnless(_) => "reader_unless",
            Self::Entitlements(_) => "entitlements",
            Self::EntitlementRoles(_) => "entitlement_roles",
            Self::Assurance(_) => "assurance",
            Self::MfaFor(_) => "mfa_for",
            Self::SignInAge(_) => "sign_in_age",
            Self::ChainAssurance(_) => "chain_assurance",
            Self::TrustMark(_) => "trust_mark",
            Self::TrustChain(_) => "trust_chain",
            Self::ParticipantCredential(_) => "participant_credential",
            Self::Jurisdiction(_) => "jurisdiction",
            Self::Contract(_) => "contract",
            Self::Allocation(_) => "allocation",
            Self::Onward(_) => "onward",
            Self::ServiceAccounts(_) => "service_accounts",
            Self::Ci(_) => "ci",
            Self::AudienceBinding(_) => "audience_binding",
            Self::AttributeRelease(_) => "attribute_release",
            Self::Terms(_) => "terms",
            Self::NoLocalUsers(_) => "no_local_users",
            Self::Separation(_) => "separation",
            Self::NamePrefix(_) => "name_prefix",
            Self::Network(_) => "network",
            Self::Deprovisioned(_) => "deprovisioned",
            Self::Emergency(_) => "emergency",
            Self::Keep(_) => "keep",
        }
    }

    /// The tenants it is written for.
    pub(super) fn tenants(&self) -> &BTreeSet<TenantId> {
        match self {
            Self::OwnDomains(rule) | Self::AudienceBinding(rule) => &rule.tenants,
            Self::ReservedRoles(rule) => &rule.tenants,
            Self::AcceptedGroups(rule) => &rule.tenants,
            Self::Membership(rule) => &rule.tenants,
            Self::UntrustedGroups(rule) => &rule.tenants,
            Self::Invitation(rule) => &rule.tenants,
            Self::RoleMap(rule) | Self::EntitlementRoles(rule) => &rule.tenants,
            Self::ReaderUnless(rule) => &rule.tenants,
            Self::Entitlements(rule) => &rule.tenants,
            Self::Assurance(rule) | Self::ChainAssurance(rule) => &rule.tenants,
            Self::MfaFor(rule) => &rule.tenants,
            Self::SignInAge(rule) => &rule.tenants,
            Self::TrustMark(rule) => &rule.tenants,
            Self::TrustChain(rule) => &rule.tenants,
            Self::ParticipantCredential(rule) => &rule.tenants,
            Self::Jurisdiction(rule) => &rule.tenants,
            Self::Contract(rule) => &rule.tenants,
            Self::Allocation(rule) => &rule.tenants,
            Self::Onward(rule) => &rule.tenants,
            Self::ServiceAccounts(rule) => &rule.tenants,
            Self::Ci(rule) => &rule.tenants,
            Self::AttributeRelease(rule) => &rule.tenants,
            Self::Terms(rule) => &rule.tenants,
            Self::NoLocalUsers(rule) => &rule.tenants,
            Self::Separation(rule) => &rule.tenants,
            Self::NamePrefix(rule) => &rule.tenants,
            Self::Network(rule) => &rule.tenants,
            Self::Deprovisioned(rule) => &rule.tenants,
            Self::Emergency(rule) => &rule.tenants,
            Self::Keep(rule) => &rule.tenants,
        }
    }

    /// What is wrong with the parameters: what would never hold, or always.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others have nothing that their type does not say"
    )]
    pub(super) fn faults(&self) -> Vec<Wrong> {
        match self {
            Self::Network(rule) => rule
                .networks
                .iter()
                .filter(|network| !is_network(network))
                .map(|network| {
                    (
                        format!("'{network}' is no network"),
                        "write for example 10.0.0.0/8",
                    )
                })
                .collect(),
            Self::Assurance(rule) | Self::ChainAssurance(rule) if !rule.levels.contains(&rule.minimum) => {
                vec![(
                    format!("'{}' is none of the levels", rule.minimum),
                    "name one of `levels`",
                )]
            }
            Self::Keep(rule) => rule
                .claims
                .keys()
                .filter(|name| ["chain", "workload"].contains(&name.as_str()))
                .map(|name| {
                    (
                        format!("'{name}' is kept by a rule itself"),
                        "choose another name",
                    )
                })
                .collect(),
            Self::Emergency(rule) => emergency_faults(rule),
            Self::RoleMap(rule) | Self::EntitlementRoles(rule) => reserved(rule.roles.values()),
            Self::ReaderUnless(rule) => reserved([&rule.role]),
            Self::Allocation(rule) => reserved(&rule.left),
            Self::Contract(rule) if rule.from.as_ref().is_some_and(|from| from.at().is_none()) => vec![(
                "'from' is neither a date nor a time".to_owned(),
                "write 2026-01-31 or 2026-01-31T08:00:00Z",
            )],
            Self::AttributeRelease(rule) => release_faults(rule),
            Self::Invitation(rule) => invitation_faults(rule),
            _ => Vec::new(),
        }
    }
}

fn reserved<'a>(roles: impl IntoIterator<Item = &'a String>) -> Vec<Wrong> {
    roles
        .into_iter()
        .filter(|role| is_reserved_role(role))
        .map(|role| {
            (
                format!("'{role}' is reserved"),
                "write a role that people from outside may have",
            )
        })
        .collect()
}

fn release_faults(rule: &params::AttributeRelease) -> Vec<Wrong> {
    let named = rule
        .clients
        .iter()
        .flat_map(|one| &one.release)
        .chain(&rule.others);
    named
        .filter(|scope| !SCOPES.contains(&scope.as_str()))
        .map(|scope| {
            (
                format!("'{scope}' is no scope of a person"),
                "write email, profile or groups",
            )
        })
        .collect()
}

fn invitation_faults(rule: &params::Invitation) -> Vec<Wrong> {
    rule.invited
        .iter()
        .filter(|one| one.email.is_none() && (one.issuer.is_none() || one.subject.is_none()))
        .map(|_| {
            (
                "an invitation of nobody".to_owned(),
                "write email, or issuer and subject",
            )
        })
        .collect()
}

fn emergency_faults(rule: &params::Emergency) -> Vec<Wrong> {
    let mut found = reserved(rule.grants.iter().map(|grant| &grant.role));
    let approvers = rule.approvers.len();
    if usize::try_from(rule.needed).is_ok_and(|needed| needed > approvers) {
        let what = format!(
            "{} approvals are needed and there are {approvers} approvers",
            rule.needed
        );
        found.push((what, "name more approvers"));
    }
    if rule.needed == 0 {
        found.push(("no approval is needed".to_owned(), "write 1 or more"));
    }
    if rule.lifetime_s == 0 || rule.lifetime_s > 3_600 {
        found.push(("'lifetime_s' is not within an hour".to_owned(), "write 1 to 3600"));
    }
    found
}

fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn invitations(rule: &params::Invitation) -> Value {
    let named = rule.invited.iter().filter_map(|one| {
        let (issuer, subject) = (one.issuer.clone()?, one.subject.clone()?);
        Some((issuer, subject, json!(end(one.until))))
    });
    let addressed = rule
        .invited
        .iter()
        .filter_map(|one| Some((one.email.as_ref()?.to_lowercase(), json!(end(one.until)))));
    json!({ "subjects": nested(named), "emails": addressed.collect::<Map<_, _>>() })
}

fn levels(rule: &params::Assurance) -> Value {
    let rank: BTreeMap<&str, usize> = rule.levels.iter().map(String::as_str).zip(0..).collect();
    // A minimum that is no level is refused at load; until then nothing reaches it.
    let minimum = rank
        .get(rule.minimum.as_str())
        .copied()
        .unwrap_or(rule.levels.len());
    json!({ "claim": rule.claim, "rank": rank, "minimum": minimum })
}

fn jurisdictions(rule: &params::Jurisdictions) -> Value {
    let tags = rule.tags.iter().map(|tag| (tag.tag.clone(), json!(tag.allowed)));
    let projects = rule
        .projects
        .iter()
        .map(|one| (one.domain.clone(), one.project.clone(), json!(one.tags)));
    let targets = rule
        .targets
        .iter()
        .map(|one| (one.target.to_string(), json!(one.tags)));
    json!({
        "of": rule.of, "tags": tags.collect::<Map<_, _>>(),
        "projects": nested(projects), "targets": targets.collect::<Map<_, _>>(),
    })
}

fn allocations(rule: &params::Allocation) -> Value {
    let projects = rule.projects.iter().map(|one| {
        let state = json!({ "until": end(one.until), "exhausted": one.exhausted });
        (one.domain.clone(), one.project.clone(), state)
    });
    let mut item = json!({ "projects": nested(projects) });
    if let (Some(item), Some(left)) = (item.as_object_mut(), &rule.left) {
        item.insert("left".to_owned(), json!(left));
    }
    item
}

fn emergency(rule: &params::Emergency) -> Value {
    let grants = rule.grants.iter().map(|grant| {
        let entitlement = Entitlement::Project {
            domain: grant.domain.clone(),
            project: grant.project.clone(),
            role: grant.role.clone(),
        };
        json!({ "target": grant.target, "entitlement": entitlement })
    });
    let mut approvals: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for one in &rule.approvals {
        let approval = json!({ "ticket": one.ticket, "until": one.until.0.0, "by": one.by });
        approvals.entry(&one.subject).or_default().push(approval);
    }
    json!({
        "needed": rule.needed, "lifetime_s": rule.lifetime_s, "approvers": keys(&rule.approvers),
        "grants": grants.collect::<Vec<_>>(), "approvals": approvals,
    })
}
