//! An upstream says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0 §2.5). No browser takes
//! part: the logout token is the only proof.

use std::sync::Arc;

use axum::{
    Extension, Form, Json,
    extract::{Path, State, rejection::FormRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::Front;
use crate::{
    broker::Caller,
    domain::{
        fault::{Code, Fault, Kind},
        ids::UpstreamId,
    },
};

/// `POST /login/{upstream}/backchannel`
pub(super) async fn hear(
    State(front): State<Arc<Front>>,
    Extension(caller): Extension<Caller>,
    Path(upstream): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let outcome = match (token(form), UpstreamId::parse(&upstream)) {
        (Some(token), Ok(upstream)) => front.rechecks.hear(&upstream, &token, &caller).await,
        (None, _) => Err(Fault::new(Code::BadRequest, "not one logout_token in the form")),
        (_, Err(_)) => Err(Fault::new(Code::NotFound, "no such upstream")),
    };
    let mut response = match outcome {
        Ok(()) => StatusCode::OK.into_response(),
        Err(fault) => refused(&fault, &caller),
    };
    // §2.8
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn token(form: Result<Form<Vec<(String, String)>>, FormRejection>) -> Option<String> {
    let Form(fields) = form.ok()?;
    let mut tokens = fields.into_iter().filter(|(name, _)| name == "logout_token");
    match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => Some(token),
        (_, _) => None,
    }
}

/// §2.8: 400 for a token that is not good; the provider may try again where we failed.
fn refused(fault: &Fault, caller: &Caller) -> Response {
    tracing::warn!(reference = %caller.reference, code = %fault.code, detail = %fault.detail, "a logout token was refused");
    let (status, error) = match fault.code.kind() {
        Kind::Internal | Kind::Upstream | Kind::Target => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
        }
        Kind::NotFound => (StatusCode::NOT_FOUND, "invalid_request"),
        Kind::Request | Kind::Unauthenticated | Kind::Denied | Kind::TooMany => {
            (StatusCode::BAD_REQUEST, "invalid_request")
        }
    };
    let body = json!({ "error": error, "code": fault.code.to_string(), "reference": caller.reference.0 });
    (status, Json(body)).into_response()
}
