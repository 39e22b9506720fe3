//! The authorization endpoint. Keeps nothing for somebody who has not signed in: what a sign-in must come
//! back to travels sealed in its URL.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    Front,
    parameters::{Parameters, Posted},
    request::{self, Asked, ReplyTo},
    respond::{see_other, with_query},
};
use crate::{
    broker::{login::Return, session::Live},
    domain::{
        fault::{Code, Fault},
        ids::{SessionId, is_256_bits},
        oauth::{OAuthError, Refused},
        time::Timestamp,
    },
    http::{
        browser::{Ask, cookie},
        page::Frame,
    },
    port::signer::Purpose,
};

/// Clocks of upstreams differ from ours by less.
const SKEW: Duration = Duration::from_secs(30);
/// As long as a sign-in may take.
const FLOW_LIFETIME: Duration = Duration::from_secs(3600);

/// A request that waits for a new sign-in (`prompt=login`, `max_age`, `acr_values`). Sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flow {
    query: String,
    not_before: Option<Timestamp>,
    made: Timestamp,
}

/// `GET /oauth2/authorize`
pub(super) async fn by_query(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    match Parameters::of_query(ask.uri.query()) {
        Ok(sent) => answer(&front, &ask, &sent, None).await,
        Err(refused) => page(&front, &ask, &refused.fault),
    }
}

/// `POST /oauth2/authorize`: the same by GET, as our cookie does not travel with another site's form.
pub(super) async fn by_form(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    let ask = &posted.ask;
    let sent = match &posted.form {
        Ok(sent) => sent,
        Err(refused) => return page(&front, ask, &refused.fault),
    };
    if let Err(fault) = request::addressed(&front, sent) {
        return page(&front, ask, &fault);
    }
    see_other(&format!("/oauth2/authorize?{}", sent.encode()))
}

/// `GET /oauth2/authorize/resume`: back from a new sign-in.
pub(super) async fn resume(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let flow = ask
        .query("flow")
        .and_then(|sealed| front.sealer.open(Purpose::Return, sealed))
        .and_then(|text| serde_json::from_slice::<Flow>(&text).ok())
        .filter(|flow| front.clock.now() < flow.made.plus(FLOW_LIFETIME));
    let Some(flow) = flow else {
        let fault = Fault::new(Code::SignInExpired, "the flow is too old or not ours");
        return page(&front, &ask, &fault);
    };
    match Parameters::of_query(Some(&flow.query)) {
        Ok(sent) => answer(&front, &ask, &sent, Some(flow)).await,
        Err(refused) => page(&front, &ask, &refused.fault),
    }
}

async fn answer(front: &Front, ask: &Ask, sent: &Parameters, flow: Option<Flow>) -> Response {
    let (client, back) = match request::addressed(front, sent) {
        Ok(found) => found,
        Err(fault) => return page(front, ask, &fault),
    };
    let outcome = match request::checked(front, client, sent, &back) {
        Ok(asked) => decide(front, ask, (&asked, sent), flow).await,
        Err(refused) => Err(refused),
    };
    match outcome {
        Ok(Next::Code(code)) => redirect(&back, &[("code", &code)]),
        Ok(Next::SignIn(to)) => see_other(&to),
        Err(refused) => refuse(ask, &back, &refused),
    }
}

enum Next {
    Code(String),
    SignIn(String),
}

async fn decide(
    front: &Front,
    ask: &Ask,
    (asked, sent): (&Asked<'_>, &Parameters),
    flow: Option<Flow>,
) -> Result<Next, Refused> {
    let live = match ask.cookie(cookie::SESSION) {
        Some(id) if is_256_bits(id) => front.desk.resume(&SessionId(id.to_owned())).await?,
        Some(_) | None => None,
    };
    let missing = match (&live, &flow) {
        (None, _) => Some(missing_without_session(front, asked, flow.as_ref())),
        (Some(live), None) => missing(front, asked, live),
        (Some(live), Some(flow)) => missing_after(asked, live, flow)?,
    };
    if let Some(missing) = missing {
        return sign_in(front, (asked, sent), missing, flow).map(Next::SignIn);
    }
    let Some(live) = live else {
        return Err(login_required());
    };
    let code = front
        .tokens
        .issue_code(&live, &asked.authorization, &ask.caller)
        .await?;
    Ok(Next::Code(code))
}

/// What a sign-in must fulfil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Missing {
    not_before: Option<Timestamp>,
    /// The same session again does not do: the request waits as a flow.
    anew: bool,
}

fn since(front: &Front, age: u64) -> Timestamp {
    front.clock.now().minus(Duration::from_secs(age))
}

/// What a new sign-in is measured by: the upstream's clock says when it was. Whether there must be one is
/// measured without that allowance.
fn fresh_since(front: &Front, age: u64) -> Timestamp {
    since(front, age).minus(SKEW)
}

/// Nobody is signed in.
fn missing_without_session(front: &Front, asked: &Asked<'_>, flow: Option<&Flow>) -> Missing {
    let not_before = match flow {
        Some(flow) => flow.not_before,
        None if asked.prompt.login => Some(fresh_since(front, 0)),
        None => asked.max_age.map(|age| fresh_since(front, age)),
    };
    Missing {
        not_before,
        anew: not_before.is_some() || asked.acr_values.is_some() || asked.expected.is_some(),
    }
}

/// What the present session does not fulfil.
fn missing(front: &Front, asked: &Asked<'_>, live: &Live) -> Option<Missing> {
    let proved = live.identity.assurance().authenticated_at;
    let not_before = if asked.prompt.login {
        Some(fresh_since(front, 0))
    } else {
        asked
            .max_age
            .filter(|age| *age == 0 || proved < since(front, *age))
            .map(|age| fresh_since(front, age))
    };
    let anew = not_before.is_some()
        || asked.prompt.select_account
        || !acr_met(asked, live)
        || !expected(asked, live);
    anew.then_some(Missing { not_before, anew })
}

/// After a new sign-in: still the old session goes back to it; a new one that does not fulfil the request is
/// an error, never a silent step down and never a loop.
fn missing_after(asked: &Asked<'_>, live: &Live, flow: &Flow) -> Result<Option<Missing>, Refused> {
    if live.session.started < flow.made {
        return Ok(Some(Missing {
            not_before: flow.not_before,
            anew: true,
        }));
    }
    let proved = live.identity.assurance().authenticated_at;
    let fresh = flow.not_before.is_none_or(|least| proved >= least);
    if fresh && acr_met(asked, live) && expected(asked, live) {
        Ok(None)
    } else {
        Err(login_required())
    }
}

fn acr_met(asked: &Asked<'_>, live: &Live) -> bool {
    asked.acr_values.as_deref().is_none_or(|wanted| {
        let held = live.identity.assurance().acr.as_deref();
        held.is_some_and(|held| wanted.split(' ').any(|one| one == held))
    })
}

fn expected(asked: &Asked<'_>, live: &Live) -> bool {
    asked
        .expected
        .as_deref()
        .is_none_or(|subject| subject == live.identity.key())
}

fn login_required() -> Refused {
    Refused::new(
        OAuthError::LoginRequired,
        "a sign-in that fulfils the request is needed",
    )
}

/// The address of the sign-in that comes back here.
fn sign_in(
    front: &Front,
    (asked, sent): (&Asked<'_>, &Parameters),
    missing: Missing,
    flow: Option<Flow>,
) -> Result<String, Refused> {
    if asked.prompt.none {
        return Err(login_required());
    }
    let path = if missing.anew {
        let flow = flow.unwrap_or_else(|| Flow {
            query: sent.encode(),
            not_before: missing.not_before,
            made: front.clock.now(),
        });
        let text = serde_json::to_vec(&flow)
            .map_err(|error| Fault::new(Code::Internal, format!("a flow has no JSON form: {error}")))?;
        let sealed = front.sealer.seal(Purpose::Return, &text);
        with_query("/oauth2/authorize/resume", &[("flow", &sealed)])
    } else {
        format!("/oauth2/authorize?{}", sent.encode())
    };
    let back = Return {
        not_before: missing.not_before,
        acr_values: asked.acr_values.clone(),
        login_hint: asked.login_hint.clone(),
        ..front.logins.return_to(&path)
    };
    let sealed = front.logins.seal_return(&back)?;
    Ok(with_query("/login", &[("return", &sealed)]))
}

fn redirect(back: &ReplyTo, own: &[(&str, &str)]) -> Response {
    let mut pairs = own.to_vec();
    if let Some(state) = &back.state {
        pairs.push(("state", state));
    }
    pairs.push(("iss", &back.issuer));
    see_other(&with_query(&back.redirect_uri, &pairs))
}

fn refuse(ask: &Ask, back: &ReplyTo, refused: &Refused) -> Response {
    let reference = &ask.caller.reference;
    tracing::info!(%reference, error = refused.error.as_str(), code = %refused.fault.code, detail = %refused.fault.detail, "an authorization request was refused");
    // RFC 6749 §4.1.2.1: printable ASCII without quotes and backslashes.
    let reasons: String = refused
        .fault
        .reasons
        .join(", ")
        .chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
        .take(200)
        .collect();
    let description = match reasons.as_str() {
        "" => format!("{} (reference {reference})", refused.description),
        reasons => format!("{}: {reasons} (reference {reference})", refused.description),
    };
    redirect(
        back,
        &[
            ("error", refused.error.as_str()),
            ("error_description", &description),
        ],
    )
}

fn page(front: &Front, ask: &Ask, fault: &Fault) -> Response {
    let reference = &ask.caller.reference;
    tracing::info!(%reference, code = %fault.code, detail = %fault.detail, "an authorization request was refused on a page");
    let frame = Frame::of(&ask.uri, &ask.headers, reference, front.clock.now());
    front.pages.fault(&frame, fault)
}
