//! The token endpoint: one pipeline for all grants.
//!
//! Form → client → grant allowed → the grant's own file → answer. A new grant is one file and one line.

mod client_credentials;
mod code;
mod device;
mod exchange;
mod jwt_bearer;
mod password;
mod refresh;

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    Front, client_auth,
    parameters::{Parameters, Posted},
    respond,
};
use crate::{
    broker::{Caller, token::Issued},
    domain::{
        client::{ClientSettings, GrantType},
        oauth::{OAuthError, Refused},
    },
    wire::oauth::TokenResponse,
};

/// What a grant's file gets.
struct Call<'a> {
    front: &'a Front,
    client: &'a ClientSettings,
    form: &'a Parameters,
    caller: &'a Caller,
}

/// `POST /oauth2/token`
pub(super) async fn token(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    let caller = &posted.ask.caller;
    let outcome = grant(&front, &posted).await.map(TokenResponse::from);
    respond::answer(outcome, &caller.reference)
}

async fn grant(front: &Front, posted: &Posted) -> Result<Issued, Refused> {
    let form = posted.strict()?;
    let caller = &posted.ask.caller;
    let presented = client_auth::presented(&posted.ask.headers, form)?;
    let client = front.clients.authenticate(&presented).await?;
    let asked = form.need("grant_type", "grant_type is missing")?;
    let grant = GrantType::parse(asked)
        .ok_or_else(|| Refused::new(OAuthError::UnsupportedGrantType, "no such grant type here"))?;
    if !client.grants.contains(&grant) {
        return Err(not_granted());
    }
    let call = Call {
        front,
        client,
        form,
        caller,
    };
    let outcome = match grant {
        GrantType::AuthorizationCode => code::run(&call).await,
        GrantType::RefreshToken => refresh::run(&call).await,
        GrantType::ClientCredentials => client_credentials::run(&call).await,
        GrantType::DeviceCode => device::run(&call).await,
        GrantType::TokenExchange => exchange::run(&call).await,
        GrantType::JwtBearer => jwt_bearer::run(&call).await,
        GrantType::Password => password::run(&call).await,
    };
    if let Err(refused) = &outcome {
        front.tokens.refused(client, grant, refused, caller).await?;
    }
    outcome
}

/// The client may not use a grant.
pub(super) fn not_granted() -> Refused {
    Refused::new(
        OAuthError::UnauthorizedClient,
        "the client may not use this grant type",
    )
}

/// The audience of the tokens: the one asked for, if the client may name it.
pub(super) fn audience(front: &Front, client: &ClientSettings, form: &Parameters) -> Result<String, Refused> {
    front.directory.audience(client, form.audience()?).ok_or_else(|| {
        Refused::new(
            OAuthError::InvalidTarget,
            "no such audience, or the client may not name it",
        )
    })
}

impl From<Issued> for TokenResponse {
    fn from(issued: Issued) -> Self {
        Self {
            access_token: issued.access_token,
            token_type: issued.token_type.to_owned(),
            expires_in: Some(issued.expires_in),
            refresh_token: issued.refresh_token,
            id_token: issued.id_token,
            scope: (!issued.scope.is_empty()).then_some(issued.scope),
            issued_token_type: issued.issued_token_type.map(str::to_owned),
        }
    }
}
