//! Keys and headers, over TLS: what a signature must not be made with, how keys change, and what an outage of them costs.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use fedgate::{
    domain::fault::{Code, Fault},
    port::{
        clock::Clock as _,
        upstream::{Answered, Finished, Health, Upstream},
    },
};
use serde_json::{Value, json};

use super::{
    STATE, ask,
    forger::{Desk, Forger, Reply, Signer, ec_jwk, ec_pem, ec_point, token},
};
use crate::parts::wiring::TestClock;

/// The ID token of one sign-in, which a case bends.
struct Bent {
    header: Value,
    claims: Value,
    signer: Signer,
    /// What the token endpoint answers instead of the token.
    token: Option<Reply>,
}

impl Bent {
    fn new(issuer: &str, now: i64) -> Self {
        Self {
            header: json!({ "alg": "ES256", "kid": "ec", "typ": "JWT" }),
            claims: json!({ "iss": issuer, "sub": "alice", "aud": "gateway", "iat": now, "exp": now + 300 }),
            signer: Signer::Ec,
            token: None,
        }
    }

    fn signed(&mut self, algorithm: &str, kid: &str, signer: Signer) {
        self.header = json!({ "alg": algorithm, "kid": kid });
        self.signer = signer;
    }
}

/// A whole sign-in against a forger.
async fn finish(forger: &Forger, upstream: &dyn Upstream, mut bent: Bent) -> Result<Finished, Fault> {
    let login = upstream.ways().browser.expect("a login by browser");
    let begin = login.begin(&ask()).await?;
    bent.claims["nonce"] = begin.memory["nonce"].clone();
    let reply = bent.token.take().unwrap_or_else(|| {
        let id_token = token(&bent.header, &bent.claims, &bent.signer);
        Reply::Json(json!({ "id_token": id_token, "access_token": "x", "token_type": "Bearer" }))
    });
    forger.says(|desk| &desk.token, reply);
    let answered = Answered {
        parameters: [("code", "c"), ("state", STATE), ("iss", &forger.issuer)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
    };
    login.finish(&ask(), &begin.memory, &answered).await
}

fn opened(forger: &Forger, clock: &Arc<TestClock>) -> Arc<dyn Upstream> {
    forger.open(clock, &json!({ "userinfo": false }))
}

/// What is bent, and a piece of the detail (so that no other check hides the one meant).
type Case = (&'static str, &'static str, Bend);
type Bend = fn(&mut Bent);

async fn refused(cases: &[Case]) {
    for (name, detail, bend) in cases {
        let (forger, clock) = (Forger::start().await, TestClock::new());
        let mut bent = Bent::new(&forger.issuer, clock.now().0);
        bend(&mut bent);
        let fault = match finish(&forger, &*opened(&forger, &clock), bent).await {
            Ok(finished) => panic!("{name}: accepted as {:?}", finished.assertion.facts()),
            Err(fault) => fault,
        };
        assert_eq!(fault.code, Code::ProofInvalid, "{name}: {fault}");
        assert!(
            fault.detail.contains(detail),
            "{name}: found by another check: {fault}"
        );
    }
}

#[tokio::test]
async fn signatures_by_published_keys_pass() {
    let cases: [(&str, Bend); 3] = [
        ("ES256", |_| {}),
        ("RS256", |b| b.signed("RS256", "rsa", Signer::Rsa)),
        ("no kid", |b| b.header = json!({ "alg": "ES256" })),
    ];
    for (name, bend) in cases {
        let (forger, clock) = (Forger::start().await, TestClock::new());
        let mut bent = Bent::new(&forger.issuer, clock.now().0);
        bend(&mut bent);
        let outcome = finish(&forger, &*opened(&forger, &clock), bent).await;
        let finished = outcome.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(finished.assertion.facts().subject, "alice", "{name}");
    }
}

#[tokio::test]
async fn signatures_that_prove_nothing_are_refused() {
    const NO_KEY: &str = "no key of the provider";
    refused(&[
        ("alg none", "no JWS", |b| b.signed("none", "ec", Signer::Nobody)),
        ("alg None", "no JWS", |b| b.signed("None", "ec", Signer::Nobody)),
        ("HS256, public key as PEM", "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(ec_pem()));
        }),
        ("HS256, public key as point", "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(ec_point()));
        }),
        ("HS256, public key as JWK", "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(ec_jwk("ec").to_string().into_bytes()));
        }),
        ("HS256, client secret", "algorithm is not allowed", |b| {
            b.signed("HS256", "ec", Signer::Hmac(super::SECRET.as_bytes().to_vec()));
        }),
        ("RS256 with the EC key", NO_KEY, |b| {
            b.signed("RS256", "ec", Signer::Ec);
        }),
        ("ES256 with the RSA key", NO_KEY, |b| {
            b.signed("ES256", "rsa", Signer::Rsa);
        }),
        ("PS256 with a key for RS256", NO_KEY, |b| {
            b.signed("PS256", "rsa", Signer::Rsa);
        }),
        ("a key nobody knows", NO_KEY, |b| b.signer = Signer::ForeignEc),
        ("no signature", NO_KEY, |b| b.signer = Signer::Nobody),
        ("unknown kid", NO_KEY, |b| b.header["kid"] = json!("unknown")),
        ("a key in the header", NO_KEY, |b| {
            b.header["jwk"] = ec_jwk("foreign");
            b.signer = Signer::ForeignEc;
        }),
        ("typ at+jwt", "typ", |b| b.header["typ"] = json!("at+jwt")),
        ("typ logout+jwt", "typ", |b| b.header["typ"] = json!("logout+jwt")),
        ("critical extension", "critical", |b| {
            b.header["crit"] = json!(["exp"]);
        }),
        ("no token at all", "no JWS", |b| {
            b.token = Some(Reply::Json(json!({ "id_token": "", "access_token": "x" })));
        }),
        ("two parts", "no JWS", |b| {
            b.token = Some(Reply::Json(json!({ "id_token": "e30.e30" })));
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
    let clock = TestClock::new();
    let upstream = opened(&forger, &clock);
    let login = |kid: &'static str| {
        let mut bent = Bent::new(&forger.issuer, clock.now().0);
        bent.header["kid"] = json!(kid);
        finish(&forger, &*upstream, bent)
    };
    login("ec").await.unwrap();
    login("ec").await.unwrap();
    assert_eq!(keys_asked(&forger.desk), 1, "known keys are not asked for again");

    clock.advance(61);
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
    clock.advance(60);
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
    let clock = TestClock::new();
    let upstream = opened(&forger, &clock);
    let login = || finish(&forger, &*upstream, Bent::new(&forger.issuer, clock.now().0));
    login().await.unwrap();
    forger.says(|desk| &desk.keys, Reply::Text(503, "text/plain", "later".into()));
    clock.advance(3600);
    login().await.unwrap();
    forger.says(
        |desk| &desk.keys,
        Reply::Json(json!({ "keys": [ec_jwk("next")] })),
    );
    clock.advance(3600);
    let fault = login().await.unwrap_err();
    assert_eq!(fault.code, Code::ProofInvalid, "{fault}");
    assert!(fault.detail.contains("no key of the provider"), "{fault}");
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_an_outage_and_asked_for_again_soon() {
    let forger = Forger::start().await;
    let honest = forger.desk.keys.lock().unwrap().clone();
    let clock = TestClock::new();
    let upstream = opened(&forger, &clock);
    let login = || finish(&forger, &*upstream, Bent::new(&forger.issuer, clock.now().0));
    for reply in [
        Reply::Text(503, "text/plain", "later".into()),
        Reply::Text(200, "text/html", "<html>".into()),
        Reply::Endless,
    ] {
        forger.says(|desk| &desk.keys, reply.clone());
        let before = keys_asked(&forger.desk);
        for _ in 0..3 {
            let fault = login().await.unwrap_err();
            assert_eq!(fault.code, Code::UpstreamDown, "{reply:?}: {fault}");
        }
        assert_eq!(keys_asked(&forger.desk), before + 1, "no flood in an outage");
        clock.advance(2);
    }
    forger.says(|desk| &desk.keys, honest);
    login().await.unwrap();
}

#[tokio::test]
async fn callers_that_go_away_cause_no_flood() {
    let (forger, clock) = (Forger::start().await, TestClock::new());
    let upstream = opened(&forger, &clock);
    forger.says(|desk| &desk.keys, Reply::Stuck);
    for _ in 0..3 {
        let login = finish(&forger, &*upstream, Bent::new(&forger.issuer, clock.now().0));
        let gone = tokio::time::timeout(Duration::from_millis(500), login).await;
        assert!(gone.is_err(), "nobody answers");
        clock.advance(3);
    }
    assert_eq!(keys_asked(&forger.desk), 1);
}

#[tokio::test]
async fn a_provider_without_key_ids_may_change_its_keys() {
    let forger = Forger::start().await;
    let honest = forger.desk.keys.lock().unwrap().clone();
    let clock = TestClock::new();
    let upstream = opened(&forger, &clock);
    let login = || {
        let mut bent = Bent::new(&forger.issuer, clock.now().0);
        bent.header = json!({ "alg": "ES256" });
        finish(&forger, &*upstream, bent)
    };
    let rsa_alone = json!({ "keys": [super::forger::rsa_jwk("rsa")] });
    forger.says(|desk| &desk.keys, Reply::Json(rsa_alone));
    assert_eq!(login().await.unwrap_err().code, Code::ProofInvalid);
    forger.says(|desk| &desk.keys, honest);
    assert_eq!(login().await.unwrap_err().code, Code::ProofInvalid);
    assert_eq!(keys_asked(&forger.desk), 1, "not again within a minute");
    clock.advance(60);
    login().await.unwrap();
    assert_eq!(keys_asked(&forger.desk), 2);
}

/// Readiness names what fails although the provider was found, and stops when it works again.
#[tokio::test]
async fn a_provider_that_fails_after_it_was_found_is_named_until_it_works_again() {
    let (forger, clock) = (Forger::start().await, TestClock::new());
    let upstream = forger.open(&clock, &json!({ "userinfo": false }));
    let good = || Bent::new(&forger.issuer, clock.now().0);
    let impaired = |words: &str| {
        let health = upstream.health();
        assert!(
            matches!(&health, Health::Impaired { reason } if reason.contains(words)),
            "'{words}' is not in {health:?}"
        );
    };
    // Its keys fail before any was read.
    let keys = forger.desk.keys.lock().unwrap().clone();
    forger.says(|desk| &desk.keys, Reply::Text(500, "text/html", String::new()));
    finish(&forger, &*upstream, good()).await.unwrap_err();
    impaired("keys: ");
    forger.says(|desk| &desk.keys, keys);
    clock.advance(10);
    finish(&forger, &*upstream, good()).await.unwrap();
    assert_eq!(upstream.health(), Health::Ready);
    // Its token endpoint: an outage, then our own wrong secret. A refused code is neither.
    let answers = |reply: Reply| Bent {
        token: Some(reply),
        ..good()
    };
    let outage = Reply::Text(502, "text/html", "<secret>".into());
    finish(&forger, &*upstream, answers(outage)).await.unwrap_err();
    impaired("token endpoint: answered 502 (0 s ago)");
    let refused = |error: &str| Reply::Text(400, "application/json", json!({ "error": error }).to_string());
    finish(&forger, &*upstream, answers(refused("invalid_client")))
        .await
        .unwrap_err();
    impaired("client_secret is wrong");
    finish(&forger, &*upstream, answers(refused("invalid_grant")))
        .await
        .unwrap_err();
    assert_eq!(upstream.health(), Health::Ready);
    // What nobody has tried again is forgotten.
    let silent = Reply::Text(503, "text/html", String::new());
    finish(&forger, &*upstream, answers(silent)).await.unwrap_err();
    impaired("answered 503");
    clock.advance(300);
    assert_eq!(upstream.health(), Health::Ready);
}
