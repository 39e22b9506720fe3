//! A real service behind Keystone: people of two tenants keep secrets in Barbican by the stock client, each project its
//! own, and not longer than their tokens live.

use std::process::{Child, Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::parts::{
    cloud::{Cloud, PASSWORD, SECRET},
    home,
    keystone::Wish,
    plain_client,
    port::free_port,
};

struct Barbican {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Drop for Barbican {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Barbican {
    /// Starts one that asks Keystone through the gateway, as the catalog says.
    async fn start(issuer: &str, port: u16) -> Self {
        assert!(
            home().join("barbican/ready").exists(),
            "the real Barbican is not installed: run tests/parts/barbican.sh"
        );
        let dir = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parts/barbican-run.sh");
        let child = Command::new(script)
            .arg(dir.path())
            .arg(port.to_string())
            .arg(format!("{issuer}/v3"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let barbican = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _dir: dir,
        };
        for _ in 0..480 {
            if plain_client().get(&barbican.url).send().await.is_ok() {
                return barbican;
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
        panic!("Barbican did not answer within two minutes");
    }

    /// The status of a secret's text, and the text.
    async fn payload(&self, token: &str, secret: &str) -> (StatusCode, String) {
        let request = plain_client()
            .get(format!("{secret}/payload"))
            .header("x-auth-token", token)
            .header("accept", "text/plain");
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }
}

/// What an operator does: the service, its endpoint, and the account by which it validates tokens.
async fn register(cloud: &Cloud, url: &str) {
    let base = cloud.keystone.url.clone();
    let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
        "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
        "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
    let request = plain_client().post(format!("{base}/v3/auth/tokens")).json(&body);
    let answer = request.send().await.unwrap();
    let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
    let send = async |method: Method, path: &str, body: Value| -> Value {
        let mut request = plain_client()
            .request(method, format!("{base}{path}"))
            .header("x-auth-token", &token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    };
    let service = json!({ "service": { "type": "key-manager", "name": "barbican" } });
    let service = send(Method::POST, "/v3/services", service).await["service"]["id"].clone();
    for interface in ["public", "internal"] {
        let endpoint = json!({ "endpoint": { "service_id": service, "interface": interface, "url": url,
            "region_id": "RegionOne" } });
        send(Method::POST, "/v3/endpoints", endpoint).await;
    }
    let project = json!({ "project": { "name": "service", "domain_id": "default" } });
    let project = send(Method::POST, "/v3/projects", project).await["project"]["id"].clone();
    let user = json!({ "user": { "name": "barbican", "domain_id": "default", "password": "barbicanpw" } });
    let user = send(Method::POST, "/v3/users", user).await["user"]["id"].clone();
    let roles = send(Method::GET, "/v3/roles?name=admin", Value::Null).await;
    let path = format!(
        "/v3/projects/{}/users/{}/roles/{}",
        project.as_str().unwrap(),
        user.as_str().unwrap(),
        roles["roles"][0]["id"].as_str().unwrap()
    );
    send(Method::PUT, &path, Value::Null).await;
}

/// The stock client as somebody, in a project.
async fn openstack(
    cloud: &Cloud,
    (client, username): (&str, &str),
    project: (&str, &str),
    what: &[&str],
) -> std::process::Output {
    let discovery = format!("{}/.well-known/openid-configuration", cloud.issuer);
    let mut command = tokio::process::Command::new(home().join("barbican/server/bin/openstack"));
    command
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", cloud.folder.path())
        .args([
            "--os-auth-type",
            "v3oidcpassword",
            "--os-identity-api-version",
            "3",
        ])
        .args(["--os-auth-url", &format!("{}/v3", cloud.issuer)])
        .args(["--os-identity-provider", "fedgate", "--os-protocol", "openid"])
        .args([
            "--os-discovery-endpoint",
            &discovery,
            "--os-openid-scope",
            "openid",
        ])
        .args(["--os-client-id", client, "--os-client-secret", SECRET])
        .args(["--os-username", username, "--os-password", PASSWORD])
        .args([
            "--os-project-domain-name",
            project.0,
            "--os-project-name",
            project.1,
        ])
        .args(what)
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command.output().await.unwrap()
}

const ALICE: (&str, &str) = ("script", "alice");
const WEBSHOP: (&str, &str) = ("acme", "webshop");
const ODD: (&str, &str) = ("acme", "größe; name 'x'");

#[tokio::test]
async fn a_secret_is_its_projects_own() {
    let cloud = Cloud::start(Wish::default(), "3.0").await;
    cloud.set_up(&[]);
    let port = free_port();
    register(&cloud, &format!("http://127.0.0.1:{port}")).await;
    let barbican = Barbican::start(&cloud.issuer, port).await;

    let store = [
        "secret",
        "store",
        "--name",
        "door",
        "--payload",
        "geheim-größe",
        "-f",
        "json",
    ];
    let stored = openstack(&cloud, ALICE, WEBSHOP, &store).await;
    assert!(stored.status.success(), "{stored:?}\n{}", cloud.log());
    let stored: Value = serde_json::from_slice(&stored.stdout).unwrap();
    let secret = stored["Secret href"].as_str().unwrap();
    assert!(secret.starts_with(&barbican.url), "{secret}");

    // The same project reads it; nobody else's does, whatever it is called.
    let get = ["secret", "get", secret, "--payload", "-f", "value"];
    let (own, bob, carol, lab) = tokio::join!(
        openstack(&cloud, ALICE, WEBSHOP, &get),
        openstack(&cloud, ("script", "bob"), ("acme", "bench"), &get),
        openstack(&cloud, ("beta-script", "carol"), ("beta", "webshop"), &get),
        openstack(&cloud, ALICE, ("acme-labs", "lab"), &store),
    );
    assert!(own.status.success(), "{own:?}");
    assert_eq!(String::from_utf8_lossy(&own.stdout).trim(), "geheim-größe");
    for (who, other) in [("bob", bob), ("carol", carol)] {
        let told = String::from_utf8_lossy(&other.stderr).into_owned();
        assert!(
            !other.status.success() && told.contains("orbidden"),
            "{who}: {told}"
        );
        assert!(!String::from_utf8_lossy(&other.stdout).contains("geheim"));
    }
    // A reader of a project keeps none there.
    let told = String::from_utf8_lossy(&lab.stderr).into_owned();
    assert!(!lab.status.success() && told.contains("orbidden"), "{told}");
    tokens_end_here_too(&cloud, &barbican, secret).await;
}

/// A token that was ended, and a role that was taken away, are refused by the service.
async fn tokens_end_here_too(cloud: &Cloud, barbican: &Barbican, secret: &str) {
    let (unscoped, _) = cloud.sign_in("script", "alice").await;
    let (webshop, _) = cloud.scoped(&unscoped, WEBSHOP).await.unwrap();
    let (odd, _) = cloud.scoped(&unscoped, ODD).await.unwrap();
    let read = (StatusCode::OK, "geheim-größe".to_owned());
    assert_eq!(barbican.payload(&webshop, secret).await, read);
    assert_eq!(barbican.payload(&odd, secret).await.0, StatusCode::FORBIDDEN);
    assert_eq!(
        barbican.payload("gAAAA-no-token", secret).await.0,
        StatusCode::UNAUTHORIZED
    );
    let list = |token: String| {
        let request = plain_client()
            .get(format!("{}/v1/secrets", barbican.url))
            .header("x-auth-token", token);
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(list(odd.clone()).await, StatusCode::OK);

    let ended = plain_client()
        .delete(format!("{}/v3/auth/tokens", cloud.issuer))
        .header("x-auth-token", &webshop)
        .header("x-subject-token", &webshop);
    assert_eq!(ended.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(
        barbican.payload(&webshop, secret).await.0,
        StatusCode::UNAUTHORIZED
    );

    // The rule ends; the next sign-in takes the role away, and with it what the running token was good for.
    cloud.end_rule_run();
    for _ in 0..50 {
        let (again, _) = cloud.sign_in("script", "alice").await;
        if cloud.projects(&again).await == ["webshop"] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(list(odd).await, StatusCode::UNAUTHORIZED);
}
