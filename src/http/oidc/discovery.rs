//! Provider metadata and keys. The only answers that scripts of other origins may read.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Front;
use crate::{
    domain::{
        client::GrantType,
        key::{Algorithm, JWKS_MAX_AGE},
    },
    port::target::Target,
    wire::oidc::Discovery,
};

/// The document of OIDC Discovery and RFC 8414, the same bytes for both.
pub(super) fn document(issuer: &str, offered: impl Fn(GrantType) -> bool) -> Bytes {
    let grants = GrantType::ALL.into_iter().filter(|grant| offered(*grant));
    let at = |path: &str| Some(format!("{issuer}{path}"));
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let methods = list(&["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    let document = Discovery {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/oauth2/authorize"),
        token_endpoint: at("/oauth2/token"),
        jwks_uri: at("/oauth2/jwks"),
        userinfo_endpoint: at("/oauth2/userinfo"),
        device_authorization_endpoint: at("/oauth2/device"),
        introspection_endpoint: at("/oauth2/introspect"),
        revocation_endpoint: at("/oauth2/revoke"),
        end_session_endpoint: at("/oauth2/logout"),
        scopes_supported: list(&["openid", "profile", "email", "groups", "offline_access"]),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&["query"]),
        grant_types_supported: grants.map(|grant| grant.as_str().to_owned()).collect(),
        subject_types_supported: list(&["public"]),
        id_token_signing_alg_values_supported: list(&[Algorithm::Es256.as_str(), Algorithm::Rs256.as_str()]),
        token_endpoint_auth_methods_supported: [methods.clone(), list(&["none"])].concat(),
        token_endpoint_auth_signing_alg_values_supported: list(&[
            "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA",
        ]),
        introspection_endpoint_auth_methods_supported: methods.clone(),
        revocation_endpoint_auth_methods_supported: [methods, list(&["none"])].concat(),
        code_challenge_methods_supported: list(&["S256"]),
        claims_supported: list(&[
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "sid",
            "at_hash",
            "tenant",
            "name",
            "preferred_username",
            "email",
            "email_verified",
            "groups",
        ]),
        ui_locales_supported: list(&["en", "de"]),
        prompt_values_supported: list(&["none", "login", "consent", "select_account"]),
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
    };
    // A struct of strings and lists always has a JSON form.
    Bytes::from(serde_json::to_vec(&document).unwrap_or_default())
}

pub(super) async fn show(State(front): State<Arc<Front>>) -> Response {
    public(front.discovery.clone())
}

/// The metadata of a target that is an issuer of its own.
pub(super) async fn of_target(State(target): State<Arc<dyn Target>>) -> Response {
    match target.ways().issuer {
        Some(issuer) => public(Bytes::from(issuer.metadata())),
        None => gone(),
    }
}

/// Its keys.
pub(super) async fn keys_of_target(State(target): State<Arc<dyn Target>>, headers: HeaderMap) -> Response {
    match target.ways().issuer {
        Some(issuer) => keys(&issuer.jwks(), &headers),
        None => gone(),
    }
}

fn gone() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// The gateway's own keys.
pub(super) async fn jwks(State(front): State<Arc<Front>>, headers: HeaderMap) -> Response {
    keys(&front.signer.jwks(), &headers)
}

/// A JWKS with a validator, so that a relying party's poll costs a header.
fn keys(keys: &Bytes, headers: &HeaderMap) -> Response {
    let hash = digest::digest(&digest::SHA256, keys);
    let tag: String = hash
        .as_ref()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{tag}\"");
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|sent| sent.split(',').any(|one| one.trim() == tag));
    let mut response = public(keys.clone());
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn public(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let life = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    if let Ok(life) = HeaderValue::from_str(&life) {
        headers.insert(header::CACHE_CONTROL, life);
    }
    response
}
