//! Real kubectl with `fedctl kube credential` against a played API server with TLS. The kubeconfig is the one
//! that `fedctl kube config` writes.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::fedctl::played::{Played, serve};
use crate::fedctl::{err, out};
use crate::parts::certificates::Authority;
use crate::parts::kubectl;

/// What the API server accepts, and what it was sent.
#[derive(Default)]
struct Gate {
    accepted: String,
    seen: Vec<String>,
}

struct Cluster {
    gateway: Played,
    gate: Arc<Mutex<Gate>>,
    server: String,
}

impl Cluster {
    fn start(accepted: &str) -> Self {
        let gateway = Played::start();
        let authority = Authority::new("cluster CA");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let gate = Arc::new(Mutex::new(Gate {
            accepted: accepted.to_owned(),
            seen: Vec::new(),
        }));
        serve(
            listener,
            authority.server().tls(),
            Router::new().fallback(answer).with_state(gate.clone()),
        );
        gateway.desk.lock().unwrap().clusters = json!({ "clusters": [{
            "id": "cluster-a", "name": "Cluster A", "audience": "k8s-a", "server": server,
            "certificate_authority_data": STANDARD.encode(authority.pem()),
        }] });
        Self {
            gateway,
            gate,
            server,
        }
    }

    fn kubeconfig(&self) -> PathBuf {
        let path = self.gateway.folder.path().join("kubeconfig");
        let output = self
            .gateway
            .run(&["kube", "config", "--write", path.to_str().unwrap()]);
        assert!(output.status.success(), "{}", err(&output));
        assert_eq!(out(&output), "");
        path
    }

    fn kubectl(&self, kubeconfig: &Path, arguments: &[&str]) -> Output {
        let programs = Path::new(env!("CARGO_BIN_EXE_fedctl")).parent().unwrap();
        kubectl::command(self.gateway.folder.path())
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("PATH", programs)
            .env("LANG", "en_US.UTF-8")
            .env("FEDCTL_CACHE", self.gateway.cache())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn seen(&self) -> Vec<String> {
        self.gate.lock().unwrap().seen.clone()
    }
}

async fn answer(State(gate): State<Arc<Mutex<Gate>>>, request: Request) -> Response {
    let header = request
        .headers()
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    let token = header.unwrap_or_default();
    let mut gate = gate.lock().unwrap();
    gate.seen.push(token.clone());
    let known = token
        .strip_prefix("Bearer ")
        .is_some_and(|token| token.starts_with(&gate.accepted));
    if !known {
        return (StatusCode::UNAUTHORIZED, Json(status(401, "Unauthorized"))).into_response();
    }
    match request.uri().path() {
        "/api" => Json(json!({ "kind": "APIVersions", "versions": ["v1"] })).into_response(),
        "/apis" => Json(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] })).into_response(),
        "/api/v1" => Json(json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [{
            "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"],
        }] }))
        .into_response(),
        "/api/v1/namespaces/default/pods" => Json(json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {},
            "items": [{ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "web-1", "namespace": "default" } }],
        }))
        .into_response(),
        _ => (StatusCode::NOT_FOUND, Json(status(404, "NotFound"))).into_response(),
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
            "message": reason })
}

#[test]
fn kubectl_gets_pods_with_our_token() {
    let cluster = Cluster::start("k8s-a-");
    cluster.gateway.signed_in();
    let kubeconfig = cluster.kubeconfig();
    let text = std::fs::read_to_string(&kubeconfig).unwrap();
    assert!(
        !text.contains("access-") && !text.contains("refresh-"),
        "a kubeconfig holds no secret: {text}"
    );
    let output = cluster.kubectl(&kubeconfig, &["get", "pods", "-o", "name"]);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(out(&output), "pod/web-1\n");
    assert!(
        cluster.seen().iter().all(|header| header == "Bearer k8s-a-1"),
        "{:?}",
        cluster.seen()
    );
    // Another kubectl is another parent: it reads the cache.
    assert!(cluster.kubectl(&kubeconfig, &["get", "pods"]).status.success());
    assert_eq!(cluster.gateway.desk.lock().unwrap().exchanges, 1);
}

#[test]
fn a_refused_token_is_replaced_within_a_limit() {
    let cluster = Cluster::start("nothing is accepted");
    cluster.gateway.signed_in();
    let kubeconfig = cluster.kubeconfig();
    let output = cluster.kubectl(&kubeconfig, &["get", "pods"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("You must be logged in to the server"),
        "{}",
        err(&output)
    );
    let exchanges = cluster.gateway.desk.lock().unwrap().exchanges;
    assert!(
        (2..=4).contains(&exchanges),
        "a fresh token after 401, but at most three more: {exchanges}"
    );
    assert!(
        cluster.seen().contains(&"Bearer k8s-a-2".to_owned()),
        "{:?}",
        cluster.seen()
    );
}

#[test]
fn a_refused_token_is_replaced_by_one_that_works() {
    let cluster = Cluster::start("k8s-a-2");
    cluster.gateway.signed_in();
    let kubeconfig = cluster.kubeconfig();
    // kubectl does not repeat the refused request, but asks on with the new token.
    let first = cluster.kubectl(&kubeconfig, &["get", "pods"]);
    let second = cluster.kubectl(&kubeconfig, &["get", "pods"]);
    assert!(
        first.status.success() || second.status.success(),
        "{} {}",
        err(&first),
        err(&second)
    );
}

#[test]
fn without_a_session_kubectl_shows_our_hint_at_once() {
    let cluster = Cluster::start("k8s-a-");
    cluster.gateway.signed_in();
    let kubeconfig = cluster.kubeconfig();
    assert!(cluster.gateway.run(&["logout"]).status.success());
    let begun = std::time::Instant::now();
    let output = cluster.kubectl(&kubeconfig, &["get", "pods"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("fedctl login --issuer"), "{}", err(&output));
    assert!(
        err(&output).contains("failed with exit code 3"),
        "{}",
        err(&output)
    );
    assert!(begun.elapsed().as_secs() < 20);
    assert!(
        cluster.seen().is_empty(),
        "nothing was sent without a token: {:?}",
        cluster.seen()
    );
}

fn question(cluster: &Cluster, version: &str) -> String {
    json!({ "kind": "ExecCredential", "apiVersion": version, "spec": { "interactive": false, "cluster": {
        "server": cluster.server, "config": { "issuer": cluster.gateway.issuer, "audience": "k8s-a",
            "ca": cluster.gateway.ca, "client_id": "fedctl" } } } })
    .to_string()
}

#[test]
fn the_plugin_repeats_the_version_it_was_asked_in() {
    let cluster = Cluster::start("k8s-a-");
    cluster.gateway.signed_in();
    for version in [
        "client.authentication.k8s.io/v1",
        "client.authentication.k8s.io/v1beta1",
    ] {
        let mut command = cluster.gateway.fedctl(&["kube", "credential"]);
        command.env_remove("FEDGATE_ISSUER").env_remove("FEDGATE_CA");
        let output = command
            .env("KUBERNETES_EXEC_INFO", question(&cluster, version))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", err(&output));
        let answer: Value = serde_json::from_str(&out(&output)).unwrap();
        assert_eq!(answer["apiVersion"], version);
        assert!(
            answer["status"]["expirationTimestamp"]
                .as_str()
                .unwrap()
                .ends_with('Z')
        );
        // This test is the parent of both runs: the second looks like the answer to a 401.
        assert!(answer["status"]["token"].as_str().unwrap().starts_with("k8s-a-"));
    }
    assert_eq!(cluster.gateway.desk.lock().unwrap().exchanges, 2);
}

#[test]
fn a_strange_question_gets_no_answer_on_stdout() {
    let cluster = Cluster::start("k8s-a-");
    cluster.gateway.signed_in();
    for text in ["", "[]", &question(&cluster, "client.authentication.k8s.io/v9")] {
        let mut command = cluster.gateway.fedctl(&["kube", "credential"]);
        let output = command.env("KUBERNETES_EXEC_INFO", text).output().unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
        assert!(err(&output).contains("KUBERNETES_EXEC_INFO"), "{}", err(&output));
    }
}

#[test]
fn a_kubeconfig_is_merged_and_http_is_refused() {
    let cluster = Cluster::start("k8s-a-");
    cluster.gateway.signed_in();
    let path = cluster.gateway.folder.path().join("kubeconfig");
    std::fs::write(
        &path,
        "apiVersion: v1\nkind: Config\ncurrent-context: mine\nclusters:\n- {name: mine, cluster: {server: 'https://m'}}\n\
         users:\n- {name: mine, user: {token: keep-me}}\ncontexts: []\npreferences: {colors: true}\n",
    )
    .unwrap();
    cluster.kubeconfig();
    cluster.kubeconfig();
    let output = cluster.kubectl(&path, &["config", "view", "--raw", "-o", "json"]);
    let merged: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(merged["current-context"], "mine");
    assert_eq!(merged["clusters"].as_array().unwrap().len(), 2);
    assert_eq!(merged["users"].as_array().unwrap().len(), 2);
    assert_eq!(merged["users"].to_string().matches("keep-me").count(), 1);
    let output = cluster.kubectl(&path, &["--context", "cluster-a", "get", "pods", "-o", "name"]);
    assert_eq!(out(&output), "pod/web-1\n", "{}", err(&output));

    let output = cluster.gateway.run(&["kube", "config", "--cluster", "other"]);
    assert_eq!(output.status.code(), Some(1));
    cluster.gateway.desk.lock().unwrap().clusters["clusters"][0]["server"] = json!("http://plain:6443");
    let output = cluster.gateway.run(&["kube", "config"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""));
    assert!(err(&output).contains("http://plain:6443"), "{}", err(&output));
}
