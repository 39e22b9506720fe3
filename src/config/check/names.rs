//! Names: each once, and each that is referred to exists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    domain::{access::TargetKind, ids::TargetId, tenant::Tenant},
    policy::{self, AccessRule},
};

use super::{
    super::{Problem, shape::shown},
    Draft, list,
};

pub(super) fn check(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    for section in ["tenants", "upstreams", "targets", "clients"] {
        once(draft, section, problems);
    }
    one_name_space(draft, problems);
    spoken_names(draft, problems);
    for section in ["upstreams", "clients"] {
        refers(draft, section, "tenant", "tenants", problems);
    }
    refers(draft, "access", "upstream", "upstreams", problems);
    access(draft, problems);
}

/// The ids of a section, also of items that are broken elsewhere.
fn ids<'a>(draft: &Draft<'a>, section: &str) -> Vec<(usize, &'a str)> {
    let id = |item: &'a Value| item.get("id").and_then(Value::as_str);
    list(draft.source, section)
        .iter()
        .enumerate()
        .filter_map(|(index, item)| Some((index, id(item)?)))
        .collect()
}

fn once(draft: &Draft<'_>, section: &str, problems: &mut Vec<Problem>) {
    let mut first = BTreeMap::new();
    for (index, id) in ids(draft, section) {
        if let Some(before) = first.insert(id, index) {
            let found = format!("'{id}', which {section}[{before}] has too");
            draft.say(
                problems,
                &format!("{section}[{index}].id"),
                found,
                "an id of its own",
            );
            first.insert(id, before);
        }
    }
}

/// Access rules name targets, clients and `gateway` in one key: the three must not meet.
fn one_name_space(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let targets: BTreeSet<&str> = ids(draft, "targets").into_iter().map(|(_, id)| id).collect();
    for (index, id) in ids(draft, "clients") {
        if targets.contains(id) {
            let found = format!("'{id}', which is a target too");
            draft.say(
                problems,
                &format!("clients[{index}].id"),
                found,
                "another id: access rules name both alike",
            );
        }
    }
    for section in ["targets", "clients"] {
        for (index, id) in ids(draft, section) {
            if id == "gateway" {
                let path = format!("{section}[{index}].id");
                draft.say(
                    problems,
                    &path,
                    "'gateway'",
                    "another id: that is this gateway itself",
                );
            }
        }
    }
}

/// What a person types must lead to one organisation, and a Keystone domain belongs to one tenant.
fn spoken_names(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    let mut spoken: BTreeMap<String, usize> = BTreeMap::new();
    let mut domains: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, tenant) in &draft.tenants {
        for (key, name) in names_of(tenant) {
            // Two equal ids have been told as such.
            if key == "id"
                && draft
                    .tenants
                    .iter()
                    .any(|(at, own)| at < index && own.id == tenant.id)
            {
                continue;
            }
            if let Some(other) = spoken
                .insert(name.to_lowercase(), *index)
                .filter(|other| other != index)
            {
                let found = format!("'{name}', which leads to tenants[{other}] too");
                draft.say(
                    problems,
                    &format!("tenants[{index}].{key}"),
                    found,
                    "a name that only one tenant has",
                );
            }
        }
        for (place, domain) in tenant.domains.iter().enumerate() {
            if let Some(other) = domains.insert(domain, *index).filter(|other| other != index) {
                let found = format!("'{domain}', which tenants[{other}] has too");
                let path = format!("tenants[{index}].domains[{place}]");
                draft.say(problems, &path, found, "a Keystone domain of this tenant alone");
            }
        }
    }
}

fn names_of(tenant: &Tenant) -> Vec<(String, &str)> {
    let mut names = vec![
        ("id".to_owned(), tenant.id.as_str()),
        ("name".to_owned(), tenant.name.as_str()),
    ];
    let aliases = tenant.aliases.iter().enumerate();
    names.extend(aliases.map(|(place, alias)| (format!("aliases[{place}]"), alias.as_str())));
    names
}

fn refers(draft: &Draft<'_>, section: &str, key: &str, to: &str, problems: &mut Vec<Problem>) {
    let known: BTreeSet<&str> = ids(draft, to).into_iter().map(|(_, id)| id).collect();
    for (index, item) in list(draft.source, section).iter().enumerate() {
        if let Some(value @ Value::String(name)) = item.get(key)
            && !known.contains(name.as_str())
        {
            draft.say(
                problems,
                &format!("{section}[{index}].{key}"),
                shown(value),
                one_of(&known, to),
            );
        }
    }
}

fn one_of(known: &BTreeSet<&str>, section: &str) -> String {
    let names: Vec<&str> = known.iter().copied().take(20).collect();
    if names.is_empty() {
        format!("an id under {section} (there is none)")
    } else {
        format!("an id under {section}: {}", names.join(", "))
    }
}

/// What the policy finds wrong with its rules, put in their places in the file.
fn access(draft: &Draft<'_>, problems: &mut Vec<Problem>) {
    if !draft.whole {
        // What is missing from a broken list would look like a name that leads nowhere.
        return;
    }
    let rules: Vec<AccessRule> = draft.access.iter().map(|(_, rule)| rule.clone()).collect();
    let tenants: Vec<Tenant> = draft.tenants.iter().map(|(_, tenant)| tenant.clone()).collect();
    let mut kinds: BTreeMap<TargetId, TargetKind> = BTreeMap::new();
    for (_, client) in &draft.clients {
        if let Ok(id) = TargetId::parse(client.id.as_str()) {
            kinds.insert(id, TargetKind::RelyingParty);
        }
    }
    for (_, target) in &draft.targets {
        kinds.insert(target.id().clone(), target.kind());
    }
    let mut found = policy::check_targets(&rules, &kinds);
    if let Some(config) = &draft.policy {
        found.extend(policy::check(config, &rules, &tenants));
    }
    for problem in found {
        problems.push(placed(draft, &rules, problem));
    }
}

fn placed(draft: &Draft<'_>, rules: &[AccessRule], problem: policy::Problem) -> Problem {
    match problem {
        policy::Problem::Rule {
            rule,
            key,
            what,
            instead,
        } => {
            let index = rules.iter().rposition(|own| own.rule == rule).unwrap_or_default();
            draft
                .source
                .problem(&format!("access[{index}].{key}"), what, instead)
        }
        policy::Problem::Setting { key, what, instead } => {
            draft.source.problem(&format!("policy.{key}"), what, instead)
        }
        policy::Problem::Policy {
            file,
            line,
            what,
            instead,
        } => Problem {
            source: format!("{file}:{line}"),
            path: String::new(),
            found: what,
            expected: instead,
        },
        policy::Problem::Test {
            file,
            line,
            test,
            what,
        } => Problem {
            source: format!("{file}:{line}"),
            path: test,
            found: what,
            expected: "true: a policy whose own tests fail decides nothing".to_owned(),
        },
    }
}
