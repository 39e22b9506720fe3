//! Refusals in Keystone's error dialect, so that stock clients print the sentence.

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::super::fault;
use crate::domain::{fault::Fault, ids::Reference};
use crate::port::relay::RelayFault;
use crate::wire::keystone::ErrorBody;

/// A request that ends here.
pub(super) enum Refusal {
    /// It is not one that is passed on.
    Request(Wrong),
    /// Keystone was not reached, or did not begin to answer.
    Relay(RelayFault),
    /// Keystone, or a server before it, failed without Keystone's error document.
    Broken(StatusCode),
    /// The exchange failed.
    Fault(Fault),
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wrong {
    /// No bearer token, or more than one.
    NoBearer,
    /// A bearer token and a partner's ticket, or two tickets: two people.
    TwoProofs,
    /// A message of a partner that does not come as one.
    NoEnvelope,
    /// Something else than POST, where messages of partners come in.
    NotPosted,
    /// More messages of partners at once than are kept.
    Crowded,
    /// The path would mean something else to Keystone than to us.
    Path,
    /// No method that Keystone has.
    Method,
    /// A body without a length that is too long to be kept.
    TooLarge,
    /// The caller did not send their body in time.
    SlowCaller,
    /// A token was made, and of which others cannot be known.
    Origins,
    /// A token that must end soon would make something that does not.
    Outlives,
}

impl Wrong {
    const fn told(self) -> (StatusCode, &'static str) {
        match self {
            Self::NoBearer => (
                StatusCode::UNAUTHORIZED,
                "This login needs one bearer token of this gateway in the Authorization header.",
            ),
            Self::TwoProofs => (
                StatusCode::BAD_REQUEST,
                "The request has two proofs of who you are: a bearer token and a ticket of a partner's sign-in, or two \
                 tickets. Send one of them.",
            ),
            Self::NoEnvelope => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Messages of a partner's Keystone come as application/vnd.paos+xml. Sign in with your own Keystone's \
                 service provider (--os-service-provider).",
            ),
            Self::NotPosted => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Messages of a partner's Keystone come by POST. Sign in with your own Keystone's service provider \
                 (--os-service-provider).",
            ),
            Self::Crowded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Many messages of partners are being read just now. Sign in again in a few seconds.",
            ),
            Self::Path => (
                StatusCode::BAD_REQUEST,
                "The path has '.' or '..' segments or a backslash. Send the plain path.",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Keystone has GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS, in upper case.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body has no Content-Length and is longer than 1 MiB.",
            ),
            Self::SlowCaller => (
                StatusCode::REQUEST_TIMEOUT,
                "The body of the request did not arrive in time. Send it again.",
            ),
            Self::Origins => (
                StatusCode::BAD_REQUEST,
                "The body of this request for a token is longer than 256 KiB, or no JSON that the gateway can read, so \
                 the token is withheld. Ask in plain JSON (UTF-8, no member twice).",
            ),
            Self::Outlives => (
                StatusCode::FORBIDDEN,
                "This token ends with the permit that it was given for, so it makes no credentials or trusts, which \
                 would go on. Sign in again, as a person, to make one.",
            ),
        }
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Request(wrong)
    }
}

impl Refusal {
    /// The answer. What the log knows more than the public is logged here, once.
    pub(super) fn into_response(self, reference: &Reference, realm: &str) -> Response {
        let (status, sentence) = match self {
            Self::Fault(fault) => return refused(&fault, reference, realm),
            Self::Relay(fault) => unreached(&fault, reference),
            Self::Broken(status) => {
                tracing::error!(%reference, %status, "Keystone failed without an error document");
                (
                    StatusCode::BAD_GATEWAY,
                    "Keystone failed and did not say why. Try again in a moment; if it lasts, send the reference to \
                     your cloud's help desk.",
                )
            }
            Self::Request(wrong) => wrong.told(),
        };
        let title = status.canonical_reason().unwrap_or("Error");
        let body = ErrorBody::json(
            status.as_u16(),
            title,
            &format!("{sentence} (reference {reference})"),
        );
        let mut response = (
            status,
            [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            Body::from(body),
        )
            .into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // RFC 6750 §3: no error code where no token came.
        challenge(&mut response, realm, "");
        response
    }
}

/// Why Keystone was not reached, in the caller's words.
fn unreached(fault: &RelayFault, reference: &Reference) -> (StatusCode, &'static str) {
    if *fault == RelayFault::TooLarge {
        return (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "The headers are longer than Keystone takes (64 KiB).",
        );
    }
    tracing::error!(%reference, %fault, "Keystone was not reached");
    match fault {
        RelayFault::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Keystone is busy with as many requests as it may have at once. Try again in a few seconds.",
        ),
        RelayFault::Slow => (
            StatusCode::GATEWAY_TIMEOUT,
            "Keystone did not answer in time. Try again in a moment.",
        ),
        RelayFault::Down(_) | RelayFault::TooLarge => (
            StatusCode::BAD_GATEWAY,
            "Keystone does not answer. Try again in a moment.",
        ),
    }
}

/// A login that the broker or the target refused.
fn refused(fault: &Fault, reference: &Reference, realm: &str) -> Response {
    let mut response = fault::keystone(fault, reference);
    if response.status().is_server_error() {
        tracing::error!(%reference, code = %fault.code, detail = %fault.detail, "login at Keystone failed");
    } else {
        tracing::info!(%reference, code = %fault.code, detail = %fault.detail, "login at Keystone refused");
    }
    challenge(&mut response, realm, ", error=\"invalid_token\"");
    response
}

fn challenge(response: &mut Response, realm: &str, error: &str) {
    let realm: String = realm.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    if response.status() == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&format!("Bearer realm=\"{realm}\"{error}"))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
}
