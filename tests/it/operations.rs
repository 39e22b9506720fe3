//! Real processes from end to end: two gateways with TLS, people who walk through their pages, programs.

use std::time::Duration;

use serde_json::Value;

use crate::parts::fedctl::{self, said};
use crate::parts::gateway::{
    APP_SECRET, Browser, CLOUD_SECRET, KEYSTONE_PASSWORD, Landscape, PEOPLE, Page, client,
};
use crate::parts::party::{CALLBACK, VERIFIER, authorize, redeem, token};

const ALICE: usize = 0;
const CAROL: usize = 2;
/// Longer than the time in which audit records are gathered.
const SETTLED: Duration = Duration::from_secs(6);

async fn for_the_cluster(landscape: &Landscape, access_token: &str) -> String {
    let (status, answer) = token(
        landscape,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", "fedctl"),
            ("subject_token", access_token),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            ),
            ("audience", "k8s-cluster-a"),
        ],
    )
    .await;
    assert_eq!(status, 200, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// As an API server would: keys from the published set, RS256, one audience.
async fn verified(landscape: &Landscape, id_token: &str) -> Value {
    let jwks: jsonwebtoken::jwk::JwkSet = client(&landscape.ca)
        .get(landscape.cloud.at("/oauth2/jwks"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let header = jsonwebtoken::decode_header(id_token).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::RS256);
    let jwk = jwks.find(&header.kid.unwrap()).expect("the key is published");
    let mut wanted = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    wanted.set_issuer(&[&landscape.cloud.issuer]);
    wanted.set_audience(&["k8s-cluster-a"]);
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    jsonwebtoken::decode::<Value>(id_token, &key, &wanted)
        .unwrap()
        .claims
}

fn expect(page: &Page, words: &[&str]) {
    let text = page.text();
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
}

async fn signed_in(landscape: &Landscape, browser: &Browser) -> Page {
    let chooser = browser.open(&landscape.cloud.at("/")).await;
    landscape.sign_in(browser, chooser, ALICE).await
}

#[tokio::test]
async fn alice_sees_what_she_may_use_and_why() {
    let landscape = Landscape::start().await;
    let page = signed_in(&landscape, &landscape.browser()).await;
    assert_eq!((page.status, page.url.path()), (200, "/"), "{}", page.html);
    assert!(page.url.as_str().starts_with(&landscape.cloud.issuer));
    expect(
        &page,
        &[
            "alice",
            "ACME GmbH",
            "webshop",
            "member",
            "platform",
            "reader",
            "acme:developers",
            "acme-cloud-groups",
            "developers-build",
            "operators-read",
            "developers-on-cluster-a",
        ],
    );
    assert!(
        !page.text().contains("works-council"),
        "acme tells more than it should"
    );
}

#[tokio::test]
async fn carol_learns_why_not_and_the_log_has_her_reference() {
    let landscape = Landscape::start().await;
    let browser = landscape.browser();
    let chooser = browser.open(&landscape.cloud.at("/")).await;
    let page = landscape.sign_in(&browser, chooser, CAROL).await;
    assert_eq!(page.status, 403, "{}", page.html);
    expect(&page, &["it-help@acme.example", "NO_ACCESS", "no_matching_rule"]);
    let reference = page.reference();
    let log = landscape.cloud.log();
    assert!(
        log.lines()
            .any(|line| line.contains(&reference) && line.contains(r#""code":"NO_ACCESS""#)),
        "{reference} is not in the log: {log}"
    );
    // She is not signed in.
    let again = browser.open(&landscape.cloud.at("/")).await;
    assert_eq!(again.url.path(), "/login");
}

#[tokio::test]
async fn a_program_gets_a_code_and_a_token_for_the_cluster() {
    let landscape = Landscape::start().await;
    let browser = landscape.browser();
    let chooser = browser.open(&authorize(&landscape, &[])).await;
    let stopped = landscape.sign_in(&browser, chooser, ALICE).await;
    let tokens = redeem(&landscape, &stopped).await;
    let id_token = for_the_cluster(&landscape, tokens["access_token"].as_str().unwrap()).await;
    let claims = verified(&landscape, &id_token).await;
    assert_eq!(claims["aud"], "k8s-cluster-a");
    assert_eq!(claims["groups"], serde_json::json!(["acme:developers"]));
    // The code is good once.
    let code = stopped.query("code").unwrap();
    let (status, refused) = token(
        &landscape,
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "fedctl"),
            ("redirect_uri", CALLBACK),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ],
    )
    .await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
}

#[tokio::test]
async fn a_sign_in_survives_the_death_of_the_gateway() {
    let mut landscape = Landscape::start().await;
    let browser = landscape.browser();
    let chooser = browser.open(&authorize(&landscape, &[])).await;
    let form = landscape.to_acme(&browser, chooser).await;
    landscape.cloud.kill();
    let dead = client(&landscape.ca)
        .get(landscape.cloud.at("/healthz"))
        .send()
        .await;
    assert!(dead.is_err());
    landscape.cloud.start(&client(&landscape.ca)).await;
    let (username, password) = PEOPLE[ALICE];
    let stopped = browser
        .submit(&form, &[("username", username), ("password", password)])
        .await;
    let tokens = redeem(&landscape, &stopped).await;
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string());
}

#[tokio::test]
async fn abandoned_sign_ins_leave_nothing_behind() {
    let landscape = Landscape::start().await;
    let browser = landscape.browser();
    // Audit records are written in batches; what was written so far must have arrived.
    tokio::time::sleep(SETTLED).await;
    let before = landscape.cloud.rows().await;
    let (start, acme) = (authorize(&landscape, &[]), landscape.acme.issuer.clone());
    for _ in 0..200 {
        let browser = browser.fresh();
        let chooser = browser.open(&start).await;
        let left = browser
            .submit_until(&chooser, &[("organisation", "acme")], &|url| {
                url.as_str().starts_with(&acme)
            })
            .await;
        assert_eq!(left.url.path(), "/oauth2/authorize", "{}", left.html);
    }
    tokio::time::sleep(SETTLED).await;
    assert_eq!(landscape.cloud.rows().await, before);
    // The count is one that can grow: a sign-in that is finished is kept.
    signed_in(&landscape, &browser).await;
    tokio::time::sleep(SETTLED).await;
    let after = landscape.cloud.rows().await;
    assert!(
        after["sessions"] == before["sessions"] + 1 && after["audit"] > before["audit"],
        "{after:?}"
    );
}

async fn told(landscape: &Landscape, path: &str) -> (u16, String) {
    let answer = client(&landscape.ca)
        .get(landscape.cloud.at(path))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn operators_see_what_is_impaired() {
    let mut landscape = Landscape::start().await;
    assert_eq!(told(&landscape, "/healthz").await, (200, "ok\n".to_owned()));
    let (status, metrics) = told(&landscape, "/metrics").await;
    assert_eq!(status, 200);
    assert!(
        metrics
            .lines()
            .any(|line| line.starts_with("fedgate_") && line.contains("/healthz") && line.contains("200")),
        "{metrics}"
    );
    landscape.acme.kill();
    landscape.cloud.kill();
    landscape.cloud.start(&client(&landscape.ca)).await;
    let (status, text) = told(&landscape, "/readyz").await;
    let ready: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &ready["ready"]), (200, &Value::Bool(true)), "{text}");
    let degraded = ready["degraded"].as_array().unwrap();
    assert!(
        degraded
            .iter()
            .filter_map(Value::as_str)
            .any(|line| line.starts_with("upstream 'acme': ") && line.len() > 20),
        "{text}"
    );
    // A person hears it too, with a reference.
    let browser = landscape.browser();
    let chooser = browser.open(&landscape.cloud.at("/")).await;
    let page = browser.submit(&chooser, &[("organisation", "acme")]).await;
    assert!(
        (500..600).contains(&page.status),
        "{}: {}",
        page.status,
        page.html
    );
    assert!(landscape.cloud.log().contains(&page.reference()));
    // When acme is back, nobody has to restart the cloud.
    landscape.acme.start(&client(&landscape.ca)).await;
    let ends = std::time::Instant::now() + Duration::from_secs(90);
    loop {
        let page = browser.submit(&chooser, &[("organisation", "acme")]).await;
        if page.url.as_str().starts_with(&landscape.acme.issuer) {
            break;
        }
        assert!(
            std::time::Instant::now() < ends,
            "acme is back, but: {}",
            page.text()
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (_, text) = told(&landscape, "/readyz").await;
    assert!(!text.contains("upstream 'acme'"), "{text}");
}

/// `fedctl login --device`, allowed by alice in a browser on another machine.
async fn device_login(landscape: &Landscape, browser: &Browser) {
    let (mut login, link) = fedctl::device_login(landscape).await;
    let chooser = browser.open(&link).await;
    let confirm = landscape.sign_in(browser, chooser, ALICE).await;
    assert_eq!((confirm.status, confirm.url.path()), (200, "/device"));
    expect(&confirm, &["fedctl on your computer", "alice"]);
    let done = browser.submit(&confirm, &[("answer", "allow")]).await;
    assert_eq!(done.status, 200, "{}", done.html);
    let ended = tokio::time::timeout(Duration::from_secs(60), login.wait()).await;
    assert!(ended.expect("fedctl ends").unwrap().success());
}

#[tokio::test]
async fn fedctl_signs_in_with_a_code_and_nothing_secret_is_logged() {
    let landscape = Landscape::start().await;
    let browser = landscape.browser();
    device_login(&landscape, &browser).await;
    let (code, who) = said(&landscape, &["whoami"]).await;
    assert!(
        code == Some(0) && who.contains("alice") && who.contains("developers"),
        "{who}"
    );
    let (code, id_token) = said(&landscape, &["token", "--audience", "k8s-cluster-a", "--raw"]).await;
    assert_eq!(code, Some(0), "{id_token}");
    assert_eq!(id_token.split('.').count(), 3, "{id_token}");
    let (code, kubeconfig) = said(&landscape, &["kube", "config"]).await;
    assert_eq!(code, Some(0), "{kubeconfig}");
    assert!(
        kubeconfig.contains("https://localhost:8436") && kubeconfig.contains("k8s-cluster-a"),
        "{kubeconfig}"
    );

    // The same person by code, for tokens that the test knows.
    let stopped = browser.open(&authorize(&landscape, &[])).await;
    let tokens = redeem(&landscape, &stopped).await;
    let (status, refused) = token(
        &landscape,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "demo-app"),
            ("client_secret", APP_SECRET),
            ("scope", "no-such-scope"),
        ],
    )
    .await;
    assert!(status == 200 || status == 400, "{refused}");
    let mut secrets = vec![
        id_token.trim().to_owned(),
        stopped.query("code").unwrap(),
        VERIFIER.to_owned(),
    ];
    for name in ["access_token", "id_token", "refresh_token"] {
        secrets.push(
            tokens[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}: {tokens}"))
                .to_owned(),
        );
    }
    secrets.extend(browser.cookies().into_iter().filter(|cookie| cookie.len() > 20));
    secrets.extend([CLOUD_SECRET, APP_SECRET, KEYSTONE_PASSWORD].map(str::to_owned));
    secrets.extend(PEOPLE.map(|(_, password)| password.to_owned()));

    let (code, text) = said(&landscape, &["logout"]).await;
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = said(&landscape, &["whoami"]).await;
    assert_eq!(code, Some(3), "{text}");

    let log = format!("{}{}", landscape.acme.log(), landscape.cloud.log());
    assert!(
        log.contains("/oauth2/token") && log.contains("/login/people/password"),
        "{log}"
    );
    for secret in secrets {
        // The signature of a token is enough to know it again.
        let tail = secret.rsplit('.').next().unwrap();
        assert!(tail.len() > 15, "{tail}");
        for line in log.lines() {
            assert!(!line.contains(tail), "'{secret}' is logged: {line}");
        }
    }
}
