//! `private_key_jwt` (RFC 7523) at the token endpoint of a real gateway.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::parts::gateway::{APP_SECRET, Landscape, shared};
use crate::parts::machine::{self, ID, Key, header, own};
use crate::parts::party::token;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a good client says. `change` replaces members; a null takes one away.
fn said(landscape: &Landscape, change: &Value) -> Value {
    let mut claims = json!({
        "iss": ID, "sub": ID, "aud": landscape.cloud.issuer, "exp": now() + 120, "iat": now(), "jti": unique(),
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims
}

async fn present(landscape: &Landscape, assertion: &str) -> (u16, Value) {
    present_with(landscape, assertion, &[]).await
}

async fn present_with(landscape: &Landscape, assertion: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_assertion", assertion),
    ];
    if !more.iter().any(|(name, _)| *name == "client_assertion_type") {
        fields.push(("client_assertion_type", JWT_BEARER));
    }
    fields.extend(more);
    token(landscape, &fields).await
}

/// The one answer to everything that proves nothing: it does not say what was wrong.
fn unproved(answer: &(u16, Value), why: &str) {
    let (status, body) = answer;
    assert_eq!(
        (*status, &body["error"]),
        (401, &json!("invalid_client")),
        "{why}: {body}"
    );
    assert_eq!(body["access_token"], Value::Null, "{why}");
    let description = body["error_description"].as_str().unwrap();
    assert!(
        description.starts_with("unknown client or wrong credentials"),
        "{why}: {description}"
    );
}

#[tokio::test]
async fn a_good_assertion_is_taken_once() {
    let landscape = shared().await;
    let endpoint = landscape.cloud.at("/oauth2/token");
    for audience in [
        json!(landscape.cloud.issuer),
        json!(endpoint),
        json!([endpoint, landscape.cloud.issuer]),
    ] {
        let assertion = own().sign(&header(), &said(&landscape, &json!({"aud": audience})));
        let (status, body) = present(&landscape, &assertion).await;
        assert_eq!(
            (status, body["token_type"].as_str()),
            (200, Some("Bearer")),
            "{body}"
        );
        unproved(&present(&landscape, &assertion).await, "the same again");
    }
    // No name of the key: the only one that fits is tried. The client's name beside it may be there.
    let assertion = own().sign(&Header::new(Algorithm::ES256), &said(&landscape, &json!({})));
    let (status, body) = present_with(&landscape, &assertion, &[("client_id", ID)]).await;
    assert_eq!(status, 200, "{body}");
    // Ten at once are still one.
    let assertion = own().sign(&header(), &said(&landscape, &json!({})));
    let all = futures_util::future::join_all((0..10).map(|_| present(&landscape, &assertion))).await;
    let taken = all.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(taken, 1, "{all:?}");
    // Another assertion with the same `jti` is a replay, too: the name is what counts.
    let jti = json!({"jti": unique()});
    let (status, _) = present(&landscape, &own().sign(&header(), &said(&landscape, &jti))).await;
    assert_eq!(status, 200);
    let mut longer = jti.clone();
    longer["exp"] = json!(now() + 300);
    unproved(
        &present(&landscape, &own().sign(&header(), &said(&landscape, &longer))).await,
        "the same jti",
    );
}

#[tokio::test]
async fn claims_that_do_not_hold_prove_nothing() {
    let landscape = shared().await;
    for (change, why) in [
        (json!({"aud": landscape.acme.issuer}), "for another server"),
        (json!({"aud": landscape.cloud.at("/")}), "almost our name"),
        (
            json!({"aud": landscape.cloud.at("/oauth2/authorize")}),
            "another endpoint",
        ),
        (json!({"aud": []}), "for nobody"),
        (json!({"aud": null}), "without an audience"),
        (json!({"exp": now() - 1}), "expired"),
        (json!({"exp": now()}), "expiring now"),
        (
            json!({"exp": now() + 3600}),
            "living longer than its jti is remembered",
        ),
        (json!({"exp": null}), "for ever"),
        (json!({"exp": "soon"}), "no time"),
        (json!({"iat": now() + 300}), "from the future"),
        (json!({"nbf": now() + 100}), "not yet"),
        (json!({"jti": null}), "without a name"),
        (json!({"jti": "x".repeat(300)}), "with a name that is too long"),
        (json!({"iss": "demo-app"}), "of another issuer"),
        (json!({"iss": null}), "of no issuer"),
        (
            json!({"iss": "demo-app", "sub": "demo-app"}),
            "for a client with a secret",
        ),
        (json!({"iss": "fedctl", "sub": "fedctl"}), "for a public client"),
        (json!({"iss": "nobody", "sub": "nobody"}), "for an unknown client"),
        (json!({"sub": null}), "for nobody in particular"),
    ] {
        let assertion = own().sign(&header(), &said(&landscape, &change));
        unproved(&present(&landscape, &assertion).await, why);
    }
    let good = || own().sign(&header(), &said(&landscape, &json!({})));
    let more = [("client_id", "demo-app")];
    unproved(
        &present_with(&landscape, &good(), &more).await,
        "another client's name beside it",
    );
    for (more, why) in [
        ([("client_secret", APP_SECRET)], "two methods"),
        (
            [(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            )],
            "another kind",
        ),
        ([("client_assertion", "x")], "two assertions"),
    ] {
        let (status, body) = present_with(&landscape, &good(), &more).await;
        assert_eq!(
            (status, &body["error"]),
            (400, &json!("invalid_request")),
            "{why}: {body}"
        );
    }
}

#[tokio::test]
async fn signatures_that_do_not_hold_prove_nothing() {
    let landscape = shared().await;
    let claims = || said(&landscape, &json!({}));
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut other_name = header();
    other_name.kid = Some("machine-2".to_owned());
    let mut critical = header();
    critical.crit = Some(vec!["exp".to_owned()]);
    let mut own_key = Header::new(Algorithm::ES256);
    let thief = Key::new();
    own_key.jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(
        &EncodingKey::from_ec_pem(thief.pem().as_bytes()).unwrap(),
        Algorithm::ES256,
    )
    .ok();
    assert!(own_key.jwk.is_some(), "the thief's key travels in the header");
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some(machine::KID.to_owned());
    let hmac = |secret: &[u8]| {
        jsonwebtoken::encode(&confused, &claims(), &EncodingKey::from_secret(secret)).unwrap()
    };
    let good = own().sign(&header(), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut foreign = said(&landscape, &json!({"sub": "demo-app"}));
    foreign["iss"] = json!("demo-app");
    let header_text = signed.split('.').next().unwrap();
    for (assertion, why) in [
        (
            thief.sign(&header(), &claims()),
            "another key under the same name",
        ),
        (
            thief.sign(&Header::new(Algorithm::ES256), &claims()),
            "another key without a name",
        ),
        (thief.sign(&own_key, &claims()), "a key of its own in the header"),
        (own().sign(&other_name, &claims()), "a name that is not known"),
        (
            own().sign(&critical, &claims()),
            "an extension that must be understood",
        ),
        (
            format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims())),
            "alg none",
        ),
        (
            format!(
                "{}.{}.",
                part(&json!({"alg": "None", "kid": machine::KID})),
                part(&claims())
            ),
            "alg None",
        ),
        (
            format!(
                "{}.{}.{signature}",
                part(&json!({"alg": "none"})),
                part(&claims())
            ),
            "alg none, signed",
        ),
        (hmac(own().public_pem().as_bytes()), "HMAC with the public key"),
        (hmac(b""), "HMAC with nothing"),
        (format!("{signed}."), "no signature"),
        (signed.to_owned(), "two parts"),
        (format!("{good}.x"), "four parts"),
        (
            format!("{header_text}.{}.{signature}", part(&claims())),
            "a signature of other claims",
        ),
        (
            format!("{header_text}.{}.{signature}", part(&foreign)),
            "in another's name",
        ),
        (String::new(), "nothing"),
        ("x".repeat(40_000), "no JWT, and long"),
    ] {
        let answer = present(&landscape, &assertion).await;
        if assertion.is_empty() {
            assert!((400..=401).contains(&answer.0), "{why}: {}", answer.1);
        } else {
            unproved(&answer, why);
        }
    }
    // The one that was cut above is good: nothing but the cutting was wrong with it.
    assert_eq!(present(&landscape, &good).await.0, 200);
}
