//! A gateway of one cloud with two tenants, whose people have passwords here, in front of a real Keystone.

use std::{path::PathBuf, process::Output};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    gateway::keep,
    keystone::{Keystone, Wish},
    plain_client,
    port::free_port,
    serving::{self, Serving},
};

/// How this cloud's identity headers begin.
pub const PREFIX: &str = "OIDC-";
/// Where a command line waits for Keystone's token. Every Keystone of the tests trusts it.
pub const DASHBOARD: &str = "http://localhost:9990/auth/websso/";
/// Everybody's.
pub const PASSWORD: &str = "a-long-password-of-a-person";
/// That of the clients `script` and `beta-script`.
pub const SECRET: &str = "a-long-secret-of-a-program-0123456789";
/// Where a bearer token is exchanged.
pub const AUTH: &str = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";

/// Both, running.
pub struct Cloud {
    pub folder: tempfile::TempDir,
    pub issuer: String,
    pub keystone: Keystone,
    /// Where Keystone keeps its state.
    pub state: PathBuf,
    serving: Option<Serving>,
}

/// Alice has `webshop` of acme, `lab` of acme's second domain and one whose name is odd; bob has `bench` of acme,
/// carol a `webshop`, too, of beta.
fn config(issuer: &str, port: u16, (keystone, schema): (&str, &str)) -> String {
    format!(
        r#"issuer: {issuer}
name: Cloud
listen: {{ address: "127.0.0.1:{port}" }}
secret_key: {{ file: secret.key }}
store: {{ records: {{ kind: sqlite, path: fedgate.db }} }}
tenants:
  - {{ id: acme, name: ACME, domains: [acme, acme-labs] }}
  - {{ id: beta, name: Beta, domains: [beta] }}
upstreams:
  - kind: local
    id: staff
    name: Staff
    tenant: acme
    mapping: {{ groups: [{{ rule: all, claim: groups, accept: ["*"] }}] }}
    users:
      - {{ username: alice, email: alice@acme.example, groups: [developers, operators], password_hash: {{ file: person.hash }} }}
      - {{ username: bob, groups: [testers], password_hash: {{ file: person.hash }} }}
      - {{ username: nobody, groups: [guests], password_hash: {{ file: person.hash }} }}
  - kind: local
    id: beta-staff
    name: Staff of Beta
    tenant: beta
    mapping: {{ groups: [{{ rule: all, claim: groups, accept: ["*"] }}] }}
    users:
      - {{ username: carol, groups: [developers], password_hash: {{ file: person.hash }} }}
targets:
  - kind: keystone
    id: openstack
    name: OpenStack
    audience: openstack
    url: {keystone}
    mapping_schema: "{schema}"
    timeout_s: 60
    dashboards: [{{ name: A command line, origin: "{DASHBOARD}", logout_returns: ["{DASHBOARD}"] }}]
    admin: {{ by: password, user: admin, project: admin, password: {{ file: admin.password }} }}
clients:
  - {{ id: script, name: A script, auth: {{ method: secret, secret: {{ file: program.secret }} }}, grants: [password], scopes: [openid], audiences: [openstack], tenant: acme }}
  - {{ id: beta-script, name: A script, auth: {{ method: secret, secret: {{ file: program.secret }} }}, grants: [password], scopes: [openid], audiences: [openstack], tenant: beta }}
access:
  - {{ rule: build, tenant: acme, group: developers, target: openstack, projects: [{{ domain: acme, project: webshop, roles: [member] }}] }}
  - {{ rule: run, tenant: acme, group: operators, target: openstack, projects: [{{ domain: acme-labs, project: lab, roles: [reader] }}, {{ domain: acme, project: "größe; name 'x'", roles: [reader, member] }}] }}
  - {{ rule: test, tenant: acme, group: testers, target: openstack, projects: [{{ domain: acme, project: bench, roles: [member] }}] }}
  - {{ rule: beta-build, tenant: beta, group: developers, target: openstack, projects: [{{ domain: beta, project: webshop, roles: [member] }}] }}
"#
    )
}

impl Cloud {
    /// Starts both, with this schema of mapping rules; over uwsgi if a socket is wished. Keystone is not set up yet.
    pub async fn start(wish: Wish<'_>, schema: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, keystone_port) = (free_port(), free_port());
        let issuer = format!("http://127.0.0.1:{port}");
        let state = folder.path().join("keystone");
        let wish = Wish {
            header_prefix: PREFIX,
            dir: Some(&state),
            port: Some(keystone_port),
            ..wish
        };
        let put = |name: &str, text: &str| keep(&folder.path().join(name), text);
        put("secret.key", "0123456789-0123456789-0123456789-0123456789");
        put("program.secret", SECRET);
        put("admin.password", "adminpw");
        put(
            "person.hash",
            &fedgate::app::operate::hash_password(PASSWORD).unwrap(),
        );
        let keystone_url = match wish.socket {
            Some(socket) => format!("uwsgi://{}", socket.display()),
            None => format!("http://127.0.0.1:{keystone_port}\n    header_prefix: {PREFIX}"),
        };
        put("fedgate.yaml", &config(&issuer, port, (&keystone_url, schema)));
        let keystone = Keystone::start_as(&issuer, &wish).await;
        let serving = Some(Serving::answering(folder.path(), &issuer).await);
        Self {
            folder,
            issuer,
            keystone,
            state,
            serving,
        }
    }

    /// What the gateway has logged.
    pub fn log(&self) -> String {
        serving::log(self.folder.path())
    }

    /// Takes the rule for operators away: alice keeps `webshop` alone. The gateway knows a moment later.
    pub fn end_rule_run(&self) {
        self.configure(|text| without(text, "rule: run,", 1));
    }

    /// Changes the configuration, and has the gateway read it again.
    pub fn configure(&self, change: impl FnOnce(&str) -> String) {
        let path = self.folder.path().join("fedgate.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        keep(&path, &change(&text));
        self.serving.as_ref().unwrap().hang_up();
    }

    /// Ends the gateway by SIGKILL.
    pub fn kill(&mut self) {
        self.serving = None;
    }

    /// Starts the gateway on what it had.
    pub async fn serve_again(&mut self) {
        self.serving = Some(Serving::answering(self.folder.path(), &self.issuer).await);
    }

    /// Starts Keystone 30 again on what it had, after `keystone.stop()`.
    pub async fn keystone_again(&mut self) {
        let port = self.keystone.url.rsplit_once(':').unwrap().1;
        let wish = Wish {
            header_prefix: PREFIX,
            dir: Some(&self.state),
            port: Some(port.parse().unwrap()),
            ..Wish::default()
        };
        self.keystone = Keystone::start_as(&self.issuer, &wish).await;
    }

    /// An operator's command.
    pub fn fedgate(&self, arguments: &[&str]) -> Output {
        serving::command(self.folder.path(), arguments).output().unwrap()
    }

    /// `fedgate keystone setup`, which must work: its lines.
    pub fn set_up(&self, more: &[&str]) -> String {
        let done = self.fedgate(&[&["keystone", "setup"], more].concat());
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// `fedgate doctor`: its exit code and what it found.
    pub fn doctor(&self, more: &[&str]) -> (i32, Vec<Value>) {
        let done = self.fedgate(&[&["doctor", "--output", "json"], more].concat());
        let findings = serde_json::from_slice(&done.stdout);
        let findings = findings.unwrap_or_else(|_| panic!("{done:?}"));
        (done.status.code().unwrap(), findings)
    }

    /// A token of this gateway for OpenStack, by the person's password.
    pub async fn bearer(&self, client: &str, username: &str) -> String {
        let body = granted(&self.issuer, client, username, "openid").await;
        let token = body["access_token"].as_str();
        token
            .unwrap_or_else(|| panic!("{username}: {body}\n{}", self.log()))
            .to_owned()
    }

    /// Signs somebody in: Keystone's unscoped token, and what it says of it.
    pub async fn sign_in(&self, client: &str, username: &str) -> (String, Value) {
        let bearer = self.bearer(client, username).await;
        let made = unscoped(&self.issuer, &bearer).await;
        made.unwrap_or_else(|status| panic!("{username}: {status}\n{}", self.log()))
    }

    /// The projects that a token may be scoped to, as `name`, sorted.
    pub async fn projects(&self, token: &str) -> Vec<String> {
        let request = plain_client()
            .get(format!("{}/v3/auth/projects", self.issuer))
            .header("x-auth-token", token);
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let projects = body["projects"].as_array().unwrap_or_else(|| panic!("{body}"));
        let mut names: Vec<String> = projects
            .iter()
            .map(|project| project["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// A token for one project, and what Keystone says of it; or its refusal.
    pub async fn scoped(&self, token: &str, project: (&str, &str)) -> Result<(String, Value), StatusCode> {
        scoped(&self.issuer, token, project).await
    }
}

/// A text without the lines that say this: so many.
pub fn without(text: &str, word: &str, count: usize) -> String {
    let (gone, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains(word));
    assert_eq!(gone.len(), count, "{word}");
    rest.join("\n") + "\n"
}

/// The names of the roles in Keystone's document of a token, sorted.
pub fn roles(body: &Value) -> Vec<&str> {
    let roles = body["token"]["roles"].as_array().unwrap();
    let mut names: Vec<&str> = roles.iter().map(|role| role["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// What the token endpoint answers to a person's password.
pub async fn granted(issuer: &str, client: &str, username: &str, scope: &str) -> Value {
    let form = [
        ("grant_type", "password"),
        ("username", username),
        ("password", PASSWORD),
        ("scope", scope),
    ];
    let request = plain_client().post(format!("{issuer}/oauth2/token"));
    let request = request.basic_auth(client, Some(SECRET)).form(&form);
    request.send().await.unwrap().json().await.unwrap()
}

/// Keystone's unscoped token for one of this gateway, and what it says of it; or its refusal.
pub async fn unscoped(issuer: &str, bearer: &str) -> Result<(String, Value), StatusCode> {
    let request = plain_client().post(format!("{issuer}{AUTH}"));
    made(request.bearer_auth(bearer)).await
}

/// A token for a project, domain first, by one without; asked at `base`.
pub async fn scoped(
    base: &str,
    token: &str,
    (domain, project): (&str, &str),
) -> Result<(String, Value), StatusCode> {
    let body = json!({ "auth": { "identity": { "methods": ["token"], "token": { "id": token } },
        "scope": { "project": { "name": project, "domain": { "name": domain } } } } });
    let request = plain_client().post(format!("{base}/v3/auth/tokens"));
    made(request.json(&body)).await
}

async fn made(request: reqwest::RequestBuilder) -> Result<(String, Value), StatusCode> {
    let answer = request.send().await.unwrap();
    if answer.status() != StatusCode::CREATED {
        return Err(answer.status());
    }
    let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
    Ok((token, answer.json().await.unwrap()))
}
