//! The whole way of the stock `openstack` client: both real gateways, a real unpatched Keystone behind the
//! cloud that `fedgate keystone setup` has prepared, a code that alice confirms, projects, a scoped token.

use std::{process::Stdio, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use crate::parts::{
    gateway::{Browser, Landscape, client},
    home,
    keystone::{Keystone, Wish},
    party::{claims, token},
    plain_client,
};

const ALICE: usize = 0;
const PREFIX: &str = "OIDC-";
const AUTH: &str = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";

/// Both gateways and the Keystone, set up as an operator would.
async fn world() -> (Landscape, Keystone) {
    let landscape = Landscape::start().await;
    let keystone = Keystone::start_at(landscape.keystone, &landscape.cloud.issuer, PREFIX).await;
    let folder = &landscape.cloud.folder;
    std::fs::write(folder.join("keystone-admin.password"), "adminpw").unwrap();
    set_up(&landscape).await;
    (landscape, keystone)
}

/// `fedgate doctor` at the cloud's gateway: exit code and findings.
async fn doctor(landscape: &Landscape, more: &[&str]) -> (i32, Vec<Value>) {
    let done = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["doctor", "--output", "json", "--config"])
        .arg(landscape.cloud.folder.join("fedgate.yaml"))
        .arg("--ca")
        .arg(&landscape.ca)
        .args(more)
        .output()
        .await
        .unwrap();
    let findings = serde_json::from_slice(&done.stdout);
    let findings = findings.unwrap_or_else(|_| panic!("{done:?}"));
    (done.status.code().unwrap(), findings)
}

/// Whether a finding of this check and grade says this.
fn found(findings: &[Value], (check, grade): (&str, &str), what: &str) -> bool {
    findings.iter().any(|finding| {
        finding["check"] == check
            && finding["grade"] == grade
            && finding["what"].as_str().unwrap().contains(what)
    })
}

/// Where Keystone's template lets people in, and where it does not.
const TRUSTED: &str = "http://localhost:9990/auth/websso/";
const UNTRUSTED: &str = "http://localhost:9991/auth/websso/";

/// The cloud with two dashboards, an account that provisions, and a role that nobody has made.
async fn of_two_dashboards() -> Landscape {
    let more = format!(
        "url: http://127.0.0.1:8435\n    dashboards:\n      - {{ name: One, origin: \"{TRUSTED}\" }}\n      - {{ name: \
         Other, origin: \"{UNTRUSTED}\" }}\n    provision: {{ user: fedgate-provision, password: {{ file: \
         manager.password }}, within_s: 86400 }}"
    );
    let edit = |name: &str, text: String| match name {
        "cloud-a" => text.replace("url: http://127.0.0.1:8435", &more).replace(
            "project: platform, roles: [reader]",
            "project: platform, roles: [reader, auditor]",
        ),
        _ => text,
    };
    Landscape::start_with(&edit, &[("cloud-a/manager.password", "managerpw")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_wrong_and_what_mends_it() {
    let landscape = of_two_dashboards().await;
    let folder = &landscape.cloud.folder;
    std::fs::write(folder.join("keystone-admin.password"), "adminpw").unwrap();
    let browser = nobody_waits_for_a_keystone_that_hangs(&landscape).await;
    let (state, loose) = (tempfile::tempdir().unwrap(), folder.join("loose.conf"));
    std::fs::write(&loose, "[oslo_policy]\nenforce_scope = false\n").unwrap();
    let wish = Wish {
        header_prefix: PREFIX,
        port: Some(landscape.keystone),
        dir: Some(state.path()),
        conf: Some(&loose),
        old_policy: true,
        ..Wish::default()
    };
    let keystone = Keystone::start_as(&landscape.cloud.issuer, &wish).await;
    let (code, findings) = doctor(&landscape, &[]).await;
    assert_eq!(code, 1, "{findings:#?}");
    for (check, grade, what) in [
        ("keystone_objects", "critical", "protocol 'openid'"),
        ("keystone_objects", "critical", "role 'auditor'"),
        ("keystone_release", "unknown", "not known"),
        ("enforce_scope", "critical", "a token for the system"),
        ("trusted_dashboard", "unknown", "could not be tried"),
    ] {
        assert!(found(&findings, (check, grade), what), "{check}: {findings:#?}");
    }
    set_up(&landscape).await;
    let (_, findings) = doctor(&landscape, &[]).await;
    for (grade, what) in [
        ("ok", format!("'openstack' trusts {TRUSTED}")),
        ("critical", format!("'openstack' does not trust {UNTRUSTED}")),
        (
            "ok",
            "'openstack' refuses https://fedgate-doctor.invalid".to_owned(),
        ),
        (
            "ok",
            "the gateway refuses https://fedgate-doctor.invalid".to_owned(),
        ),
    ] {
        assert!(
            found(&findings, ("trusted_dashboard", grade), &what),
            "{what}: {findings:#?}"
        );
    }

    drop(keystone);
    let wish = Wish {
        conf: None,
        old_policy: false,
        dashboards: UNTRUSTED,
        ..wish
    };
    let keystone = Keystone::start_as(&landscape.cloud.issuer, &wish).await;
    let admin = Admin::sign_in(&keystone.url).await;
    let auditor = admin
        .call(
            Method::POST,
            "/v3/roles",
            Some(&json!({ "role": { "name": "auditor" } })),
        )
        .await;
    let (code, findings) = doctor(&landscape, &["--keystone-version", "30.0.0"]).await;
    assert_eq!(code, 0, "{findings:#?}");
    for (check, what) in [
        ("gateway", "is ready"),
        ("gateway_clock", "agree"),
        ("gateway_certificate", "is good for"),
        ("upstream_discovery", "upstream 'acme'"),
        ("keystone_release", "30.0.0"),
        ("keystone_objects", "mapping 'fedgate'"),
        ("forged_headers", "refuses forged OIDC-"),
        ("enforce_scope", "refuses tokens of another scope"),
        ("trusted_dashboard", "trusts http://localhost:9991"),
        ("trusted_dashboard", "the gateway takes http://localhost:9991"),
    ] {
        assert!(found(&findings, (check, "ok"), what), "{check}: {findings:#?}");
    }
    past_the_gateway(&landscape, &keystone).await;

    let auditor = format!("/v3/roles/{}", auditor["role"]["id"].as_str().unwrap());
    admin.call(Method::DELETE, &auditor, None).await;
    admin.manager().await;
    who_has_no_project_reads_why(&landscape, &browser).await;
}

async fn set_up(landscape: &Landscape) {
    let done = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["keystone", "setup", "--config"])
        .arg(landscape.cloud.folder.join("fedgate.yaml"))
        .output()
        .await
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Past the gateway, this Keystone believes whoever sends the headers: a stock chain without stripping does so.
async fn past_the_gateway(landscape: &Landscape, keystone: &Keystone) {
    let arguments = ["--keystone-version", "29.0.1", "--past", &keystone.url];
    let (code, findings) = doctor(landscape, &arguments).await;
    assert_eq!(code, 1, "{findings:#?}");
    assert!(
        found(&findings, ("forged_headers", "critical"), &keystone.url),
        "{findings:#?}"
    );
    assert!(
        found(&findings, ("forged_headers", "ok"), &landscape.cloud.issuer),
        "{findings:#?}"
    );
    assert!(
        found(&findings, ("keystone_release", "warning"), "CVE-2026-44394"),
        "{findings:#?}"
    );
    let mends = |finding: &Value| finding["grade"] == "ok" || !finding["fix"].as_str().unwrap().is_empty();
    assert!(findings.iter().all(mends), "{findings:#?}");
}

/// Keystone's administrator.
struct Admin {
    url: String,
    token: String,
}

impl Admin {
    async fn sign_in(url: &str) -> Self {
        let body = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
            "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
        let call = plain_client().post(format!("{url}/v3/auth/tokens")).json(&body);
        let answer = call.send().await.unwrap();
        Self {
            url: url.to_owned(),
            token: answer.headers()["x-subject-token"].to_str().unwrap().to_owned(),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut call = plain_client()
            .request(method, format!("{}{path}", self.url))
            .header("x-auth-token", &self.token);
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    async fn id(&self, kind: &str, name: &str) -> String {
        let found = self
            .call(Method::GET, &format!("/v3/{kind}?name={name}"), None)
            .await;
        found[kind][0]["id"].as_str().unwrap().to_owned()
    }

    /// The account that provisions: a manager of the tenant's domain.
    async fn manager(&self) {
        let user = json!({ "user": { "name": "fedgate-provision", "domain_id": "default", "password": "managerpw" } });
        let user = self.call(Method::POST, "/v3/users", Some(&user)).await;
        let (user, role) = (
            user["user"]["id"].as_str().unwrap(),
            self.id("roles", "manager").await,
        );
        let path = format!(
            "/v3/domains/{}/users/{user}/roles/{role}",
            self.id("domains", "acme").await
        );
        self.call(Method::PUT, &path, None).await;
    }
}

/// My access comes soon, and says that it does not know; the one who signed in is handed on.
async fn nobody_waits_for_a_keystone_that_hangs(landscape: &Landscape) -> Browser {
    let hangs = tokio::net::TcpListener::bind(("127.0.0.1", landscape.keystone))
        .await
        .unwrap();
    let browser = landscape.browser();
    let chooser = browser.open(&landscape.cloud.at("/login")).await;
    landscape.sign_in(&browser, chooser, ALICE).await;
    let begun = std::time::Instant::now();
    let page = browser.open(&landscape.cloud.at("/")).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let text = page.text();
    assert!(
        text.contains("webshop") && text.contains("OpenStack did not answer in time"),
        "{text}"
    );
    drop(hangs);
    // The reading goes on until it has failed: Keystone, when it comes, would tell it that nobody provisions yet.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    browser
}

/// Policy gives alice a role that Keystone does not have, and Keystone refuses her for that.
async fn who_has_no_project_reads_why(landscape: &Landscape, browser: &Browser) {
    let why = "The role auditor does not exist in Keystone";
    let mut text = String::new();
    for _ in 0..60 {
        text = browser.open(&landscape.cloud.at("/")).await.text();
        if !text.contains("did not answer in time") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(
        text.contains(why) && text.contains("The cloud's operator makes it"),
        "{text}\n{}",
        complaints(landscape)
    );
    let websso = AUTH
        .replace("/v3/", "/v3/auth/")
        .replace("openid/auth", "openid/websso");
    let refused = browser
        .open(&landscape.cloud.at(&format!("{websso}?origin={TRUSTED}")))
        .await;
    assert_eq!(refused.status, 502, "{}", refused.html);
    let text = refused.text();
    assert!(
        text.contains(why) && text.contains("keystone_role_missing:auditor"),
        "{text}"
    );

    let claims = landscape.cloud.folder.join("alice.json");
    let groups = ["acme:cloud-developers", "acme:cloud-operators"];
    let said = json!({ "iss": landscape.acme.issuer, "sub": "alice", "preferred_username": "alice",
        "groups": groups, "amr": ["pwd", "mfa"] });
    std::fs::write(&claims, said.to_string()).unwrap();
    let explain = async |more: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_fedgate"))
            .args([
                "explain",
                "--upstream",
                "acme",
                "--target",
                "openstack",
                "--config",
            ])
            .arg(landscape.cloud.folder.join("fedgate.yaml"))
            .arg("--claims")
            .arg(&claims)
            .args(more)
            .output()
            .await
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let told = explain(&[]).await;
    assert!(
        told.contains("keystone_role_missing: The role auditor does not exist"),
        "{told}"
    );
    // Whatever a sign-in makes by itself is said, too, and who has to do nothing.
    assert!(
        told.contains("keystone_project_missing: The project acme/platform"),
        "{told}"
    );
    assert!(!explain(&["--offline"]).await.contains("at Keystone"));
}

/// The stock client, from an environment of its own.
fn openstack(landscape: &Landscape, how: &[&str], arguments: &[&str]) -> Command {
    let mut command = Command::new(home().join("keystone/client/bin/openstack"));
    command
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", landscape.folder.path())
        .env("PYTHONUNBUFFERED", "1")
        .args(["--os-auth-url", &landscape.cloud.at("/v3")])
        .args(["--os-identity-api-version", "3", "--os-cacert"])
        .arg(&landscape.ca)
        .args(["--os-identity-provider", "fedgate", "--os-protocol", "openid"])
        .args(how)
        .args(arguments)
        .args(["-f", "json"])
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What the cloud's log says of a far side that did not do what was asked.
fn complaints(landscape: &Landscape) -> String {
    let log = landscape.cloud.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("TARGET_") || line.contains("\"WARN\""));
    lines.collect::<Vec<_>>().join("\n")
}

async fn by_token(landscape: &Landscape, access_token: &str, arguments: &[&str]) -> Value {
    let how = [
        "--os-auth-type",
        "v3oidcaccesstoken",
        "--os-access-token",
        access_token,
    ];
    let done = openstack(landscape, &how, arguments).output().await.unwrap();
    assert!(
        done.status.success(),
        "openstack {arguments:?}: {}\n{}",
        String::from_utf8_lossy(&done.stderr),
        complaints(landscape)
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

/// `v3oidcdeviceauthz`: the client prints an address, alice allows it in her browser, the client goes on.
async fn by_device(landscape: &Landscape, browser: &Browser, arguments: &[&str]) -> Value {
    tokio::time::timeout(Duration::from_secs(90), confirmed(landscape, browser, arguments))
        .await
        .expect("openstack ends")
}

async fn confirmed(landscape: &Landscape, browser: &Browser, arguments: &[&str]) -> Value {
    let discovery = landscape.cloud.at("/.well-known/openid-configuration");
    let how = [
        "--os-auth-type",
        "v3oidcdeviceauthz",
        "--os-client-id",
        "openstack-cli",
        "--os-code-challenge-method",
        "S256",
        "--os-discovery-endpoint",
        &discovery,
    ];
    let mut running = openstack(landscape, &how, arguments).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let mut said = String::new();
    let link = loop {
        let Some(line) = lines.next_line().await.unwrap() else {
            panic!("openstack prints no address: {said}");
        };
        if let Some(link) = line.split_whitespace().find(|word| word.contains("/device")) {
            break link.trim_end_matches('.').to_owned();
        }
        said.push_str(&line);
    };
    assert!(
        link.starts_with(&landscape.cloud.at("/device?user_code=")),
        "{link}"
    );
    let mut confirm = browser.open(&link).await;
    if confirm.url.path() == "/login" {
        confirm = landscape.sign_in(browser, confirm, ALICE).await;
    }
    let text = confirm.text();
    assert!(
        text.contains("The openstack command line") && text.contains("alice"),
        "{text}"
    );
    let done = browser.submit(&confirm, &[("answer", "allow")]).await;
    assert_eq!(done.status, 200, "{}", done.html);
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
    }
    let done = running.wait_with_output().await.unwrap();
    assert!(done.status.success(), "{said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// A token for OpenStack by the device grant, as a program gets it that speaks for itself.
async fn access_token(landscape: &Landscape, browser: &Browser) -> String {
    let begun: Value = client(&landscape.ca)
        .post(landscape.cloud.at("/oauth2/device"))
        .form(&[("client_id", "openstack-cli"), ("scope", "openid")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mut confirm = browser
        .open(begun["verification_uri_complete"].as_str().unwrap())
        .await;
    if confirm.url.path() == "/login" {
        confirm = landscape.sign_in(browser, confirm, ALICE).await;
    }
    browser.submit(&confirm, &[("answer", "allow")]).await;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "openstack-cli"),
        ("device_code", begun["device_code"].as_str().unwrap()),
    ];
    let (status, tokens) = token(landscape, &fields).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(claims(&tokens, "access_token")["aud"], "openstack");
    tokens["access_token"].as_str().unwrap().to_owned()
}

const WEBSHOP: [&str; 4] = ["--os-project-name", "webshop", "--os-project-domain-name", "acme"];

#[tokio::test]
async fn the_stock_client_reaches_a_project_and_a_forger_reaches_nothing() {
    let (landscape, _keystone) = world().await;
    let browser = landscape.browser();
    let bearer = access_token(&landscape, &browser).await;
    first_logins_at_once(&landscape, &bearer).await;
    let in_webshop = |rest: [&'static str; 2]| [&WEBSHOP[..], &rest].concat();
    let (issue, catalog) = (in_webshop(["token", "issue"]), in_webshop(["catalog", "list"]));
    // Several clients at once: each takes seconds to start. A scoped token is an unscoped one that was
    // exchanged, by the client itself.
    let (scoped, unscoped, listed, catalog) = tokio::join!(
        by_device(&landscape, &browser, &issue),
        by_token(&landscape, &bearer, &["token", "issue"]),
        by_token(&landscape, &bearer, &["federation", "project", "list"]),
        by_token(&landscape, &bearer, &catalog),
    );
    // The catalog leads back to the cloud's gateway, not past it.
    assert!(catalog.to_string().contains(&landscape.cloud.issuer), "{catalog}");
    assert!(
        unscoped["id"].is_string() && unscoped.get("project_id").is_none(),
        "{unscoped}"
    );
    assert!(scoped["project_id"].is_string(), "{scoped}");
    assert_eq!(scoped["user_id"], unscoped["user_id"], "one person, both ways");
    let mut names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|project| project["Name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["platform", "webshop"]);
    forged_headers_reach_nothing(&landscape, &bearer).await;
}

/// Keystone knows neither the person nor the projects yet, and six programs want in.
async fn first_logins_at_once(landscape: &Landscape, bearer: &str) {
    let http = client(&landscape.ca);
    let all = (0..6).map(|_| http.post(landscape.cloud.at(AUTH)).bearer_auth(bearer).send());
    for answer in futures_util::future::join_all(all).await {
        let answer = answer.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{text}\n{}", complaints(landscape));
    }
}

/// Each way in which a header could name an identity, on each path that could take it.
async fn forged_headers_reach_nothing(landscape: &Landscape, bearer: &str) {
    let http = client(&landscape.ca);
    let websso = "/v3/auth/OS-FEDERATION/websso/openid?origin=http://localhost:9990/auth/websso/";
    let paths = [
        (Method::POST, "/v3/auth/tokens".to_owned()),
        (Method::POST, "/v3//auth/tokens".to_owned()),
        (Method::POST, "/v3/auth/tokens/".to_owned()),
        (Method::GET, AUTH.to_owned()),
        (Method::POST, AUTH.to_owned()),
        (Method::POST, format!("{AUTH}/")),
        (Method::POST, AUTH.replace("/auth", "/%61uth")),
        (Method::POST, AUTH.to_lowercase()),
        (Method::POST, AUTH.replace("/v3/", "/v3//")),
        (Method::GET, websso.to_owned()),
        (
            Method::GET,
            AUTH.replace("/v3/", "/v3/auth/").replace(
                "/protocols/openid/auth",
                "/protocols/openid/websso?origin=http://localhost:9990/auth/websso/",
            ),
        ),
    ];
    // More spellings, and what Keystone itself would make of them, are in `keystone.rs`.
    let spellings: [fn(&str) -> String; 2] = [
        |end| format!("OIDC_{}", end.replace('-', "_")),
        |end| format!("oidc_{}", end.to_lowercase()),
    ];
    let forge = |mut request: reqwest::RequestBuilder, spell: fn(&str) -> String| {
        let issuer = format!("{}/keystone", landscape.cloud.issuer);
        for (end, value) in [
            ("ISS", issuer.as_str()),
            ("SUB", "victim"),
            ("PREFERRED-USERNAME", "victim"),
            ("DOMAIN", "acme"),
            ("OPENSTACK-PROJECTS", "[]"),
        ] {
            request = request.header(spell(end), value);
        }
        request.header("REMOTE_USER", "admin")
    };
    let body = json!({ "auth": { "identity": { "methods": ["openid"],
        "openid": { "identity_provider": "fedgate", "protocol": "openid" } } } });
    for spell in spellings {
        for (method, path) in &paths {
            let mut request = forge(http.request(method.clone(), landscape.cloud.at(path)), spell);
            if path.contains("auth/tokens") {
                request = request.json(&body);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            assert!(
                matches!(status, 308 | 400 | 401 | 404 | 405)
                    && !answer.headers().contains_key("x-subject-token"),
                "{method} {path} by {}: {status}",
                spell("SUB")
            );
        }
        let tokens = http.post(landscape.cloud.at("/v3/auth/tokens")).json(&body);
        assert_eq!(
            forge(tokens, spell).send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED
        );
        // Beside a good token they change nothing: it is alice who comes in.
        let request = http.post(landscape.cloud.at(AUTH)).bearer_auth(bearer);
        let answer = forge(request, spell).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let inside: Value = answer.json().await.unwrap();
        assert_eq!(inside["token"]["user"]["name"], "alice", "{inside}");
        // And the good token opens no other door than its own.
        let request = http
            .post(landscape.cloud.at("/v3/auth/tokens"))
            .bearer_auth(bearer)
            .json(&body);
        assert_eq!(
            forge(request, spell).send().await.unwrap().status(),
            StatusCode::UNAUTHORIZED
        );
    }
    // A token of this gateway for somebody else's ears is none for Keystone.
    let (status, app) = token(
        landscape,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "demo-app"),
            ("client_secret", crate::parts::gateway::APP_SECRET),
        ],
    )
    .await;
    assert_eq!(status, 200, "{app}");
    for wrong in [app["access_token"].as_str().unwrap(), &format!("{bearer}x"), "x"] {
        let answer = http
            .post(landscape.cloud.at(AUTH))
            .bearer_auth(wrong)
            .timeout(Duration::from_secs(20))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        let told = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(told.starts_with("Bearer realm="), "{told}");
    }
}
