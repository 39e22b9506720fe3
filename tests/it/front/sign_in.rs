//! The sign-in that a dashboard asks for: where its token may go, how long it may take, and how long the token lives.

use std::time::{Duration, Instant};

use fedgate::{
    domain::secret::Secret,
    keys::SecretSealer,
    port::signer::{Purpose, Sealer as _},
};
use serde_json::{Value, json};

use super::{Cloud, signed_in_page, token_in, websso};
use crate::parts::gateway::{PEOPLE, client};

pub(super) async fn origins_are_compared_before_anything_else(cloud: &Cloud) {
    let client = client(&cloud.land.ca);
    let (good, _) = websso(cloud)
        .split_once("?origin=")
        .map(|(path, origin)| (path.to_owned(), origin.to_owned()))
        .unwrap();
    let line = format!("http://localhost:{}", cloud.line);
    let global = format!("{}/v3/auth/OS-FEDERATION/websso/openid", cloud.land.cloud.issuer);
    let registered = format!("{line}/auth/websso/");
    let once = |origin: &str| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("origin", origin)
            .finish()
    };
    let queries = [
        String::new(),
        once(""),
        once(&format!("{line}/auth/websso")),
        once(&format!("{line}/auth/websso/?x")),
        once(&format!("{line}/auth/websso/#")),
        once(&format!("HTTP://localhost:{}/auth/websso/", cloud.line)),
        once(&format!("{line}@evil.example/auth/websso/")),
        once(&format!("{registered} ")),
        once(&format!("{registered}\n")),
        once("https://evil.example/auth/websso/"),
        once("javascript:alert(1)"),
        // Keystone decodes a second time.
        once(&once(&registered)[7..]),
        format!("{}&{}", once(&registered), once("https://evil.example/")),
        format!("{}&{}", once("https://evil.example/"), once(&registered)),
        format!("Origin={registered}"),
    ];
    for path in [&good, &global] {
        for query in &queries {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let answer = client
                    .request(method.clone(), format!("{path}?{query}"))
                    .send()
                    .await
                    .unwrap();
                let status = answer.status();
                let text = answer.text().await.unwrap();
                assert_eq!(status, 400, "{method} {path}?{query}: {text}");
                assert!(
                    text.contains("BAD_CLIENT") || text.contains("BAD_REQUEST"),
                    "{text}"
                );
            }
        }
        // The good one leads to our own sign-in; a form of another site comes back as a GET, with our cookie.
        let to = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
        let answer = client
            .get(format!("{path}?{}", once(&registered)))
            .send()
            .await
            .unwrap();
        assert!(
            (answer.status() == 303) && to(&answer).starts_with("/login?return="),
            "{answer:?}"
        );
        let answer = client
            .post(format!("{path}?{}", once(&registered)))
            .send()
            .await
            .unwrap();
        assert!(
            (answer.status() == 303) && to(&answer).starts_with("/v3/auth/OS-FEDERATION/"),
            "{answer:?}"
        );
        let answer = client
            .delete(format!("{path}?{}", once(&registered)))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 405);
    }
}

/// The pending sign-in is in the browser's cookie, sealed with the gateway's secret: the test makes it older.
fn older(cloud: &Cloud, sealed: &str, seconds: i64) -> String {
    let secret = std::fs::read_to_string(cloud.land.cloud.folder.join("secret.key")).unwrap();
    let sealer = SecretSealer::new(&Secret::new(secret)).unwrap();
    let text = sealer.open(Purpose::PendingLogin, sealed).expect("ours");
    let mut pending: Value = serde_json::from_slice(&text).unwrap();
    for place in ["/began", "/back/made"] {
        let at = pending.pointer_mut(place).unwrap();
        *at = (at.as_i64().unwrap() - seconds).into();
    }
    sealer.seal(Purpose::PendingLogin, pending.to_string().as_bytes())
}

pub(super) async fn a_sign_in_may_take_ten_minutes(cloud: &Cloud) {
    for (seconds, ends_well) in [(630, true), (3700, false)] {
        let browser = cloud.land.browser();
        let chooser = browser.open(&websso(cloud)).await;
        let form = cloud.land.to_acme(&browser, chooser).await;
        let changed = browser.change("__Host-fg-login-", &|sealed| older(cloud, sealed, seconds));
        assert_eq!(changed, 1);
        let (name, password) = PEOPLE[0];
        let page = browser
            .submit(&form, &[("username", name), ("password", password)])
            .await;
        if ends_well {
            assert_eq!(page.status, 200);
            assert!(
                page.url.as_str().starts_with(&cloud.land.cloud.issuer),
                "{}",
                page.url
            );
            assert!(cloud.takes(&token_in(&page)).await);
        } else {
            assert_eq!(page.status, 400, "{}", page.html);
            assert!(page.text().contains("SIGN_IN_EXPIRED"), "{}", page.text());
        }
    }
}

/// Keystone gives every token an hour; the rule says six seconds.
pub(super) async fn a_dashboards_token_ends_with_its_permit(cloud: &Cloud) {
    let browser = cloud.land.browser();
    let begun = Instant::now();
    let unscoped = token_in(&signed_in_page(cloud, &browser, 2).await);
    let body = json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": unscoped } },
        "scope": { "project": { "name": "webshop", "domain": { "name": "acme" } } } } });
    let answer = client(&cloud.land.ca)
        .post(cloud.land.cloud.at("/v3/auth/tokens"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let scoped = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
    for token in [&unscoped, &scoped] {
        while cloud.takes(token).await {
            assert!(begun.elapsed() < Duration::from_secs(60), "still good");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert!(begun.elapsed() >= Duration::from_secs(4), "not before its time");
    // The session goes on: who still may look gets another token.
    let again = token_in(&browser.open(&websso(cloud)).await);
    assert!(cloud.takes(&again).await);
}
