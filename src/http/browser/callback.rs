//! The upstream sends the browser back.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};
use http::HeaderValue;

use crate::{
    domain::fault::{Code, Fault},
    port::upstream::Answered,
};

use super::{Ask, Front, begin::source_of, cookie, see_other, with_cookies};

/// `GET /login/{upstream}/callback`
pub(super) async fn by_query(
    State(front): State<Arc<Front>>,
    Path(upstream): Path<String>,
    ask: Ask,
) -> Response {
    let parameters = ask.parameters();
    finish(&front, &upstream, &ask, Answered { parameters }).await
}

/// `POST /login/{upstream}/callback` (OAuth 2.0 Form Post Response Mode)
pub(super) async fn by_form(
    State(front): State<Arc<Front>>,
    Path(upstream): Path<String>,
    ask: Ask,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    match form {
        Ok(Form(parameters)) => finish(&front, &upstream, &ask, Answered { parameters }).await,
        Err(_) => front.failed(
            &ask,
            &Fault::new(Code::BadRequest, "the callback's form does not parse"),
            None,
        ),
    }
}

async fn finish(front: &Front, upstream: &str, ask: &Ask, answered: Answered) -> Response {
    let (id, source) = match source_of(front, upstream) {
        Ok(found) => found,
        Err(fault) => return front.failed(ask, &fault, None),
    };
    let name = answered
        .parameters
        .iter()
        .find(|(name, _)| name == "state")
        .and_then(|(_, state)| cookie::pending_name(state));
    let sealed = name.as_deref().and_then(|name| ask.cookie(name));
    let finished = front.logins.finish(&id, sealed, &answered, &ask.caller).await;
    // Used or useless, the pending sign-in is over. Without one there is nothing to forget.
    let gone: Option<HeaderValue> = sealed.and(name.as_deref()).and_then(cookie::forget);
    match finished {
        Ok((live, back)) => with_cookies(
            see_other(&back.path),
            cookie::set(cookie::SESSION, &live.session.id.0, None)
                .into_iter()
                .chain(gone),
        ),
        Err(fault) => with_cookies(front.failed(ask, &fault, Some(source)), gone),
    }
}
