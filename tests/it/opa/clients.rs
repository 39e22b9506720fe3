//! Real clients against ours: oslo.policy with its OPA check, opa-python-client, @open-policy-agent/opa.

use std::{
    fs,
    process::{Command, Output},
};

use super::process::{Server, fedgate};
use crate::parts::home;

const SERVICE: &str = r#"package identity.list_projects

default allow := false

allow if "member" in input.credentials.roles
"#;

fn run(command: &mut Command) -> Output {
    command.output().expect("the client starts")
}

fn python(script: &str, arguments: &[&str]) -> String {
    let environment = home().join("opa-clients");
    assert!(
        environment.join("ready").exists(),
        "OPA's clients are not installed: run tests/parts/opa-clients.sh"
    );
    let output = run(Command::new(environment.join("venv/bin/python"))
        .args(["-c", script])
        .args(arguments));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    said
}

fn serve() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("identity.rego"), SERVICE).unwrap();
    let text = "package broken.rule\n\nallow := 1 if input.credentials\nallow := 2 if input.credentials";
    fs::write(folder.path().join("broken.rego"), text).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let server = fedgate(&["--no-authorization", "--decisions-addr", "127.0.0.1:0", &path]);
    (folder, server)
}

#[test]
fn oslo_policy_is_decided_by_us_and_never_falls_back() {
    let (_folder, server) = serve();
    let script = include_str!("oslo_policy.py");
    let said = python(script, &[server.decisions.as_deref().unwrap()]);
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "member True",
            "reader False",
            // The default rule of this check is `@` (allow): a failure that fell back would be True.
            "broken False",
            "missing False",
            "odd target False",
        ]
    );
    // The real OPA's answer to a broken rule is 500, at which oslo.policy falls back: what the door is for.
    let said = python(script, &[&server.url]);
    assert!(said.contains("broken True"), "{said}");
}

#[test]
fn opa_python_client_manages_and_asks() {
    let (_folder, server) = serve();
    let address = server.url.trim_start_matches("http://");
    let (host, port) = address.rsplit_once(':').unwrap();
    let said = python(include_str!("python_client.py"), &[host, port]);
    assert!(said.ends_with("all done\n"), "{said}");
}

#[test]
fn the_npm_client_asks() {
    let (_folder, server) = serve();
    let folder = home().join("opa-clients");
    assert!(folder.join("ready").exists(), "run tests/parts/opa-clients.sh");
    let output = run(Command::new("node")
        .args(["--input-type=module", "--eval", include_str!("npm_client.mjs")])
        .env("OPA_URL", &server.url)
        .current_dir(folder));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.ends_with("all done\n"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
