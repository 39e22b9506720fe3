//! Bad input: each gets OPA's error or ours, the live policy keeps answering, and nothing of it is lost.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::process::{Server, ask, fedgate};
use crate::parts::plain_client;

const POLICY: &str = "package live\n\nallow if input.x == data.numbers.x";

async fn live() -> Server {
    let server = fedgate(&["--no-authorization"]);
    let (status, _) = ask(&format!("{}/v1/policies/live", server.url), "PUT", Some(POLICY)).await;
    assert_eq!(status, 200);
    let numbers = format!("{}/v1/data/numbers", server.url);
    assert_eq!(ask(&numbers, "PUT", Some(r#"{"x": 7}"#)).await.0, 204);
    server
}

async fn assert_alive(server: &Server, after: &str) {
    let url = format!("{}/v1/data/live/allow", server.url);
    let (status, answer) = ask(&url, "POST", Some(r#"{"input": {"x": 7}}"#)).await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"result": true})),
        "{after}"
    );
    let (_, data) = ask(&format!("{}/v1/data/numbers", server.url), "GET", None).await;
    assert_eq!(data, json!({"result": {"x": 7}}), "{after}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let server = live().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: [(&str, &str, Vec<u8>); 9] = [
        (
            "POST",
            "/v1/data/live/allow",
            format!("{{\"input\": {deep}}}").into_bytes(),
        ),
        ("PUT", "/v1/data/numbers", deep.clone().into_bytes()),
        (
            "POST",
            "/v1/data/live/allow",
            b"{\"input\": \"\xff\xfe\"}".to_vec(),
        ),
        ("PUT", "/v1/data/numbers", b"\"\xc3\x28\"".to_vec()),
        ("PUT", "/v1/policies/live", b"package live\n\xff".to_vec()),
        ("PUT", "/v1/policies/live", b"package live\nallow if {".to_vec()),
        ("PUT", "/v1/data/live/allow", b"true".to_vec()),
        (
            "PATCH",
            "/v1/data/numbers",
            b"[{\"op\": \"remove\", \"path\": \"/x\"}, {\"op\": \"add\", \"path\": \"/y/z\"}]".to_vec(),
        ),
        ("POST", "/v1/query", b"{\"query\": ".to_vec()),
    ];
    for (method, path, body) in cases {
        let request = plain_client()
            .request(method.parse().unwrap(), format!("{}{path}", server.url))
            .body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let document: Value = answer.json().await.unwrap();
        assert!(status.is_client_error(), "{method} {path}: {status} {document}");
        assert!(
            document["code"].is_string() && document["message"].is_string(),
            "{document}"
        );
        assert_alive(&server, &format!("{method} {path}")).await;
    }
    // A parameter that nobody knows is ignored, as OPA ignores it.
    let (status, _) = ask(
        &format!("{}/v1/data/numbers?what=is&this", server.url),
        "GET",
        None,
    )
    .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_bomb_and_a_flood_of_bytes_are_bounded() {
    let server = live().await;
    let url = format!("{}/v1/data/live/allow", server.url);
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    let send = async |body: Vec<u8>, packed: bool| {
        let mut request = plain_client().post(&url).body(body);
        if packed {
            request = request.header("content-encoding", "gzip");
        }
        // Ours may answer before the body is sent whole; then the rest has nowhere to go.
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json::<Value>().await.unwrap()))
    };
    let (status, document) = send(bomb, true).await.unwrap();
    assert_eq!(status, 400);
    assert!(
        document["message"]
            .as_str()
            .unwrap()
            .ends_with("gzip payload too large")
    );
    assert_alive(&server, "a bomb").await;
    let said = plain_client()
        .post(&url)
        .header("content-length", "99999999999")
        .body("");
    if let Ok(answer) = said.send().await {
        assert_eq!(answer.status(), 400);
    }
    if let Some((status, document)) = send(vec![b' '; 17 << 20], false).await {
        assert_eq!(
            (status, document["message"].as_str()),
            (400, Some("request body too large"))
        );
    }
    assert_alive(&server, "a large body").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_evaluations_at_once_are_all_answered() {
    let server = live().await;
    let url = format!("{}/v1/data/live/allow", server.url);
    let client = plain_client();
    // Connections are bounded by the files that this process may open.
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(400));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..10_000_u32 {
        let (client, url, gate) = (client.clone(), url.clone(), gate.clone());
        running.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            let x = if number % 2 == 0 { 7 } else { 8 };
            let answer = client
                .post(&url)
                .body(format!("{{\"input\": {{\"x\": {x}}}}}"))
                .send()
                .await;
            let answer: Value = answer.unwrap().json().await.unwrap();
            let expected = if x == 7 {
                json!({"result": true})
            } else {
                json!({})
            };
            assert_eq!(answer, expected);
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    assert_alive(&server, "ten thousand").await;
}
