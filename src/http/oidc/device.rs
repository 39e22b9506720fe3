//! The device authorization endpoint (RFC 8628 §3.1).

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    Front, client_auth,
    parameters::{Posted, malformed},
    respond, token,
};
use crate::{
    broker::{device::Begun, token::granted_scope},
    domain::{client::GrantType, ids::is_256_bits, oauth::Refused},
    wire::oauth::DeviceAuthorization,
};

/// `POST /oauth2/device`
pub(super) async fn start(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    let outcome = begin(&front, &posted).await.map(|begun| DeviceAuthorization {
        device_code: begun.device_code,
        user_code: begun.user_code,
        verification_uri: begun.verification_uri,
        verification_uri_complete: Some(begun.verification_uri_complete),
        expires_in: begun.expires_in,
        interval: Some(begun.interval),
    });
    respond::answer(outcome, &posted.ask.caller.reference)
}

async fn begin(front: &Front, posted: &Posted) -> Result<Begun, Refused> {
    let form = posted.strict()?;
    let presented = client_auth::presented(&posted.ask.headers, form)?;
    let client = front.clients.authenticate(&presented).await?;
    if !client.grants.contains(&GrantType::DeviceCode) {
        return Err(token::not_granted());
    }
    let challenge = match (form.get("code_challenge"), form.get("code_challenge_method")) {
        (None, None) => None,
        (Some(challenge), Some("S256")) if is_256_bits(challenge) => Some(challenge.to_owned()),
        _ => return Err(malformed("code_challenge must be S256")),
    };
    let scope = granted_scope(client, form.get("scope"))?;
    let audience = token::audience(front, client, form)?;
    let begun = front
        .devices
        .start(client, (scope, audience), challenge, &posted.ask.caller)
        .await?;
    Ok(begun)
}
