//! A partner's real, unpatched Keystone sends its users, with the stock client, to a project of the real Keystone behind
//! this gateway (Keystone-to-Keystone). Then everything that somebody could send instead.

mod attacks;
mod users;

use std::{path::PathBuf, time::Duration};

use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::parts::{
    certificates::Authority,
    cloud::{AUTH, PREFIX},
    gateway::{client, keep},
    keystone::{Keystone, Wish},
    plain_client,
    port::free_port,
    saml::{Draft, Pair, SHA256},
    serving::{self, Serving},
};

/// Everybody's at the partner.
const PASSWORD: &str = "a-password-at-the-partner";
const ADMIN: &str = "an-administrator-of-this-gateway";

/// Both clouds, running.
struct World {
    folder: tempfile::TempDir,
    issuer: String,
    ca: PathBuf,
    /// Behind the gateway.
    keystone: Keystone,
    /// The partner's own.
    partner: Keystone,
    /// What the partner signs with.
    pair: Pair,
    http: Client,
    _serving: Serving,
}

/// What the partner calls itself.
fn entity(partner: &str) -> String {
    format!("{partner}/v3/OS-FEDERATION/saml2/idp")
}

/// `partner` is the real one; `strict` and `past` have its key and other names.
fn config(issuer: &str, port: u16, keystone: &str, partner: &str) -> String {
    let partner = entity(partner);
    format!(
        r#"issuer: {issuer}
name: Cloud
listen: {{ address: "127.0.0.1:{port}", tls: {{ certificate: tls.pem, key: {{ file: tls.key }} }} }}
secret_key: {{ file: secret.key }}
store: {{ records: {{ kind: sqlite, path: fedgate.db }} }}
admin: {{ token: {{ file: admin.token }} }}
people: {{ path: people.yaml }}
tenants:
  - {{ id: acme, name: ACME, domains: [acme] }}
upstreams:
  - kind: keystone
    id: partner
    name: The partner's cloud
    tenant: acme
    entity_id: {partner}
    certificates: [older.pem, partner.pem]
    sha1_until: 2099-01-01
    mapping:
      groups:
        - {{ rule: researchers, claim: openstack_groups, accept: ["research/devs"], group: developers }}
        - {{ rule: keepers, claim: openstack_groups, accept: ["research/ops"], group: keepers }}
  - {{ kind: keystone, id: strict, name: Strict, tenant: acme, entity_id: "https://strict.example", certificates: [partner.pem] }}
  - {{ kind: keystone, id: past, name: Past, tenant: acme, entity_id: "https://past.example", certificates: [partner.pem], sha1_until: 2020-01-01 }}
targets:
  - kind: keystone
    id: openstack
    name: OpenStack
    audience: openstack
    url: {keystone}
    header_prefix: {PREFIX}
    timeout_s: 60
    admin: {{ by: password, user: admin, project: admin, password: {{ file: admin.password }} }}
access:
  - {{ rule: build, tenant: acme, group: developers, target: openstack, projects: [{{ domain: acme, project: webshop, roles: [member] }}] }}
  - {{ rule: keep, tenant: acme, group: keepers, target: openstack, mfa: true, projects: [{{ domain: acme, project: vault, roles: [member] }}] }}
"#
    )
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, own, other) = (free_port(), free_port(), free_port());
        let issuer = format!("https://localhost:{port}");
        let (keystone, partner) = (
            format!("http://127.0.0.1:{own}"),
            format!("http://127.0.0.1:{other}"),
        );
        let authority = Authority::new("k2k test");
        let ca = authority.write(folder.path());
        let server = authority.server();
        let put = |name: &str, text: &str| keep(&folder.path().join(name), text);
        put("tls.pem", &server.certificate);
        put("tls.key", &server.key);
        put("secret.key", "0123456789-0123456789-0123456789-0123456789");
        put("admin.password", "adminpw");
        put("admin.token", ADMIN);
        // Nobody is listed: people are remembered as they come.
        put("people.yaml", "[]");
        Pair::make(folder.path(), "older");
        let pair = Pair::make(folder.path(), "partner");
        put("fedgate.yaml", &config(&issuer, port, &keystone, &partner));
        // As docs/openstack.md tells the partner.
        let conf = format!(
            "[saml]\ncertfile = {}\nkeyfile = {}\nidp_entity_id = {}\nidp_sso_endpoint = {partner}/v3/OS-FEDERATION/saml2/sso\n",
            pair.certificate.display(),
            pair.key.display(),
            entity(&partner),
        );
        put("saml.conf", &conf);
        let conf = folder.path().join("saml.conf");
        let ours = Wish {
            header_prefix: PREFIX,
            port: Some(own),
            ..Wish::default()
        };
        let theirs = Wish {
            header_prefix: PREFIX,
            port: Some(other),
            conf: Some(&conf),
            ..Wish::default()
        };
        let (keystone, partner) = tokio::join!(
            Keystone::start_as(&issuer, &ours),
            Keystone::start_as(&partner, &theirs)
        );
        let http = client(&ca);
        let serving = Serving::start(folder.path());
        for _ in 0..600 {
            if http.get(format!("{issuer}/healthz")).send().await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let world = Self {
            folder,
            issuer,
            ca,
            keystone,
            partner,
            pair,
            http,
            _serving: serving,
        };
        let done = world.fedgate(&["keystone", "setup"]);
        assert!(done.status.success(), "{done:?}");
        world
    }

    fn fedgate(&self, arguments: &[&str]) -> std::process::Output {
        serving::command(self.folder.path(), arguments).output().unwrap()
    }

    fn log(&self) -> String {
        serving::log(self.folder.path())
    }

    /// A message of the partner about ada, in a group that has access.
    fn draft(&self, upstream: &str) -> Draft {
        let issuer = match upstream {
            "partner" => entity(&self.partner.url),
            other => format!("https://{other}.example"),
        };
        Draft {
            issuer,
            recipient: self.door(upstream),
            user: "ada".to_owned(),
            domain: "research".to_owned(),
            groups: vec!["JSON:{\"name\": \"devs\", \"domain\": {\"name\": \"research\"}}".to_owned()],
            roles: vec!["admin".to_owned(), "member".to_owned()],
            status: "Success",
            algorithms: SHA256,
            life: 3600,
        }
    }

    /// Where an upstream's messages come in.
    fn door(&self, upstream: &str) -> String {
        format!("{}/saml/ecp/{upstream}", self.issuer)
    }

    async fn post(&self, upstream: &str, message: impl Into<Vec<u8>>) -> Response {
        let request = self.http.post(self.door(upstream));
        let request = request.header(header::CONTENT_TYPE, "application/vnd.paos+xml");
        request.body(message.into()).send().await.unwrap()
    }

    /// Brings a good message: the cookie to go on with.
    async fn cookie(&self, message: &str) -> String {
        let answer = self.post("partner", message).await;
        assert_eq!(answer.status(), StatusCode::FOUND, "{}", self.log());
        assert_eq!(
            answer.headers()[header::LOCATION],
            format!("{}{AUTH}", self.issuer).as_str()
        );
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let (pair, rest) = cookie.split_once(';').unwrap();
        assert!(pair.starts_with("__Host-fg-arrival="), "{cookie}");
        assert_eq!(rest, " Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60");
        pair.to_owned()
    }

    /// Goes on with a cookie, at this path.
    async fn go_on(&self, path: &str, cookie: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.issuer));
        request.header(header::COOKIE, cookie).send().await.unwrap()
    }

    /// Brings a message and goes on: what Keystone says of the token.
    async fn sign_in(&self, message: &str) -> (String, Value) {
        let cookie = self.cookie(message).await;
        let answer = self.go_on(AUTH, &cookie).await;
        let status = answer.status();
        let token = answer.headers().get("x-subject-token").cloned();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{body}\n{}", self.log());
        (token.unwrap().to_str().unwrap().to_owned(), body)
    }

    /// The audit events of that name, the newest first.
    async fn events(&self, name: &str) -> Vec<Value> {
        let request = self.http.get(format!("{}/admin/v1/audit", self.issuer));
        let body: Value = request
            .bearer_auth(ADMIN)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let all = body["events"].as_array().unwrap_or_else(|| panic!("{body}"));
        all.iter()
            .filter(|event| event["event"] == name)
            .cloned()
            .collect()
    }
}

/// A Keystone as its administrator.
struct Administrator<'a> {
    url: &'a str,
    token: String,
}

impl<'a> Administrator<'a> {
    async fn of(url: &'a str) -> Self {
        let body = json!({ "auth": {
            "identity": { "methods": ["password"], "password": { "user": {
                "name": "admin", "domain": { "name": "Default" }, "password": "adminpw" } } },
            "scope": { "project": { "name": "admin", "domain": { "name": "Default" } } } } });
        let request = plain_client().post(format!("{url}/v3/auth/tokens")).json(&body);
        let answer = request.send().await.unwrap();
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        Self { url, token }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = plain_client().request(method, format!("{}/v3/{path}", self.url));
        let request = request.header("x-auth-token", &self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Makes something; its id.
    async fn make(&self, many: &str, one: &str, what: Value) -> String {
        let made = self.ask(Method::POST, many, Some(json!({ one: what }))).await;
        made[one]["id"].as_str().unwrap().to_owned()
    }

    /// The id of what has that name.
    async fn find(&self, many: &str, name: &str) -> String {
        let found = self.ask(Method::GET, &format!("{many}?name={name}"), None).await;
        found[many][0]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{found}"))
            .to_owned()
    }
}

/// All of it, one after the other, because the parts take longer to start than each needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_partners_keystone_sends_its_users() {
    let world = World::start().await;
    users::the_stock_client_reaches_the_project(&world).await;
    users::a_message_is_read_whatever_stands_in_it(&world).await;
    users::the_same_name_in_another_domain_is_somebody_else(&world).await;
    users::no_second_factor_comes_this_way(&world).await;
    users::an_operator_is_told(&world).await;
    attacks::each_message_has_its_own_refusal(&world).await;
    attacks::a_message_counts_once(&world).await;
    attacks::a_ticket_counts_once_and_at_one_path(&world).await;
    attacks::the_door_takes_messages_alone(&world).await;
    attacks::messages_are_kept_in_bounds(&world).await;
    users::who_was_let_go_stays_out(&world).await;
}
