//! The login path: a bearer token of ours in, Keystone's own answer out. Of the caller's request nothing but the
//! token goes further.

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::domain::{
    credential::{Credential, KeystoneToken},
    fault::{Code, Fault},
};
use crate::port::target::CallerFacts;
use crate::wire::{cloud::TOKEN_ENDS, keystone::SUBJECT_TOKEN};

use super::{
    Front,
    fault::{Refusal, Wrong},
};

pub(super) async fn exchange(
    front: &Front,
    request: Request,
    caller: &CallerFacts,
) -> Result<Response, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Err(Refusal::from(Wrong::NoBearer));
    }
    let bearer = bearer(request.headers()).ok_or(Refusal::from(Wrong::NoBearer))?;
    let credential = front
        .exchange
        .exchange(bearer, &front.settings.target, caller)
        .await
        .map_err(Refusal::Fault)?;
    match credential {
        Credential::Keystone(answer) => passed_on(answer),
        Credential::Token(_) => Err(internal("the target did not answer as a Keystone")),
    }
}

/// The one bearer token (RFC 6750 §2.1). Two `Authorization` headers are none: which one counts must not be a guess.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn passed_on(answer: KeystoneToken) -> Result<Response, Refusal> {
    let status =
        StatusCode::from_u16(answer.status).map_err(|_| internal("Keystone's status is no status"))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(ends) = answer.ends {
        headers.insert(HeaderName::from_static(TOKEN_ENDS), HeaderValue::from(ends.0));
    }
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    let token =
        HeaderValue::try_from(&answer.token).map_err(|_| internal("Keystone's token is no header value"))?;
    headers.insert(HeaderName::from_static(SUBJECT_TOKEN), token);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn internal(detail: &str) -> Refusal {
    Refusal::Fault(Fault::new(Code::Internal, detail))
}
