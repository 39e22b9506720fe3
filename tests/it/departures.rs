//! A customer, or a program, goes: what their people hold at a real Keystone is dead within seconds, also if Keystone is
//! down and the gateway is killed in the middle. A configuration that is not taken ends nothing.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::parts::{
    cloud::{Cloud, without},
    keystone::Wish,
    plain_client, rows,
};

/// The sweep comes every five seconds.
const BOUND: Duration = Duration::from_secs(20);

/// Keystone's administrator, who asks it about tokens past the gateway.
struct Admin(String);

impl Admin {
    async fn sign_in(cloud: &Cloud) -> Self {
        let user = json!({ "name": "admin", "domain": { "id": "default" }, "password": "adminpw" });
        let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": user } },
            "scope": { "project": { "name": "admin", "domain": { "id": "default" } } } } });
        let request = plain_client().post(format!("{}/v3/auth/tokens", cloud.keystone.url));
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        Self(answer.headers()["x-subject-token"].to_str().unwrap().to_owned())
    }

    async fn good(&self, cloud: &Cloud, tokens: &[String]) -> usize {
        let mut good = 0;
        for token in tokens {
            let request = plain_client()
                .get(format!("{}/v3/auth/tokens", cloud.keystone.url))
                .header("x-auth-token", &self.0)
                .header("x-subject-token", token);
            let status = request.send().await.unwrap().status();
            assert!(status == 200 || status == 404, "{status}");
            good += usize::from(status == 200);
        }
        good
    }

    async fn until_dead(&self, cloud: &Cloud, tokens: &[String]) {
        let ends = Instant::now() + BOUND;
        while self.good(cloud, tokens).await > 0 {
            assert!(Instant::now() < ends, "still good: {}", cloud.log());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}

/// What somebody holds: an unscoped token and one of it for their project.
async fn held(cloud: &Cloud, (client, person): (&str, &str), project: (&str, &str)) -> Vec<String> {
    let (unscoped, _) = cloud.sign_in(client, person).await;
    let (scoped, _) = cloud.scoped(&unscoped, project).await.unwrap();
    vec![unscoped, scoped]
}

async fn said(cloud: &Cloud, word: &str) {
    let ends = Instant::now() + BOUND;
    while !cloud.log().contains(word) {
        assert!(Instant::now() < ends, "not '{word}': {}", cloud.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The trail's events of one kind.
async fn trail(cloud: &Cloud, kind: &str) -> Vec<Value> {
    use sqlx::{Connection as _, Row as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(cloud.folder.path().join("fedgate.db"))
        .read_only(true);
    let mut base = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query("SELECT event FROM audit ORDER BY number")
        .fetch_all(&mut base)
        .await
        .unwrap();
    rows.iter()
        .map(|row| serde_json::from_str(row.get(0)).unwrap())
        .filter(|event: &Value| event["event"] == kind)
        .collect()
}

#[tokio::test]
async fn what_a_customer_held_at_keystone_ends_when_they_go() {
    let mut cloud = Cloud::start(Wish::default(), "3.0").await;
    cloud.set_up(&[]);
    let admin = Admin::sign_in(&cloud).await;
    let alice = held(&cloud, ("script", "alice"), ("acme", "webshop")).await;
    let carol = held(&cloud, ("beta-script", "carol"), ("beta", "webshop")).await;
    assert_eq!(admin.good(&cloud, &carol).await, 2);

    // What lasts longer than a token may still be made of one that nothing limits.
    let user = plain_client()
        .get(format!("{}/v3/auth/tokens", cloud.issuer))
        .header("x-auth-token", &alice[1])
        .header("x-subject-token", &alice[1]);
    let user: Value = user.send().await.unwrap().json().await.unwrap();
    let path = format!(
        "/v3/users/{}/application_credentials",
        user["token"]["user"]["id"].as_str().unwrap()
    );
    let request = plain_client()
        .post(format!("{}{path}", cloud.issuer))
        .header("x-auth-token", &alice[1])
        .json(&json!({ "application_credential": { "name": "robot" } }));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);

    // The tenant alone: its upstream names nobody then, and nothing of it counts.
    let before = std::fs::read_to_string(cloud.folder.path().join("fedgate.yaml")).unwrap();
    cloud.configure(|text| without(text, "id: beta, name: Beta", 1));
    said(&cloud, "was not taken").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(admin.good(&cloud, &carol).await, 2);
    assert!(trail(&cloud, "signed_out").await.is_empty());

    cloud.configure(|_| gone(&before));
    admin.until_dead(&cloud, &carol).await;
    assert_eq!(admin.good(&cloud, &alice).await, 2);
    let out = trail(&cloud, "signed_out").await;
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(out[0]["by"], "tenant 'beta' is not configured any more");
    let ended = trail(&cloud, "credential_ended").await;
    assert_eq!(ended.len(), 2, "{ended:?}");
    assert!(
        ended
            .iter()
            .all(|event| event["tenant"] == "beta" && event["subject"] == out[0]["subject"])
    );
    let rows = rows::of_sqlite(&cloud.folder.path().join("fedgate.db")).await;
    assert_eq!((rows["sessions"], rows["endings"]), (1, 2), "alice's");

    a_program_goes_while_keystone_is_down(&mut cloud, (&admin, &alice)).await;
}

/// Beta with everything that is its own.
fn gone(text: &str) -> String {
    let (head, rest) = text.split_once("  - kind: local\n    id: beta-staff").unwrap();
    let (_, tail) = rest.split_once("targets:\n").unwrap();
    let text = without(&format!("{head}targets:\n{tail}"), "id: beta, name: Beta", 1);
    without(&without(&text, "id: beta-script", 1), "rule: beta-build", 1)
}

async fn a_program_goes_while_keystone_is_down(cloud: &mut Cloud, (admin, alice): (&Admin, &[String])) {
    cloud.keystone.stop();
    cloud.configure(|text| without(text, "id: script, name", 1).replace("clients:\n", "clients: []\n"));
    said(cloud, "what they held has ended").await;
    cloud.kill();
    cloud.keystone_again().await;
    assert_eq!(admin.good(cloud, alice).await, 2, "nobody has told Keystone yet");
    cloud.serve_again().await;
    admin.until_dead(cloud, alice).await;
    let ended = trail(cloud, "credential_ended").await;
    assert_eq!(ended.len(), 4, "{ended:?}");
    assert_eq!(ended[3]["why"], "client 'script' is not configured any more");
}
