//! An organisation whose people come and go, while they are signed in here: the certified `oidc-provider` from npm is
//! asked again at each refresh, and says by back channel who has signed out.

use std::time::Duration;

use serde_json::{Value, json};

use crate::parts::{
    gateway::{Browser, Landscape, client, keep},
    node::Node,
    party::{CALLBACK, authorize, redeem, token},
    port::free_port,
};

const SCRIPT: &str = include_str!("../fixtures/oidc-provider-again.mjs");
const UPSTREAM: &str = "
  - kind: oidc
    id: corp
    name: Corp
    tenant: corp
    issuer: https://localhost:PORT
    client_id: gateway
    client_secret: { file: ../corp.secret }
    scopes: [openid, profile, groups, offline_access]
    userinfo: true
    ca: ../tls/ca.pem
    addresses: loopback
    mapping:
      groups:
        - { rule: corp-groups, claim: groups, accept: [\"*\"] }

targets:
";

struct Corp {
    land: Landscape,
    port: u16,
    _node: Node,
}

impl Corp {
    async fn start() -> Self {
        let port = free_port();
        let edit = |name: &str, text: String| match name {
            "cloud-a" => text
                .replacen("\ntargets:\n", &UPSTREAM.replace("PORT", &port.to_string()), 1)
                .replacen(
                    "tenants:\n",
                    "tenants:\n  - { id: corp, name: Corp, aliases: [corp.example] }\n",
                    1,
                ),
            _ => text,
        };
        let land = Landscape::start_with(&edit, &[("corp.secret", "a secret of this test")]).await;
        let corp_at = |path: &str| land.cloud.at(&format!("/login/corp/{path}"));
        let file = |name: &str| land.folder.path().join(name).display().to_string();
        let (redirect, backchannel) = (corp_at("callback"), corp_at("backchannel"));
        let (certificate, key) = (file("tls/localhost.pem"), file("tls/localhost.key"));
        let (ca, people, number) = (file("tls/ca.pem"), file("people.json"), port.to_string());
        keep(&land.folder.path().join("people.json"), "{}");
        let environment = [
            ("CERTIFICATE", certificate.as_str()),
            ("KEY", &key),
            ("REDIRECT", &redirect),
            ("BACKCHANNEL", &backchannel),
            ("PEOPLE", &people),
            ("PORT", &number),
            ("NODE_EXTRA_CA_CERTS", &ca),
        ];
        let node = Node::start(SCRIPT, &environment);
        Self {
            port,
            _node: node,
            land,
        }
    }

    /// Who is there now.
    fn people(&self, people: &Value) {
        keep(&self.land.folder.path().join("people.json"), &people.to_string());
    }

    /// Signs alice in, in this browser, and takes tokens.
    async fn sign_in(&self, browser: &Browser) -> Value {
        let mut page = browser.open(&authorize(&self.land, &[])).await;
        if page.url.path() == "/login" {
            page = browser.submit(&page, &[("organisation", "corp.example")]).await;
        }
        for _ in 0..4 {
            if page.url.as_str().starts_with(CALLBACK) {
                break;
            }
            // The provider's own forms: who, then whether.
            page = browser
                .submit(&page, &[("login", "alice"), ("password", "x")])
                .await;
        }
        redeem(&self.land, &page).await
    }

    async fn refresh(&self, tokens: &Value) -> (u16, Value) {
        let text = tokens["refresh_token"].as_str().unwrap();
        token(
            &self.land,
            &[
                ("grant_type", "refresh_token"),
                ("client_id", "fedctl"),
                ("refresh_token", text),
            ],
        )
        .await
    }

    async fn userinfo(&self, tokens: &Value) -> u16 {
        let answer = client(&self.land.ca)
            .get(self.land.cloud.at("/oauth2/userinfo"))
            .bearer_auth(tokens["access_token"].as_str().unwrap())
            .send()
            .await;
        answer.unwrap().status().as_u16()
    }

    /// The groups that are held now.
    async fn groups(&self, tokens: &Value) -> Value {
        let answer = client(&self.land.ca)
            .get(self.land.cloud.at("/oauth2/userinfo"))
            .bearer_auth(tokens["access_token"].as_str().unwrap())
            .send()
            .await
            .unwrap();
        answer.json::<Value>().await.unwrap()["groups"].clone()
    }

    async fn trail(&self) -> String {
        let admin = std::fs::read_to_string(self.land.cloud.folder.join("admin.token")).unwrap();
        let answer = client(&self.land.ca)
            .get(self.land.cloud.at("/admin/v1/audit?most=100"))
            .bearer_auth(&admin)
            .send()
            .await
            .unwrap();
        answer.text().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_at_the_organisation_loses_access_at_the_next_refresh() {
    let corp = Corp::start().await;
    corp.people(&json!({ "alice": { "groups": ["developers"] } }));
    let browser = corp.land.browser();
    let first = corp.sign_in(&browser).await;
    // A second program of the same sign-in: they share what the provider gave.
    let second = corp.sign_in(&browser).await;
    assert_eq!(corp.groups(&first).await, json!(["developers"]));

    // A group that was taken away there is gone here, in every program.
    corp.people(&json!({ "alice": { "groups": ["viewers"] } }));
    let (status, first) = corp.refresh(&first).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(corp.groups(&first).await, json!(["viewers"]));
    // The provider rotates its refresh tokens and would take two at once for a theft.
    let ((one, first), (other, second)) = tokio::join!(corp.refresh(&first), corp.refresh(&second));
    assert_eq!((one, other), (200, 200), "{first} {second}");
    assert_eq!(corp.groups(&second).await, json!(["viewers"]));

    // A provider that is down says neither yes nor no: later the same token goes on.
    corp.people(&json!({ "alice": { "groups": ["viewers"] }, "down": true }));
    let (status, body) = corp.refresh(&first).await;
    assert_eq!(
        (status, &body["error"]),
        (503, &json!("temporarily_unavailable")),
        "{body}"
    );
    assert_eq!(corp.userinfo(&first).await, 200, "nothing has ended");
    corp.people(&json!({ "alice": { "groups": ["viewers"] } }));
    let (status, mut first) = corp.refresh(&first).await;
    assert_eq!(status, 200, "{first}");

    // Somebody goes away while the provider is asked: its new refresh token is kept all the same.
    corp.people(&json!({ "alice": { "groups": ["viewers"] }, "slow": 1500 }));
    let gone = tokio::time::timeout(Duration::from_millis(500), corp.refresh(&first)).await;
    assert!(gone.is_err(), "{gone:?}");
    corp.people(&json!({ "alice": { "groups": ["developers"] } }));
    let mut left = 50;
    while corp.groups(&first).await != json!(["developers"]) {
        left -= 1;
        assert!(left > 0, "it is not asked again: {}", corp.land.cloud.log());
        let (status, again) = corp.refresh(&first).await;
        assert_eq!(status, 200, "{again}");
        first = again;
    }
    // And once more with what that gave.
    let (status, first) = corp.refresh(&first).await;
    assert_eq!(status, 200, "{first}");

    corp.people(&json!({}));
    let (status, body) = corp.refresh(&first).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{body}");
    for tokens in [&first, &second] {
        assert_eq!(
            corp.userinfo(tokens).await,
            401,
            "the session has ended with everything on it"
        );
    }
    assert_eq!(corp.refresh(&second).await.0, 400);
    let trail = corp.trail().await;
    assert!(trail.contains("upstream_gone"), "{trail}");
    let rows = corp.land.cloud.rows().await;
    assert_eq!(
        (rows["bonds"], rows["renewals"], rows["families"]),
        (0, 0, 0),
        "nothing is left of it"
    );
    signing_out_there_ends_it_here(&corp).await;
}

async fn signing_out_there_ends_it_here(corp: &Corp) {
    corp.people(&json!({ "alice": { "groups": ["developers"] } }));
    let browser = corp.land.browser();
    let tokens = corp.sign_in(&browser).await;
    // Somebody else's sign-in of the same person, in another browser: another session there.
    let elsewhere = corp.sign_in(&corp.land.browser()).await;
    assert_eq!(corp.userinfo(&tokens).await, 200);
    let http = client(&corp.land.ca);
    let url = corp.land.cloud.at("/login/corp/backchannel");
    for (form, status) in [
        (vec![("logout_token", "a.b.c")], 400),
        (vec![("logout_token", tokens["id_token"].as_str().unwrap())], 400),
        (vec![], 400),
        (vec![("logout_token", "a"), ("logout_token", "b")], 400),
    ] {
        let answer = http.post(&url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["cache-control"], "no-store");
    }
    let unknown = corp.land.cloud.at("/login/nobody/backchannel");
    let answer = http
        .post(&unknown)
        .form(&[("logout_token", "a.b.c")])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(corp.userinfo(&tokens).await, 200);

    let page = browser
        .open(&format!("https://localhost:{}/session/end", corp.port))
        .await;
    let done = browser.submit(&page, &[("logout", "yes")]).await;
    assert_eq!(done.status, 200, "{}", done.html);
    let mut left = 50;
    while corp.userinfo(&tokens).await == 200 {
        left -= 1;
        assert!(left > 0, "still signed in: {}", corp.land.cloud.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(corp.refresh(&tokens).await.0, 400);
    assert_eq!(
        corp.userinfo(&elsewhere).await,
        200,
        "another session there is another here"
    );
    assert!(corp.trail().await.contains("upstream_signed_out"));
}
