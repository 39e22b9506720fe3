//! The real Keystone asks us: oslo.policy with its OPA check inside, over the policies that we ship.

use std::{fs, path::Path};

use http::StatusCode;
use reqwest::Client;
use serde_json::{Value, json};

use super::process::fedgate;
use crate::parts::{
    keystone::{Keystone, Wish},
    plain_client,
};

/// The default rules of Keystone let a project's administrator do both.
const RULES: &str = "\"identity:list_projects\": \"opa:identity:list_projects\"\n\
                     \"identity:list_users\": \"opa:broken:rule\"\n";

/// A token of the administrator, scoped as said.
async fn token(client: &Client, url: &str, scope: Value) -> String {
    let user = json!({"name": "admin", "domain": {"id": "default"}, "password": "adminpw"});
    let auth = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": scope,
    }});
    let answer = client
        .post(format!("{url}/v3/auth/tokens"))
        .json(&auth)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED, "{:?}", answer.text().await);
    answer.headers()["x-subject-token"].to_str().unwrap().to_owned()
}

async fn ask(client: &Client, url: &str, path: &str, token: &str) -> StatusCode {
    let request = client
        .get(format!("{url}/v3/{path}"))
        .header("x-auth-token", token);
    request.send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn keystone_enforces_what_we_decide() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.rego");
    let text = "package broken.rule\n\nallow := 1 if input.credentials\nallow := 2 if input.credentials";
    fs::write(&broken, text).unwrap();
    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let [openstack, lib] = ["openstack", "lib"].map(|name| policies.join(name).display().to_string());
    let engine = fedgate(&[
        "--no-authorization",
        "--decisions-addr",
        "127.0.0.1:0",
        &openstack,
        &lib,
        broken.to_str().unwrap(),
    ]);
    let (conf, rules) = (
        folder.path().join("keystone.conf"),
        folder.path().join("rules.yaml"),
    );
    fs::write(&rules, RULES).unwrap();
    let decisions = engine.decisions.as_deref().unwrap();
    let text = format!(
        "[oslo_policy]\npolicy_file = {}\nopa_url = {decisions}\n",
        rules.display()
    );
    fs::write(&conf, text).unwrap();
    let wish = Wish {
        header_prefix: "X-",
        conf: Some(&conf),
        ..Wish::default()
    };
    let keystone = Keystone::start_as("http://127.0.0.1:9", &wish).await;
    let (client, url) = (plain_client(), keystone.url.as_str());
    let project = json!({"project": {"name": "admin", "domain": {"id": "default"}}});
    let of_system = token(&client, url, json!({"system": {"all": true}})).await;
    let of_project = token(&client, url, project).await;

    assert_eq!(ask(&client, url, "projects", &of_system).await, StatusCode::OK);
    // Keystone's own rule would allow it: the denial is ours.
    assert_eq!(
        ask(&client, url, "projects", &of_project).await,
        StatusCode::FORBIDDEN
    );
    // An engine that fails denies. A 500 here would make oslo.policy fall back to its own rule, which allows.
    assert_eq!(
        ask(&client, url, "users", &of_project).await,
        StatusCode::FORBIDDEN
    );
    // That trap is real, and why the door never answers anything but 200: without us, both are allowed.
    drop(engine);
    assert_eq!(ask(&client, url, "projects", &of_project).await, StatusCode::OK);
    assert_eq!(ask(&client, url, "users", &of_project).await, StatusCode::OK);
}
