//! RP-Initiated Logout. A link without an ID token of that session ends nothing: the person is asked.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{StatusCode, header};

use super::{
    Front,
    parameters::{Parameters, Posted},
    respond::see_other,
};
use crate::{
    broker::{
        logout::{Ended, Onward, Wish},
        session::Live,
    },
    domain::{
        fault::Fault,
        ids::{SessionId, is_256_bits},
    },
    http::{
        browser::{Ask, cookie, logout::listed},
        page::{
            Frame,
            view::{ConfirmLogout, LoggedOut, Somebody},
        },
    },
};

/// `GET /oauth2/logout`
pub(super) async fn by_query(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let sent = Parameters::of_query(ask.uri.query());
    answer(&front, &ask, sent.map_err(|refused| refused.fault)).await
}

/// `POST /oauth2/logout`
pub(super) async fn by_form(State(front): State<Arc<Front>>, posted: Posted) -> Response {
    let sent = posted.form.clone().map_err(|refused| refused.fault);
    answer(&front, &posted.ask, sent).await
}

async fn answer(front: &Front, ask: &Ask, sent: Result<Parameters, Fault>) -> Response {
    let outcome = match sent.and_then(|sent| sent.check().map(|()| sent).map_err(|refused| refused.fault)) {
        Ok(sent) => leave(front, ask, &sent).await,
        Err(fault) => Err(fault),
    };
    outcome.unwrap_or_else(|fault| {
        let reference = &ask.caller.reference;
        tracing::info!(%reference, code = %fault.code, detail = %fault.detail, "a logout was refused");
        front.pages.fault(&frame(front, ask), &fault)
    })
}

fn frame(front: &Front, ask: &Ask) -> Frame {
    Frame::of(&ask.uri, &ask.headers, &ask.caller.reference, front.clock.now())
}

async fn leave(front: &Front, ask: &Ask, sent: &Parameters) -> Result<Response, Fault> {
    let text = |name: &str| sent.get(name).map(str::to_owned);
    let wish = Wish {
        id_token_hint: text("id_token_hint"),
        client_id: text("client_id"),
        post_logout_redirect_uri: text("post_logout_redirect_uri"),
        state: text("state"),
    };
    let checked = front.logouts.check(&wish)?;
    let here = match ask.cookie(cookie::SESSION) {
        Some(id) if is_256_bits(id) => front.desk.resume(&SessionId(id.to_owned())).await?,
        Some(_) | None => None,
    };
    let live = match here {
        Some(here) => {
            let hinted = checked.sid.as_deref() == Some(here.sid.as_str());
            let proved = ask.method == http::Method::POST
                && sent
                    .get("form")
                    .is_some_and(|proof| front.logouts.proved(&here, proof));
            if !hinted && !proved {
                return Ok(confirm(front, ask, &wish, &here));
            }
            Some(here)
        }
        None => front.logouts.hinted(&checked).await?,
    };
    let onward = front.logouts.end(live.as_ref(), checked.to, &ask.caller).await?;
    let mut response = go(front, ask, onward, live.is_some());
    if let Some(forget) = cookie::forget(cookie::SESSION) {
        response.headers_mut().append(header::SET_COOKIE, forget);
    }
    Ok(response)
}

fn confirm(front: &Front, ask: &Ask, wish: &Wish, live: &Live) -> Response {
    let fields = [
        ("id_token_hint", &wish.id_token_hint),
        ("client_id", &wish.client_id),
        ("post_logout_redirect_uri", &wish.post_logout_redirect_uri),
        ("state", &wish.state),
    ];
    let view = ConfirmLogout {
        action: "/oauth2/logout".to_owned(),
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect(),
        person: Somebody {
            name: live.identity.name().map(str::to_owned),
            username: live.identity.username().to_owned(),
            organisation: live.tenant.name.clone(),
        },
        form: front.logouts.proof(live),
    };
    front.pages.show(&frame(front, ask), StatusCode::OK, &view)
}

fn go(front: &Front, ask: &Ask, onward: Onward, ended: bool) -> Response {
    let (to, place) = match onward {
        Onward::Upstream(url, name) => (url, Some(name)),
        Onward::Party(url) => (url, None),
        Onward::Here(closed) => return shown(front, ask, ended.then_some(&closed)),
    };
    if ask.is_get() {
        see_other(&to)
    } else {
        // A form's answer must not redirect to another origin (`form-action`).
        front.pages.onward(&frame(front, ask), &to, place.as_deref())
    }
}

/// What was closed.
fn shown(front: &Front, ask: &Ask, ended: Option<&Ended>) -> Response {
    let view = ended.map_or_else(LoggedOut::default, |ended| listed(front.directory.name(), ended));
    front.pages.show(&frame(front, ask), StatusCode::OK, &view)
}

/// `GET /logout/done`: back from the upstream's logout.
pub(super) async fn done(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let ended = ask.query("state").and_then(|state| front.logouts.done(state));
    match ended.as_ref().and_then(Ended::to) {
        Some(to) => see_other(to),
        None => shown(&front, &ask, ended.as_ref()),
    }
}
