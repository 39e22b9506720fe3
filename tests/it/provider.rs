//! The OpenID provider over real HTTP, with the real broker, policy, store and keys. `openid-client`
//! (certified, npm) is its relying party; what no good client sends is sent by hand.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    extract::Request,
    middleware::{Next, from_fn},
};
use fedgate::{
    broker::{
        Caller,
        admit::Door,
        bearer::Bearer,
        clients::{ClientDesk, Proof, hash_secret},
        dashboards::Dashboards,
        device::DeviceDesk,
        directory::{Directory, Source},
        endings::Ender,
        login::Logins,
        logout::Logouts,
        recheck::Rechecks,
        session::{Live, SessionDesk},
        token::TokenDesk,
    },
    domain::{
        assertion::{UpstreamAssertion, Verified},
        client::ClientSettings,
        ids::{ClientId, Reference, TenantId, UpstreamId},
        secret::Secret,
        tenant::Tenant,
        time::Timestamp,
    },
    http::{oidc::OidcFrontend, page::Pages},
    keys::{KeyRing, SecretSealer, SystemEntropy},
    policy::{AccessRule, Config, PolicyEngine},
    port::{
        clock::Clock,
        policy::Policy,
        upstream::{Finished, Health, Upstream, Ways},
    },
    store::{
        audit_batch::AuditWriter,
        memory::{MemoryLimits, MemoryTickets},
        sql::Records,
    },
    target::{Wiring, kubernetes, own::OwnTokens},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::parts::plain_client;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1/callback";

struct Wall;
impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_secs()).unwrap())
    }
}

struct People(UpstreamId, TenantId);
impl Upstream for People {
    fn id(&self) -> &UpstreamId {
        &self.0
    }
    fn display_name(&self) -> &str {
        "ACME people"
    }
    fn tenant(&self) -> &TenantId {
        &self.1
    }
    fn health(&self) -> Health {
        Health::Ready
    }
    fn ways(&self) -> Ways<'_> {
        Ways::default()
    }
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn caller() -> Caller {
    Caller {
        reference: Reference("FG-TEST".into()),
        address: Some("127.0.0.1".parse().unwrap()),
    }
}

fn proof() -> Finished {
    let Value::Object(claims) =
        json!({"preferred_username": "alice", "name": "Alice A.", "groups": ["developers"]})
    else {
        unreachable!()
    };
    let assertion = UpstreamAssertion::verified(Verified {
        upstream: of(json!("people")),
        tenant: of(json!("acme")),
        issuer: "https://people.example".into(),
        subject: "alice".into(),
        claims,
        authenticated_at: Wall.now(),
        acr: None,
        amr: vec!["pwd".into()],
        not_after: Wall.now().plus(Duration::from_secs(3600)),
        upstream_session: None,
    })
    .unwrap();
    Finished::once(assertion)
}

struct Gateway {
    url: String,
    live: Live,
    devices: Arc<DeviceDesk>,
    _folder: tempfile::TempDir,
}

fn clients() -> Vec<ClientSettings> {
    let all = [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ];
    let secret = json!({"method": "secret", "secret": {"env": "UNUSED"}});
    of(json!([
        {"id": "app", "name": "App", "auth": secret, "grants": all, "redirect_uris": [CALLBACK],
         "post_logout_redirect_uris": ["https://app.example/bye"], "tenant": "acme", "exchange": ["*"]},
        {"id": "other", "name": "Other", "auth": secret, "grants": all, "redirect_uris": [CALLBACK],
         "audiences": ["k8s-a"], "tenant": "acme"},
        {"id": "cli", "name": "CLI", "auth": {"method": "none"}, "grants": all, "redirect_uris": [CALLBACK],
         "exchange": ["k8s-a"]},
    ]))
}

async fn gateway() -> Gateway {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Wall);
    let entropy = Arc::new(SystemEntropy);
    let records = Records::sqlite(&folder.path().join("f.db"), clock.now())
        .await
        .unwrap();
    let records = Arc::new(records);
    let sealer = Arc::new(SecretSealer::new(&Secret::new("x".repeat(40))).unwrap());
    let ring = KeyRing::open(
        records.clone(),
        sealer.clone(),
        clock.clone(),
        url.clone(),
        of(json!({})),
    )
    .await
    .unwrap();
    let signer = Arc::new(ring);
    let tenants: Vec<Tenant> = of(json!([{"id": "acme", "name": "ACME GmbH", "domains": ["acme"]}]));
    let wiring = Wiring {
        issuer: url.clone(),
        signer: signer.clone(),
        entropy: entropy.clone(),
        tenants: Arc::new(tenants.iter().map(|own| (own.id.clone(), own.clone())).collect()),
        lookers: std::collections::BTreeMap::new(),
        given: None,
    };
    let cluster: kubernetes::Config = of(json!({
        "id": "cluster-a", "name": "Cluster A", "audience": "k8s-a", "server": "https://k8s.example",
    }));
    let source = Source {
        upstream: Arc::new(People(of(json!("people")), of(json!("acme")))),
        mapping: of(json!({"groups": [{"rule": "all", "claim": "groups", "accept": ["*"]}]})),
    };
    let directory = Arc::new(Directory::new(
        (url.clone(), "Cloud A".into()),
        tenants.clone(),
        vec![source],
        vec![Arc::new(kubernetes::Kubernetes::new(cluster, &wiring))],
        clients(),
    ));
    let rule = |name: &str, target: &str, group: &str| json!({"rule": name, "tenant": "acme", "group": group, "target": target, "session": true});
    let rules: Vec<AccessRule> = of(json!([
        rule("people", "gateway", "*"), rule("app", "app", "*"), rule("other", "other", "*"),
        {"rule": "dev", "tenant": "acme", "group": "developers", "target": "cluster-a", "groups": ["developers"]},
    ]));
    let policy: Arc<dyn Policy> = Arc::new(PolicyEngine::load(&Config::default(), &rules, &tenants).unwrap());
    let audit = Arc::new(AuditWriter::start(records.clone()));
    let tickets = Arc::new(MemoryTickets::new(1000, clock.clone()));
    let door = Arc::new(Door::new(directory.clone(), policy, audit.clone(), clock.clone()));
    let desk = Arc::new(SessionDesk {
        directory: directory.clone(),
        door: door.clone(),
        sessions: records.clone(),
        bonds: records.clone(),
        sealer: sealer.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        lifetime: Duration::from_secs(3600),
        remember: None,
    });
    let bearer = Arc::new(Bearer {
        directory: directory.clone(),
        door: door.clone(),
        desk: desk.clone(),
        revocations: records.clone(),
        ender: Arc::new(Ender {
            directory: directory.clone(),
            endings: records.clone(),
            sealer: sealer.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
        }),
        signer: signer.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
    });
    let dashboards = Arc::new(Dashboards {
        directory: directory.clone(),
        door: bearer.door.clone(),
        ender: bearer.ender.clone(),
        tickets: tickets.clone(),
        sealer: sealer.clone(),
        audit: bearer.audit.clone(),
        clock: clock.clone(),
    });
    let logouts = Arc::new(Logouts {
        directory: directory.clone(),
        desk: desk.clone(),
        dashboards,
        returns: Arc::new([]),
        signer: signer.clone(),
        sealer: sealer.clone(),
        clock: clock.clone(),
    });
    let rechecks = Rechecks {
        directory: directory.clone(),
        logouts: logouts.clone(),
        bonds: records.clone(),
        tickets: tickets.clone(),
        sealer: sealer.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
    };
    let tokens = Arc::new(TokenDesk {
        directory: directory.clone(),
        door,
        desk: desk.clone(),
        rechecks: Arc::new(rechecks),
        bearer: bearer.clone(),
        families: records.clone(),
        revocations: records,
        remembered: fedgate::broker::token::Remembered::default(),
        tickets: tickets.clone(),
        mint: Arc::new(OwnTokens::new(&wiring)),
        sealer: sealer.clone(),
        audit,
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let devices = Arc::new(DeviceDesk {
        tokens: tokens.clone(),
        limits: Arc::new(MemoryLimits::new(1000, clock.clone())),
    });
    let proofs = ["app", "other"].map(|id| {
        let secret = Proof::Secret(hash_secret(&format!("{id}-secret")));
        (ClientId::parse(id).unwrap(), secret)
    });
    let front = OidcFrontend {
        clients: Arc::new(ClientDesk::new(
            directory.clone(),
            tickets.clone(),
            clock.clone(),
            proofs.into_iter().collect(),
        )),
        logins: Arc::new(Logins {
            directory: directory.clone(),
            desk: desk.clone(),
            sealer: sealer.clone(),
            tickets,
            clock: clock.clone(),
            entropy,
        }),
        logouts,
        directory,
        tokens,
        bearer,
        devices: devices.clone(),
        desk: desk.clone(),
        signer,
        sealer,
        clock,
        pages: Arc::new(Pages::load("Cloud A").unwrap()),
    };
    let router = front
        .routes()
        .layer(from_fn(|mut request: Request, next: Next| async move {
            request.extensions_mut().insert(caller());
            next.run(request).await
        }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let live = desk.open(proof(), &caller()).await.unwrap();
    Gateway {
        url,
        live,
        devices,
        _folder: folder,
    }
}

impl Gateway {
    fn cookie(&self) -> String {
        format!("__Host-fedgate={}", self.live.session.id.0)
    }

    async fn authorize(&self, query: &str) -> (u16, String) {
        let answer = plain_client()
            .get(format!("{}/oauth2/authorize?{query}", self.url))
            .header("cookie", self.cookie())
            .send()
            .await
            .unwrap();
        let to = answer
            .headers()
            .get("location")
            .map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default())
    }

    async fn code(&self, client: &str) -> String {
        let query = format!(
            "client_id={client}&redirect_uri={CALLBACK}&response_type=code&scope=openid%20profile&state=s&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        let (status, to) = self.authorize(&query).await;
        assert_eq!(status, 303, "{to}");
        let to = url::Url::parse(&to).unwrap();
        let pick = |name: &str| {
            let found = to.query_pairs().find(|(own, _)| own == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        assert_eq!(pick("iss"), self.url, "{to}");
        assert_eq!(pick("state"), "s");
        pick("code")
    }

    async fn post(&self, path: &str, client: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut request = plain_client().post(format!("{}/oauth2/{path}", self.url));
        if client != "cli" {
            request = request.basic_auth(client, Some(format!("{client}-secret")));
        }
        let mut form = form.to_vec();
        if client == "cli" {
            form.push(("client_id", "cli"));
        }
        let answer = request.form(&form).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn redeem(&self, client: &str, code: &str, verifier: Option<&str>) -> (u16, Value) {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        self.post("token", client, &form).await
    }

    async fn refresh(&self, client: &str, token: &str) -> (u16, Value) {
        self.post(
            "token",
            client,
            &[("grant_type", "refresh_token"), ("refresh_token", token)],
        )
        .await
    }

    async fn active(&self, client: &str, token: &str) -> bool {
        let (status, body) = self.post("introspect", client, &[("token", token)]).await;
        assert_eq!(status, 200, "{body}");
        body["active"] == true
    }
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {body}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_bound_and_counts_once() {
    let gateway = gateway().await;
    for (client, verifier, why) in [
        ("other", Some(VERIFIER), "another client"),
        ("app", None, "no verifier"),
        ("app", Some(CHALLENGE), "wrong verifier"),
    ] {
        let code = gateway.code("app").await;
        let (status, body) = gateway.redeem(client, &code, verifier).await;
        assert_eq!((status, text(&body, "error")), (400, "invalid_grant"), "{why}");
    }
    let code = gateway.code("app").await;
    let (status, body) = gateway.redeem("app", &code, Some(VERIFIER)).await;
    assert_eq!(status, 200, "{body}");
    let (access, refresh) = (text(&body, "access_token"), text(&body, "refresh_token"));
    assert!(gateway.active("app", access).await);
    assert!(
        !gateway.active("other", access).await,
        "a stranger learns nothing"
    );
    assert_eq!(gateway.redeem("app", &code, Some(VERIFIER)).await.0, 400);
    assert!(
        !gateway.active("app", access).await,
        "a replay ends the access token"
    );
    assert_eq!(gateway.refresh("app", refresh).await.0, 400, "and the family");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_parallel_refreshes_agree_and_reuse_ends_the_family() {
    let gateway = gateway().await;
    let code = gateway.code("app").await;
    let (_, body) = gateway.redeem("app", &code, Some(VERIFIER)).await;
    let first = text(&body, "refresh_token").to_owned();
    assert_eq!(gateway.refresh("other", &first).await.0, 400, "another client's");
    let all = futures_util::future::join_all((0..10).map(|_| gateway.refresh("app", &first))).await;
    let second = text(&all[0].1, "refresh_token").to_owned();
    assert_ne!(first, second);
    for (status, body) in &all {
        assert_eq!((*status, text(body, "refresh_token")), (200, second.as_str()));
    }
    let (_, body) = gateway.refresh("app", &second).await;
    let third = text(&body, "refresh_token").to_owned();
    assert_eq!(
        gateway.refresh("app", &first).await.0,
        400,
        "reuse of an older one"
    );
    assert_eq!(gateway.refresh("app", &third).await.0, 400, "ended the family");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_wait_and_are_let_in_once() {
    let gateway = gateway().await;
    let (_, begun) = gateway.post("device", "cli", &[("scope", "openid")]).await;
    let code = text(&begun, "device_code");
    let poll = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", code),
    ];
    let error = async |client: &str| text(&gateway.post("token", client, &poll).await.1, "error").to_owned();
    assert_eq!(error("app").await, "invalid_grant");
    assert_eq!(error("cli").await, "authorization_pending");
    assert_eq!(error("cli").await, "slow_down");
    let user_code = text(&begun, "user_code").to_lowercase();
    gateway.devices.look(&user_code, &caller()).await.unwrap();
    gateway
        .devices
        .answer(&user_code, &gateway.live, true, &caller())
        .await
        .unwrap();
    let (status, body) = gateway.post("token", "cli", &poll).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(error("cli").await, "invalid_grant", "only once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_needs_a_session_of_a_client_that_may() {
    let gateway = gateway().await;
    let exchange = async |client: &str, token: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token),
            (
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("audience", "k8s-a"),
        ];
        gateway.post("token", client, &form).await
    };
    let (_, body) = gateway
        .redeem("cli", &gateway.code("cli").await, Some(VERIFIER))
        .await;
    let session = text(&body, "access_token").to_owned();
    let (status, body) = exchange("cli", &session).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(text(&body, "token_type"), "N_A");
    let cluster = text(&body, "access_token");
    assert_eq!(
        exchange("cli", cluster).await.0,
        400,
        "a token of another audience"
    );
    assert_eq!(exchange("other", &session).await.0, 400, "a client that may not");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_authorization_requests_never_leave_the_site() {
    let gateway = gateway().await;
    let pkce = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
    for bad in [
        "http://127.0.0.1/callback/../evil",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "https://evil.example/",
        "//evil.example",
        "",
    ] {
        let bad: String = url::form_urlencoded::byte_serialize(bad.as_bytes()).collect();
        let query = format!("client_id=app&redirect_uri={bad}&response_type=code&{pkce}");
        let (status, to) = gateway.authorize(&query).await;
        assert_eq!((status, to.as_str()), (400, ""), "{bad}");
    }
    let base = format!("client_id=app&redirect_uri={CALLBACK}");
    let twice = format!("{base}&redirect_uri=https://evil.example/&response_type=code&{pkce}");
    assert_eq!(gateway.authorize(&twice).await, (400, String::new()));
    let long = format!("{base}&response_type=code&{pkce}&state={}", "s".repeat(600));
    for (query, error) in [
        (
            format!("{base}&response_type=token&{pkce}"),
            "unsupported_response_type",
        ),
        (format!("{base}&response_type=code"), "invalid_request"),
        (
            format!("{base}&response_type=code&code_challenge={CHALLENGE}"),
            "invalid_request",
        ),
        (
            format!("{base}&response_type=code&{pkce}&scope=root"),
            "invalid_scope",
        ),
        (
            format!("{base}&response_type=code&{pkce}&nonce=a&nonce=b"),
            "invalid_request",
        ),
        (
            format!("{base}&response_type=code&{pkce}&request=x"),
            "request_not_supported",
        ),
        (
            format!("{base}&response_type=code&{pkce}&request_uri=x"),
            "request_uri_not_supported",
        ),
        (
            format!("{base}&response_type=code&{pkce}&resource=nowhere"),
            "invalid_target",
        ),
        (
            format!("{base}&response_type=code&{pkce}&prompt=none&max_age=0"),
            "login_required",
        ),
        (long, "invalid_request"),
    ] {
        let (status, to) = gateway.authorize(&query).await;
        assert_eq!(status, 303, "{query}");
        assert!(
            to.starts_with(&format!("{CALLBACK}?error={error}&")),
            "{query}: {to}"
        );
    }
    let (status, to) = gateway
        .authorize(&format!("{base}&response_type=code&{pkce}&prompt=login"))
        .await;
    assert!(status == 303 && to.starts_with("/login?return="), "{to}");
    let huge = format!("{base}&x={}", "x".repeat(9000));
    assert_eq!(gateway.authorize(&huge).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_token_requests_are_refused_in_the_protocols_words() {
    let gateway = gateway().await;
    let huge = "x".repeat(70_000);
    let grant = ("grant_type", "client_credentials");
    for (form, status, error) in [
        (vec![], 400, "invalid_request"),
        (vec![grant, grant], 400, "invalid_request"),
        (
            vec![grant, ("client_secret", "app-secret")],
            400,
            "invalid_request",
        ),
        (vec![grant, ("client_id", "other")], 400, "invalid_request"),
        (vec![grant, ("scope", "root")], 400, "invalid_scope"),
        (vec![grant, ("resource", "nowhere")], 400, "invalid_target"),
        (vec![grant, ("x", huge.as_str())], 400, "invalid_request"),
        (vec![("grant_type", "password")], 400, "unauthorized_client"),
        (vec![("grant_type", "implicit")], 400, "unsupported_grant_type"),
        (
            vec![("grant_type", "refresh_token"), ("refresh_token", "fgr_a.1.b")],
            400,
            "invalid_grant",
        ),
    ] {
        let answer = gateway.post("token", "app", &form).await;
        assert_eq!((answer.0, text(&answer.1, "error")), (status, error));
        assert_eq!(text(&answer.1, "reference"), "FG-TEST");
    }
    let wrong = plain_client()
        .post(format!("{}/oauth2/token", gateway.url))
        .basic_auth("app", Some("wrong"))
        .form(&[grant])
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers().contains_key("www-authenticate"));
    assert_eq!(
        gateway.post("token", "cli", &[grant]).await.0,
        400,
        "a public client"
    );
}

/// The certified client: discovery, code with PKCE, userinfo, refresh, introspection, revocation, exchange,
/// client_credentials by header and by form, the logout URL.
#[tokio::test(flavor = "multi_thread")]
async fn openid_client_is_content() {
    let gateway = gateway().await;
    let modules = crate::parts::home().join("node-oidc");
    assert!(
        modules.join("node_modules/openid-client").exists(),
        "openid-client is missing: run tests/parts/node-oidc.sh"
    );
    let script = modules.join(format!("fedgate-{}.mjs", std::process::id()));
    std::fs::write(&script, include_str!("../fixtures/openid-client.mjs")).unwrap();
    let output = tokio::process::Command::new("node")
        .arg(&script)
        .args([&gateway.url, &gateway.cookie()])
        .output()
        .await
        .unwrap();
    std::fs::remove_file(&script).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("all good"),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
