//! A cloud with a real Keystone that takes tokens of a CI system and of a cluster: from the job's token to a token of
//! the project, that ends in time; and what a job reads that is refused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{gitlab, kubernetes};
use crate::parts::{
    gateway::{Landscape, client},
    keystone::Keystone,
    machine, plain_client,
};

pub const CI: &str = "https://ci.acme.example";
pub const CLUSTER: &str = "https://kubernetes.acme.example";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const AUTH: &str = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";

const UPSTREAMS: &str = "
  - kind: workload
    id: acme-pods
    name: ACME cluster
    tenant: acme
    issuer: https://kubernetes.acme.example
    jwks_file: ../ci.jwks
    conditions:
      - { claim: kubernetes.io.namespace, any: [build] }
    username: \"{kubernetes.io.namespace}/{kubernetes.io.serviceaccount.name}\"
    reuse: true
    mapping:
      groups:
        - { rule: robots, claim: kubernetes.io.serviceaccount.name, accept: [robot], group: robots }

targets:
";

const CLIENTS: &str = "  - id: ci
    name: CI jobs
    auth: { method: none }
    grants: [\"urn:ietf:params:oauth:grant-type:jwt-bearer\"]
    exchange: [openstack]
";

const ACCESS: &str = "  - rule: robots-look
    tenant: acme
    group: robots
    target: openstack
    lifetime_s: 6
    projects: [{ domain: acme, project: platform, roles: [reader] }]
  - rule: vault-with-mfa
    tenant: acme
    group: developers
    target: openstack
    mfa: true
    projects: [{ domain: acme, project: vault, roles: [member] }]
";

/// The gateways and Keystone.
pub struct World {
    pub land: Landscape,
    keystone: Keystone,
}

impl World {
    pub async fn start() -> Self {
        let edit = |name: &str, text: String| match name {
            "cloud-a" => text
                .replacen("\ntargets:\n", UPSTREAMS, 1)
                .replace("\naccess:\n", &format!("\n{CLIENTS}\naccess:\n{ACCESS}")),
            _ => text,
        };
        let land = Landscape::start_with(&edit, &[]).await;
        let keystone = Keystone::start_at(land.keystone, &land.cloud.issuer, "OIDC-").await;
        crate::parts::gateway::keep(&land.cloud.folder.join("keystone-admin.password"), "adminpw");
        land.cloud.operate(&["keystone", "setup"]);
        Self { land, keystone }
    }

    /// A job's token, bent as wished.
    pub fn job(&self, jti: &str, bend: impl Fn(&mut Value)) -> String {
        let mut claims = gitlab(CI, &self.land.cloud.issuer, now(), jti);
        bend(&mut claims);
        machine::own().sign(&machine::header(), &claims)
    }

    /// A pod's.
    pub fn pod(&self) -> String {
        let claims = kubernetes(CLUSTER, &self.land.cloud.issuer, now(), "a-uuid");
        machine::own().sign(&machine::header(), &claims)
    }

    async fn post(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        crate::parts::party::token(&self.land, fields).await
    }

    async fn exchange(&self, token: &str, kind: &str) -> (u16, Value) {
        self.post(&[
            ("grant_type", EXCHANGE),
            ("client_id", "fedctl"),
            ("subject_token", token),
            ("subject_token_type", kind),
            ("audience", "openstack"),
        ])
        .await
    }

    /// Logs in at Keystone: the token, and the header that says when it ends.
    async fn log_in(&self, access: &str) -> (String, Option<i64>, Value) {
        let answer = client(&self.land.ca)
            .post(self.land.cloud.at(AUTH))
            .bearer_auth(access)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = |name: &str| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (token, ends) = (text("x-subject-token"), text("x-fedgate-token-ends"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, 201, "{body} {}", self.land.cloud.log());
        (token.unwrap(), ends.map(|ends| ends.parse().unwrap()), body)
    }

    async fn scope(&self, token: &str, project: &str) -> (String, Value) {
        let body = json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": token } },
            "scope": { "project": { "name": project, "domain": { "name": "acme" } } } } });
        let answer = client(&self.land.ca)
            .post(self.land.cloud.at("/v3/auth/tokens"))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        (token, answer.json().await.unwrap())
    }

    /// A token that nobody limits, for telling the gateway of the wrong one.
    async fn log_in_as_robot(&self) -> (String, Value) {
        let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
            "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } } } });
        let (status, token, said) = self.ask("/v3/auth/tokens", &body).await;
        assert_eq!(status, 201, "{said}");
        (token.unwrap(), said)
    }

    async fn ask(&self, path: &str, body: &Value) -> (u16, Option<String>, Value) {
        let answer = client(&self.land.ca)
            .post(self.land.cloud.at(path))
            .json(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let token = answer.headers().get("x-subject-token");
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        (status, token, answer.json().await.unwrap_or_default())
    }

    /// What Keystone makes of a token: by other spellings of the path, by other methods, of other spellings of the
    /// token. Which of them it takes is its own business.
    async fn rescoped_in_every_way(&self, token: &str, decoy: &str) -> Vec<String> {
        let of = |id: &str| {
            json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": id } },
            "scope": { "project": { "name": "platform", "domain": { "name": "acme" } } } } })
        };
        let (plain, padded) = (
            of(token),
            of(&format!("!{token}~={}", "=".repeat(token.len() % 4))),
        );
        let mut decoyed = of(decoy);
        decoyed["auth"]["identity"]["methods"] = json!(["mapped"]);
        decoyed["auth"]["identity"]["mapped"] = json!({ "id": token });
        let mut made = Vec::new();
        for (path, body) in [
            ("/v3/auth/tokens?nocatalog", &plain),
            ("/v3/auth/tokens/", &plain),
            ("/v3//auth/tokens", &plain),
            ("/v3/auth/token%73", &plain),
            ("/v3/auth/tokens", &decoyed),
            ("/v3/auth/tokens", &padded),
        ] {
            let (status, token, said) = self.ask(path, body).await;
            println!("{path}: {status} {said}");
            made.extend(token);
        }
        assert!(made.len() >= 4, "Keystone takes {} of these", made.len());
        let mut unread = plain.to_string();
        unread.insert_str(1, "\"x\": NaN, ");
        let answer = client(&self.land.ca)
            .post(self.land.cloud.at("/v3/auth/tokens"))
            .header("content-type", "application/json")
            .body(unread)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        assert!(!answer.headers().contains_key("x-subject-token"));
        made
    }

    /// Whether Keystone takes a token, asked past the gateway.
    pub async fn takes(&self, token: &str) -> bool {
        let answer = plain_client()
            .get(format!("{}/v3/auth/tokens", self.keystone.url))
            .header("X-Auth-Token", token)
            .header("X-Subject-Token", token)
            .send()
            .await
            .unwrap();
        answer.status() == 200
    }
}

pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// All of it, one after the other: Keystone takes longer to start than each needs.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_jobs_token_to_a_project() {
    let world = World::start().await;
    a_job_reaches_its_project_and_no_more(&world).await;
    refusals_say_what_did_not_fit(&world).await;
    an_assertion_does_the_same(&world).await;
    a_keystone_token_ends_with_its_permit(&world).await;
    super::exec::programs_run_in_a_project(&world).await;
}

async fn a_job_reaches_its_project_and_no_more(world: &World) {
    let job = world.job("first", |_| {});
    let (status, issued) = world.exchange(&job, JWT).await;
    assert_eq!(status, 200, "{issued}");
    assert_eq!(
        issued["issued_token_type"],
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert!(issued["expires_in"].as_u64().unwrap() <= 900);
    assert!(issued.get("refresh_token").is_none() && issued.get("id_token").is_none());
    let claims = crate::parts::party::claims(&issued, "access_token");
    assert_eq!(claims["aud"], "openstack");

    let access = issued["access_token"].as_str().unwrap();
    let (unscoped, ends, body) = world.log_in(access).await;
    assert_eq!(body["token"]["user"]["name"], "acme/webshop@main");
    let ends = ends.expect("Keystone's hour is longer than fifteen minutes");
    assert!(ends <= now() + 900, "{ends}");
    let (_, scoped) = world.scope(&unscoped, "webshop").await;
    let roles = scoped["token"]["roles"].as_array().unwrap();
    assert!(roles.iter().any(|role| role["name"] == "member"), "{scoped}");

    // What it got is good for the cloud alone: it opens no session and becomes no other token.
    let (status, again) = world
        .exchange(access, "urn:ietf:params:oauth:token-type:access_token")
        .await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
    let answer = client(&world.land.ca)
        .get(world.land.cloud.at("/api/v1/clusters"))
        .bearer_auth(access)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);

    let admin = std::fs::read_to_string(world.land.cloud.folder.join("admin.token")).unwrap();
    let trail = client(&world.land.ca)
        .get(world.land.cloud.at("/admin/v1/audit?most=50"))
        .bearer_auth(&admin)
        .send()
        .await
        .unwrap();
    let trail = trail.text().await.unwrap();
    for words in ["workload_admitted", "acme/webshop@main", "acme-ci", "first"] {
        assert!(trail.contains(words), "{words}: {trail}");
    }
    let log = world.land.cloud.log();
    for secret in [job.as_str(), access, &unscoped] {
        assert!(
            !log.contains(secret) && !trail.contains(secret),
            "a token in the log or the trail"
        );
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!log.contains(signature));
    }
}

async fn refusals_say_what_did_not_fit(world: &World) {
    let issuer = world.land.cloud.issuer.clone();
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    let used = world.job("used", |_| {});
    assert_eq!(world.exchange(&used, id_token).await.0, 200);
    let far = world.job("far", |claims| claims["aud"] = json!("https://another.example"));
    let branch = world.job("branch", |claims| claims["ref"] = json!("feature/x"));
    let stranger = world.job("stranger", |claims| claims["iss"] = json!("https://gitlab.com"));
    let old = world.job("old", |claims| claims["exp"] = json!(now() - 100));
    for (token, code, reasons) in [
        (&used, "TOKEN_REPLAYED", json!(null)),
        (
            &far,
            "AUD_MISMATCH",
            json!([format!("expected: {issuer}"), "actual: https://another.example"]),
        ),
        (
            &branch,
            "CONDITION_FAILED",
            json!(["ref=feature/x, allowed: main, release/*"]),
        ),
        (&stranger, "ISSUER_UNKNOWN", json!(["issuer: https://gitlab.com"])),
        (&old, "PROOF_INVALID", json!(["the token has expired"])),
    ] {
        let (status, body) = world.exchange(token, JWT).await;
        assert_eq!(status, 400, "{code}: {body}");
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["error"], "invalid_request", "RFC 8693 §2.2.2: {body}");
        assert_eq!(body.get("reasons").unwrap_or(&json!(null)), &reasons);
        assert!(body["reference"].as_str().unwrap().starts_with("FG-"));
        assert!(!body.to_string().contains(token.as_str()), "never the token");
    }
    // A project of the tenant's that no rule names: policy, not the proof.
    let other = world.job("other", |claims| claims["project_path"] = json!("acme/docs"));
    let (status, body) = world.exchange(&other, JWT).await;
    assert_eq!((status, &body["error"]), (400, &json!("access_denied")), "{body}");
    assert_eq!(body["reasons"], json!(["no_matching_rule"]));
    // One of ours is never given to an upstream, whatever type it is called.
    let (_, mine) = world.exchange(&world.job("mine", |_| {}), JWT).await;
    let (status, body) = world
        .exchange(mine["access_token"].as_str().unwrap(), id_token)
        .await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("invalid_request")),
        "{body}"
    );
}

async fn an_assertion_does_the_same(world: &World) {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let post = async |client_id: &str, assertion: &str| {
        world
            .post(&[
                ("grant_type", grant),
                ("client_id", client_id),
                ("assertion", assertion),
                ("audience", "openstack"),
            ])
            .await
    };
    let (status, issued) = post("ci", &world.job("assertion", |_| {})).await;
    assert_eq!(status, 200, "{issued}");
    assert_eq!(
        crate::parts::party::claims(&issued, "access_token")["aud"],
        "openstack"
    );
    let branch = world.job("assertion-2", |claims| claims["ref"] = json!("feature/x"));
    let (status, body) = post("ci", &branch).await;
    assert_eq!(
        (status, &body["error"], &body["code"]),
        (400, &json!("invalid_grant"), &json!("CONDITION_FAILED")),
        "RFC 7523 §3.1"
    );
    let (status, body) = post("fedctl", &world.job("assertion-3", |_| {})).await;
    assert_eq!((status, &body["error"]), (400, &json!("unauthorized_client")));
}

/// Keystone gives every token an hour; the rule says six seconds.
async fn a_keystone_token_ends_with_its_permit(world: &World) {
    let (status, issued) = world.exchange(&world.pod(), JWT).await;
    assert_eq!(status, 200, "{issued}");
    let begun = std::time::Instant::now();
    let (unscoped, ends, _) = world.log_in(issued["access_token"].as_str().unwrap()).await;
    assert!(ends.unwrap() <= now() + 6);
    let (scoped, _) = world.scope(&unscoped, "platform").await;
    let (other, _) = world.log_in_as_robot().await;
    let mut all = vec![unscoped.clone(), scoped];
    all.extend(world.rescoped_in_every_way(&unscoped, &other).await);
    for token in &all {
        assert!(world.takes(token).await);
    }
    assert!(begun.elapsed() < Duration::from_secs(6), "they were made in time");
    for token in &all {
        while world.takes(token).await {
            assert!(begun.elapsed() < Duration::from_secs(30), "still good");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert!(begun.elapsed() >= Duration::from_secs(4), "not before its time");
    let kept = world.land.cloud.rows().await["endings"];
    assert!(kept > 0, "the jobs' tokens are still kept");
}
