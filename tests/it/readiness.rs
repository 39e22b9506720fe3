//! What `/readyz` says of an upstream that was there and went away, at real gateways.

use serde_json::Value;

use crate::parts::gateway::{Landscape, client};

async fn degraded(landscape: &Landscape) -> Vec<String> {
    let answer = client(&landscape.ca)
        .get(landscape.cloud.at("/readyz"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "a broken upstream disables only itself");
    let ready: Value = answer.json().await.unwrap();
    let lines = ready["degraded"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_upstream_that_went_away_after_it_was_found_is_named() {
    let mut landscape = Landscape::start().await;
    let browser = landscape.browser();
    let chooser = browser.open(&landscape.cloud.at("/")).await;
    let form = landscape.to_acme(&browser, chooser).await;
    let callback = landscape.cloud.at("/login/acme/callback");
    let typed = [("username", "alice"), ("password", "alice-has-a-long-password")];
    let back = browser
        .submit_until(&form, &typed, &|url| url.as_str().starts_with(&callback))
        .await;
    assert!(
        back.url.as_str().starts_with(&callback),
        "{}: {}",
        back.url,
        back.html
    );
    assert!(
        !degraded(&landscape)
            .await
            .iter()
            .any(|line| line.contains("'acme'")),
        "it was found"
    );
    landscape.acme.kill();
    let page = browser.open(back.url.as_str()).await;
    assert_eq!(page.status, 502, "{}", page.html);
    let lines = degraded(&landscape).await;
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("upstream 'acme': token endpoint: no answer from https://")),
        "{lines:?}"
    );
}
