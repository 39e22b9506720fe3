//! The upstream alone: what each check refuses, and what four kinds of issuers are mapped to.

use std::sync::{Arc, atomic::Ordering};

use fedgate::{
    domain::fault::{Code, Fault},
    port::{
        clock::Clock as _,
        upstream::{Health, Upstream},
    },
    upstream::{Declared, open},
};
use serde_json::{Value, json};

use super::{github, gitlab, kubernetes, zuul};
use crate::parts::wiring::{TestClock, wiring};
use crate::upstream_oidc::forger::{Forger, Reply, Signer, ec_jwk, ec_pem, token};

/// The gateway of `wiring`.
const GATEWAY: &str = "https://gateway.test";

fn conditions() -> Value {
    json!([
        { "claim": "project_path", "any": ["acme/*"] },
        { "claim": "ref", "any": ["main", "release/*"] },
        { "claim": "environment", "any": ["production"] },
    ])
}

struct Ci {
    forger: Forger,
    clock: Arc<TestClock>,
    upstream: Arc<dyn Upstream>,
}

impl Ci {
    async fn start(more: Value) -> Self {
        let (forger, clock) = (Forger::start().await, TestClock::new());
        let mut settings = json!({
            "kind": "workload", "id": "ci", "name": "CI", "tenant": "acme", "issuer": forger.issuer,
            "conditions": conditions(), "username": "{project_path}@{ref}", "ca": forger.ca, "addresses": "loopback",
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        // A Kubernetes API server's document has nothing else.
        let keys = format!("{}/jwks", forger.issuer);
        let discovery = json!({ "issuer": forger.issuer, "jwks_uri": keys });
        forger.says(|desk| &desk.discovery, Reply::Json(discovery));
        let declared: Declared = serde_json::from_value(settings).unwrap();
        let upstream = open(declared, &wiring(&clock)).unwrap();
        Self {
            forger,
            clock,
            upstream,
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().0
    }

    fn claims(&self, jti: &str) -> Value {
        gitlab(&self.forger.issuer, GATEWAY, self.now(), jti)
    }

    async fn accept(&self, token: &str) -> Result<fedgate::domain::assertion::UpstreamAssertion, Fault> {
        self.upstream.ways().token.unwrap().accept(token).await
    }

    async fn of(&self, claims: &Value) -> Result<fedgate::domain::assertion::UpstreamAssertion, Fault> {
        self.accept(&signed(claims)).await
    }
}

fn signed(claims: &Value) -> String {
    token(
        &json!({ "alg": "ES256", "kid": "ec", "typ": "JWT" }),
        claims,
        &Signer::Ec,
    )
}

#[tokio::test]
async fn four_kinds_of_issuers_say_who_their_workload_is() {
    type Claims = fn(&str, &str, i64, &str) -> Value;
    let all: [(Claims, Value, &str, &str); 4] = [
        (gitlab, conditions(), "{project_path}@{ref}", "acme/webshop@main"),
        (
            github,
            json!([{ "claim": "repository", "any": ["acme/webshop"] }, { "claim": "environment", "any": ["production"] }]),
            "{repository}@{ref}",
            "acme/webshop@refs/heads/main",
        ),
        (
            zuul,
            json!([{ "claim": "zuul-tenant", "any": ["acme"] }, { "claim": "zuul-ref", "any": ["refs/heads/**"] }]),
            "{job-project}@{zuul-ref}",
            "opendev.org/acme/webshop@refs/heads/master",
        ),
        (
            kubernetes,
            json!([{ "claim": "kubernetes.io.namespace", "any": ["build"] },
                { "claim": "kubernetes.io.serviceaccount.name", "any": ["robot"] }]),
            "{kubernetes.io.namespace}/{kubernetes.io.serviceaccount.name}",
            "build/robot",
        ),
    ];
    for (claims, conditions, username, name) in all {
        let ci = Ci::start(json!({ "conditions": conditions, "username": username })).await;
        let mut claims = claims(&ci.forger.issuer, GATEWAY, ci.now(), "one");
        // What a program cannot have: a second factor, a name of its own choosing.
        claims["amr"] = json!(["mfa"]);
        claims["preferred_username"] = json!("root");
        let mut header = json!({ "alg": "ES256", "kid": "ec" });
        // Service-account tokens have no typ.
        if name != "build/robot" {
            header["typ"] = json!("JWT");
        }
        let assertion = ci.accept(&token(&header, &claims, &Signer::Ec)).await.unwrap();
        let facts = assertion.facts();
        assert_eq!(facts.claims["preferred_username"], name);
        assert_eq!(facts.subject, claims["sub"].as_str().unwrap());
        assert_eq!(facts.tenant.as_str(), "acme");
        assert!(facts.amr.is_empty() && facts.acr.is_none());
        assert_eq!(facts.not_after.0, ci.now() + 900, "fifteen minutes and no more");
        assert_eq!(ci.upstream.health(), Health::Ready);
    }
}

#[tokio::test]
async fn each_check_refuses_on_its_own() {
    let ci = Ci::start(json!({})).await;
    type Bend = fn(&mut Value, i64);
    let cases: [(&str, Bend, Code, &str); 15] = [
        (
            "another issuer",
            |c, _| c["iss"] = json!("https://other"),
            Code::ProofInvalid,
            "issuer",
        ),
        (
            "issuer with a slash",
            |c, _| c["iss"] = json!(format!("{}/", c["iss"].as_str().unwrap())),
            Code::ProofInvalid,
            "issuer",
        ),
        (
            "another audience",
            |c, _| c["aud"] = json!("sts.amazonaws.com"),
            Code::AudMismatch,
            "actual: sts.amazonaws.com",
        ),
        (
            "no audience",
            |c, _| c["aud"] = json!(null),
            Code::AudMismatch,
            "expected: https://gateway.test",
        ),
        (
            "expired",
            |c, now| c["exp"] = json!(now - 61),
            Code::ProofInvalid,
            "expired",
        ),
        (
            "no exp",
            |c, _| c["exp"] = json!("soon"),
            Code::ProofInvalid,
            "exp",
        ),
        ("no iat", |c, _| c["iat"] = json!(null), Code::ProofInvalid, "iat"),
        (
            "not yet",
            |c, now| c["nbf"] = json!(now + 120),
            Code::ProofInvalid,
            "not valid yet",
        ),
        (
            "from the future",
            |c, now| c["iat"] = json!(now + 120),
            Code::ProofInvalid,
            "future",
        ),
        (
            "a long life",
            |c, now| c["exp"] = json!(now + 100_000),
            Code::ProofInvalid,
            "longer than a day",
        ),
        (
            "another branch",
            |c, _| c["ref"] = json!("feature/x"),
            Code::ConditionFailed,
            "ref=feature/x, allowed: main, release/*",
        ),
        (
            "a branch that looks like one",
            |c, _| c["ref"] = json!("release/1/main"),
            Code::ConditionFailed,
            "ref=release/1/main",
        ),
        (
            "no environment",
            |c, _| c["environment"] = json!(null),
            Code::ConditionFailed,
            "environment=(missing), allowed: production",
        ),
        (
            "a subgroup's project",
            |c, _| c["project_path"] = json!("acme/evil/webshop"),
            Code::ConditionFailed,
            "allowed: acme/*",
        ),
        (
            "no subject",
            |c, _| c["sub"] = json!(""),
            Code::ProofInvalid,
            "subject",
        ),
    ];
    for (name, bend, code, reason) in cases {
        let mut claims = ci.claims("never-used-up");
        bend(&mut claims, ci.now());
        let fault = ci.of(&claims).await.unwrap_err();
        assert_eq!(fault.code, code, "{name}: {fault}");
        let told = format!("{} {}", fault.reasons.join(" "), fault.detail);
        assert!(told.contains(reason), "{name}: {told}");
        assert!(!told.contains(&signed(&claims)), "{name}: the token itself");
    }
    // None of them has used the token up.
    ci.of(&ci.claims("never-used-up")).await.unwrap();

    let claims = ci.claims("forged");
    let header = |alg: &str| json!({ "alg": alg, "kid": "ec", "typ": "JWT" });
    let with = |name: &str, value: Value| {
        let mut header = header("ES256");
        header[name] = value;
        header
    };
    for (name, header, signer) in [
        ("alg none", header("none"), Signer::Nobody),
        (
            "HS256 with the public key",
            header("HS256"),
            Signer::Hmac(ec_pem()),
        ),
        ("another key", header("ES256"), Signer::ForeignEc),
        ("RS256 by an EC key's id", header("RS256"), Signer::Rsa),
        ("an access token", with("typ", json!("at+jwt")), Signer::Ec),
        ("a logout token", with("typ", json!("logout+jwt")), Signer::Ec),
        ("critical extensions", with("crit", json!(["b64"])), Signer::Ec),
        ("an unknown key id", with("kid", json!("next")), Signer::Ec),
    ] {
        let fault = ci.accept(&token(&header, &claims, &signer)).await.unwrap_err();
        assert_eq!(fault.code, Code::ProofInvalid, "{name}: {fault}");
    }
    for text in ["", "a.b", "a.b.c", &"x".repeat(20_000)] {
        assert_eq!(ci.accept(text).await.unwrap_err().code, Code::ProofInvalid);
    }
    // Whatever came, the issuer was not flooded.
    assert!(ci.forger.desk.keys_asked.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn a_token_counts_once_unless_it_may_be_used_again() {
    let ci = Ci::start(json!({})).await;
    let good = signed(&ci.claims("one"));
    ci.accept(&good).await.unwrap();
    assert_eq!(ci.accept(&good).await.unwrap_err().code, Code::TokenReplayed);
    // The same id in another signature, and a token without one.
    let mut again = ci.claims("one");
    again["exp"] = json!(ci.now() + 100);
    assert_eq!(ci.of(&again).await.unwrap_err().code, Code::TokenReplayed);
    again["jti"] = json!(null);
    ci.of(&again).await.unwrap();
    assert_eq!(ci.of(&again).await.unwrap_err().code, Code::TokenReplayed);
    // It is remembered for as long as clocks may take it for good.
    ci.clock.advance(3600 + 59);
    assert_eq!(ci.accept(&good).await.unwrap_err().code, Code::TokenReplayed);

    let pod = Ci::start(json!({ "reuse": true })).await;
    let token = signed(&pod.claims("file"));
    pod.accept(&token).await.unwrap();
    pod.accept(&token).await.unwrap();
}

#[tokio::test]
async fn keys_of_an_issuer_that_is_down_are_kept_and_those_of_a_file_are_read_again() {
    let ci = Ci::start(json!({ "reuse": true })).await;
    let answer = ci.of(&ci.claims("a")).await;
    answer.unwrap();
    ci.forger
        .says(|desk| &desk.keys, Reply::Text(503, "text/html", "down".into()));
    ci.clock.advance(3700);
    ci.of(&ci.claims("b")).await.unwrap();
    assert!(matches!(ci.upstream.health(), Health::Impaired { reason } if reason.contains("keys")));

    let cold = Ci::start(json!({})).await;
    cold.forger.says(
        |desk| &desk.discovery,
        Reply::Json(json!({ "issuer": "https://other", "jwks_uri": "https://other/k" })),
    );
    let fault = cold.of(&cold.claims("c")).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown);
    assert!(fault.reasons.join("").contains("cannot be read now"), "{fault:?}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, json!({ "keys": [] }).to_string()).unwrap();
    let file = Ci::start(json!({ "jwks_file": path, "reuse": true })).await;
    let fault = file.of(&file.claims("d")).await.unwrap_err();
    assert_eq!(fault.code, Code::ProofInvalid);
    std::fs::write(&path, json!({ "keys": [ec_jwk("ec")] }).to_string()).unwrap();
    file.clock.advance(61);
    file.of(&file.claims("e")).await.unwrap();
    assert_eq!(file.forger.desk.keys_asked.load(Ordering::SeqCst), 0);
}
