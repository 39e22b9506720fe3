//! Answers of the OAuth endpoints.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use crate::{
    domain::{
        ids::Reference,
        oauth::{OAuthError, Refused},
    },
    http::fault,
};

/// JSON that nobody keeps (RFC 6749 §5.1).
pub(super) fn fresh<T: Serialize>(body: &T) -> Response {
    let mut response = Json(body).into_response();
    no_store(&mut response);
    response
}

fn no_store(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// RFC 6749 §5.2 with our reference and code beside it.
pub(super) fn refuse(refused: &Refused, reference: &Reference) -> Response {
    if !matches!(
        refused.error,
        OAuthError::AuthorizationPending | OAuthError::SlowDown
    ) {
        tracing::info!(%reference, error = refused.error.as_str(), code = %refused.fault.code, detail = %refused.fault.detail, "an OAuth request was refused");
    }
    let mut body = json!({
        "error": refused.error.as_str(), "error_description": refused.description,
        "code": fault::name(refused.fault.code), "reference": reference.0,
    });
    if (refused.error == OAuthError::AccessDenied || !refused.fault.reasons.is_empty())
        && let Some(body) = body.as_object_mut()
    {
        body.insert("reasons".into(), json!(refused.fault.reasons));
    }
    let status = StatusCode::from_u16(refused.error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, Json(body)).into_response();
    no_store(&mut response);
    fault::extra_headers(refused.fault.code, response.headers_mut());
    if refused.error == OAuthError::InvalidClient {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"fedgate\""),
        );
    }
    response
}

/// Whatever came out of a use-case.
pub(super) fn answer<T: Serialize>(outcome: Result<T, Refused>, reference: &Reference) -> Response {
    match outcome {
        Ok(body) => fresh(&body),
        Err(refused) => refuse(&refused, reference),
    }
}

/// A redirect by GET.
pub(super) fn see_other(to: &str) -> Response {
    let mut response = Response::default();
    match HeaderValue::from_str(to) {
        Ok(to) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, to);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    no_store(&mut response);
    response
}

/// `uri` with further query parameters; it may have a query of its own.
pub(super) fn with_query(uri: &str, pairs: &[(&str, &str)]) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{query}")
}
