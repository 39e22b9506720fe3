//! Sign out: ask, end, say what was closed and what could not be.

use std::sync::Arc;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;

use crate::{
    broker::session::Live,
    http::page::view::{ConfirmLogout, Ended, LoggedOut},
};

use super::{Ask, Front, cookie, somebody, with_cookies};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    form: String,
}

/// `GET /logout`: the question. A link alone ends nothing.
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let frame = front.frame(&ask);
    match front.live(&ask).await {
        Ok(Some(live)) => {
            let (browser, set) = front.browser(&ask);
            let view = ConfirmLogout {
                action: "/logout".to_owned(),
                fields: Vec::new(),
                person: somebody(&live),
                form: front.form(&browser, "/logout"),
            };
            with_cookies(front.pages.show(&frame, StatusCode::OK, &view), set)
        }
        Ok(None) => front.pages.show(&frame, StatusCode::OK, &LoggedOut::default()),
        Err(fault) => front.failed(&ask, &fault, None),
    }
}

/// `POST /logout`
pub(super) async fn leave(
    State(front): State<Arc<Front>>,
    ask: Ask,
    form: Result<Form<Sent>, FormRejection>,
) -> Response {
    let frame = front.frame(&ask);
    let proof = form.map(|Form(sent)| sent.form).unwrap_or_default();
    let live = match front.live(&ask).await {
        Ok(Some(live)) => live,
        Ok(None) => return front.pages.show(&frame, StatusCode::OK, &LoggedOut::default()),
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    if let Err(fault) = front.form_holds(&ask, "/logout", &proof) {
        return front.failed(&ask, &fault, None);
    }
    if let Err(fault) = front.desk.end(&live, "person", &ask.caller).await {
        return front.failed(&ask, &fault, None);
    }
    // The same way as for a relying party: one address of ours is registered at the upstream.
    let response = match front.logouts.upstream(&live, None) {
        Ok(Some((url, name))) => front.pages.onward(&frame, &url, Some(&name)),
        Ok(None) => {
            let closed = ours(front.directory().name());
            let open = still_open(&front, &live);
            front
                .pages
                .show(&frame, StatusCode::OK, &LoggedOut { closed, open })
        }
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    with_cookies(response, cookie::forget(cookie::SESSION))
}

/// What this sign-out could not end: tokens that run out by themselves, and a session at an upstream that
/// has no logout.
fn still_open(front: &Front, live: &Live) -> Vec<Ended> {
    let source = live.identity.upstream().map(|id| front.directory().source(id));
    let there = source.and_then(Result::ok).map(|source| &source.upstream);
    there
        .filter(|upstream| upstream.ways().browser.is_some())
        .map(|upstream| Ended {
            what: "upstream",
            name: upstream.display_name().to_owned(),
        })
        .into_iter()
        .chain([tokens()])
        .collect()
}

fn ours(gateway: &str) -> Vec<Ended> {
    vec![
        Ended {
            what: "session",
            name: gateway.to_owned(),
        },
        Ended {
            what: "families",
            name: String::new(),
        },
    ]
}

fn tokens() -> Ended {
    Ended {
        what: "tokens",
        name: String::new(),
    }
}
