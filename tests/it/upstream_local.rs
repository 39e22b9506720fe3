//! People known to the gateway itself: right, wrong and unknown, throttling, limits of length.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fedgate::{
    domain::fault::{Code, Fault},
    port::upstream::Upstream,
    upstream::{Declared, local, open},
};
use serde_json::json;

use crate::parts::wiring::{TestClock, wiring};

const PASSWORD: &str = "größer als Ω 🔑";

fn upstream(clock: &Arc<TestClock>) -> Arc<dyn Upstream> {
    let hash = local::hash_password(PASSWORD).unwrap();
    let declared: Declared = serde_json::from_value(json!({
        "kind": "local", "id": "people", "name": "ACME people", "tenant": "acme", "break_glass": true,
        "users": [
            { "username": "alice", "password_hash": { "env": hash }, "subject": "a-1", "name": "Alice",
              "email": "alice@acme.example", "groups": ["developers"] },
            { "username": "bob", "password_hash": { "env": hash } },
        ],
    }))
    .unwrap();
    open(declared, &wiring(clock)).unwrap()
}

async fn code(upstream: &Arc<dyn Upstream>, username: &str, password: &str, address: &str) -> Option<Code> {
    let outcome = upstream
        .ways()
        .password
        .unwrap()
        .verify(username, password, address)
        .await;
    outcome.err().map(|fault: Fault| fault.code)
}

#[tokio::test]
async fn the_right_password_is_alice_and_nothing_else_is() {
    let clock = TestClock::new();
    let upstream = upstream(&clock);
    let ways = upstream.ways();
    let assertion = ways
        .password
        .unwrap()
        .verify("alice", PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    let facts = assertion.facts();
    assert_eq!(facts.subject, "a-1");
    assert_eq!(facts.issuer, "https://gateway.test");
    assert_eq!(facts.tenant.as_str(), "acme");
    assert_eq!(facts.claims["groups"], json!(["developers"]));
    assert_eq!(facts.claims["email_verified"], json!(true));
    assert_eq!(facts.amr, ["pwd"]);
    let bob = ways
        .password
        .unwrap()
        .verify("bob", PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    assert_eq!(bob.facts().subject, "bob");

    let cases = [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", "gr\u{f6}\u{df}er als \u{3a9} "),
        ("Alice", PASSWORD),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("alice\0", PASSWORD),
    ];
    for (username, password) in cases {
        let found = code(&upstream, username, password, "192.0.2.2").await;
        assert_eq!(found, Some(Code::BadCredentials), "{username:?} {password:?}");
    }
}

#[tokio::test]
async fn over_long_input_is_refused_without_hashing() {
    let upstream = upstream(&TestClock::new());
    let began = Instant::now();
    for _ in 0..200 {
        let long = "x".repeat(1025);
        assert_eq!(
            code(&upstream, "alice", &long, "192.0.2.3").await,
            Some(Code::BadCredentials)
        );
        assert_eq!(
            code(&upstream, &long, PASSWORD, "192.0.2.3").await,
            Some(Code::BadCredentials)
        );
    }
    // 400 hashes would take seconds.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn unknown_and_wrong_take_the_same_time() {
    let upstream = upstream(&TestClock::new());
    // Times are taken in turn and the best of each counts: other work on the machine must not decide.
    let mut best = [Duration::MAX; 2];
    for round in 0..8 {
        for (at, username) in ["alice", "nobody"].into_iter().enumerate() {
            let began = Instant::now();
            let address = format!("192.0.2.{round}");
            assert_eq!(
                code(&upstream, username, "wrong", &address).await,
                Some(Code::BadCredentials)
            );
            best[at] = best[at].min(began.elapsed());
        }
    }
    let ratio = best[1].as_secs_f64() / best[0].as_secs_f64();
    assert!(
        (0.5..2.0).contains(&ratio),
        "known {:?}, unknown {:?}",
        best[0],
        best[1]
    );
}

#[tokio::test]
async fn guessing_is_throttled_by_user_and_address() {
    let clock = TestClock::new();
    let upstream = upstream(&clock);
    for _ in 0..10 {
        assert_eq!(
            code(&upstream, "alice", "wrong", "192.0.2.4").await,
            Some(Code::BadCredentials)
        );
    }
    // Even the right password has to wait now; from elsewhere, and for others, it does not.
    assert_eq!(
        code(&upstream, "alice", PASSWORD, "192.0.2.4").await,
        Some(Code::TooManyAttempts)
    );
    assert_eq!(code(&upstream, "alice", PASSWORD, "192.0.2.5").await, None);
    assert_eq!(code(&upstream, "bob", PASSWORD, "192.0.2.4").await, None);
    clock.advance(601);
    assert_eq!(code(&upstream, "alice", PASSWORD, "192.0.2.4").await, None);
}

#[tokio::test]
async fn a_right_password_forgives_the_wrong_ones() {
    let upstream = upstream(&TestClock::new());
    for _ in 0..3 {
        for _ in 0..8 {
            assert_eq!(
                code(&upstream, "alice", "wrong", "192.0.2.6").await,
                Some(Code::BadCredentials)
            );
        }
        assert_eq!(code(&upstream, "alice", PASSWORD, "192.0.2.6").await, None);
    }
}

#[tokio::test]
async fn one_address_cannot_try_many_names() {
    let upstream = upstream(&TestClock::new());
    let mut last = None;
    for at in 0..61 {
        last = code(&upstream, &format!("user{at}"), "wrong", "192.0.2.7").await;
    }
    assert_eq!(last, Some(Code::TooManyAttempts));
}

#[tokio::test]
async fn settings_that_cannot_work_stop_the_start() {
    let clock = TestClock::new();
    let good = local::hash_password("x").unwrap();
    let without_output = good.rsplit_once('$').unwrap().0;
    let other_kind = good.replace("argon2id", "argon2i");
    for (users, found) in [
        (
            json!([{ "username": "a", "password_hash": { "env": "plain" } }]),
            "no argon2id hash",
        ),
        // It would refuse every password.
        (
            json!([{ "username": "a", "password_hash": { "env": without_output } }]),
            "no argon2id hash",
        ),
        (
            json!([{ "username": "a", "password_hash": { "env": other_kind } }]),
            "no argon2id hash",
        ),
        (
            json!([{ "username": "a", "password_hash": { "file": "/nowhere" } }]),
            "/nowhere",
        ),
        (
            json!([{ "username": "a", "password_hash": { "env": good } }, { "username": "a", "password_hash": { "env": good } }]),
            "twice",
        ),
    ] {
        let declared: Declared = serde_json::from_value(
            json!({ "kind": "local", "id": "people", "name": "P", "tenant": "acme", "users": users }),
        )
        .unwrap();
        let fault = open(declared, &wiring(&clock)).err().expect("opened").to_string();
        assert!(fault.contains(found) && !fault.contains("plain"), "{fault}");
    }
}
