//! A provider that lies: one lie in each case, and each must be found by the check that is meant for it.

use std::sync::atomic::Ordering;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate::{
    domain::fault::{Code, Fault},
    port::upstream::{Answered, Finished, LoginAsk, Upstream},
};
use serde_json::{Value, json};

use super::{
    CALLBACK, Moving, SECRET, answered, ask, declared,
    forger::{Desk, Forger, Reply, Signer, ec_jwk, ec_pem, ec_point, token},
    open, sent,
};

const NOW: i64 = 1_900_000_000;
const ACCESS: &str = "an access token";

/// One sign-in, which a case bends.
struct Bent {
    issuer: String,
    header: Value,
    claims: Value,
    signer: Signer,
    /// What comes back through the browser.
    back: Vec<(String, String)>,
    /// What the token endpoint answers instead of the token.
    token: Option<Reply>,
    userinfo: Option<Value>,
    fresh: bool,
}

impl Bent {
    fn new(issuer: &str, state: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, ACCESS.as_bytes());
        Self {
            issuer: issuer.to_owned(),
            header: json!({ "alg": "ES256", "kid": "ec", "typ": "JWT" }),
            claims: json!({
                "iss": issuer, "sub": "alice", "aud": "cloud-a", "iat": NOW, "exp": NOW + 300,
                "auth_time": NOW - 5, "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]),
                "preferred_username": "alice", "acr": "silver", "amr": ["pwd", "otp"], "sid": "their-session",
            }),
            signer: Signer::Ec,
            back: answered(&[("code", "a-code"), ("state", state), ("iss", issuer)]).parameters,
            token: None,
            userinfo: None,
            fresh: false,
        }
    }

    fn claim(&mut self, name: &str, value: Value) {
        self.claims[name] = value;
    }

    fn without(&mut self, name: &str) {
        self.claims.as_object_mut().unwrap().remove(name);
    }

    fn signed(&mut self, algorithm: &str, kid: &str, signer: Signer) {
        self.header = json!({ "alg": algorithm, "kid": kid });
        self.signer = signer;
    }

    fn back(&mut self, name: &str, value: Option<&str>) {
        self.back.retain(|(key, _)| key != name);
        if let Some(value) = value {
            self.back.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// A whole sign-in against a forger, bent in one place.
async fn sign_in(bend: impl Fn(&mut Bent)) -> (Forger, Result<Finished, Fault>) {
    let forger = Forger::start().await;
    let mut ask = ask();
    let mut bent = Bent::new(&forger.issuer, &ask.state);
    bend(&mut bent);
    ask.fresh = bent.fresh;
    let more = json!({ "userinfo": bent.userinfo.is_some() });
    let upstream = open(
        declared(&forger.issuer, &forger.ca, more),
        SECRET,
        &Moving::at(NOW),
    );
    let outcome = finish(&forger, &*upstream, &ask, bent).await;
    (forger, outcome)
}

async fn finish(
    forger: &Forger,
    upstream: &dyn Upstream,
    ask: &LoginAsk,
    mut bent: Bent,
) -> Result<Finished, Fault> {
    let login = upstream.ways().browser.expect("a login by browser");
    let begin = login.begin(ask).await?;
    let nonce = sent(&begin, "nonce").expect("a nonce");
    match bent.claims.get("nonce") {
        Some(Value::Null) => bent.without("nonce"),
        Some(_) => {}
        None => bent.claim("nonce", json!(nonce)),
    }
    let reply = bent.token.take().unwrap_or_else(|| {
        let id_token = token(&bent.header, &bent.claims, &bent.signer);
        Reply::Json(json!({ "id_token": id_token, "access_token": ACCESS, "token_type": "Bearer" }))
    });
    forger.says(|desk| &desk.token, reply);
    if let Some(userinfo) = bent.userinfo.take() {
        forger.says(|desk| &desk.userinfo, Reply::Json(userinfo));
    }
    let answered = Answered {
        parameters: bent.back,
    };
    login.finish(ask, &begin.memory, &answered).await
}

/// What is bent, the code expected, a piece of the detail (so that no other check hides the one meant).
type Case = (&'static str, Code, &'static str, fn(&mut Bent));

async fn refused(cases: &[Case]) {
    for (name, code, detail, bend) in cases {
        let (forger, outcome) = sign_in(bend).await;
        let fault = match outcome {
            Ok(finished) => panic!("{name}: accepted as {:?}", finished.assertion.facts()),
            Err(fault) => fault,
        };
        assert_eq!(fault.code, *code, "{name}: {fault}");
        assert!(
            fault.detail.contains(detail),
            "{name}: found by another check: {fault}"
        );
        for secret in [ACCESS, SECRET, "a-code"] {
            assert!(!fault.detail.contains(secret), "{name}: tells a secret: {fault}");
        }
        assert_eq!(forger.desk.strange_asked.load(Ordering::SeqCst), 0, "{name}");
    }
}

#[tokio::test]
async fn honest_answers_pass() {
    let cases: &[(&str, fn(&mut Bent))] = &[
        ("plain", |_| {}),
        ("RS256", |b| b.signed("RS256", "rsa", Signer::Rsa)),
        ("no kid", |b| b.header = json!({ "alg": "ES256" })),
        ("no at_hash", |b| b.without("at_hash")),
        ("aud as list", |b| b.claim("aud", json!(["cloud-a"]))),
        ("several aud with azp", |b| {
            b.claim("aud", json!(["cloud-a", "other"]));
            b.claim("azp", json!("cloud-a"));
        }),
        ("clocks differ by a minute", |b| {
            b.claim("iat", json!(NOW + 60));
            b.claim("nbf", json!(NOW + 60));
        }),
        ("asked anew, and did", |b| {
            b.fresh = true;
            b.claim("auth_time", json!(NOW));
        }),
        ("userinfo", |b| {
            b.userinfo = Some(json!({ "sub": "alice", "groups": ["g"] }))
        }),
    ];
    for (name, bend) in cases {
        let (_forger, outcome) = sign_in(bend).await;
        let finished = outcome.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(finished.assertion.facts().subject, "alice", "{name}");
    }
}

#[tokio::test]
async fn the_assertion_says_what_the_proof_says_and_the_exchange_is_bound() {
    let (forger, outcome) = sign_in(|b| b.userinfo = Some(json!({ "sub": "alice", "acr": "gold" }))).await;
    let finished = outcome.unwrap();
    let facts = finished.assertion.facts();
    assert_eq!(facts.issuer, forger.issuer);
    assert_eq!(facts.tenant.as_str(), "acme");
    assert_eq!(facts.authenticated_at.0, NOW - 5);
    assert_eq!(
        facts.acr.as_deref(),
        Some("silver"),
        "userinfo must not overwrite the ID token"
    );
    assert_eq!(facts.amr, ["pwd", "otp"]);
    assert_eq!(facts.upstream_session.as_deref(), Some("their-session"));
    assert_eq!(facts.not_after.0, NOW + 8 * 3600);
    let form = forger.desk.forms.lock().unwrap().clone();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
    assert_eq!(field("redirect_uri").as_deref(), Some(CALLBACK));
    assert_eq!(field("code").as_deref(), Some("a-code"));
    assert_eq!(field("code_verifier").map(|verifier| verifier.len()), Some(43));
    assert_eq!(field("client_secret"), None, "the secret goes by HTTP Basic");
}

#[tokio::test]
async fn claims_that_are_not_for_this_sign_in_are_refused() {
    use Code::ProofInvalid as Bad;
    refused(&[
        ("iss", Bad, "issuer is another", |b| {
            b.claim("iss", json!("https://evil.example"))
        }),
        ("iss with a slash", Bad, "issuer is another", |b| {
            let other = format!("{}/", b.issuer);
            b.claim("iss", json!(other));
        }),
        ("no iss", Bad, "issuer is another", |b| b.without("iss")),
        ("aud", Bad, "another audience", |b| {
            b.claim("aud", json!("cloud-b"))
        }),
        ("no aud", Bad, "another audience", |b| b.without("aud")),
        ("azp", Bad, "azp", |b| b.claim("azp", json!("cloud-b"))),
        ("azp of another kind", Bad, "azp", |b| {
            b.claim("azp", json!(["cloud-a"]))
        }),
        ("several aud, no azp", Bad, "no azp", |b| {
            b.claim("aud", json!(["cloud-a", "cloud-b"]))
        }),
        ("expired", Bad, "expired", |b| b.claim("exp", json!(NOW - 60))),
        ("no exp", Bad, "no exp", |b| b.without("exp")),
        ("exp as text", Bad, "no exp", |b| {
            b.claim("exp", json!("1900000300"))
        }),
        ("nbf in future", Bad, "not valid yet", |b| {
            b.claim("nbf", json!(NOW + 61))
        }),
        ("iat in future", Bad, "from the future", |b| {
            b.claim("iat", json!(NOW + 61))
        }),
        ("iat too old", Bad, "older than ten minutes", |b| {
            b.claim("iat", json!(NOW - 601))
        }),
        ("no iat", Bad, "no iat", |b| b.without("iat")),
        ("no nonce", Bad, "nonce", |b| b.claim("nonce", Value::Null)),
        ("wrong nonce", Bad, "nonce", |b| {
            b.claim("nonce", json!("another sign-in's"))
        }),
        ("empty sub", Bad, "no sub", |b| b.claim("sub", json!(""))),
        ("blank sub", Bad, "subject is empty", |b| {
            b.claim("sub", json!(" "))
        }),
        ("long sub", Bad, "longer than 255", |b| {
            b.claim("sub", json!("x".repeat(256)))
        }),
        ("sub with a line break", Bad, "control", |b| {
            b.claim("sub", json!("a\nb"))
        }),
        ("no sub", Bad, "no sub", |b| b.without("sub")),
        ("sub as number", Bad, "no sub", |b| b.claim("sub", json!(7))),
        ("at_hash", Bad, "at_hash", |b| {
            b.claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"))
        }),
        ("old auth_time", Bad, "not asked to sign in anew", |b| {
            b.fresh = true;
            b.claim("auth_time", json!(NOW - 61));
        }),
        ("no auth_time", Bad, "auth_time", |b| {
            b.fresh = true;
            b.without("auth_time");
        }),
        ("userinfo of another", Bad, "another person", |b| {
            b.userinfo = Some(json!({ "sub": "bob" }))
        }),
        ("userinfo of nobody", Bad, "another person", |b| {
            b.userinfo = Some(json!({ "groups": ["admin"] }))
        }),
        ("userinfo as list", Bad, "no JSON object", |b| {
            b.userinfo = Some(json!(["alice"]))
        }),
    ])
    .await;
}

#[tokio::test]
async fn signatures_that_prove_nothing_are_refused() {
    use Code::ProofInvalid as Bad;
    const NO_KEY: &str = "no key of the provider";
    refused(&[
        ("alg none", Bad, "no JWS", |b| {
            b.signed("none", "ec", Signer::Nobody)
        }),
        ("alg None", Bad, "no JWS", |b| {
            b.signed("None", "ec", Signer::Nobody)
        }),
        ("HS256, public key as PEM", Bad, "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(ec_pem()))
        }),
        (
            "HS256, public key as point",
            Bad,
            "algorithm is not allowed",
            |b| b.signed("HS256", "ec", Signer::Hmac(ec_point())),
        ),
        ("HS256, public key as JWK", Bad, "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(ec_jwk("ec").to_string().into_bytes()))
        }),
        ("HS256, client secret", Bad, "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(SECRET.as_bytes().to_vec()))
        }),
        ("RS256 with the EC key", Bad, NO_KEY, |b| {
            b.signed("RS256", "ec", Signer::Ec)
        }),
        ("ES256 with the RSA key", Bad, NO_KEY, |b| {
            b.signed("ES256", "rsa", Signer::Rsa)
        }),
        ("PS256 with a key for RS256", Bad, NO_KEY, |b| {
            b.signed("PS256", "rsa", Signer::Rsa)
        }),
        ("a key nobody knows", Bad, NO_KEY, |b| {
            b.signer = Signer::ForeignEc
        }),
        ("no signature", Bad, NO_KEY, |b| b.signer = Signer::Nobody),
        ("unknown kid", Bad, NO_KEY, |b| b.header["kid"] = json!("unknown")),
        ("a key in the header", Bad, NO_KEY, |b| {
            b.header["jwk"] = ec_jwk("foreign");
            b.signer = Signer::ForeignEc;
        }),
        ("typ at+jwt", Bad, "typ", |b| b.header["typ"] = json!("at+jwt")),
        ("typ logout+jwt", Bad, "typ", |b| {
            b.header["typ"] = json!("logout+jwt")
        }),
        ("critical extension", Bad, "critical", |b| {
            b.header["crit"] = json!(["exp"])
        }),
        ("no token at all", Bad, "no JWS", |b| {
            b.token = Some(Reply::Json(json!({ "id_token": "", "access_token": ACCESS })))
        }),
        ("two parts", Bad, "no JWS", |b| {
            b.token = Some(Reply::Json(json!({ "id_token": "e30.e30" })))
        }),
    ])
    .await;
}

#[tokio::test]
async fn answers_of_another_sign_in_are_refused() {
    use Code::{SignInMismatch as Mixed, UpstreamDown as Down, UpstreamRefused as Refused};
    refused(&[
        ("no iss", Mixed, "lacks the iss", |b| b.back("iss", None)),
        ("wrong iss", Mixed, "another issuer", |b| {
            b.back("iss", Some("https://evil.example"))
        }),
        ("iss twice", Mixed, "twice", |b| {
            let again = b.issuer.clone();
            b.back.push(("iss".into(), again));
        }),
        ("no state", Mixed, "state", |b| b.back("state", None)),
        ("wrong state", Mixed, "state", |b| {
            b.back("state", Some("another browser's"))
        }),
        ("state twice", Mixed, "twice", |b| {
            b.back.insert(0, ("state".into(), "x".into()))
        }),
        ("code twice", Mixed, "twice", |b| {
            b.back.push(("code".into(), "stolen".into()))
        }),
        ("no code", Mixed, "neither code nor error", |b| {
            b.back("code", None)
        }),
        ("empty code", Mixed, "neither code nor error", |b| {
            b.back("code", Some(""))
        }),
        ("access_denied", Refused, "access_denied", |b| {
            b.back("code", None);
            b.back("error", Some("access_denied"));
        }),
        ("error and code", Refused, "access_denied", |b| {
            b.back("error", Some("access_denied"))
        }),
        ("an error with another state", Mixed, "state", |b| {
            b.back("state", Some("another browser's"));
            b.back("error", Some("access_denied"));
        }),
        ("server_error", Down, "server_error", |b| {
            b.back("error", Some("server_error"))
        }),
    ])
    .await;
}

#[tokio::test]
async fn a_token_endpoint_that_misbehaves_ends_the_sign_in() {
    use Code::{ProofInvalid as Bad, UpstreamDown as Down, UpstreamRefused as Refused};
    refused(&[
        ("500", Down, "answered 500", |b| {
            b.token = Some(Reply::Text(500, "text/plain", "it broke".into()))
        }),
        ("400", Refused, "invalid_grant", |b| {
            let body = json!({ "error": "invalid_grant" }).to_string();
            b.token = Some(Reply::Text(400, "application/json", body));
        }),
        ("HTML", Bad, "no ID token", |b| {
            b.token = Some(Reply::Text(200, "text/html", "<html>Sign in</html>".into()))
        }),
        ("no ID token", Bad, "no ID token", |b| {
            b.token = Some(Reply::Json(
                json!({ "access_token": ACCESS, "token_type": "Bearer" }),
            ))
        }),
        ("5 MB", Down, "larger than", |b| {
            b.token = Some(Reply::Text(200, "application/json", " ".repeat(5 * 1024 * 1024)))
        }),
        ("no end", Down, "larger than", |b| b.token = Some(Reply::Endless)),
        ("redirect to metadata services", Refused, "answered 307", |b| {
            b.token = Some(Reply::Redirect("http://169.254.169.254/latest/meta-data".into()))
        }),
        // The forger would count it (`strange_asked` must stay 0).
        ("redirect", Refused, "answered 307", |b| {
            let to = format!("{}/strange", b.issuer);
            b.token = Some(Reply::Redirect(to));
        }),
    ])
    .await;
}

fn keys_asked(desk: &Desk) -> usize {
    desk.keys_asked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn unknown_key_ids_cause_no_flood_and_rotation_is_followed() {
    let forger = Forger::start().await;
    let clock = Moving::at(NOW);
    let upstream = open(declared(&forger.issuer, &forger.ca, json!({})), SECRET, &clock);
    let ask = ask();
    let login = |kid: &'static str| {
        let mut bent = Bent::new(&forger.issuer, &ask.state);
        bent.header["kid"] = json!(kid);
        finish(&forger, &*upstream, &ask, bent)
    };
    login("ec").await.unwrap();
    login("ec").await.unwrap();
    assert_eq!(keys_asked(&forger.desk), 1, "known keys are not asked for again");

    clock.pass(61);
    let outcomes = futures_util::future::join_all((0..20).map(|_| login("unknown"))).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().code, Code::ProofInvalid);
    }
    assert_eq!(
        keys_asked(&forger.desk),
        2,
        "twenty unknown key ids ask for the keys once"
    );

    let next = Reply::Json(json!({ "keys": [ec_jwk("next")] }));
    forger.says(|desk| &desk.keys, next);
    assert_eq!(login("next").await.unwrap_err().code, Code::ProofInvalid);
    assert_eq!(keys_asked(&forger.desk), 2, "not again within a minute");
    clock.pass(60);
    login("next").await.unwrap();
    assert_eq!(keys_asked(&forger.desk), 3, "a new key is found");
    assert_eq!(
        login("ec").await.unwrap_err().code,
        Code::ProofInvalid,
        "a withdrawn key is gone"
    );
}

#[tokio::test]
async fn a_withdrawn_key_loses_its_trust_within_the_hour() {
    let forger = Forger::start().await;
    let clock = Moving::at(NOW);
    let upstream = open(declared(&forger.issuer, &forger.ca, json!({})), SECRET, &clock);
    let ask = ask();
    let login = |age: i64| {
        let mut bent = Bent::new(&forger.issuer, &ask.state);
        bent.claim("iat", json!(NOW + age));
        bent.claim("exp", json!(NOW + age + 300));
        finish(&forger, &*upstream, &ask, bent)
    };
    login(0).await.unwrap();
    forger.says(|desk| &desk.keys, Reply::Text(503, "text/plain", "later".into()));
    clock.pass(3600);
    login(3600).await.unwrap();
    forger.says(
        |desk| &desk.keys,
        Reply::Json(json!({ "keys": [ec_jwk("next")] })),
    );
    clock.pass(3600);
    let fault = login(7200).await.unwrap_err();
    assert_eq!(fault.code, Code::ProofInvalid, "{fault}");
    assert!(fault.detail.contains("no key of the provider"), "{fault}");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_an_outage_and_asked_for_again_soon() {
    let forger = Forger::start().await;
    let honest = forger.desk.keys.lock().unwrap().clone();
    let clock = Moving::at(NOW);
    let upstream = open(declared(&forger.issuer, &forger.ca, json!({})), SECRET, &clock);
    let ask = ask();
    let login = || finish(&forger, &*upstream, &ask, Bent::new(&forger.issuer, &ask.state));
    for reply in [
        Reply::Text(503, "text/plain", "later".into()),
        Reply::Text(200, "text/html", "<html>".into()),
        Reply::Json(json!({ "keys": [] })),
        Reply::Endless,
    ] {
        forger.says(|desk| &desk.keys, reply.clone());
        let before = keys_asked(&forger.desk);
        for _ in 0..3 {
            let fault = login().await.unwrap_err();
            assert_eq!(fault.code, Code::UpstreamDown, "{reply:?}: {fault}");
        }
        assert_eq!(keys_asked(&forger.desk), before + 1, "no flood in an outage");
        clock.pass(2);
    }
    forger.says(|desk| &desk.keys, honest);
    login().await.unwrap();
}
