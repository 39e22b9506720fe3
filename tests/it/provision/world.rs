//! A gateway for two tenants, and a Keystone with one of their domains' managers.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, Row as _};

use crate::parts::{
    cloud::{self, SECRET},
    gateway::keep,
    keystone::{Keystone, Wish},
    plain_client,
    port::free_port,
    postgres::{Postgres, as_sqlalchemy},
    serving::{self, Serving},
};

pub use crate::parts::cloud::PASSWORD;

pub const PREFIX: &str = "Fedgate-7f3a-";

/// Both, and the administrator's token.
pub struct World {
    pub folder: tempfile::TempDir,
    pub issuer: String,
    pub port: u16,
    pub keystone: Option<Keystone>,
    pub url: String,
    pub keystone_port: u16,
    pub admin: Admin,
    pub serving: Option<Serving>,
    /// Where Keystone's tables are, and who keeps them.
    database: String,
    _postgres: Arc<Postgres>,
}

/// Keystone's administrator, who looks at what happened.
#[derive(Clone)]
pub struct Admin {
    pub url: String,
    pub token: String,
}

/// Groups of the people whose passwords the gateway takes itself.
pub const ALICE: &str = "[developers, operators]";

pub fn config(issuer: &str, port: u16, keystone: &str, alice: &str) -> String {
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
      - {{ username: alice, email: alice@acme.example, groups: {alice}, password_hash: {{ file: alice.hash }} }}
      - {{ username: bob, groups: [developers], password_hash: {{ file: alice.hash }} }}
      - {{ username: nobody, groups: [guests], password_hash: {{ file: alice.hash }} }}
  - kind: oidc
    id: corp
    name: Corp
    tenant: beta
    issuer: http://127.0.0.1:9
    client_id: cloud
    client_secret: {{ file: program.secret }}
    addresses: loopback
    mapping: {{ groups: [{{ rule: all, claim: groups, accept: ["*"] }}] }}
targets:
  - kind: keystone
    id: openstack
    name: OpenStack
    audience: openstack
    url: {keystone}
    header_prefix: {PREFIX}
    timeout_s: 60
    admin: {{ by: password, user: admin, project: admin, password: {{ file: admin.password }} }}
    provision: {{ user: fedgate-provision, password: {{ file: manager.password }}, within_s: 30, delete_after_days: 30 }}
clients:
  - id: script
    name: A script
    auth: {{ method: secret, secret: {{ file: program.secret }} }}
    grants: [password, refresh_token]
    scopes: [openid, offline_access]
    audiences: [openstack]
    tenant: acme
access:
  - {{ rule: build, tenant: acme, group: developers, target: openstack, projects: [{{ domain: acme, project: webshop, roles: [member] }}] }}
  - {{ rule: run, tenant: acme, group: operators, target: openstack, projects: [{{ domain: acme, project: platform, roles: [reader] }}, {{ domain: acme-labs, project: lab, roles: [member] }}] }}
  - {{ rule: beta-build, tenant: beta, group: developers, target: openstack, projects: [{{ domain: beta, project: webshop, roles: [member] }}] }}
people: {{ path: people.yaml }}
"#
    )
}

/// What the directory of beta says of its people.
pub const PEOPLE: &str = r#"
- { upstream: corp, claims: { sub: "1", preferred_username: alice, groups: [developers] } }
- { upstream: corp, claims: { sub: "2", preferred_username: carol, groups: [developers] } }
"#;

impl World {
    /// Keystone's database is in PostgreSQL: on SQLite calls that write at the same time lock each other out.
    pub async fn start() -> Self {
        let postgres = Postgres::shared();
        let database = postgres.database();
        let folder = tempfile::tempdir().unwrap();
        let (port, keystone_port) = (free_port(), free_port());
        let issuer = format!("http://127.0.0.1:{port}");
        let state = folder.path().join("keystone");
        let wish = Wish {
            header_prefix: PREFIX,
            dir: Some(&state),
            port: Some(keystone_port),
            database: Some(&as_sqlalchemy(&database)),
            ..Wish::default()
        };
        let keystone = Keystone::start_as(&issuer, &wish).await;
        let put = |name: &str, text: &str| keep(&folder.path().join(name), text);
        put("secret.key", "0123456789-0123456789-0123456789-0123456789");
        put("program.secret", SECRET);
        put("admin.password", "adminpw");
        put("manager.password", "managerpw");
        let hash = fedgate::app::operate::hash_password(PASSWORD).unwrap();
        put("alice.hash", &hash);
        put("people.yaml", PEOPLE);
        put("fedgate.yaml", &config(&issuer, port, &keystone.url, ALICE));
        let url = keystone.url.clone();
        let mut world = Self {
            admin: Admin::sign_in(&url).await,
            folder,
            issuer,
            port,
            keystone: Some(keystone),
            url,
            keystone_port,
            serving: None,
            database,
            _postgres: postgres,
        };
        world.set_up().await;
        world
    }

    /// What an operator does once: the identity provider, and a manager of each domain.
    async fn set_up(&mut self) {
        let done = self.fedgate(&["keystone", "setup"]);
        assert!(done.status.success(), "{done:?}");
        let admin = &self.admin;
        let manager = admin.id("roles", "name=manager").await;
        let user = json!({ "user": { "name": "fedgate-provision", "domain_id": "default", "password": "managerpw" } });
        let user = admin.post("/v3/users", &user).await;
        let user = user["user"]["id"].as_str().unwrap();
        for domain in ["acme", "acme-labs", "beta"] {
            let domain = admin.id("domains", &format!("name={domain}")).await;
            let path = format!("/v3/domains/{domain}/users/{user}/roles/{manager}");
            assert_eq!(admin.call(Method::PUT, &path, None).await.0, 204);
        }
    }

    /// Starts Keystone again on what it had.
    pub async fn keystone_again(&mut self) {
        let state = self.folder.path().join("keystone");
        let wish = Wish {
            header_prefix: PREFIX,
            dir: Some(&state),
            port: Some(self.keystone_port),
            database: Some(&as_sqlalchemy(&self.database)),
            ..Wish::default()
        };
        self.keystone = Some(Keystone::start_as(&self.issuer, &wish).await);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An operator's command.
    pub fn command(&self, arguments: &[&str]) -> Command {
        serving::command(self.folder.path(), arguments)
    }

    pub fn fedgate(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The command's JSON, and its exit code.
    pub fn json(&self, arguments: &[&str]) -> (Value, i32) {
        let done = self.fedgate(&[arguments, &["--output", "json"]].concat());
        let told = String::from_utf8_lossy(&done.stderr);
        let value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {told}"));
        (value, done.status.code().unwrap())
    }

    /// The lines of the plan that are changes.
    pub fn plan(&self) -> Vec<String> {
        let done = self.fedgate(&["keystone", "plan"]);
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(
            matches!(done.status.code(), Some(0 | 3)),
            "{text}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
    }

    /// Makes all that is needed; nothing may fail.
    pub fn apply(&self) -> Vec<Value> {
        let (made, code) = self.json(&["keystone", "apply", "--yes"]);
        assert_eq!(code, 0, "{}", made[0]["failed"]);
        made[0]["done"].as_array().unwrap().clone()
    }

    pub async fn serve(&mut self) {
        self.serving = Some(Serving::answering(self.folder.path(), &self.issuer).await);
    }

    pub fn log(&self) -> String {
        serving::log(self.folder.path())
    }

    /// A token of this gateway for OpenStack, by the person's password; and a refresh token.
    pub async fn bearer(&self, username: &str) -> Result<(String, String), Value> {
        let body = cloud::granted(&self.issuer, "script", username, "openid offline_access").await;
        match body["access_token"].as_str() {
            Some(token) => Ok((
                token.to_owned(),
                body["refresh_token"].as_str().unwrap_or_default().to_owned(),
            )),
            None => Err(body),
        }
    }

    pub async fn refresh(&self, token: &str) -> StatusCode {
        let answer = plain_client()
            .post(format!("{}/oauth2/token", self.issuer))
            .basic_auth("script", Some(SECRET))
            .form(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .send()
            .await
            .unwrap();
        answer.status()
    }

    /// Keystone's unscoped token for it, or the status.
    pub async fn unscoped(&self, bearer: &str) -> Result<(String, Value), StatusCode> {
        cloud::unscoped(&self.issuer, bearer).await
    }

    /// A token for a project, by one without.
    pub async fn scoped(&self, token: &str, project: &str) -> String {
        let made = cloud::scoped(&self.url, token, ("acme", project)).await;
        made.unwrap_or_else(|status| panic!("{project}: {status}")).0
    }

    /// An application credential: id and secret.
    pub async fn credential(&self, user: &str, token: &str, name: &str) -> (String, String) {
        let own = Admin {
            url: self.url.clone(),
            token: token.to_owned(),
        };
        let body = json!({ "application_credential": { "name": name } });
        let made = own
            .post(&format!("/v3/users/{user}/application_credentials"), &body)
            .await;
        let made = &made["application_credential"];
        (
            made["id"].as_str().unwrap().to_owned(),
            made["secret"].as_str().unwrap().to_owned(),
        )
    }

    /// What Keystone says to an application credential.
    pub async fn by_credential(&self, (id, secret): &(String, String)) -> StatusCode {
        let body = json!({ "auth": { "identity": { "methods": ["application_credential"],
            "application_credential": { "id": id, "secret": secret } } } });
        let answer = plain_client()
            .post(format!("{}/v3/auth/tokens", self.url))
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.status()
    }

    /// As when so much time has gone by that a dead worker's turn has ended.
    pub async fn turns_end(&self) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path("fedgate.db"));
        let mut database = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let done = sqlx::query("UPDATE provision SET until = 0")
            .execute(&mut database)
            .await;
        assert_eq!(done.unwrap().rows_affected(), 1);
    }

    /// What changes when anybody writes to Keystone's database: every row's place and who wrote it.
    pub async fn written(&self) -> String {
        let mut database = sqlx::PgConnection::connect(&self.database).await.unwrap();
        let row = sqlx::query(
            "SELECT md5(string_agg(query_to_xml(format('SELECT xmin, ctid FROM %I', tablename), false, false, '')::text,
                '' ORDER BY tablename)) FROM pg_tables WHERE schemaname = 'public'",
        );
        let row = row.fetch_one(&mut database).await.unwrap();
        row.get(0)
    }
}

impl Admin {
    pub async fn sign_in(url: &str) -> Self {
        let body = json!({ "auth": { "identity": { "methods": ["password"], "password": { "user": {
            "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
            "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
        let answer = plain_client()
            .post(format!("{url}/v3/auth/tokens"))
            .json(&body)
            .send()
            .await
            .unwrap();
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        Self {
            url: url.to_owned(),
            token,
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = plain_client()
            .request(method, format!("{}{path}", self.url))
            .header("x-auth-token", &self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, body) = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(status, 201, "{path}: {body}");
        body
    }

    /// The id of the one that a query finds.
    pub async fn id(&self, kind: &str, query: &str) -> String {
        let found = self.get(&format!("/v3/{kind}?{query}")).await;
        let all = found[kind].as_array().unwrap();
        assert_eq!(all.len(), 1, "{kind} {query}: {found}");
        all[0]["id"].as_str().unwrap().to_owned()
    }

    /// Users of a domain.
    pub async fn users(&self, domain: &str) -> Vec<Value> {
        let domain = self.id("domains", &format!("name={domain}")).await;
        let found = self.get(&format!("/v3/users?domain_id={domain}")).await;
        found["users"].as_array().unwrap().clone()
    }

    /// The user of a domain whose name begins so.
    pub async fn user(&self, domain: &str, begins: &str) -> Value {
        let mut found = self.users(domain).await;
        found.retain(|user| user["name"].as_str().unwrap().starts_with(begins));
        assert_eq!(found.len(), 1, "{begins} in {domain}: {found:?}");
        found.remove(0)
    }

    /// Direct roles of a user, as `project role`, sorted.
    pub async fn roles(&self, user: &str) -> Vec<String> {
        let path = format!("/v3/role_assignments?user.id={user}&include_names=true");
        let mut roles: Vec<String> = self.get(&path).await["role_assignments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["scope"]["project"]["name"].as_str().unwrap_or("-"),
                    one["role"]["name"].as_str().unwrap()
                )
            })
            .collect();
        roles.sort();
        roles
    }

    /// Names of the groups of a user, sorted.
    pub async fn groups(&self, user: &str) -> Vec<String> {
        let mut groups: Vec<String> = self.get(&format!("/v3/users/{user}/groups")).await["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["name"].as_str().unwrap().to_owned())
            .collect();
        groups.sort();
        groups
    }

    /// Names of the application credentials of a user, sorted.
    pub async fn credentials(&self, user: &str) -> Vec<String> {
        let path = format!("/v3/users/{user}/application_credentials");
        let mut names: Vec<String> = self.get(&path).await["application_credentials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Whether a token is good.
    pub async fn validates(&self, token: &str) -> bool {
        let answer = plain_client()
            .get(format!("{}/v3/auth/tokens", self.url))
            .header("x-auth-token", &self.token)
            .header("x-subject-token", token)
            .send()
            .await
            .unwrap();
        answer.status() == StatusCode::OK
    }
}

/// Waits until something is so.
pub async fn until(what: &str, within: Duration, mut so: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < within, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}
