//! A provider with keys of its own that breaks one check at a time.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate::{
    domain::fault::{Code, Fault},
    port::{
        clock::Clock as _,
        upstream::{Answered, Finished, Health, Upstream},
    },
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

use super::{CALLBACK, STATE, ask, upstream};
use crate::parts::wiring::TestClock;

struct Keys {
    ec: EncodingKey,
    other_ec: EncodingKey,
    rsa: EncodingKey,
    ec_public: Vec<u8>,
    jwks: Value,
}

fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pair = rcgen::KeyPair::generate().unwrap();
        let ec = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let rsa = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let rsa = EncodingKey::from_rsa_pem(rsa.serialize_pem().as_bytes()).unwrap();
        let public = |key: &EncodingKey, algorithm, kid: &str| {
            let mut key = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
            key["kid"] = json!(kid);
            key["use"] = json!("sig");
            key
        };
        Keys {
            jwks: json!({ "keys": [
                public(&ec, Algorithm::ES256, "ec"),
                public(&rsa, Algorithm::RS256, "rsa"),
                { "kty": "future", "kid": "unreadable" },
            ] }),
            ec_public: pair.public_key_pem().into_bytes(),
            other_ec: EncodingKey::from_ec_pem(other.serialize_pem().as_bytes()).unwrap(),
            ec,
            rsa,
        }
    })
}

enum Signing {
    Ec,
    OtherEc,
    Rsa(Algorithm),
    HmacWithPublicKey,
    None,
}

enum Reply {
    Normal,
    Status(u16, &'static str),
    Redirect(String),
    Large,
    Endless,
}

/// Everything the provider says, to be bent before use.
struct Draft {
    metadata: Value,
    kid: Option<&'static str>,
    typ: &'static str,
    signing: Signing,
    claims: Value,
    userinfo: Value,
    token: Reply,
    userinfo_reply: Reply,
    answer: Vec<(String, String)>,
    fresh: bool,
}

impl Draft {
    fn good(issuer: &str, now: i64) -> Self {
        Self {
            metadata: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/jwks"),
                "end_session_endpoint": format!("{issuer}/logout?keep=1"),
                "authorization_response_iss_parameter_supported": true,
            }),
            kid: Some("ec"),
            typ: "JWT",
            signing: Signing::Ec,
            claims: json!({
                "iss": issuer, "aud": "gateway", "sub": "alice", "nonce": "NONCE", "iat": now, "exp": now + 300,
                "acr": "gold", "amr": ["pwd", "otp"], "sid": "s1",
            }),
            userinfo: json!({ "sub": "alice", "preferred_username": "alice", "acr": "platinum", "azp": "x" }),
            token: Reply::Normal,
            userinfo_reply: Reply::Normal,
            answer: [("code", "the-code"), ("state", STATE), ("iss", issuer)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            fresh: false,
        }
    }

    fn set(&mut self, parameter: &str, value: &str) {
        self.answer.retain(|(name, _)| name != parameter);
        self.answer.push((parameter.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, claim: &str) {
        self.claims.as_object_mut().unwrap().remove(claim);
    }

    fn id_token(&self) -> String {
        let sign = |algorithm: Algorithm, key: &EncodingKey| {
            let mut header = Header::new(algorithm);
            header.kid = self.kid.map(str::to_owned);
            header.typ = Some(self.typ.to_owned());
            jsonwebtoken::encode(&header, &self.claims, key).unwrap()
        };
        match &self.signing {
            Signing::Ec => sign(Algorithm::ES256, &keys().ec),
            Signing::OtherEc => sign(Algorithm::ES256, &keys().other_ec),
            Signing::Rsa(algorithm) => sign(*algorithm, &keys().rsa),
            Signing::HmacWithPublicKey => {
                sign(Algorithm::HS256, &EncodingKey::from_secret(&keys().ec_public))
            }
            Signing::None => {
                let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
                let header = part(json!({ "alg": "none", "typ": "JWT" }));
                format!("{header}.{}.", part(self.claims.clone()))
            }
        }
    }
}

struct Provider {
    issuer: String,
    clock: Arc<TestClock>,
    draft: Mutex<Draft>,
    jwks: AtomicUsize,
    trapped: AtomicUsize,
}

type Shared = State<Arc<Provider>>;

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let clock = TestClock::new();
        let provider = Arc::new(Self {
            draft: Mutex::new(Draft::good(&issuer, clock.now().0)),
            issuer,
            clock,
            jwks: AtomicUsize::new(0),
            trapped: AtomicUsize::new(0),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/trap", any(trap))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    /// One sign-in at the provider, bent by `twist`.
    async fn sign_in(&self, twist: impl Fn(&mut Draft)) -> Result<Finished, Fault> {
        let upstream = self.open(twist);
        self.finish(&upstream).await
    }

    fn open(&self, twist: impl Fn(&mut Draft)) -> Arc<dyn Upstream> {
        self.bend(twist);
        upstream(&self.clock, &self.issuer, &json!({}))
    }

    fn bend(&self, twist: impl Fn(&mut Draft)) {
        let mut draft = Draft::good(&self.issuer, self.clock.now().0);
        twist(&mut draft);
        *self.draft.lock().unwrap() = draft;
    }

    async fn finish(&self, upstream: &Arc<dyn Upstream>) -> Result<Finished, Fault> {
        let browser = upstream.ways().browser.unwrap();
        let mut ask = ask();
        ask.fresh = self.draft.lock().unwrap().fresh;
        let begin = browser.begin(&ask).await?;
        let redirect = url::Url::parse(&begin.redirect).unwrap();
        let nonce = redirect
            .query_pairs()
            .find(|(name, _)| name == "nonce")
            .unwrap()
            .1;
        let answered = {
            let mut draft = self.draft.lock().unwrap();
            if draft.claims.get("nonce") == Some(&json!("NONCE")) {
                draft.claims["nonce"] = json!(nonce);
            }
            Answered {
                parameters: draft.answer.clone(),
            }
        };
        browser.finish(&ask, &begin.memory, &answered).await
    }
}

async fn metadata(State(provider): Shared) -> Response {
    axum::Json(provider.draft.lock().unwrap().metadata.clone()).into_response()
}

async fn jwks(State(provider): Shared) -> Response {
    provider.jwks.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    axum::Json(keys().jwks.clone()).into_response()
}

async fn trap(State(provider): Shared) -> &'static str {
    provider.trapped.fetch_add(1, Ordering::SeqCst);
    "caught"
}

async fn token(State(provider): Shared) -> Response {
    let draft = provider.draft.lock().unwrap();
    let normal = json!({ "access_token": "the-token", "token_type": "Bearer", "id_token": draft.id_token() });
    reply(&draft.token, normal)
}

async fn userinfo(State(provider): Shared) -> Response {
    let draft = provider.draft.lock().unwrap();
    reply(&draft.userinfo_reply, draft.userinfo.clone())
}

fn reply(kind: &Reply, normal: Value) -> Response {
    match kind {
        Reply::Normal => axum::Json(normal).into_response(),
        Reply::Status(status, body) => (StatusCode::from_u16(*status).unwrap(), *body).into_response(),
        Reply::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to.clone())]).into_response(),
        Reply::Large => {
            let mut large = normal;
            large["padding"] = json!("x".repeat(5_000_000));
            axum::Json(large).into_response()
        }
        Reply::Endless => {
            let chunks =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 8192])));
            Body::from_stream(chunks).into_response()
        }
    }
}

#[tokio::test]
async fn a_good_answer_is_taken() {
    let provider = Provider::start().await;
    let finished = provider.sign_in(|_| {}).await.unwrap();
    let facts = finished.assertion.facts();
    assert_eq!(facts.subject, "alice");
    assert_eq!(facts.issuer, provider.issuer);
    assert_eq!(facts.claims["preferred_username"], "alice");
    assert_eq!(facts.amr, ["pwd", "otp"]);
    assert_eq!(facts.upstream_session.as_deref(), Some("s1"));
    // Userinfo is not signed: it adds no claim about the proof itself.
    assert_eq!(facts.acr.as_deref(), Some("gold"));
    assert!(!facts.claims.contains_key("azp"));
    // The session outlives the ID token's five minutes.
    assert_eq!(facts.not_after.0, provider.clock.now().0 + 8 * 3600);

    provider
        .sign_in(|draft| (draft.kid, draft.signing) = (Some("rsa"), Signing::Rsa(Algorithm::RS256)))
        .await
        .unwrap();
    provider
        .sign_in(|draft| draft.claims["aud"] = json!(["gateway"]))
        .await
        .unwrap();
    provider
        .sign_in(|draft| {
            draft.claims["aud"] = json!(["gateway", "other"]);
            draft.claims["azp"] = json!("gateway");
        })
        .await
        .unwrap();
    // Without a kid every key of the right kind is tried.
    provider.sign_in(|draft| draft.kid = None).await.unwrap();
    provider
        .sign_in(|draft| {
            draft.fresh = true;
            draft.claims["auth_time"] = draft.claims["iat"].clone();
        })
        .await
        .unwrap();
    // SHA-256("the-token"), left half.
    provider
        .sign_in(|draft| draft.claims["at_hash"] = json!(at_hash("the-token")))
        .await
        .unwrap();
}

fn at_hash(token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

type Case = (&'static str, fn(&mut Draft), Code, &'static str);

async fn all_refused(cases: &[Case]) {
    let provider = Provider::start().await;
    for (name, twist, code, detail) in cases {
        match provider.sign_in(twist).await {
            Ok(_) => panic!("{name}: taken"),
            Err(fault) => {
                assert_eq!(fault.code, *code, "{name}: {fault}");
                assert!(fault.detail.contains(detail), "{name}: {fault}");
                for secret in ["the-code", "the-token", "a secret"] {
                    assert!(!fault.detail.contains(secret), "{name}: {fault}");
                }
            }
        }
    }
    assert_eq!(
        provider.trapped.load(Ordering::SeqCst),
        0,
        "a redirect was followed"
    );
}

fn later(draft: &mut Draft, claim: &str, seconds: i64) {
    let now = draft.claims["iat"].as_i64().unwrap();
    draft.claims[claim] = json!(now + seconds);
}

#[tokio::test]
async fn every_broken_claim_is_refused() {
    use Code::ProofInvalid;
    all_refused(&[
        (
            "wrong iss",
            |d| d.claims["iss"] = json!("https://evil.test"),
            ProofInvalid,
            "issuer",
        ),
        ("no iss", |d| d.remove("iss"), ProofInvalid, "issuer"),
        (
            "iss with a slash",
            |d| d.claims["iss"] = json!(format!("{}/", d.claims["iss"].as_str().unwrap())),
            ProofInvalid,
            "issuer",
        ),
        (
            "wrong aud",
            |d| d.claims["aud"] = json!("other"),
            ProofInvalid,
            "audience",
        ),
        ("no aud", |d| d.remove("aud"), ProofInvalid, "audience"),
        (
            "wrong azp",
            |d| d.claims["azp"] = json!("other"),
            ProofInvalid,
            "azp",
        ),
        (
            "azp of another type",
            |d| d.claims["azp"] = json!(7),
            ProofInvalid,
            "azp",
        ),
        (
            "two aud, no azp",
            |d| d.claims["aud"] = json!(["gateway", "other"]),
            ProofInvalid,
            "azp",
        ),
        ("expired", |d| later(d, "exp", -61), ProofInvalid, "expired"),
        ("no exp", |d| d.remove("exp"), ProofInvalid, "exp"),
        (
            "exp as text",
            |d| d.claims["exp"] = json!("9999999999"),
            ProofInvalid,
            "exp",
        ),
        (
            "nbf in the future",
            |d| later(d, "nbf", 120),
            ProofInvalid,
            "not valid yet",
        ),
        (
            "iat in the future",
            |d| later(d, "iat", 120),
            ProofInvalid,
            "future",
        ),
        ("iat long ago", |d| later(d, "iat", -3600), ProofInvalid, "older"),
        ("no iat", |d| d.remove("iat"), ProofInvalid, "iat"),
        ("no nonce", |d| d.remove("nonce"), ProofInvalid, "nonce"),
        (
            "wrong nonce",
            |d| d.claims["nonce"] = json!("another"),
            ProofInvalid,
            "nonce",
        ),
        ("empty sub", |d| d.claims["sub"] = json!(""), ProofInvalid, "sub"),
        ("no sub", |d| d.remove("sub"), ProofInvalid, "sub"),
        (
            "sub of spaces",
            |d| (d.claims["sub"], d.userinfo["sub"]) = (json!("  "), json!("  ")),
            ProofInvalid,
            "subject",
        ),
        (
            "wrong at_hash",
            |d| d.claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA"),
            ProofInvalid,
            "at_hash",
        ),
        (
            "fresh, no auth_time",
            |d| d.fresh = true,
            ProofInvalid,
            "auth_time",
        ),
        (
            "fresh, old auth_time",
            |d| {
                d.fresh = true;
                later(d, "auth_time", -120);
            },
            ProofInvalid,
            "anew",
        ),
        (
            "userinfo of another",
            |d| d.userinfo["sub"] = json!("mallory"),
            ProofInvalid,
            "another person",
        ),
        (
            "userinfo of nobody",
            |d| d.userinfo = json!({}),
            ProofInvalid,
            "another person",
        ),
    ])
    .await;
}

#[tokio::test]
async fn every_broken_signature_is_refused() {
    use Code::ProofInvalid;
    all_refused(&[
        (
            "alg none",
            |d| d.signing = Signing::None,
            ProofInvalid,
            "algorithm",
        ),
        (
            "HS256 with the public key",
            |d| d.signing = Signing::HmacWithPublicKey,
            ProofInvalid,
            "algorithm",
        ),
        (
            "RS256 by the kid of an EC key",
            |d| d.signing = Signing::Rsa(Algorithm::RS256),
            ProofInvalid,
            "signature",
        ),
        (
            "PS256 by a key for RS256",
            |d| (d.kid, d.signing) = (Some("rsa"), Signing::Rsa(Algorithm::PS256)),
            ProofInvalid,
            "signature",
        ),
        (
            "another key",
            |d| d.signing = Signing::OtherEc,
            ProofInvalid,
            "signature",
        ),
        (
            "another key, no kid",
            |d| (d.kid, d.signing) = (None, Signing::OtherEc),
            ProofInvalid,
            "signature",
        ),
        (
            "unknown kid",
            |d| d.kid = Some("nobody"),
            ProofInvalid,
            "signature",
        ),
        ("an access token", |d| d.typ = "at+jwt", ProofInvalid, "typ"),
        ("a logout token", |d| d.typ = "logout+jwt", ProofInvalid, "typ"),
    ])
    .await;
}

#[tokio::test]
async fn every_broken_answer_is_refused() {
    use Code::{SignInMismatch, UpstreamDown, UpstreamRefused};
    all_refused(&[
        (
            "no iss though promised",
            |d| d.answer.retain(|(n, _)| n != "iss"),
            SignInMismatch,
            "iss",
        ),
        (
            "iss of another",
            |d| d.set("iss", "https://evil.test"),
            SignInMismatch,
            "issuer",
        ),
        (
            "iss of another, not promised",
            |d| {
                d.metadata["authorization_response_iss_parameter_supported"] = json!(false);
                d.set("iss", "https://evil.test");
            },
            SignInMismatch,
            "issuer",
        ),
        (
            "two iss",
            |d| d.answer.push(("iss".into(), "https://evil.test".into())),
            SignInMismatch,
            "twice",
        ),
        (
            "no state",
            |d| d.answer.retain(|(n, _)| n != "state"),
            SignInMismatch,
            "state",
        ),
        (
            "another state",
            |d| d.set("state", "another"),
            SignInMismatch,
            "state",
        ),
        (
            "two states",
            |d| d.answer.push(("state".into(), STATE.into())),
            SignInMismatch,
            "twice",
        ),
        (
            "two codes",
            |d| d.answer.push(("code".into(), "the-code".into())),
            SignInMismatch,
            "twice",
        ),
        (
            "no code",
            |d| d.answer.retain(|(n, _)| n != "code"),
            SignInMismatch,
            "code",
        ),
        ("empty code", |d| d.set("code", ""), SignInMismatch, "code"),
        (
            "access_denied",
            |d| d.set("error", "access_denied"),
            UpstreamRefused,
            "access_denied",
        ),
        (
            "login_required",
            |d| d.set("error", "login_required"),
            UpstreamRefused,
            "login_required",
        ),
        (
            "temporarily_unavailable",
            |d| d.set("error", "temporarily_unavailable"),
            UpstreamDown,
            "temporarily",
        ),
        (
            "an error for another state",
            |d| {
                d.set("error", "access_denied");
                d.set("state", "x");
            },
            SignInMismatch,
            "state",
        ),
    ])
    .await;
}

#[tokio::test]
async fn every_broken_exchange_is_refused() {
    use Code::{ProofInvalid, UpstreamDown, UpstreamRefused};
    all_refused(&[
        (
            "token 500",
            |d| d.token = Reply::Status(500, "{\"error\":\"server_error\"}"),
            UpstreamDown,
            "500",
        ),
        (
            "token 200 HTML",
            |d| d.token = Reply::Status(200, "<html>"),
            UpstreamDown,
            "200",
        ),
        (
            "token 404 HTML",
            |d| d.token = Reply::Status(404, "<html>"),
            UpstreamDown,
            "404",
        ),
        (
            "token without ID token",
            |d| d.token = Reply::Status(200, "{\"access_token\":\"x\"}"),
            ProofInvalid,
            "no ID token",
        ),
        (
            "invalid_grant",
            |d| d.token = Reply::Status(400, "{\"error\":\"invalid_grant\"}"),
            UpstreamRefused,
            "invalid_grant",
        ),
        (
            "5 MB of tokens",
            |d| d.token = Reply::Large,
            UpstreamDown,
            "larger",
        ),
        (
            "endless tokens",
            |d| d.token = Reply::Endless,
            UpstreamDown,
            "larger",
        ),
        (
            "5 MB of userinfo",
            |d| d.userinfo_reply = Reply::Large,
            UpstreamDown,
            "larger",
        ),
        (
            "endless userinfo",
            |d| d.userinfo_reply = Reply::Endless,
            UpstreamDown,
            "larger",
        ),
        (
            "token redirects inside",
            |d| d.token = Reply::Redirect("http://169.254.169.254/latest".into()),
            UpstreamDown,
            "307",
        ),
        (
            "token redirects",
            |d| d.token = Reply::Redirect(format!("{}/trap", d.metadata["issuer"].as_str().unwrap())),
            UpstreamDown,
            "307",
        ),
        (
            "userinfo redirects",
            |d| {
                d.userinfo_reply =
                    Reply::Redirect(format!("{}/trap", d.metadata["issuer"].as_str().unwrap()));
            },
            UpstreamDown,
            "307",
        ),
        (
            "token endpoint inside",
            |d| d.metadata["token_endpoint"] = json!("http://169.254.169.254/token"),
            UpstreamDown,
            "may call",
        ),
        (
            "keys inside",
            |d| d.metadata["jwks_uri"] = json!("http://169.254.169.254/keys"),
            UpstreamDown,
            "may call",
        ),
        (
            "userinfo inside",
            |d| d.metadata["userinfo_endpoint"] = json!("http://[::ffff:169.254.169.254]/"),
            UpstreamDown,
            "may call",
        ),
        (
            "no userinfo endpoint",
            |d| d.metadata["userinfo_endpoint"] = Value::Null,
            ProofInvalid,
            "userinfo",
        ),
        (
            "discovery of another",
            |d| d.metadata["issuer"] = json!("https://evil.test"),
            UpstreamDown,
            "another issuer",
        ),
        (
            "discovery with a slash",
            |d| d.metadata["issuer"] = json!(format!("{}/", d.metadata["issuer"].as_str().unwrap())),
            UpstreamDown,
            "another issuer",
        ),
        (
            "discovery without keys",
            |d| d.metadata["jwks_uri"] = Value::Null,
            UpstreamDown,
            "discovery",
        ),
        (
            "discovery of 5 MB",
            |d| d.metadata["padding"] = json!("x".repeat(5_000_000)),
            UpstreamDown,
            "larger",
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_kid_leads_to_one_request_for_keys() {
    let provider = Provider::start().await;
    let upstream = provider.open(|_| {});
    provider.finish(&upstream).await.unwrap();
    assert_eq!(provider.jwks.load(Ordering::SeqCst), 1);

    provider.clock.advance(61);
    provider.bend(|draft| draft.kid = Some("nobody"));
    let mut logins = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (provider, upstream) = (Arc::clone(&provider), Arc::clone(&upstream));
        logins.spawn(async move { provider.finish(&upstream).await });
    }
    while let Some(outcome) = logins.join_next().await {
        assert_eq!(outcome.unwrap().unwrap_err().code, Code::ProofInvalid);
    }
    assert_eq!(provider.jwks.load(Ordering::SeqCst), 2);

    // The keys that are known go on working, and within the hour nobody is asked again for them.
    provider.bend(|_| {});
    provider.finish(&upstream).await.unwrap();
    assert_eq!(provider.jwks.load(Ordering::SeqCst), 2);
    // After it they are read anew, so that a withdrawn key is not believed for ever.
    provider.clock.advance(3600);
    provider.bend(|_| {});
    provider.finish(&upstream).await.unwrap();
    assert_eq!(provider.jwks.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_upstream_that_lies_is_marked_and_a_refused_address_is_not_called() {
    let provider = Provider::start().await;
    let upstream_of = |settings: Value| upstream(&provider.clock, &provider.issuer, &settings);
    let inside = upstream_of(json!({ "addresses": "public" }));
    let fault = inside.ways().browser.unwrap().begin(&ask()).await.unwrap_err();
    assert_eq!(fault.code, Code::UpstreamDown);
    assert!(matches!(inside.health(), Health::Down { reason } if reason.contains("may call")));

    let lying = provider.open(|draft| draft.metadata["issuer"] = json!("https://evil.test"));
    lying.ways().browser.unwrap().begin(&ask()).await.unwrap_err();
    assert!(matches!(lying.health(), Health::Down { reason } if reason.contains("another issuer")));
    // It mends its ways and is found again by itself.
    provider.bend(|_| {});
    for _ in 0..100 {
        if lying.health() == Health::Ready {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("still {:?}", lying.health());
}

#[tokio::test]
async fn the_request_and_the_logout_say_what_was_asked() {
    let provider = Provider::start().await;
    let upstream = provider.open(|_| {});
    let mut wanted = ask();
    wanted.fresh = true;
    wanted.acr_values = Some("gold".into());
    wanted.login_hint = Some("a&b".into());
    wanted.language = Some("de".into());
    let begin = upstream.ways().browser.unwrap().begin(&wanted).await.unwrap();
    let query: std::collections::BTreeMap<String, String> = url::Url::parse(&begin.redirect)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "gateway"),
        ("redirect_uri", CALLBACK),
        ("state", STATE),
        ("prompt", "login"),
        ("max_age", "0"),
        ("acr_values", "gold"),
        ("login_hint", "a&b"),
        ("ui_locales", "de"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    let verifier = begin.memory["verifier"].as_str().unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    assert_eq!(query["code_challenge"], URL_SAFE_NO_PAD.encode(digest));
    assert_ne!(
        begin.memory["nonce"],
        upstream
            .ways()
            .browser
            .unwrap()
            .begin(&wanted)
            .await
            .unwrap()
            .memory["nonce"]
    );

    let logout = upstream
        .ways()
        .logout
        .unwrap()
        .begin(Some("hint"), "https://gateway.test/logout", "s")
        .unwrap();
    assert_eq!(
        logout,
        format!(
            "{}/logout?keep=1&client_id=gateway&post_logout_redirect_uri=https%3A%2F%2Fgateway.test%2Flogout&state=s&id_token_hint=hint",
            provider.issuer
        )
    );
}
