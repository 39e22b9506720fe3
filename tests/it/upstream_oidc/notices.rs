//! Logout tokens of an upstream: each check of OpenID Connect Back-Channel Logout 1.0 §2.6 on its own.

use fedgate::{domain::fault::Code, port::clock::Clock as _};
use serde_json::{Value, json};

use super::forger::{Forger, Signer, ec_pem, token};
use crate::parts::wiring::TestClock;

fn good(issuer: &str, now: i64, jti: &str) -> Value {
    json!({
        "iss": issuer, "aud": "gateway", "iat": now, "exp": now + 120, "jti": jti, "sub": "alice", "sid": "s1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

fn header(typ: &str) -> Value {
    json!({ "alg": "ES256", "kid": "ec", "typ": typ })
}

#[tokio::test]
async fn a_logout_token_is_checked_as_strictly_as_an_id_token() {
    let (forger, clock) = (Forger::start().await, TestClock::new());
    let upstream = forger.open(&clock, &json!({}));
    let notices = upstream.ways().notices.unwrap();
    let now = clock.now().0;
    type Bend = fn(&mut Value, i64);
    let cases: [(&str, Bend, &str); 15] = [
        (
            "another issuer",
            |c, _| c["iss"] = json!("https://other"),
            "issuer",
        ),
        ("another audience", |c, _| c["aud"] = json!("other"), "audience"),
        ("another party", |c, _| c["azp"] = json!("other"), "azp"),
        ("expired", |c, now| c["exp"] = json!(now - 61), "expired"),
        ("no exp", |c, _| c["exp"] = json!(null), "exp"),
        ("no iat", |c, _| c["iat"] = json!(null), "iat"),
        ("old", |c, now| c["iat"] = json!(now - 301), "older"),
        ("from the future", |c, now| c["iat"] = json!(now + 61), "future"),
        ("no events", |c, _| c["events"] = json!(null), "event"),
        (
            "another event",
            |c, _| c["events"] = json!({ "urn:x": {} }),
            "event",
        ),
        (
            "an event that is no object",
            |c, _| c["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": true }),
            "event",
        ),
        ("a nonce", |c, _| c["nonce"] = json!("n"), "nonce"),
        (
            "nobody",
            |c, _| {
                c.as_object_mut()
                    .unwrap()
                    .retain(|name, _| name != "sub" && name != "sid");
            },
            "neither",
        ),
        ("a sid that is no text", |c, _| c["sid"] = json!(7), "sid"),
        ("no jti", |c, _| c["jti"] = json!(""), "jti"),
    ];
    for (name, bend, part) in cases {
        let mut claims = good(&forger.issuer, now, "one");
        bend(&mut claims, now);
        let fault = notices
            .read(&token(&header("logout+jwt"), &claims, &Signer::Ec))
            .await
            .unwrap_err();
        assert_eq!(fault.code, Code::ProofInvalid, "{name}: {fault}");
        assert!(fault.detail.contains(part), "{name}: {fault}");
    }
    let claims = good(&forger.issuer, now, "one");
    for (name, header, signer) in [
        ("an access token", header("at+jwt"), Signer::Ec),
        ("another key", header("logout+jwt"), Signer::ForeignEc),
        (
            "HS256 with the public key",
            json!({ "alg": "HS256", "kid": "ec" }),
            Signer::Hmac(ec_pem()),
        ),
        ("none", json!({ "alg": "none" }), Signer::Nobody),
    ] {
        let fault = notices.read(&token(&header, &claims, &signer)).await.unwrap_err();
        assert_eq!(fault.code, Code::ProofInvalid, "{name}: {fault}");
    }
    // None of these has used its jti up; the good one does.
    let token = token(&header("logout+jwt"), &claims, &Signer::Ec);
    let notice = notices.read(&token).await.unwrap();
    assert_eq!(
        (notice.subject.as_deref(), notice.session.as_deref()),
        (Some("alice"), Some("s1"))
    );
    let again = notices.read(&token).await.unwrap_err();
    assert!(again.detail.contains("came before"), "{again}");
}
