//! Where a partner's user comes in (Keystone-to-Keystone): their client brings the message that their own Keystone
//! signed, gets a cookie, and goes on to the login path with it.
//!
//! The client is keystoneauth1's `Keystone2Keystone`. It knows both addresses from the partner's Keystone and follows no
//! redirect; that there is one tells it to go on.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{
    Front,
    fault::{Refusal, Wrong},
};
use crate::{
    broker::{
        Caller,
        partners::{ON_THE_WAY, Partners},
    },
    domain::{
        fault::{Code, Fault},
        ids::UpstreamId,
    },
    http::{browser::cookie, cookies},
    port::target::CallerFacts,
    wire::saml::{PAOS, scan},
};

/// Holds the ticket between the two steps. It is for no browser: Keystone's clients keep cookies of their own.
pub(super) const ARRIVAL: &str = "__Host-fg-arrival";
/// Messages that are kept at once: whoever sends them needs no key for that, and each may have a megabyte.
pub(super) const AT_ONCE: usize = 32;
/// Below it, the name of the upstream.
pub(super) const PATH: &str = "/saml/ecp/";

pub(super) async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let caller = front.caller(&request);
    let outcome = match &front.partners {
        Some(partners) => arrive(&front, partners, request, &caller).await,
        None => Err(Refusal::Fault(nowhere())),
    };
    outcome.unwrap_or_else(|refusal| refusal.into_response(&caller.reference, &front.settings.realm))
}

async fn arrive(
    front: &Front,
    partners: &Partners,
    request: Request,
    caller: &CallerFacts,
) -> Result<Response, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::from(Wrong::NotPosted));
    }
    // No page of another site can make a browser send this type without asking first, so nobody's browser is signed in
    // as somebody else.
    if !is_envelope(request.headers()) {
        return Err(Refusal::from(Wrong::NoEnvelope));
    }
    let name = request.uri().path().strip_prefix(PATH);
    let upstream = name.and_then(|name| UpstreamId::parse(name).ok());
    let upstream = upstream.ok_or_else(|| Refusal::Fault(nowhere()))?;
    let Ok(_place) = front.messages.try_acquire() else {
        return Err(Refusal::from(Wrong::Crowded));
    };
    let body = to_bytes(request.into_body(), scan::LONGEST);
    let envelope = tokio::time::timeout(front.settings.timeout, body)
        .await
        .map_err(|_| Refusal::from(Wrong::SlowCaller))?
        .map_err(|_| {
            let long = Fault::new(Code::TooLarge, "a message of more than 1 MiB");
            Refusal::Fault(long.because(vec!["xml_too_long".to_owned()]))
        })?;
    let ticket = partners
        .arrive(&upstream, envelope, &front.settings.target, &Caller::from(caller))
        .await
        .map_err(Refusal::Fault)?;
    let there = format!("{}{}", front.settings.realm, front.settings.auth_path);
    let there = HeaderValue::try_from(there).ok();
    let Some((there, kept)) = there.zip(cookie::set(ARRIVAL, &ticket, Some(ON_THE_WAY))) else {
        let odd = "the address of the login, or a ticket, is no header value";
        return Err(Refusal::Fault(Fault::new(Code::Internal, odd)));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, there);
    headers.insert(header::SET_COOKIE, kept);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn nowhere() -> Fault {
    Fault::new(Code::NotFound, "no upstream of that name takes messages")
}

fn is_envelope(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let text = only.to_str().unwrap_or_default();
    let kind = text.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(PAOS)
}

/// The tickets in a request's cookies.
pub(super) fn tickets(headers: &HeaderMap) -> Vec<&str> {
    cookies::of(headers)
        .filter(|(name, value)| *name == ARRIVAL && !value.is_empty())
        .map(|(_, value)| value)
        .collect()
}
