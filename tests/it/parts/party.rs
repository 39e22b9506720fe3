//! A relying party of the cloud without a server: what it sends a browser to, and what it does with a code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::gateway::{Landscape, Page, client};

/// No program listens there: the browser stops at it.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
pub const VERIFIER: &str = "a-verifier-of-at-least-43-characters-0123456789";
const STATE: &str = "the-state-of-the-program";

/// The S256 challenge of `VERIFIER`.
pub fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The address where a sign-in for `fedctl` begins. `more` adds parameters, or replaces those of its names.
pub fn authorize(landscape: &Landscape, more: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let usual = [
        ("response_type", "code"),
        ("client_id", "fedctl"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile groups offline_access"),
        ("state", STATE),
        ("nonce", "the-nonce-of-the-program"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let mut url = url::Url::parse(&landscape.cloud.at("/oauth2/authorize")).unwrap();
    url.query_pairs_mut().extend_pairs(kept).extend_pairs(more);
    url.into()
}

/// Asks the token endpoint.
pub async fn token(landscape: &Landscape, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = client(&landscape.ca)
        .post(landscape.cloud.at("/oauth2/token"))
        .form(fields)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The parameter with which the browser came back: it is this gateway's answer to this program's question.
fn answered(landscape: &Landscape, stopped: &Page, name: &str) -> String {
    assert!(
        stopped.url.as_str().starts_with(CALLBACK),
        "{}: {}",
        stopped.url,
        stopped.html
    );
    assert_eq!(stopped.query("state").as_deref(), Some(STATE));
    assert_eq!(stopped.query("iss"), Some(landscape.cloud.issuer.clone()));
    stopped
        .query(name)
        .unwrap_or_else(|| panic!("no {name} in {}", stopped.url))
}

/// The error with which the browser came back.
pub fn refused(landscape: &Landscape, stopped: &Page) -> String {
    assert_eq!(stopped.query("code"), None, "{}", stopped.url);
    answered(landscape, stopped, "error")
}

/// Takes the code from where the browser stopped, and gets tokens for it.
pub async fn redeem(landscape: &Landscape, stopped: &Page) -> Value {
    let code = answered(landscape, stopped, "code");
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "fedctl"),
        ("redirect_uri", CALLBACK),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens) = token(landscape, &fields).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// The claims of a token that came straight from the token endpoint.
pub fn claims(tokens: &Value, name: &str) -> Value {
    let token = tokens[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {tokens}"));
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}
