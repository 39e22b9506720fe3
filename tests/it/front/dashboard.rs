//! Horizon: one sign-in through the gateway, one sign-out that closes everything.

use serde_json::{Value, json};

use super::{Cloud, signed_in_page, token_in};
use crate::parts::{
    browser::{Seen, Visit, send},
    gateway::{PEOPLE, client},
    horizon::Horizon,
};

async fn walk(visits: Vec<Visit>) -> Vec<Seen> {
    tokio::task::spawn_blocking(move || send(&visits)).await.unwrap()
}

/// From the gateway's question for the organisation to where acme sends the browser back. Seven steps.
fn signed_in(visit: Visit, person: usize) -> Visit {
    let (name, password) = PEOPLE[person];
    visit
        .see("#organisation")
        .fill("#organisation", "acme.example")
        .click("main form button")
        .see("#password")
        .fill("#username", name)
        .fill("#password", password)
        .click("main form button")
}

/// What Horizon does with the token to get to a project, by the gateway.
fn scoped(gateway: &str) -> Value {
    let body = json!({ "auth": {
        "identity": { "methods": ["token"], "token": { "id": "{token}" } },
        "scope": { "project": { "name": "webshop", "domain": { "name": "acme" } } } } });
    json!({"do": "call", "method": "POST", "url": format!("{gateway}/v3/auth/tokens"),
        "headers": {"Content-Type": "application/json"}, "body": body.to_string()})
}

/// Everything in one test, because the parts take longer to start than the journeys do.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_reaches_their_project_in_horizon_and_signs_out_of_everything() {
    let cloud = Cloud::start().await;
    let gateway = cloud.land.cloud.issuer.clone();
    let back = format!("{}/auth/login/", Horizon::url(cloud.horizon));
    let tls = cloud.land.folder.path().join("tls");
    let logout = format!("{gateway}/logout?next={back}");
    let horizon = Horizon::start(cloud.horizon, &gateway, &tls, &logout).await;
    let (token, scoped_token) = sign_in_and_out(&cloud, &horizon).await;
    assert!(!cloud.takes(&token).await, "Keystone's token is revoked");
    assert!(!cloud.takes(&scoped_token).await, "and what Horizon made of it");
    the_provider_path(&cloud, &horizon).await;
    a_link_alone_signs_nobody_out(&cloud).await;
    somebody_without_a_project_and_an_unknown_dashboard(&cloud, &horizon).await;
}

async fn sign_in_and_out(cloud: &Cloud, horizon: &Horizon) -> (String, String) {
    let gateway = &cloud.land.cloud.issuer;
    // Horizon sends the browser to the global path, without asking anything.
    let alice = signed_in(Visit::new().goto(&horizon.url), 0)
        .then(json!({"do": "wait", "url": "horizon.localhost.*/project/api_access/"}))
        .read() // 9
        .then(json!({"do": "sent", "field": "token"})) // 10
        .then(scoped(gateway)) // 11
        .then(json!({"do": "cookie", "name": "sessionid"})) // 12
        .click("a.dropdown-toggle:has-text('alice')")
        .click("button:has-text('Sign Out')")
        .see(".ticks")
        .read() // 16
        .then(json!({"do": "cookies"})) // 17
        .click("#next")
        .see("#organisation")
        .fill("#organisation", "acme.example")
        .click("main form button")
        .see("#password") // 22
        .then(json!({"do": "url"})); // 23
    let seen = walk(vec![alice]).await.remove(0);
    let home = seen.text(9);
    assert!(home.contains("alice") && home.contains("API Access"), "{home}");
    assert!(home.contains("webshop") || home.contains("platform"), "{home}");
    assert!(
        home.contains(&format!("{gateway}/v3")),
        "the catalog leads through the gateway: {home}"
    );
    assert_eq!(seen.step(11)["status"], 201);
    let told = seen.text(16);
    for line in [
        "You are signed out",
        "Your session at Cloud A",
        "Your sign-in at OpenStack, with the dashboards that used it",
        "Your session at ACME GmbH",
    ] {
        assert!(told.contains(line), "{line} is missing in {told}");
    }
    let cookies = seen.step(17).as_array().unwrap();
    assert!(!cookies.contains(&json!("__Host-fedgate")), "{cookies:?}");
    // Horizon's own session is closed: the cookie that a thief had copied leads to its sign-in.
    let stolen = client(&cloud.land.ca)
        .get(format!("https://localhost:{}/project/api_access/", cloud.horizon))
        .header("Cookie", format!("sessionid={}", seen.text(12)))
        .send()
        .await
        .unwrap();
    assert_eq!(stolen.status(), 302, "{stolen:?}");
    assert!(
        seen.text(23).starts_with(&cloud.land.acme.issuer),
        "the organisation asks for the password again: {}",
        seen.text(23)
    );
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(seen.step(10)),
        text(&seen.step(11)["headers"]["x-subject-token"]),
    )
}

async fn the_provider_path(cloud: &Cloud, horizon: &Horizon) {
    let gateway = &cloud.land.cloud.issuer;
    let origin = format!("{}/auth/websso/", horizon.url);
    let path = format!(
        "{gateway}/v3/auth/OS-FEDERATION/identity_providers/fedgate/protocols/openid/websso?origin={origin}"
    );
    let alice = signed_in(Visit::new().goto(&path), 0)
        .then(json!({"do": "wait", "url": "horizon.localhost.*/project/api_access/"})) // 8
        .goto(&format!("{gateway}/logout?next=https://evil.example/"))
        .read(); // 10
    let seen = walk(vec![alice]).await.remove(0);
    assert!(seen.text(10).contains("BAD_CLIENT"), "{}", seen.text(10));
}

/// A link that nobody clicked (there is no `Sec-Fetch-User`) asks first.
async fn a_link_alone_signs_nobody_out(cloud: &Cloud) {
    let browser = cloud.land.browser();
    let token = token_in(&signed_in_page(cloud, &browser, 0).await);
    let back = format!("{}/auth/login/", Horizon::url(cloud.horizon));
    let link = format!("{}/logout?next={back}", cloud.land.cloud.issuer);
    let question = browser.open(&link).await;
    assert!(question.text().contains("Sign out?"), "{}", question.text());
    assert!(cloud.takes(&token).await, "nothing has happened yet");
    let done = browser.submit(&question, &[]).await;
    for line in ["Your sign-in at OpenStack", "Your session at ACME GmbH"] {
        assert!(done.text().contains(line), "{line} is missing in {}", done.text());
    }
    // Slashes are escaped in attributes.
    assert!(done.html.contains(&back.replace('/', "&#x2f;")), "{}", done.html);
    assert!(!cloud.takes(&token).await);
}

async fn somebody_without_a_project_and_an_unknown_dashboard(cloud: &Cloud, horizon: &Horizon) {
    let gateway = &cloud.land.cloud.issuer;
    let unknown =
        format!("{gateway}/v3/auth/OS-FEDERATION/websso/openid?origin=https://evil.example/auth/websso/");
    let bob = |language| {
        signed_in(
            Visit::new().looking(language, "light", 1280).goto(&horizon.url),
            1,
        )
        .see("dl.facts")
        .read()
        .axe()
    };
    let visits = vec![bob("en-GB"), bob("de-DE"), Visit::new().goto(&unknown).read()];
    let seen = walk(visits).await;
    for (seen, words) in seen.iter().zip([
        [
            "NO_ACCESS",
            "You are signed in as bob of ACME GmbH",
            "it-help@acme.example",
        ],
        [
            "NO_ACCESS",
            "Sie sind angemeldet als bob von ACME GmbH",
            "it-help@acme.example",
        ],
    ]) {
        let page = seen.text(9);
        for word in words {
            assert!(page.contains(word), "{word} is missing in {page}");
        }
        assert_eq!(seen.step(10), &json!([]), "axe");
    }
    assert_eq!(seen[2].step(0)["status"], 400);
    assert!(seen[2].text(1).contains("BAD_CLIENT"), "{}", seen[2].text(1));
}
