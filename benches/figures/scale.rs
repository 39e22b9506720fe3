//! Whether a decision and a mapping stay as cheap with 200,000 rules as with 2,000, and what the rules weigh.
use std::time::Instant;

use fedgate::domain::{
    assertion::{UpstreamAssertion, Verified},
    ids::{TenantId, UpstreamId},
    mapping::Mapping,
    time::Timestamp,
};
use serde_json::json;

use crate::{
    decision::{GROUPS, ROUNDS, decide, engine},
    report::{Limit, Report},
};

pub fn run(report: &mut Report) {
    decisions(report);
    mappings(report);
}

fn decisions(report: &mut Report) {
    let small = engine(2_000);
    let before = resident();
    let large = engine(200_000);
    let weight = (resident() - before) / 2.0;
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    // In turns, so that a busy machine weighs on both alike.
    for round in 0..ROUNDS {
        of_small.push(decide(&small, round));
        of_large.push(decide(&large, round));
    }
    let ratio = median(&mut of_large) / median(&mut of_small);
    report.add(
        (
            "decision_200k_to_2k",
            "200,000 access rules to 2,000, a decision's p50",
        ),
        ratio,
        "",
        Limit::AtMost(1.2),
    );
    report.add(
        (
            "memory_100k_rules",
            "memory of 100,000 access rules, with what loading left behind",
        ),
        weight,
        "MiB",
        Limit::Told,
    );
}

/// One person with 20 groups at one upstream.
fn mappings(report: &mut Report) {
    let said = said();
    let (small, large) = (mapping(2_000), mapping(200_000));
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_small.push(identify(&small, &said));
        of_large.push(identify(&large, &said));
    }
    let (few, many) = (median(&mut of_small), median(&mut of_large));
    report.add(
        ("mapping_2k_p50_us", "mapping of one person, 2,000 rules, p50"),
        few / 1_000.0,
        "µs",
        Limit::Told,
    );
    report.add(
        ("mapping_200k_to_2k", "200,000 mapping rules to 2,000, p50"),
        many / few,
        "",
        Limit::AtMost(1.2),
    );
}

fn median(times: &mut [u64]) -> f64 {
    times.sort_unstable();
    let nanos = times.get(times.len() / 2).copied().unwrap_or(u64::MAX);
    u32::try_from(nanos).map_or(f64::MAX, f64::from)
}

/// What this process keeps in memory, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or_default();
    kib / 1_024.0
}

fn mapping(rules: usize) -> Mapping {
    let groups: Vec<_> = (0..rules)
        .map(|number| {
            let accept = if number % 2 == 0 {
                format!("g{number}")
            } else {
                format!("g{number}-*")
            };
            json!({ "rule": format!("rule-{number}"), "claim": "groups", "accept": [accept] })
        })
        .collect();
    Mapping::compile(serde_json::from_value(json!({ "groups": groups })).unwrap())
}

fn said() -> UpstreamAssertion {
    let groups: Vec<String> = (0..GROUPS).map(|number| format!("g{number}-x")).collect();
    let claims = json!({ "preferred_username": "anna", "groups": groups });
    UpstreamAssertion::recalled(Verified {
        upstream: UpstreamId::parse("people").unwrap(),
        tenant: TenantId::parse("t0").unwrap(),
        issuer: "https://idp.example".into(),
        subject: "anna".into(),
        claims: claims.as_object().cloned().unwrap(),
        authenticated_at: Timestamp(900),
        acr: None,
        amr: Vec::new(),
        not_after: Timestamp(9_000),
        upstream_session: None,
    })
}

fn identify(mapping: &Mapping, said: &UpstreamAssertion) -> u64 {
    let start = Instant::now();
    let identity = mapping.identify(said).unwrap();
    let took = start.elapsed();
    assert_eq!(identity.groups().len(), GROUPS / 2);
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
