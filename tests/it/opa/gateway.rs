//! The doors of a whole gateway: services' policies beside its own, which can be asked and not written.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use super::process::{ask, gateway};
use crate::parts::{plain_client, port::free_port};

const NOVA: &str =
    "package nova\n\ndefault allow := false\n\nallow if \"member\" in input.credentials.roles\n";

fn secret(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn services_ask_and_callers_manage_beside_the_gateways_own_policies() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    secret(folder.path(), "secret.key", "0123456789abcdef0123456789abcdef");
    secret(folder.path(), "ops.token", "ops-token-0123456789");
    secret(folder.path(), "nova.token", "nova-token-0123456789");
    fs::create_dir(at("services")).unwrap();
    fs::write(at("services/nova.rego"), NOVA).unwrap();
    let (main, decisions, management) = (free_port(), free_port(), free_port());
    let config = format!(
        "issuer: http://127.0.0.1:{main}\nname: Test\nlisten: {{ address: \"127.0.0.1:{main}\" }}\n\
         secret_key: {{ file: secret.key }}\n\
         policy:\n  decision_logs: {{ console: true }}\n  rest:\n    folder: services\n    decisions: {{ address: \"127.0.0.1:{decisions}\" }}\n    \
         management:\n      address: \"127.0.0.1:{management}\"\n      callers:\n        \
         - {{ name: ops, token: {{ file: ops.token }}, may: [decide, write, read] }}\n        \
         - {{ name: nova, token: {{ file: nova.token }}, may: [decide] }}\n"
    );
    fs::write(at("fedgate.yaml"), config).unwrap();
    let server = gateway(
        &at("fedgate.yaml"),
        format!("http://127.0.0.1:{management}"),
        format!("http://127.0.0.1:{decisions}"),
    )
    .await;

    let door = server.decisions.clone().unwrap();
    let member = r#"{"input": {"credentials": {"roles": ["member"]}}}"#;
    let (_, answer) = ask(&format!("{door}/v1/data/nova/allow"), "POST", Some(member)).await;
    assert_eq!(answer["result"], json!(true));
    // The gateway's own decision can be asked as any other; its rules cannot be read.
    let own = format!("{door}/v1/data/federation/access/decision");
    let (_, answer) = ask(&own, "POST", Some(r#"{"input": {}}"#)).await;
    assert_eq!(answer["result"]["allow"], json!(false), "{answer}");
    let (_, answer) = ask(&format!("{door}/v1/data/fed"), "POST", Some("{}")).await;
    assert_eq!(answer, json!({}));

    let send = async |token: &str, method: &str, path: &str, body: &str| {
        let request = plain_client()
            .request(method.parse().unwrap(), format!("{}{path}", server.url))
            .bearer_auth(token)
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or(Value::Null))
    };
    let (nova, ops) = ("nova-token-0123456789", "ops-token-0123456789");
    for (token, method, path) in [
        ("nobody", "GET", "/health"),
        (nova, "PUT", "/v1/data/x"),
        (nova, "GET", "/v1/policies"),
        (nova, "POST", "/v1/query"),
        (nova, "POST", "/v1/data/fed"),
        (nova, "POST", "/v1/data//fed/rules"),
        (nova, "POST", "/v1/data/%66ed"),
        (nova, "POST", "/v1/data"),
        (nova, "POST", "/v1/data/system/callers"),
    ] {
        let (status, answer) = send(token, method, path, "{}").await;
        assert_eq!(
            (status, &answer["code"]),
            (401, &json!("unauthorized")),
            "{method} {path}: {answer}"
        );
    }
    assert_eq!(
        send(nova, "POST", "/v1/data/nova/allow", member).await.1["result"],
        json!(true)
    );
    for (path, body) in [
        ("/v1/data/fed/rules", "{}"),
        ("/v1/data/federation/x", "1"),
        ("/v1/data", "{}"),
        ("/v1/policies/mine", "package federation.access\n\nextra := 1"),
        ("/v1/policies/authz", "package system.authz\n\nallow := true"),
        ("/v1/data/system/callers/nova", r#"["write"]"#),
    ] {
        let (status, answer) = send(ops, "PUT", path, body).await;
        assert_eq!(status, 400, "{path}: {answer}");
        let said = answer["message"].as_str().unwrap();
        assert!(
            said.contains("owned by bundle") || said.contains("bundle roots"),
            "{said}"
        );
    }
    assert_eq!(
        send(
            ops,
            "PUT",
            "/v1/policies/glance",
            "package glance\n\nallow := true"
        )
        .await
        .0,
        200
    );
    let (_, answer) = ask(&format!("{door}/v1/data/glance/allow"), "POST", Some(member)).await;
    assert_eq!(answer["result"], json!(true));
    // Decisions are written down, so each has its id.
    assert_eq!(answer["decision_id"].as_str().map(str::len), Some(36));
    // A mask rule that is put over REST holds for the log of all decisions from then on.
    let mask = "package system.log\n\nmask contains \"/input/password\"\n\ndrop if input.input.quiet";
    assert_eq!(send(ops, "PUT", "/v1/policies/mask", mask).await.0, 200);
    let glance = format!("{door}/v1/data/glance/allow");
    let secret = r#"{"input": {"password": "hidden-7531", "user": "shown-7531"}}"#;
    ask(&glance, "POST", Some(secret)).await;
    ask(
        &glance,
        "POST",
        Some(r#"{"input": {"quiet": true, "user": "dropped-7531"}}"#),
    )
    .await;
    ask(&glance, "POST", Some(r#"{"input": {"user": "last-7531"}}"#)).await;
    let log = || fs::read_to_string(at("log")).unwrap();
    for _ in 0..100 {
        if log().contains("last-7531") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let log = log();
    assert!(log.contains("shown-7531") && log.contains("last-7531"), "{log}");
    assert!(
        !log.contains("hidden-7531") && !log.contains("dropped-7531"),
        "{log}"
    );
    assert!(log.contains("/input/password"), "{log}");
    let (status, answer) = send(ops, "GET", "/v1/data/fed", "").await;
    assert!(status == 200 && answer["result"]["rules"].is_object(), "{answer}");
    let (_, metrics) = ask(&format!("http://127.0.0.1:{main}/metrics"), "GET", None).await;
    assert!(
        metrics.as_str().unwrap().contains("handler=\"v1/data\""),
        "{metrics}"
    );
}
