//! What must hold whatever policy, claims or clients say: `decide`, mapping, redirect URIs, key stages.

use std::{collections::BTreeSet, time::Duration};

use fedgate::domain::{
    access::{
        AccessRequest, Answer, Asked, Ceilings, Entitlement, Grant, TargetKind, decide, is_reserved,
        is_reserved_role, reason,
    },
    assertion::{UpstreamAssertion, Verified},
    client::{ClientAuth, ClientSettings},
    identity::Identity,
    ids::{ClientId, TargetId, TenantId, UpstreamId},
    key::{JWKS_MAX_AGE, Life, PUBLISH_AHEAD, Stage},
    mapping::{GroupRule, LONGEST_VALUE, MOST_GROUPS, MappingFault, MappingSettings},
    tenant::Tenant,
    time::Timestamp,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp(1_000_000);

fn tenant(domains: &[&str]) -> Tenant {
    Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "ACME".into(),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        aliases: Vec::new(),
        contact: None,
    }
}

fn assertion(claims: Map<String, Value>, not_after: i64) -> UpstreamAssertion {
    UpstreamAssertion::verified(Verified {
        upstream: UpstreamId::parse("people").unwrap(),
        tenant: TenantId::parse("acme").unwrap(),
        issuer: "https://idp.example".into(),
        subject: "anna".into(),
        claims,
        authenticated_at: NOW,
        acr: None,
        amr: Vec::new(),
        not_after: Timestamp(not_after),
        upstream_session: None,
    })
    .unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn anna(not_after: i64) -> Identity {
    let claims = object(json!({"preferred_username": "anna"}));
    MappingSettings::default()
        .identify(&assertion(claims, not_after))
        .unwrap()
}

fn request<'a>(
    identity: &'a Identity,
    tenant: &'a Tenant,
    kind: TargetKind,
    asked: Asked,
) -> AccessRequest<'a> {
    AccessRequest {
        identity,
        tenant,
        target: TargetId::parse("there").unwrap(),
        kind,
        audience: "there".into(),
        asked,
        ceilings: Ceilings {
            lifetime: Duration::from_secs(600),
        },
        now: NOW,
    }
}

fn kinds() -> impl Strategy<Value = TargetKind> {
    prop_oneof![
        Just(TargetKind::Gateway),
        Just(TargetKind::RelyingParty),
        Just(TargetKind::Keystone),
        Just(TargetKind::Kubernetes),
    ]
}

fn entitlements() -> impl Strategy<Value = Entitlement> {
    let role = prop_oneof![
        "member|reader",
        "[aA][dD]mIn",
        " ?admin ?",
        "system:.{0,3}",
        "SYSTEM",
        "cluster-admin",
        "ádmin|ａｄｍｉｎ",
        ""
    ];
    let group = prop_oneof!["dev|ops", "system:masters", "Cluster-Admin", "\tadmin"];
    prop_oneof![
        ("acme|other|ACME|", "p1|p2", role).prop_map(|(domain, project, role)| Entitlement::Project {
            domain,
            project,
            role
        }),
        group.prop_map(|group| Entitlement::Group { group }),
        Just(Entitlement::Session),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let grants = vec((entitlements(), "r1|r2"), 0..8);
    (any::<bool>(), grants, option::of(any::<u64>()), vec("b|a", 0..3)).prop_map(
        |(allow, grants, lifetime_s, reasons)| Answer {
            allow,
            reasons,
            grants: grants
                .into_iter()
                .map(|(entitlement, rule)| Grant { entitlement, rule })
                .collect(),
            rule: "t".into(),
            lifetime_s,
            withhold: Vec::new(),
            obligations: Vec::new(),
        },
    )
}

proptest! {
    #[test]
    fn decide_only_narrows(
        answer in answers(),
        kind in kinds(),
        asked in option::of(vec(entitlements(), 0..6)),
        life in -100_i64..2_000,
    ) {
        let identity = anna(NOW.0 + life);
        let tenant = tenant(&["acme"]);
        let asked = asked.map_or(Asked::Everything, |list| Asked::Only(list.into_iter().collect()));
        let request = request(&identity, &tenant, kind, asked.clone());
        match decide(&request, answer.clone()) {
            Ok(permit) => {
                prop_assert!(answer.allow);
                prop_assert!(!permit.grants().is_empty() || kind == TargetKind::Gateway);
                let unique: BTreeSet<_> = permit.grants().iter().collect();
                prop_assert_eq!(unique.len(), permit.grants().len());
                for grant in permit.grants() {
                    prop_assert!(answer.grants.contains(grant), "more than policy allowed");
                    if let Asked::Only(asked) = &asked {
                        prop_assert!(asked.contains(&grant.entitlement), "more than was asked");
                    }
                    match &grant.entitlement {
                        Entitlement::Project { domain, role, .. } => {
                            prop_assert_eq!(kind, TargetKind::Keystone);
                            prop_assert_eq!(domain, "acme");
                            prop_assert!(!is_reserved_role(role));
                        }
                        Entitlement::Group { group } => {
                            prop_assert_ne!(kind, TargetKind::Keystone);
                            prop_assert!(!is_reserved(group));
                        }
                        Entitlement::Session => {
                            prop_assert!(matches!(kind, TargetKind::Gateway | TargetKind::RelyingParty));
                        }
                    }
                }
                prop_assert!(permit.expires() > NOW);
                prop_assert!(permit.expires() <= identity.not_after(), "outlives the proof");
                prop_assert!(permit.expires() <= NOW.plus(Duration::from_secs(600)), "outlives the ceiling");
                if let Some(seconds) = answer.lifetime_s {
                    prop_assert!(permit.expires() <= NOW.plus(Duration::from_secs(seconds)), "outlives policy");
                }
            }
            Err(denial) => {
                prop_assert!(!denial.reasons.is_empty());
                let sorted: BTreeSet<_> = denial.reasons.iter().cloned().collect();
                prop_assert_eq!(sorted.into_iter().collect::<Vec<_>>(), denial.reasons);
            }
        }
    }

    #[test]
    fn mapping_never_panics_and_never_invents(
        claims in proptest::collection::btree_map("[a-z.]{1,4}|groups|preferred_username", json_values(), 0..6),
        claim in "[a-z.]{0,6}|groups",
        accept in vec(".{0,6}\\*?", 0..4),
        group in ".{0,8}|\\{value\\}|\\{rest\\}|x-\\{rest\\}\\{",
    ) {
        let claims: Map<String, Value> = claims.into_iter().collect();
        let rules = MappingSettings {
            groups: vec![GroupRule { rule: "r".into(), claim, accept, group }],
            ..MappingSettings::default()
        };
        let said = assertion(claims.clone(), NOW.0 + 10);
        if let Ok(identity) = rules.identify(&said) {
            prop_assert_eq!(Some(identity.username()), claims["preferred_username"].as_str());
            prop_assert!(identity.groups().len() <= MOST_GROUPS);
            for held in identity.groups() {
                prop_assert!(!held.name.trim().is_empty() && held.name.chars().count() <= LONGEST_VALUE);
                prop_assert!(!held.name.chars().any(char::is_control));
            }
            let without = MappingSettings::default().identify(&said).unwrap();
            prop_assert!(without.groups().is_empty(), "a group without a rule");
        }
    }

    #[test]
    fn only_registered_redirects_are_taken(uri in "\\PC{0,40}|http://(127\\.0\\.0\\.1|localhost|\\[::1\\])\\PC{0,20}") {
        if client(&["http://127.0.0.1/cb", "https://app.example/cb"]).accepts_redirect(&uri) && uri != "https://app.example/cb" {
            let url = url::Url::parse(&uri).unwrap();
            prop_assert_eq!((url.scheme(), url.host_str(), url.path()), ("http", Some("127.0.0.1"), "/cb"));
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert!(url.query().is_none() && url.fragment().is_none());
        }
    }

    #[test]
    fn a_key_signs_only_after_it_was_published_and_never_goes_back(
        handover in 0_u64..10_000, token in 0_u64..10_000, steps in vec(0_u64..30_000, 1..20),
    ) {
        let handover = NOW.plus(PUBLISH_AHEAD).plus(Duration::from_secs(handover));
        let life = Life::successor(NOW).superseded(handover, Duration::from_secs(token));
        let mut steps = steps;
        steps.sort_unstable();
        let order = |stage| match stage { Stage::Pending => 0, Stage::Active => 1, Stage::Retiring => 2, Stage::Gone => 3 };
        let mut last = 0;
        for step in steps {
            let now = NOW.plus(Duration::from_secs(step));
            let stage = life.stage(now);
            prop_assert!(order(stage) >= last, "a stage went back");
            last = order(stage);
            if stage == Stage::Active {
                prop_assert!(now >= NOW.plus(PUBLISH_AHEAD) && now < handover);
            }
            if stage == Stage::Gone {
                // The last token signed, and every JWKS copy, have run out.
                prop_assert!(now >= handover.plus(Duration::from_secs(token)).plus(JWKS_MAX_AGE));
            }
        }
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("x".repeat(LONGEST_VALUE + 1))),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn decide_names_what_it_took_away() {
    let identity = anna(NOW.0 + 100);
    let tenant = tenant(&["acme"]);
    let project = |domain: &str, role: &str| Grant {
        entitlement: Entitlement::Project {
            domain: domain.into(),
            project: "p".into(),
            role: role.into(),
        },
        rule: "r".into(),
    };
    let answer = |grants: Vec<Grant>| Answer {
        allow: true,
        reasons: Vec::new(),
        grants,
        rule: "t".into(),
        lifetime_s: None,
        withhold: Vec::new(),
        obligations: Vec::new(),
    };
    let ask = |grants| {
        decide(
            &request(&identity, &tenant, TargetKind::Keystone, Asked::Everything),
            answer(grants),
        )
    };
    let denial = ask(vec![project("other", "member"), project("acme", "ADMIN")]).unwrap_err();
    assert_eq!(
        denial.reasons,
        [
            reason::ISSUER_DOMAIN_MISMATCH,
            reason::NOTHING_GRANTED,
            reason::RESERVED_ROLE
        ]
    );
    let permit = ask(vec![
        project("acme", "member"),
        project("acme", "admin"),
        project("acme", "member"),
    ])
    .unwrap();
    assert_eq!(permit.grants(), [project("acme", "member")]);
    assert_eq!(permit.dropped()[0].reason, reason::RESERVED_ROLE);
    assert_eq!(ask(Vec::new()).unwrap_err().reasons, [reason::NOTHING_GRANTED]);

    let expired = anna(NOW.0);
    let denial = decide(
        &request(&expired, &tenant, TargetKind::Gateway, Asked::Everything),
        answer(Vec::new()),
    );
    assert_eq!(denial.unwrap_err().reasons, [reason::PROOF_EXPIRED]);

    let mut foreign = tenant.clone();
    foreign.id = TenantId::parse("blue").unwrap();
    let denial = decide(
        &request(&identity, &foreign, TargetKind::Gateway, Asked::Everything),
        answer(Vec::new()),
    );
    assert_eq!(denial.unwrap_err().reasons, [reason::TENANT_MISMATCH]);
}

#[test]
fn mapping_limits() {
    let identify = |claims: Value, groups: Vec<GroupRule>| {
        let settings = MappingSettings {
            groups,
            ..MappingSettings::default()
        };
        settings.identify(&assertion(object(claims), NOW.0 + 1))
    };
    for bad in [
        json!(null),
        json!(1),
        json!(""),
        json!("  "),
        json!("a\nb"),
        json!("ü".repeat(256)),
        json!(["anna"]),
    ] {
        let fault = identify(json!({"preferred_username": bad}), Vec::new()).unwrap_err();
        assert_eq!(fault, MappingFault::Username("preferred_username".into()));
    }
    assert!(identify(json!({"preferred_username": "ü".repeat(255)}), Vec::new()).is_ok());

    let rule = |claim: &str, accept: &str, group: &str| GroupRule {
        rule: format!("{claim}-rule"),
        claim: claim.into(),
        accept: vec![accept.into()],
        group: group.into(),
    };
    let many: Vec<String> = (0..=MOST_GROUPS).map(|number| format!("g{number}")).collect();
    let claims = json!({"preferred_username": "a", "groups": many});
    assert_eq!(
        identify(claims.clone(), vec![rule("groups", "g*", "{value}")]).unwrap_err(),
        MappingFault::TooManyGroups
    );
    assert!(
        identify(claims, vec![rule("groups", "g1", "{value}")])
            .unwrap()
            .groups()
            .len()
            == 1
    );
    let flood = json!({"preferred_username": "a", "groups": vec!["x"; 10_001]});
    assert!(matches!(
        identify(flood, vec![rule("groups", "g", "{value}")]).unwrap_err(),
        MappingFault::TooManyValues(_)
    ));

    let claims = json!({"preferred_username": "a", "groups": ["cloud-{value}", "cloud-dev", "CLOUD-ops", "cloud-"],
                        "realm": {"roles": ["x"]}, "realm.roles": ["y"], "ok": true});
    let rules = vec![
        rule("groups", "cloud-*", "{rest}"),
        rule("realm.roles", "*", "role-{value}"),
        rule("ok", "true", "cleared"),
    ];
    let identity = identify(claims, rules).unwrap();
    let names: Vec<&str> = identity.groups().iter().map(|held| held.name.as_str()).collect();
    // A value that looks like a template stays a value; an empty rest is no group; the exact claim name wins.
    assert_eq!(names, ["cleared", "dev", "role-y", "{value}"]);
    assert_eq!(identity.groups()[1].rule, "groups-rule");
}

fn client(redirects: &[&str]) -> ClientSettings {
    serde_json::from_value(json!({
        "id": "app", "name": "App", "auth": {"method": "none"}, "grants": ["authorization_code"],
        "redirect_uris": redirects,
    }))
    .unwrap()
}

#[test]
fn redirect_tricks_are_refused() {
    let app = client(&[
        "http://127.0.0.1/cb",
        "http://localhost:4444/cb",
        "http://[::1]/cb",
        "https://app.example/cb?a=1&b=2",
    ]);
    assert!(app.is_public() && app.auth == ClientAuth::None && app.id == ClientId::parse("app").unwrap());
    for good in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://localhost/cb",
        "http://localhost:1/cb",
        "http://[::1]:65535/cb",
        "https://app.example/cb?a=1&b=2",
    ] {
        assert!(app.accepts_redirect(good), "{good}");
    }
    for bad in [
        "",
        "http://127.0.0.1:80@evil/cb",
        "http://127.0.0.1@evil/cb",
        "http://localhost.evil/cb",
        "http://localhost.evil:80/cb",
        "http://localhost:80.evil/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:８０/cb",
        "http://127.0.0.1:80",
        "http://127.0.0.1:80/",
        "http://127.0.0.1:80/cb/",
        "http://127.0.0.1:80/CB",
        "http://127.0.0.1:80/./cb",
        "http://127.0.0.1:80/%2e/cb",
        "http://127.0.0.1:80//cb",
        "http://127.0.0.1:80/cb?x=1",
        "http://127.0.0.1:80/cb#f",
        "http://127.0.0.1:80\\@evil/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "https://127.0.0.1/cb",
        "HTTP://127.0.0.1/cb",
        "http://LOCALHOST:4444/cb",
        " http://127.0.0.1/cb",
        "http://127.0.0.1/cb\n",
        "https://app.example/cb",
        "https://app.example/cb?b=2&a=1",
        "https://app.example:443/cb?a=1&b=2",
        "https://app.example:8443/cb?a=1&b=2",
        "https://APP.example/cb?a=1&b=2",
        "https://app.example/cb?a=1&b=2#",
        "https://app.example.evil/cb?a=1&b=2",
        "javascript:alert(1)",
    ] {
        assert!(!app.accepts_redirect(bad), "{bad}");
    }
}

#[test]
fn key_stages_at_their_edges() {
    let at = |seconds: u64| NOW.plus(Duration::from_secs(seconds));
    assert_eq!(Life::first(NOW).stage(NOW), Stage::Active);
    let life = Life::successor(NOW);
    assert_eq!(life.stage(at(359)), Stage::Pending);
    assert_eq!(life.stage(at(360)), Stage::Active);
    assert!(PUBLISH_AHEAD >= JWKS_MAX_AGE + Duration::from_secs(60));
    let life = life.superseded(at(1_000), Duration::from_secs(500));
    assert_eq!(life.stage(at(999)), Stage::Active);
    assert_eq!(life.stage(at(1_000)), Stage::Retiring);
    assert_eq!(life.stage(at(1_799)), Stage::Retiring);
    assert_eq!(life.stage(at(1_800)), Stage::Gone);
}

#[test]
fn subjects_and_names_that_could_become_others_are_refused() {
    let with = |subject: &str| {
        let mut facts = assertion(Map::new(), 0).facts().clone();
        facts.subject = subject.into();
        UpstreamAssertion::verified(facts).is_ok()
    };
    assert!(with("anna") && with(&"ü".repeat(255)));
    for bad in ["", "  ", "a\nb", "a\0", &"a".repeat(256)] {
        assert!(!with(bad), "{bad:?}");
    }
    // The pair of issuer and subject cannot be shifted.
    assert_ne!(
        Identity::key_of("https://a", "b"),
        Identity::key_of("https://", "ab")
    );
    for bad in ["", "-a", "A", "a/b", "a b", "é", &"a".repeat(65)] {
        assert!(TenantId::parse(bad).is_err(), "{bad:?}");
    }
    for name in [
        "admin",
        "ADMIN",
        " Admin ",
        "system:masters",
        "System:x",
        "system",
        "cluster-admin",
        "",
        " ",
    ] {
        assert!(is_reserved(name), "{name:?}");
    }
    assert!(
        is_reserved_role("ádmin") && is_reserved_role("ADMIN") && !is_reserved_role("load-balancer_member")
    );
    for name in ["member", "administrator", "systems", "manager"] {
        assert!(!is_reserved(name), "{name:?}");
    }
}
