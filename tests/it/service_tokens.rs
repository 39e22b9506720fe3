//! Services that validate our tokens without Keystone: the real keystonemiddleware asks the real gateway.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::parts::{
    gateway::{APP_SECRET, Browser, Landscape, client},
    home, plain_client,
    port::free_port,
};

const TARGETS: &str = "
targets:
  - kind: openstack_service
    id: swift
    name: Object storage
    audience: swift-cloud-a
    domain_ids: { acme: \"11111111111111111111111111111111\" }
    project_ids: { acme/webshop: \"22222222222222222222222222222222\" }
  - { kind: openstack_service, id: barbican, name: Secrets, audience: barbican-cloud-a }
";
/// A tool of people, and the two services themselves: they ask, and get no tokens.
const CLIENTS: &str = "
clients:
  - id: tool
    name: A tool
    auth: { method: secret, secret: { file: ../demo-app.secret } }
    grants: [authorization_code, client_credentials]
    redirect_uris: [\"http://127.0.0.1/callback\"]
    audiences: [swift-cloud-a, barbican-cloud-a, openstack]
    tenant: acme
    pkce_optional: true
  - { id: swift-server, name: Swift, auth: { method: secret, secret: { file: ../demo-app.secret } }, grants: [], audiences: [swift-cloud-a] }
  - { id: barbican-server, name: Barbican, auth: { method: secret, secret: { file: ../demo-app.secret } }, grants: [], audiences: [barbican-cloud-a] }
";
const ACCESS: &str = "
access:
  - rule: developers-store
    tenant: acme
    group: developers
    target: swift
    projects: [{ domain: acme, project: webshop, roles: [reader, member] }]
  - rule: operators-look
    tenant: acme
    group: operators
    target: swift
    projects: [{ domain: acme, project: platform, roles: [reader] }]
  - rule: developers-keep-secrets
    tenant: acme
    group: developers
    target: barbican
    projects: [{ domain: acme, project: webshop, roles: [creator] }]
  - rule: the-tool-stores
    tenant: acme
    group: client:tool
    target: swift
    projects: [{ domain: acme, project: backup, roles: [member] }]
";

/// A service with the middleware in front; ends when dropped.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start(land: &Landscape, id: &str, cache_s: u32) -> Self {
        let port = free_port();
        let mut child = Command::new(home().join("keystone/server/bin/python3"))
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/fixtures/oauth2_service.py"
            ))
            .args([
                &port.to_string(),
                &land.cloud.at("/oauth2/introspect"),
                id,
                APP_SECRET,
            ])
            .arg(&land.ca)
            .arg(cache_s.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Python of tests/parts/keystone.sh");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line.trim(), "ready");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}/"),
        }
    }

    /// Asks the service with a token and with headers that only the middleware may set.
    async fn ask(&self, token: &str) -> (u16, Value) {
        let answer = plain_client()
            .get(&self.url)
            .bearer_auth(token)
            .header("X-Roles", "admin")
            .header("X-Project-Id", "victim")
            .header("X-User-Id", "victim")
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

async fn post(land: &Landscape, id: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = client(&land.ca)
        .post(land.cloud.at(path))
        .basic_auth(id, Some(APP_SECRET))
        .form(form)
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// Where a browser that is signed in, or signs in now as alice, ends.
async fn authorized(
    land: &Landscape,
    browser: &Browser,
    audience: &str,
    scope: &str,
) -> crate::parts::gateway::Page {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", "tool")
        .append_pair("redirect_uri", "http://127.0.0.1/callback")
        .append_pair("resource", audience)
        .append_pair("scope", scope)
        .finish();
    let page = browser
        .open(&land.cloud.at(&format!("/oauth2/authorize?{query}")))
        .await;
    if page.url.path() == "/login" {
        land.sign_in(browser, page, 0).await
    } else {
        page
    }
}

/// A token of alice's.
async fn token(land: &Landscape, browser: &Browser, audience: &str, scope: &str) -> String {
    let page = authorized(land, browser, audience, scope).await;
    let code = page
        .query("code")
        .unwrap_or_else(|| panic!("no code: {} {}", page.url, page.html));
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1/callback"),
    ];
    let (status, body) = post(land, "tool", "/oauth2/token", &form).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn services_validate_our_tokens_without_keystone() {
    let edit = |name: &str, text: String| match name {
        "cloud-a" => text
            .replacen("\ntargets:\n", TARGETS, 1)
            .replacen("\nclients:\n", CLIENTS, 1)
            .replacen("\naccess:\n", ACCESS, 1),
        _ => text,
    };
    let land = Landscape::start_with(&edit, &[]).await;
    let browser = land.browser();
    let service = Service::start(&land, "swift-server", 1);
    let of_alice = token(&land, &browser, "swift-cloud-a", "openid project:acme/webshop").await;
    is_what_the_contract_says(&land, &service, &of_alice).await;
    the_project_is_named_where_there_are_several(&land, &browser).await;
    is_for_one_service(&land, &browser, &service, &of_alice).await;
    of_a_program(&land, &service).await;
    ends_when_it_is_revoked(&land, &service, &of_alice).await;
    ends_with_the_session(&land, &browser).await;
}

async fn is_what_the_contract_says(land: &Landscape, service: &Service, token: &str) {
    let (status, seen) = service.ask(token).await;
    assert_eq!(status, 200, "{seen}");
    for (name, value) in [
        ("HTTP_X_ROLES", "member,reader"),
        ("HTTP_X_USER_NAME", "alice"),
        ("HTTP_X_USER_DOMAIN_NAME", "acme"),
        ("HTTP_X_USER_DOMAIN_ID", "11111111111111111111111111111111"),
        ("HTTP_X_PROJECT_NAME", "webshop"),
        ("HTTP_X_PROJECT_ID", "22222222222222222222222222222222"),
        ("HTTP_X_PROJECT_DOMAIN_NAME", "acme"),
        ("HTTP_X_IDENTITY_STATUS", "Confirmed"),
    ] {
        assert_eq!(seen[name], value, "{name}: {seen}");
    }
    assert_ne!(seen["HTTP_X_IS_ADMIN_PROJECT"], "true", "{seen}");
    let (_, body) = post(land, "swift-server", "/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(body["active"], true);
    assert_eq!(body["sub"], seen["HTTP_X_USER_ID"]);
    assert!(body["exp"].is_i64() && body["roles"].is_string(), "{body}");
    assert_eq!(
        body["project"],
        json!({"id": "22222222222222222222222222222222", "name": "webshop",
               "domain": {"id": "11111111111111111111111111111111", "name": "acme"}})
    );
    assert!(body.get("system").is_none());
}

async fn the_project_is_named_where_there_are_several(land: &Landscape, browser: &Browser) {
    for (scope, reason) in [
        ("openid", "project_not_chosen"),
        ("openid project:webshop project:platform", "project_not_given"),
        ("openid project:acme/payroll", "project_not_given"),
        ("openid project:other/webshop", "project_not_given"),
    ] {
        let page = authorized(land, browser, "swift-cloud-a", scope).await;
        assert_eq!(
            page.query("error").as_deref(),
            Some("access_denied"),
            "{scope}: {}",
            page.url
        );
        let told = page.query("error_description").unwrap();
        assert!(told.contains(reason), "{scope}: {told}");
    }
    // With one there is no need, and an id that nobody configured is always the same.
    let token = token(land, browser, "barbican-cloud-a", "openid").await;
    let sent = [("token", token.as_str())];
    let ask = || post(land, "barbican-server", "/oauth2/introspect", &sent);
    let (first, second) = (ask().await.1, ask().await.1);
    assert_eq!(first["roles"], "creator");
    assert_eq!(first["project"]["id"].as_str().unwrap().len(), 32);
    assert_eq!(first["project"], second["project"]);
    assert_ne!(first["project"]["id"], first["project"]["domain"]["id"]);
}

async fn is_for_one_service(land: &Landscape, browser: &Browser, service: &Service, own: &str) {
    let other = token(land, browser, "barbican-cloud-a", "openid").await;
    let keystones = token(land, browser, "openstack", "openid").await;
    for foreign in [other.as_str(), keystones.as_str(), "not-a-token"] {
        assert_eq!(service.ask(foreign).await.0, 401);
    }
    let (status, body) = post(land, "barbican-server", "/oauth2/introspect", &[("token", own)]).await;
    assert_eq!((status, body), (200, json!({ "active": false })));
}

/// A client that acts for itself has the rights that access rules give it, and those alone.
async fn of_a_program(land: &Landscape, service: &Service) {
    let form = [
        ("grant_type", "client_credentials"),
        ("resource", "swift-cloud-a"),
    ];
    let (status, body) = post(land, "tool", "/oauth2/token", &form).await;
    assert_eq!(status, 200, "{body}");
    let (status, seen) = service.ask(body["access_token"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{seen}");
    assert_eq!(
        (&seen["HTTP_X_PROJECT_NAME"], &seen["HTTP_X_ROLES"]),
        (&json!("backup"), &json!("member"))
    );
}

async fn ends_when_it_is_revoked(land: &Landscape, service: &Service, token: &str) {
    assert_eq!(service.ask(token).await.0, 200);
    let (status, _) = post(land, "tool", "/oauth2/revoke", &[("token", token)]).await;
    assert_eq!(status, 200);
    // The gateway itself knows it at once, although it has answered a moment ago.
    let (_, body) = post(land, "swift-server", "/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(body, json!({ "active": false }));
    let mut last = 200;
    // The service's own cache of one second.
    for _ in 0..30 {
        last = service.ask(token).await.0;
        if last == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(last, 401);
}

async fn ends_with_the_session(land: &Landscape, browser: &Browser) {
    let token = token(land, browser, "swift-cloud-a", "openid project:platform").await;
    let sent = [("token", token.as_str())];
    let ask = || post(land, "swift-server", "/oauth2/introspect", &sent);
    let (_, before) = ask().await;
    assert_eq!(
        (&before["active"], &before["roles"]),
        (&json!(true), &json!("reader"))
    );
    let page = browser.open(&land.cloud.at("/logout")).await;
    browser.submit(&page, &[]).await;
    assert_eq!(ask().await.1, json!({ "active": false }));
}
