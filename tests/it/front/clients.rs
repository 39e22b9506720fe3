//! The stock `openstack` client with each of its plugins, through the gateway.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Cloud, json_of, program, signed_in_page, token_in};
use crate::parts::{
    gateway::{APP_SECRET, Browser, client, keep},
    home, plain_client,
};

const OPENSTACK: &str = "keystone/client/bin/openstack";
const ISSUE: [&str; 5] = ["token", "issue", "-f", "json", "--fit-width"];

/// Where, and to which project.
fn common(cloud: &Cloud, project: (&str, &str)) -> Vec<String> {
    let url = format!("{}/v3", cloud.land.cloud.issuer);
    let ca = cloud.land.ca.display().to_string();
    [
        ("--os-auth-url", url.as_str()),
        ("--os-cacert", &ca),
        ("--os-identity-api-version", "3"),
        ("--os-identity-provider", "fedgate"),
        ("--os-protocol", "openid"),
        ("--os-project-domain-name", project.0),
        ("--os-project-name", project.1),
    ]
    .iter()
    .flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()])
    .collect()
}

/// The provider's part of the plugins that talk to it themselves.
fn provider(cloud: &Cloud, id: &str) -> Vec<String> {
    let discovery = format!("{}/.well-known/openid-configuration", cloud.land.cloud.issuer);
    ["--os-discovery-endpoint", &discovery, "--os-client-id", id]
        .map(str::to_owned)
        .to_vec()
}

async fn run(all: &[String], own: &[&str]) -> std::process::Output {
    let arguments: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .chain(own.iter().copied())
        .chain(ISSUE[..4].iter().copied())
        .collect();
    program(OPENSTACK, &arguments, &[]).await
}

const WEBSHOP: (&str, &str) = ("acme", "webshop");

pub(super) async fn every_plugin_of_the_stock_client(cloud: &Cloud) {
    let browser = cloud.land.browser();
    let page = signed_in_page(cloud, &browser, 0).await;
    authorization_code(cloud, &browser).await;
    client_credentials(cloud).await;
    password(cloud).await;
    device(cloud, &browser).await;
    application_credential(cloud, &token_in(&page)).await;
    websso(cloud, &browser, OPENSTACK).await;
    websso(cloud, &browser, "keystoneauth-websso/client/bin/openstack").await;
}

fn is_scoped(issued: &Value) {
    assert!(issued["project_id"].as_str().is_some(), "{issued}");
}

/// `v3oidcauthcode` knows no PKCE: a code that is not bound to it is given to a client that is registered so, and to
/// no other.
async fn authorization_code(cloud: &Cloud, browser: &Browser) {
    let ask = |id: &str| {
        format!(
            "{}/oauth2/authorize?response_type=code&client_id={id}&scope=openid&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback",
            cloud.land.cloud.issuer
        )
    };
    let refused = browser.open(&ask("openstack-cli")).await;
    assert_eq!(
        refused.query("error").as_deref(),
        Some("invalid_request"),
        "{}",
        refused.url
    );
    let code = browser.open(&ask("robot")).await.query("code").expect("a code");
    let all = [common(cloud, WEBSHOP), provider(cloud, "robot")].concat();
    let own = [
        "--os-auth-type",
        "v3oidcauthcode",
        "--os-client-secret",
        APP_SECRET,
        "--os-redirect-uri",
        "http://127.0.0.1/callback",
        "--os-code",
        &code,
    ];
    is_scoped(&json_of(&run(&all, &own).await));
}

async fn client_credentials(cloud: &Cloud) {
    let all = [common(cloud, WEBSHOP), provider(cloud, "robot")].concat();
    let own = [
        "--os-auth-type",
        "v3oidcclientcredentials",
        "--os-client-secret",
        APP_SECRET,
        "--os-openid-scope",
        "openid",
    ];
    is_scoped(&json_of(&run(&all, &own).await));
    // Nothing that is made for people.
    let other = [common(cloud, ("acme", "platform")), provider(cloud, "robot")].concat();
    assert!(!run(&other, &own).await.status.success());
}

async fn password(cloud: &Cloud) {
    let all = [
        common(cloud, ("operations", "watch")),
        provider(cloud, "old-script"),
    ]
    .concat();
    let with = |password: &'static str| {
        [
            "--os-auth-type",
            "v3oidcpassword",
            "--os-client-secret",
            APP_SECRET,
            "--os-username",
            "duty",
            "--os-password",
            password,
        ]
    };
    is_scoped(&json_of(&run(&all, &with("duty-has-a-long-password")).await));
    let wrong = run(&all, &with("another-long-password")).await;
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && told.contains("400"), "{told}");
    // The people of acme sign in at acme: their passwords are nobody else's business.
    let mut people = with("alice-has-a-long-password");
    people[5] = "alice";
    assert!(!run(&all, &people).await.status.success());
    // Where no client may use it, the grant is not even offered.
    let discovery =
        |base: &str| client(&cloud.land.ca).get(format!("{base}/.well-known/openid-configuration"));
    let offered = |document: Value| {
        document["grant_types_supported"]
            .as_array()
            .unwrap()
            .contains(&json!("password"))
    };
    let of_cloud = discovery(&cloud.land.cloud.issuer)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let of_acme = discovery(&cloud.land.acme.issuer)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(offered(of_cloud) && !offered(of_acme));
}

/// `v3oidcdeviceauthz`, public and with PKCE: the person lets it in by browser while it polls.
async fn device(cloud: &Cloud, browser: &Browser) {
    let all = [common(cloud, WEBSHOP), provider(cloud, "openstack-cli")].concat();
    let mut child = Command::new(home().join(OPENSTACK))
        .args(&all)
        .args([
            "--os-auth-type",
            "v3oidcdeviceauthz",
            "--os-code-challenge-method",
            "S256",
        ])
        .args(&ISSUE[..4])
        .env("PYTHONUNBUFFERED", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says where to go on standard error, as a warning.
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let (link, told) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while told.read_line(&mut line).unwrap() > 0 && !line.contains("user_code=") {}
        let link = line
            .split_whitespace()
            .find(|word| word.contains("user_code="))
            .map(str::to_owned);
        (link.unwrap_or_else(|| panic!("no link: {line}")), told)
    })
    .await
    .unwrap();
    let question = browser.open(&link).await;
    assert_eq!(question.status, 200, "{}", question.html);
    let done = browser.submit(&question, &[("answer", "allow")]).await;
    assert_eq!(done.status, 200, "{}", done.html);
    let (rest, output) = tokio::task::spawn_blocking(move || {
        let output = child.wait_with_output().unwrap();
        (
            told.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"),
            output,
        )
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{rest}");
    is_scoped(&serde_json::from_slice(&output.stdout).unwrap());
}

/// Made by a person with a federated token, used by a program with neither browser nor gateway session.
async fn application_credential(cloud: &Cloud, unscoped: &str) {
    let gateway = &cloud.land.cloud.issuer;
    let http = client(&cloud.land.ca);
    let wanted = json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": unscoped } },
        "scope": { "project": { "name": "webshop", "domain": { "name": "acme" } } } } });
    let answer = http
        .post(format!("{gateway}/v3/auth/tokens"))
        .json(&wanted)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
    let user: Value = answer.json().await.unwrap();
    let user = user["token"]["user"]["id"].as_str().unwrap().to_owned();
    let made = http
        .post(format!("{gateway}/v3/users/{user}/application_credentials"))
        .header("X-Auth-Token", &token)
        .json(&json!({ "application_credential": { "name": "ci" } }));
    let answer = made.send().await.unwrap();
    let status = answer.status();
    let made: Value = answer.json().await.unwrap();
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made["application_credential"][name].as_str().unwrap().to_owned();
    let (id, secret, url) = (text("id"), text("secret"), format!("{gateway}/v3"));
    let ca = cloud.land.ca.display().to_string();
    let arguments = [
        &[
            "--os-auth-url",
            &url,
            "--os-cacert",
            &ca,
            "--os-auth-type",
            "v3applicationcredential",
        ][..],
        &[
            "--os-application-credential-id",
            &id,
            "--os-application-credential-secret",
            &secret,
        ],
        &ISSUE[..4],
    ]
    .concat();
    is_scoped(&json_of(&program(OPENSTACK, &arguments, &[]).await));
}

/// The command line opens a browser, and waits on loopback for the form of Keystone's page.
async fn websso(cloud: &Cloud, browser: &Browser, openstack: &str) {
    assert!(
        home().join(openstack).exists(),
        "{openstack} is not there: run tests/parts/keystoneauth-websso.sh"
    );
    let folder = tempfile::tempdir().unwrap();
    let (opened, script) = (folder.path().join("opened"), folder.path().join("browser"));
    keep(
        &script,
        &format!(
            "#!/bin/sh\nprintf '%s' \"$1\" >{0}.part && mv {0}.part {0}\n",
            opened.display()
        ),
    );
    let mut access = std::fs::metadata(&script).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut access, 0o700);
    std::fs::set_permissions(&script, access).unwrap();
    let port = cloud.line.to_string();
    let all = common(cloud, WEBSHOP);
    let arguments: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .chain(["--os-auth-type", "v3websso", "--os-redirect-port", &port])
        .chain(ISSUE[..4].iter().copied())
        .collect();
    let browser_command = format!("{} %s", script.display());
    let cache = folder.path().display().to_string();
    let environment = [
        ("BROWSER", browser_command.as_str()),
        ("XDG_CACHE_HOME", &cache),
        ("HOME", &cache),
    ];
    let running = program(openstack, &arguments, &environment);
    let (output, ()) = tokio::join!(running, walk(cloud, browser, &opened));
    is_scoped(&json_of(&output));
}

async fn walk(cloud: &Cloud, browser: &Browser, opened: &Path) {
    let mut url = None;
    for _ in 0..300 {
        url = std::fs::read_to_string(opened).ok();
        if url.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = browser
        .open(&url.expect("the command line opened a browser"))
        .await;
    assert_eq!(page.status, 200, "{}", page.html);
    let action = format!("http://localhost:{}/auth/websso/", cloud.line);
    assert!(
        page.html.contains(&format!("action=\"{action}\"")),
        "{}",
        page.html
    );
    // As a browser sends a form from https to http.
    let sent = plain_client()
        .post(&action)
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Site", "cross-site")
        .header("Origin", "null")
        .form(&[("token", token_in(&page))]);
    assert_eq!(sent.send().await.unwrap().status(), 200);
}
