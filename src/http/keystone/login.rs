//! The login path: a bearer token of ours in, or a partner's ticket; Keystone's own answer out. Of the caller's request
//! nothing but that goes further.

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::broker::Caller;
use crate::domain::{
    credential::{Credential, KeystoneToken},
    fault::{Code, Fault},
};
use crate::port::target::CallerFacts;
use crate::wire::{cloud::TOKEN_ENDS, keystone::SUBJECT_TOKEN};

use super::{
    Front,
    fault::{Refusal, Wrong},
    partner,
};

pub(super) async fn exchange(
    front: &Front,
    request: Request,
    caller: &CallerFacts,
) -> Result<Response, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Err(Refusal::from(Wrong::NoBearer));
    }
    let target = &front.settings.target;
    let outcome = match (proof(front, request.headers())?, &front.partners) {
        (Proof::Arrival(ticket), Some(partners)) => {
            partners.enter(ticket, target, &Caller::from(caller)).await
        }
        (Proof::Bearer(bearer), _) => front.exchange.exchange(bearer, target, caller).await,
        (Proof::Arrival(_), None) => return Err(Refusal::from(Wrong::NoBearer)),
    };
    match outcome.map_err(Refusal::Fault)? {
        Credential::Keystone(answer) => passed_on(answer),
        Credential::Token(_) => Err(internal("the target did not answer as a Keystone")),
    }
}

/// Who somebody says they are.
enum Proof<'a> {
    Bearer(&'a str),
    Arrival(&'a str),
}

/// The one proof of a request. Which of two counts must not be a guess: a client that keeps cookies would be let in as
/// whom it was before.
fn proof<'a>(front: &Front, headers: &'a HeaderMap) -> Result<Proof<'a>, Refusal> {
    let tickets = match front.partners {
        Some(_) => partner::tickets(headers),
        None => Vec::new(),
    };
    match tickets.as_slice() {
        [] => bearer(headers)
            .map(Proof::Bearer)
            .ok_or(Refusal::from(Wrong::NoBearer)),
        [ticket] if !headers.contains_key(header::AUTHORIZATION) => Ok(Proof::Arrival(ticket)),
        _ => Err(Refusal::from(Wrong::TwoProofs)),
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
