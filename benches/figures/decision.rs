//! What one policy decision costs: 200 tenants with 2,000 access rules, and with 20,000.
use std::{collections::BTreeMap, time::Instant};

use fedgate::{
    domain::{access::TargetKind, identity::HeldGroup, ids::TenantId, tenant::Tenant},
    policy::{AccessRule, Config, PolicyEngine},
    port::policy::{Context, Policy, Question, Subject, Wanted},
};
use serde_json::json;

use crate::report::{Limit, Report};

const TENANTS: usize = 200;
pub const GROUPS: usize = 20;
pub const ROUNDS: usize = 4_000;

pub fn run(report: &mut Report) {
    let (small, large) = (engine(2_000), engine(20_000));
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    // In turns, so that a busy machine weighs on both alike.
    for round in 0..ROUNDS {
        of_small.push(decide(&small, round));
        of_large.push(decide(&large, round));
    }
    of_small.sort_unstable();
    of_large.sort_unstable();
    let at = |times: &[u64], percent: usize| {
        let nanos = times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or(u64::MAX);
        u32::try_from(nanos).map_or(f64::MAX, |nanos| f64::from(nanos) / 1_000.0)
    };
    let ratio = at(&of_large, 50) / at(&of_small, 50);
    for (name, value, limit) in [
        (
            (
                "decision_2k_p50_us",
                "policy decision, 200 partners and 2,000 rules, p50",
            ),
            at(&of_small, 50),
            Limit::AtMost(250.0),
        ),
        (
            ("decision_2k_p99_us", "the same, p99"),
            at(&of_small, 99),
            Limit::Told,
        ),
        (
            ("decision_20k_p50_us", "the same with 20,000 rules, p50"),
            at(&of_large, 50),
            Limit::Told,
        ),
    ] {
        report.add(name, value, "µs", limit);
    }
    report.add(
        ("decision_20k_to_2k", "20,000 rules to 2,000, p50"),
        ratio,
        "",
        Limit::AtMost(1.2),
    );
}

/// Rules spread over the tenants; each group of a tenant has one at the target `openstack`.
pub fn engine(rules: usize) -> PolicyEngine {
    let tenants: Vec<Tenant> = (0..TENANTS)
        .map(|number| Tenant {
            id: TenantId::parse(&format!("t{number}")).unwrap(),
            name: format!("Tenant {number}"),
            domains: vec![format!("d{number}")],
            aliases: Vec::new(),
            contact: None,
        })
        .collect();
    let rules: Vec<AccessRule> = (0..rules)
        .map(|number| {
            let (tenant, group) = (number % TENANTS, number / TENANTS);
            serde_json::from_value(json!({
                "rule": format!("rule-{number}"), "tenant": format!("t{tenant}"), "group": format!("g{group}"),
                "target": "openstack",
                "projects": [{"domain": format!("d{tenant}"), "project": format!("p{group}"), "roles": ["member"]}],
            }))
            .unwrap()
        })
        .collect();
    PolicyEngine::load(&Config::default(), &rules, &tenants).unwrap()
}

/// One decision for a person with 20 groups, of which 10 have a rule in either engine: the same answer.
pub fn decide(engine: &PolicyEngine, round: usize) -> u64 {
    let tenant = format!("t{}", round % TENANTS);
    let groups: Vec<HeldGroup> = (0..GROUPS)
        .map(|number| HeldGroup {
            name: if number < 10 {
                format!("g{number}")
            } else {
                format!("unknown-{number}")
            },
            rule: "mapped".into(),
        })
        .collect();
    let question = Question {
        v: 1,
        subject: Subject {
            tenant: &tenant,
            upstream: Some("people"),
            issuer: "https://idp.example",
            id: "5d41402abc4b2a76b9719d911017c592",
            username: "anna",
            groups: &groups,
            extras: &BTreeMap::new(),
            acr: None,
            amr: &[],
            authenticated_at: 900,
            client: false,
        },
        context: Context {
            time_s: 1_000,
            client_ip: Some("192.0.2.1"),
            reference: "r",
        },
        request: Wanted {
            target: "openstack",
            kind: TargetKind::Keystone,
            client: None,
            only: None,
        },
    };
    let start = Instant::now();
    let answer = engine.ask(&question).unwrap();
    let took = start.elapsed();
    assert!(answer.allow && answer.grants.len() == 10, "{answer:?}");
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
