//! A fault in the words of each protocol. The only place that maps a [`Code`] to a status.
//!
//! `Fault::detail` is for the log; nothing here writes it.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::page::{Language, texts};
use crate::domain::{
    fault::{Code, Fault, Kind},
    ids::Reference,
    oauth::Refused,
};

/// The status of a code.
#[must_use]
pub fn status(code: Code) -> StatusCode {
    if code == Code::MethodNotAllowed {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    if code == Code::TooLarge {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    if code == Code::StoreDown {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match code.kind() {
        Kind::Request => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Upstream | Kind::Target => StatusCode::BAD_GATEWAY,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// `Retry-After` (RFC 9110 §10.2.3) where waiting helps.
pub fn extra_headers(code: Code, headers: &mut HeaderMap) {
    let wait = match status(code) {
        StatusCode::TOO_MANY_REQUESTS => "60",
        StatusCode::SERVICE_UNAVAILABLE => "5",
        _ => return,
    };
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static(wait));
}

/// The stable code as the outside spells it (`NO_ACCESS`).
#[must_use]
pub fn name(code: Code) -> String {
    code.to_string()
}

/// What machines get to read: English, printable ASCII without quotes (RFC 6749 §5.2).
fn sentence(fault: &Fault) -> String {
    let text = texts::of(fault.code, Language::En);
    format!("{} {}", text.happened, text.why)
}

fn answer(status: StatusCode, code: Code, body: serde_json::Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    extra_headers(code, response.headers_mut());
    response
}

/// A protected resource that takes bearer tokens (RFC 6750 §3): userinfo.
#[must_use]
pub fn bearer(fault: &Fault, reference: &Reference) -> Response {
    let status = status(fault.code);
    let error = match status {
        StatusCode::UNAUTHORIZED => "invalid_token",
        StatusCode::FORBIDDEN => "insufficient_scope",
        _ => Refused::from(fault.clone()).error.as_str(),
    };
    let body = json!({
        "error": error, "error_description": sentence(fault),
        "code": name(fault.code), "reference": reference.0,
    });
    let mut response = answer(status, fault.code, body);
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let challenge = format!("Bearer realm=\"fedgate\", error=\"{error}\"");
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

/// Keystone's error body. Its clients print `message`, so the reference stands in it.
#[must_use]
pub fn keystone(fault: &Fault, reference: &Reference) -> Response {
    let status = status(fault.code);
    let message = match fault.reasons.as_slice() {
        [] => sentence(fault),
        // What did not fit, with what to do about it: more than the code's own sentences could say.
        reasons if is_about_the_proof(fault.code) => {
            let text = texts::of(fault.code, Language::En);
            let told = reasons
                .iter()
                .map(|reason| format!("{} [{reason}]", texts::reason(reason).0));
            format!("{} {}", text.happened, told.collect::<Vec<_>>().join(" "))
        }
        reasons => format!("{} Missing: {}.", sentence(fault), reasons.join(", ")),
    };
    let body = json!({"error": {
        "code": status.as_u16(),
        "title": status.canonical_reason().unwrap_or_default(),
        "message": format!("{message} ({}, reference {reference})", name(fault.code)),
    }});
    let mut response = answer(status, fault.code, body);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Keystone uri=\"/v3\""),
        );
    }
    response
}

/// Whether reasons say what is wrong with what somebody has shown, and not what they lack.
fn is_about_the_proof(code: Code) -> bool {
    let about = [
        Code::ProofInvalid,
        Code::SignInExpired,
        Code::TokenReplayed,
        Code::TooLarge,
    ];
    about.contains(&code)
}

/// A Kubernetes `Status` (meta/v1), as kubectl prints it.
#[must_use]
pub fn kubernetes(fault: &Fault, reference: &Reference) -> Response {
    let status = status(fault.code);
    let reason = match status.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        413 => "RequestEntityTooLarge",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let message = format!(
        "{} ({}, reference {reference})",
        sentence(fault),
        name(fault.code)
    );
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status.as_u16(),
    });
    answer(status, fault.code, body)
}

/// Plain JSON, for the admin interface and everything without a dialect of its own.
#[must_use]
pub fn plain(fault: &Fault, reference: &Reference) -> Response {
    let text = texts::of(fault.code, Language::En);
    let body = json!({
        "code": name(fault.code), "message": sentence(fault), "next": text.next,
        "reasons": fault.reasons, "reference": reference.0,
    });
    let mut response = answer(status(fault.code), fault.code, body);
    if fault.code == Code::AdminOnly {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"fedgate-admin\""),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn read(response: Response) -> (StatusCode, HeaderMap, String) {
        let (parts, body) = response.into_parts();
        let bytes = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(body.collect())
            .unwrap()
            .to_bytes();
        (
            parts.status,
            parts.headers,
            String::from_utf8(bytes.to_vec()).unwrap(),
        )
    }

    #[test]
    fn no_dialect_tells_the_detail_and_all_tell_the_reference() {
        let reference = Reference("ref-123".into());
        for code in Code::ALL {
            let fault = Fault::new(code, "SECRET-DETAIL");
            for dialect in [bearer, keystone, kubernetes, plain] {
                let (status, headers, body) = read(dialect(&fault, &reference));
                assert!(!body.contains("SECRET-DETAIL"), "{code:?}");
                assert!(body.contains("ref-123"), "{code:?}");
                assert!(body.contains(&name(code)), "{code:?}");
                assert!(status.is_client_error() || status.is_server_error());
                assert_eq!(headers[header::CACHE_CONTROL], "no-store");
                serde_json::from_str::<serde_json::Value>(&body).unwrap();
            }
        }
    }

    #[test]
    fn statuses_follow_the_protocol() {
        let reference = Reference("r".into());
        let of = |dialect: fn(&Fault, &Reference) -> Response, code| {
            read(dialect(&Fault::new(code, ""), &reference))
        };
        assert_eq!(of(bearer, Code::TokenInvalid).0, 401);
        assert!(
            of(bearer, Code::TokenInvalid).1[header::WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        assert_eq!(of(plain, Code::StoreDown).0, 503);
        assert_eq!(of(plain, Code::StoreDown).1[header::RETRY_AFTER], "5");
        assert_eq!(of(plain, Code::MethodNotAllowed).0, 405);
        assert_eq!(of(keystone, Code::TooLarge).0, 413);
        assert!(of(kubernetes, Code::NoAccess).2.contains("\"Forbidden\""));
    }
}
