//! The decisions door never says anything but 200; the management door asks `system.authz`, and denies without it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use super::process::{ask, fedgate};
use crate::{bundles::opa, parts::certificates::Authority};

const POLICY: &str = r#"package nova

default allow := false

allow if "member" in input.credentials.roles

broken if to_number(input.credentials.roles) > 1

conflict := 1 if input.a
conflict := 2 if input.a

endless := count([1 |
	some a in numbers.range(1, 4000)
	some b in numbers.range(1, 4000)
	a == b
])

secret := data.hidden.token
"#;

const WEB: &str = r#"package web

allow if {
	input.method == "GET"
	input.path[0] == "public"
}

allow := {"allowed": true} if input.headers.authorization == "Bearer good"
"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[tokio::test]
async fn the_decisions_door_answers_200_whatever_happens() {
    let files = folder(&[
        ("nova.rego", POLICY),
        ("hidden/data.json", r#"{"token": "never shown"}"#),
    ]);
    let server = fedgate(&[
        "--no-authorization",
        "--decisions-addr",
        "127.0.0.1:0",
        files.path().to_str().unwrap(),
    ]);
    let door = server.decisions.clone().unwrap();
    let decide = async |path: &str, body: &str| {
        let (status, answer) = ask(&format!("{door}/v1/data/{path}"), "POST", Some(body)).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    };
    let denied = json!({"result": false});
    let member = r#"{"input": {"credentials": {"roles": ["member"]}}}"#;
    assert_eq!(decide("nova/allow", member).await, json!({"result": true}));
    let reader = member.replace("member", "reader");
    assert_eq!(decide("nova/allow", &reader).await, denied);
    assert_eq!(decide("nova/conflict", r#"{"input": {"a": true}}"#).await, denied);
    assert_eq!(decide("nova/endless", "{}").await, denied);
    // Neither a body that cannot be read nor one that is too deep may be a way to a service's default rule.
    let deep = format!("{{\"input\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    for body in ["{\"input\": ", "no JSON", &deep] {
        assert_eq!(decide("nova/allow", body).await, denied, "{body:.20}");
    }
    // Rules alone are answered: no data, no packages.
    for path in ["hidden", "hidden/token", "nothing", "", "system"] {
        assert_eq!(decide(path, "{}").await, json!({}), "{path}");
    }
    // Nothing else is there, and nothing can be written.
    for (method, path) in [
        ("PUT", "/v1/data/a"),
        ("GET", "/v1/data/hidden"),
        ("PUT", "/v1/policies/x"),
        ("GET", "/v1/policies"),
        ("POST", "/v1/query"),
        ("GET", "/metrics"),
    ] {
        let (status, _) = ask(&format!("{door}{path}"), method, Some("{}")).await;
        assert!(status.is_client_error(), "{method} {path}: {status}");
    }
    let (status, _) = ask(&format!("{door}/health"), "GET", None).await;
    assert_eq!(status, 200);
    // The management door says what was wrong, and the figures count it.
    let (status, answer) = ask(
        &format!("{}/v1/data/nova/endless", server.url),
        "POST",
        Some("{}"),
    )
    .await;
    assert_eq!(
        (status.as_u16(), answer["code"].as_str()),
        (500, Some("internal_error"))
    );
    assert_eq!(answer["errors"][0]["code"], "eval_cancel_error");
    let (_, metrics) = ask(&format!("{}/metrics", server.url), "GET", None).await;
    let metrics = metrics.as_str().unwrap();
    for line in [
        "fedgate_policy_fallbacks_total{reason=\"evaluation\"} 2",
        "fedgate_policy_fallbacks_total{reason=\"request\"} 3",
        "http_request_duration_seconds_count{code=\"200\",handler=\"v1/data\",method=\"post\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn proxies_get_a_status() {
    let files = folder(&[("web.rego", WEB)]);
    let server = fedgate(&[
        "--no-authorization",
        "--decisions-addr",
        "127.0.0.1:0",
        files.path().to_str().unwrap(),
    ]);
    let door = server.decisions.clone().unwrap();
    let check = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = crate::parts::plain_client().get(format!("{door}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let public = [("x-original-uri", "/public/x"), ("x-original-method", "GET")];
    let private = ("x-original-uri", "/private");
    assert_eq!(check("/authz/web/allow", &public).await, 200);
    assert_eq!(check("/authz/web/allow", &[private]).await, 401);
    assert_eq!(
        check("/authz/web/allow", &[private, ("authorization", "Bearer bad")]).await,
        403
    );
    assert_eq!(
        check("/authz/web/allow", &[private, ("authorization", "Bearer good")]).await,
        200
    );
    assert_eq!(check("/authz/web/allow/-/public/y", &[]).await, 200);
    assert_eq!(check("/authz/web/allow/-/other", &[]).await, 401);
    // A package is no rule.
    assert_eq!(check("/authz/web", &public).await, 401);
    // A conflict of the policy is no pass.
    let both = [public[0], public[1], ("authorization", "Bearer good")];
    assert_eq!(check("/authz/web/allow", &both).await, 403);
}

const AUTHZ: &str = r#"package system.authz

default allow := {"allowed": false, "reason": "not you"}

allow := {"allowed": true} if input.identity == "bob"
allow := {"allowed": true} if {
	input.path == ["v1", "data", "x"]
	input.body.input.door == "open"
}
"#;

#[tokio::test]
async fn system_authz_governs_the_management_door() {
    let without = fedgate(&["--authentication", "token"]);
    let (status, answer) = ask(&format!("{}/health", without.url), "GET", None).await;
    assert_eq!(status, 500);
    assert_eq!(
        answer,
        json!({"code": "internal_error", "message": "authorization policy missing or undefined"})
    );

    let files = folder(&[("authz.rego", AUTHZ), ("x.rego", "package x\n\nshown := input")]);
    let server = fedgate(&["--authentication", "token", files.path().to_str().unwrap()]);
    let send = async |method: &str, path: &str, token: Option<&str>, body: &str| {
        let method = method.parse().unwrap();
        let mut request = crate::parts::plain_client().request(method, format!("{}{path}", server.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or(Value::Null))
    };
    for (path, token) in [("/health", None), ("/metrics", Some("alice")), ("/v1/data", None)] {
        let (status, answer) = send("GET", path, token, "").await;
        assert_eq!(status, 401, "{path}");
        assert_eq!(answer, json!({"code": "unauthorized", "message": "not you"}));
    }
    assert_eq!(send("GET", "/health", Some("bob"), "").await.0, 200);
    assert_eq!(send("PUT", "/v1/data/y", Some("alice"), "1").await.0, 401);
    assert_eq!(send("PUT", "/v1/data/y", Some("bob"), "1").await.0, 204);
    // The policy saw the body, and the handler sees it again.
    let open = r#"{"input": {"door": "open"}}"#;
    let (status, answer) = send("POST", "/v1/data/x", None, open).await;
    assert_eq!(
        (status, &answer["result"]["shown"]["door"]),
        (200, &json!("open"))
    );
}

#[test]
fn nobody_serves_without_authorization_to_other_machines() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["policy", "serve", "--addr", "0.0.0.0:0", "--no-authorization"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("listen on 127.0.0.1"), "{said}");
}

#[tokio::test]
async fn a_client_certificate_is_an_identity() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let authority = Authority::new("clients");
    let files = folder(&[(
        "authz.rego",
        "package system.authz\n\nallow if input.identity == \"CN=test server\"",
    )]);
    let ca = authority.write(files.path());
    let pair = authority.server();
    let (certificate, key) = pair.write(files.path(), "server");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let server = fedgate(&[
        "--tls-cert-file",
        certificate.to_str().unwrap(),
        "--tls-private-key-file",
        key.to_str().unwrap(),
        "--tls-ca-cert-file",
        ca.to_str().unwrap(),
        files.path().join("authz.rego").to_str().unwrap(),
    ]);
    let builder = || {
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
    };
    let url = format!("{}/health", server.url);
    assert!(builder().build().unwrap().get(&url).send().await.is_err());
    let client = authority.client("test server");
    let identity = format!("{}{}", client.certificate, client.key);
    let known = builder()
        .identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap())
        .build()
        .unwrap();
    assert_eq!(known.get(&url).send().await.unwrap().status(), 200);
    let other = authority.client("somebody");
    let identity = format!("{}{}", other.certificate, other.key);
    let unknown = builder()
        .identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap())
        .build()
        .unwrap();
    assert_eq!(unknown.get(&url).send().await.unwrap().status(), 500);
}

#[tokio::test]
async fn bundles_are_served_with_the_signature_that_is_asked_for() {
    let Some(binary) = crate::parts::opa::binary() else {
        return;
    };
    let work = folder(&[("policies/p.rego", "package p\n\nallow := true")]);
    let at = |name: &str| work.path().join(name);
    let (private, public) = opa::pair("RS256");
    let (_, other) = opa::pair("RS256");
    for (name, text) in [
        ("private.pem", &private),
        ("public.pem", &public),
        ("other.pem", &other),
    ] {
        fs::write(at(name), text).unwrap();
    }
    // The name of the key stands in the signature, the scope too.
    fs::write(at("claims.json"), r#"{"keyid": "main", "scope": "write"}"#).unwrap();
    let build = [
        "build",
        "-b",
        "policies",
        "-o",
        "signed.tar.gz",
        "--signing-key",
        "private.pem",
    ];
    opa::run(
        &binary,
        work.path(),
        &[&build[..], &["--claims-file", "claims.json"]].concat(),
    );
    opa::run(
        &binary,
        work.path(),
        &["build", "-b", "policies", "-o", "plain.tar.gz"],
    );
    let path = |name: &str| at(name).to_str().unwrap().to_owned();
    let (signed, plain) = (path("signed.tar.gz"), path("plain.tar.gz"));
    let (key, wrong) = (path("public.pem"), path("other.pem"));
    let named = ["--verification-key-id", "main", "--scope", "write"];
    let good = [&["--bundle", &signed, "--verification-key", &key], &named[..]].concat();
    for arguments in [
        good.clone(),
        vec!["--bundle", &signed, "--skip-verify"],
        vec!["--bundle", &plain],
    ] {
        let server = fedgate(&[&["--no-authorization"], arguments.as_slice()].concat());
        let (status, answer) = ask(&format!("{}/v1/data/p/allow", server.url), "GET", None).await;
        assert_eq!(
            (status.as_u16(), &answer["result"]),
            (200, &json!(true)),
            "{arguments:?}"
        );
        let theirs = super::process::opa(&binary, &arguments).await;
        let (_, answer) = ask(&format!("{}/v1/data/p/allow", theirs.url), "GET", None).await;
        assert_eq!(answer["result"], json!(true), "opa {arguments:?}");
    }
    for (arguments, part) in [
        (vec!["--bundle", &signed], "verification key not provided"),
        (
            vec!["--bundle", &plain, "--verification-key", &key],
            "missing .signatures.json",
        ),
        (
            [&["--bundle", &signed, "--verification-key", &wrong], &named[..]].concat(),
            "signature",
        ),
        (
            vec![
                "--bundle",
                &signed,
                "--verification-key",
                &key,
                "--verification-key-id",
                "main",
            ],
            "scope mismatch",
        ),
        (
            vec!["--bundle", &signed, "--verification-key", "no key"],
            "--verification-key",
        ),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_fedgate"))
            .args(["policy", "serve", "--addr", "127.0.0.1:0", "--no-authorization"])
            .args(&arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains(part),
            "{arguments:?}: {said}"
        );
    }
}
