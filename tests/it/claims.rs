//! What a Keystone behind Apache is told, claim by claim: kolla's own names, and never more than policy gave.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use fedgate::{
    domain::{
        access::{AccessRequest, Answer, Asked, Ceilings, Entitlement, Grant, Permit, TargetKind, decide},
        assertion::{UpstreamAssertion, Verified},
        fault::{Code, Fault},
        ids::{ClientId, TargetId, TenantId, UpstreamId},
        key::Algorithm,
        mapping::MappingSettings,
        tenant::Tenant,
        time::Timestamp,
    },
    keys::SystemEntropy,
    port::{
        signer::{KeyFault, Signer, TokenType},
        target::{Target, TokenFacts},
    },
    target::{Declared, Wiring, open},
};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp(1_790_000_000);

/// Writes claims and no signature. The gateway's own keys sign nothing here.
struct Unsigned(bool);
impl Signer for Unsigned {
    fn sign(&self, _: Algorithm, _: TokenType, claims: &[u8]) -> Result<String, KeyFault> {
        assert!(self.0, "the gateway's own keys were asked");
        Ok(format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims)))
    }
    fn verify(&self, _: TokenType, _: &str, _: Timestamp) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::Invalid("not here"))
    }
    fn verify_hint(&self, _: &str) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::Invalid("not here"))
    }
    fn jwks(&self) -> Arc<Bytes> {
        Arc::default()
    }
    fn of_issuer(&self, issuer: &str) -> Option<Arc<dyn Signer>> {
        (issuer == "https://gw.example/keystone").then(|| Arc::new(Self(true)) as Arc<dyn Signer>)
    }
}

fn tenant() -> Tenant {
    serde_json::from_value(json!({ "id": "acme", "name": "ACME", "domains": ["acme", "acme-lab"] })).unwrap()
}

fn target(more: &Value) -> Arc<dyn Target> {
    let mut config =
        json!({ "kind": "keystone_claims", "id": "openstack", "name": "O", "audience": "openstack" });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    let declared: Declared = serde_json::from_value(config).unwrap();
    let wiring = Wiring {
        issuer: "https://gw.example".into(),
        signer: Arc::new(Unsigned(false)),
        entropy: Arc::new(SystemEntropy),
        tenants: Arc::new(BTreeMap::from([(TenantId::parse("acme").unwrap(), tenant())])),
        lookers: BTreeMap::new(),
        given: None,
    };
    open(declared, &wiring).unwrap()
}

/// A permit of somebody called `name` with these projects (`domain/project/role`).
fn permit(name: &str, projects: &[&str], withhold: &[&str]) -> Permit {
    let claims =
        json!({ "preferred_username": name, "email": "a@acme.example", "groups": ["developers", "board"] });
    let tenant = tenant();
    let assertion = UpstreamAssertion::verified(Verified {
        upstream: UpstreamId::parse("acme").unwrap(),
        tenant: tenant.id.clone(),
        issuer: "https://idp.acme.example".into(),
        subject: "u-1".into(),
        claims: claims.as_object().unwrap().clone(),
        authenticated_at: NOW,
        acr: None,
        amr: Vec::new(),
        not_after: NOW.plus(Duration::from_secs(3600)),
        upstream_session: None,
    })
    .unwrap();
    let mapping: MappingSettings =
        serde_json::from_value(json!({ "groups": [{ "rule": "all", "claim": "groups", "accept": ["*"] }] }))
            .unwrap();
    let identity = mapping.identify(&assertion).unwrap();
    let request = AccessRequest {
        identity: &identity,
        tenant: &tenant,
        target: TargetId::parse("openstack").unwrap(),
        kind: TargetKind::Keystone,
        audience: "openstack".into(),
        asked: Asked::Everything,
        ceilings: Ceilings {
            lifetime: Duration::from_secs(300),
        },
        now: NOW,
    };
    let grant = |text: &&str| {
        let mut parts = text.split('/').map(str::to_owned);
        let mut next = || parts.next().unwrap();
        Grant {
            entitlement: Entitlement::Project {
                domain: next(),
                project: next(),
                role: next(),
            },
            rule: "test".into(),
        }
    };
    let answer = Answer {
        allow: true,
        reasons: Vec::new(),
        grants: projects.iter().map(grant).collect(),
        rule: "test".into(),
        lifetime_s: None,
        withhold: withhold.iter().map(|scope| (*scope).to_owned()).collect(),
        obligations: Vec::new(),
    };
    decide(&request, answer).unwrap()
}

fn told(target: &dyn Target, permit: &Permit) -> Result<Value, Fault> {
    let facts = TokenFacts {
        client: ClientId::parse("cli").unwrap(),
        scope: "openid".into(),
        sid: None,
        algorithm: Algorithm::Es256,
        lifetime: Duration::from_secs(300),
    };
    let minted = target.ways().issuer.unwrap().access_token(permit, &facts)?;
    let claims = minted.token.split('.').nth(1).unwrap();
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap())
}

#[test]
fn the_claims_are_those_of_kollas_own_mapping() {
    let permit = permit("alice", &["acme/web/member", "acme/archive/reader"], &[]);
    let claims = told(&*target(&json!({ "groups": ["developers"] })), &permit).unwrap();
    for (name, value) in [
        ("iss", json!("https://gw.example/keystone")),
        ("aud", json!("openstack")),
        ("preferred_username", json!("alice")),
        ("email", json!("a@acme.example")),
        ("openstack-user-domain", json!("acme")),
        ("openstack-default-project", json!("web")),
        // The board is nothing that Keystone may hear of.
        ("groups", json!(["developers"])),
        ("exp", json!(NOW.0 + 300)),
    ] {
        assert_eq!(claims[name], value, "{name}: {claims}");
    }
    assert!(claims.get("openstack-projects").is_none());
}

/// The stock mapping gives one role on the project it is told: it must be one on which policy gives that role.
#[test]
fn the_default_project_is_one_with_the_role_that_the_mapping_gives() {
    let plain = target(&json!({}));
    for (projects, wanted) in [
        (&["acme/b/member", "acme/a/member", "acme/0/reader"][..], "a"),
        // Another domain of the tenant is not where the mapping makes projects.
        (&["acme-lab/a/member", "acme/z/Member"][..], "z"),
    ] {
        let claims = told(&*plain, &permit("alice", projects, &[])).unwrap();
        assert_eq!(claims["openstack-default-project"], wanted, "{projects:?}");
    }
    for projects in [&["acme/a/reader"][..], &["acme-lab/a/member"][..]] {
        let fault = told(&*plain, &permit("alice", projects, &[])).unwrap_err();
        assert_eq!(fault.code, Code::NoAccess);
        assert_eq!(fault.reasons, ["no_default_project"], "{projects:?}");
    }
    let reader = target(&json!({ "default_role": "reader" }));
    let claims = told(&*reader, &permit("alice", &["acme/a/reader"], &[])).unwrap();
    assert_eq!(claims["openstack-default-project"], "a");
}

#[test]
fn all_projects_are_one_text_that_keystone_does_not_split() {
    let all = target(&json!({ "projects_json": true }));
    let permit = permit("alice", &["acme/a;b/reader", "acme-lab/ü/member"], &[]);
    let claims = told(&*all, &permit).unwrap();
    let text = claims["openstack-projects"].as_str().unwrap();
    assert!(text.is_ascii() && !text.contains(';'), "{text}");
    assert_eq!(
        serde_json::from_str::<Value>(text).unwrap(),
        json!([
            { "name": "a;b", "domain": { "name": "acme" }, "roles": [{ "name": "reader" }] },
            { "name": "ü", "domain": { "name": "acme-lab" }, "roles": [{ "name": "member" }] },
        ])
    );
    assert!(claims.get("openstack-default-project").is_none());
}

#[test]
fn what_keystone_would_read_otherwise_is_refused() {
    let plain = target(&json!({}));
    for name in ["alice;root", "JSON:{\"name\":\"admins\"}", "['alice', 'root']"] {
        let fault = told(&*plain, &permit(name, &["acme/a/member"], &[])).unwrap_err();
        assert_eq!(fault.code, Code::TargetRefused, "{name}");
    }
    let many: Vec<String> = (0..200)
        .map(|at| format!("acme/project-number-{at}/member"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let all = target(&json!({ "projects_json": true }));
    let fault = told(&*all, &permit("alice", &many, &[])).unwrap_err();
    assert!(fault.detail.contains("8 KiB"), "{}", fault.detail);
}

#[test]
fn what_policy_keeps_back_is_in_no_token() {
    let groups = target(&json!({ "groups": ["developers"] }));
    let claims = told(
        &*groups,
        &permit("alice", &["acme/a/member"], &["email", "groups"]),
    )
    .unwrap();
    assert!(
        claims.get("email").is_none() && claims.get("groups").is_none(),
        "{claims}"
    );
}

#[test]
fn settings_that_would_open_or_break_something_are_refused() {
    for (more, word) in [
        (json!({ "issuer_path": "oauth2" }), "issuer_path"),
        (json!({ "issuer_path": "a/b" }), "issuer_path"),
        (json!({ "default_role": "Admin" }), "default_role"),
        (json!({ "groups": ["username-admins"] }), "groups"),
        (json!({ "groups": ["a;b"] }), "groups"),
        (json!({ "audience": "two words" }), "audience"),
        (json!({ "lifetime_s": 0 }), "lifetime_s"),
    ] {
        let mut config =
            json!({ "kind": "keystone_claims", "id": "openstack", "name": "O", "audience": "openstack" });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        let declared: Declared = serde_json::from_value(config).unwrap();
        let problems = declared.problems();
        assert!(
            problems.len() == 1 && problems[0].contains(word),
            "{more}: {problems:?}"
        );
    }
}
