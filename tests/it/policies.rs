//! The built-in policies: their Rego tests, their schemas, their texts, and loading and swapping them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use fedgate::{
    domain::{
        access::{TargetKind, reason},
        identity::HeldGroup,
        ids::{TargetId, TenantId},
        lack::{Lack, parts_of},
        tenant::Tenant,
    },
    policy::{self, AccessRule, Config, PolicyEngine},
    port::policy::{Context, Policy, Question, Subject, Wanted},
};
use serde_json::json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

fn tenant(id: &str) -> Tenant {
    Tenant {
        id: TenantId::parse(id).unwrap(),
        name: id.to_uppercase(),
        domains: vec![id.to_owned()],
        aliases: Vec::new(),
        contact: None,
    }
}

fn rule(value: serde_json::Value) -> AccessRule {
    serde_json::from_value(value).unwrap()
}

fn member() -> serde_json::Value {
    json!({"rule": "devs", "tenant": "acme", "group": "developers", "target": "openstack",
           "projects": [{"domain": "acme", "project": "p1", "roles": ["member"]}]})
}

fn ask(engine: &PolicyEngine, group: &str) -> fedgate::domain::access::Answer {
    let groups = [HeldGroup {
        name: group.into(),
        rule: "m".into(),
    }];
    let question = Question {
        v: 1,
        subject: Subject {
            tenant: "acme",
            upstream: Some("people"),
            issuer: "https://idp.example",
            id: "x",
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
            client_ip: None,
            reference: "r",
        },
        request: Wanted {
            target: "openstack",
            kind: TargetKind::Keystone,
            client: None,
            only: None,
        },
    };
    engine.ask(&question).unwrap()
}

#[test]
fn rego_tests_pass() {
    let config = Config {
        folder: Some(folder()),
        ..Config::default()
    };
    let trials = policy::run_tests(&config).unwrap();
    for trial in &trials {
        let outcome = trial.failure.as_deref().unwrap_or("ok");
        println!("{}:{} {} ... {outcome}", trial.file, trial.line, trial.test);
    }
    let failed: Vec<_> = trials.iter().filter(|trial| trial.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(trials.len() >= 30, "only {} tests were found", trials.len());
    assert_eq!(
        policy::run_tests(&Config::default()).unwrap(),
        trials,
        "built in and folder differ"
    );
}

#[test]
fn each_package_has_tests() {
    let mut plain = BTreeSet::new();
    let mut tests = BTreeSet::new();
    let mut folders = vec![folder()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Some(name) = path.to_str().unwrap().strip_suffix(".rego") {
                match name.strip_suffix("_test") {
                    Some(name) => tests.insert(name.to_owned()),
                    None => plain.insert(name.to_owned()),
                };
            }
        }
    }
    assert!(!plain.is_empty());
    assert_eq!(plain, tests, "each x.rego has an x_test.rego");
}

#[test]
fn schemas_agree_with_the_types() {
    let points = policy::entry_points();
    for (name, schema) in points.into_iter().flat_map(|point| [point.input, point.output]) {
        let file = folder().join("schema").join(name);
        let wanted = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("FEDGATE_BLESS").is_some() {
            fs::write(&file, &wanted).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == wanted,
            "{} is not what the types say; run: FEDGATE_BLESS=1 cargo test --test it policies::schemas",
            file.display()
        );
    }
}

/// The text of every Rego test below a folder of `policies/`.
fn tests_below(part: &str) -> String {
    let mut texts = String::new();
    let mut folders = vec![folder().join(part)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with("_test.rego") {
                texts.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

#[test]
fn each_reason_has_both_texts_and_a_test() {
    let texts = policy::reason_texts();
    let mut codes: BTreeSet<&str> = [
        reason::ISSUER_DOMAIN_MISMATCH,
        reason::RESERVED_ROLE,
        reason::NOTHING_GRANTED,
        reason::PROOF_EXPIRED,
        reason::WRONG_KIND,
        reason::TENANT_MISMATCH,
        reason::PROJECT_NOT_GIVEN,
        reason::PROJECT_NOT_CHOSEN,
        reason::NO_DEFAULT_PROJECT,
    ]
    .into();
    let tests = tests_below("");
    let shown_by_data = ["attributes_withheld", "name_prefixed"];
    for point in policy::entry_points() {
        codes.extend(&point.reasons);
    }
    for rule in policy::RULES {
        codes.extend(rule.codes);
        let own = fs::read_to_string(folder().join(format!("rules/{}_test.rego", rule.file))).unwrap();
        assert!(own.contains(&format!("# {}\n", rule.number)) || own.matches("test_").count() > 4);
    }
    for code in &codes {
        let made_in_rust = [
            reason::PROOF_EXPIRED,
            reason::WRONG_KIND,
            reason::TENANT_MISMATCH,
            reason::PROJECT_NOT_GIVEN,
            reason::PROJECT_NOT_CHOSEN,
            reason::NO_DEFAULT_PROJECT,
        ];
        assert!(
            tests.contains(&format!("\"{code}\""))
                || made_in_rust.contains(code)
                || shown_by_data.contains(code),
            "no Rego test expects the code {code}"
        );
    }
    // What a Keystone lacks is no policy's answer; `openstack.rs` shows those reasons.
    let lacks = [
        Lack::Domain,
        Lack::ClosedDomain,
        Lack::DisabledDomain,
        Lack::Project,
        Lack::DisabledProject,
        Lack::Role,
        Lack::Group,
        Lack::Setup,
    ];
    let lacks = lacks.map(|lack| lack("name".to_owned()).to_string());
    codes.extend(lacks.iter().map(|lack| parts_of(lack).0));
    let described: BTreeSet<&str> = texts.keys().map(String::as_str).collect();
    assert_eq!(codes, described);
    for (code, text) in texts {
        for words in [&text.en, &text.de] {
            assert!(words.ends_with('.') && words.len() > 30, "{code}: {words}");
        }
        assert_ne!(text.en, text.de, "{code}");
    }
}

/// The codes that a package's own text names as reasons stand in the tables, and the other way round.
#[test]
fn the_tables_name_the_codes_of_the_policies() {
    let mut named = BTreeSet::new();
    for rule in policy::RULES {
        named.extend(rule.codes.iter().map(|code| (*code).to_owned()));
        let text = fs::read_to_string(folder().join(format!("rules/{}.rego", rule.file))).unwrap();
        assert!(
            text.contains(rule.name),
            "rules/{}.rego does not ask for {}",
            rule.file,
            rule.name
        );
        for code in rule.codes {
            assert!(
                text.contains(&format!("\"{code}\""))
                    || ["attributes_withheld", "name_prefixed"].contains(code),
                "rules/{}.rego does not give {code}",
                rule.file
            );
        }
    }
    let numbers: Vec<u8> = policy::RULES.iter().map(|rule| rule.number).collect();
    assert_eq!(numbers, (1..=32).collect::<Vec<u8>>());
    for entry in fs::read_dir(folder().join("rules")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with("_test.rego") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.starts_with("required")) {
            let code = line.split('"').nth(1).unwrap_or_default();
            assert!(named.contains(code), "{}: {code} is in no table", path.display());
        }
    }
}

/// What an entry point must have: a package with its rule, tests for what is given, refused and missing, schemas,
/// reason codes with texts, and a row in the page.
#[test]
fn no_entry_point_lacks_anything() {
    let page = fs::read_to_string(folder().join("../docs/decisions.md")).unwrap_or_default();
    let points = policy::entry_points();
    assert_eq!(points.len(), 8);
    for point in points {
        let (package, rule) = point
            .path
            .strip_prefix("data.")
            .unwrap()
            .rsplit_once('.')
            .unwrap();
        let place = match package.split_once('.').unwrap().0 {
            "federation" | "kubernetes" => package.replace('.', "/"),
            _ => format!("openstack/{}", package.replace('.', "/")),
        };
        let text = fs::read_to_string(folder().join(format!("{place}.rego"))).unwrap();
        assert!(text.contains(&format!("package {package}\n")), "{package}");
        assert!(
            text.lines()
                .any(|line| line.starts_with(&format!("{rule} "))
                    || line.starts_with(&format!("default {rule} "))),
            "{package} has no rule {rule}"
        );
        let tests = fs::read_to_string(folder().join(format!("{place}_test.rego"))).unwrap();
        for must in ["test_allow", "test_missing", "input as {}"] {
            let given = must == "test_allow"
                && (tests.contains("allow == true") || tests.contains("\"allow\": true"));
            assert!(tests.contains(must) || given, "{package} lacks {must}");
        }
        assert!(point.asked.len() > 20 && !point.reasons.is_empty(), "{package}");
        for (file, _) in [&point.input, &point.output] {
            assert!(
                folder().join("schema").join(file).is_file(),
                "{package} lacks {file}"
            );
        }
        for code in &point.reasons {
            assert!(policy::reason_texts().contains_key(*code), "{package}: {code}");
        }
        assert!(
            page.contains(&format!("| {} |", point.name)),
            "{package} has no row in docs/decisions.md"
        );
    }
}

#[test]
fn the_page_of_decisions_is_what_the_tables_say() {
    let file = folder().join("../docs/decisions.md");
    let wanted = policy::decisions_page();
    if std::env::var_os("FEDGATE_BLESS").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == wanted,
        "docs/decisions.md is stale; run: FEDGATE_BLESS=1 cargo test --test it policies::"
    );
}

#[test]
fn a_broken_replacement_leaves_the_running_policies() {
    let tenants = [tenant("acme")];
    let rules = [rule(member())];
    let engine = PolicyEngine::load(&Config::default(), &rules, &tenants).unwrap();
    let before = engine.revision();
    assert!(ask(&engine, "developers").allow);

    let broken = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(broken.path().join(name), text).unwrap();
    let config = Config {
        folder: Some(broken.path().to_owned()),
        ..Config::default()
    };
    let refusal = r#"default decision := {"allow": false, "reasons": [], "rule": "t"}"#;
    for (text, place) in [
        ("package federation.access\nallow if {".to_owned(), "bad.rego:2"),
        (
            format!("package federation.access\n{refusal}\nx if {{ false; nope(1) }}"),
            "bad.rego:3: undefined function nope",
        ),
        (
            format!("package federation.access\n{refusal}\nx if y\ny if x"),
            "bad.rego:3: rule data.federation.access.x is recursive",
        ),
        (
            format!("package federation.access\n{refusal}\nx if {{ y > 1 }}"),
            "bad.rego:3",
        ),
        ("package other\nx := 1".to_owned(), "decision"),
        ("package fed\nx := 1".to_owned(), "bad.rego:1: `fed` holds"),
    ] {
        write("bad.rego", &text);
        let fault = engine.replace(&config, &rules, &tenants).unwrap_err().to_string();
        assert!(fault.contains(place), "{place}: {fault}");
        assert_eq!(policy::check(&config, &rules, &tenants).len(), 1);
        assert_eq!(engine.revision(), before);
        assert!(ask(&engine, "developers").allow);
    }
    // A folder whose own tests fail is not taken either.
    write("bad.rego", &format!("package federation.access\n{refusal}"));
    write(
        "bad_test.rego",
        "package t\ntest_x if data.federation.access.decision.allow",
    );
    let fault = engine.replace(&config, &rules, &tenants).unwrap_err().to_string();
    assert!(
        fault.contains("bad_test.rego:2: the test data.t.test_x"),
        "{fault}"
    );

    write(
        "bad_test.rego",
        "package t\ntest_x if data.federation.access.decision.allow == false",
    );
    let after = engine.replace(&config, &rules, &tenants).unwrap();
    assert_ne!(after, before);
    assert!(!ask(&engine, "developers").allow);
}

#[test]
fn rules_and_suspension_are_swapped() {
    let tenants = [tenant("acme")];
    let engine = PolicyEngine::load(&Config::default(), &[], &tenants).unwrap();
    assert_eq!(ask(&engine, "developers").reasons, ["no_matching_rule"]);
    engine
        .replace(&Config::default(), &[rule(member())], &tenants)
        .unwrap();
    assert!(ask(&engine, "developers").allow);
    assert_eq!(
        ask(&engine, "*").reasons,
        ["no_matching_rule"],
        "a group named * is a group, not everybody"
    );
    let config = Config {
        suspended: [TenantId::parse("acme").unwrap()].into(),
        ..Config::default()
    };
    engine.replace(&config, &[rule(member())], &tenants).unwrap();
    assert_eq!(ask(&engine, "developers").reasons, ["tenant_suspended"]);
    let elsewhere = engine.replace(&config, &[], &[tenant("blue")]).unwrap_err();
    assert!(
        elsewhere
            .to_string()
            .contains("policy.suspended: there is no tenant 'acme'")
    );
}

#[test]
fn bad_access_rules_are_refused_all_at_once() {
    let change = |key: &str, value: serde_json::Value| {
        let mut item = member();
        item[key] = value;
        item["rule"] = json!(format!("bad-{key}"));
        rule(item)
    };
    let rules = [
        rule(member()),
        rule(member()),
        change("tenant", json!("nobody")),
        change("group", json!("")),
        change("max_age_s", json!(0)),
        change("groups", json!(["system:masters"])),
        change("target", json!("gateway")),
        change(
            "projects",
            json!([{"domain": "other", "project": "p", "roles": ["Admin"]}]),
        ),
    ];
    let found: Vec<String> = policy::check(&Config::default(), &rules, &[tenant("acme")])
        .iter()
        .map(ToString::to_string)
        .collect();
    for part in [
        "access rule 'devs', rule: another rule has this name",
        "access rule 'bad-tenant', tenant: there is no tenant 'nobody'",
        "access rule 'bad-group', group: it is not a name",
        "access rule 'bad-max_age_s', max_age_s: no span of time",
        "access rule 'bad-groups', groups: 'system:masters' is reserved",
        "access rule 'bad-target', projects: it has no place at the target 'gateway'",
        "access rule 'bad-projects', projects.domain: 'other' is not a domain of tenant 'acme'; write one of [acme]",
        "access rule 'bad-projects', projects.roles: 'Admin' is reserved",
    ] {
        assert!(found.iter().any(|line| line.contains(part)), "{part}: {found:#?}");
    }
    assert_eq!(found.len(), 8, "{found:#?}");

    let targets = BTreeMap::from([(TargetId::parse("cluster").unwrap(), TargetKind::Kubernetes)]);
    let found = policy::check_targets(&[rule(member()), change("target", json!("cluster"))], &targets);
    assert!(
        found[0]
            .to_string()
            .contains("there is no target or client 'openstack'"),
        "{found:?}"
    );
    assert!(found[1].to_string().contains("write groups"), "{found:?}");
}

#[test]
fn the_end_of_an_agreement_is_a_date_or_a_time() {
    for (text, seconds) in [
        (json!("2026-12-31"), 1_798_761_600),
        (json!("2026-12-31T12:00:00Z"), 1_798_718_400),
        (json!(1_000), 1_000),
    ] {
        let mut item = member();
        item["until"] = text;
        assert_eq!(rule(item).until.unwrap().0.0, seconds);
    }
    for wrong in [json!("tomorrow"), json!("2026-02-30"), json!(true), json!(1.5)] {
        let mut item = member();
        item["until"] = wrong;
        assert!(serde_json::from_value::<AccessRule>(item).is_err());
    }
}
