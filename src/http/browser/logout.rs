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
    domain::fault::{Code, Fault},
    http::page::view::{ConfirmLogout, Ended, LoggedOut},
    port::signer::Purpose,
};

use super::{Ask, Front, cookie, somebody, with_cookies};

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    form: String,
}

/// `GET /logout`: the question, or, coming back from the upstream's logout, the result. A link alone ends
/// nothing.
pub(super) async fn show(State(front): State<Arc<Front>>, ask: Ask) -> Response {
    let frame = front.frame(&ask);
    let notice = ask
        .query("state")
        .and_then(|sealed| front.sealer.open(Purpose::Notice, sealed))
        .and_then(|name| String::from_utf8(name).ok());
    if let Some(upstream) = notice {
        let mut closed = ours(front.directory().name());
        closed.push(Ended {
            what: "upstream",
            name: upstream,
        });
        let open = vec![tokens()];
        return front
            .pages
            .show(&frame, StatusCode::OK, &LoggedOut { closed, open });
    }
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
    let (there, open) = match upstream_logout(&front, &live) {
        Ok(found) => found,
        Err(fault) => return front.failed(&ask, &fault, None),
    };
    let response = match there {
        Some((url, name)) => front.pages.onward(&frame, &url, Some(&name)),
        None => {
            let closed = ours(front.directory().name());
            front
                .pages
                .show(&frame, StatusCode::OK, &LoggedOut { closed, open })
        }
    };
    with_cookies(response, cookie::forget(cookie::SESSION))
}

/// Where the upstream's own session ends, or what stays open.
type There = (Option<(String, String)>, Vec<Ended>);

fn upstream_logout(front: &Front, live: &Live) -> Result<There, Fault> {
    let mut open = vec![tokens()];
    let Some(id) = live.identity.upstream() else {
        return Ok((None, open));
    };
    let source = front.directory().source(id)?;
    let ways = source.upstream.ways();
    let name = source.upstream.display_name().to_owned();
    let hint = live
        .session
        .upstream_hint
        .as_deref()
        .and_then(|sealed| front.sealer.open(Purpose::UpstreamHint, sealed))
        .map(String::from_utf8)
        .transpose()
        .map_err(|_| Fault::new(Code::Internal, "the upstream's hint is no text"))?;
    let back_to = format!("{}/logout", front.directory().issuer());
    let state = front.sealer.seal(Purpose::Notice, name.as_bytes());
    let url = ways
        .logout
        .and_then(|logout| logout.begin(hint.as_deref(), &back_to, &state));
    if url.is_none() && ways.browser.is_some() {
        open.insert(
            0,
            Ended {
                what: "upstream",
                name: name.clone(),
            },
        );
    }
    Ok((url.map(|url| (url, name)), open))
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
