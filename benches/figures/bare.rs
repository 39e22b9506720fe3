//! What the token endpoint is compared with: an axum handler that only signs the same token with a cached key.
//! It reads no form, knows no client, asks no policy, keeps no trail and writes no log.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use aws_lc_rs::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// The claims of a token that the gateway gave: this handler's tokens say the same, at another time.
#[derive(Serialize, Deserialize)]
struct Claims<Text> {
    iss: Text,
    sub: Text,
    aud: Text,
    exp: u64,
    iat: u64,
    nbf: u64,
    jti: Text,
    client_id: Text,
    scope: Text,
    tenant: Text,
    preferred_username: Text,
    groups: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

struct Desk {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    header: String,
    claims: Claims<String>,
}

/// Serves until it is killed. `template` is a token of the gateway.
pub fn serve(port: u16, template: &str) {
    let mut parts = template.split('.');
    let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let document = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .and_then(|pair| pair.to_pkcs8v1())
        .unwrap();
    let desk = Desk {
        pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap(),
        random: SystemRandom::new(),
        header: format!("{header}."),
        claims: serde_json::from_slice(&claims).unwrap(),
    };
    let router = Router::new()
        .route("/readyz", get(|| async { "ok" }))
        .route("/oauth2/token", post(token))
        .with_state(Arc::new(desk));
    // The same runtime and the same server as the gateway's.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(
            axum_server::bind(SocketAddr::from(([127, 0, 0, 1], port))).serve(router.into_make_service()),
        )
        .unwrap();
}

async fn token(State(desk): State<Arc<Desk>>) -> Json<Answer> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut id = [0; 32];
    desk.random.fill(&mut id).unwrap();
    let id = URL_SAFE_NO_PAD.encode(id);
    let own = &desk.claims;
    let lifetime = own.exp - own.iat;
    let claims = Claims::<&str> {
        iss: &own.iss,
        sub: &own.sub,
        aud: &own.aud,
        exp: now + lifetime,
        iat: now,
        nbf: now,
        jti: &id,
        client_id: &own.client_id,
        scope: &own.scope,
        tenant: &own.tenant,
        preferred_username: &own.preferred_username,
        groups: Vec::new(),
    };
    let mut access_token = String::with_capacity(1024);
    access_token.push_str(&desk.header);
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims).unwrap(), &mut access_token);
    let signature = desk.pair.sign(&desk.random, access_token.as_bytes()).unwrap();
    access_token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut access_token);
    Json(Answer {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime,
    })
}
