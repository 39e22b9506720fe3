//! Real processes from end to end: two gateways with TLS, people who walk through their pages, programs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::parts::gateway::{Browser, Landscape, Page, client};

const ALICE: usize = 0;
const CAROL: usize = 2;
/// No program listens there: the browser stops at it.
const CALLBACK: &str = "http://127.0.0.1:9/callback";
const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";

fn authorize(landscape: &Landscape, client_id: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut url = url::Url::parse(&landscape.cloud.at("/oauth2/authorize")).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile groups offline_access"),
        ("state", "the-state-of-the-program"),
        ("nonce", "the-nonce-of-the-program"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

async fn token(landscape: &Landscape, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = client(&landscape.ca)
        .post(landscape.cloud.at("/oauth2/token"))
        .form(fields)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Takes the code from where the browser stopped, and gets tokens for it.
async fn redeem(landscape: &Landscape, stopped: &Page) -> Value {
    assert!(
        stopped.url.as_str().starts_with(CALLBACK),
        "{}: {}",
        stopped.url,
        stopped.html
    );
    assert_eq!(
        stopped.query("state").as_deref(),
        Some("the-state-of-the-program")
    );
    assert_eq!(stopped.query("iss"), Some(landscape.cloud.issuer.clone()));
    let code = stopped.query("code").expect("a code");
    let (status, tokens) = token(
        landscape,
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "fedctl"),
            ("redirect_uri", CALLBACK),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ],
    )
    .await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

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
            .any(|line| line.contains(&reference) && line.contains("no_access")),
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
    let chooser = browser.open(&authorize(&landscape, "fedctl")).await;
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
    let chooser = browser.open(&authorize(&landscape, "fedctl")).await;
    let form = landscape.to_acme(&browser, chooser).await;
    landscape.cloud.kill();
    let dead = client(&landscape.ca)
        .get(landscape.cloud.at("/healthz"))
        .send()
        .await;
    assert!(dead.is_err());
    landscape.cloud.start(&client(&landscape.ca)).await;
    let (username, password) = crate::parts::gateway::PEOPLE[ALICE];
    let stopped = browser
        .submit(&form, &[("username", username), ("password", password)])
        .await;
    let tokens = redeem(&landscape, &stopped).await;
    assert!(tokens["access_token"].is_string() && tokens["id_token"].is_string());
}
