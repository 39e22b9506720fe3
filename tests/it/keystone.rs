//! Keystone as a target and behind the front, against a real Keystone 30.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use fedgate::{
    domain::{
        access::{AccessRequest, Answer, Asked, Ceilings, Entitlement, Grant, Permit, TargetKind, decide},
        assertion::{UpstreamAssertion, Verified},
        credential::{Credential, KeystoneToken},
        fault::{Code, Fault},
        ids::{TargetId, TenantId, UpstreamId},
        key::Algorithm,
        mapping::MappingSettings,
        secret::{Secret, SecretRef},
        tenant::Tenant,
        time::Timestamp,
    },
    http::keystone::{Front, Settings, router},
    port::{
        entropy::Entropy,
        secrets::{MissingSecret, Secrets},
        signer::{KeyFault, Signer, TokenType},
        target::{BearerToKeystone, CallerFacts, Target},
    },
    target::{
        Declared, Wiring,
        keystone::{
            Config,
            setup::{self, Change},
            transport::Transport,
        },
        open,
    },
};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::parts::{keystone::Keystone, plain_client};

const ISSUER: &str = "https://gw.example";
const PREFIX: &str = "Fedgate-7f3a-";

struct NoKeys;
impl Signer for NoKeys {
    fn sign(&self, _: Algorithm, _: TokenType, _: &[u8]) -> Result<String, KeyFault> {
        Err(KeyFault::NoKey("any"))
    }
    fn verify(&self, _: TokenType, _: &str, _: Timestamp) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::NoKey("any"))
    }
    fn verify_hint(&self, _: &str) -> Result<Map<String, Value>, KeyFault> {
        Err(KeyFault::NoKey("any"))
    }
    fn jwks(&self) -> Arc<Bytes> {
        Arc::default()
    }
}

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}

struct AdminPassword;
impl Secrets for AdminPassword {
    fn read(&self, _: &SecretRef) -> Result<Secret, MissingSecret> {
        Ok(Secret::new("adminpw".into()))
    }
}

/// Stands for the broker: a bearer token is a key to a permit.
#[derive(Default)]
struct Desk {
    permits: Mutex<BTreeMap<String, Permit>>,
    target: Mutex<Option<Arc<dyn Target>>>,
    asked: Mutex<u32>,
}

#[async_trait]
impl BearerToKeystone for Desk {
    async fn exchange(&self, bearer: &str, _: &TargetId, _: &CallerFacts) -> Result<Credential, Fault> {
        *self.asked.lock().unwrap() += 1;
        let permit = self.permits.lock().unwrap().get(bearer).cloned();
        let permit = permit.ok_or_else(|| Fault::new(Code::TokenInvalid, "unknown"))?;
        let target = self.target.lock().unwrap().clone().expect("a target");
        target.mint(&permit).await
    }
}

struct World {
    keystone: Keystone,
    front: String,
    target: Arc<dyn Target>,
    desk: Arc<Desk>,
    client: reqwest::Client,
}

fn config(url: &str, prefix: &str) -> Config {
    serde_json::from_value(json!({
        "id": "openstack", "name": "OpenStack", "audience": "openstack-a", "url": url, "header_prefix": prefix,
        "timeout_s": 60,
        "admin": { "by": "password", "user": "admin", "project": "admin", "password": { "env": "UNUSED" } },
    }))
    .unwrap()
}

fn tenant() -> Tenant {
    Tenant {
        id: TenantId::parse("acme").unwrap(),
        name: "ACME".into(),
        domains: vec!["acme".into(), "acme-labs".into()],
        aliases: Vec::new(),
        contact: None,
    }
}

fn open_target(config: Config) -> Arc<dyn Target> {
    let wiring = Wiring {
        issuer: ISSUER.into(),
        signer: Arc::new(NoKeys),
        entropy: Arc::new(Zeros),
        tenants: Arc::new([(tenant().id, tenant())].into()),
        lookers: BTreeMap::new(),
        given: None,
    };
    open(Declared::Keystone(Box::new(config)), &wiring).unwrap()
}

async fn serve_front(socket: tokio::net::TcpListener, keystone: &str, desk: Arc<Desk>, timeout: Duration) {
    let config = config(keystone, PREFIX);
    let relay = Transport::open(&config, ISSUER, plain_client(), 64).unwrap();
    let front = Front::new(
        Settings {
            target: config.id.clone(),
            own_address: config.url.to_string(),
            auth_path: config.auth_path(),
            own_prefix: config.header_prefix().to_owned(),
            timeout,
            realm: ISSUER.into(),
        },
        Arc::new(relay.within(timeout)),
        desk,
        Arc::new(Zeros),
    );
    tokio::spawn(async move { axum::serve(socket, router(Arc::new(front))).await });
}

async fn set_up(config: &Config, dry_run: bool) -> Vec<setup::Step> {
    let role = |role: &str| ("acme".to_owned(), "tenant-a".to_owned(), role.to_owned());
    let customer = setup::Customer {
        tenant: tenant().id,
        domains: tenant().domains,
        roles: [role("member"), role("reader"), role("flügel")].into(),
    };
    let ask = setup::Ask {
        config,
        issuer: ISSUER,
        customers: &[customer],
        dry_run,
    };
    setup::run(&ask, plain_client(), &AdminPassword)
        .await
        .expect("setup works")
}

/// A Keystone that is set up, a front before it, and a desk that knows no token yet.
async fn world(prefix_of_keystone: &str) -> World {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", socket.local_addr().unwrap());
    let keystone = Keystone::start(&front, prefix_of_keystone).await;
    let config = config(&keystone.url, prefix_of_keystone);
    set_up(&config, false).await;
    let target = open_target(config);
    let desk = Arc::new(Desk::default());
    *desk.target.lock().unwrap() = Some(Arc::clone(&target));
    serve_front(socket, &keystone.url, Arc::clone(&desk), Duration::from_secs(60)).await;
    World {
        keystone,
        front,
        target,
        desk,
        client: plain_client(),
    }
}

fn permit(username: &str, email: Option<&str>, projects: &[(&str, &str, &str)]) -> Permit {
    permit_from("https://idp.acme.example", username, email, projects)
}

/// The same from another identity provider of the tenant.
fn permit_from(issuer: &str, username: &str, email: Option<&str>, projects: &[(&str, &str, &str)]) -> Permit {
    let mut claims = Map::new();
    claims.insert("preferred_username".into(), json!(username));
    if let Some(email) = email {
        claims.insert("email".into(), json!(email));
    }
    let now = Timestamp(1_790_000_000);
    let assertion = UpstreamAssertion::verified(Verified {
        upstream: UpstreamId::parse("acme").unwrap(),
        tenant: tenant().id,
        issuer: issuer.into(),
        subject: username.into(),
        claims,
        authenticated_at: now,
        acr: None,
        amr: Vec::new(),
        not_after: now.plus(Duration::from_secs(28_800)),
        upstream_session: None,
    })
    .unwrap();
    let identity = MappingSettings::default().identify(&assertion).unwrap();
    let grants = projects
        .iter()
        .map(|(domain, project, role)| Grant {
            entitlement: Entitlement::Project {
                domain: (*domain).into(),
                project: (*project).into(),
                role: (*role).into(),
            },
            rule: "test".into(),
        })
        .collect();
    let request = AccessRequest {
        identity: &identity,
        tenant: &tenant(),
        target: TargetId::parse("openstack").unwrap(),
        kind: TargetKind::Keystone,
        audience: "openstack-a".into(),
        asked: Asked::Everything,
        ceilings: Ceilings {
            lifetime: Duration::from_secs(3600),
        },
        now,
    };
    let answer = Answer {
        allow: true,
        reasons: Vec::new(),
        grants,
        rule: "test".into(),
        lifetime_s: None,
        withhold: Vec::new(),
        obligations: Vec::new(),
    };
    decide(&request, answer).unwrap()
}

impl World {
    async fn login(&self, permit: &Permit) -> KeystoneToken {
        match self.target.mint(permit).await.expect("Keystone lets them in") {
            Credential::Keystone(token) => token,
            Credential::Token(_) => panic!("not a Keystone token"),
        }
    }

    /// The names of the projects that a token may be scoped to, sorted.
    async fn projects(&self, token: &str) -> Vec<String> {
        let answer = self.get("/v3/auth/projects", token).await;
        let mut names: Vec<String> = answer["projects"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|project| project["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let request = self
            .client
            .get(format!("{}{path}", self.front))
            .header("X-Auth-Token", token);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn send(
        &self,
        base: &str,
        method: Method,
        path: &str,
        forged: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method.clone(), format!("{base}{path}"));
        for (name, value) in forged {
            request = request.header(*name, *value);
        }
        if method == Method::POST && path.contains("auth/tokens") {
            request = request.json(&json!({ "auth": { "identity": { "methods": ["openid"],
                "openid": { "identity_provider": "fedgate", "protocol": "openid" } } } }));
        }
        let answer = request.send().await.unwrap();
        if let Some(place) = answer.headers().get("location") {
            let place = place.to_str().unwrap();
            assert!(
                place.starts_with("/v3/"),
                "a redirect leads back to the front: {place}"
            );
        }
        (answer.status(), answer.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn setup_plans_makes_once_and_then_changes_nothing() {
    let keystone = Keystone::start("http://127.0.0.1:9", PREFIX).await;
    let config = config(&keystone.url, PREFIX);
    let planned = set_up(&config, true).await;
    let made = set_up(&config, false).await;
    assert_eq!(planned, made, "the plan is what is then done");
    let changes: Vec<Change> = made.iter().map(|step| step.change).collect();
    use Change::{Made, Missing};
    assert_eq!(
        changes,
        [Made, Made, Made, Made, Made, Missing, Change::None, Change::None],
        "{made:#?}"
    );
    let again = set_up(&config, false).await;
    for step in &again {
        assert!(
            matches!(step.change, Change::None | Missing),
            "second run: {step}"
        );
    }
    // A mapping that somebody changed is brought back.
    let mut other = config.clone();
    other.remote_id = Some("https://gw.example/other".into());
    let updated: Vec<Change> = set_up(&other, false)
        .await
        .iter()
        .map(|step| step.change)
        .collect();
    assert_eq!(updated[2..4], [Change::Updated, Change::Updated]);
}

#[tokio::test]
async fn a_login_has_exactly_the_permitted_projects_and_loses_what_is_taken_away() {
    let world = world(PREFIX).await;
    let odd = "größe; a|b {0} ü";
    let all = [
        ("acme", "tenant-a", "member"),
        ("acme", "tenant-a", "reader"),
        ("acme", odd, "member"),
        ("acme-labs", "lab", "reader"),
    ];
    let token = world
        .login(&permit("Jürgen Ñ €", Some("j@acme.example"), &all))
        .await;
    assert_eq!(world.projects(&token.token).await, [odd, "lab", "tenant-a"]);
    let body: Value = serde_json::from_slice(&token.body).unwrap();
    assert_eq!(body["token"]["user"]["name"], "Jürgen Ñ €");
    assert_eq!(body["token"]["user"]["domain"]["name"], "acme");
    let user = body["token"]["user"]["id"].as_str().unwrap().to_owned();

    let token = world
        .login(&permit("Jürgen Ñ €", Some("j@acme.example"), &all[..1]))
        .await;
    let body: Value = serde_json::from_slice(&token.body).unwrap();
    assert_eq!(body["token"]["user"]["id"], user.as_str(), "the same person");
    assert_eq!(world.projects(&token.token).await, ["tenant-a"]);

    // The same `sub` and the same name from another identity provider is another person, in the same domain. Stock
    // Keystone answers 409 where two providers of a domain share a `sub`.
    let namesake = permit_from("https://other.acme.example", "Jürgen Ñ €", None, &all[3..]);
    let other = world.login(&namesake).await;
    let body: Value = serde_json::from_slice(&other.body).unwrap();
    assert_ne!(body["token"]["user"]["id"], user.as_str(), "somebody else");
    assert_eq!(world.projects(&other.token).await, ["lab"]);
    assert_eq!(
        world.projects(&token.token).await,
        ["tenant-a"],
        "what the first one has stays theirs"
    );

    // Somebody without an e-mail address, and somebody else's projects stay apart.
    let token = world.login(&permit("mallory", None, &all[3..])).await;
    assert_eq!(world.projects(&token.token).await, ["lab"]);
}

#[tokio::test]
async fn values_that_keystone_would_read_otherwise_do_not_leave_the_gateway() {
    // Nothing listens there: a refusal must come before any call.
    let target = open_target(config("http://127.0.0.1:9", PREFIX));
    for bad in ["alice;root", "JSON:{\"name\":\"x\"}", "['alice','root']"] {
        let permit = permit(bad, None, &[("acme", "tenant-a", "member")]);
        let fault = target.mint(&permit).await.unwrap_err();
        assert_eq!(fault.code, Code::TargetRefused, "{bad}: {fault}");
    }
    let fine = permit("alice", None, &[("acme", "tenant-a", "member")]);
    assert_eq!(target.mint(&fine).await.unwrap_err().code, Code::TargetDown);
}

/// Keystone drops a connection without an answer now and then: the same login a moment later is the same person's.
#[tokio::test]
async fn a_login_whose_connection_broke_is_tried_once_more() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let far = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", far.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = far.accept().await {
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).await;
            *count.lock().unwrap() += 1;
            // The second, and none of the others.
            if *count.lock().unwrap() == 2 {
                let answer = "HTTP/1.1 201 Created\r\nX-Subject-Token: gAAAA\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
                let _written = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    let target = open_target(config(&url, PREFIX));
    let alice = permit("alice", None, &[("acme", "tenant-a", "member")]);
    assert!(matches!(target.mint(&alice).await, Ok(Credential::Keystone(_))));
    assert_eq!(*asked.lock().unwrap(), 2);
    // Once, and not for ever.
    assert_eq!(target.mint(&alice).await.unwrap_err().code, Code::TargetDown);
    assert_eq!(*asked.lock().unwrap(), 4);
}

#[tokio::test]
async fn forged_identity_never_passes_the_front_on_any_path() {
    // The prefix that everybody knows: the forger needs no guessing.
    let world = world("OIDC-").await;
    let auth = "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth";
    let value = |end: &str| match end {
        "ISS" => "https://gw.example/keystone",
        "DOMAIN" => "acme",
        "OPENSTACK-PROJECTS" => "[]",
        _ => "victim",
    };
    let ends = ["ISS", "SUB", "PREFERRED-USERNAME", "DOMAIN", "OPENSTACK-PROJECTS"];
    let spellings: [fn(&str) -> String; 4] = [
        |end| format!("OIDC-{end}"),
        |end| format!("OIDC_{}", end.replace('-', "_")),
        |end| format!("oidc_{}", end.to_lowercase()),
        |end| format!("Oidc-{}", end.replace('-', "_")),
    ];
    let paths = [
        (Method::POST, "/v3/auth/tokens"),
        (Method::POST, "/v3//auth/tokens"),
        (Method::POST, auth),
        (Method::GET, auth),
        (
            Method::POST,
            "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth/",
        ),
        (
            Method::POST,
            "/v3//OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth",
        ),
        (
            Method::POST,
            "/v3/OS-FEDERATION/identity_providers/fedgate/protocols/openid/%61uth",
        ),
        (
            Method::POST,
            "/v3/OS-FEDERATION%2Fidentity_providers/fedgate/protocols/openid/auth",
        ),
        (
            Method::POST,
            "/v3/os-federation/identity_providers/fedgate/protocols/openid/AUTH",
        ),
        (
            Method::GET,
            "/v3/auth/OS-FEDERATION/identity_providers/fedgate/protocols/openid/websso?origin=http://localhost:9990/auth/websso/",
        ),
        (
            Method::GET,
            "/v3/auth/OS-FEDERATION/websso/openid?origin=http://localhost:9990/auth/websso/",
        ),
    ];
    for spell in spellings {
        let names: Vec<String> = ends.iter().map(|end| spell(end)).collect();
        let mut forged: Vec<(&str, &str)> = names
            .iter()
            .zip(ends)
            .map(|(name, end)| (name.as_str(), value(end)))
            .collect();
        forged.push(("REMOTE_USER", "victim"));
        // The attack is real: Keystone itself, reached directly, lets the forger in on these paths.
        for path in ["/v3/auth/tokens", auth] {
            let (status, body) = world.send(&world.keystone.url, Method::POST, path, &forged).await;
            assert_eq!(status, 201, "straight at Keystone, {path}: {body}");
            assert_eq!(body["token"]["user"]["name"], "victim");
        }
        for (method, path) in paths.clone() {
            let (status, body) = world.send(&world.front, method.clone(), path, &forged).await;
            assert!(
                matches!(status.as_u16(), 308 | 400 | 401 | 404 | 405),
                "{method} {path} by {names:?}: {status} {body}"
            );
            assert!(body.get("token").is_none());
        }
        let (status, _) = world
            .send(&world.front, Method::POST, "/v3/auth/tokens", &forged)
            .await;
        assert_eq!(status, 401);
    }
    assert_eq!(*world.desk.asked.lock().unwrap(), 0, "nobody had a bearer token");
    dot_segments_are_refused(&world).await;

    // With a good bearer token, forged headers and duplicates beside it change nothing.
    let alice = permit("alice", None, &[("acme", "tenant-a", "member")]);
    world
        .desk
        .permits
        .lock()
        .unwrap()
        .insert("alices-token".into(), alice);
    let forged = [
        ("Authorization", "Bearer alices-token"),
        ("OIDC_SUB", "victim"),
        ("OIDC-SUB", "victim"),
        ("oidc_preferred_username", "victim"),
    ];
    let (status, body) = world.send(&world.front, Method::POST, auth, &forged).await;
    assert_eq!(
        (status, &body["token"]["user"]["name"]),
        (StatusCode::CREATED, &json!("alice"))
    );
}

/// Sent as raw bytes: client libraries clean paths before they send them.
async fn dot_segments_are_refused(world: &World) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    for path in [
        "/v3/auth/../OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth",
        "/v3/x/%2e%2E/OS-FEDERATION/identity_providers/fedgate/protocols/openid/auth",
        "http://evil.example/v3/auth/tokens",
    ] {
        let address = world.front.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOIDC_ISS: https://gw.example/keystone\r\nOIDC_SUB: victim\r\n\
             OIDC_PREFERRED_USERNAME: victim\r\nOIDC_DOMAIN: acme\r\nOIDC_OPENSTACK_PROJECTS: []\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 401"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn the_login_path_wants_one_bearer_token_and_speaks_keystones_dialect() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", socket.local_addr().unwrap());
    // A far side that takes the call and never answers, and a port where nobody listens.
    let slow = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow_url = format!("http://{}", slow.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = slow.accept().await {
            held.push(stream);
        }
    });
    let desk = Arc::new(Desk::default());
    serve_front(socket, &slow_url, Arc::clone(&desk), Duration::from_millis(300)).await;
    let dead_socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", dead_socket.local_addr().unwrap());
    serve_front(
        dead_socket,
        "http://127.0.0.1:9",
        Arc::clone(&desk),
        Duration::from_secs(5),
    )
    .await;

    let client = plain_client();
    let auth = config(&front, PREFIX).auth_path();
    let answer = client.post(format!("{front}{auth}")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(
        answer.headers()["www-authenticate"],
        "Bearer realm=\"https://gw.example\""
    );
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], 401);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("reference AAAA")
    );
    assert_eq!(*desk.asked.lock().unwrap(), 0);
    let answer = client
        .get(format!("{front}{auth}"))
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
    let answer = client
        .get(format!("{front}{auth}"))
        .header("Authorization", "Bearer a")
        .header("Authorization", "Bearer b")
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), *desk.asked.lock().unwrap()), (401, 1));

    let answer = client.get(format!("{front}/v3/projects")).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    let answer = client.get(format!("{dead}/v3/projects")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let body: Value = answer.json().await.unwrap();
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Keystone does not answer")
    );

    // The same for the login itself.
    let mut short = config(&slow_url, PREFIX);
    short.timeout_s = 1;
    *desk.target.lock().unwrap() = Some(open_target(short));
    let alice = permit("alice", None, &[("acme", "tenant-a", "member")]);
    desk.permits.lock().unwrap().insert("alices-token".into(), alice);
    let answer = client
        .post(format!("{front}{auth}"))
        .bearer_auth("alices-token")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
}

#[tokio::test]
async fn bodies_pass_both_ways_whatever_their_length_and_framing() {
    // Stands for Keystone: says which framing it saw, and sends the body back.
    let far = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far_url = format!("http://{}", far.local_addr().unwrap());
    let echo = |request: axum::extract::Request| async move {
        let seen = |name: &str| {
            let value = request.headers().get(name);
            value.map_or_else(|| "none".to_owned(), |value| value.to_str().unwrap().to_owned())
        };
        let headers = [
            ("x-length", seen("content-length")),
            ("x-chunked", seen("transfer-encoding")),
            ("x-query", request.uri().query().unwrap_or_default().to_owned()),
        ];
        (headers, request.into_body())
    };
    tokio::spawn(async move { axum::serve(far, axum::Router::new().fallback(echo)).await });
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", socket.local_addr().unwrap());
    serve_front(socket, &far_url, Arc::default(), Duration::from_secs(20)).await;

    let long = vec![7_u8; 5 * 1024 * 1024];
    let url = format!("{front}/v3/x?a=%2F&b=c%20d");
    let answer = plain_client().put(&url).body(long.clone()).send().await.unwrap();
    assert_eq!(answer.headers()["x-length"], long.len().to_string().as_str());
    assert_eq!(answer.headers()["x-query"], "a=%2F&b=c%20d");
    assert_eq!(answer.bytes().await.unwrap(), long);
    // uWSGI reads no chunked bodies, so a short one gets a length and a long one is refused.
    let chunked = |size: usize| {
        let parts = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![7_u8; size])]);
        plain_client().patch(&url).body(reqwest::Body::wrap_stream(parts))
    };
    let answer = chunked(1000).send().await.unwrap();
    assert_eq!(answer.headers()["x-length"], "1000");
    assert_eq!(answer.headers()["x-chunked"], "none");
    assert_eq!(chunked(2 * 1024 * 1024).send().await.unwrap().status(), 413);
}

/// Answers that are none of Keystone's, and more requests than may be on their way at once.
#[tokio::test]
async fn a_broken_or_busy_keystone_is_told_in_keystones_dialect() {
    let far = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let far_url = format!("http://{}", far.local_addr().unwrap());
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let answer = move |request: axum::extract::Request| {
        let gate = Arc::clone(&gate);
        async move {
            let html = [("content-type", "text/html")];
            let json = [("content-type", "application/json")];
            match request.uri().path() {
                "/v3/html" => (StatusCode::INTERNAL_SERVER_ERROR, html, "<h1>oops</h1>"),
                "/v3/proxy" => (StatusCode::SERVICE_UNAVAILABLE, html, "<h1>no server</h1>"),
                "/v3/own" => (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    json,
                    "{\"error\": {\"code\": 500}}",
                ),
                "/v3/wait" => {
                    let _one = gate.acquire().await;
                    (StatusCode::OK, json, "{}")
                }
                _ => (StatusCode::OK, html, "<h1>fine</h1>"),
            }
        }
    };
    tokio::spawn(async move { axum::serve(far, axum::Router::new().fallback(answer)).await });
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", socket.local_addr().unwrap());
    serve_front(socket, &far_url, Arc::default(), Duration::from_secs(20)).await;
    let get = |path: &'static str| plain_client().get(format!("{front}{path}")).send();
    for path in ["/v3/html", "/v3/proxy"] {
        let answer = get(path).await.unwrap();
        assert_eq!(answer.status(), 502, "{path}");
        let body: Value = answer.json().await.unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("did not say why") && message.contains("reference"),
            "{message}"
        );
    }
    let own = get("/v3/own").await.unwrap();
    assert_eq!(
        (own.status().as_u16(), own.text().await.unwrap().as_str()),
        (500, "{\"error\": {\"code\": 500}}")
    );
    assert_eq!(
        get("/v3/page").await.unwrap().text().await.unwrap(),
        "<h1>fine</h1>"
    );
    // 64 are let through (`serve_front`); the next waits two seconds, and is told to come back.
    let waiting: Vec<_> = (0..64).map(|_| tokio::spawn(get("/v3/wait"))).collect();
    while opened.available_permits() == 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let turned_away = get("/v3/page").await.unwrap();
        if turned_away.status() == 503 {
            assert_eq!(turned_away.headers()["retry-after"], "5");
            break;
        }
    }
    opened.add_permits(64);
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(get("/v3/page").await.unwrap().status(), 200);
}
