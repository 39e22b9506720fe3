//! `fedgate explain`: the whole way from claims to a result, with the configuration alone.

use fedgate::{
    app::explain::{Explanation, Supposed, explain},
    config::Config,
    domain::time::Timestamp,
    policy::{Did, PolicyEngine, RuleSeen},
};
use serde_json::{Value, json};

use crate::config::put;

const SETTINGS: &str = r#"
issuer: http://127.0.0.1:8443
name: Test
listen: { address: "127.0.0.1:0" }
secret_key: { file: secret.key }
tenants:
  - { id: acme, name: ACME, domains: [acme] }
upstreams:
  - kind: local
    id: people
    name: People
    tenant: acme
    users: []
    mapping:
      groups:
        - { rule: cloud-groups, claim: groups, accept: ["cloud-*"], group: "{rest}" }
targets:
  - { kind: kubernetes, id: cluster, name: Cluster, audience: k8s, server: "https://k8s.example" }
access:
  - { rule: devs, tenant: acme, group: developers, target: cluster, groups: [developers] }
policy:
  rules:
    - { rule: membership, any_of: [{ claim: cloud, value: "yes" }] }
    - { rule: mfa_for, groups: [developers] }
"#;

fn config() -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fedgate.yaml");
    put(&path, SETTINGS);
    put(
        &folder.path().join("secret.key"),
        "0123456789abcdef0123456789abcdef0123456789abcdef",
    );
    let config = Config::load(&path).unwrap();
    (folder, config)
}

fn explained(config: &Config, supposed: &Supposed) -> Result<Explanation, String> {
    let engine = PolicyEngine::load(&config.policy, &config.access, &config.tenants).unwrap();
    explain(config, &engine, supposed).map_err(|fault| fault.to_string())
}

fn asked(target: &str, claims: &Value) -> Supposed {
    Supposed {
        upstream: "people".to_owned(),
        claims: claims.as_object().unwrap().clone(),
        target: target.to_owned(),
        now: Timestamp(1_790_000_000),
    }
}

fn anna() -> Value {
    json!({
        "iss": "https://idp.example", "sub": "anna", "preferred_username": "anna", "cloud": "yes",
        "groups": ["cloud-developers", "other"], "amr": ["pwd", "mfa"],
    })
}

#[test]
fn what_is_given_and_by_which_rules() {
    let (_folder, config) = config();
    let told = explained(&config, &asked("cluster", &anna())).unwrap();
    assert_eq!(told.mapping_rules.len(), 1);
    assert_eq!(told.mapping_rules[0].rule, "cloud-groups");
    assert_eq!(told.mapping_rules[0].value, "cloud-developers");
    assert_eq!(told.groups, ["developers"]);
    assert_eq!(told.grants.len(), 1);
    assert_eq!(told.grants[0].rule, "devs");
    assert!(told.reasons.is_empty() && told.expires.is_some());
    assert_eq!(told.input["request"]["target"], "cluster");
    let did = |name: &str, adds: Option<&str>| {
        let of = |rule: &&RuleSeen| rule.rule.ends_with(name) && rule.adds.as_deref() == adds;
        let rule = told.rules.iter().find(of).unwrap();
        assert_eq!(rule.file, "federation/access.rego");
        assert!(rule.line > 10);
        rule.did
    };
    assert_eq!(did(".access.unmet", Some("rule_found")), Did::Failed);
    assert_eq!(did(".access.allow", None), Did::Fired);
}

#[test]
fn what_is_missing_by_rule_and_line() {
    let (_folder, config) = config();
    let mut claims = anna();
    claims["amr"] = json!(["pwd"]);
    let told = explained(&config, &asked("cluster", &claims)).unwrap();
    assert_eq!(told.reasons, ["mfa_required"]);
    assert!(told.texts["mfa_required"].de.contains("zweitem Faktor"));
    assert!(told.grants.is_empty());
    let proven = told.rules.iter().find(|rule| {
        rule.file == "rules/assurance.rego" && rule.rule.ends_with(".proven") && rule.adds.is_some()
    });
    assert_eq!(proven.unwrap().did, Did::Failed);

    // A sign-in is asked as one: the rules at the door are seen.
    claims["cloud"] = json!("no");
    let told = explained(&config, &asked("gateway", &claims)).unwrap();
    assert_eq!(told.reasons, ["membership_required"]);
}

#[test]
fn what_cannot_be_explained_is_said() {
    let (_folder, config) = config();
    let nowhere = explained(&config, &asked("elsewhere", &anna())).unwrap_err();
    assert!(nowhere.contains("no target or client 'elsewhere'"));
    let mut nobody = asked("cluster", &anna());
    nobody.upstream = "others".to_owned();
    let unknown = explained(&config, &nobody).unwrap_err();
    assert!(unknown.contains("name one of: people"), "{unknown}");
}
