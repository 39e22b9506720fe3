//! `client_credentials` with ES256 at a real gateway, against a bare handler, by `wrk` in turns.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    port::free_port,
    process::Server,
    report::{Limit, Report},
    settings::{self, Ports, SECRET},
};

/// Turns of each side.
const TURNS: usize = 3;
const CONNECTIONS: &str = "64";

pub fn run(report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports {
        home: free_port(),
        cloud: 0,
    };
    settings::home(folder.path(), ports, None);
    let gateway = Server::gateway(folder.path(), ports.home);
    let script = folder.path().join("token.lua");
    let form = format!("grant_type=client_credentials&client_id=batch&client_secret={SECRET}");
    let text = format!(
        "wrk.method = \"POST\"\nwrk.body = \"{form}\"\n\
         wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"\n"
    );
    std::fs::write(&script, text).unwrap();
    let port = free_port();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["bare", &port.to_string(), &one_token(&gateway, form)]);
    let bare = Server::start(command, (port, "/readyz"), folder.path().join("bare.log"));

    let (mut of_gateway, mut of_bare) = (Speed::default(), Speed::default());
    for server in [&gateway, &bare] {
        wrk(server, &script, "2s");
    }
    for _ in 0..TURNS {
        of_gateway.add(&gateway, || wrk(&gateway, &script, "4s"));
        of_bare.add(&bare, || wrk(&bare, &script, "4s"));
    }
    let (ours, theirs) = (of_gateway.per_second(), of_bare.per_second());
    report.add(
        (
            "credentials_per_cpu_s",
            "client_credentials, ES256, audited, SQLite",
        ),
        ours,
        "per CPU-second",
        Limit::Told,
    );
    report.add(
        ("bare_per_cpu_s", "a bare handler that only signs the same token"),
        theirs,
        "per CPU-second",
        Limit::Told,
    );
    report.add(
        ("credentials_to_bare", "the first to the second"),
        ours / theirs,
        "",
        Limit::AtLeast(0.5),
    );
}

/// What a server did, and what it used for it.
#[derive(Default)]
pub struct Speed {
    done: f64,
    cpu_seconds: f64,
}

impl Speed {
    pub fn add(&mut self, server: &Server, work: impl FnOnce() -> f64) {
        let before = server.cpu_seconds();
        self.done += work();
        self.cpu_seconds += server.cpu_seconds() - before;
    }

    pub fn per_second(&self) -> f64 {
        self.done / self.cpu_seconds
    }
}

/// A token of the gateway, for the bare handler to repeat.
fn one_token(gateway: &Server, form: String) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer: Value = runtime.block_on(async {
        let client = crate::walk::client();
        let request = client
            .post(gateway.at("/oauth2/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        request.send().await.unwrap().json().await.unwrap()
    });
    answer["access_token"].as_str().expect("a token").to_owned()
}

/// Loads a server; how many requests it has answered. One that was refused would be cheap: there may be none.
fn wrk(server: &Server, script: &Path, span: &str) -> f64 {
    let out = Command::new("wrk")
        .args(["-t1", "-c", CONNECTIONS, "-d", span, "-s"])
        .arg(script)
        .arg(server.at("/oauth2/token"))
        .stdin(Stdio::null())
        .output()
        .expect("wrk is missing: run tests/parts/system.sh bench");
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && !text.contains("Non-2xx"), "{text}");
    let line = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .expect(&text);
    line.split_whitespace().next().unwrap().parse().unwrap()
}
