//! People's ways through the doors, in a real Chromium: the real front, broker, policy, store and seal,
//! with two upstreams that are adapters of this test. One takes a password here; the other lives on
//! another origin, as a company's identity provider does.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use axum::{
    Form, Router,
    extract::{Query, Request, State},
    middleware::{Next, from_fn},
    response::{Html, Redirect},
    routing::get,
};
use fedgate::{
    broker::{
        Caller,
        admit::Door,
        bearer::Bearer,
        dashboards::Dashboards,
        device::DeviceDesk,
        directory::{Directory, Source},
        endings::Ender,
        login::Logins,
        logout::Logouts,
        overview::Overview,
        recheck::Rechecks,
        session::SessionDesk,
        token::TokenDesk,
    },
    domain::{
        access::Permit,
        assertion::{UpstreamAssertion, Verified},
        client::ClientSettings,
        credential::MintedToken,
        fault::{Code, Fault},
        ids::{Reference, TenantId, UpstreamId},
        mapping::MappingSettings,
        secret::Secret,
        tenant::Tenant,
        time::Timestamp,
    },
    http::{browser::Front, page::Pages},
    keys::{KeyRing, SecretSealer, SystemEntropy},
    policy::{AccessRule, Config, PolicyEngine},
    port::{
        clock::Clock,
        policy::Policy,
        target::{IdTokenFacts, TokenFacts, TokenMint},
        upstream::{
            Answered, Begin, BrowserLogin, Finished, Health, LoginAsk, PasswordLogin, Upstream, Ways,
        },
    },
    store::{
        audit_batch::AuditWriter,
        memory::{MemoryLimits, MemoryTickets},
        sql::Records,
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::parts::browser::{Seen, Visit, send};

struct Wall;
impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_secs()).unwrap())
    }
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn proof(upstream: &str, tenant: &str, name: &str) -> Result<UpstreamAssertion, Fault> {
    let now = Wall.now();
    let groups = if name == "mallory" {
        json!([])
    } else {
        json!(["developers"])
    };
    let Value::Object(claims) = json!({"preferred_username": name, "name": "Alice A.", "groups": groups})
    else {
        unreachable!()
    };
    let facts = Verified {
        upstream: of(json!(upstream)),
        tenant: of(json!(tenant)),
        issuer: format!("https://{upstream}.example"),
        subject: name.to_owned(),
        claims,
        authenticated_at: now,
        acr: None,
        amr: vec!["pwd".into()],
        not_after: now.plus(Duration::from_secs(3600)),
        upstream_session: None,
    };
    UpstreamAssertion::verified(facts).map_err(|fault| Fault::new(Code::ProofInvalid, fault.to_string()))
}

/// Takes the password "correct horse" here.
struct People(UpstreamId, TenantId);
#[async_trait]
impl PasswordLogin for People {
    async fn verify(&self, user: &str, password: &str, _: &str) -> Result<UpstreamAssertion, Fault> {
        if password == "correct horse" {
            proof("people", "acme", user)
        } else {
            Err(Fault::new(Code::BadCredentials, "wrong"))
        }
    }
}
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
        Ways {
            password: Some(self),
            ..Ways::default()
        }
    }
}

/// Sends the browser to another origin and believes what comes back (this is a test).
struct Far(UpstreamId, TenantId, Option<SocketAddr>);
#[async_trait]
impl BrowserLogin for Far {
    async fn begin(&self, ask: &LoginAsk) -> Result<Begin, Fault> {
        let home = self
            .2
            .ok_or_else(|| Fault::new(Code::UpstreamDown, "connection refused to 10.1.2.3"))?;
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("back", &ask.callback)
            .append_pair("state", &ask.state)
            .finish();
        Ok(Begin {
            redirect: format!("http://{home}/idp?{query}"),
            memory: json!({}),
        })
    }
    async fn finish(&self, _: &LoginAsk, _: &Value, answered: &Answered) -> Result<Finished, Fault> {
        let code = answered.parameters.iter().find(|(name, _)| name == "code");
        let (_, user) = code.ok_or_else(|| Fault::new(Code::UpstreamRefused, "no code"))?;
        Ok(Finished::once(proof(self.0.as_str(), self.1.as_str(), user)?))
    }
}
impl Upstream for Far {
    fn id(&self) -> &UpstreamId {
        &self.0
    }
    fn display_name(&self) -> &str {
        "Beta sign-in"
    }
    fn tenant(&self) -> &TenantId {
        &self.1
    }
    fn health(&self) -> Health {
        Health::Ready
    }
    fn ways(&self) -> Ways<'_> {
        Ways {
            browser: Some(self),
            ..Ways::default()
        }
    }
}

/// Mints nothing of worth: what a token says is the provider's test.
struct Blank;
impl TokenMint for Blank {
    fn access_token(&self, permit: &Permit, _: &TokenFacts) -> Result<MintedToken, Fault> {
        Ok(MintedToken {
            token: "blank".into(),
            token_type: "blank",
            id: "blank".into(),
            expires: permit.expires(),
        })
    }
    fn id_token(&self, permit: &Permit, _: &IdTokenFacts) -> Result<MintedToken, Fault> {
        self.access_token(
            permit,
            &TokenFacts {
                client: of(json!("wiki")),
                scope: String::new(),
                sid: None,
                algorithm: of(json!("ES256")),
                lifetime: Duration::ZERO,
            },
        )
    }
}

/// The other origin: a form that leads back, and the place a client's redirect URI names.
async fn far_side() -> SocketAddr {
    #[derive(Deserialize)]
    struct Back {
        back: String,
        state: String,
    }
    async fn leave(Form(to): Form<Back>) -> Redirect {
        Redirect::to(&format!("{}?code=alice&state={}", to.back, to.state))
    }
    let router = Router::new()
        .route(
            "/idp",
            get(|Query(to): Query<Back>| async move {
                Html(format!(
                    "<!doctype html><title>idp</title><form method=post><input name=back value='{}'><input name=state value='{}'><button id=go>go</button></form>",
                    to.back, to.state
                ))
            })
            .post(leave),
        )
        .route("/landed", get(|| async { Html("<!doctype html><title>landed</title><h1 id=landed>landed</h1>") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

struct Gateway {
    url: String,
    logins: Arc<Logins>,
    devices: Arc<DeviceDesk>,
    client: ClientSettings,
    _folder: tempfile::TempDir,
}

fn mapping() -> MappingSettings {
    of(json!({"groups": [{"rule": "all-groups", "claim": "groups", "accept": ["*"]}]}))
}

fn directory(url: &str, far: SocketAddr, client: &ClientSettings) -> (Directory, Vec<Tenant>) {
    let tenants: Vec<Tenant> = of(json!([
        {"id": "acme", "name": "ACME GmbH", "domains": ["acme"], "contact": "it@acme.example"},
        {"id": "beta", "name": "Beta AG", "domains": ["beta"], "aliases": ["beta.example"], "contact": "it@beta.example"},
        {"id": "gone", "name": "Gone KG", "contact": "it@gone.example"},
    ]));
    let source = |upstream: Arc<dyn Upstream>| Source {
        upstream,
        mapping: mapping(),
    };
    let sources = vec![
        source(Arc::new(People(of(json!("people")), of(json!("acme"))))),
        source(Arc::new(Far(of(json!("beta")), of(json!("beta")), Some(far)))),
        source(Arc::new(Far(of(json!("gone")), of(json!("gone")), None))),
    ];
    let names = (url.to_owned(), "Cloud A".to_owned());
    (
        Directory::new(names, tenants.clone(), sources, Vec::new(), vec![client.clone()]),
        tenants,
    )
}

async fn gateway() -> Gateway {
    let far = far_side().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Wall);
    let entropy = Arc::new(SystemEntropy);
    let client: ClientSettings = of(json!({
        "id": "wiki", "name": "Company wiki", "auth": {"method": "none"}, "grants": [],
        "redirect_uris": ["http://127.0.0.1/landed"],
    }));
    let (directory, tenants) = directory(&url, far, &client);
    let directory = Arc::new(directory);
    let rules: Vec<AccessRule> = of(json!([
        {"rule": "acme-people", "tenant": "acme", "group": "developers", "target": "gateway", "session": true},
        {"rule": "acme-wiki", "tenant": "acme", "group": "developers", "target": "wiki", "session": true},
        {"rule": "beta-people", "tenant": "beta", "group": "*", "target": "gateway", "session": true},
    ]));
    let policy: Arc<dyn Policy> = Arc::new(PolicyEngine::load(&Config::default(), &rules, &tenants).unwrap());
    let records = Records::sqlite(&folder.path().join("f.db"), clock.now())
        .await
        .unwrap();
    let audit = Arc::new(AuditWriter::start(Arc::new(records.clone())));
    let sealer = Arc::new(SecretSealer::new(&Secret::new("x".repeat(40))).unwrap());
    let tickets = Arc::new(MemoryTickets::new(1000, clock.clone()));
    let door = Arc::new(Door::new(
        directory.clone(),
        policy.clone(),
        audit.clone(),
        clock.clone(),
    ));
    let desk = Arc::new(SessionDesk {
        directory: directory.clone(),
        door: door.clone(),
        sessions: Arc::new(records.clone()),
        bonds: Arc::new(records.clone()),
        sealer: sealer.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        lifetime: Duration::from_secs(3600),
        remember: None,
    });
    let logins = Arc::new(Logins {
        directory: directory.clone(),
        desk: desk.clone(),
        sealer: sealer.clone(),
        tickets: tickets.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let ring = KeyRing::open(
        Arc::new(records.clone()),
        sealer.clone(),
        clock.clone(),
        url.clone(),
        fedgate::keys::Config::default(),
    )
    .await
    .unwrap();
    let ring = Arc::new(ring);
    let bearer = Bearer {
        directory: directory.clone(),
        door: door.clone(),
        desk: desk.clone(),
        revocations: Arc::new(records.clone()),
        ender: Arc::new(Ender {
            directory: directory.clone(),
            endings: Arc::new(records.clone()),
            sealer: sealer.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
        }),
        signer: ring.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
    };
    let logouts = Logouts {
        directory: directory.clone(),
        desk: desk.clone(),
        dashboards: Arc::new(Dashboards {
            directory: directory.clone(),
            door: door.clone(),
            ender: bearer.ender.clone(),
            tickets: tickets.clone(),
            sealer: sealer.clone(),
            audit: audit.clone(),
            clock: clock.clone(),
        }),
        returns: Arc::new(["https://horizon.example/auth/login/".to_owned()]),
        signer: bearer.signer.clone(),
        sealer: sealer.clone(),
        clock: clock.clone(),
    };
    let logouts = Arc::new(logouts);
    let rechecks = Arc::new(Rechecks {
        directory: directory.clone(),
        logouts: logouts.clone(),
        bonds: Arc::new(records.clone()),
        tickets: tickets.clone(),
        sealer: sealer.clone(),
        audit: audit.clone(),
        clock: clock.clone(),
    });
    let tokens = TokenDesk {
        remembered: fedgate::broker::token::Remembered::default(),
        directory: directory.clone(),
        door: door.clone(),
        desk: desk.clone(),
        rechecks: rechecks.clone(),
        bearer: Arc::new(bearer),
        families: Arc::new(records.clone()),
        revocations: Arc::new(records.clone()),
        tickets,
        mint: Arc::new(Blank),
        sealer: sealer.clone(),
        audit,
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let devices = Arc::new(DeviceDesk {
        tokens: Arc::new(tokens),
        limits: Arc::new(MemoryLimits::new(1000, clock.clone())),
    });
    let front = Front {
        pages: Arc::new(Pages::load("Cloud A").unwrap()),
        logins: logins.clone(),
        logouts,
        rechecks,
        desk,
        overview: Arc::new(Overview { directory, door }),
        devices: devices.clone(),
        policy,
        sealer,
        clock,
        entropy,
    };
    // What the provider does with a request of the signed-in person: a redirect to another origin.
    let authorize =
        get(
            move |State(far): State<SocketAddr>| async move { Redirect::to(&format!("http://{far}/landed")) },
        );
    let router = front
        .routes()
        .merge(
            Router::new()
                .route("/oauth2/authorize", authorize)
                .with_state(far),
        )
        .layer(from_fn(|mut request: Request, next: Next| async move {
            request.extensions_mut().insert(caller());
            next.run(request).await
        }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Gateway {
        url,
        logins,
        devices,
        client,
        _folder: folder,
    }
}

fn caller() -> Caller {
    Caller {
        reference: Reference("FG-TEST".into()),
        address: Some("127.0.0.1".parse().unwrap()),
    }
}

impl Gateway {
    /// Types organisation, name and password, and waits for My access.
    fn alice(&self) -> Visit {
        self.typed("alice", "correct horse").see("#person")
    }

    fn typed(&self, user: &str, password: &str) -> Visit {
        Visit::new()
            .goto(&format!("{}/", self.url))
            .fill("#organisation", "someone@ACME")
            .click("button[type=submit]")
            .fill("#username", user)
            .fill("#password", password)
            .click("button[type=submit]")
    }
}

async fn walk(visit: Visit) -> Seen {
    tokio::task::spawn_blocking(move || send(&[visit]))
        .await
        .unwrap()
        .remove(0)
}

fn no_policy_violation(seen: &Seen) {
    let refused: Vec<_> = seen
        .console
        .iter()
        .filter(|line| line.contains("Content Security Policy"))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_password_and_out_again() {
    let gateway = gateway().await;
    let visit = gateway
        .alice()
        .read() // 7
        .axe() // 8
        .click("form[action='/logout'] button")
        .see(".ticks")
        .read() // 11
        .goto(&format!("{}/", gateway.url))
        .see("#organisation") // 13
        .then(json!({"do": "cookies"})); // 14
    let seen = walk(visit).await;
    let access = seen.text(7);
    for wanted in [
        "Alice A.",
        "ACME GmbH",
        "ACME people",
        "developers",
        "all-groups",
        "Company wiki",
        "acme-wiki",
        "federation/access",
    ] {
        assert!(access.contains(wanted), "{wanted} is missing in {access}");
    }
    assert_eq!(seen.step(8).as_array().unwrap().len(), 0);
    assert!(seen.text(11).contains("You are signed out"));
    assert!(
        !seen
            .step(14)
            .as_array()
            .unwrap()
            .contains(&json!("__Host-fedgate"))
    );
    no_policy_violation(&seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_leads_over_other_origins_and_back() {
    let gateway = gateway().await;
    let path = "/oauth2/authorize?client_id=wiki&state=1";
    let sealed = gateway
        .logins
        .seal_return(&gateway.logins.return_to(path))
        .unwrap();
    let visit = |organisation: &str| {
        Visit::new()
            .goto(&format!("{}/login?return={sealed}", gateway.url))
            .read()
            .fill("#organisation", organisation)
            .click("button[type=submit]")
    };
    let far = walk(visit("x@beta.example").click("#go").see("#landed")).await;
    assert!(far.text(1).contains("Company wiki"));
    far.step(5);
    no_policy_violation(&far);
    // The password form, whose answer also leads to another origin in the end.
    let here = walk(
        visit("acme")
            .read()
            .fill("#username", "alice")
            .fill("#password", "correct horse")
            .click("button[type=submit]")
            .see("#landed"),
    )
    .await;
    here.step(8);
    no_policy_violation(&here);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_say_why_and_whom_to_ask() {
    let gateway = gateway().await;
    let wrong = walk(gateway.typed("alice", "wrong").see("#problem").read().axe()).await;
    assert!(wrong.text(7).contains("User name or password is not right"));
    let refused = walk(
        gateway
            .typed("mallory", "correct horse")
            .see("[role=alert]")
            .read()
            .axe(),
    )
    .await;
    let text = refused.text(7);
    for wanted in [
        "no access",
        "it@acme.example",
        "NO_ACCESS",
        "FG-TEST",
        "no_matching_rule",
    ] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
    let unknown = walk(
        Visit::new()
            .goto(&format!("{}/login", gateway.url))
            .fill("#organisation", "nobody")
            .click("button[type=submit]")
            .see("#problem")
            .read(),
    )
    .await;
    assert!(unknown.text(4).contains("There is no sign-in for what you typed"));
    let down = walk(
        Visit::new()
            .goto(&format!("{}/login/gone/begin", gateway.url))
            .read(),
    )
    .await;
    assert_eq!(down.step(0)["status"], 502);
    assert!(down.text(1).contains("it@gone.example") && !down.text(1).contains("10.1.2.3"));
    for seen in [wrong.step(8), refused.step(8)] {
        assert_eq!(seen.as_array().unwrap().len(), 0, "{seen:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_let_in_only_by_an_answer_in_the_form() {
    let gateway = gateway().await;
    let caller = caller();
    let asked = ("openid groups".to_owned(), gateway.url.clone());
    let device = gateway
        .devices
        .start(&gateway.client, asked, None, &caller)
        .await
        .unwrap();
    let tokens = &gateway.devices.tokens;
    let poll = || tokens.poll(&gateway.client, &device.device_code, None, &caller);
    let confirm = format!(
        "{}/device?user_code={}",
        gateway.url,
        device.user_code.to_lowercase()
    );
    let looked = walk(gateway.alice().goto(&confirm).read().axe()).await;
    let text = looked.text(8);
    for wanted in ["Company wiki", "127.0.0.1", "see your groups", &device.user_code] {
        assert!(text.contains(wanted), "{wanted} is missing in {text}");
    }
    assert_eq!(looked.step(9).as_array().unwrap().len(), 0);
    assert!(poll().await.is_err(), "looking is not allowing");
    // Nobody is signed in yet: the code survives the sign-in.
    let allowed = walk(
        Visit::new()
            .goto(&confirm)
            .fill("#organisation", "acme")
            .click("button[type=submit]")
            .fill("#username", "alice")
            .fill("#password", "correct horse")
            .click("button[type=submit]")
            .click("button[value=allow]")
            .see("[role=status]")
            .read()
            .goto(&confirm)
            .read(),
    )
    .await;
    assert!(allowed.text(8).contains("Device connected"));
    assert!(allowed.text(10).contains("This code is not valid"));
    no_policy_violation(&allowed);
    // Longer than the interval, so that the device is not told to slow down.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(poll().await.is_ok());
    assert!(poll().await.is_err(), "a device code is good once");
}

/// A form without the browser's cookie, and an answer that belongs to another browser, change nothing.
#[tokio::test(flavor = "multi_thread")]
async fn forms_and_callbacks_are_bound_to_the_browser() {
    let gateway = gateway().await;
    let forged = walk(
        gateway
            .alice()
            .then(json!({"do": "forget", "name": "__Host-fg-browser"}))
            .click("form[action='/logout'] button")
            .read()
            .goto(&format!("{}/", gateway.url))
            .read(),
    )
    .await;
    assert!(forged.text(9).contains("FORM_EXPIRED"));
    assert!(forged.text(11).contains("My access"), "still signed in");
    let state = "s".repeat(43);
    let callback = format!("{}/login/beta/callback?code=alice&state={state}", gateway.url);
    let strange = walk(Visit::new().goto(&callback).read()).await;
    assert_eq!(strange.step(0)["status"], 400);
    assert!(strange.text(1).contains("SIGN_IN_MISMATCH"));
}
