//! What people see, in a real Chromium that knows the demonstration's CA, through both real gateways: the
//! home organisation acme and the cloud that brokers it. Every page is looked at by axe-core in light and in
//! dark, and no address outside of the two gateways and the application is asked for.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    response::{Html, Redirect},
    routing::get,
};
use serde::Deserialize;

use crate::parts::{
    browser::{Seen, Visit, send_trusting},
    fedctl,
    gateway::{APP_SECRET, Landscape, PEOPLE, client},
    party::{VERIFIER, authorize},
};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// The demonstration's application: signs people in, and out.
struct App {
    url: String,
    cloud: String,
    start: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

async fn callback(State(app): State<Arc<App>>, Query(answer): Query<Answer>) -> Html<String> {
    let back_to = format!("{}/callback", app.url);
    let sent = app
        .http
        .post(format!("{}/oauth2/token", app.cloud))
        .basic_auth("demo-app", Some(APP_SECRET))
        .form(&[
            ("grant_type", "authorization_code"),
            ("code", &answer.code),
            ("redirect_uri", &back_to),
            ("code_verifier", VERIFIER),
        ])
        .send()
        .await
        .unwrap();
    let tokens: serde_json::Value = sent.json().await.unwrap();
    let hint = tokens["id_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
    let mut out = url::Url::parse(&format!("{}/oauth2/logout", app.cloud)).unwrap();
    out.query_pairs_mut().extend_pairs([
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", &format!("{}/bye", app.url)),
        ("state", "the application's own"),
    ]);
    Html(format!(
        "<!doctype html><title>App</title><h1 id=home>Signed in</h1><a id=out href=\"{}\">Sign out</a>",
        out.as_str().replace('&', "&amp;")
    ))
}

async fn bye(Query(answer): Query<Answer>) -> Html<String> {
    Html(format!(
        "<!doctype html><title>App</title><h1 id=bye>Bye: {}</h1>",
        answer.state
    ))
}

/// Both gateways, and the application on a port of its own.
async fn world() -> (Landscape, String) {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}", socket.local_addr().unwrap().port());
    let edit = |name: &str, text: String| match name {
        "cloud-a" => text.replace(
            "post_logout_redirect_uris: [\"http://127.0.0.1/\"]",
            &format!("post_logout_redirect_uris: [\"{url}/bye\"]"),
        ),
        _ => text,
    };
    let landscape = Landscape::start_with(&edit, &[]).await;
    let start = authorize(
        &landscape,
        &[
            ("client_id", "demo-app"),
            ("redirect_uri", &format!("{url}/callback")),
            ("scope", "openid profile"),
        ],
    );
    let app = App {
        url: url.clone(),
        cloud: landscape.cloud.issuer.clone(),
        start,
        http: client(&landscape.ca),
    };
    let begin = get(|State(app): State<Arc<App>>| async move { Redirect::to(&app.start) });
    let router = Router::new()
        .route("/", begin)
        .route("/callback", get(callback))
        .route("/bye", get(bye))
        .with_state(Arc::new(app));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (landscape, url)
}

/// The page, as it is when `there` can be seen: its address, its text, and what axe finds in both schemes.
fn page(visit: Visit, there: &str, name: &str) -> Visit {
    let mut visit = visit
        .see(there)
        .then(serde_json::json!({"do": "url"}))
        .keep(&format!("{name} url"))
        .read()
        .keep(name)
        .then(serde_json::json!({"do": "schemes"}))
        .keep(&format!("{name} axe"));
    if let Ok(folder) = std::env::var("FEDGATE_SCREENSHOTS") {
        let path = format!("{folder}/journey-{}.png", name.replace(' ', "-"));
        visit = visit.then(serde_json::json!({"do": "shot", "path": path}));
    }
    visit
}

/// From the chooser to where the sign-in ends, with a look at each page.
fn sign_in(visit: Visit, person: usize) -> Visit {
    let visit = page(visit, "#organisation", "chooser")
        .fill("#organisation", "acme.example")
        .click("button[type=submit]");
    let (name, password) = PEOPLE[person];
    page(visit, "#password", "password")
        .fill("#username", name)
        .fill("#password", password)
        .click("button[type=submit]")
}

async fn walk(landscape: &Landscape, visits: Vec<Visit>) -> Vec<Seen> {
    let ca = landscape.ca.clone();
    tokio::task::spawn_blocking(move || send_trusting(&ca, &visits))
        .await
        .unwrap()
}

fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "'{word}' is not in: {text}");
    }
}

/// Nothing to complain of on any page, and nobody else was told of the visit.
fn sound(seen: &Seen, pages: &[&str], origins: &[&str]) {
    for name in pages {
        let found = seen.kept(&format!("{name} axe"));
        assert_eq!(found, &serde_json::json!([]), "{name}: {found:#}");
    }
    assert!(seen.requests.len() > 5, "{:?}", seen.requests);
    for request in &seen.requests {
        let origin = url::Url::parse(request).unwrap().origin().ascii_serialization();
        assert!(
            origins.contains(&origin.as_str()),
            "asked a third party: {request}"
        );
    }
    for line in &seen.console {
        assert!(!line.contains("Content Security Policy"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_walk_through_both_gateways() {
    let (landscape, app) = world().await;
    let (mut login, link) = fedctl::device_login(&landscape).await;
    let home = landscape.cloud.at("/");
    let seen = walk(
        &landscape,
        vec![
            alice(&home, &link, &app),
            carol(&home),
            bob_without_a_mouse(&home),
        ],
    )
    .await;
    let ended = tokio::time::timeout(Duration::from_secs(60), login.wait()).await;
    assert!(ended.expect("fedctl ends").unwrap().success());
    let (_, who) = fedctl::said(&landscape, &["whoami"]).await;
    // The device's session hangs on the browser's, which has signed out.
    assert!(!who.contains("webshop"), "{who}");
    let origins = [&landscape.cloud.issuer, &landscape.acme.issuer, &app].map(String::as_str);
    alice_saw(&landscape, &seen[0], &app, &origins);
    carol_saw(&landscape, &seen[1], &origins);
    bob_did(&landscape, &seen[2], &origins);
}

/// Signs in, sees what she may use, lets a device in, uses the application, signs out of it, comes again.
fn alice(home: &str, link: &str, app: &str) -> Visit {
    let visit = page(sign_in(Visit::new().goto(home), ALICE), "#person", "access").goto(link);
    let visit = page(visit, "button[value=allow]", "device").click("button[value=allow]");
    page(visit, "[role=status]", "device done")
        .goto(app)
        .see("#home")
        .click("#out")
        .see("#bye")
        .then(serde_json::json!({"do": "url"}))
        .keep("bye url")
        .goto(home)
        .fill("#organisation", "acme.example")
        .click("button[type=submit]")
        .see("#password")
        .then(serde_json::json!({"do": "url"}))
        .keep("again url")
}

fn alice_saw(landscape: &Landscape, seen: &Seen, app: &str, origins: &[&str]) {
    seen.kept("again url");
    has(seen.kept_text("chooser url"), &[&landscape.cloud.at("/login")]);
    has(
        seen.kept_text("password url"),
        &[&landscape.acme.issuer, "/password"],
    );
    has(
        seen.kept_text("access"),
        &[
            "alice",
            "ACME GmbH",
            "webshop",
            "member",
            "platform",
            "reader",
            "Cluster A",
            "acme:developers",
            "acme-cloud-groups",
            "developers-build",
            "operators-read",
            "developers-on-cluster-a",
            "Demo application",
        ],
    );
    has(
        seen.kept_text("device"),
        &[
            "fedctl on your computer",
            "alice",
            "ACME GmbH",
            "openid",
            "offline_access",
        ],
    );
    has(seen.kept_text("device done"), &["Device connected"]);
    assert_eq!(
        seen.kept_text("bye url"),
        format!("{app}/bye?state=the+application%27s+own")
    );
    has(
        seen.kept_text("again url"),
        &[&landscape.acme.issuer, "/password"],
    );
    let pages = ["chooser", "password", "access", "device", "device done"];
    sound(seen, &pages, origins);
}

/// In German, on a phone: she is refused.
fn carol(home: &str) -> Visit {
    let visit = sign_in(Visit::new().looking("de-DE", "dark", 320).goto(home), CAROL);
    page(visit, "[role=alert]", "refused")
        .then(serde_json::json!({"do": "overflow"}))
        .keep("overflow")
        .goto(home)
        .see("#organisation")
        .then(serde_json::json!({"do": "url"}))
        .keep("not signed in")
}

fn carol_saw(landscape: &Landscape, seen: &Seen, origins: &[&str]) {
    has(seen.kept_text("not signed in"), &["/login"]);
    has(seen.kept_text("chooser"), &["Zu welcher Organisation"]);
    has(
        seen.kept_text("password"),
        &["Anmelden bei ACME GmbH", "Benutzername"],
    );
    let refused = seen.kept_text("refused");
    has(
        refused,
        &[
            "Was fehlte",
            "Was Sie tun können",
            "no_matching_rule",
            "NO_ACCESS",
            "it-help@acme.example",
            "Referenz",
        ],
    );
    assert!(seen.kept("overflow").as_i64().unwrap() <= 0, "wider than a phone");
    // The reference leads the help desk to the line that says why.
    let start = refused.find("FG-").expect("a reference");
    let reference: String = refused[start..].chars().take(13).collect();
    let log = landscape.cloud.log();
    let line = log
        .lines()
        .find(|line| line.contains(&reference) && line.contains("NO_ACCESS"));
    let line: serde_json::Value = serde_json::from_str(line.expect("the reference is in the log")).unwrap();
    assert!(line.to_string().contains("NO_ACCESS"), "{line}");
    sound(seen, &["chooser", "password", "refused"], origins);
}

/// Nothing but keys, from the first page through the sign-in to the sign-out.
fn bob_without_a_mouse(home: &str) -> Visit {
    let focus = || serde_json::json!({"do": "focus"});
    let (name, password) = PEOPLE[BOB];
    let visit = Visit::new()
        .goto(home)
        .then(focus())
        .keep("first")
        .type_("acme")
        .press("Enter")
        .see("#password")
        .then(focus())
        .keep("second")
        .type_(name)
        .press("Tab")
        .then(focus())
        .keep("third")
        .type_(password)
        .press("Enter")
        .see("#person")
        .read()
        .keep("access")
        .press("Tab")
        .then(focus())
        .keep("skip")
        .press("Enter")
        .then(focus())
        .keep("main")
        .press("Tab")
        .press("Enter");
    page(visit, ".ticks", "signed out")
        .goto(home)
        .type_("acme")
        .press("Enter")
        .see("#password")
        .then(serde_json::json!({"do": "url"}))
        .keep("again url")
}

fn bob_did(landscape: &Landscape, seen: &Seen, origins: &[&str]) {
    for (step, place) in [
        ("first", "organisation"),
        ("second", "username"),
        ("third", "password"),
        ("skip", "skip"),
        ("main", "main"),
    ] {
        assert_eq!(seen.kept_text(step), place, "{step}");
    }
    has(seen.kept_text("access"), &["bob", "webshop", "reader"]);
    // Both sessions are closed, and the page of the cloud says so.
    has(
        seen.kept_text("signed out url"),
        &[&landscape.cloud.at("/logout/done")],
    );
    has(
        seen.kept_text("signed out"),
        &["You are signed out", "Cloud A", "ACME GmbH"],
    );
    has(
        seen.kept_text("again url"),
        &[&landscape.acme.issuer, "/password"],
    );
    sound(seen, &["signed out"], origins);
}
