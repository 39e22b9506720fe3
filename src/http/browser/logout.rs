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
    broker::{
        logout::{Ended, Onward},
        session::Live,
    },
    http::page::view::{ConfirmLogout, LoggedOut, Thing},
};

use super::{Ask, Front, cookie, see_other, somebody, with_cookies};

/// What the form sends.
#[derive(Deserialize, Default)]
pub(super) struct Sent {
    #[serde(default)]
    form: String,
    #[serde(default)]
    next: String,
}

/// `GET /logout`: the question. A link alone ends nothing, with one exception: a dashboard that has just closed
/// its own session sends the browser here with its registered `next`, and the person's own click came with it
/// (`Sec-Fetch-User`). Asking again would leave sessions open on shared computers, whose people walk away after
/// "Sign out". The price: a link on another site that somebody clicks can sign them out, and nothing more.
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let next = match ask
        .query("next")
        .map(|next| front.logouts.returns(next))
        .transpose()
    {
        Ok(next) => next,
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    match front.live(&ask).await {
        Ok(Some(live)) if next.is_some() && clicked(&ask) => end(&front, &ask, &live, next).await,
        Ok(Some(live)) => {
            let (browser, set) = front.browser(&ask);
            let view = ConfirmLogout {
                action: "/logout".to_owned(),
                fields: next.map(|next| ("next".to_owned(), next)).into_iter().collect(),
                person: somebody(&live),
                form: front.form(&browser, "/logout"),
            };
            with_cookies(front.pages.show(&front.frame(&ask), StatusCode::OK, &view), set)
        }
        Ok(None) => nothing(&front, &ask, next),
        Err(fault) => front.failed(&ask, &fault, None),
    }
}

/// Whether a person's click led here, as a whole page (Fetch Metadata). Browsers alone set these headers.
fn clicked(ask: &Ask) -> bool {
    let is = |name: &str, value: &str| {
        ask.headers
            .get(name)
            .is_some_and(|own| own.as_bytes() == value.as_bytes())
    };
    is("sec-fetch-user", "?1") && is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

/// `POST /logout`
pub(super) async fn leave(
    State(front): State<Arc<Front>>,
    ask: Ask,
    form: Result<Form<Sent>, FormRejection>,
) -> Response {
    let sent = form.map(|Form(sent)| sent).unwrap_or_default();
    let next = match sent.next.as_str() {
        "" => None,
        next => match front.logouts.returns(next) {
            Ok(next) => Some(next),
            Err(fault) => return front.failed(&ask, &fault, None),
        },
    };
    let live = match front.live(&ask).await {
        Ok(Some(live)) => live,
        Ok(None) => return nothing(&front, &ask, next),
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    if let Err(fault) = front.form_holds(&ask, "/logout", &sent.form) {
        return front.failed(&ask, &fault, None);
    }
    end(&front, &ask, &live, next).await
}

async fn end(front: &Front, ask: &Ask, live: &Live, next: Option<String>) -> Response {
    let response = match front.logouts.leave(live, next, &ask.caller).await {
        Ok(Onward::Upstream(url, _)) if ask.is_get() => see_other(&url),
        Ok(Onward::Upstream(url, name)) => front.pages.onward(&front.frame(ask), &url, Some(&name)),
        Ok(Onward::Party(url)) => front.pages.onward(&front.frame(ask), &url, None),
        Ok(Onward::Here(ended)) => {
            let view = listed(front.directory().name(), &ended);
            front.pages.show(&front.frame(ask), StatusCode::OK, &view)
        }
        Err(fault) => return front.failed(ask, &fault, None),
    };
    with_cookies(response, cookie::forget(cookie::SESSION))
}

fn nothing(front: &Front, ask: &Ask, next: Option<String>) -> Response {
    let view = LoggedOut {
        next,
        ..LoggedOut::default()
    };
    front.pages.show(&front.frame(ask), StatusCode::OK, &view)
}

/// Everything that a sign-out has closed at the gateway of that name, and what it could not close.
pub(in crate::http) fn listed(gateway: &str, ended: &Ended) -> LoggedOut {
    let thing = |what: &'static str, name: &str| Thing {
        what,
        name: name.to_owned(),
    };
    let mut closed = vec![thing("session", gateway), thing("families", "")];
    closed.extend(ended.left.closed.iter().map(|name| thing("dashboards", name)));
    closed.extend(ended.upstream.iter().map(|name| thing("upstream", name)));
    let mut open: Vec<Thing> = ended
        .upstream_open
        .iter()
        .map(|name| thing("upstream", name))
        .collect();
    open.extend(ended.left.open.iter().map(|name| thing("dashboards", name)));
    open.push(thing("tokens", ""));
    LoggedOut {
        closed,
        open,
        next: ended.next.clone(),
    }
}
