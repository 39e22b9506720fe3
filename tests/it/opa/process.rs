//! `fedgate policy serve` and the real `opa run --server` as processes on free ports.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::parts::{plain_client, port::free_port};

/// A server; it ends, by its own id, when dropped.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:<port>` or `https://…`.
    pub url: String,
    /// The same of the decisions door.
    pub decisions: Option<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts ours and reads from its output where it listens.
pub fn fedgate(arguments: &[&str]) -> Server {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["policy", "serve", "--addr", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("fedgate starts");
    let secure = arguments.contains(&"--tls-cert-file");
    let scheme = if secure { "https" } else { "http" };
    let both = arguments.contains(&"--decisions-addr");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut url, mut decisions) = (None, None);
    while url.is_none() || (both && decisions.is_none()) {
        let Some(Ok(line)) = lines.next() else {
            panic!("fedgate ended before it listened: {:?}", child.wait());
        };
        if let Some(address) = line.strip_prefix("listening on ") {
            url = Some(format!("{scheme}://{address}"));
        } else if let Some(address) = line.strip_prefix("decisions on ") {
            decisions = Some(format!("{scheme}://{address}"));
        }
    }
    // A full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    Server {
        child,
        url: url.unwrap(),
        decisions,
    }
}

/// Starts a whole gateway, whose configuration says where its doors are, and waits for its management door. Its log
/// is beside the configuration, in `log`.
pub async fn gateway(config: &Path, management: String, decisions: String) -> Server {
    let log = std::fs::File::create(config.with_file_name("log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_fedgate"))
        .args(["serve", "--config"])
        .arg(config)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .expect("fedgate starts");
    let mut server = Server {
        child,
        url: management,
        decisions: Some(decisions),
    };
    let client = plain_client();
    for _ in 0..1200 {
        if client.get(format!("{}/health", server.url)).send().await.is_ok() {
            return server;
        }
        if let Ok(Some(status)) = server.child.try_wait() {
            panic!("the gateway ended at once: {status}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the gateway did not answer within a minute");
}

/// Starts the real one.
pub async fn opa(binary: &Path, arguments: &[&str]) -> Server {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let child = Command::new(binary)
        .args(["run", "--server", "--disable-telemetry", "--addr", &address])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("opa starts");
    let server = Server {
        child,
        url: format!("http://{address}"),
        decisions: None,
    };
    let client = plain_client();
    for _ in 0..400 {
        if client.get(format!("{}/health", server.url)).send().await.is_ok() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the real OPA did not answer within 20 seconds");
}

/// One answer: status, and the body as JSON or as text.
pub async fn ask(url: &str, method: &str, body: Option<&str>) -> (StatusCode, Value) {
    let mut request = plain_client().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
    if let Some(body) = body {
        request = request.body(body.to_owned());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, value)
}
