//! What no good program sends, to a real gateway: every address gets it, and answers of upstreams come back
//! in the wrong browser, at the wrong door, and twice.

use reqwest::{Method, RequestBuilder, Response, header};

use crate::parts::gateway::{Browser, Landscape, PEOPLE, Page, client, shared};
use crate::parts::party::{authorize, challenge, redeem};

const ALICE: usize = 0;

/// Where people go, and where programs go.
const PAGES: [&str; 14] = [
    "/",
    "/login",
    "/login/acme/begin",
    "/login/nobody/begin",
    "/login/acme/callback",
    "/login/staff/password",
    "/t/nobody",
    "/device",
    "/logout",
    "/logout/done",
    "/oauth2/authorize",
    "/oauth2/authorize/resume",
    "/oauth2/logout",
    "/nothing/here",
];
const PROGRAMS: [&str; 5] = [
    "/oauth2/token",
    "/oauth2/device",
    "/oauth2/introspect",
    "/oauth2/revoke",
    "/oauth2/userinfo",
];
/// Every name that some handler reads.
const NAMES: [&str; 24] = [
    "acr_values",
    "answer",
    "audience",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "flow",
    "form",
    "grant_type",
    "id_token_hint",
    "max_age",
    "organisation",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "response_type",
    "return",
    "scope",
    "state",
    "subject_token",
    "user_code",
];

/// Texts that are wrong for every name, as they stand in a query or form.
fn nasty() -> Vec<String> {
    let all = |value: &str| NAMES.map(|name| format!("{name}={value}")).join("&");
    let evil = "https%3A%2F%2Fevil.example%2F";
    vec![
        String::new(),
        all(""),
        all("x"),
        format!("{}&{}", all("a"), all("b")),
        all("%00"),
        all("%0d%0aSet-Cookie%3A%20evil%3D1%0d%0a%0d%0a"),
        all("%ff%fe%zz%"),
        all("%F0%9F%98%80%E2%80%AE%C3%BC"),
        all("18446744073709551616"),
        all("-1"),
        all(evil),
        all("%2F%2Fevil.example"),
        all("%2F%5Cevil.example"),
        all("javascript%3Aalert(1)"),
        all("%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27"),
        all("..%2F..%2F..%2Fetc%2Fpasswd"),
        format!("client_id=fedctl&redirect_uri={evil}&response_type=code&state=x"),
        format!("client_id=fedctl&post_logout_redirect_uri={evil}&state=x"),
        format!("return={}", "x".repeat(7000)),
        format!("client_id=fedctl&{}", "a=1&".repeat(500)),
        "&".repeat(3000),
        "=".repeat(3000),
    ]
}

/// The promises that hold for every answer, whatever was asked.
async fn harmless(landscape: &Landscape, answer: Response, asked: &str, program: bool) {
    let status = answer.status().as_u16();
    assert!((200..500).contains(&status), "{asked}: {status}");
    let told = |name| {
        let value = answer.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let onward = told(header::LOCATION).or_else(|| {
        told(header::REFRESH)?
            .split_once("url=")
            .map(|(_, to)| to.to_owned())
    });
    if let Some(to) = onward {
        let own = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
        // The sign-in that it leads to, or the answer to a registered program on this machine.
        let known = [&landscape.cloud.issuer, &landscape.acme.issuer]
            .iter()
            .any(|issuer| to.starts_with(&format!("{issuer}/")));
        assert!(own || known, "{asked}: leads to {to}");
    }
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        assert!(
            !cookie.to_str().unwrap().starts_with("evil"),
            "{asked}: {cookie:?}"
        );
    }
    let kind = told(header::CONTENT_TYPE).unwrap_or_default();
    let challenged = told(header::WWW_AUTHENTICATE).is_some_and(|told| told.starts_with("Bearer"));
    let text = answer.text().await.unwrap();
    assert!(!text.contains("<script>alert(1)"), "{asked}: {text}");
    if status == 401 && asked.contains("/oauth2/userinfo") {
        // RFC 6750 §3.1: who brings no token learns no more than that one is needed.
        assert!(challenged, "{asked}");
    } else if program && status != 200 {
        let body: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{asked}: {status} {text}"));
        assert!(body["error"].is_string(), "{asked}: {body}");
    } else if status >= 400 && status != 405 {
        assert!(kind.starts_with("text/html"), "{asked}: {status} {kind} {text}");
        assert!(text.contains("FG-"), "{asked}: a reference is missing");
    }
}

fn form(request: RequestBuilder, text: &str) -> RequestBuilder {
    request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "text/html,*/*")
        .body(text.to_owned())
}

#[tokio::test]
async fn every_address_stays_itself_whatever_it_is_sent() {
    let landscape = shared().await;
    let http = client(&landscape.ca);
    for text in nasty() {
        let short: String = text.chars().take(60).collect();
        for path in PAGES.into_iter().chain(PROGRAMS) {
            let program = PROGRAMS.contains(&path);
            let url = landscape.cloud.at(path);
            // Not `query`: the text goes out as it is.
            let asked = format!("GET {path} {short}");
            let request = http
                .get(format!("{url}?{text}"))
                .header(header::ACCEPT, "text/html,*/*");
            // A program's address that takes no GET says so, with or without a body.
            if !program || path == "/oauth2/userinfo" {
                harmless(&landscape, request.send().await.unwrap(), &asked, program).await;
            }
            let asked = format!("POST {path} {short}");
            let answer = form(http.post(&url), &text).send().await.unwrap();
            harmless(&landscape, answer, &asked, program).await;
        }
    }
}

#[tokio::test]
async fn bodies_and_methods_that_fit_nothing_are_refused() {
    let landscape = shared().await;
    let http = client(&landscape.ca);
    let huge = format!("grant_type=client_credentials&x={}", "x".repeat(200_000));
    for path in PAGES.into_iter().chain(PROGRAMS) {
        let url = landscape.cloud.at(path);
        let program = PROGRAMS.contains(&path);
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        for (kind, body) in [
            (
                "application/json",
                "{\"grant_type\":\"client_credentials\"}".to_owned(),
            ),
            ("application/json", deep),
            ("multipart/form-data", "x".to_owned()),
            (
                "application/x-www-form-urlencoded; charset=utf-16",
                "x=1".to_owned(),
            ),
            ("application/x-www-form-urlencoded", huge.clone()),
        ] {
            let request = http
                .post(&url)
                .header(header::CONTENT_TYPE, kind)
                .header(header::ACCEPT, "text/html,*/*")
                .body(body);
            let asked = format!("POST {path} as {kind}");
            harmless(&landscape, request.send().await.unwrap(), &asked, program).await;
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let answer = http.request(method.clone(), &url).send().await.unwrap();
            let status = answer.status().as_u16();
            assert!(matches!(status, 404 | 405), "{method} {path}: {status}");
        }
    }
}

/// A redirect URI is the registered text or nothing: the answer to all of these is a page.
#[tokio::test]
async fn tricks_with_the_redirect_uri_lead_nowhere() {
    let landscape = shared().await;
    let http = client(&landscape.ca);
    for uri in [
        "http://127.0.0.1:9/callback/",
        "http://127.0.0.1:9/callback?x=1",
        "http://127.0.0.1:9/callback#x",
        "http://127.0.0.1:9/Callback",
        "http://127.0.0.1:9/callback/../evil",
        "http://127.0.0.1:9/%63allback",
        "http://127.0.0.1:9/callback%00",
        "http://user@127.0.0.1:9/callback",
        "http://127.0.0.1:9@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:/callback",
        "http://127.1:9/callback",
        "http://2130706433:9/callback",
        "http://0x7f.0.0.1:9/callback",
        "HTTP://127.0.0.1:9/callback",
        "https://127.0.0.1:9/callback",
        "//127.0.0.1:9/callback",
        "http:/127.0.0.1:9/callback",
        "http:\\\\127.0.0.1:9\\callback",
        " http://127.0.0.1:9/callback",
        "http://127.0.0.1:9/callback ",
        "http://127.0.0.1:9/call\tback",
        "javascript:alert(1)",
        "data:text/html,x",
        "*",
    ] {
        let url = authorize(&landscape, &[("redirect_uri", uri)]);
        let answer = http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{uri}");
        for name in [header::LOCATION, header::REFRESH] {
            assert_eq!(answer.headers().get(&name), None, "{uri}");
        }
    }
}

/// A browser on its way back from acme, one step before the cloud.
async fn returning(landscape: &Landscape, browser: &Browser) -> Page {
    let chooser = browser.open(&authorize(landscape, &[])).await;
    let form = landscape.to_acme(browser, chooser).await;
    let (username, password) = PEOPLE[ALICE];
    let back = |url: &url::Url| url.path() == "/login/acme/callback";
    let stopped = browser
        .submit_until(&form, &[("username", username), ("password", password)], &back)
        .await;
    assert!(back(&stopped.url), "{}: {}", stopped.url, stopped.html);
    stopped
}

fn mismatch(page: &Page, why: &str) {
    assert!(
        page.status == 400 && page.html.contains("SIGN_IN_MISMATCH"),
        "{why}: {} {}",
        page.status,
        page.text()
    );
}

#[tokio::test]
async fn an_answer_counts_in_its_browser_at_its_door_and_once() {
    let landscape = shared().await;
    let browser = landscape.browser();
    let stopped = returning(&landscape, &browser).await;
    let callback = stopped.url.as_str();

    // The victim of a login CSRF has no pending sign-in; or has another one.
    mismatch(
        &browser.fresh().open(callback).await,
        "a browser without a sign-in",
    );
    let other = landscape.browser();
    let others = returning(&landscape, &other).await;
    mismatch(&other.open(callback).await, "a browser with a sign-in of its own");
    // The state of one with the code of the other.
    let mut mixed = others.url.clone();
    let pairs: Vec<(String, String)> = others.url.query_pairs().into_owned().collect();
    mixed.query_pairs_mut().clear();
    for (name, value) in pairs {
        let value = if name == "code" {
            stopped.query("code").unwrap()
        } else {
            value
        };
        mixed.query_pairs_mut().append_pair(&name, &value);
    }
    let injected = other.open(mixed.as_str()).await;
    assert!(
        (400..600).contains(&injected.status) && injected.url.path() == "/login/acme/callback",
        "an injected code: {} {}",
        injected.status,
        injected.text()
    );
    assert_eq!(other.open(&landscape.cloud.at("/")).await.url.path(), "/login");

    // The door of another upstream (mix-up), and one that there is not.
    mismatch(
        &browser
            .open(&callback.replace("/login/acme/", "/login/mirror/"))
            .await,
        "another upstream's door",
    );
    let nowhere = browser
        .open(&callback.replace("/login/acme/", "/login/nobody/"))
        .await;
    assert_eq!(nowhere.status, 404);
    mismatch(&browser.open(&format!("{callback}&state=x")).await, "two states");
}

#[tokio::test]
async fn a_sign_in_that_was_finished_cannot_be_finished_again() {
    let landscape = shared().await;
    let browser = landscape.browser();
    let stopped = returning(&landscape, &browser).await;
    // Whoever saw the address and tried it elsewhere has spoilt nothing.
    mismatch(&browser.fresh().open(stopped.url.as_str()).await, "elsewhere");
    let onward = browser.open(stopped.url.as_str()).await;
    redeem(&landscape, &onward).await;
    let again = browser.open(stopped.url.as_str()).await;
    assert_eq!(again.status, 400, "{}", again.text());
}

/// At the home organisation, where the cloud is the client: its code is for it and its verifier alone.
#[tokio::test]
async fn the_clouds_code_at_acme_is_no_use_to_others() {
    let landscape = shared().await;
    let browser = landscape.browser();
    let stopped = returning(&landscape, &browser).await;
    let code = stopped.query("code").unwrap();
    let back_to = landscape.cloud.at("/login/acme/callback");
    let challenge = challenge();
    for verifier in [None, Some(challenge.as_str())] {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &back_to),
        ];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let answer = client(&landscape.ca)
            .post(landscape.acme.at("/oauth2/token"))
            .basic_auth("cloud-a", Some(crate::parts::gateway::CLOUD_SECRET))
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{verifier:?}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["error"], "invalid_grant");
    }
}
