//! Refusals in Keystone's error dialect, so that stock clients print the sentence.

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::domain::{
    fault::{Code, Fault},
    ids::Reference,
};
use crate::wire::keystone::ErrorBody;

/// A request that ends here.
pub(super) enum Refusal {
    /// No bearer token, or more than one.
    NoBearer,
    /// The path would mean something else to Keystone than to us.
    Path,
    /// A body without a length that is too long to be kept.
    TooLarge,
    /// Keystone did not begin to answer in time.
    Slow,
    /// Keystone does not answer.
    Down(String),
    /// The exchange failed.
    Fault(Fault),
}

impl Refusal {
    fn said(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoBearer => (
                StatusCode::UNAUTHORIZED,
                "This login needs one bearer token of this gateway in the Authorization header.",
            ),
            Self::Path => (
                StatusCode::BAD_REQUEST,
                "The path has '.' or '..' segments or a backslash. Send the plain path.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body has no Content-Length and is longer than 1 MiB.",
            ),
            Self::Slow => (
                StatusCode::GATEWAY_TIMEOUT,
                "Keystone did not answer in time. Try again in a moment.",
            ),
            Self::Down(_) => (
                StatusCode::BAD_GATEWAY,
                "Keystone does not answer. Try again in a moment.",
            ),
            Self::Fault(fault) => by_code(fault.code),
        }
    }

    /// The answer. What the log knows more than the public is logged here, once.
    pub(super) fn into_response(self, reference: &Reference, realm: &str) -> Response {
        let (status, sentence) = self.said();
        let mut message = sentence.to_owned();
        match &self {
            Self::Fault(fault) => {
                if !fault.reasons.is_empty() {
                    message.push_str(" What was missing: ");
                    message.push_str(&fault.reasons.join(", "));
                    message.push('.');
                }
                if status.is_server_error() {
                    tracing::error!(%reference, code = ?fault.code, detail = %fault.detail, "login at Keystone failed");
                } else {
                    tracing::info!(%reference, code = ?fault.code, detail = %fault.detail, "login at Keystone refused");
                }
            }
            Self::Down(detail) => tracing::error!(%reference, %detail, "Keystone does not answer"),
            Self::Slow => tracing::error!(%reference, "Keystone did not answer in time"),
            Self::NoBearer | Self::Path | Self::TooLarge => {}
        }
        message.push_str(&format!(" (reference {reference})"));
        let title = status.canonical_reason().unwrap_or("Error");
        let body = ErrorBody::json(status.as_u16(), title, &message);
        let mut response = (
            status,
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            Body::from(body),
        )
            .into_response();
        if status == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::from_str(&self.challenge(realm))
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// RFC 6750 §3: no error code where no token came.
    fn challenge(&self, realm: &str) -> String {
        let realm: String = realm.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
        match self {
            Self::Fault(_) => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            Self::NoBearer | Self::Path | Self::TooLarge | Self::Slow | Self::Down(_) => {
                format!("Bearer realm=\"{realm}\"")
            }
        }
    }
}

/// Status and sentence of a fault in this dialect.
fn by_code(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::TokenInvalid | Code::SessionEnded | Code::BadCredentials | Code::AdminOnly => (
            StatusCode::UNAUTHORIZED,
            "The token is expired, revoked or not of this gateway. Sign in again.",
        ),
        Code::AudienceMismatch => (
            StatusCode::UNAUTHORIZED,
            "The token is for another service. Get one for this cloud.",
        ),
        Code::NoAccess | Code::UpstreamRefused | Code::ProofInvalid | Code::MappingFailed => (
            StatusCode::FORBIDDEN,
            "You are signed in, but no access rule gives you a project here.",
        ),
        Code::TargetDown => (
            StatusCode::BAD_GATEWAY,
            "Keystone does not answer. Try again in a moment.",
        ),
        Code::TargetRefused => (
            StatusCode::BAD_GATEWAY,
            "Keystone refused the login. Tell your cloud's operator the reference.",
        ),
        Code::TooManyAttempts => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Wait a moment."),
        Code::StoreDown | Code::PolicyFailed | Code::UpstreamDown => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The gateway cannot decide at the moment. Try again soon.",
        ),
        Code::UnknownOrganisation | Code::NotFound => (StatusCode::NOT_FOUND, "There is no such login here."),
        Code::BadRequest
        | Code::BadClient
        | Code::SignInExpired
        | Code::SignInMismatch
        | Code::FormExpired
        | Code::DeviceCodeUnknown
        | Code::MethodNotAllowed
        | Code::TooLarge => (StatusCode::BAD_REQUEST, "The request is not right."),
        Code::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The gateway failed. Tell your cloud's operator the reference.",
        ),
    }
}
