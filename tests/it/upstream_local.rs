//! People that the gateway knows itself: passwords, throttling, and what is refused at open.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use fedgate::{
    domain::fault::{Code, Fault},
    keys::SystemEntropy,
    port::upstream::{Health, Upstream},
    store::memory::MemoryLimits,
    upstream::{Declared, OpenFault, Wiring, local::hash_password},
};
use serde_json::{Value, json};

use crate::upstream_oidc::{Moving, Named};

const NOW: i64 = 1_900_000_000;
const ALICE: &str = "correct horse battery staple";
const BORIS: &str = "пароль с ёлкой 🌲 ß";

fn user(name: &str, hash: &str) -> Value {
    json!({ "username": name, "password_hash": { "env": hash } })
}

fn opened(users: Value, clock: &Arc<Moving>) -> Result<Arc<dyn Upstream>, OpenFault> {
    let hash = |password| hash_password(password).unwrap();
    let right = hash(ALICE);
    let (head, _) = right.rsplit_once('$').unwrap();
    let secrets = Named(HashMap::from([
        ("ALICE", right.clone()),
        ("BORIS", hash(BORIS)),
        ("PLAIN", "hunter2".to_owned()),
        ("WITHOUT_OUTPUT", head.to_owned()),
        (
            "BCRYPT",
            "$2b$12$KIXQ4yd9nS0n0l8n0u0l8e5s5s5s5s5s5s5s5s5s5s5s5s5s5s5s5".to_owned(),
        ),
        ("ARGON2I", right.replace("argon2id", "argon2i")),
    ]));
    let settings =
        json!({ "kind": "local", "id": "people", "name": "ACME people", "tenant": "acme", "users": users });
    let declared: Declared = serde_json::from_value(settings).expect("settings");
    let wiring = Wiring {
        issuer: "https://gateway.example".into(),
        secrets: &secrets,
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        limits: Arc::new(MemoryLimits::new(1000, clock.clone())),
    };
    fedgate::upstream::open(declared, &wiring)
}

fn people(clock: &Arc<Moving>) -> Arc<dyn Upstream> {
    let mut alice = user("alice", "ALICE");
    alice["subject"] = json!("u-1");
    alice["name"] = json!("Alice");
    alice["email"] = json!("alice@acme.example");
    alice["groups"] = json!(["developers"]);
    opened(json!([alice, user("Борис", "BORIS")]), clock).unwrap()
}

async fn verify(people: &Arc<dyn Upstream>, name: &str, password: &str, from: &str) -> Result<Value, Fault> {
    let login = people.ways().password.expect("a login by password");
    let assertion = login.verify(name, password, from).await?;
    Ok(serde_json::to_value(assertion.facts()).unwrap())
}

#[tokio::test]
async fn the_right_password_proves_the_person() {
    let people = people(&Moving::at(NOW));
    assert_eq!(people.health(), Health::Ready);
    let facts = verify(&people, "alice", ALICE, "192.0.2.1").await.unwrap();
    assert_eq!(facts["subject"], "u-1");
    assert_eq!(facts["issuer"], "https://gateway.example");
    assert_eq!(facts["tenant"], "acme");
    assert_eq!(facts["authenticated_at"], NOW);
    assert_eq!(facts["not_after"], NOW + 8 * 3600);
    assert_eq!(facts["amr"], json!(["pwd"]));
    let claims = json!({ "preferred_username": "alice", "name": "Alice", "email": "alice@acme.example",
        "email_verified": true, "groups": ["developers"] });
    assert_eq!(facts["claims"], claims);
}

#[tokio::test]
async fn passwords_and_names_of_any_script_work() {
    let people = people(&Moving::at(NOW));
    let facts = verify(&people, "Борис", BORIS, "192.0.2.1").await.unwrap();
    assert_eq!(facts["subject"], "Борис");
}

#[tokio::test]
async fn wrong_and_unknown_look_alike() {
    let people = people(&Moving::at(NOW));
    let mut faults = Vec::new();
    for (name, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", BORIS),
        ("Alice", ALICE),
        ("alice ", ALICE),
        ("nobody", ALICE),
        ("nobody", ""),
        ("", ALICE),
        ("Борис", "пароль с елкой 🌲 ß"),
    ] {
        let outcome = verify(&people, name, password, "192.0.2.1").await;
        faults.push(outcome.expect_err(&format!("'{name}' with '{password}'")));
    }
    for fault in &faults {
        assert_eq!(fault.code, Code::BadCredentials);
        assert_eq!(fault, &faults[0], "they look alike");
    }
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let people = people(&Moving::at(NOW));
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for round in 0..9 {
        for (which, name) in ["alice", "nobody"].into_iter().enumerate() {
            let began = Instant::now();
            // Each from an address of its own, so that no throttle answers.
            let from = format!("192.0.2.{round}");
            assert!(verify(&people, name, "wrong", &from).await.is_err());
            times[which].push(began.elapsed());
        }
    }
    // The machine may be busy: the quickest of each is what the work itself takes.
    let [wrong, unknown] = times.map(|times| times.into_iter().min().unwrap());
    assert!(
        wrong < unknown * 3 && unknown < wrong * 3,
        "wrong: {wrong:?}, unknown: {unknown:?}"
    );
}

#[tokio::test]
async fn guessing_is_throttled_until_the_window_has_passed() {
    let clock = Moving::at(NOW);
    let people = people(&clock);
    for _ in 0..10 {
        let fault = verify(&people, "alice", "guess", "192.0.2.1").await.unwrap_err();
        assert_eq!(fault.code, Code::BadCredentials);
    }
    // Even the right one is not looked at now: else the throttle would tell it.
    let fault = verify(&people, "alice", ALICE, "192.0.2.1").await.unwrap_err();
    assert_eq!(fault.code, Code::TooManyAttempts);
    // Nobody can lock Alice out from elsewhere, and her neighbours are not affected.
    verify(&people, "alice", ALICE, "192.0.2.2").await.unwrap();
    verify(&people, "Борис", BORIS, "192.0.2.1").await.unwrap();
    clock.pass(301);
    verify(&people, "alice", ALICE, "192.0.2.1").await.unwrap();
}

#[tokio::test]
async fn a_right_password_forgets_the_wrong_ones() {
    let people = people(&Moving::at(NOW));
    for _ in 0..3 {
        for _ in 0..9 {
            let fault = verify(&people, "alice", "guess", "192.0.2.1").await.unwrap_err();
            assert_eq!(fault.code, Code::BadCredentials);
        }
        verify(&people, "alice", ALICE, "192.0.2.1").await.unwrap();
    }
}

#[tokio::test]
async fn one_address_cannot_try_many_names() {
    let people = people(&Moving::at(NOW));
    let mut codes = Vec::new();
    for attempt in 0..61 {
        let name = format!("guess-{attempt}");
        codes.push(
            verify(&people, &name, "guess", "192.0.2.1")
                .await
                .unwrap_err()
                .code,
        );
    }
    assert!(
        codes[..60].iter().all(|code| *code == Code::BadCredentials),
        "{codes:?}"
    );
    assert_eq!(codes[60], Code::TooManyAttempts);
}

#[tokio::test]
async fn over_long_input_is_refused_without_work() {
    let people = people(&Moving::at(NOW));
    let began = Instant::now();
    for _ in 0..100 {
        let password = "x".repeat(8 * 1024 * 1024);
        let fault = verify(&people, "alice", &password, "192.0.2.1")
            .await
            .unwrap_err();
        assert_eq!(fault.code, Code::BadCredentials);
        let name = "x".repeat(256);
        let fault = verify(&people, &name, ALICE, "192.0.2.1").await.unwrap_err();
        assert_eq!(fault.code, Code::BadCredentials);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn what_is_no_argon2id_hash_is_refused_at_open_and_not_shown() {
    for name in ["PLAIN", "BCRYPT", "ARGON2I", "WITHOUT_OUTPUT", "MISSING"] {
        let users = json!([user("alice", "ALICE"), user("bob", name)]);
        let fault = opened(users, &Moving::at(NOW)).map(drop).unwrap_err();
        assert_eq!(fault.id.as_str(), "people", "{name}");
        assert!(
            fault.problem.starts_with("users[1].password_hash"),
            "{name}: {fault}"
        );
        assert!(
            !fault.problem.contains("hunter2") && !fault.problem.contains('$'),
            "{fault}"
        );
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused_at_open() {
    let users = json!([user("alice", "ALICE"), user("alice", "BORIS")]);
    let fault = opened(users, &Moving::at(NOW)).map(drop).unwrap_err();
    assert!(fault.problem.contains("'alice' is there twice"), "{fault}");
}
